//! `overlap`.

use super::{Rule, Severity, list};
use crate::diagnostic::Diagnostic;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "overlap",
    severity: Severity::Error,
    summary: "two rows of a component for the same supported minor",
    explanation: "Two rows of one component are for the same minor, so the table has two answers there and no \
                  reader can tell which image is deployed. One of the two requirements is too wide: often a \
                  `v1.17+` that should end where the next row begins, as in `v1.17-v1.19`.",
    check: Some(check),
};

fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        for (index, row) in component.images.iter().enumerate() {
            for earlier in &component.images[..index] {
                let both: Vec<_> = release
                    .kubernetes
                    .minors()
                    .filter(|minor| row.kubernetes.value.includes(*minor))
                    .filter(|minor| earlier.kubernetes.value.includes(*minor))
                    .collect();
                if both.is_empty() {
                    continue;
                }
                let of = |row: &crate::spec::model::Image| {
                    format!("`{}` is for {}", row.reference.value, row.kubernetes.value)
                };
                let name = &component.name.value;
                found.push(
                    Diagnostic::new(
                        &RULE,
                        row.kubernetes.span.clone(),
                        format!("`{name}` has two images on Kubernetes {}", list(&both)),
                        of(row),
                        "narrow one of the two, so that each minor has exactly one",
                    )
                    .with_other(earlier.kubernetes.span.clone(), of(earlier)),
                );
            }
        }
    }
}
