//! `conflicting-image`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "conflicting-image",
    severity: Severity::Error,
    summary: "two rows of one image that disagree on where it comes from or what it is built for",
    explanation: "Several components may run the same image, and then each has a row with its reference. These \
                  rows say different things about it: other architectures, or other archives. It is one image, \
                  so only one can be right. `docker.io/library/example:1.0.0` is the same image as \
                  `example:1.0.0`: a node stores both under that one name.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let mut images = HashMap::new();
    for (_, image) in release.rows() {
        let first = *images
            .entry(image.reference.value.whole_name())
            .or_insert(image);
        if first.source != image.source || first.architectures != image.architectures {
            found.push(
                Diagnostic::new(
                    &RULE,
                    image.reference.span.clone(),
                    format!(
                        "two rows describe the image `{}` differently",
                        image.reference.value
                    ),
                    "again here",
                    "take the same `source` for both components",
                )
                .with_other(first.reference.span.clone(), "first here"),
            );
        }
    }
}
