//! `conflicting-setting`.

use super::{Rule, Severity};
use crate::diagnostic::Diagnostic;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "conflicting-setting",
    severity: Severity::Error,
    summary: "two settings that give one key a value on the same minor",
    explanation: "Two settings give one Helm key a value on the same minor. A YAML mapping has a key once, so one \
                  of the two would be lost, and nobody could tell which.",
    check: Some(check),
};

fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (index, setting) in release.settings.iter().enumerate() {
        for earlier in &release.settings[..index] {
            if setting.key.value != earlier.key.value {
                continue;
            }
            let both = |minor| {
                setting.kubernetes.value.includes(minor) && earlier.kubernetes.value.includes(minor)
            };
            if let Some(minor) = release.kubernetes.minors().find(|minor| both(*minor)) {
                found.push(
                    Diagnostic::new(
                        &RULE,
                        setting.key.span.clone(),
                        format!(
                            "two settings of `{}` on Kubernetes {minor}",
                            setting.key.value.as_str()
                        ),
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
    }
}
