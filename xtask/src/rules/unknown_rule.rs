//! `unknown-rule`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unknown-rule",
    severity: Severity::Error,
    summary: "an acknowledgement of no such warning",
    explanation: "An `[[acknowledge]]` names a rule that does not exist, or one whose findings have to be \
                  fixed. Warnings can be acknowledged, and findings of `check-chart` that show a note on it.",
    check: None,
};
