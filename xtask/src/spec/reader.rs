//! What every part of a spec is read with: keys that have to be there, names, requirements, texts.
//!
//! A reader collects findings and goes on. Each of its functions reports all that is wrong with its
//! part and gives nothing back if anything was; none stops at the first finding. An entry of a list that
//! is refused is left out, so that the rest can still be looked at. How a table of the format is read is
//! with that table; rules that look at several rows are in [`crate::rules`].

use std::collections::{BTreeSet, HashSet};

use super::rules;
use super::spanned::{Key, Located, Spanned};
use crate::diagnostic::{Diagnostic, Rule, Span};
use crate::kubernetes::{Requirement, Supported};
use crate::parse_error::ParseError;
use crate::text::{is_invisible, version_order};

/// The most characters of a text, which is in a cell of a table and in a comment.
const MOST_TEXT: usize = 1000;
/// The longest label (RFC 1123). Product, release and architecture together name a file.
pub const MOST_LABEL: usize = 63;
/// The longest name of a file.
pub const MOST_NAME: usize = 255;
/// The longest path.
const MOST_PATH: usize = 1024;

/// A key that was taken out of a table because it could not be read: its name, and the place of the
/// table. Somebody was told, so it is not missing.
pub type Removed = (String, Span);

/// Reads one release.
#[derive(Default)]
pub struct Reader {
    /// What is wrong.
    pub found: Vec<Diagnostic>,
    /// What reading the syntax has taken out.
    pub removed: HashSet<Removed>,
    /// The release's version.
    pub version: String,
    /// The supported minors, once read.
    pub supported: Option<Supported>,
    /// The release's architectures, once read, also those that are refused.
    pub architectures: Vec<String>,
    /// What of the product this release uses, each by where it starts.
    pub used: BTreeSet<usize>,
    /// What is wrong if no release of the product uses what it points at.
    pub unused: Vec<Diagnostic>,
}

/// An entry of a product that holds for some releases.
pub trait Entry {
    /// The first release that it holds for.
    fn since(&self) -> &Key<String>;
    /// The first release that it no longer holds for.
    fn before(&self) -> &Key<String>;
}

/// Makes types with the keys `since` and `before` entries.
macro_rules! entries {
    ($($raw:ty),*) => {
        $(impl crate::spec::reader::Entry for $raw {
            fn since(&self) -> &crate::spec::spanned::Key<String> {
                &self.since
            }

            fn before(&self) -> &crate::spec::spanned::Key<String> {
                &self.before
            }
        })*
    };
}
pub(super) use entries;

impl Reader {
    /// Adds a finding at one place.
    pub fn report(
        &mut self,
        rule: &'static Rule,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found
            .push(Diagnostic::new(rule, span, title, label, help));
    }

    /// A key that has to be there. `owner` is the table that lacks it and `example` a value.
    pub fn require<'k, T>(
        &mut self,
        key: &'k Key<T>,
        name: &str,
        owner: &Span,
        example: &str,
    ) -> Option<&'k Spanned<T>> {
        if key.is_none() && !self.is_removed(name, owner) {
            self.report(
                &rules::MISSING_KEY,
                owner.clone(),
                format!("the key `{name}` is missing"),
                "in this table",
                format!("add `{name} = {example}`"),
            );
        }
        key.as_ref()
    }

    /// Whether a table had keys that could not be read.
    pub fn has_lost(&self, owner: &Span) -> bool {
        self.removed.iter().any(|(_, place)| place == owner)
    }

    /// Whether a table had a key that could not be read.
    pub fn is_removed(&self, name: &str, owner: &Span) -> bool {
        self.removed.contains(&(name.to_owned(), owner.clone()))
    }

    /// Whether an entry of the product holds for this release.
    pub fn holds<T: Entry>(&mut self, entry: &Spanned<T>) -> bool {
        let (span, entry) = (entry.span(), entry.get_ref());
        for bound in [entry.since(), entry.before()].into_iter().flatten() {
            let _ = self.named(bound, "version", is_version, VERSION);
        }
        let version = version_order(&self.version).into_iter();
        let is_since = |since: &&Spanned<String>| {
            version_order(since.get_ref())
                .into_iter()
                .le(version.clone())
        };
        let is_before =
            |before: &&Spanned<String>| version.clone().lt(version_order(before.get_ref()));
        let since = entry.since().as_ref();
        let before = entry.before().as_ref();
        let holds = since.as_ref().is_none_or(is_since) && before.as_ref().is_none_or(is_before);
        let bounds = [("since", since), ("before", before)];
        let bounds = bounds.into_iter().filter_map(|(name, bound)| {
            let version = bound.as_ref()?.get_ref();
            Some(format!("`{name} = {version:?}`"))
        });
        let bounds: Vec<_> = bounds.collect();
        if !bounds.is_empty() {
            self.unused.push(Diagnostic::new(
                &rules::UNUSED_ENTRY,
                span.clone(),
                format!("no release has this entry: {}", bounds.join(", ")),
                "for none of the releases beside this file",
                "correct `since` and `before`, or remove the entry",
            ));
        }
        if holds {
            self.used.insert(span.start);
        }
        holds
    }

    /// The entries that hold for this release, each with its place.
    pub fn held<'e, T: Entry>(&mut self, entries: &'e [Spanned<T>]) -> Vec<(&'e T, Span)> {
        let held = entries.iter().filter(|entry| self.holds(entry));
        held.map(|entry| (entry.get_ref(), entry.span())).collect()
    }

    /// The entry that holds for this release, of a kind of which one can at most.
    pub fn held_once<'e, T: Entry>(
        &mut self,
        entries: &'e [Spanned<T>],
        what: &str,
    ) -> Option<(&'e T, Span)> {
        let mut held = self.held(entries).into_iter();
        let first = held.next();
        for (_, again) in held {
            let other = first
                .as_ref()
                .map_or(again.clone(), |(_, span)| span.clone());
            self.conflict(what, again, other);
        }
        first
    }

    /// Reports a second entry of one thing.
    pub fn conflict(&mut self, what: &str, again: Span, first: Span) {
        let version = &self.version;
        self.found.push(
            Diagnostic::new(
                &rules::CONFLICTING_ENTRY,
                again,
                format!("two entries about {what} hold for the release {version}"),
                "this one",
                "narrow `since` and `before`, so that every release has one",
            )
            .with_other(first, "and this one"),
        );
    }

    /// A name made of certain characters.
    pub fn named(
        &mut self,
        text: &Spanned<String>,
        what: &str,
        sound: impl Fn(&str) -> bool,
        of: &str,
    ) -> Option<String> {
        if sound(text.get_ref()) {
            return Some(text.get_ref().clone());
        }
        self.report(
            &rules::MALFORMED_NAME,
            text.span(),
            format!("{:?} is not a valid {what}", text.get_ref()),
            format!("not made of {of}"),
            "write it with these characters only",
        );
        None
    }

    /// The name of a Kubernetes object.
    pub fn label(&mut self, text: &Spanned<String>, what: &str) -> Option<String> {
        self.named(
            text,
            what,
            is_dns_label,
            "lower-case letters, digits and inner `-`, at most 63",
        )
    }

    /// A name and its place.
    pub fn located_label(&mut self, text: &Spanned<String>, what: &str) -> Option<Located<String>> {
        let value = self.label(text, what)?;
        let span = text.span();
        Some(Located { value, span })
    }

    /// A path below some folder.
    pub fn relative_path(&mut self, text: &Spanned<String>, what: &str) -> Option<String> {
        let sound = |text: &str| text.len() <= MOST_PATH && text.split('/').all(is_path_name);
        self.named(text, what, sound, "file names joined by `/`, without `..`")
    }

    /// The name of a file.
    pub fn file_name(&mut self, name: &Spanned<String>, what: &str) -> Option<Located<String>> {
        let of = "letters, digits, `.`, `_`, `+` and `-`, a letter or digit first";
        let value = self.named(name, what, is_path_name, of)?;
        let span = name.span();
        Some(Located { value, span })
    }

    /// A value of a grammar.
    pub fn parsed<T>(
        &mut self,
        text: &Spanned<String>,
        rule: &'static Rule,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Option<T> {
        parse(text.get_ref())
            .map_err(|error| {
                let title = format!("{:?} {}", text.get_ref(), error.wrong);
                self.report(rule, text.span(), title, "here", error.help);
            })
            .ok()
    }

    /// A value of a grammar, and its place.
    pub fn located<T>(
        &mut self,
        text: &Spanned<String>,
        rule: &'static Rule,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Option<Located<T>> {
        let span = text.span();
        self.parsed(text, rule, parse)
            .map(|value| Located { value, span })
    }

    /// Which minors something is for; a near miss is read as what was meant.
    pub fn requirement(&mut self, text: &Spanned<String>) -> Option<Located<Requirement>> {
        let written = text.get_ref();
        if let (Err(_), Some(value)) = (Requirement::parse(written), Requirement::mended(written)) {
            let span = text.span();
            let title = format!("{written:?} is not a Kubernetes requirement");
            let supported = self.supported.iter().flat_map(Supported::minors);
            let minors = supported.filter(|minor| value.includes(*minor)).collect();
            self.found.push(
                Diagnostic::new(
                    &rules::REQUIREMENT_TYPO,
                    span.clone(),
                    title,
                    format!("read as `{value}`"),
                    format!("write `{value}`"),
                )
                .about(written, minors),
            );
            return Some(Located { value, span });
        }
        self.located(text, &rules::MALFORMED_REQUIREMENT, Requirement::parse)
    }

    /// Free text: one line, without characters that a terminal or an editor does not show as they
    /// are. What is refused here never reaches a template.
    pub fn plain(&mut self, text: &Spanned<String>) -> String {
        if let Some(odd) = text.get_ref().chars().find(|c| is_invisible(*c)) {
            self.report(
                &rules::CONTROL_CHARACTER,
                text.span(),
                format!("a text has the character {}", odd.escape_unicode()),
                "a text is one line of visible characters",
                "remove the character",
            );
            return String::new();
        }
        let length = text.get_ref().chars().count();
        if self.too_long(length, MOST_TEXT, text.span(), "a text", "characters") {
            return String::new();
        }
        self.filled_in(text, "the text", &[("{{", "}}"), ("${", "}")]);
        text.get_ref().clone()
    }

    /// Whether nothing in a text waits for a build script to fill it in, between two of some marks.
    pub fn filled_in(
        &mut self,
        text: &Spanned<String>,
        what: &str,
        marks: &[(&str, &str)],
    ) -> bool {
        let mut marks = marks.iter();
        let placeholder = marks.find_map(|(open, close)| {
            let start = text.get_ref().find(open)?;
            let inside = start + open.len();
            let end = inside + text.get_ref()[inside..].find(close)? + close.len();
            Some(&text.get_ref()[start..end])
        });
        if let Some(placeholder) = placeholder {
            self.report(
                &rules::PLACEHOLDER,
                text.span(),
                format!("{what} still has the placeholder `{placeholder}`"),
                "never filled in",
                "write what stands there in a finished release",
            );
        }
        placeholder.is_none()
    }

    /// Reports what has more parts than any real one.
    pub fn too_long(
        &mut self,
        length: usize,
        most: usize,
        span: Span,
        what: &str,
        of: &str,
    ) -> bool {
        if length > most {
            self.report(
                &rules::TOO_LONG,
                span,
                format!("{what} has {length} {of}"),
                "too many",
                format!("write at most {most}"),
            );
        }
        length > most
    }

    /// Reports what was named in the same list before.
    pub fn once(&mut self, seen: &mut HashSet<String>, name: &Spanned<String>, what: &str) {
        if !seen.insert(name.get_ref().clone()) {
            self.report(
                &rules::DUPLICATE_NAME,
                name.span(),
                format!("the {what} `{}` is named twice", name.get_ref()),
                "again here",
                "remove one of the two",
            );
        }
    }

    /// Reports a list that has to have an entry and has none.
    pub fn not_empty<T>(&mut self, list: &Spanned<Vec<T>>, what: &str, help: &str) {
        if list.get_ref().is_empty() {
            self.report(
                &rules::EMPTY_LIST,
                list.span(),
                format!("{what} is empty"),
                "nothing in it",
                help,
            );
        }
    }
}

/// What a version is made of.
pub const VERSION: &str = "letters, digits, `.`, `_`, `+` and `-`, a digit first (or `v` and a digit) and no \
                           sign last, at most 63";

/// A version as releases have it, `4.5.0`. It names a folder beside others of the product, so it cannot be
/// any word.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let bare = text.strip_prefix('v').unwrap_or(text);
    bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.ends_with(|c: char| c.is_ascii_alphanumeric())
        && is_path_part(text)
}

/// A label as Kubernetes takes it for names (RFC 1123).
pub fn is_dns_label(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MOST_LABEL
        && text.starts_with(word)
        && text.ends_with(word)
        && text.chars().all(|c| word(c) || c == '-')
}

/// A name of a product or a release, of which files' and folders' names are made.
#[must_use]
pub fn is_path_part(text: &str) -> bool {
    text.len() <= MOST_LABEL && is_path_name(text)
}

/// A file or folder name that no shell, tool or file system takes for anything else.
pub fn is_path_name(text: &str) -> bool {
    text.len() <= MOST_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
}
