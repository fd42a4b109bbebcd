//! `control-character`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "control-character",
    severity: Severity::Error,
    summary: "a character that cannot be seen",
    explanation: "Texts are one line of visible characters. Line breaks, control characters, and marks that \
                  change the direction of writing or take no room (https://www.unicode.org/reports/tr36/) \
                  could make a page or a script show other than it is. Anywhere in the file, in a comment \
                  too, they could make a review show other than the file is (https://trojansource.codes).",
    check: None,
};
