//! `requirement-typo`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "requirement-typo",
    severity: Severity::Warning,
    summary: "a requirement with a slip",
    explanation: "The requirement is no valid one, but it is clear what was meant: a dot too many (`v.1.16.x`, \
                  as several published tables have it), a `v` too few, a blank, a capital letter. It is read \
                  as the message says; write it that way, since other readers of the table may not be so kind.",
    check: None,
};
