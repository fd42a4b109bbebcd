//! `malformed-name`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "malformed-name",
    severity: Severity::Error,
    summary: "a name with other characters",
    explanation: "Names of files, folders, workloads and the like end up in paths, commands and Kubernetes \
                  objects, so they are of the characters that all of those take as they are. `..` is no name, \
                  nor is a name that starts with a hyphen.",
    check: None,
};
