//! What is wrong with a file that somebody wrote: a code, the place, what is there, and the fix.
//!
//! Diagnostics are collected, never thrown: a run shows all of them, in the file's order. This
//! module decides how they look, not what is an error.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use crate::kubernetes::Minor;
use crate::text;

/// Findings of one file that people are shown; each takes a look at the whole file.
const MOST_SHOWN: usize = 100;

/// Other places that one finding points at; nobody looks at more.
const MOST_OTHERS: usize = 20;

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

/// A byte range in a source file.
pub type Span = Range<usize>;

/// Files that somebody wrote and that are read together, kept so that a later stage can point into them.
/// A place in them is a range of bytes, in the texts one behind the other.
#[derive(Clone, Debug)]
pub struct Source {
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    /// Where its text starts.
    base: usize,
    /// The path as messages show it.
    path: String,
    /// The whole text.
    text: String,
}

impl Source {
    /// One file. `path` is what messages show.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let base = 0;
        Self {
            files: vec![File { base, path, text }],
        }
    }

    /// This source with the files of another one behind its own.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for file in other.files {
            // The end of one file is not the start of the next.
            let base = self
                .files
                .last()
                .map_or(0, |last| last.base + last.text.len() + 1);
            self.files.push(File { base, ..file });
        }
        self
    }

    /// The path of the last file, which the others are read for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.files.last().map_or("", |file| &file.path)
    }

    /// The text of the last file.
    #[must_use]
    pub fn text(&self) -> &str {
        self.files.last().map_or("", |file| &file.text)
    }

    /// The text of a file, by its number.
    #[must_use]
    pub fn file(&self, number: usize) -> &str {
        self.files.get(number).map_or("", |file| &file.text)
    }

    /// Where a file starts, by its number.
    #[must_use]
    pub fn base(&self, number: usize) -> usize {
        self.files.get(number).map_or(0, |file| file.base)
    }

    /// Whether a place is in the last file.
    #[must_use]
    pub fn is_last(&self, span: &Span) -> bool {
        self.files
            .last()
            .is_some_and(|file| span.start >= file.base)
    }

    /// The file that a place is in, and the place in it.
    fn find(&self, span: &Span) -> (&File, Span) {
        let behind = self.files.partition_point(|file| file.base <= span.start);
        let file = &self.files[behind.saturating_sub(1)];
        let end = span.end.saturating_sub(file.base).min(file.text.len());
        (file, span.start.saturating_sub(file.base).min(end)..end)
    }

    /// The text at a place.
    #[must_use]
    pub fn at(&self, span: &Span) -> &str {
        let (file, span) = self.find(span);
        file.text.get(span).unwrap_or_default()
    }

    /// A place as a line of text can name it: `spec/huawei-csi/4.5.0.toml:12`.
    #[must_use]
    pub fn place(&self, span: &Span) -> String {
        let (file, span) = self.find(span);
        let before = file.text.get(..span.start).unwrap_or(&file.text);
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}", file.path)
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub rule: &'static Rule,
    /// What is wrong, in lower case, with the offending text.
    pub title: String,
    /// Where it is.
    pub span: Span,
    /// What the marked place is.
    pub label: String,
    /// Other places that belong to the finding, such as the second row of a conflict.
    pub others: Vec<(Span, String)>,
    /// The fix.
    pub help: String,
    /// What it is about, by which it can be acknowledged; empty if it cannot.
    pub subject: String,
    /// The minors that a warning is about.
    pub minors: Vec<Minor>,
}

impl Diagnostic {
    /// A finding at one place.
    pub fn new(
        rule: &'static Rule,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            title: text::shortened(title.into()),
            span,
            label: text::shortened(label.into()),
            others: Vec::new(),
            help: text::shortened(help.into()),
            subject: String::new(),
            minors: Vec::new(),
        }
    }

    /// Whether it refuses the spec.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.rule.severity == Severity::Error
    }

    /// The finding in a text that starts at `base`.
    #[must_use]
    pub fn moved(mut self, base: usize) -> Self {
        self.span = self.span.start + base..self.span.end + base;
        self
    }

    /// The finding with what it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>, minors: Vec<Minor>) -> Self {
        self.subject = text::shortened(subject.into());
        self.minors = minors;
        self
    }

    /// The finding with another place that belongs to it; of many, with the first.
    #[must_use]
    pub fn with_other(mut self, span: Span, label: impl Into<String>) -> Self {
        if self.others.len() < MOST_OTHERS {
            self.others.push((span, text::shortened(label.into())));
        }
        self
    }
}

/// `1 error`, `2 errors`
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// Findings in the order of their places in the file.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    sorted
}

/// All findings in one source, as a compiler would print them, in the file's order.
#[must_use]
pub fn render(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    let findings = sorted(diagnostics);
    for diagnostic in findings.iter().take(MOST_SHOWN) {
        let level = match diagnostic.rule.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = level
            .primary_title(diagnostic.title.as_str())
            .id(diagnostic.rule.code)
            .elements(snippets(source, diagnostic))
            .element(Level::HELP.message(diagnostic.help.as_str()));
        let accept = format!(
            "to accept it, add an `[[acknowledge]]` with rule = {:?}, subjects = [{:?}] and the reason",
            diagnostic.rule.code, diagnostic.subject
        );
        if !diagnostic.subject.is_empty() {
            group = group.element(Level::NOTE.message(accept.as_str()));
        }
        out.push_str(&Renderer::plain().render(&[group]));
        out.push_str("\n\n");
    }
    let more = findings.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        out.push_str(&format!("({more} more in this file)\n\n"));
    }
    text::visible(&out)
}

/// The files that a finding points into, the one of its own place first, each with its marks.
fn snippets<'a>(
    source: &'a Source,
    diagnostic: &'a Diagnostic,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let (own, span) = source.find(&diagnostic.span);
    let primary = AnnotationKind::Primary
        .span(span)
        .label(diagnostic.label.as_str());
    let mut snippets: Vec<(&File, Vec<_>)> = vec![(own, vec![primary])];
    for (span, label) in &diagnostic.others {
        let (file, span) = source.find(span);
        let mark = AnnotationKind::Context.span(span).label(label.as_str());
        match snippets
            .iter_mut()
            .find(|(known, _)| known.base == file.base)
        {
            Some((_, marks)) => marks.push(mark),
            None => snippets.push((file, vec![mark])),
        }
    }
    let snippet = |(file, marks): (&'a File, Vec<_>)| {
        Snippet::source(file.text.as_str())
            .path(file.path.as_str())
            .annotations(marks)
    };
    snippets.into_iter().map(snippet).collect()
}

/// All findings in one source for programs: one JSON object a line, in the file's order.
///
/// Each has `code`, `severity`, `message`, `help`, `file` (that of the first place) and `places`; a place has
/// `file`, `byteStart` and `byteEnd` (in it, from 0, the end not included), `lineStart` and `lineEnd` (from
/// 1, both included), `label`, and whether it is the `primary` one, which comes first.
#[must_use]
pub fn json(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let feeds = |file: &File| -> Vec<usize> {
        let feeds = file.text.match_indices('\n');
        feeds.map(|(feed, _)| feed).collect()
    };
    let feeds: Vec<_> = source
        .files
        .iter()
        .map(|file| (file.base, feeds(file)))
        .collect();
    let place = |span: &Span, label: &str, primary: bool| {
        let (file, span) = source.find(span);
        let feeds = feeds.iter().find(|(base, _)| *base == file.base);
        let line = |byte: usize| {
            let before = feeds.map(|(_, feeds)| feeds.partition_point(|feed| *feed < byte));
            before.unwrap_or(0) + 1
        };
        json!({
            "file": file.path,
            "byteStart": span.start,
            "byteEnd": span.end,
            "lineStart": line(span.start),
            "lineEnd": line(span.end.saturating_sub(1).max(span.start)),
            "label": label,
            "primary": primary,
        })
    };
    let mut out = String::new();
    for diagnostic in sorted(diagnostics) {
        let mut places = vec![place(&diagnostic.span, &diagnostic.label, true)];
        places.extend(
            diagnostic
                .others
                .iter()
                .map(|(span, label)| place(span, label, false)),
        );
        let finding = json!({
            "file": source.find(&diagnostic.span).0.path,
            "code": diagnostic.rule.code,
            "severity": diagnostic.rule.severity.name(),
            "message": diagnostic.title,
            "help": diagnostic.help,
            "places": places,
        });
        out.push_str(&format!("{finding}\n"));
    }
    out
}
