//! `unreachable`.

use super::requirements;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "unreachable",
    severity: Severity::Error,
    summary: "a requirement that no supported minor meets, so that what it says never applies",
    explanation: "No minor that the release supports meets the requirement, so the row, hole, setting or step is \
                  never used. Either the requirement is wrong, or it is left over from another release and can \
                  go.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (_, requirement) in requirements(release) {
        let mut minors = release.kubernetes.minors();
        if !minors.any(|minor| requirement.value.includes(minor)) {
            found.push(Diagnostic::new(
                &RULE,
                requirement.span.clone(),
                format!("`{}` is for no supported version", requirement.value),
                format!("the release supports {}", release.kubernetes),
                "correct the requirement, or remove what it is on",
            ));
        }
    }
}
