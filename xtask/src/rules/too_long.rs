//! `too-long`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "too-long",
    severity: Severity::Error,
    summary: "a text or a list that is longer than any real one",
    explanation: "A text stands in a cell of a table, in a comment and in a list, once for each minor; the \
                  architectures are listed with every image. What is longer than any real one is a slip, such \
                  as a whole document pasted into a text, and would make every page unreadable.",
    check: None,
};
