//! `non-boolean-switch`.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "non-boolean-switch",
    severity: Severity::Error,
    summary: "a setting that gives a switch of a component something other than true or false",
    explanation: "A `[[switch]]` says that the chart deploys a component by this Helm value, and the setting \
                  gives it a string or a number. Helm takes every string that is not empty for true, \
                  `\"false\"` too, and every number but 0: the component would be deployed where the table \
                  says that it is off.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for setting in &release.settings {
        let key = &setting.key.value;
        let mut components = release.components.iter();
        let switched = components.find(|component| {
            let mut conditions = component.ways.iter().flatten();
            conditions.any(|condition| condition.key == *key && condition.is.is_boolean())
        });
        if let (Some(component), false) = (switched, setting.value.is_boolean()) {
            let (key, name) = (key.as_str(), &component.name);
            found.push(
                Diagnostic::new(
                    &RULE,
                    setting.key.span.clone(),
                    format!(
                        "`{key}` deploys `{}`, and is neither true nor false here",
                        name.value
                    ),
                    "this setting",
                    "write true or false, without quotes",
                )
                .with_other(name.span.clone(), "deployed by a `[[switch]]` on it"),
            );
        }
    }
}
