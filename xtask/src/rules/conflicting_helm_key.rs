//! `conflicting-helm-key`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Rule, Severity, Span};
use crate::spec::{HelmKey, Located};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "conflicting-helm-key",
    severity: Severity::Error,
    summary: "two Helm values at one place, or one inside the other",
    explanation: "Two components, or a component and a setting, have one Helm key, or the key of one lies inside \
                  that of the other. In the values only one of them would be left, and some container would \
                  run another container's image.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    // Several settings may share a key on different minors; `conflicting-setting` looks at those.
    let mut settings: Vec<&Located<HelmKey>> = Vec::new();
    for setting in &release.settings {
        if !settings.iter().any(|key| key.value == setting.key.value) {
            settings.push(&setting.key);
        }
    }
    let keys = release
        .components
        .iter()
        .filter_map(|component| component.helm.as_ref())
        .chain(settings);
    let mut leaves: HashMap<&str, &Span> = HashMap::new();
    let mut groups: HashMap<&str, &Span> = HashMap::new();
    for key in keys {
        let text = key.value.as_str();
        let prefixes: Vec<_> = text
            .match_indices('.')
            .map(|(dot, _)| &text[..dot])
            .collect();
        let same = leaves.get(text).map(|span| (*span, "the same key"));
        let inside = groups.get(text).map(|span| (*span, "a key inside it"));
        let around = prefixes
            .iter()
            .find_map(|prefix| leaves.get(prefix))
            .map(|span| (*span, "a key around it"));
        if let Some((span, what)) = same.or(inside).or(around) {
            found.push(
                Diagnostic::new(
                    &RULE,
                    key.span.clone(),
                    format!("the Helm key `{text}` is taken"),
                    "this key",
                    "give each component and setting a key of its own",
                )
                .with_other(span.clone(), what),
            );
        }
        leaves.entry(text).or_insert(&key.span);
        for prefix in prefixes {
            groups.entry(prefix).or_insert(&key.span);
        }
    }
}
