//! `reference-by-digest`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "reference-by-digest",
    severity: Severity::Error,
    summary: "a reference with a digest",
    explanation: "Images are referred to by tag here. An image that is imported on a node from an archive gets \
                  a manifest of its own, so that a registry's digest is not found there, and the Pod would \
                  wait for a pull that cannot succeed.",
    check: None,
};
