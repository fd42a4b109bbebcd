//! `out-of-range`.

use super::requirements;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::kubernetes::Requirement;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "out-of-range",
    severity: Severity::Warning,
    summary: "a requirement that names a minor which the release does not support",
    explanation: "The requirement names a minor outside the release's own `kubernetes`. What it says for the \
                  supported minors holds; for the others nothing is generated. Usually the row was copied from \
                  another release, or the supported range was changed and the row was not.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (subject, requirement) in requirements(release) {
        let named = match requirement.value {
            // Vendors publish a `+` from the oldest minor on which the image runs, whatever the release.
            Requirement::From(_) => continue,
            Requirement::Only(minor) => [minor, minor],
            Requirement::Between(first, last) => [first, last],
        };
        let here: Vec<_> = release
            .kubernetes
            .minors()
            .filter(|minor| requirement.value.includes(*minor))
            .collect();
        let outside = named
            .into_iter()
            .find(|minor| !release.kubernetes.contains(*minor));
        // One that no supported minor meets is `unreachable`.
        if let (Some(outside), false) = (outside, here.is_empty()) {
            found.push(
                Diagnostic::new(
                    &RULE,
                    requirement.span.clone(),
                    format!(
                        "`{}` names Kubernetes {outside}, which the release does not support",
                        requirement.value
                    ),
                    format!("the release supports {}", release.kubernetes),
                    "write a minor of the supported range",
                )
                .about(subject, here),
            );
        }
    }
}
