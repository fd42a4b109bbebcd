//! `conflicting-setting`.

use std::collections::HashMap;

use super::{Owners, list};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "conflicting-setting",
    severity: Severity::Error,
    summary: "two settings that give one key a value on the same minor",
    explanation: "Two settings give one Helm key a value on the same minor. A YAML mapping has a key once, so one \
                  of the two would be lost, and nobody could tell which.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let mut keys = HashMap::new();
    for setting in &release.settings {
        let owners = keys.entry(&setting.key.value);
        let owners = owners.or_insert_with(|| Owners::new(release));
        let Some((earlier, both)) = owners.take(setting.kubernetes.value, setting) else {
            continue;
        };
        let key = setting.key.value.as_str();
        found.push(
            Diagnostic::new(
                &RULE,
                setting.key.span.clone(),
                format!("two settings of `{key}` on Kubernetes {}", list(&both)),
                format!("again here, for {}", setting.kubernetes.value),
                "narrow the `kubernetes` of one of the two",
            )
            .with_other(
                earlier.key.span.clone(),
                format!("first here, for {}", earlier.kubernetes.value),
            ),
        );
    }
}
