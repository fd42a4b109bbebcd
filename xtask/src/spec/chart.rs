//! `[chart]`: the Helm chart.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::reader::{Reader, entries};
use super::rules;
use super::spanned::{Key, Located, Spanned};
use super::value::{HelmKey, RawValues};
use crate::diagnostic::{Diagnostic, Span};
use crate::image::ImageRef;

/// The form of the name of a Kubernetes object, for editors.
pub const LABEL: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

/// The form of a chart's repository, for editors; [`is_repository`] reads it.
const REPOSITORY: &str = "^(https|oci)://[A-Za-z0-9][A-Za-z0-9._:/~+-]*$";

/// The Helm chart, in a folder of the vendor's package or in a repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Chart", extend("oneOf" = [{"required": ["folder"]}, {"required": ["repository"]}]))]
pub struct RawChart {
    /// Its name, as `Chart.yaml` says it: `esdk`.
    #[schemars(required)]
    pub name: Key<String>,
    /// The chart's folder, from the root of the unpacked package: `helm/esdk`. Either this key or
    /// `repository` is there.
    pub folder: Key<String>,
    /// The repository that has the chart, or the OCI registry's path above it:
    /// `https://charts.example.com`, `oci://registry.example.com/charts`.
    #[schemars(regex(pattern = REPOSITORY))]
    pub repository: Key<String>,
    /// The name of the Helm release that the pages install.
    #[schemars(required, regex(pattern = LABEL))]
    pub release_name: Key<String>,
    /// The namespace that the driver runs in.
    #[schemars(required, regex(pattern = LABEL))]
    pub namespace: Key<String>,
    /// What the chart itself sets where the values say nothing, for every key that a `when` names.
    #[serde(default)]
    pub defaults: RawValues,
    /// The parts that the chart splits an image into, each with what it holds, below the `helm` of a
    /// component: `{ repository = "{registry}/{path}", tag = "{tag}" }`. Without this key a component's
    /// `helm` holds the whole reference.
    #[serde(default)]
    pub parts: BTreeMap<Spanned<String>, Spanned<String>>,
    /// The value that names the secrets by which images are pulled, if the chart has one.
    pub pull_secrets: Key<RawPullSecrets>,
    /// Folders of CRDs that must not be installed where a component has no image.
    #[serde(default)]
    pub crds: Vec<Spanned<RawCrds>>,
}

/// The value that names the secrets by which images are pulled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "PullSecrets")]
pub struct RawPullSecrets {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// The value's key.
    #[schemars(required, regex(pattern = super::value::HELM_KEY))]
    pub key: Key<String>,
    /// What the value is.
    #[schemars(required)]
    pub form: Key<PullSecretsForm>,
}

/// How a value names secrets.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum PullSecretsForm {
    /// A list of objects, `[{ name: NAME }]`.
    Objects,
    /// A list of names, `[NAME]`.
    Names,
    /// One name.
    Name,
}

/// A folder of CRDs in the chart.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Crds")]
pub struct RawCrds {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// The folder, from the chart's: `crds/snapshot-crds`.
    #[schemars(required)]
    pub path: Key<String>,
    /// The component without which they must not be installed. Helm installs whatever is in the chart's
    /// `crds`, so where this component has no image the pages remove the folder.
    #[schemars(required)]
    pub component: Key<String>,
}

entries!(RawPullSecrets, RawCrds);

/// The Helm chart.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Its name.
    pub name: String,
    /// Its folder in the unpacked package; empty where it comes from a repository.
    pub folder: String,
    /// Its repository; empty where it is in the package.
    pub repository: String,
    /// The name of the Helm release.
    pub release_name: String,
    /// The namespace.
    pub namespace: String,
    /// What the chart sets where the values say nothing.
    pub defaults: BTreeMap<HelmKey, Value>,
    /// The parts of an image, each with what it holds; none where one value holds the whole reference.
    pub parts: Vec<(String, Located<String>)>,
    /// The value that names the pull secrets.
    pub pull_secrets: Option<PullSecrets>,
    /// Folders of CRDs that belong to a component.
    pub crds: Vec<Crds>,
}

/// The value that names the secrets by which images are pulled.
#[derive(Clone, Debug)]
pub struct PullSecrets {
    /// The value's key.
    pub key: Located<HelmKey>,
    /// What the value is.
    pub form: PullSecretsForm,
}

/// A folder of CRDs that belongs to a component.
#[derive(Clone, Debug)]
pub struct Crds {
    /// The folder, from the chart's.
    pub path: Located<String>,
    /// The component.
    pub component: Located<String>,
}

impl Reader {
    /// The chart. What is blank in it was reported.
    pub(super) fn chart(&mut self, raw: &Spanned<RawChart>) -> Chart {
        let (span, raw) = (raw.span(), raw.get_ref());
        let name = self
            .require(&raw.name, "name", &span, "\"example\"")
            .and_then(|name| self.file_name(name, "chart name"));
        let (folder, repository) = self.origin(raw, &span);
        let release_name = self
            .require(&raw.release_name, "release-name", &span, "\"example\"")
            .and_then(|name| self.label(name, "Helm release name"));
        let namespace = self
            .require(&raw.namespace, "namespace", &span, "\"example\"")
            .and_then(|name| self.label(name, "namespace"));
        let defaults = self.values(&raw.defaults).into_iter();
        let mut parts: Vec<_> = raw
            .parts
            .iter()
            .filter_map(|(name, pattern)| self.part(name, pattern))
            .collect();
        parts.sort_by_key(|(_, pattern): &(String, Located<String>)| pattern.span.start);
        Chart {
            name: name.map_or_else(String::new, |name| name.value),
            folder,
            repository,
            release_name: release_name.unwrap_or_default(),
            namespace: namespace.unwrap_or_default(),
            defaults: defaults.map(|(key, value)| (key.value, value)).collect(),
            parts,
            pull_secrets: self.pull_secrets(raw.pull_secrets.as_ref()),
            crds: self
                .held(&raw.crds)
                .into_iter()
                .filter_map(|(crds, span)| self.crds(crds, &span))
                .collect(),
        }
    }

    /// The folder or the repository that the chart is in, of which one is there.
    fn origin(&mut self, raw: &RawChart, span: &Span) -> (String, String) {
        match (&raw.folder, &raw.repository) {
            (None, None)
                if !["folder", "repository"]
                    .iter()
                    .any(|key| self.is_removed(key, span)) =>
            {
                self.report(
                    &rules::MISSING_KEY,
                    span.clone(),
                    "nothing says where the chart is",
                    "in this table",
                    "add `folder = \"charts/example\"` if it is in the package, or else \
                     `repository = \"https://charts.example.com\"`",
                );
            }
            (Some(folder), Some(repository)) => self.found.push(
                Diagnostic::new(
                    &rules::CONFLICTING_ENTRY,
                    repository.span(),
                    "the chart is in a repository and in a folder",
                    "this one",
                    "keep the one that the pages are to install from",
                )
                .with_other(folder.span(), "and this one"),
            ),
            _ => {}
        }
        let folder = raw.folder.as_ref();
        let folder = folder.and_then(|folder| self.relative_path(folder, "folder"));
        let of = "`https://` or `oci://`, a host and a path, of letters, digits and `.`, `_`, `:`, `/`, `~`, `+`, `-`";
        let repository = raw.repository.as_ref();
        let repository = repository.and_then(|it| self.named(it, "repository", is_repository, of));
        (folder.unwrap_or_default(), repository.unwrap_or_default())
    }

    fn part(
        &mut self,
        name: &Spanned<String>,
        pattern: &Spanned<String>,
    ) -> Option<(String, Located<String>)> {
        let parts = ImageRef::PARTS.map(|part| (part, ""));
        let key = self.parsed(name, &rules::MALFORMED_HELM_KEY, HelmKey::parse)?;
        let fill = |text: &str| super::pattern::fill(text, &parts);
        let _ = self.parsed(pattern, &rules::MALFORMED_PATTERN, fill)?;
        let located = Located {
            value: pattern.get_ref().clone(),
            span: pattern.span(),
        };
        Some((key.as_str().to_owned(), located))
    }

    fn pull_secrets(&mut self, raw: Option<&Spanned<RawPullSecrets>>) -> Option<PullSecrets> {
        let raw = raw.filter(|raw| self.holds(raw))?;
        let (span, raw) = (raw.span(), raw.get_ref());
        let key = self.require(&raw.key, "key", &span, "\"imagePullSecrets\"");
        let key = key.and_then(|key| self.located(key, &rules::MALFORMED_HELM_KEY, HelmKey::parse));
        let form = self.require(&raw.form, "form", &span, "\"objects\"");
        let form = *form?.get_ref();
        Some(PullSecrets { key: key?, form })
    }

    fn crds(&mut self, raw: &RawCrds, span: &Span) -> Option<Crds> {
        let path = self
            .require(&raw.path, "path", span, "\"crds/example\"")
            .and_then(|path| {
                let span = path.span();
                let value = self.relative_path(path, "path in the chart")?;
                Some(Located { value, span })
            });
        let component = self
            .require(&raw.component, "component", span, "\"csi-snapshotter\"")
            .and_then(|name| self.located_label(name, "component name"));
        Some(Crds {
            path: path?,
            component: component?,
        })
    }
}

/// Whether a text is the address of a repository of charts, as `helm` takes it.
fn is_repository(text: &str) -> bool {
    let address = ["https://", "oci://"]
        .iter()
        .find_map(|start| text.strip_prefix(start));
    address.is_some_and(|address| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:/~+-".contains(c);
        address.starts_with(|c: char| c.is_ascii_alphanumeric()) && address.chars().all(plain)
    })
}
