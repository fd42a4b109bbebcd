//! `flat-collision`.

use super::{collisions, met};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::layout;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "flat-collision",
    severity: Severity::Warning,
    summary: "two images with one place in a mirror of the flat layout",
    explanation: "In a private registry of the flat layout an image keeps only the last part of its name and its \
                  tag. Two images of this table would land on the same place there, so `push.sh --layout flat` \
                  refuses to push them. The scoped layout, which is the default, can hold both.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (place, earlier, image) in collisions(release, layout::flat) {
        found.push(
            Diagnostic::new(
                &RULE,
                image.reference.span.clone(),
                format!("in the layout flat, two images would be `MIRROR/{place}`"),
                "this image",
                "use the scoped layout for this release, or rename one of the two",
            )
            .with_other(earlier.reference.span.clone(), "and this one")
            .about(place, met(release, [earlier, image])),
        );
    }
}
