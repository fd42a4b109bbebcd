//! `upper-case-host`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "upper-case-host",
    severity: Severity::Error,
    summary: "a registry whose host has upper-case letters",
    explanation: "The grammar of image references admits upper-case letters in a host, but not in a path. In the \
                  scoped layout of a private registry the source's host becomes part of a path, so no image of \
                  this host could be pushed there. A host means the same in lower case.",
    check: None,
};
