//! `same-translation`.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "same-translation",
    severity: Severity::Warning,
    summary: "a description that is the same in both languages",
    explanation: "The English and the Chinese text of a description are the same, so one of the two is not \
                  written in its language. Readers of that page get a sentence that they may not understand.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for component in &release.components {
        let text = &component.description;
        if text.value.en == text.value.zh_cn {
            let name = &component.name.value;
            found.push(
                Diagnostic::new(
                    &RULE,
                    text.span.clone(),
                    format!("the description of `{name}` is the same in both languages"),
                    format!("{:?}", text.value.en),
                    "translate it",
                )
                .about(name, release.kubernetes.minors().collect()),
            );
        }
    }
}
