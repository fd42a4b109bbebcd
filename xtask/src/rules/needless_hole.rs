//! `needless-hole`.

use super::{Owners, list};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "needless-hole",
    severity: Severity::Error,
    summary: "a hole on a minor on which the component has an image, or a second hole",
    explanation: "The spec declares that a component has no image on some minor, and yet a row gives it one, or \
                  another hole says the same. The pages would tell the reader both. Narrow the hole or the \
                  row, whichever is wrong.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        let mut owners = Owners::new(release);
        for image in &component.images {
            owners.take(image.kubernetes.value, (&image.kubernetes, Some(image)));
        }
        for hole in &component.holes {
            let taken = owners.take(hole.kubernetes.value, (&hole.kubernetes, None));
            let Some(((earlier, image), both)) = taken else {
                continue;
            };
            let what = match image {
                Some(image) => format!("`{}` is for {}", image.reference.value, earlier.value),
                None => format!("another hole is for {}", earlier.value),
            };
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
                .with_other(earlier.span.clone(), what),
            );
        }
    }
}
