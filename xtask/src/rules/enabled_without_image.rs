//! `enabled-without-image`.

use super::list;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "enabled-without-image",
    severity: Severity::Error,
    summary: "a component that is deployed on a minor on which it has no image",
    explanation: "The component has a declared hole on this minor, and with the chart's defaults and the settings \
                  that the spec forces there, the chart deploys it all the same: a container without an image. \
                  A hole needs a limit whose `values` switch the component off on the same minors, and a \
                  `[[switch]]` that says which value does so, with its default in `[chart.defaults]`.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    // Without a setting that was refused, a component could seem to be on that is off.
    if !release.is_whole {
        return;
    }
    let forced = release.forced_by_minor();
    for component in &release.components {
        for hole in &component.holes {
            let deployed: Vec<_> = forced
                .iter()
                .filter(|(minor, _)| hole.kubernetes.value.includes(*minor))
                .filter(|(_, forced)| release.is_on(component, forced))
                .map(|(minor, _)| *minor)
                .collect();
            if deployed.is_empty() {
                continue;
            }
            let conditions = component.ways.iter().flatten();
            let keys: Vec<_> = conditions
                .map(|condition| format!("`{}`", condition.key.as_str()))
                .collect();
            let help = if keys.is_empty() {
                "say in a `[[switch]]` which value deploys the component and in `[chart.defaults]` what the \
                 chart sets it to, and force it off in `values` of the limit"
                    .to_owned()
            } else {
                format!(
                    "force {} in `values` of the limit, so that the component is off here",
                    keys.join(" or ")
                )
            };
            found.push(
                Diagnostic::new(
                    &RULE,
                    hole.kubernetes.span.clone(),
                    format!(
                        "the chart deploys `{}` on Kubernetes {}, where it has no image",
                        component.name.value,
                        list(&deployed)
                    ),
                    "the hole",
                    help,
                )
                .with_other(component.name.span.clone(), "the component"),
            );
        }
    }
}
