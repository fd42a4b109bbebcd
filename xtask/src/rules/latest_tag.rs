//! `latest-tag`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "latest-tag",
    severity: Severity::Error,
    summary: "the tag `latest`",
    explanation: "`latest` is whatever was pushed last. The archive of today and the registry of tomorrow \
                  would hold different images under one name, and no kit could be made twice alike.",
    check: None,
};
