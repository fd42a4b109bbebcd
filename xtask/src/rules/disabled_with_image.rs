//! `disabled-with-image`.

use super::list;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release, Way};

pub const RULE: Rule = Rule {
    code: "disabled-with-image",
    severity: Severity::Warning,
    summary: "an image on a minor on which a setting switches its component off",
    explanation: "The spec lists an image on this minor, and a setting that it forces on the same minor switches \
                  the component off. Nobody can ever use the image there, and everybody downloads it. Either \
                  the row should be a hole, or the setting is too wide. A component that is off only by the \
                  chart's own default is another matter: its image is listed, so that turning it on later \
                  needs no download.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let forced = release.forced_by_minor();
    for (component, image) in release.rows() {
        if component.ways.is_empty() {
            continue;
        }
        let off: Vec<_> = forced
            .iter()
            .filter(|(minor, _)| image.kubernetes.value.includes(*minor))
            .filter(|(_, forced)| {
                // Each way has a value that is forced to something else.
                let is_barred = |way: &Way| {
                    let mut conditions = way.iter();
                    conditions.any(|condition| {
                        let value = forced.get(&condition.key);
                        value.is_some_and(|value| **value != condition.is)
                    })
                };
                component.ways.iter().all(is_barred)
            })
            .map(|(minor, _)| *minor)
            .collect();
        if let Some(first) = off.first() {
            let name = &component.name.value;
            let mut diagnostic = Diagnostic::new(
                &RULE,
                image.kubernetes.span.clone(),
                format!(
                    "`{name}` has an image on Kubernetes {}, where a setting switches it off",
                    list(&off)
                ),
                "the row",
                "add the component to the `without` of the limit, or narrow the limit",
            )
            .about(name, off.clone());
            for setting in &release.settings {
                let mut conditions = component.ways.iter().flatten();
                if setting.kubernetes.value.includes(*first)
                    && conditions.any(|condition| condition.key == setting.key.value)
                {
                    diagnostic = diagnostic.with_other(setting.key.span.clone(), "the setting");
                }
            }
            found.push(diagnostic);
        }
    }
}
