//! `gap`: a supported minor on which a component has neither an image nor a declared hole.

use crate::diagnostic::Diagnostic;
use crate::kubernetes::Minor;
use crate::spec::Release;

pub fn check(release: &Release, found: &mut Vec<Diagnostic>) {
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
            .map(|m| m.to_string())
            .collect();
        if bare.is_empty() {
            continue;
        }
        let name = &component.name.value;
        let mut diagnostic = Diagnostic::new(
            "gap",
            component.name.span.clone(),
            format!("`{name}` has no image on Kubernetes {}", bare.join(", ")),
            "every supported minor needs a row or a declared hole",
            "widen a row's `kubernetes`, add a row, or declare a `[[component.hole]]` with its reason",
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
