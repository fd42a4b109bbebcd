//! Reads spec files. The only module that reads `spec/`.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::knowledge::Knowledge;
use super::lower::{self, Removed};
use super::model::Release;
use super::{raw, rules};
use crate::diagnostic::{self, Diagnostic, Source, Span};
use crate::read;
use crate::suggest::did_you_mean;
use crate::text::{hidden, version_order};

/// Findings of the reader that are shown of one file; a file with more is not a spec at all.
const MOST_FINDINGS: usize = 100;
/// The levels to which a value may be nested, and so may a header.
const MOST_LEVELS: usize = 16;

/// Files beside the specs that a refusal names.
const MOST_NAMED: usize = 10;

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
    /// The release that it describes; none if it could not be read, or was refused.
    pub outcome: Option<Release>,
    /// What was found; once the spec is validated, every error, and every warning that is not
    /// acknowledged.
    pub findings: Vec<Diagnostic>,
}

/// Reads every `<product>/<release>.toml` in a folder, by product and release.
///
/// # Errors
/// When the folder or a file cannot be read; never for what is in a spec, which is its `findings`.
pub fn specs(folder: &Path) -> Result<Vec<Spec>, String> {
    let mut specs = Vec::new();
    let mut strays = Vec::new();
    let files = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .max_depth(2)
        .follow_links(true)
        .sort_by_file_name();
    let is_note = |file: &walkdir::DirEntry| read::is_note(&file.file_name().to_string_lossy());
    for file in files.into_iter().filter_entry(|file| !is_note(file)) {
        let file = file.map_err(|error| format!("cannot read the specs: {error}"))?;
        let path = file.path();
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        match (file.depth(), file.file_type().is_dir()) {
            (1, true) => continue,
            (1, false) if file.file_name() == KNOWLEDGE => continue,
            (2, false) if is_toml => {}
            _ => {
                strays.push(format!("\n  {}", path.display()));
                continue;
            }
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
        let (source, unreadable) = source(path)?;
        let (outcome, findings) = match unreadable {
            Some(finding) => (None, vec![finding]),
            None => read(&source.text, &product, &release),
        };
        specs.push(Spec {
            product,
            release,
            source,
            outcome,
            findings,
        });
    }
    // Nothing else would read them, and whoever wrote them would not know.
    if !strays.is_empty() {
        let more = strays.len().saturating_sub(MOST_NAMED);
        strays.truncate(MOST_NAMED);
        if more > 0 {
            strays.push(format!("\n  ({more} more)"));
        }
        return Err(format!(
            "there is something beside the specs that nothing reads:{}\nhelp: a spec is a file \
             PRODUCT/RELEASE.toml in {}; move, rename or delete what is not, or make it a note, *.md",
            strays.concat(),
            folder.display()
        ));
    }
    specs.sort_by(|a, b| {
        let releases = || version_order(&a.release).cmp(&version_order(&b.release));
        a.product.cmp(&b.product).then_with(releases)
    });
    if specs.is_empty() {
        return Err(format!(
            "there is no spec in {}; a spec is a file PRODUCT/RELEASE.toml in it",
            folder.display()
        ));
    }
    Ok(specs)
}

/// A file's text, or as much of it as can be read and why that is not all.
fn source(path: &Path) -> Result<(Source, Option<Diagnostic>), String> {
    let finding =
        |rule, at: usize, title: String, help| Diagnostic::new(rule, at..at, title, "here", help);
    let mut unreadable = None;
    let bytes = match read::bytes(path, read::WRITTEN) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let title = format!("the file is too large: {error}");
            let help = "keep to the table; no real one is so large";
            unreadable = Some(finding(&rules::TOO_LONG, 0, title, help));
            Vec::new()
        }
        bytes => bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let title = format!("the file is not UTF-8 at byte {at}");
        unreadable = Some(finding(&rules::INVALID_TOML, at, title, "save it as UTF-8"));
        let mut bytes = error.into_bytes();
        bytes.truncate(at);
        String::from_utf8(bytes).unwrap_or_default()
    });
    let path = path.display().to_string();
    Ok((Source { path, text }, unreadable))
}

/// The file of facts beside the specs, and what it says; nothing where there is no such file.
///
/// # Errors
/// When it cannot be read or is malformed.
pub fn knowledge(folder: &Path) -> Result<(Source, Knowledge), String> {
    let path = folder.join(KNOWLEDGE);
    if !path.exists() {
        let (path, text) = (path.display().to_string(), String::new());
        return Ok((Source { path, text }, Knowledge::default()));
    }
    let (source, unreadable) = source(&path)?;
    let findings = match unreadable {
        Some(finding) => vec![finding],
        None => unlike_text(&source.text),
    };
    if !findings.is_empty() {
        return Err(malformed(&source, &findings));
    }
    match Knowledge::parse(&source.text) {
        Ok(knowledge) => Ok((source, knowledge)),
        Err(error) => Err(malformed(&source, &[finding(&error, &source.text)])),
    }
}

/// The message about knowledge with these findings.
#[must_use]
pub fn malformed(knowledge: &Source, findings: &[Diagnostic]) -> String {
    let shown = diagnostic::render(knowledge, findings);
    format!("the knowledge is malformed\n{}", shown.trim_end())
}

/// Reads one spec's text. `product` and `release` are what its path says. Gives the release as far as
/// it could be read, and every error in a single value.
#[must_use]
pub fn read(text: &str, product: &str, release: &str) -> (Option<Release>, Vec<Diagnostic>) {
    let Parsed {
        raw,
        findings,
        removed,
    } = parse(text);
    match raw {
        Some(raw) => lower::lower(raw, product, release, removed, findings),
        None => (None, findings),
    }
}

/// A raw release as far as it could be read.
struct Parsed {
    raw: Option<raw::Release>,
    findings: Vec<Diagnostic>,
    /// The keys that were taken out because of a finding.
    removed: HashSet<Removed>,
}

/// Reads TOML into a raw release, with all that is wrong with its syntax, or else with its keys
/// and types.
fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed {
        raw: None,
        findings: Vec::new(),
        removed: HashSet::new(),
    };
    parsed.findings = unlike_text(text);
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
        parsed.findings = first(findings);
        return parsed;
    }
    // Serde stops at the first wrong key; taking that key out and reading again shows the next.
    while parsed.findings.len() <= MOST_FINDINGS {
        let error = match serde::Deserialize::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(raw) => {
                parsed.raw = Some(raw);
                break;
            }
            Err(error) => error,
        };
        parsed.findings.push(finding(&error, text));
        let place = error.span();
        match place.and_then(|place| remove(table.get_mut(), &(0..0), &place)) {
            Some(key) => parsed.removed.insert(key),
            None => break,
        };
    }
    parsed.findings = first(parsed.findings);
    parsed
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
fn unlike_text(text: &str) -> Vec<Diagnostic> {
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

fn finding(error: &toml::de::Error, text: &str) -> Diagnostic {
    let message = error.message();
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
    let span = error.span().unwrap_or(0..0);
    Diagnostic::new(
        rule,
        span.start.min(text.len())..span.end.min(text.len()),
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
