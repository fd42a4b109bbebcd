//! `stale-acknowledgement`.

use super::{Rule, Severity};

pub const RULE: Rule = Rule {
    code: "stale-acknowledgement",
    severity: Severity::Warning,
    summary: "an acknowledgement of a warning that there is not",
    explanation: "An `[[acknowledge]]` is about a warning that this spec does not have, or no longer has, or \
                  about a finding that `check-chart` does not have. Remove it, or correct it: each of its \
                  `subjects` has to be written as the note of the warning or finding writes it.",
    // Compares the acknowledgements with what all the others have found, in `super`.
    check: None,
};
