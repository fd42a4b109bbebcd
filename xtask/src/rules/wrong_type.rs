//! `wrong-type`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "wrong-type",
    severity: Severity::Error,
    summary: "a value of another type",
    explanation: "The value has another type than the format asks for, such as a number where a text belongs. \
                  Versions and tags are always texts, in quotes: as numbers 1.30 would be 1.3.",
    check: None,
};
