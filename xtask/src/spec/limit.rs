//! `[[limit]]`: what a Kubernetes version forces, and why.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::reader::{Reader, entries};
use super::rules;
use super::spanned::{Key, Located, Spanned};
use super::text::{RawText, Text};
use super::value::{HelmKey, RawValues};
use crate::diagnostic::{Diagnostic, Span};
use crate::kubernetes::{Requirement, Supported};

/// The forms of a requirement, for editors; [`crate::kubernetes`] reads it.
pub const REQUIREMENT: &str = "^v[0-9]+[.][0-9]+([+]|[.]x|-v[0-9]+[.][0-9]+)$";

/// What a Kubernetes version forces: components without an image there, and Helm values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Limit")]
pub struct RawLimit {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// On which versions, in the form of a row's requirement; on all others the chart decides.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// The components that have no image there.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    /// The Helm values that have to be so there: `values.controller.snapshot.enabled = false`.
    #[serde(default)]
    pub values: RawValues,
    /// The Helm values that have to be removed there: the values have `null` at these keys.
    #[serde(default)]
    pub unset: Vec<Spanned<String>>,
    /// Why, for the reader of the values and the pages.
    #[schemars(required)]
    pub reason: Key<RawText>,
}

entries!(RawLimit);

/// Minors without an image.
#[derive(Clone, Debug)]
pub struct Hole {
    /// Which.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}

/// A Helm value that follows from the Kubernetes version.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The Helm value's key.
    pub key: Located<HelmKey>,
    /// What it has to be; null removes it.
    pub value: Value,
    /// On which minors.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}

/// What the limits of a release say.
#[derive(Debug, Default)]
pub struct Limits {
    /// The components without an image, and where.
    pub holes: Vec<(Located<String>, Hole)>,
    /// The forced Helm values, in the file's order.
    pub settings: Vec<Setting>,
}

impl Reader {
    /// The limits of this release on its minors.
    pub(super) fn limits(&mut self, raw: &[Spanned<RawLimit>]) -> Limits {
        let mut limits = Limits::default();
        for (limit, span) in self.held(raw) {
            self.limit(limit, &span, &mut limits);
        }
        limits
    }

    fn limit(&mut self, raw: &RawLimit, span: &Span, limits: &mut Limits) {
        let example = "\"v1.16.x\"";
        let kubernetes = self
            .require(&raw.kubernetes, "kubernetes", span, example)
            .and_then(|text| self.requirement(text));
        let reason = self.text(&raw.reason, "reason", span);
        if raw.without.is_empty() && raw.values.is_empty() && raw.unset.is_empty() {
            self.report(
                &rules::EMPTY_LIST,
                span.clone(),
                "the limit says nothing",
                "this limit",
                "add `without`, `values` or `unset`",
            );
        }
        let mut names = Vec::new();
        for name in &raw.without {
            names.extend(self.located_label(name, "component name"));
        }
        let mut settings = self.values(&raw.values);
        for key in &raw.unset {
            let key = self.located(key, &rules::MALFORMED_HELM_KEY, HelmKey::parse);
            settings.extend(key.map(|key| (key, Value::Null)));
        }
        let Some(kubernetes) = kubernetes else {
            return;
        };
        if !self.is_for_some(&kubernetes) {
            return;
        }
        for name in names {
            let hole = Hole {
                kubernetes: kubernetes.clone(),
                reason: reason.clone(),
            };
            limits.holes.push((name, hole));
        }
        for (key, value) in settings {
            limits.settings.push(Setting {
                key,
                value,
                kubernetes: kubernetes.clone(),
                reason: reason.clone(),
            });
        }
    }

    /// Whether a requirement in the product is for a minor of this release; that of some release it
    /// has to be.
    pub(super) fn is_for_some(&mut self, requirement: &Located<Requirement>) -> bool {
        let Some(supported) = &self.supported else {
            return true;
        };
        let is_for_some =
            Supported::minors(supported).any(|minor| requirement.value.includes(minor));
        if is_for_some {
            self.used.insert(requirement.span.start);
        }
        self.unused.push(Diagnostic::new(
            &rules::UNUSED_ENTRY,
            requirement.span.clone(),
            format!(
                "`{}` is for no minor that a release supports",
                requirement.value
            ),
            "no release with this entry supports one",
            "correct the requirement, or remove the entry",
        ));
        is_for_some
    }
}
