//! `unsupported-schema`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unsupported-schema",
    severity: Severity::Error,
    summary: "another version of the format",
    explanation: "`schema` is the version of the spec's format, and this tool reads version 1. Another number \
                  means that the file was written for another version of the tool, which may understand its \
                  keys otherwise.",
    check: None,
};
