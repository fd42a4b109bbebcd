//! `needless-architectures`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "needless-architectures",
    severity: Severity::Error,
    summary: "architectures said twice",
    explanation: "A row with `archives` is built for exactly the architectures that have an archive, so \
                  `architectures` beside them can only repeat that or contradict it.",
    check: None,
};
