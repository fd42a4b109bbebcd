//! Release x minor -> plan. Every decision is made here; templates only write it down.
//!
//! The plan is also the context that every template sees, so its field names, in kebab-case, are a
//! contract: `templates/README.md` documents them. It holds no optional value: what may be absent
//! is an empty list. A list is in the table's order, or where it says so sorted by its meaning.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::image::ImageRef;
use crate::kubernetes::Minor;
use crate::spec::model::{Component, HelmKey, Image, ImageSource, Release, Scalar, Text, Workload};

/// All that a release needs: `release`, and `plans` with one plan for each minor, ascending.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReleasePlan {
    /// What holds on every minor.
    pub release: ReleaseFacts,
    /// One plan for each supported minor, ascending.
    pub plans: Vec<Plan>,
    /// The whole table: one entry a component, in the table's order.
    pub table: Vec<TableEntry>,
}

/// What holds on every minor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReleaseFacts {
    /// `huawei-csi`
    pub product: String,
    /// `4.5.0`
    pub version: String,
    /// The product's name for people.
    pub title: Text,
    /// The spec's path in the repository, for headers.
    pub spec: String,
    /// The first and the last supported minor.
    pub kubernetes: Ends,
    /// The architectures that the release is built for.
    pub architectures: Vec<String>,
    /// The vendor's package; all empty where the vendor ships none.
    pub package: PackageFacts,
    /// The Helm chart.
    pub chart: ChartFacts,
    /// The Kubernetes objects that run the containers.
    pub workloads: Vec<Workload>,
}

/// The ends of a range of minors.
#[derive(Debug, Serialize)]
pub struct Ends {
    /// The first minor.
    pub first: String,
    /// The last minor.
    pub last: String,
}

/// The vendor's software package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageFacts {
    /// The folder inside it that holds the image archives.
    pub folder: String,
}

/// The Helm chart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChartFacts {
    /// Its folder in the unpacked package.
    pub folder: String,
    /// The name of the Helm release.
    pub release_name: String,
    /// The namespace.
    pub namespace: String,
}

/// All that a release needs on one minor, decided.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// `1.16`
    pub kubernetes: String,
    /// The components that have an image here.
    pub components: Vec<PlannedComponent>,
    /// The components that the chart leaves out unless somebody turns them on.
    pub off_by_default: Vec<OffComponent>,
    /// The distinct images, sorted by reference.
    pub images: Vec<PlannedImage>,
    /// The registry images as a sync list: by host, repository and tag.
    pub registries: Vec<Registry>,
    /// The images by architecture, in the release's order.
    pub architectures: Vec<ArchitecturePlan>,
    /// The components that have no image here, and why.
    pub holes: Vec<PlannedHole>,
    /// The Helm values that this minor forces.
    pub settings: Vec<PlannedSetting>,
    /// The Helm values, images and settings, as the lines of a YAML document.
    pub values: Vec<ValueLine>,
    /// The image references alone as the lines of a YAML document.
    pub values_overlay: Vec<ValueLine>,
    /// The steps before `helm install`.
    pub steps: Vec<PlannedStep>,
    /// Where two images would land on one destination of a mirror, per layout.
    pub collisions: Collisions,
}

/// A component and its image on one minor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedComponent {
    /// `csi-provisioner`
    pub name: String,
    /// The container's name in the pod.
    pub container: String,
    /// The workloads that it runs in.
    pub workloads: Vec<String>,
    /// What it is for.
    pub description: Text,
    /// The reference as the table has it.
    pub reference: String,
    /// Whether the image comes in the vendor's package.
    pub is_package: bool,
}

/// A component that the chart leaves out unless one of its switches is set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OffComponent {
    /// The component's name.
    pub name: String,
    /// Its image.
    pub reference: String,
    /// The Helm values that turn it on, any one of them.
    pub switches: Vec<Switch>,
}

/// A Helm value that turns a component on.
#[derive(Debug, Serialize)]
pub struct Switch {
    /// The Helm value's key.
    pub key: HelmKey,
    /// The value.
    pub value: bool,
}

/// One image of a minor.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedImage {
    /// The reference as the table has it.
    pub reference: String,
    /// The whole name under which a node stores it.
    pub name: String,
    /// Whether it comes in the vendor's package; else from the registry in its reference.
    pub is_package: bool,
    /// Its place in a mirror of the scoped layout, behind the mirror's own address.
    pub scoped: String,
    /// Its place in a mirror of the flat layout.
    pub flat: String,
    /// Whether the scoped layout cannot hold it, because its host has a port.
    pub scoped_refused: bool,
    /// The architectures that it is built for.
    pub architectures: Vec<String>,
    /// The names of its archives in the vendor's package; none for a registry's image.
    pub archives: Vec<Archives>,
}

/// The names that an image's archive goes by, for one architecture.
#[derive(Clone, Debug, Serialize)]
pub struct Archives {
    /// `amd64`
    pub architecture: String,
    /// The names, the usual one first.
    pub names: Vec<String>,
}

/// A registry of the sync list.
#[derive(Debug, Serialize)]
pub struct Registry {
    /// `registry.k8s.io`
    pub host: String,
    /// Its repositories, sorted by name.
    pub repositories: Vec<Repository>,
}

/// A repository of the sync list.
#[derive(Debug, Serialize)]
pub struct Repository {
    /// `sig-storage/csi-attacher`
    pub name: String,
    /// Its tags, sorted; never none.
    pub tags: Vec<String>,
}

/// The images of one architecture.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArchitecturePlan {
    /// `arm64`
    pub name: String,
    /// Whether every image of the minor is built for it.
    pub complete: bool,
    /// The file of the vendor's package for it; none where the vendor ships no package.
    pub package_files: Vec<String>,
    /// Those that are.
    pub images: Vec<ArchitectureImage>,
    /// Those that are not.
    pub missing: Vec<MissingImage>,
}

/// An image that an architecture lacks.
#[derive(Debug, Serialize)]
pub struct MissingImage {
    /// The reference as the table has it.
    pub reference: String,
    /// The whole name under which a node would store it.
    pub name: String,
}

/// An image of one architecture.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArchitectureImage {
    /// The reference as the table has it.
    pub reference: String,
    /// The whole name under which a node stores it.
    pub name: String,
    /// Whether it comes in the vendor's package.
    pub is_package: bool,
    /// The names of its archive in the vendor's package; none for a registry's image.
    pub archives: Vec<String>,
}

/// A component without an image.
#[derive(Debug, Serialize)]
pub struct PlannedHole {
    /// The component's name.
    pub component: String,
    /// Why.
    pub reason: Text,
}

/// A Helm value that the minor forces.
#[derive(Debug, Serialize)]
pub struct PlannedSetting {
    /// The Helm value's key.
    pub key: HelmKey,
    /// What it has to be.
    pub value: Scalar,
    /// Why.
    pub reason: Text,
}

/// One line of a YAML document of Helm values.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ValueLine {
    /// The spaces in front.
    pub indent: String,
    /// The key.
    pub key: String,
    /// Whether it has a value; else it opens a group.
    pub is_leaf: bool,
    /// The value; an empty string where it opens a group.
    pub value: Scalar,
    /// Why the value is there: one text for a setting, none for an image.
    pub reasons: Vec<Text>,
    /// The whole name of the image that the value refers to; empty for anything else.
    pub name: String,
}

/// A step before `helm install`.
#[derive(Debug, Serialize)]
pub struct PlannedStep {
    /// The file or folder of the chart to delete.
    pub remove: String,
    /// Why.
    pub reason: Text,
}

/// Destinations that several images would share, per layout of a mirror.
#[derive(Debug, Serialize)]
pub struct Collisions {
    /// In the scoped layout.
    pub scoped: Vec<Collision>,
    /// In the flat layout.
    pub flat: Vec<Collision>,
}

/// One destination that several images would share.
#[derive(Debug, Serialize)]
pub struct Collision {
    /// The destination, behind the mirror's address.
    pub destination: String,
    /// The images.
    pub references: Vec<String>,
}

/// A component in the whole table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TableEntry {
    /// The component's name.
    pub name: String,
    /// The workloads that it runs in.
    pub workloads: Vec<String>,
    /// What it is for.
    pub description: Text,
    /// Its rows.
    pub rows: Vec<TableRow>,
    /// Its declared holes.
    pub holes: Vec<TableHole>,
    /// One cell a minor, ascending: the image's tag, or empty in a hole.
    pub cells: Vec<String>,
}

/// A row of the whole table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TableRow {
    /// The reference as the table has it.
    pub reference: String,
    /// The requirement as the table writes it.
    pub kubernetes: String,
    /// Whether the image comes in the vendor's package.
    pub is_package: bool,
    /// The architectures that it is built for.
    pub architectures: Vec<String>,
}

/// A hole of the whole table.
#[derive(Debug, Serialize)]
pub struct TableHole {
    /// The requirement as the spec writes it.
    pub kubernetes: String,
    /// Why.
    pub reason: Text,
}

/// Plans every minor of a release.
#[must_use]
pub fn plan(release: &Release) -> ReleasePlan {
    let outline = Outline::of(release);
    let plans: Vec<_> = release
        .kubernetes
        .minors()
        .map(|minor| plan_minor(release, minor, &outline))
        .collect();
    ReleasePlan {
        release: facts(release),
        table: table(release),
        plans,
    }
}

fn facts(release: &Release) -> ReleaseFacts {
    let package = release.package.as_ref();
    ReleaseFacts {
        product: release.product.clone(),
        version: release.version.clone(),
        title: release.title.clone(),
        spec: format!("spec/{}/{}.toml", release.product, release.version),
        kubernetes: Ends {
            first: release.kubernetes.first().to_string(),
            last: release.kubernetes.last().to_string(),
        },
        architectures: release.architectures.clone(),
        package: PackageFacts {
            folder: package.map_or_else(String::new, |package| package.image_folder.clone()),
        },
        chart: ChartFacts {
            folder: release.chart.folder.clone(),
            release_name: release.chart.release_name.clone(),
            namespace: release.chart.namespace.clone(),
        },
        workloads: release.workloads.clone(),
    }
}

fn plan_minor(release: &Release, minor: Minor, outline: &Outline<'_>) -> Plan {
    let chosen: Vec<(&Component, &Image)> = release
        .components
        .iter()
        .filter_map(|component| Some((component, row(component, minor)?)))
        .collect();
    let settings: Vec<_> = release
        .settings
        .iter()
        .filter(|setting| setting.kubernetes.value.includes(minor))
        .collect();
    let forced: HashMap<&HelmKey, &Scalar> = settings
        .iter()
        .map(|setting| (&setting.key.value, &setting.value))
        .collect();

    let images = distinct(chosen.iter().map(|(_, image)| *image));
    let mut leaves: HashMap<&HelmKey, Leaf<'_>> = HashMap::new();
    for (component, image) in &chosen {
        leaves.insert(
            &component.helm_key.value,
            Leaf::Image(&image.reference.value),
        );
    }
    let values_overlay = outline.lines(&leaves);
    for setting in &settings {
        leaves.insert(
            &setting.key.value,
            Leaf::Setting(&setting.value, &setting.reason),
        );
    }

    Plan {
        kubernetes: minor.to_string(),
        components: chosen
            .iter()
            .map(|(component, image)| planned(component, image))
            .collect(),
        off_by_default: chosen
            .iter()
            .filter(|(component, _)| !is_on(release, component, &forced))
            .map(|(component, image)| off(component, image))
            .collect(),
        registries: registries(&images),
        architectures: release
            .architectures
            .iter()
            .map(|architecture| for_architecture(release, architecture, &images))
            .collect(),
        holes: release
            .components
            .iter()
            .flat_map(|component| component.holes.iter().map(move |hole| (component, hole)))
            .filter(|(_, hole)| hole.kubernetes.value.includes(minor))
            .map(|(component, hole)| PlannedHole {
                component: component.name.value.clone(),
                reason: hole.reason.clone(),
            })
            .collect(),
        settings: settings
            .iter()
            .map(|setting| PlannedSetting {
                key: setting.key.value.clone(),
                value: setting.value.clone(),
                reason: setting.reason.clone(),
            })
            .collect(),
        values: outline.lines(&leaves),
        values_overlay,
        steps: release
            .steps
            .iter()
            .filter(|step| step.kubernetes.value.includes(minor))
            .map(|step| PlannedStep {
                remove: step.remove.clone(),
                reason: step.reason.clone(),
            })
            .collect(),
        collisions: Collisions {
            scoped: collisions(&images, |image| &image.scoped),
            flat: collisions(&images, |image| &image.flat),
        },
        images: images.into_iter().map(|(_, planned)| planned).collect(),
    }
}

/// The row of a component for a minor; the rules have seen to it that there is at most one.
fn row(component: &Component, minor: Minor) -> Option<&Image> {
    component
        .images
        .iter()
        .find(|image| image.kubernetes.value.includes(minor))
}

fn planned(component: &Component, image: &Image) -> PlannedComponent {
    PlannedComponent {
        name: component.name.value.clone(),
        container: component.container.clone(),
        workloads: component.workloads.clone(),
        description: component.description.clone(),
        reference: image.reference.value.to_string(),
        is_package: image.source != ImageSource::Registry,
    }
}

/// Whether the chart deploys a component when nothing but the forced settings is set.
fn is_on(release: &Release, component: &Component, forced: &HashMap<&HelmKey, &Scalar>) -> bool {
    component.enabled_when.is_empty()
        || component.enabled_when.iter().any(|condition| {
            let is = match forced.get(&condition.key) {
                Some(Scalar::Bool(value)) => Some(value),
                Some(_) => None,
                None => release.chart.defaults.get(&condition.key),
            };
            is == Some(&condition.is)
        })
}

fn off(component: &Component, image: &Image) -> OffComponent {
    let switch = |key: &HelmKey, value: bool| Switch {
        key: key.clone(),
        value,
    };
    OffComponent {
        name: component.name.value.clone(),
        reference: image.reference.value.to_string(),
        switches: component
            .enabled_when
            .iter()
            .map(|when| switch(&when.key, when.is))
            .collect(),
    }
}

/// The distinct images of some rows, sorted by reference.
fn distinct<'a>(rows: impl Iterator<Item = &'a Image>) -> Vec<(&'a ImageRef, PlannedImage)> {
    let by_reference: BTreeMap<&ImageRef, &Image> =
        rows.map(|image| (&image.reference.value, image)).collect();
    by_reference
        .into_iter()
        .map(|(reference, image)| (reference, planned_image(reference, image)))
        .collect()
}

fn planned_image(reference: &ImageRef, image: &Image) -> PlannedImage {
    let tag = reference.tag().unwrap_or_default();
    let flat = format!("{}:{tag}", reference.base_name());
    let archives = match &image.source {
        ImageSource::Registry => Vec::new(),
        ImageSource::Package(archives) => archives
            .iter()
            .map(|(architecture, names)| Archives {
                architecture: architecture.clone(),
                names: names.clone(),
            })
            .collect(),
    };
    PlannedImage {
        reference: reference.to_string(),
        name: reference.whole_name(),
        is_package: image.source != ImageSource::Registry,
        // What `skopeo sync --scoped` makes of it; the vendor's guide puts its own images at the top.
        scoped: match reference.host() {
            Some(_) => reference.to_string(),
            None => flat.clone(),
        },
        flat,
        // A port in the middle of a reference is no reference: HOST/source:5000/path.
        scoped_refused: reference.host().is_some_and(|host| host.contains(':')),
        architectures: image.architectures.clone(),
        archives,
    }
}

fn registries(images: &[(&ImageRef, PlannedImage)]) -> Vec<Registry> {
    let mut hosts: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (reference, image) in images {
        if let (false, Some(host), Some(tag)) =
            (image.is_package, reference.host(), reference.tag())
        {
            hosts
                .entry(host)
                .or_default()
                .entry(reference.path())
                .or_default()
                .push(tag.to_owned());
        }
    }
    let repository = |(name, tags): (&str, Vec<String>)| Repository {
        name: name.to_owned(),
        tags,
    };
    hosts
        .into_iter()
        .map(|(host, repositories)| Registry {
            host: host.to_owned(),
            repositories: repositories.into_iter().map(repository).collect(),
        })
        .collect()
}

fn for_architecture(
    release: &Release,
    architecture: &str,
    images: &[(&ImageRef, PlannedImage)],
) -> ArchitecturePlan {
    let (built, missing): (Vec<_>, Vec<_>) = images
        .iter()
        .map(|(_, image)| image)
        .partition(|image| image.architectures.iter().any(|name| name == architecture));
    let archives = |image: &PlannedImage| {
        let own = image
            .archives
            .iter()
            .find(|archives| archives.architecture == architecture);
        own.map_or_else(Vec::new, |archives| archives.names.clone())
    };
    ArchitecturePlan {
        name: architecture.to_owned(),
        complete: missing.is_empty(),
        package_files: release
            .package
            .iter()
            .flat_map(|package| &package.files)
            .filter(|(name, _)| name == architecture)
            .map(|(_, file)| file.clone())
            .collect(),
        images: built
            .into_iter()
            .map(|image| ArchitectureImage {
                reference: image.reference.clone(),
                name: image.name.clone(),
                is_package: image.is_package,
                archives: archives(image),
            })
            .collect(),
        missing: missing
            .into_iter()
            .map(|image| MissingImage {
                reference: image.reference.clone(),
                name: image.name.clone(),
            })
            .collect(),
    }
}

fn collisions(
    images: &[(&ImageRef, PlannedImage)],
    destination: impl Fn(&PlannedImage) -> &String,
) -> Vec<Collision> {
    let mut by_destination: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (_, image) in images {
        by_destination
            .entry(destination(image))
            .or_default()
            .push(image.reference.clone());
    }
    by_destination
        .into_iter()
        .filter(|(_, references)| references.len() > 1)
        .map(|(destination, references)| Collision {
            destination: destination.clone(),
            references,
        })
        .collect()
}

fn table(release: &Release) -> Vec<TableEntry> {
    let entry = |component: &Component| TableEntry {
        name: component.name.value.clone(),
        workloads: component.workloads.clone(),
        description: component.description.clone(),
        rows: component
            .images
            .iter()
            .map(|image| TableRow {
                reference: image.reference.value.to_string(),
                kubernetes: image.kubernetes.value.to_string(),
                is_package: image.source != ImageSource::Registry,
                architectures: image.architectures.clone(),
            })
            .collect(),
        holes: component
            .holes
            .iter()
            .map(|hole| TableHole {
                kubernetes: hole.kubernetes.value.to_string(),
                reason: hole.reason.clone(),
            })
            .collect(),
        cells: release
            .kubernetes
            .minors()
            .map(|minor| {
                let tag = row(component, minor).and_then(|image| image.reference.value.tag());
                tag.unwrap_or_default().to_owned()
            })
            .collect(),
    };
    release.components.iter().map(entry).collect()
}

/// What a Helm value is.
enum Leaf<'a> {
    Image(&'a ImageRef),
    Setting(&'a Scalar, &'a Text),
}

/// Every Helm key of a release in the order of a YAML document: keys with a common start stand
/// together, and otherwise in the spec's order.
struct Outline<'a>(Vec<&'a HelmKey>);

impl<'a> Outline<'a> {
    fn of(release: &'a Release) -> Self {
        let images = release
            .components
            .iter()
            .map(|component| &component.helm_key.value);
        let settings = release.settings.iter().map(|setting| &setting.key.value);
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut keys: Vec<(Vec<usize>, &HelmKey)> = Vec::new();
        for key in images.chain(settings) {
            let text = key.as_str();
            let dots = text.match_indices('.').map(|(dot, _)| dot);
            let starts = dots.chain([text.len()]).map(|end| &text[..end]);
            let mut rank = |start| {
                let next = seen.len();
                *seen.entry(start).or_insert(next)
            };
            keys.push((starts.map(&mut rank).collect(), key));
        }
        keys.sort();
        keys.dedup();
        Self(keys.into_iter().map(|(_, key)| key).collect())
    }

    /// The lines of a YAML document that holds these values and no others.
    fn lines(&self, leaves: &HashMap<&HelmKey, Leaf<'_>>) -> Vec<ValueLine> {
        let mut lines = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for key in &self.0 {
            let Some(leaf) = leaves.get(key) else {
                continue;
            };
            let mut groups: Vec<&str> = key.elements().collect();
            let last = groups.pop().unwrap_or_default();
            let common = open.iter().zip(&groups).take_while(|(a, b)| a == b).count();
            for (depth, group) in groups.iter().enumerate().skip(common) {
                lines.push(ValueLine {
                    indent: "  ".repeat(depth),
                    key: (*group).to_owned(),
                    is_leaf: false,
                    value: Scalar::String(String::new()),
                    reasons: Vec::new(),
                    name: String::new(),
                });
            }
            let indent = "  ".repeat(groups.len());
            lines.push(match leaf {
                Leaf::Image(reference) => ValueLine {
                    indent,
                    key: last.to_owned(),
                    is_leaf: true,
                    value: Scalar::String(reference.to_string()),
                    reasons: Vec::new(),
                    name: reference.whole_name(),
                },
                Leaf::Setting(value, reason) => ValueLine {
                    indent,
                    key: last.to_owned(),
                    is_leaf: true,
                    value: (*value).clone(),
                    reasons: vec![(*reason).clone()],
                    name: String::new(),
                },
            });
            open = groups;
        }
        lines
    }
}
