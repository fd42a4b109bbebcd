//! `[component.NAME]`, `[[switch]]` and `[images]`: the containers, when they run, and their rows.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::chart::Chart;
use super::limit::Hole;
use super::package::Package;
use super::pattern::fill;
use super::reader::{MOST_LABEL, MOST_NAME, Reader, entries};
use super::rules;
use super::spanned::{Key, Located, Spanned};
use super::text::{RawText, Text};
use super::value::{HELM_KEY, HelmKey, RawValues};
use crate::diagnostic::{Diagnostic, Rule, Span};
use crate::image::ImageRef;
use crate::kubernetes::Requirement;
use crate::suggest::did_you_mean;

/// A container's role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Component")]
pub struct RawComponent {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// Where its images come from, if that is not the registry that their references name.
    pub source: Key<RawSource>,
    /// The names of its containers in the Pods, where they are not the component's.
    pub containers: Key<Vec<Spanned<String>>>,
    /// The arguments of other containers that name its image: `["--manager-image"]`.
    #[serde(default)]
    pub arguments: Vec<Spanned<String>>,
    /// The environment variables of other containers that name its image: `["CSI_ATTACHER_IMAGE"]`.
    #[serde(default)]
    pub variables: Vec<Spanned<String>>,
    /// The workloads that it runs in; none where only a person runs it.
    #[schemars(required)]
    pub workloads: Key<Vec<Spanned<String>>>,
    /// The Helm value that holds its image reference, or the group of the parts that the chart splits it
    /// into: `images.sidecar.provisioner`. Without this key no value names it.
    #[schemars(regex(pattern = HELM_KEY))]
    pub helm: Key<String>,
    /// What it is for.
    #[schemars(required)]
    pub description: Key<RawText>,
}

/// Where an image comes from.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RawSource {
    /// The vendor's package.
    Package,
}

/// The Helm values by which components run. A component that no entry names always runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Switch")]
pub struct RawSwitch {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// The components.
    #[schemars(required, length(min = 1))]
    pub components: Key<Vec<Spanned<String>>>,
    /// The ways to have them run, any one of them; of each, all values have to be so:
    /// `[{ controller.resizer.enabled = true }]`.
    #[schemars(required, length(min = 1))]
    pub when: Key<Vec<Spanned<RawValues>>>,
}

entries!(RawComponent, RawSwitch);

/// The rows of a component: its images by their Kubernetes requirement.
pub type RawRows = BTreeMap<Spanned<String>, Spanned<String>>;

/// A container's role.
#[derive(Clone, Debug)]
pub struct Component {
    /// `csi-provisioner`, and where the release's table has it.
    pub name: Located<String>,
    /// The names of its containers in the Pods.
    pub containers: Vec<String>,
    /// The arguments of other containers that name its image.
    pub arguments: Vec<String>,
    /// The environment variables of other containers that name its image.
    pub variables: Vec<String>,
    /// The workloads that it runs in.
    pub workloads: Vec<String>,
    /// The Helm value that holds its reference, or the group of its parts.
    pub helm: Option<Located<HelmKey>>,
    /// What it is for.
    pub description: Text,
    /// It runs when one of these ways holds, and always when there is none.
    pub ways: Vec<Way>,
    /// Its rows.
    pub images: Vec<Image>,
    /// Its declared holes.
    pub holes: Vec<Hole>,
}

impl Component {
    /// The Helm values that hold its image, each with the pattern of the part that it holds; none where
    /// no value names it.
    #[must_use]
    pub fn parts<'c>(&self, chart: &'c Chart) -> Vec<(HelmKey, &'c str)> {
        let Some(Located { value: key, .. }) = &self.helm else {
            return Vec::new();
        };
        if chart.parts.is_empty() {
            return vec![(key.clone(), WHOLE)];
        }
        let parts = chart.parts.iter();
        parts
            .map(|(name, pattern)| (key.with(name), pattern.value.as_str()))
            .collect()
    }
}

/// The pattern of a value that holds a whole reference.
const WHOLE: &str = "{registry}/{path}:{tag}";

/// Helm values that have a component run, all together.
pub type Way = Vec<Condition>;

/// A Helm value and what it has to be.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The Helm value's key.
    pub key: HelmKey,
    /// What it has to be.
    pub is: Value,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Image {
    /// The reference, with a tag and without a digest.
    pub reference: Located<ImageRef>,
    /// The minors that it is for.
    pub kubernetes: Located<Requirement>,
    /// The architectures that it is built for, in the release's order.
    pub architectures: Vec<String>,
    /// Where it comes from.
    pub source: ImageSource,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// The registry that its reference names.
    Registry,
    /// The vendor's package: the names that its archive goes by, per architecture.
    Package(Vec<(String, Vec<Located<String>>)>),
}

/// The parts of a release that its components refer to.
pub struct Around<'r> {
    /// The package; none also where it was refused.
    pub package: Option<&'r Package>,
    /// Whether the product has a package, be it refused.
    pub has_package: bool,
    /// The names of the workloads, also of those that are refused.
    pub workloads: Vec<&'r str>,
    /// Images that are not built for every architecture, by reference.
    pub platforms: BTreeMap<String, (Span, Vec<String>)>,
    /// The ways to have a component run.
    pub switches: BTreeMap<String, Vec<Way>>,
    /// The holes of the components.
    pub holes: Vec<(Located<String>, Hole)>,
}

impl Reader {
    /// The ways to have each component run, of those that have a switch in this release.
    pub(super) fn switches(
        &mut self,
        raw: &[Spanned<RawSwitch>],
        chart: &Chart,
        known: &BTreeMap<Spanned<String>, Spanned<RawComponent>>,
    ) -> BTreeMap<String, Vec<Way>> {
        let mut switches = BTreeMap::new();
        let mut places: BTreeMap<String, Span> = BTreeMap::new();
        for (switch, span) in self.held(raw) {
            let components =
                self.require(&switch.components, "components", &span, "[\"csi-resizer\"]");
            let when = self.require(&switch.when, "when", &span, "[{ example.enabled = true }]");
            let Some((components, when)) = components.zip(when) else {
                continue;
            };
            self.not_empty(components, "`components`", "add one, or remove the entry");
            self.not_empty(when, "`when`", "add a way, or remove the entry");
            let ways: Vec<_> = when
                .get_ref()
                .iter()
                .map(|way| self.way(way, chart))
                .collect();
            for name in components.get_ref() {
                self.known_component(name, known);
                let first = places.insert(name.get_ref().clone(), name.span());
                if let Some(first) = first {
                    let what = format!("when `{}` runs", name.get_ref());
                    self.conflict(&what, name.span(), first);
                }
                switches.insert(name.get_ref().clone(), ways.clone());
            }
        }
        switches
    }

    /// Reports a component that the product does not have in any release.
    pub(super) fn known_component(
        &mut self,
        name: &Spanned<String>,
        known: &BTreeMap<Spanned<String>, Spanned<RawComponent>>,
    ) {
        let names = || known.keys().map(|known| known.get_ref().clone());
        if names().any(|known| known == *name.get_ref()) {
            return;
        }
        let question = did_you_mean(name.get_ref(), names());
        let help = question.unwrap_or_else(|| format!("add a `[component.{}]`", name.get_ref()));
        self.report(
            &rules::UNKNOWN_COMPONENT,
            name.span(),
            format!("the product has no component `{}`", name.get_ref()),
            "no `[component]` has this name",
            help,
        );
    }

    fn way(&mut self, raw: &Spanned<RawValues>, chart: &Chart) -> Way {
        let mut way = Vec::new();
        for (key, is) in self.values(raw.get_ref()) {
            if !chart.defaults.contains_key(&key.value) {
                let known = chart.defaults.keys();
                let known = known.map(|known| known.as_str().to_owned());
                let question = did_you_mean(key.value.as_str(), known);
                let name = key.value.as_str();
                self.report(
                    &rules::MISSING_DEFAULT,
                    key.span,
                    format!("the product does not say what the chart sets `{name}` to"),
                    "a component depends on it",
                    format!(
                        "{}add `{name} = true` (or what it is) to `[chart.defaults]`",
                        question
                            .map_or_else(String::new, |question| format!("{question} If not, "))
                    ),
                );
                continue;
            }
            way.push(Condition { key: key.value, is });
        }
        way
    }

    /// Images that are not built for every architecture, by reference.
    pub(super) fn platforms(
        &mut self,
        raw: &BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>,
    ) -> BTreeMap<String, (Span, Vec<String>)> {
        let mut platforms = BTreeMap::new();
        for (reference, names) in raw {
            let Some(filled) = self.released(reference) else {
                continue;
            };
            self.not_empty(names, "the list of platforms", "add one, or remove the key");
            let mut seen = HashSet::new();
            let mut valid = Vec::new();
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let sound = |text: &str| {
                let mut parts = text.split('/');
                text.len() <= MOST_LABEL
                    && parts.clone().count() <= 3
                    && parts.all(|part| !part.is_empty() && part.chars().all(word))
            };
            for name in names.get_ref() {
                self.once(&mut seen, name, "platform");
                let of = "lower-case words joined by `/`, such as `amd64` and `arm/v7`";
                valid.extend(self.named(name, "platform", sound, of));
            }
            if valid.len() == names.get_ref().len() {
                platforms.insert(filled, (reference.span(), valid));
            }
            self.unused.push(Diagnostic::new(
                &rules::UNUSED_ENTRY,
                reference.span(),
                format!("no release has the image `{}`", reference.get_ref()),
                "in no row",
                "write a reference as a row has it, or remove the entry",
            ));
        }
        platforms
    }

    /// A text with the release's version filled in.
    fn released(&mut self, text: &Spanned<String>) -> Option<String> {
        // What looks like something else's placeholder is not ours.
        let marks = [("{{", "}}"), ("${", "}"), ("<", ">")];
        if !self.filled_in(text, "the reference", &marks) {
            return None;
        }
        let version = self.version.clone();
        let parts = [("release", version.as_str())];
        self.parsed(text, &rules::MALFORMED_PATTERN, |text| fill(text, &parts))
    }

    /// A component of the release's table.
    pub(super) fn component(
        &mut self,
        name: &Spanned<String>,
        rows: &RawRows,
        raw: &Spanned<RawComponent>,
        around: &Around<'_>,
    ) -> Option<Component> {
        let (span, raw) = (raw.span(), raw.get_ref());
        let located = self.located_label(name, "component name");
        let in_package = raw.source.is_some();
        if self.is_removed("source", &span) {
            // Nobody knows what its references have to be.
            return None;
        }
        if let (Some(source), false) = (&raw.source, around.has_package) {
            self.report(
                &rules::MISSING_PACKAGE,
                source.span(),
                "a component's images come in the vendor's package, and the product has no `[package]`",
                "in the package",
                "add `[package]` with its `image-folder`, `archives` and `file`",
            );
        }
        let labels = |this: &mut Self, names: &[Spanned<String>], what: &str| -> Vec<String> {
            let names = names.iter().filter_map(|name| this.label(name, what));
            names.collect()
        };
        let named = |this: &mut Self, names: &[Spanned<String>], what: &str| -> Vec<String> {
            let sound = |text: &str| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                let bare = text.trim_start_matches('-');
                bare.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && text.len() <= MOST_NAME
                    && text.chars().all(plain)
            };
            let of = "letters, digits, `.`, `_` and `-`";
            let names = names
                .iter()
                .filter_map(|name| this.named(name, what, sound, of));
            names.collect()
        };
        let arguments = named(self, &raw.arguments, "argument");
        let variables = named(self, &raw.variables, "variable");
        let containers = match &raw.containers {
            Some(containers) => {
                self.not_empty(containers, "`containers`", "add a name, or remove the key");
                labels(self, containers.get_ref(), "container name")
            }
            None if arguments.is_empty() && variables.is_empty() => vec![name.get_ref().clone()],
            None => Vec::new(),
        };
        let workloads = self
            .require(
                &raw.workloads,
                "workloads",
                &span,
                "[\"example-controller\"]",
            )
            .map(|names| self.known_workloads(names, &around.workloads));
        let helm = raw
            .helm
            .as_ref()
            .map(|key| self.located(key, &rules::MALFORMED_HELM_KEY, HelmKey::parse));
        let description = self.text(&raw.description, "description", &span);
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_by_key(|(requirement, _)| requirement.span().start);
        let length = rows.len();
        let images: Vec<_> = rows
            .into_iter()
            .filter_map(|(requirement, reference)| {
                self.image(requirement, reference, in_package, around)
            })
            .collect();
        let holes = around.holes.iter();
        let holes = holes.filter(|(component, _)| component.value == *name.get_ref());
        Some(Component {
            containers,
            arguments,
            variables,
            workloads: workloads?,
            helm: match helm {
                Some(helm) => Some(helm?),
                None => None,
            },
            description,
            ways: around
                .switches
                .get(name.get_ref())
                .cloned()
                .unwrap_or_default(),
            images: (images.len() == length).then_some(images)?,
            holes: holes.map(|(_, hole)| hole.clone()).collect(),
            name: located?,
        })
    }

    fn known_workloads(
        &mut self,
        names: &Spanned<Vec<Spanned<String>>>,
        workloads: &[&str],
    ) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut known = Vec::new();
        for name in names.get_ref() {
            self.once(&mut seen, name, "workload");
            let is_known = workloads.contains(&name.get_ref().as_str());
            // With no workload read, that is the error to show, not this one.
            if workloads.is_empty() || is_known {
                known.push(name.get_ref().clone());
            } else {
                self.report(
                    &rules::UNKNOWN_WORKLOAD,
                    name.span(),
                    format!("the product has no workload `{}`", name.get_ref()),
                    "no `[workload]` has this name",
                    format!(
                        "use one of `{}`, or add a `[workload.{}]`",
                        workloads.join("`, `"),
                        name.get_ref()
                    ),
                );
            }
        }
        known
    }

    fn image(
        &mut self,
        requirement: &Spanned<String>,
        reference: &Spanned<String>,
        in_package: bool,
        around: &Around<'_>,
    ) -> Option<Image> {
        let kubernetes = self.requirement(requirement);
        let reference = self.reference(reference, in_package);
        let reference = reference?;
        let platforms = around.platforms.get(reference.value.as_str());
        if let Some((span, _)) = platforms {
            self.used.insert(span.start);
        }
        let is_built =
            |name: &&String| platforms.is_none_or(|(_, platforms)| platforms.contains(*name));
        let architectures = self
            .architectures
            .iter()
            .filter(is_built)
            .cloned()
            .collect();
        let source = match (in_package, around.package) {
            (false, _) => ImageSource::Registry,
            (true, None) => return None,
            (true, Some(package)) => {
                ImageSource::Package(self.archives(package, reference.value.base_name())?)
            }
        };
        Some(Image {
            reference,
            kubernetes: kubernetes?,
            architectures,
            source,
        })
    }

    fn reference(&mut self, text: &Spanned<String>, in_package: bool) -> Option<Located<ImageRef>> {
        let filled = Spanned::new(text.span(), self.released(text)?);
        let reference = self.located(&filled, &rules::MALFORMED_REFERENCE, ImageRef::parse)?;
        let image = &reference.value;
        let finding: Option<(&'static Rule, &str, &str, String)> = if image.digest().is_some() {
            // A node's archive has a manifest of its own, so a registry's digest is not found there.
            Some((
                &rules::REFERENCE_BY_DIGEST,
                "has a digest",
                "an image is referred to by its tag",
                "remove the `@` and what follows".to_owned(),
            ))
        } else if image.tag().is_none() {
            Some((
                &rules::REFERENCE_WITHOUT_TAG,
                "has no tag",
                "no version",
                "add the image's version, such as `:v1.0.0`".to_owned(),
            ))
        } else if image.tag() == Some("latest") {
            Some((
                &rules::LATEST_TAG,
                "is another image every time that somebody pushes one",
                "the tag `latest`",
                "write the version that the release was tested with".to_owned(),
            ))
        } else if let Some(host) = image.host().filter(|host| *host != host.to_lowercase()) {
            let path = &image.as_str()[host.len()..];
            Some((
                &rules::UPPER_CASE_HOST,
                "names its registry in upper-case letters",
                "no path in a private registry can have them",
                format!("write `{}{path}`", host.to_lowercase()),
            ))
        } else if image.host().is_none() && !in_package {
            Some((
                &rules::SHORT_NAME,
                "names no registry",
                "every engine would ask docker.io for it",
                "put the registry in front, or add `source = \"package\"` to the component if the image comes \
                 in the vendor's package"
                    .to_owned(),
            ))
        } else if image.host().is_some() && in_package {
            Some((
                &rules::PACKAGE_IMAGE_WITH_HOST,
                "names a registry",
                "the image comes in the vendor's package",
                "write the short name that is in its archive, or remove the component's `source`"
                    .to_owned(),
            ))
        } else {
            None
        };
        if let Some((rule, wrong, label, help)) = finding {
            self.report(rule, text.span(), format!("`{image}` {wrong}"), label, help);
            return None;
        }
        Some(reference)
    }
}
