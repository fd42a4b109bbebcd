//! A release: its own file, `<release>.toml`, and what of the product holds for it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::chart::Chart;
use super::component::{Around, Component, Image, RawRows};
use super::limit::{Hole, Setting};
use super::note::{Acknowledgement, Note};
use super::package::Package;
use super::product::RawProduct;
use super::reader::{Reader, VERSION, is_dns_label, is_path_part, is_version};
use super::spanned::{Key, Located, Spanned};
use super::text::Text;
use super::value::HelmKey;
use super::workload::Workload;
use super::{FORMAT, SCHEMA, rules};
use crate::diagnostic::{Diagnostic, Span};
use crate::kubernetes::{Minor, Requirement, Supported};

/// The most architectures; every row has its list of them.
const MOST_ARCHITECTURES: usize = 16;

/// One release of a driver: one table of images, row by row as the vendor publishes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Release")]
pub struct RawRelease {
    /// The version of this format, the first key of the file: 2.
    #[schemars(required, range(min = 2, max = 2))]
    pub schema: Key<i64>,
    /// The Kubernetes minors that the release supports, as closed ranges: `["v1.16-v1.30"]`, or with a
    /// hole `["v1.16.x", "v1.18-v1.27"]`. They bound every `+`.
    #[schemars(required, length(min = 1))]
    pub kubernetes: Key<Vec<Spanned<String>>>,
    /// The architectures that the release is built for, by their OCI names: `amd64`, `arm64`.
    #[schemars(required, length(min = 1))]
    pub architectures: Key<Vec<Spanned<String>>>,
    /// The table: by component, the image reference for each Kubernetes requirement, as the vendor's
    /// table writes both: `csi-attacher."v1.17+" = "k8s.gcr.io/sig-storage/csi-attacher:v3.4.0"`. In a
    /// reference `{release}` is the release's version. The image of the vendor's package has the short
    /// name that is in its archive: `huawei-csi:{release}`.
    #[schemars(required)]
    pub images: Key<BTreeMap<Spanned<String>, Spanned<RawRows>>>,
}

/// One release of a product: what its spec says, in types that can hold nothing else. It still may break
/// a rule over the whole table (a gap, an overlap): [`crate::rules`] looks for that, which is why places
/// are kept here.
#[derive(Clone, Debug)]
pub struct Release {
    /// `huawei-csi`
    pub product: String,
    /// `4.5.0`
    pub version: String,
    /// The product's name for people.
    pub title: Text,
    /// The minors that the release supports.
    pub kubernetes: Supported,
    /// The architectures that the release is built for, in the spec's order.
    pub architectures: Vec<String>,
    /// The vendor's package.
    pub package: Option<Package>,
    /// The Helm chart.
    pub chart: Chart,
    /// The Kubernetes objects that run the containers.
    pub workloads: Vec<Workload>,
    /// The table, in the spec's order.
    pub components: Vec<Component>,
    /// Helm values that follow from the Kubernetes version.
    pub settings: Vec<Setting>,
    /// What has to leave the chart before the installation.
    pub removals: Vec<Removal>,
    /// Warnings that somebody has looked at.
    pub acknowledgements: Vec<Acknowledgement>,
    /// What the pages tell their readers.
    pub notes: Vec<Note>,
    /// Whether the spec could be read without an error; else what was refused is left out, or blank.
    pub is_whole: bool,
}

/// A part of the chart that must not be installed on some minors.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The file or folder of the chart, and where the spec names it.
    pub path: Located<String>,
    /// On which minors.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}

impl Release {
    /// Every row of the table with its component, in the table's order.
    pub fn rows(&self) -> impl Iterator<Item = (&Component, &Image)> {
        self.components.iter().flat_map(|component| {
            let images = component.images.iter();
            images.map(move |image| (component, image))
        })
    }

    /// The Helm values that a minor forces.
    #[must_use]
    pub fn forced(&self, minor: Minor) -> HashMap<&HelmKey, &Value> {
        let bound = |setting: &&Setting| setting.kubernetes.value.includes(minor);
        let settings = self.settings.iter().filter(bound);
        settings
            .map(|setting| (&setting.key.value, &setting.value))
            .collect()
    }

    /// The Helm values that each minor forces.
    #[must_use]
    pub fn forced_by_minor(&self) -> Vec<(Minor, HashMap<&HelmKey, &Value>)> {
        let minors = self.kubernetes.minors();
        minors.map(|minor| (minor, self.forced(minor))).collect()
    }

    /// Whether the chart deploys a component when nothing but the forced values is set.
    #[must_use]
    pub fn is_on(&self, component: &Component, forced: &HashMap<&HelmKey, &Value>) -> bool {
        let is_so = |key: &HelmKey| {
            let value = forced.get(key).copied();
            value.or_else(|| self.chart.defaults.get(key))
        };
        component.ways.is_empty()
            || component.ways.iter().any(|way| {
                let mut conditions = way.iter();
                conditions.all(|condition| is_so(&condition.key) == Some(&condition.is))
            })
    }
}

/// A release as far as it could be read.
pub struct Read {
    /// The release; none if nothing more can be said of it.
    pub release: Option<Release>,
    /// What is wrong.
    pub found: Vec<Diagnostic>,
    /// What of the product this release uses, each by where it starts.
    pub used: BTreeSet<usize>,
    /// What is wrong if no release of the product uses what it points at.
    pub unused: Vec<Diagnostic>,
}

/// What is read: a name, and the file.
pub struct Written<'w, T> {
    /// The name that the file's path says.
    pub name: &'w str,
    /// Where the file starts.
    pub top: Span,
    /// What is in it.
    pub raw: &'w T,
}

/// Reads a release. The reader has what reading the syntax of the two files has found.
pub fn read(
    mut reader: Reader,
    product: &Written<'_, RawProduct>,
    release: &Written<'_, RawRelease>,
) -> Read {
    release.name.clone_into(&mut reader.version);
    let release = reader.release(product, release);
    Read {
        release,
        found: reader.found,
        used: reader.used,
        unused: reader.unused,
    }
}

impl Reader {
    fn release(
        &mut self,
        product: &Written<'_, RawProduct>,
        release: &Written<'_, RawRelease>,
    ) -> Option<Release> {
        let known = [
            self.is_known(&product.raw.schema, product.top.start..release.top.start),
            self.is_known(&release.raw.schema, release.top.start..usize::MAX),
        ];
        self.path_names((product.name, &product.top), (release.name, &release.top));
        if known != [true, true] {
            return None;
        }
        let (raw, top) = (release.raw, &release.top);
        self.supported = self.supported_minors(&raw.kubernetes, top);
        let architectures = self.release_architectures(&raw.architectures, top);
        let table = self.require(&raw.images, "images", top, "{ ... }");

        let (raw, top) = (product.raw, &product.top);
        let title = self.title(&raw.title, "title", top);
        let package = raw.package.as_ref().map(|package| self.package(package));
        let chart = self
            .require(&raw.chart, "chart", top, "{ name = \"...\", ... }")
            .map(|chart| self.chart(chart))
            .unwrap_or_default();
        for (name, is_empty) in [
            ("workload", raw.workload.is_empty()),
            ("component", raw.component.is_empty()),
        ] {
            if is_empty && !self.is_removed(name, top) {
                self.report(
                    &rules::MISSING_KEY,
                    top.clone(),
                    format!("the product has no `[{name}]`"),
                    "in this file",
                    format!("add a `[{name}.NAME]` for each {name}"),
                );
            }
        }
        let workloads = self.workloads(&raw.workload);
        let limits = self.limits(&raw.limit);
        for (name, _) in &limits.holes {
            let name = Spanned::new(name.span.clone(), name.value.clone());
            self.known_component(&name, &raw.component);
        }
        let around = Around {
            switches: self.switches(&raw.switch, &chart, &raw.component),
            platforms: self.platforms(&raw.platforms),
            has_package: package.is_some(),
            package: package.as_ref().and_then(Option::as_ref),
            workloads: raw
                .workload
                .keys()
                .map(|name| name.get_ref().as_str())
                .collect(),
            holes: limits.holes,
        };
        let components = table.map(|table| self.table(product, table, &around));
        let components = components.unwrap_or_default();
        let removals = chart.crds.iter().flat_map(|crds| {
            let component = Spanned::new(crds.component.span.clone(), crds.component.value.clone());
            self.known_component(&component, &raw.component);
            let holes = around.holes.iter();
            let holes = holes.filter(|(name, _)| name.value == crds.component.value);
            holes.map(|(_, hole): &(_, Hole)| Removal {
                path: crds.path.clone(),
                kubernetes: hole.kubernetes.clone(),
                reason: hole.reason.clone(),
            })
        });
        let removals = removals.collect();
        let notes = self.notes(&raw.note, &raw.component);
        let acknowledgements = self.acknowledgements(&raw.acknowledge);
        Some(Release {
            product: product.name.to_owned(),
            version: self.version.clone(),
            title,
            kubernetes: self.supported.clone()?,
            architectures,
            components,
            settings: limits.settings,
            removals,
            acknowledgements,
            notes,
            is_whole: !self.found.iter().any(Diagnostic::is_error),
            package: package.flatten(),
            workloads,
            chart,
        })
    }

    /// Whether a file is of the version of the format that is read.
    fn is_known(&mut self, schema: &Key<i64>, file: Span) -> bool {
        let top = file.start..file.start;
        let Some(schema) = self.require(schema, "schema", &top, "2") else {
            return true;
        };
        let is_known = *schema.get_ref() == SCHEMA;
        if !is_known {
            // What else is wrong with it was written for another format.
            self.found
                .retain(|finding| !file.contains(&finding.span.start));
            self.report(
                &rules::UNSUPPORTED_SCHEMA,
                schema.span(),
                format!(
                    "schema {} is not one that this tool reads",
                    schema.get_ref()
                ),
                "the version of the spec's format",
                format!("write the file in the format {SCHEMA}, and `schema = {SCHEMA}`"),
            );
        }
        is_known
    }

    /// The names of which a file's path is made, and with it the paths of what is generated.
    fn path_names(&mut self, product: (&str, &Span), release: (&str, &Span)) {
        let of = "letters, digits, `.`, `_`, `+` and `-`, a letter or digit first, at most 63";
        let written = |(name, top): (&str, &Span)| Spanned::new(top.clone(), name.to_owned());
        let _ = self.named(&written(release), "release", is_version, VERSION);
        let is_name = self.named(&written(product), "product", is_path_part, of);
        if is_name.is_some_and(|name| name == FORMAT) {
            self.report(
                &rules::MALFORMED_NAME,
                product.1.clone(),
                format!("a product cannot be named {FORMAT:?}"),
                "in this file",
                "name it otherwise: the files about the format of a spec have this folder",
            );
        }
    }

    fn supported_minors(
        &mut self,
        key: &Key<Vec<Spanned<String>>>,
        top: &Span,
    ) -> Option<Supported> {
        let parts = self.require(key, "kubernetes", top, "[\"v1.16-v1.30\"]")?;
        self.not_empty(parts, "`kubernetes`", "add a range");
        let mut minors = Vec::new();
        let mut is_whole = true;
        for part in parts.get_ref() {
            let read = self.parsed(part, &rules::MALFORMED_RANGE, Supported::parse_part);
            is_whole &= read.is_some();
            let read = read.unwrap_or_default();
            if let Some(twice) = read.iter().find(|minor| minors.contains(*minor)) {
                self.report(
                    &rules::DUPLICATE_NAME,
                    part.span(),
                    format!("Kubernetes {twice} is in two parts of `kubernetes`"),
                    "again here",
                    "narrow one of the two",
                );
            }
            minors.extend(read);
        }
        Supported::of(minors).filter(|_| is_whole)
    }

    fn release_architectures(
        &mut self,
        key: &Key<Vec<Spanned<String>>>,
        top: &Span,
    ) -> Vec<String> {
        let names = self.require(key, "architectures", top, "[\"amd64\", \"arm64\"]");
        let Some(names) = names else {
            return Vec::new();
        };
        self.not_empty(names, "`architectures`", "add one");
        let (length, span) = (names.get_ref().len(), names.span());
        let what = "`architectures`";
        if self.too_long(length, MOST_ARCHITECTURES, span, what, "entries") {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let mut valid = Vec::new();
        for name in names.get_ref() {
            self.once(&mut seen, name, "architecture");
            let of = "lower-case letters and digits, such as `amd64`";
            let sound = |text: &str| is_dns_label(text) && !text.contains('-');
            valid.extend(self.named(name, "architecture", sound, of));
        }
        self.architectures.clone_from(&valid);
        valid
    }

    /// The components of the table, in the file's order.
    fn table(
        &mut self,
        product: &Written<'_, RawProduct>,
        table: &Spanned<BTreeMap<Spanned<String>, Spanned<RawRows>>>,
        around: &Around<'_>,
    ) -> Vec<Component> {
        let mut rows: Vec<_> = table.get_ref().iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        let known = &product.raw.component;
        for (name, raw) in known {
            let has_rows = rows.iter().any(|(row, _)| row.get_ref() == name.get_ref());
            if self.holds(raw) && !has_rows {
                let finding = Diagnostic::new(
                    &rules::MISSING_ROW,
                    table.span(),
                    format!("the table has no row of the component `{}`", name.get_ref()),
                    "in this table",
                    format!(
                        "add `{}.\"v1.16+\" = \"...\"`, or say by `since` or `before` that the release does \
                         not have it",
                        name.get_ref()
                    ),
                );
                self.found
                    .push(finding.with_other(name.span(), "the component"));
            }
        }
        let mut components = Vec::new();
        for (name, rows) in rows {
            let component = known
                .iter()
                .find(|(known, _)| known.get_ref() == name.get_ref());
            match component {
                Some((known, raw)) => {
                    if !self.holds(raw) {
                        let version = self.version.clone();
                        self.found.push(
                            Diagnostic::new(
                                &rules::UNKNOWN_COMPONENT,
                                name.span(),
                                format!("`{}` is no component of {version}", name.get_ref()),
                                "a row of it",
                                "remove the row, or widen the component's `since` or `before`",
                            )
                            .with_other(known.span(), "the component"),
                        );
                    }
                    let component = self.component(name, rows.get_ref(), raw, around);
                    // Where a row was lost, the others would seem to leave a gap.
                    components.extend(component.filter(|_| !self.has_lost(&rows.span())));
                }
                None => self.known_component(name, known),
            }
        }
        components
    }
}
