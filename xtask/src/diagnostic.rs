//! What is wrong with a file that somebody wrote: a code, the place, what is there, and the mend.
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

/// A file that somebody wrote, kept so that a later stage can point into it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as messages show it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A place in the file as a line of text can name it: `spec/huawei-csi/4.5.0.toml:12`.
    #[must_use]
    pub fn place(&self, span: &Span) -> String {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}", self.path)
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
    /// The mend.
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
        let primary = AnnotationKind::Primary
            .span(diagnostic.span.clone())
            .label(diagnostic.label.as_str());
        let others = diagnostic.others.iter().map(|(span, label)| {
            AnnotationKind::Context
                .span(span.clone())
                .label(label.as_str())
        });
        let level = match diagnostic.rule.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = level
            .primary_title(diagnostic.title.as_str())
            .id(diagnostic.rule.code)
            .element(
                Snippet::source(source.text.as_str())
                    .path(source.path.as_str())
                    .annotation(primary)
                    .annotations(others),
            )
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

/// All findings in one source for programs: one JSON object a line, in the file's order.
///
/// Each has `file`, `code`, `severity`, `message`, `help` and `places`; a place has `byteStart` and
/// `byteEnd` (from 0, the end not included), `lineStart` and `lineEnd` (from 1, both included),
/// `label`, and whether it is the `primary` one, which comes first.
#[must_use]
pub fn json(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let feeds = source.text.match_indices('\n').map(|(feed, _)| feed);
    let feeds: Vec<_> = feeds.collect();
    let line = |byte: usize| feeds.partition_point(|feed| *feed < byte) + 1;
    let place = |span: &Span, label: &str, primary: bool| {
        json!({
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
            "file": source.path,
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
