//! `missing-translation`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "missing-translation",
    severity: Severity::Error,
    summary: "a text in one language only",
    explanation: "Every text is there in English and in Simplified Chinese, because every page is. A blank \
                  text is none.",
    check: None,
};
