//! What makes a spec refused or doubted: every rule with its code, its severity and what it is for.
//!
//! One rule a file, all in [`RULES`]. A rule with a check looks at a whole release and adds what it
//! finds; it decides nothing and changes nothing. A rule without one is applied where a single
//! value is read, in [`crate::spec`]. The rules about a Helm chart are in [`chart`];
//! [`crate::chart`] applies them.

pub mod chart;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::image::ImageRef;
use crate::kubernetes::{Minor, Requirement};
use crate::spec::model::{Acknowledgement, Image, Located, Note};
use crate::spec::{Knowledge, Release};

/// A kind of finding.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name, in kebab-case.
    pub code: &'static str,
    /// Whether it refuses a spec.
    pub severity: Severity,
    /// What is found, in a few words.
    pub summary: &'static str,
    /// What is wrong and why that matters, as a paragraph.
    pub explanation: &'static str,
    /// Adds what it finds in a release.
    pub check: Option<fn(&Release, &Knowledge, &mut Vec<Diagnostic>)>,
}

/// What a finding does to a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The spec is refused.
    Error,
    /// The spec is taken, and somebody should look; it can be acknowledged.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! rules {
    ($($name:ident)*) => {
        $(pub(crate) mod $name;)*

        /// Every rule, by code.
        pub const RULES: &[&Rule] = &[$(&$name::RULE),*];
    };
}

rules! {
    conflicting_helm_key
    conflicting_image
    conflicting_setting
    control_character
    disabled_with_image
    duplicate_name
    empty_list
    enabled_without_image
    flat_collision
    frozen_registry
    gap
    host_with_port
    invalid_toml
    latest_tag
    malformed_helm_key
    malformed_name
    malformed_range
    malformed_reference
    malformed_requirement
    missing_default
    missing_key
    missing_package
    missing_translation
    needless_architectures
    needless_hole
    non_boolean_switch
    out_of_range
    overlap
    package_image_with_host
    package_image_without_archive
    placeholder
    platform_hole
    reference_by_digest
    reference_without_tag
    requirement_typo
    same_translation
    scoped_collision
    shared_archive
    short_name
    stale_acknowledgement
    tag_mismatch
    too_long
    unknown_architecture
    unknown_key
    unknown_rule
    unknown_workload
    unreachable
    unsupported_schema
    upper_case_host
    upstream_minimum
    wrong_place
    wrong_type
}

/// Every rule, those about a chart included.
pub fn all() -> impl Iterator<Item = &'static Rule> + Clone {
    RULES.iter().chain(chart::RULES).copied()
}

/// What a spec can acknowledge: warnings, and what is wrong with a chart but does not break what is
/// generated for it. That an acknowledgement is stale is fixed, not accepted.
pub fn acknowledgeable() -> impl Iterator<Item = &'static Rule> {
    let breaks = [&chart::YAML, &chart::METADATA, &chart::GROUP].map(|rule| rule.code);
    all().filter(move |rule| {
        if is_about_charts(rule) {
            !breaks.contains(&rule.code)
        } else {
            rule.severity == Severity::Warning && rule.code != stale_acknowledgement::RULE.code
        }
    })
}

fn is_about_charts(rule: &Rule) -> bool {
    chart::RULES.iter().any(|other| other.code == rule.code)
}

/// The rule of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code == code)
}

/// Adds what the rules find in a release to what reading it has found; gives what then has to be
/// shown, and what is acknowledged as notes for the pages.
#[must_use]
pub fn check(
    release: &Release,
    knowledge: &Knowledge,
    mut found: Vec<Diagnostic>,
) -> (Vec<Diagnostic>, Vec<Note>) {
    for check in RULES.iter().filter_map(|rule| rule.check) {
        check(release, knowledge, &mut found);
    }
    let mut notes = Vec::new();
    for acknowledgement in &release.acknowledgements {
        let mut subjects = Vec::new();
        for subject in &acknowledgement.subjects {
            if is_about_charts(acknowledgement.rule) {
                // Whether it is stale is seen with the chart at hand, which is one for all minors.
                subjects.push((subject.value.clone(), release.kubernetes.minors().collect()));
                continue;
            }
            let meant = take(acknowledgement, &subject.value, &mut found);
            if !meant.is_empty() {
                let minors = meant.into_iter().flat_map(|finding| finding.minors);
                subjects.push((subject.value.clone(), minors.collect()));
            } else if release.is_whole {
                found.push(stale(acknowledgement, subject));
            }
        }
        notes.push(Note {
            subjects,
            reason: acknowledgement.reason.clone(),
        });
    }
    (found, notes)
}

/// Takes what is acknowledged out of the findings about a chart, which are of several files; gives
/// the acknowledgements of what was not found.
pub fn acknowledge_chart(release: &Release, found: &mut [&mut Vec<Diagnostic>]) -> Vec<Diagnostic> {
    let mut all_stale = Vec::new();
    let acknowledgements = release.acknowledgements.iter();
    for acknowledgement in acknowledgements.filter(|one| is_about_charts(one.rule)) {
        for subject in &acknowledgement.subjects {
            let mut meant = 0;
            for found in &mut *found {
                meant += take(acknowledgement, &subject.value, found).len();
            }
            if meant == 0 {
                all_stale.push(stale(acknowledgement, subject));
            }
        }
    }
    all_stale
}

/// Takes what an acknowledgement means by one of its subjects out of what was found.
fn take(
    acknowledgement: &Acknowledgement,
    subject: &str,
    found: &mut Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let code = acknowledgement.rule.code;
    let is_meant =
        |finding: &mut Diagnostic| finding.rule.code == code && finding.subject == subject;
    found.extract_if(.., is_meant).collect()
}

fn stale(acknowledgement: &Acknowledgement, subject: &Located<String>) -> Diagnostic {
    let code = acknowledgement.rule.code;
    let finding = if is_about_charts(acknowledgement.rule) {
        "finding"
    } else {
        "warning"
    };
    Diagnostic::new(
        &stale_acknowledgement::RULE,
        subject.span.clone(),
        format!("there is no {finding} `{code}` about {:?}", subject.value),
        "acknowledged here",
        format!("remove it, or write what the {finding} is about as its note writes it"),
    )
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

/// Every requirement of a release, each with the name of what it is on.
fn requirements(release: &Release) -> impl Iterator<Item = (&str, &Located<Requirement>)> {
    let components = release.components.iter().flat_map(|component| {
        let rows = component.images.iter().map(|image| &image.kubernetes);
        let holes = component.holes.iter().map(|hole| &hole.kubernetes);
        let name = component.name.value.as_str();
        rows.chain(holes)
            .map(move |requirement| (name, requirement))
    });
    let settings = release
        .settings
        .iter()
        .map(|setting| (setting.key.value.as_str(), &setting.kubernetes));
    let steps = release
        .steps
        .iter()
        .map(|step| (step.remove.as_str(), &step.kubernetes));
    components.chain(settings).chain(steps)
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
