//! What is wrong with a file that somebody wrote: a code, the place, what is there, and the mend.
//!
//! Diagnostics are collected, never thrown: a run shows all of them, in the file's order. This
//! module decides how they look, not what is an error.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

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

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// A stable kebab-case name of the kind of finding.
    pub code: &'static str,
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
}

impl Diagnostic {
    /// A finding at one place.
    pub fn new(
        code: &'static str,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            title: title.into(),
            span,
            label: label.into(),
            others: Vec::new(),
            help: help.into(),
        }
    }

    /// The finding with another place that belongs to it.
    #[must_use]
    pub fn with_other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.others.push((span, label.into()));
        self
    }
}

/// All findings in one source, as a compiler would print them, in the file's order.
#[must_use]
pub fn render(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let mut out = String::new();
    for diagnostic in sorted {
        let primary = AnnotationKind::Primary
            .span(diagnostic.span.clone())
            .label(diagnostic.label.as_str());
        let others = diagnostic.others.iter().map(|(span, label)| {
            AnnotationKind::Context
                .span(span.clone())
                .label(label.as_str())
        });
        let group = Level::ERROR
            .primary_title(diagnostic.title.as_str())
            .id(diagnostic.code)
            .element(
                Snippet::source(source.text.as_str())
                    .path(source.path.as_str())
                    .annotation(primary)
                    .annotations(others),
            )
            .element(Level::HELP.message(diagnostic.help.as_str()));
        out.push_str(&Renderer::plain().render(&[group]));
        out.push_str("\n\n");
    }
    out
}
