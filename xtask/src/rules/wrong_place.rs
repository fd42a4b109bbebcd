//! `wrong-place`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "wrong-place",
    severity: Severity::Error,
    summary: "a file that is not where its keys say",
    explanation: "A spec lies in `spec/<product>/<release>.toml`, and its keys `product` and `release` say the \
                  same. The generated files are put into folders of these names, so a copied file that was not \
                  changed inside would overwrite those of another release.",
    check: None,
};
