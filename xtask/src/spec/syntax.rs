//! The syntax of a spec's files: TOML -> raw tables, with every wrong key and value in one run.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::reader::Removed;
use super::rules;
use crate::diagnostic::{Diagnostic, Span};
use crate::suggest::did_you_mean;
use crate::text::hidden;

/// Findings of the reader that are shown of one file; a file with more is not a spec at all.
const MOST_FINDINGS: usize = 100;
/// What the TOML reader says of a key that is there twice.
const TWICE: &str = "duplicate key";
/// The levels to which a value may be nested, and so may a header.
const MOST_LEVELS: usize = 16;

/// A file as far as it could be read.
pub struct Parsed<T> {
    /// What it says; none if it could not be read at all.
    pub raw: Option<T>,
    /// What is wrong with its syntax, or else with its keys and types.
    pub found: Vec<Diagnostic>,
    /// The keys that were taken out because of a finding.
    pub removed: HashSet<Removed>,
}

/// Reads a file's TOML. Every place in the result is `base` behind that in the text: where the text
/// starts among the files that are read together.
pub fn parse<T: DeserializeOwned>(text: &str, base: usize) -> Parsed<T> {
    let moved = |mut finding: Diagnostic| {
        finding.span = finding.span.start + base..finding.span.end + base;
        finding
    };
    let mut parsed = Parsed {
        raw: None,
        found: unlike_text(text),
        removed: HashSet::new(),
    };
    if !parsed.found.is_empty() {
        parsed.found = parsed.found.into_iter().map(moved).collect();
        return parsed;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered has holes; findings about those would only repeat the first ones. So
        // do the other errors of a line.
        let mut findings: Vec<_> = errors
            .iter()
            .map(|error| finding(error, 0..text.len()))
            .collect();
        findings.sort_by_key(|finding| finding.span.start);
        for finding in findings.iter_mut().filter(|finding| finding.title == TWICE) {
            let key = text.get(finding.span.clone()).unwrap_or_default();
            finding.title = format!("the key `{key}` is there twice");
            "again here".clone_into(&mut finding.label);
            "rename or remove one of the two".clone_into(&mut finding.help);
        }
        findings.dedup_by(|later, first| {
            let between = &text[first.span.start..later.span.start];
            // Of a table that is there twice, so is all that is in it.
            let of_table = later.label == first.label && !between.contains("\n[");
            !between.contains('\n') || (of_table && later.label == "again here")
        });
        parsed.found = first(findings).into_iter().map(moved).collect();
        return parsed;
    }
    let mut table = Spanned::new(base..base, shifted(table.into_inner(), base));
    // Serde stops at the first wrong key; taking that key out and reading again shows the next.
    while parsed.found.len() <= MOST_FINDINGS {
        let error = match T::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(raw) => {
                parsed.raw = Some(raw);
                break;
            }
            Err(error) => error,
        };
        parsed.found.push(finding(&error, base..base + text.len()));
        let place = error.span();
        match place.and_then(|place| remove(table.get_mut(), &(base..base), &place)) {
            Some(key) => parsed.removed.insert(key),
            None => break,
        };
    }
    parsed.found = first(parsed.found);
    parsed
}

/// A table with all its places moved.
fn shifted(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let moved = |span: Span| span.start + by..span.end + by;
    table
        .into_iter()
        .map(|(key, value)| {
            let key = Spanned::new(moved(key.span()), key.into_inner());
            (key, shifted_value(value, by))
        })
        .collect()
}

fn shifted_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span().start + by..value.span().end + by;
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shifted(table, by)),
        DeValue::Array(array) => {
            let entries = array.into_iter().map(|entry| shifted_value(entry, by));
            DeValue::Array(entries.collect())
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

/// The findings that are shown of a file, of which the last one says if there are more.
fn first(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if findings.len() > MOST_FINDINGS {
        findings.truncate(MOST_FINDINGS);
        let place = findings.last().map_or(0..0, |last| last.span.clone());
        findings.push(Diagnostic::new(
            &rules::TOO_LONG,
            place,
            format!("the file has more than {MOST_FINDINGS} errors"),
            "the last one that is shown",
            "correct these, then look for more",
        ));
    }
    findings
}

/// The first place that is nested deeper than any spec. A reader goes one level down for each bracket,
/// and for each dot of a key.
fn too_deep(text: &str) -> Option<Diagnostic> {
    // The levels around each open bracket, and those of the key or header that is being read.
    let mut around = Vec::new();
    let mut levels = 0;
    for token in toml_parser::Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => levels += 1,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                around.push(levels);
                levels += 1;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                levels = around.pop().unwrap_or(0);
            }
            TokenKind::Comma | TokenKind::Newline => {
                levels = around.last().map_or(0, |outside| outside + 1);
            }
            _ => {}
        }
        if levels > MOST_LEVELS {
            return Some(Diagnostic::new(
                &rules::TOO_LONG,
                token.span().start()..token.span().end(),
                format!("a value is nested more than {MOST_LEVELS} levels deep"),
                "one level more",
                "no key of a spec is so deep",
            ));
        }
    }
    None
}

/// What no file of TOML may be, whatever it says.
pub fn unlike_text(text: &str) -> Vec<Diagnostic> {
    // Such a file is not what a review of it shows.
    let hidden = hidden(text).take(MOST_FINDINGS + 1).map(|(at, c)| {
        Diagnostic::new(
            &rules::CONTROL_CHARACTER,
            at..at + c.len_utf8(),
            format!("the file has the character {}", c.escape_unicode()),
            "here",
            "remove the character: it can make the file show other than it is",
        )
    });
    let mut findings = first(hidden.collect());
    // Whoever reads it deeper than this may run out of stack.
    findings.extend(too_deep(text));
    findings
}

/// What an error of the TOML reader says. `file` is where the file is.
pub fn finding(error: &toml::de::Error, file: Span) -> Diagnostic {
    let message = error.message();
    if message.contains("$__toml_private_datetime") {
        let span = error.span().unwrap_or(file.start..file.start);
        return Diagnostic::new(
            &rules::WRONG_TYPE,
            span,
            "a date or a time has no place in a spec",
            "a value of another type",
            "write it as a string, in quotes",
        );
    }
    let (rule, label, help) = match message.split_once(", expected ") {
        Some((unknown, expected)) if unknown.starts_with("unknown field") => (
            &rules::UNKNOWN_KEY,
            "no such key here".to_owned(),
            keys_instead(unknown, expected.trim_start_matches("one of ")),
        ),
        Some((wrong, expected)) if wrong.starts_with("invalid type") => (
            &rules::WRONG_TYPE,
            "a value of another type".to_owned(),
            format!("write {}", expected.replace("a sequence", "a list")),
        ),
        Some((wrong, expected)) if wrong.starts_with("unknown variant") => (
            &rules::WRONG_TYPE,
            "another value".to_owned(),
            format!(
                "write {}",
                expected.replace("one of ", "").replace('`', "\"")
            ),
        ),
        _ => (
            &rules::INVALID_TOML,
            "here".to_owned(),
            "correct the TOML (https://toml.io)".to_owned(),
        ),
    };
    let title = match message.split_once(", expected ") {
        Some((unknown, _)) if rule.code == rules::UNKNOWN_KEY.code => {
            unknown.replacen("field", "key", 1)
        }
        _ => message.replace('\n', "; "),
    };
    let span = error.span().unwrap_or(file.start..file.start);
    Diagnostic::new(
        rule,
        span.start.min(file.end)..span.end.min(file.end),
        title,
        label,
        help,
    )
}

/// The keys that may stand in the place of an unknown one, the likely one first.
fn keys_instead(unknown: &str, expected: &str) -> String {
    let unknown = unknown.split('`').nth(1).unwrap_or_default();
    let known = expected.split('`').skip(1).step_by(2);
    match did_you_mean(unknown, known.map(str::to_owned)) {
        Some(question) => format!("{question} (the keys here are {expected})"),
        None => format!("the keys here are {expected}"),
    }
}

/// Takes the key or value at a place out of a table, whose own place is given too; gives the key.
fn remove(table: &mut DeTable<'_>, owner: &Span, place: &Span) -> Option<Removed> {
    let here = table
        .iter()
        .find(|(key, value)| key.span() == *place || value.span() == *place)
        .map(|(key, _)| key.clone());
    match here {
        Some(key) => {
            table.remove(&key)?;
            Some((key.into_inner().into_owned(), owner.clone()))
        }
        None => table.iter_mut().find_map(|(key, value)| {
            let key = (key.get_ref().to_string(), owner.clone());
            remove_inside(&key, value, place)
        }),
    }
}

fn remove_inside(key: &Removed, value: &mut Spanned<DeValue<'_>>, place: &Span) -> Option<Removed> {
    let here = value.span();
    match value.get_mut() {
        DeValue::Table(table) => remove(table, &here, place),
        DeValue::Array(array) => match array.iter().position(|entry| entry.span() == *place) {
            Some(index) => {
                let entries = std::mem::replace(array, DeArray::new())
                    .into_iter()
                    .enumerate();
                *array = entries
                    .filter(|(at, _)| *at != index)
                    .map(|(_, entry)| entry)
                    .collect();
                Some(key.clone())
            }
            None => array
                .iter_mut()
                .find_map(|entry| remove_inside(key, entry, place)),
        },
        _ => None,
    }
}
