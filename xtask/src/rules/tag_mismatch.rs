//! `tag-mismatch`.

use super::{Rule, Severity, met};
use crate::diagnostic::Diagnostic;
use crate::spec::model::ImageSource;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "tag-mismatch",
    severity: Severity::Warning,
    summary: "an image or an archive of the vendor's package whose version is not the release's",
    explanation: "The vendor builds the images of a package with the package's own version. This one has another \
                  version in its tag, or in the name of an archive: most likely it was left as it was when the \
                  spec was copied from the release before.",
    check: Some(check),
};

fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (_, image) in release.rows() {
        let ImageSource::Package(archives) = &image.source else {
            continue;
        };
        let reference = image.reference.value.as_str();
        let tag = image.reference.value.tag().unwrap_or_default();
        let other = archives
            .iter()
            .flat_map(|(_, names)| names)
            .find(|name| !name.contains(&release.version));
        let wrong = if tag.trim_start_matches('v') != release.version {
            format!("the tag of `{reference}` is not the release's version")
        } else if let Some(archive) = other {
            format!("the archive `{archive}` does not have the release's version in its name")
        } else {
            continue;
        };
        found.push(
            Diagnostic::new(
                &RULE,
                image.reference.span.clone(),
                wrong,
                format!("the release is {}", release.version),
                "write the version that this release's package has",
            )
            .about(reference, met(release, [image])),
        );
    }
}
