//! `short-name`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "short-name",
    severity: Severity::Error,
    summary: "a short name that would be pulled from docker.io",
    explanation: "A name without a registry is `docker.io/library/...` to every engine. An image of a registry \
                  is written with its registry; only an image of the vendor's package, which has `archives`, \
                  has the short name that is inside its archive.",
    check: None,
};
