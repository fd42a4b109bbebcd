//! `malformed-range`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "malformed-range",
    severity: Severity::Error,
    summary: "a supported range that is open",
    explanation: "The release's own `kubernetes` is a closed range of minors of one major version, such as \
                  `v1.16-v1.30`. It is the upper bound of every `+` in the file, so it cannot be open itself.",
    check: None,
};
