//! `malformed-reference`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "malformed-reference",
    severity: Severity::Error,
    summary: "a reference that breaks the grammar",
    explanation: "An image reference follows the grammar of the distribution project \
                  (https://pkg.go.dev/github.com/distribution/reference) in its strict form: a host with an \
                  optional port, a path of lower-case components, and a tag of at most 128 letters, digits, \
                  `_`, `.` and `-`. No engine would take this one.",
    check: None,
};
