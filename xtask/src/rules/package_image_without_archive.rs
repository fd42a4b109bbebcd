//! `package-image-without-archive`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "package-image-without-archive",
    severity: Severity::Error,
    summary: "a vendor's image without archive names",
    explanation: "The image looks like one of the vendor's package: it has a short name and the release's own \
                  version as its tag. Then the spec has to say what its archive is called for each \
                  architecture, or the scripts cannot find it.",
    check: None,
};
