//! `tag-mismatch`.

use super::met;
use crate::diagnostic::{Diagnostic, Rule, Severity, Span};
use crate::spec::{ImageSource, Knowledge, Located, Release};
use crate::text::places_of_version;

pub const RULE: Rule = Rule {
    code: "tag-mismatch",
    severity: Severity::Warning,
    summary: "a package, an archive in it or its image whose version is not the release's",
    explanation: "The vendor builds the images of a package with the package's own version. This one has another \
                  version in its tag or in the name of a file: most likely it was left as it was when the \
                  spec was copied from the release before.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let version = &release.version;
    let label = format!("the release is {version}");
    let help = "write `{release}` in the place of the version";
    let files = release.package.iter().flat_map(|package| &package.files);
    for (_, file) in files.filter(|(_, file)| !has_version(&file.value, version)) {
        let name = &file.value;
        let title = format!("the package `{name}` does not have the release's version in its name");
        let minors = release.kubernetes.minors().collect();
        found.push(
            Diagnostic::new(&RULE, file.span.clone(), title, &label, help).about(name, minors),
        );
    }
    for (_, image) in release.rows() {
        let ImageSource::Package(archives) = &image.source else {
            continue;
        };
        let Located { value, span } = &image.reference;
        let minors = met(release, [image]);
        let mut report = |span: &Span, title: String| {
            let finding = Diagnostic::new(&RULE, span.clone(), title, &label, help);
            found.push(finding.about(value.as_str(), minors.clone()));
        };
        if value.tag().unwrap_or_default().trim_start_matches('v') != version {
            report(
                span,
                format!("the tag of `{value}` is not the release's version"),
            );
        }
        for archive in archives.iter().flat_map(|(_, names)| names) {
            let name = &archive.value;
            if !has_version(name, version) {
                let title =
                    format!("the archive `{name}` does not have the release's version in its name");
                report(&archive.span, title);
            }
        }
    }
}

/// Whether a file's name has a version in it.
fn has_version(name: &str, version: &str) -> bool {
    places_of_version(name, version).next().is_some()
}
