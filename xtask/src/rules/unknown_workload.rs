//! `unknown-workload`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unknown-workload",
    severity: Severity::Error,
    summary: "a workload that nobody declared",
    explanation: "The component runs in a workload that has no `[[workload]]` entry, so that the pages could \
                  not say which service account needs a pull secret.",
    check: None,
};
