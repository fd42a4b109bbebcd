//! What makes a whole table refused: rules that look at several rows.
//!
//! One rule a file, all in [`RULES`]. A rule sees a valid [`Release`] and adds what it finds; it
//! decides nothing and changes nothing.

mod duplicate;
mod gap;
mod helm_key;
mod overlap;
mod unreachable;

use crate::diagnostic::Diagnostic;
use crate::spec::Release;

/// A check over a release that adds its findings to the list.
type Rule = fn(&Release, &mut Vec<Diagnostic>);

const RULES: &[Rule] = &[
    duplicate::check,
    gap::check,
    helm_key::check,
    overlap::check,
    unreachable::check,
];

/// All findings of all rules.
#[must_use]
pub fn check(release: &Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in RULES {
        rule(release, &mut found);
    }
    found
}
