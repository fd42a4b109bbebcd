//! The rules that look at a whole release, one a file, each with its code, its severity and what it is
//! for. A rule adds what it finds; it decides nothing and changes nothing.
//!
//! The rules about one value are where that is read, in [`crate::spec::rules`]; those about a Helm chart
//! are in [`chart`], and [`crate::chart`] applies them.

pub mod chart;
pub(crate) mod duplicate_name;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::image::ImageRef;
use crate::kubernetes::{Minor, Requirement};
use crate::spec::{self, Knowledge, Release};
use crate::spec::{Image, Located};

/// What a rule adds to the findings about a release.
type Check = fn(&Release, &Knowledge, &mut Vec<Diagnostic>);

macro_rules! rules {
    ($($name:ident)*) => {
        $(pub(crate) mod $name;)*

        /// The rules that look at a release, by code.
        const RULES: &[&Rule] = &[$(&$name::RULE),*];
        const CHECKS: &[Check] = &[$($name::check),*];
    };
}

rules! {
    conflicting_helm_key
    conflicting_image
    conflicting_setting
    disabled_with_image
    enabled_without_image
    flat_collision
    frozen_registry
    gap
    host_with_port
    needless_hole
    non_boolean_switch
    out_of_range
    overlap
    platform_hole
    scoped_collision
    shared_archive
    tag_mismatch
    unreachable
    upstream_minimum
}

/// An acknowledgement that has nothing to acknowledge.
pub const STALE_ACKNOWLEDGEMENT: Rule = Rule {
    code: "stale-acknowledgement",
    severity: Severity::Warning,
    summary: "an acknowledgement of a warning that there is not",
    explanation: "An `[[acknowledge]]` is about a warning that this spec does not have, or no longer \
                  has, or about a finding that `check-chart` does not have. Remove it, or correct \
                  it: each of its `subjects` has to be written as the note of the warning or finding \
                  writes it.",
};

/// An acknowledgement of what is no warning.
pub const UNKNOWN_RULE: Rule = Rule {
    code: "unknown-rule",
    severity: Severity::Error,
    summary: "an acknowledgement of no such warning",
    explanation: "An `[[acknowledge]]` names a rule that does not exist, or one whose findings have \
                  to be fixed. Warnings can be acknowledged, and findings of `check-chart` that show \
                  a note on it.",
};

/// Every rule, by code; those about a chart come last.
#[must_use]
pub fn all() -> Vec<&'static Rule> {
    let own = [&STALE_ACKNOWLEDGEMENT, &UNKNOWN_RULE];
    let mut rules = [spec::rules::RULES, RULES, &own].concat();
    rules.sort_unstable_by_key(|rule| rule.code);
    // What a value shows, a look at the whole release may show too.
    rules.dedup_by_key(|rule| rule.code);
    rules.extend(chart::RULES);
    rules
}

/// What a spec can acknowledge: warnings, and what is wrong with a chart but does not break what is
/// generated for it. That an acknowledgement is stale is fixed, not accepted.
pub fn acknowledgeable() -> impl Iterator<Item = &'static Rule> {
    let breaks = [
        &chart::YAML,
        &chart::METADATA,
        &chart::GROUP,
        &chart::PART_OF_IMAGE,
    ]
    .map(|rule| rule.code);
    all().into_iter().filter(move |rule| {
        if is_about_charts(rule) {
            !breaks.contains(&rule.code)
        } else {
            rule.severity == Severity::Warning && rule.code != STALE_ACKNOWLEDGEMENT.code
        }
    })
}

/// Whether it is a rule about a chart.
#[must_use]
pub fn is_about_charts(rule: &Rule) -> bool {
    chart::RULES.iter().any(|other| other.code == rule.code)
}

/// The rule of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    all().into_iter().find(|rule| rule.code == code)
}

/// Adds what the rules find in a release.
pub fn check(release: &Release, knowledge: &Knowledge, found: &mut Vec<Diagnostic>) {
    for check in CHECKS {
        check(release, knowledge, found);
    }
}

/// Who has which supported minor, where each is to have one owner at most: the first that asks.
struct Owners<'r, T> {
    release: &'r Release,
    owners: BTreeMap<Minor, T>,
}

impl<'r, T: Copy> Owners<'r, T> {
    fn new(release: &'r Release) -> Self {
        let owners = BTreeMap::new();
        Self { release, owners }
    }

    /// Takes the minors of a requirement that nobody has. Of the others, gives the owner of the first
    /// one, and all that are taken.
    fn take(&mut self, requirement: Requirement, by: T) -> Option<(T, Vec<Minor>)> {
        let minors = self.release.kubernetes.minors();
        let mut taken = Vec::new();
        for minor in minors.filter(|minor| requirement.includes(*minor)) {
            match self.owners.get(&minor) {
                Some(_) => taken.push(minor),
                None => {
                    self.owners.insert(minor, by);
                }
            }
        }
        let owner = self.owners.get(taken.first()?)?;
        Some((*owner, taken))
    }
}

/// `1.16, 1.17`
fn list(minors: &[Minor]) -> String {
    let names: Vec<_> = minors.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The requirement of every row, each with the name of its component.
fn requirements(release: &Release) -> impl Iterator<Item = (&str, &Located<Requirement>)> {
    let rows = release.rows();
    rows.map(|(component, image)| (component.name.value.as_str(), &image.kubernetes))
}

/// The supported minors that one of some rows is for, ascending.
fn met<'i>(release: &Release, rows: impl IntoIterator<Item = &'i Image>) -> Vec<Minor> {
    let rows: Vec<_> = rows.into_iter().collect();
    let is_met = |minor: &Minor| {
        rows.iter()
            .any(|image| image.kubernetes.value.includes(*minor))
    };
    release.kubernetes.minors().filter(is_met).collect()
}

/// The rows of registry images by the registry's host, in the table's order.
fn by_host(release: &Release) -> BTreeMap<&str, Vec<&Image>> {
    let mut hosts: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for (_, image) in release.rows() {
        if let Some(host) = image.reference.value.host() {
            hosts.entry(host).or_default().push(image);
        }
    }
    hosts
}

/// Places in a mirror that a later row shares with an earlier one of another image.
fn collisions(
    release: &Release,
    place: impl Fn(&ImageRef) -> String,
) -> Vec<(String, &Image, &Image)> {
    let mut places: BTreeMap<String, &Image> = BTreeMap::new();
    let mut found = Vec::new();
    for (_, image) in release.rows() {
        let place = place(&image.reference.value);
        match places.get(&place) {
            Some(earlier) if earlier.reference.value != image.reference.value => {
                found.push((place, *earlier, image));
            }
            Some(_) => {}
            None => {
                places.insert(place, image);
            }
        }
    }
    found
}
