//! `overlap`: two rows of a component, or a row and a hole, for the same supported minor.

use crate::diagnostic::{Diagnostic, Span};
use crate::kubernetes::Requirement;
use crate::spec::Release;

pub fn check(release: &Release, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        let rows = component.images.iter().map(|image| {
            (
                image.kubernetes.value,
                &image.kubernetes.span,
                format!("`{}`", image.reference.value),
            )
        });
        let holes = component.holes.iter().map(|hole| {
            (
                hole.kubernetes.value,
                &hole.kubernetes.span,
                "a declared hole".to_owned(),
            )
        });
        let entries: Vec<(Requirement, &Span, String)> = rows.chain(holes).collect();
        for (index, (requirement, span, what)) in entries.iter().enumerate() {
            for (earlier, earlier_span, earlier_what) in &entries[..index] {
                let both: Vec<_> = release
                    .kubernetes
                    .minors()
                    .filter(|minor| requirement.includes(*minor) && earlier.includes(*minor))
                    .map(|minor| minor.to_string())
                    .collect();
                if both.is_empty() {
                    continue;
                }
                found.push(
                    Diagnostic::new(
                        "overlap",
                        (*span).clone(),
                        format!(
                            "`{}` has two answers on Kubernetes {}",
                            component.name.value,
                            both.join(", ")
                        ),
                        format!("{what} is for {requirement}"),
                        "narrow one of the two, so that each minor has exactly one",
                    )
                    .with_other(
                        (*earlier_span).clone(),
                        format!("{earlier_what} is for {earlier}"),
                    ),
                );
            }
        }
    }
}
