//! `stale-acknowledgement`.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "stale-acknowledgement",
    severity: Severity::Warning,
    summary: "an acknowledgement of a warning that there is not",
    explanation: "An `[[acknowledge]]` is about a warning that this spec does not have, or no longer has. Its \
                  reason is on no page. Remove it, or correct it: each of its `subjects` has to be written as \
                  the warning writes it.",
    // Compares the acknowledgements with what all the others have found, in `super::check`.
    check: None,
};
