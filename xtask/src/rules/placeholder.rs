//! `placeholder`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "placeholder",
    severity: Severity::Error,
    summary: "a placeholder that nobody filled in",
    explanation: "The text still has a placeholder of a build script, such as `{{csi-version}}` or \
                  `${VERSION}`. It was copied from a file that is filled in later; the table has to hold what \
                  comes out.",
    check: None,
};
