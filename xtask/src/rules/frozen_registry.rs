//! `frozen-registry`.

use super::{by_host, met};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "frozen-registry",
    severity: Severity::Warning,
    summary: "images of a registry that gets no new ones",
    explanation: "The registry was frozen: it gets no new images, and how long it still answers is nobody's \
                  promise. `spec/knowledge.toml` says since when, and which registry serves the same images \
                  under the same paths. Change the references, or acknowledge that the vendor's table says so.",
};

pub fn check(release: &Release, knowledge: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (host, rows) in by_host(release) {
        let bare = host.strip_suffix(":443").unwrap_or(host);
        let Some(registry) = knowledge
            .registries
            .iter()
            .find(|known| known.host.get_ref() == bare)
        else {
            continue;
        };
        let mut diagnostic = Diagnostic::new(
            &RULE,
            rows[0].reference.span.clone(),
            format!("`{host}` gets no new images since {}", registry.frozen),
            "an image of it",
            format!(
                "write `{}`, which serves the same paths ({})",
                registry.successor, registry.source
            ),
        )
        .about(host, met(release, rows.iter().copied()));
        for row in &rows[1..] {
            diagnostic = diagnostic.with_other(row.reference.span.clone(), "and another one");
        }
        found.push(diagnostic);
    }
}
