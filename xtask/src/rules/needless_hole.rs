//! `needless-hole`.

use super::{Rule, Severity, list};
use crate::diagnostic::Diagnostic;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "needless-hole",
    severity: Severity::Error,
    summary: "a hole on a minor on which the component has an image, or a second hole",
    explanation: "The spec declares that a component has no image on some minor, and yet a row gives it one, or \
                  another hole says the same. The pages would tell the reader both. Narrow the hole or the \
                  row, whichever is wrong.",
    check: Some(check),
};

fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        let rows = component.images.iter().map(|image| {
            let what = format!(
                "`{}` is for {}",
                image.reference.value, image.kubernetes.value
            );
            (&image.kubernetes, what)
        });
        let mut earlier: Vec<_> = rows.collect();
        for hole in &component.holes {
            for (other, what) in &earlier {
                let both: Vec<_> = release
                    .kubernetes
                    .minors()
                    .filter(|minor| hole.kubernetes.value.includes(*minor))
                    .filter(|minor| other.value.includes(*minor))
                    .collect();
                if both.is_empty() {
                    continue;
                }
                let name = &component.name.value;
                found.push(
                    Diagnostic::new(
                        &RULE,
                        hole.kubernetes.span.clone(),
                        format!(
                            "`{name}` has a hole on Kubernetes {}, which is taken",
                            list(&both)
                        ),
                        format!("the hole is for {}", hole.kubernetes.value),
                        "narrow one of the two, or remove the hole",
                    )
                    .with_other(other.span.clone(), what.clone()),
                );
            }
            let what = format!("another hole is for {}", hole.kubernetes.value);
            earlier.push((&hole.kubernetes, what));
        }
    }
}
