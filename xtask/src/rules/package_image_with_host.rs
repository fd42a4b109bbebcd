//! `package-image-with-host`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "package-image-with-host",
    severity: Severity::Error,
    summary: "a vendor's image that names a registry",
    explanation: "The row has `archives`, so the image comes in the vendor's package, and yet its reference \
                  names a registry. It can be only one of the two: what comes from the package must never be \
                  pulled.",
    check: None,
};
