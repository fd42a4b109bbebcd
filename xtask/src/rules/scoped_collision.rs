//! `scoped-collision`.

use super::collisions;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::layout;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "scoped-collision",
    severity: Severity::Error,
    summary: "two images with one place in a mirror of the scoped layout",
    explanation: "In a private registry of the scoped layout, which is the default, an image keeps its source's \
                  host and path, and an image of the vendor's package is `MIRROR/NAME:TAG`. Two images of this \
                  table would land on the same place, so that one overwrites the other. Rename one of them.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (place, earlier, image) in collisions(release, layout::scoped) {
        found.push(
            Diagnostic::new(
                &RULE,
                image.reference.span.clone(),
                format!("two images would be `MIRROR/{place}`"),
                "this image",
                "rename one of the two",
            )
            .with_other(earlier.reference.span.clone(), "and this one"),
        );
    }
}
