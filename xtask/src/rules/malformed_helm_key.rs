//! `malformed-helm-key`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "malformed-helm-key",
    severity: Severity::Error,
    summary: "a Helm key with other characters",
    explanation: "A Helm key is the path of a value in the chart's values: names joined by dots, each starting \
                  with a letter and of letters, digits, `_` and `-`.",
    check: None,
};
