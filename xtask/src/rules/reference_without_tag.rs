//! `reference-without-tag`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "reference-without-tag",
    severity: Severity::Error,
    summary: "a reference without a tag",
    explanation: "Without a tag every engine takes `latest`, which is another image next month. A table says \
                  which version was tested.",
    check: None,
};
