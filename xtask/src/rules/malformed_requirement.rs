//! `malformed-requirement`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "malformed-requirement",
    severity: Severity::Error,
    summary: "a requirement of no known form",
    explanation: "A Kubernetes requirement has one of three forms: `v1.17+` (this minor and every later one \
                  that the release supports), `v1.16.x` (this minor alone), `v1.17-v1.19` (both ends and all \
                  between). What only nearly has one of these is read with a warning, see `requirement-typo`; \
                  this text cannot be read at all.",
    check: None,
};
