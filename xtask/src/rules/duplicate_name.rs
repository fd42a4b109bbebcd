//! `duplicate-name`.

use std::collections::HashMap;

use super::{Rule, Severity};
use crate::diagnostic::Diagnostic;
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "duplicate-name",
    severity: Severity::Error,
    summary: "two components or two workloads of one name, an architecture named twice, or two entries of the knowledge about one thing",
    explanation: "Two things of one kind have one name. Of a component there is one entry, and each of its images \
                  is a `[[component.image]]` row of it: two entries would hide a gap or an overlap between \
                  them. Of two facts about one registry or image nobody could know which counts.",
    check: Some(check),
};

fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    let components = release
        .components
        .iter()
        .map(|component| ("component", &component.name));
    let workloads = release
        .workloads
        .iter()
        .map(|workload| ("workload", &workload.name));
    let mut names = HashMap::new();
    for (kind, name) in components.chain(workloads) {
        if let Some(first) = names.insert((kind, &name.value), &name.span) {
            found.push(
                Diagnostic::new(
                    &RULE,
                    name.span.clone(),
                    format!("two {kind}s are named `{}`", name.value),
                    "again here",
                    format!("rename one, or make one {kind} of the two"),
                )
                .with_other(first.clone(), "first here"),
            );
        }
    }
}
