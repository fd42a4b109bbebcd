//! `unknown-architecture`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "unknown-architecture",
    severity: Severity::Error,
    summary: "an architecture that the release is not built for",
    explanation: "The architecture is not among the release's `architectures`. Use the OCI names: `amd64`, not \
                  `x86_64`; `arm64`, not `aarch64`.",
    check: None,
};
