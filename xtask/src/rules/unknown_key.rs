//! `unknown-key`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unknown-key",
    severity: Severity::Error,
    summary: "a key that the format does not have",
    explanation: "A key that the format does not have is refused, because a misspelt key would otherwise be \
                  lost in silence, and with it an image or a setting. The message lists the keys that are \
                  known in that place.",
    check: None,
};
