//! `missing-key`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "missing-key",
    severity: Severity::Error,
    summary: "a key that has to be there",
    explanation: "The key is required: without it some file could not be generated, or somebody would have to \
                  guess. The message says what a value looks like.",
    check: None,
};
