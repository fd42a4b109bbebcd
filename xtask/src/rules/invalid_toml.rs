//! `invalid-toml`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "invalid-toml",
    severity: Severity::Error,
    summary: "a file that is no TOML",
    explanation: "A spec is a TOML document (https://toml.io/en/v1.0.0). The place that is shown is where a \
                  TOML reader gives up, and the mistake is there or shortly before: a quote that is not \
                  closed, a key without a value, a table that is opened twice. Nothing else in the file is \
                  looked at before it is TOML.",
    check: None,
};
