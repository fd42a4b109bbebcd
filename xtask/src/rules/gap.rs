//! `gap`.

use super::list;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::kubernetes::Minor;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "gap",
    severity: Severity::Error,
    summary: "a supported minor on which a component has neither an image nor a declared hole",
    explanation: "On every minor that the release supports, each component has exactly one image, or a hole \
                  that the spec declares with its reason. Here it has neither: whoever installs on this \
                  minor would find out that a Pod waits for an image that nobody listed. Either a row's \
                  requirement is too narrow, or the component cannot run there, which a \
                  `[[limit]]` of the product says with its reason.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        let covered = |minor: Minor| {
            let rows = component.images.iter().map(|image| &image.kubernetes);
            let holes = component.holes.iter().map(|hole| &hole.kubernetes);
            rows.chain(holes)
                .any(|requirement| requirement.value.includes(minor))
        };
        let bare: Vec<_> = release
            .kubernetes
            .minors()
            .filter(|minor| !covered(*minor))
            .collect();
        if bare.is_empty() {
            continue;
        }
        let name = &component.name.value;
        let mut diagnostic = Diagnostic::new(
            &RULE,
            component.name.span.clone(),
            format!("`{name}` has no image on Kubernetes {}", list(&bare)),
            "every supported minor needs a row or a declared hole",
            "widen a row's requirement, add a row, or add the component to the `without` of a `[[limit]]`",
        );
        for image in &component.images {
            diagnostic = diagnostic.with_other(
                image.kubernetes.span.clone(),
                format!("this row is for {}", image.kubernetes.value),
            );
        }
        found.push(diagnostic);
    }
}
