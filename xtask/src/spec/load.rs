//! Reads spec files. The only module that reads `spec/`.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::knowledge::Knowledge;
use super::model::Release;
use super::{lower, raw};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::rules;
use crate::text::is_invisible;

/// The largest spec that is read: a hundred times as large as a real one.
const MOST_BYTES: u64 = 1 << 20;
/// Findings of the reader that are shown of one file; a file with more is not a spec at all.
const MOST_FINDINGS: usize = 100;

/// The file of facts about registries and upstream images, in the folder of the specs.
const KNOWLEDGE: &str = "knowledge.toml";

/// One spec file: where it is, what there is to say about it, and the release if it is valid.
#[derive(Debug)]
pub struct Spec {
    /// The product that the file's path names.
    pub product: String,
    /// The release that the file's path names.
    pub release: String,
    /// The file.
    pub source: Source,
    /// The release that it describes; none if a finding is an error.
    pub outcome: Option<Release>,
    /// Every error, and every warning that is not acknowledged.
    pub findings: Vec<Diagnostic>,
}

/// Reads every `<product>/<release>.toml` in a folder, by product and release.
///
/// # Errors
/// When the folder or a file cannot be read, a file is not UTF-8, or the knowledge is malformed;
/// never for what a spec says, which is its `findings`.
pub fn load(folder: &Path) -> Result<Vec<Spec>, String> {
    let knowledge = knowledge(&folder.join(KNOWLEDGE))?;
    let mut specs = Vec::new();
    let files = walkdir::WalkDir::new(folder)
        .min_depth(2)
        .max_depth(2)
        .sort_by_file_name();
    for file in files {
        let file = file.map_err(|error| format!("cannot read the specs: {error}"))?;
        let path = file.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = |part: Option<&std::ffi::OsStr>| {
            part.and_then(|part| part.to_str())
                .map(str::to_owned)
                .ok_or_else(|| {
                    format!(
                        "the path of the spec {} is not UTF-8; rename it",
                        path.display()
                    )
                })
        };
        let product = name(path.parent().and_then(Path::file_name))?;
        let release = name(path.file_stem())?;
        let source = read(path)?;
        let (outcome, findings) = check(&source.text, &product, &release, &knowledge);
        specs.push(Spec {
            product,
            release,
            source,
            outcome,
            findings,
        });
    }
    if specs.is_empty() {
        return Err(format!(
            "there is no spec in {}; a spec is a file PRODUCT/RELEASE.toml in it",
            folder.display()
        ));
    }
    Ok(specs)
}

fn read(path: &Path) -> Result<Source, String> {
    let shown = path.display();
    let failed = |error| format!("cannot read the spec {shown}: {error}");
    let meta = std::fs::metadata(path).map_err(failed)?;
    // A pipe would have us wait for its other end.
    if !meta.is_file() {
        return Err(format!("the spec {shown} is no file; move or delete it"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(failed)? as u64 > MOST_BYTES {
        return Err(format!(
            "the spec {shown} is larger than {MOST_BYTES} bytes; a table of images is not"
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("the spec {shown} is not UTF-8 at byte {at}; save it as UTF-8")
    })?;
    Ok(Source {
        path: shown.to_string(),
        text,
    })
}

/// The facts beside the specs; none where there is no such file.
fn knowledge(path: &Path) -> Result<Knowledge, String> {
    if !path.exists() {
        return Ok(Knowledge::default());
    }
    let source = read(path)?;
    Knowledge::parse(&source.text).map_err(|error| {
        let shown = diagnostic::render(&source, &[finding(&error, &source.text)]);
        format!("the knowledge is malformed\n{}", shown.trim_end())
    })
}

/// Reads one spec's text. `product` and `release` are what its path says. Gives the release if
/// there is no error, and every error and every warning that is not acknowledged.
#[must_use]
pub fn check(
    text: &str,
    product: &str,
    release: &str,
    knowledge: &Knowledge,
) -> (Option<Release>, Vec<Diagnostic>) {
    let Parsed {
        raw,
        mut findings,
        removed,
    } = parse(text);
    let Some(raw) = raw else {
        return (None, findings);
    };
    let (release, more) = lower::lower(raw, product, release, removed);
    findings.extend(more);
    let Some(mut release) = release else {
        return (None, findings);
    };
    let whole = !findings.iter().any(Diagnostic::is_error);
    (findings, release.notes) = rules::check(&release, whole, knowledge, findings);
    let refused = findings.iter().any(Diagnostic::is_error);
    ((!refused).then_some(release), findings)
}

/// A raw release as far as it could be read.
struct Parsed {
    raw: Option<raw::Release>,
    findings: Vec<Diagnostic>,
    /// The keys that were taken out because of a finding.
    removed: HashSet<String>,
}

/// Reads TOML into a raw release, with all that is wrong with its syntax, or else with its keys
/// and types.
fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed {
        raw: None,
        findings: Vec::new(),
        removed: HashSet::new(),
    };
    // Such a file is not what a review of it shows, whatever else may be wrong with it.
    parsed.findings = hidden(text).take(MOST_FINDINGS).collect();
    if !parsed.findings.is_empty() {
        return parsed;
    }
    if let Ok(raw) = toml::from_str(text) {
        parsed.raw = Some(raw);
        return parsed;
    }
    let (mut table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered has holes; findings about those would only repeat the first ones. So
        // do the other errors of a line.
        let mut findings: Vec<_> = errors.iter().map(|error| finding(error, text)).collect();
        findings.sort_by_key(|finding| finding.span.start);
        findings.dedup_by(|later, first| {
            let between = &text.as_bytes()[first.span.start..later.span.start];
            !between.contains(&b'\n')
        });
        findings.truncate(MOST_FINDINGS);
        parsed.findings = findings;
        return parsed;
    }
    // Serde stops at the first wrong key; taking that key out and reading again shows the next.
    while parsed.findings.len() < MOST_FINDINGS {
        let error = match serde::Deserialize::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(raw) => {
                parsed.raw = Some(raw);
                break;
            }
            Err(error) => error,
        };
        parsed.findings.push(finding(&error, text));
        match error.span().and_then(|span| remove(table.get_mut(), &span)) {
            Some(key) => parsed.removed.insert(key),
            None => break,
        };
    }
    parsed
}

/// The characters of a file that nobody sees, in its comments too; line ends and tabs aside.
fn hidden(text: &str) -> impl Iterator<Item = Diagnostic> {
    let odd = text.char_indices().filter(|(at, c)| match c {
        '\n' | '\t' => false,
        '\r' => !text[at + 1..].starts_with('\n'),
        _ => is_invisible(*c),
    });
    odd.map(|(at, c)| {
        Diagnostic::new(
            &rules::control_character::RULE,
            at..at + c.len_utf8(),
            format!("the file has the character {}", c.escape_unicode()),
            "here",
            "remove the character: it can make the file show other than it is",
        )
    })
}

fn finding(error: &toml::de::Error, text: &str) -> Diagnostic {
    let message = error.message();
    let (rule, label, help) = match message.split_once(", expected ") {
        Some((unknown, expected)) if unknown.starts_with("unknown field") => (
            &rules::unknown_key::RULE,
            "no such key here".to_owned(),
            format!(
                "the keys here are {}",
                expected.trim_start_matches("one of ")
            ),
        ),
        Some((wrong, expected)) if wrong.starts_with("invalid type") => (
            &rules::wrong_type::RULE,
            "a value of another type".to_owned(),
            format!("write {expected}"),
        ),
        _ => (
            &rules::invalid_toml::RULE,
            "here".to_owned(),
            "correct the TOML (https://toml.io)".to_owned(),
        ),
    };
    let title = match message.split_once(", expected ") {
        Some((unknown, _)) if rule.code == rules::unknown_key::RULE.code => {
            unknown.replace("field", "key")
        }
        _ => message.replace('\n', "; "),
    };
    let span = error.span().unwrap_or(0..0);
    Diagnostic::new(
        rule,
        span.start.min(text.len())..span.end.min(text.len()),
        title,
        label,
        help,
    )
}

/// Takes the key or value at a place out of a table; gives the name of its key.
fn remove(table: &mut DeTable<'_>, place: &Range<usize>) -> Option<String> {
    let here = table
        .iter()
        .find(|(key, value)| key.span() == *place || value.span() == *place)
        .map(|(key, _)| key.clone());
    match here {
        Some(key) => table.remove(&key).map(|_| key.into_inner().into_owned()),
        None => table
            .iter_mut()
            .find_map(|(key, value)| remove_inside(key.get_ref(), value, place)),
    }
}

fn remove_inside(
    key: &str,
    value: &mut Spanned<DeValue<'_>>,
    place: &Range<usize>,
) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => remove(table, place),
        DeValue::Array(array) => match array.iter().position(|entry| entry.span() == *place) {
            Some(index) => {
                let entries = std::mem::replace(array, DeArray::new())
                    .into_iter()
                    .enumerate();
                *array = entries
                    .filter(|(at, _)| *at != index)
                    .map(|(_, entry)| entry)
                    .collect();
                Some(key.to_owned())
            }
            None => array
                .iter_mut()
                .find_map(|entry| remove_inside(key, entry, place)),
        },
        _ => None,
    }
}
