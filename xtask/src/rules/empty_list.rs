//! `empty-list`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "empty-list",
    severity: Severity::Error,
    summary: "a list without an entry",
    explanation: "A list that has to name something names nothing. Either add an entry, or remove the key \
                  where the key may be absent.",
    check: None,
};
