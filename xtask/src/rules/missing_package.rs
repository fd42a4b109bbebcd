//! `missing-package`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "missing-package",
    severity: Severity::Error,
    summary: "an archive without a package",
    explanation: "The row has `archives`, which are files of the vendor's package, and the spec has no \
                  `[package]` that says what that package is called and where in it the archives lie.",
    check: None,
};
