//! `missing-default`, found while a spec is read.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "missing-default",
    severity: Severity::Error,
    summary: "a switch whose default nobody gave",
    explanation: "A component depends on a Helm value, and `chart.defaults` does not say what the chart sets \
                  it to. Without that nobody can tell whether the component runs when the values say nothing.",
    check: None,
};
