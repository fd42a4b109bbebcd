//! Specs -> valid releases: what was read, judged by the rules, less what is acknowledged.
//!
//! This module decides nothing about a value or a table: the reader and the rules do. It puts them
//! together, and knows which findings somebody has looked at.

use std::mem;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Rule};
use crate::rules;
use crate::spec::model::{Acknowledgement, Located, Note};
use crate::spec::{Knowledge, Release, Spec, load as reader};

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
    for spec in &mut specs {
        let read = (spec.outcome.take(), mem::take(&mut spec.findings));
        (spec.outcome, spec.findings) = judge(read, &knowledge);
    }
    Ok(specs)
}

/// Validates one spec's text. `product` and `release` are what its path says. Gives the release if
/// there is no error, and every error and every warning that is not acknowledged.
#[must_use]
pub fn check(
    text: &str,
    product: &str,
    release: &str,
    knowledge: &Knowledge,
) -> (Option<Release>, Vec<Diagnostic>) {
    judge(reader::read(text, product, release), knowledge)
}

fn judge(
    (release, mut found): (Option<Release>, Vec<Diagnostic>),
    knowledge: &Knowledge,
) -> (Option<Release>, Vec<Diagnostic>) {
    let Some(mut release) = release else {
        return (None, found);
    };
    rules::check(&release, knowledge, &mut found);
    release.notes = acknowledge(&release, &mut found);
    let refused = found.iter().any(Diagnostic::is_error);
    ((!refused).then_some(release), found)
}

/// Takes what is acknowledged out of the findings about a release, and gives it as notes for the pages;
/// adds what is wrong with the acknowledgements.
fn acknowledge(release: &Release, found: &mut Vec<Diagnostic>) -> Vec<Note> {
    let mut notes = Vec::new();
    for acknowledgement in &release.acknowledgements {
        let Some(rule) = rule(acknowledgement) else {
            found.push(unknown(acknowledgement));
            continue;
        };
        let mut subjects = Vec::new();
        for subject in &acknowledgement.subjects {
            if rules::is_about_charts(rule) {
                // Whether it is stale is seen with the chart at hand, which is one for all minors.
                subjects.push((subject.value.clone(), release.kubernetes.minors().collect()));
                continue;
            }
            let meant = take(rule, &subject.value, found);
            if !meant.is_empty() {
                let minors = meant.into_iter().flat_map(|finding| finding.minors);
                subjects.push((subject.value.clone(), minors.collect()));
            } else if release.is_whole {
                found.push(stale(rule, subject));
            }
        }
        notes.push(Note {
            subjects,
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
