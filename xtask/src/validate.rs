//! Specs -> valid releases: what was read, judged by the rules, less what is acknowledged.
//!
//! This module decides nothing about a value or a table: the reader and the rules do. It puts them
//! together, and knows which findings somebody has looked at.

use std::collections::{BTreeSet, HashSet};
use std::mem;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Rule, Source};
use crate::rules;
use crate::spec::{Acknowledgement, Knowledge, Located, Note, Release, Spec, load as reader};

/// Reads and validates every spec in a folder, by product and release.
///
/// # Errors
/// When the folder or a file cannot be read, or the knowledge is malformed; never for what is in a
/// spec, which is its `findings`.
pub fn load(folder: &Path) -> Result<Vec<Spec>, String> {
    let (source, knowledge) = reader::knowledge(folder)?;
    let found = rules::duplicate_name::in_knowledge(&knowledge);
    if !found.is_empty() {
        return Err(reader::malformed(&source, &found));
    }
    let mut specs = reader::specs(folder)?;
    for product in specs.chunk_by_mut(|a, b| a.product == b.product) {
        validate(product, &knowledge);
    }
    Ok(specs)
}

/// Validates the releases of a product from the texts of its file and of theirs, each with the name that
/// its path says. Gives what [`load`] gives of such files.
#[must_use]
pub fn check(
    (name, product): (&str, &Source),
    releases: &[(&str, &Source)],
    knowledge: &Knowledge,
) -> Vec<Spec> {
    let read = |(release, text): &(&str, &Source)| {
        let source = product.clone().with((*text).clone());
        let read = reader::read(&source, name, release);
        Spec {
            product: name.to_owned(),
            release: (*release).to_owned(),
            source,
            outcome: read.release,
            findings: read.found,
            used: read.used,
            unused: read.unused,
        }
    };
    let mut specs: Vec<_> = releases.iter().map(read).collect();
    validate(&mut specs, knowledge);
    specs
}

/// Judges the releases of a product.
fn validate(specs: &mut [Spec], knowledge: &Knowledge) {
    for spec in &mut *specs {
        judge(spec, knowledge);
    }
    settle(specs);
}

fn judge(spec: &mut Spec, knowledge: &Knowledge) {
    let Some(mut release) = spec.outcome.take() else {
        return;
    };
    rules::check(&release, knowledge, &mut spec.findings);
    let notes = acknowledge(&release, spec);
    release.notes.extend(notes);
    spec.outcome = Some(release);
}

/// Says of a product what none of its releases uses. Leaves the releases without an error.
fn settle(specs: &mut [Spec]) {
    let used: BTreeSet<_> = specs.iter().flat_map(|spec| spec.used.clone()).collect();
    // Of a release that was refused nobody knows what it would have used.
    let is_whole = |spec: &Spec| {
        spec.outcome
            .as_ref()
            .is_some_and(|release| release.is_whole)
    };
    let are_whole = specs.iter().all(is_whole);
    for spec in specs {
        if are_whole {
            let unused = mem::take(&mut spec.unused).into_iter();
            let unused = unused.filter(|finding| !used.contains(&finding.span.start));
            let unused: Vec<_> = unused.collect();
            // What no release uses, this one does not.
            let places: HashSet<_> = unused.iter().map(|finding| finding.span.start).collect();
            let is_stale = |finding: &Diagnostic| {
                finding.rule.code == rules::STALE_ACKNOWLEDGEMENT.code
                    && places.contains(&finding.span.start)
            };
            spec.findings.retain(|finding| !is_stale(finding));
            spec.findings.extend(unused);
        }
        if spec.findings.iter().any(Diagnostic::is_error) {
            spec.outcome = None;
        }
        let mut said = HashSet::new();
        spec.findings.retain(|finding| {
            said.insert((
                finding.rule.code,
                finding.span.clone(),
                finding.title.clone(),
            ))
        });
    }
}

/// Leaves of the findings in a product's file, which each of its releases has, those of the first of
/// these releases. It is for those that are shown: of a selection the first one may be any.
pub fn say_once(specs: &mut [Spec]) {
    let mut said = HashSet::new();
    for spec in specs {
        let (product, source) = (&spec.product, &spec.source);
        spec.findings.retain(|finding| {
            let place = (
                finding.rule.code,
                finding.span.clone(),
                finding.title.clone(),
            );
            source.is_last(&finding.span) || said.insert((product.clone(), place))
        });
    }
}

/// Takes what is acknowledged out of the findings about a release, and gives it as notes for the pages;
/// adds what is wrong with the acknowledgements.
fn acknowledge(release: &Release, spec: &mut Spec) -> Vec<Note> {
    let mut notes = Vec::new();
    for acknowledgement in &release.acknowledgements {
        let Some(rule) = rule(acknowledgement) else {
            spec.findings.push(unknown(acknowledgement));
            continue;
        };
        let mut subjects = Vec::new();
        for subject in &acknowledgement.subjects {
            if rules::is_about_charts(rule) {
                // Whether it is stale is seen with the chart at hand, which is one for all minors.
                subjects.push((subject.value.clone(), release.kubernetes.minors().collect()));
                continue;
            }
            let meant = take(rule, &subject.value, &mut spec.findings);
            spec.unused.push(stale(rule, subject));
            if !meant.is_empty() {
                spec.used.insert(subject.span.start);
                let minors = meant.into_iter().flat_map(|finding| finding.minors);
                // Behind a blank a subject says what exactly was looked at.
                let about = subject.value.split(' ').next().unwrap_or_default();
                subjects.push((about.to_owned(), minors.collect()));
            }
        }
        // An entry says by its `since` and `before` for which releases it is.
        let first = acknowledgement.subjects.first();
        if let Some(subject) = first.filter(|_| subjects.is_empty() && release.is_whole) {
            let nothing = Diagnostic {
                title: format!(
                    "the release {} has no warning `{}` about any of these",
                    release.version, rule.code
                ),
                help: "narrow `since` and `before` of the entry".to_owned(),
                ..stale(rule, subject)
            };
            spec.findings.push(nothing);
        }
        notes.push(Note {
            subjects,
            broken: false,
            reason: acknowledgement.reason.clone(),
        });
    }
    notes
}

/// Takes what is acknowledged out of the findings about a chart, which are of several files; gives
/// the acknowledgements of what was not found.
pub fn acknowledge_chart(release: &Release, found: &mut [&mut Vec<Diagnostic>]) -> Vec<Diagnostic> {
    let mut all_stale = Vec::new();
    for acknowledgement in &release.acknowledgements {
        let Some(rule) = rule(acknowledgement).filter(|rule| rules::is_about_charts(rule)) else {
            continue;
        };
        for subject in &acknowledgement.subjects {
            let mut meant = 0;
            for found in &mut *found {
                meant += take(rule, &subject.value, found).len();
            }
            if meant == 0 {
                all_stale.push(stale(rule, subject));
            }
        }
    }
    all_stale
}

/// The rule whose findings are acknowledged, if they can be.
fn rule(acknowledgement: &Acknowledgement) -> Option<&'static Rule> {
    rules::acknowledgeable().find(|rule| rule.code == acknowledgement.rule.value)
}

fn unknown(acknowledgement: &Acknowledgement) -> Diagnostic {
    let Located { value: code, span } = &acknowledgement.rule;
    let wrong = match rules::find(code) {
        Some(_) => "cannot be acknowledged",
        None => "is no rule",
    };
    Diagnostic::new(
        &rules::UNKNOWN_RULE,
        span.clone(),
        format!("{code:?} {wrong}"),
        "here",
        "write the code of a warning, or of a finding that shows a note, as it is in brackets",
    )
}

/// Takes what is acknowledged by a rule and a subject out of what was found.
fn take(rule: &Rule, subject: &str, found: &mut Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_meant =
        |finding: &mut Diagnostic| finding.rule.code == rule.code && finding.subject == subject;
    found.extract_if(.., is_meant).collect()
}

fn stale(rule: &Rule, subject: &Located<String>) -> Diagnostic {
    let finding = if rules::is_about_charts(rule) {
        "finding"
    } else {
        "warning"
    };
    Diagnostic::new(
        &rules::STALE_ACKNOWLEDGEMENT,
        subject.span.clone(),
        format!(
            "there is no {finding} `{}` about {:?}",
            rule.code, subject.value
        ),
        "acknowledged here",
        format!("remove it, or write what the {finding} is about as its note writes it"),
    )
}
