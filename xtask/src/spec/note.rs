//! `[[note]]` and `[[acknowledge]]`: what the reader of the pages should know.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::component::RawComponent;
use super::limit::REQUIREMENT;
use super::reader::{Reader, entries};
use super::spanned::{Key, Located, Spanned};
use super::text::{RawText, Text};
use crate::diagnostic::Span;
use crate::kubernetes::{Minor, Requirement, Supported};

/// Something that the reader of the pages should know.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Note")]
pub struct RawNote {
    /// The first release that it is about.
    pub since: Key<String>,
    /// The first release that it is no longer about.
    pub before: Key<String>,
    /// On which versions, in the form of a row's requirement.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// Whether the release does not run there.
    pub broken: Key<bool>,
    /// The components that it is about.
    #[serde(default)]
    pub about: Vec<Spanned<String>>,
    /// What to know.
    #[schemars(required)]
    pub text: Key<RawText>,
}

/// A warning, or a finding of `check-chart`, that somebody has looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Acknowledge")]
pub struct RawAcknowledge {
    /// The first release that it is for.
    pub since: Key<String>,
    /// The first release that it is no longer for.
    pub before: Key<String>,
    /// Its code: `frozen-registry`, `chart-unknown-image`.
    #[schemars(required)]
    pub rule: Key<String>,
    /// What it is about, as its note writes it: `["k8s.gcr.io"]`.
    #[schemars(required, length(min = 1))]
    pub subjects: Key<Vec<Spanned<String>>>,
    /// Why it stays, for the reader of the pages.
    #[schemars(required)]
    pub reason: Key<RawText>,
}

entries!(RawNote, RawAcknowledge);

/// Something that the reader of the pages should know, such as a warning that somebody has looked at.
#[derive(Clone, Debug)]
pub struct Note {
    /// What it is about, each with its minors.
    pub subjects: Vec<(String, Vec<Minor>)>,
    /// Whether the release does not run on these minors.
    pub broken: bool,
    /// What to know.
    pub reason: Text,
}

/// A warning that somebody has looked at.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// What kind of warning, by its code.
    pub rule: Located<String>,
    /// What it is about, as the warnings say it.
    pub subjects: Vec<Located<String>>,
    /// Why it stays, for the reader of the pages.
    pub reason: Text,
}

impl Reader {
    /// The notes about this release on its minors.
    pub(super) fn notes(
        &mut self,
        raw: &[Spanned<RawNote>],
        known: &BTreeMap<Spanned<String>, Spanned<RawComponent>>,
    ) -> Vec<Note> {
        let notes = self.held(raw).into_iter();
        notes
            .filter_map(|(note, span)| self.note(note, &span, known))
            .collect()
    }

    fn note(
        &mut self,
        raw: &RawNote,
        span: &Span,
        known: &BTreeMap<Spanned<String>, Spanned<RawComponent>>,
    ) -> Option<Note> {
        let kubernetes = self
            .require(&raw.kubernetes, "kubernetes", span, "\"v1.16.x\"")
            .and_then(|text| self.requirement(text));
        let reason = self.text(&raw.text, "text", span);
        let about: Vec<_> = raw
            .about
            .iter()
            .map(|name| {
                self.known_component(name, known);
                name.get_ref().clone()
            })
            .collect();
        let kubernetes = kubernetes.filter(|kubernetes| self.is_for_some(kubernetes))?;
        let minors = self.minors(kubernetes.value);
        let all = vec![(String::new(), minors.clone())];
        let subjects: Vec<_> = about
            .into_iter()
            .map(|name| (name, minors.clone()))
            .collect();
        Some(Note {
            subjects: if subjects.is_empty() { all } else { subjects },
            broken: raw.broken.as_ref().is_some_and(|broken| *broken.get_ref()),
            reason,
        })
    }

    fn minors(&self, requirement: Requirement) -> Vec<Minor> {
        let supported = self.supported.iter().flat_map(Supported::minors);
        supported
            .filter(|minor| requirement.includes(*minor))
            .collect()
    }

    /// The acknowledgements for this release.
    pub(super) fn acknowledgements(
        &mut self,
        raw: &[Spanned<RawAcknowledge>],
    ) -> Vec<Acknowledgement> {
        let held = self.held(raw).into_iter();
        held.filter_map(|(raw, span)| self.acknowledgement(raw, &span))
            .collect()
    }

    fn acknowledgement(&mut self, raw: &RawAcknowledge, span: &Span) -> Option<Acknowledgement> {
        let rule = self.require(&raw.rule, "rule", span, "\"frozen-registry\"");
        let subjects = self.require(&raw.subjects, "subjects", span, "[\"k8s.gcr.io\"]");
        let reason = self.text(&raw.reason, "reason", span);
        let (rule, subjects) = (rule?, subjects?);
        self.not_empty(subjects, "`subjects`", "add one, or remove the entry");
        Some(Acknowledgement {
            rule: Located {
                value: rule.get_ref().clone(),
                span: rule.span(),
            },
            subjects: subjects
                .get_ref()
                .iter()
                .map(|subject| Located {
                    span: subject.span(),
                    value: self.plain(subject),
                })
                .collect(),
            reason,
        })
    }
}
