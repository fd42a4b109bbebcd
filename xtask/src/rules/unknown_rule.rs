//! `unknown-rule`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unknown-rule",
    severity: Severity::Error,
    summary: "an acknowledgement of no such warning",
    explanation: "An `[[acknowledge]]` names a rule that does not exist, or one that is an error. Only \
                  warnings can be acknowledged; an error has to be mended.",
    check: None,
};
