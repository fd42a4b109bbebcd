//! `overlap`.

use super::{Owners, list};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::Image;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "overlap",
    severity: Severity::Error,
    summary: "two rows of a component for the same supported minor",
    explanation: "Two rows of one component are for the same minor, so the table has two answers there and no \
                  reader can tell which image is deployed. One of the two requirements is too wide: often a \
                  `v1.17+` that should end where the next row begins, as in `v1.17-v1.19`.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let of = |row: &Image| format!("`{}` is for {}", row.reference.value, row.kubernetes.value);
    for component in &release.components {
        let mut owners = Owners::new(release);
        for row in &component.images {
            let Some((earlier, both)) = owners.take(row.kubernetes.value, row) else {
                continue;
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
