//! `shared-archive`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{ImageSource, Located};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "shared-archive",
    severity: Severity::Error,
    summary: "one file of the vendor's package for two architectures or for two images",
    explanation: "An archive in the vendor's package holds one image for one architecture. Here one file name \
                  stands for two of them: a pattern lacks `{name}` or `{word}`, or two architectures have one \
                  word. The scripts would refuse the archive for one of the two, on a node.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let mut names = HashMap::new();
    let mut claim = |file: &Located<String>, architecture: &str, of: String| {
        let by = format!("for {of} on {architecture}");
        let first = names.entry(file.value.clone());
        let (place, owner) = first.or_insert_with(|| (file.span.clone(), by.clone()));
        if *owner != by {
            found.push(
                Diagnostic::new(
                    &RULE,
                    file.span.clone(),
                    format!("`{}` is named for two things", file.value),
                    by,
                    "put `{name}` and `{word}` into the pattern, and give each architecture a word of its own",
                )
                .with_other(place.clone(), owner.clone()),
            );
        }
    };
    for (_, image) in release.rows() {
        if let ImageSource::Package(archives) = &image.source {
            for (architecture, files) in archives {
                for file in files {
                    claim(file, architecture, format!("`{}`", image.reference.value));
                }
            }
        }
    }
}
