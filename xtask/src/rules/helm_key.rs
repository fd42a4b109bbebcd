//! `conflicting-helm-key`: two Helm values at one place, or one inside the other.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::Release;
use crate::spec::model::{HelmKey, Located};

pub fn check(release: &Release, found: &mut Vec<Diagnostic>) {
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
        .map(|component| &component.helm_key)
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
                    "conflicting-helm-key",
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
