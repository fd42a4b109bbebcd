//! `host-with-port`.

use super::{by_host, met};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "host-with-port",
    severity: Severity::Warning,
    summary: "a registry whose host has a port, which the scoped layout cannot hold",
    explanation: "In the scoped layout of a private registry an image keeps its source's host, and a host with a \
                  port inside a reference is no reference: `MIRROR/source:5000/path` cannot be written. So \
                  `push.sh` refuses the scoped layout for this table, and `skopeo sync --scoped` fails. The \
                  flat layout can hold the image.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (host, rows) in by_host(release) {
        if !host.contains(':') {
            continue;
        }
        let mut diagnostic = Diagnostic::new(
            &RULE,
            rows[0].reference.span.clone(),
            format!("the layout scoped cannot hold an image of `{host}`, whose host has a port"),
            "this image",
            "name the registry without its port, or use the flat layout for this release",
        )
        .about(host, met(release, rows.iter().copied()));
        for row in &rows[1..] {
            diagnostic = diagnostic.with_other(row.reference.span.clone(), "and this one");
        }
        found.push(diagnostic);
    }
}
