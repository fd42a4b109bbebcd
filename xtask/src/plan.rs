//! Release x minor -> plan. Every decision is made here; templates only write it down.
//!
//! The plan is also the context that every template sees, so its field names, in kebab-case, are a
//! contract: `templates/README.md` documents them. It holds no optional value: what may be absent
//! is an empty list. A list is in the table's order, or where it says so sorted by its meaning.
//!
//! Most rows are the same on most minors, so each is made once and [`Shared`]: a plan of a minor
//! only says which rows it has.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::image::ImageRef;
use crate::kubernetes::Minor;
use crate::spec::model::{
    Component, Condition, HelmKey, Image, ImageSource, Note, Release, Scalar, Setting, Text,
};

/// A row that the plans of several minors have in common.
///
/// It serializes as its number in [`Rows`], where the templates' helper `rows` finds it.
#[derive(Debug)]
pub struct Shared<T> {
    number: usize,
    row: Arc<T>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            number: self.number,
            row: Arc::clone(&self.row),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

impl<T> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number as u64)
    }
}

/// Every shared row of a release, by number.
#[derive(Debug, Default)]
pub struct Rows(Vec<Arc<dyn Row>>);

/// A row of any type.
trait Row: Debug + Send + Sync {
    fn json(&self) -> Value;
}

impl<T: Debug + Serialize + Send + Sync> Row for T {
    fn json(&self) -> Value {
        // A row is a struct of strings, booleans and lists, all of which JSON has.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Rows {
    fn share<T: Row + 'static>(&mut self, row: T) -> Shared<T> {
        let shared = Shared {
            number: self.0.len(),
            row: Arc::new(row),
        };
        self.0.push(shared.row.clone());
        shared
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks that")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A row as the templates see it.
    ///
    /// # Panics
    /// When no row has this number.
    #[must_use]
    pub fn json(&self, number: usize) -> Value {
        self.0[number].json()
    }
}

/// All that a release needs, on every minor.
#[derive(Debug)]
pub struct ReleasePlan {
    /// What holds on every minor.
    pub release: ReleaseFacts,
    /// One plan for each supported minor, ascending.
    pub plans: Vec<Plan>,
    /// The whole table: one entry a component, in the table's order.
    pub table: Vec<TableEntry>,
    /// The rows that the plans share.
    pub rows: Rows,
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
    pub workloads: Vec<WorkloadFacts>,
    /// What the reader should know, of any minor.
    pub notes: Vec<PlannedNote>,
}

/// A Kubernetes object that runs containers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorkloadFacts {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The service account that its Pods run under.
    pub service_account: String,
}

/// Something that the reader should know: warnings that the vendor has accepted.
#[derive(Debug, Serialize)]
pub struct PlannedNote {
    /// What it is about, such as an image's reference.
    pub subjects: Vec<String>,
    /// What to know.
    pub reason: Text,
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
    pub components: Vec<Shared<PlannedComponent>>,
    /// The components that the chart leaves out unless somebody turns them on.
    pub off_by_default: Vec<OffComponent>,
    /// The distinct images, sorted by reference.
    pub images: Vec<Shared<PlannedImage>>,
    /// The registry images as a sync list: by host, repository and tag.
    pub registries: Vec<Registry>,
    /// The images by architecture, in the release's order.
    pub architectures: Vec<ArchitecturePlan>,
    /// The architectures for which every image is there, in the release's order.
    pub built_for: Vec<String>,
    /// The components that have no image here, and why.
    pub holes: Vec<PlannedHole>,
    /// The Helm values that this minor forces.
    pub settings: Vec<PlannedSetting>,
    /// The Helm values, images and settings, as the lines of a YAML document.
    pub values: Vec<Shared<ValueLine>>,
    /// The image references alone as the lines of a YAML document.
    pub values_overlay: Vec<Shared<ValueLine>>,
    /// The steps before `helm install`.
    pub steps: Vec<PlannedStep>,
    /// What the reader should know of this minor.
    pub notes: Vec<PlannedNote>,
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
    /// The options of Helm that turn it on, any one of them: `--set feature.enabled=true`.
    pub switches: Vec<String>,
}

/// One image of a minor.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedImage {
    /// The reference as the table has it.
    pub reference: String,
    /// The whole name under which a node stores it.
    pub name: String,
    /// The reference without its tag.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Its package URL, of type `oci`.
    pub purl: String,
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
    /// Its repositories, sorted.
    pub repositories: Vec<Shared<Repository>>,
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
    pub images: Vec<Shared<ArchitectureImage>>,
    /// Those that are not.
    pub missing: Vec<Shared<MissingImage>>,
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
    /// The value, which of an image is its whole name; an empty string where it opens a group.
    pub value: Scalar,
    /// Why the value is there: one text for a setting, none for an image.
    pub reasons: Vec<Text>,
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
    /// The Helm values that deploy it, any one of them; none where it always runs.
    pub enabled_when: Vec<Switch>,
    /// One cell a minor, ascending: the image's tag, or a dash in a hole.
    pub cells: Vec<String>,
}

/// A Helm value that deploys a component.
#[derive(Debug, Serialize)]
pub struct Switch {
    /// What it has to be: `feature.enabled=true`.
    pub value: String,
    /// What the chart sets it to: `feature.enabled=false`.
    pub default: String,
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
    let mut planner = Planner::new(release);
    let plans = release
        .kubernetes
        .minors()
        .map(|minor| planner.minor(minor))
        .collect();
    ReleasePlan {
        release: facts(release),
        table: table(release),
        plans,
        rows: planner.rows,
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
        workloads: release
            .workloads
            .iter()
            .map(|workload| WorkloadFacts {
                name: workload.name.value.clone(),
                kind: workload.kind.clone(),
                service_account: workload.service_account.clone(),
            })
            .collect(),
        notes: planned_notes(release, |_| true),
    }
}

/// The notes about something on the minors that are meant.
fn planned_notes(release: &Release, meant: impl Fn(&[Minor]) -> bool) -> Vec<PlannedNote> {
    let about = |note: &Note| {
        let subjects = note.subjects.iter().filter(|(_, minors)| meant(minors));
        PlannedNote {
            subjects: subjects.map(|(subject, _)| subject.clone()).collect(),
            reason: note.reason.clone(),
        }
    };
    let notes = release.notes.iter().map(about);
    notes.filter(|note| !note.subjects.is_empty()).collect()
}

/// What is the same on every minor, made once.
struct Planner<'r> {
    release: &'r Release,
    rows: Rows,
    /// By component and row of the table.
    components: Vec<Vec<ComponentRow>>,
    /// The distinct images of the whole release, sorted by reference.
    images: Vec<DistinctImage<'r>>,
    /// Destinations in a mirror that several of these have, per layout.
    shared_scoped: Vec<(String, Vec<usize>)>,
    shared_flat: Vec<(String, Vec<usize>)>,
    /// Every Helm value, in the order of a YAML document.
    outline: Vec<Slot>,
    /// The lines that open a group of Helm values.
    groups: Vec<Shared<ValueLine>>,
    /// Repositories by the images that they hold.
    repositories: HashMap<Vec<usize>, Shared<Repository>>,
}

/// A component with one of its images.
struct ComponentRow {
    planned: Shared<PlannedComponent>,
    value: Shared<ValueLine>,
    /// The image's place among the distinct images.
    image: usize,
}

struct DistinctImage<'r> {
    reference: &'r ImageRef,
    planned: Shared<PlannedImage>,
    missing: Shared<MissingImage>,
    /// By the release's architectures; none for one that the image is not built for.
    architectures: Vec<Option<Shared<ArchitectureImage>>>,
}

/// A Helm value's place in a YAML document.
struct Slot {
    source: Source,
    /// The groups around it, from the root down.
    groups: Vec<usize>,
}

/// What a Helm value is for.
enum Source {
    /// The image of a component, by its place in the table.
    Component(usize),
    /// Settings of one key, each with its place in the spec and its line.
    Settings(Vec<(usize, Shared<ValueLine>)>),
}

impl<'r> Planner<'r> {
    fn new(release: &'r Release) -> Self {
        let mut rows = Rows::default();
        let table = release
            .components
            .iter()
            .flat_map(|component| &component.images);
        let distinct: BTreeMap<&ImageRef, &Image> =
            table.map(|image| (&image.reference.value, image)).collect();
        let places: HashMap<&ImageRef, usize> = distinct
            .keys()
            .enumerate()
            .map(|(place, reference)| (*reference, place))
            .collect();
        let images: Vec<_> = distinct
            .into_iter()
            .map(|(reference, image)| distinct_image(release, reference, image, &mut rows))
            .collect();
        let shared_scoped = shared_destinations(&images, |image| &image.scoped);
        let shared_flat = shared_destinations(&images, |image| &image.flat);
        let components = release
            .components
            .iter()
            .map(|component| {
                let row = |image: &Image| ComponentRow {
                    planned: rows.share(planned_component(component, image)),
                    value: rows.share(image_line(
                        &component.helm_key.value,
                        &image.reference.value,
                    )),
                    image: places[&image.reference.value],
                };
                component.images.iter().map(row).collect()
            })
            .collect();
        let (outline, groups) = outline(release, &mut rows);
        let repositories = HashMap::new();
        Self {
            release,
            rows,
            components,
            images,
            shared_scoped,
            shared_flat,
            outline,
            groups,
            repositories,
        }
    }

    fn minor(&mut self, minor: Minor) -> Plan {
        let release = self.release;
        // The row of each component; the rules have seen to it that there is at most one.
        let chosen: Vec<Option<usize>> = release
            .components
            .iter()
            .map(|component| {
                component
                    .images
                    .iter()
                    .position(|image| image.kubernetes.value.includes(minor))
            })
            .collect();
        let rows: Vec<(&Component, &ComponentRow)> = chosen
            .iter()
            .enumerate()
            .filter_map(|(place, row)| {
                Some((&release.components[place], &self.components[place][(*row)?]))
            })
            .collect();
        let mut places: Vec<usize> = rows.iter().map(|(_, row)| row.image).collect();
        places.sort_unstable();
        places.dedup();
        let images: Vec<&DistinctImage<'r>> =
            places.iter().map(|place| &self.images[*place]).collect();
        let bound: Vec<bool> = release
            .settings
            .iter()
            .map(|setting| setting.kubernetes.value.includes(minor))
            .collect();
        let settings = || {
            release
                .settings
                .iter()
                .zip(&bound)
                .filter(|(_, bound)| **bound)
                .map(|(s, _)| s)
        };
        let forced = forced(release, minor);
        let architectures: Vec<_> = release
            .architectures
            .iter()
            .enumerate()
            .map(|(place, name)| for_architecture(release, place, name, &images))
            .collect();

        let plan = Plan {
            kubernetes: minor.to_string(),
            components: rows.iter().map(|(_, row)| row.planned.clone()).collect(),
            off_by_default: rows
                .iter()
                .filter(|(component, _)| !is_on(release, component, &forced))
                .map(|(component, row)| off(component, &row.planned))
                .collect(),
            images: images.iter().map(|image| image.planned.clone()).collect(),
            registries: Vec::new(),
            built_for: architectures
                .iter()
                .filter(|architecture| architecture.complete)
                .map(|architecture| architecture.name.clone())
                .collect(),
            architectures,
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
            settings: settings()
                .map(|setting| PlannedSetting {
                    key: setting.key.value.clone(),
                    value: setting.value.clone(),
                    reason: setting.reason.clone(),
                })
                .collect(),
            values: self.values(&chosen, Some(&bound)),
            values_overlay: self.values(&chosen, None),
            steps: release
                .steps
                .iter()
                .filter(|step| step.kubernetes.value.includes(minor))
                .map(|step| PlannedStep {
                    remove: step.remove.clone(),
                    reason: step.reason.clone(),
                })
                .collect(),
            notes: planned_notes(release, |minors| minors.contains(&minor)),
            collisions: Collisions {
                scoped: self.collisions(&self.shared_scoped, &places),
                flat: self.collisions(&self.shared_flat, &places),
            },
        };
        Plan {
            registries: self.registries(&places),
            ..plan
        }
    }

    /// The lines of a YAML document with the images of the chosen rows and the bound settings.
    fn values(&self, chosen: &[Option<usize>], bound: Option<&[bool]>) -> Vec<Shared<ValueLine>> {
        let mut lines = Vec::new();
        let mut open: &[usize] = &[];
        for slot in &self.outline {
            let line = match &slot.source {
                Source::Component(place) => {
                    chosen[*place].map(|row| &self.components[*place][row].value)
                }
                Source::Settings(lines) => bound.and_then(|bound| {
                    lines
                        .iter()
                        .find(|(place, _)| bound[*place])
                        .map(|(_, line)| line)
                }),
            };
            let Some(line) = line else {
                continue;
            };
            let common = open
                .iter()
                .zip(&slot.groups)
                .take_while(|(a, b)| a == b)
                .count();
            lines.extend(
                slot.groups[common..]
                    .iter()
                    .map(|group| self.groups[*group].clone()),
            );
            lines.push(line.clone());
            open = &slot.groups;
        }
        lines
    }

    /// The destinations that several of the images at these places, sorted, would share.
    fn collisions(&self, shared: &[(String, Vec<usize>)], places: &[usize]) -> Vec<Collision> {
        let here = |place: &&usize| places.binary_search(place).is_ok();
        let reference = |place: &usize| self.images[*place].planned.reference.clone();
        shared
            .iter()
            .map(|(destination, sharing)| Collision {
                destination: destination.clone(),
                references: sharing.iter().filter(here).map(reference).collect(),
            })
            .filter(|collision| collision.references.len() > 1)
            .collect()
    }

    /// The registry images among the distinct ones at these places, by host and repository. The
    /// images of a host, and those of a repository, stand together in the order of references.
    fn registries(&mut self, places: &[usize]) -> Vec<Registry> {
        let (images, rows) = (&self.images, &mut self.rows);
        let host = |place: usize| images[place].reference.host();
        let path = |place: usize| images[place].reference.path();
        let pulled: Vec<usize> = places
            .iter()
            .copied()
            .filter(|place| !images[*place].planned.is_package)
            .collect();
        let mut registries = Vec::new();
        for of_host in pulled.chunk_by(|a, b| host(*a) == host(*b)) {
            let mut repositories = Vec::new();
            for of_path in of_host.chunk_by(|a, b| path(*a) == path(*b)) {
                let repository = self
                    .repositories
                    .entry(of_path.to_vec())
                    .or_insert_with(|| {
                        let tag = |place: &usize| images[*place].reference.tag().map(str::to_owned);
                        let tags = of_path.iter().filter_map(tag).collect();
                        rows.share(Repository {
                            name: path(of_path[0]).to_owned(),
                            tags,
                        })
                    });
                repositories.push(repository.clone());
            }
            let host = host(of_host[0]).unwrap_or_default().to_owned();
            registries.push(Registry { host, repositories });
        }
        registries
    }
}

fn planned_component(component: &Component, image: &Image) -> PlannedComponent {
    PlannedComponent {
        name: component.name.value.clone(),
        container: component.container.clone(),
        workloads: component.workloads.clone(),
        description: component.description.value.clone(),
        reference: image.reference.value.to_string(),
        is_package: image.source != ImageSource::Registry,
    }
}

/// The Helm values that a minor forces.
fn forced(release: &Release, minor: Minor) -> HashMap<&HelmKey, &Scalar> {
    let bound = |setting: &&Setting| setting.kubernetes.value.includes(minor);
    let settings = release.settings.iter().filter(bound);
    settings
        .map(|setting| (&setting.key.value, &setting.value))
        .collect()
}

/// An image's place in a mirror of the scoped layout: what `skopeo sync --scoped` makes of it. The
/// vendor's guide puts its own images, which name no registry, at the top.
pub(crate) fn scoped_place(reference: &ImageRef) -> String {
    match reference.host() {
        Some(_) => reference.to_string(),
        None => flat_place(reference),
    }
}

/// An image's place in a mirror of the flat layout: what `skopeo sync` makes of it.
pub(crate) fn flat_place(reference: &ImageRef) -> String {
    let tag = reference.tag().unwrap_or_default();
    format!("{}:{tag}", reference.base_name())
}

/// The forced settings of every minor.
pub(crate) fn forced_by_minor(release: &Release) -> Vec<(Minor, HashMap<&HelmKey, &Scalar>)> {
    let minors = release.kubernetes.minors();
    minors
        .map(|minor| (minor, forced(release, minor)))
        .collect()
}

/// Whether the chart deploys a component when nothing but the forced settings is set.
pub(crate) fn is_on(
    release: &Release,
    component: &Component,
    forced: &HashMap<&HelmKey, &Scalar>,
) -> bool {
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

fn off(component: &Component, planned: &PlannedComponent) -> OffComponent {
    let switch = |when: &Condition| format!("--set {}", assignment(&when.key, when.is));
    OffComponent {
        name: planned.name.clone(),
        reference: planned.reference.clone(),
        switches: component.enabled_when.iter().map(switch).collect(),
    }
}

/// A Helm value as `--set` takes it.
fn assignment(key: &HelmKey, value: bool) -> String {
    format!("{}={value}", key.as_str())
}

fn distinct_image<'r>(
    release: &Release,
    reference: &'r ImageRef,
    image: &Image,
    rows: &mut Rows,
) -> DistinctImage<'r> {
    let planned = planned_image(reference, image);
    let architectures = release
        .architectures
        .iter()
        .map(|architecture| {
            let built = image.architectures.contains(architecture);
            built.then(|| rows.share(architecture_image(&planned, architecture)))
        })
        .collect();
    let missing = MissingImage {
        reference: planned.reference.clone(),
        name: planned.name.clone(),
    };
    DistinctImage {
        reference,
        missing: rows.share(missing),
        planned: rows.share(planned),
        architectures,
    }
}

fn planned_image(reference: &ImageRef, image: &Image) -> PlannedImage {
    let archives = match &image.source {
        ImageSource::Registry => Vec::new(),
        ImageSource::Package(archives) => archives
            .iter()
            .map(|(architecture, names)| Archives {
                architecture: architecture.clone(),
                names: names.iter().map(|name| name.value.clone()).collect(),
            })
            .collect(),
    };
    PlannedImage {
        reference: reference.to_string(),
        name: reference.whole_name(),
        repository: reference.repository().to_owned(),
        tag: reference.tag().unwrap_or_default().to_owned(),
        purl: reference.purl(),
        is_package: image.source != ImageSource::Registry,
        scoped: scoped_place(reference),
        flat: flat_place(reference),
        // A port in the middle of a reference is no reference: HOST/source:5000/path.
        scoped_refused: reference.host().is_some_and(|host| host.contains(':')),
        architectures: image.architectures.clone(),
        archives,
    }
}

fn architecture_image(image: &PlannedImage, architecture: &str) -> ArchitectureImage {
    let own = image
        .archives
        .iter()
        .find(|archives| archives.architecture == architecture);
    ArchitectureImage {
        reference: image.reference.clone(),
        name: image.name.clone(),
        is_package: image.is_package,
        archives: own.map_or_else(Vec::new, |archives| archives.names.clone()),
    }
}

fn for_architecture(
    release: &Release,
    place: usize,
    name: &str,
    images: &[&DistinctImage<'_>],
) -> ArchitecturePlan {
    let built = |image: &&&DistinctImage<'_>| image.architectures[place].is_some();
    let missing: Vec<_> = images
        .iter()
        .filter(|image| !built(image))
        .map(|image| image.missing.clone())
        .collect();
    ArchitecturePlan {
        name: name.to_owned(),
        complete: missing.is_empty(),
        package_files: release
            .package
            .iter()
            .flat_map(|package| &package.files)
            .filter(|(architecture, _)| architecture == name)
            .map(|(_, file)| file.value.clone())
            .collect(),
        images: images
            .iter()
            .filter_map(|image| image.architectures[place].clone())
            .collect(),
        missing,
    }
}

/// The destinations that several images have, each with the places of those images.
fn shared_destinations(
    images: &[DistinctImage<'_>],
    destination: impl Fn(&PlannedImage) -> &String,
) -> Vec<(String, Vec<usize>)> {
    let mut by_destination: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
    for (place, image) in images.iter().enumerate() {
        by_destination
            .entry(destination(&image.planned))
            .or_default()
            .push(place);
    }
    by_destination
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(destination, places)| (destination.clone(), places))
        .collect()
}

fn table(release: &Release) -> Vec<TableEntry> {
    let entry = |component: &Component| TableEntry {
        name: component.name.value.clone(),
        workloads: component.workloads.clone(),
        description: component.description.value.clone(),
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
        enabled_when: component
            .enabled_when
            .iter()
            .map(|when| Switch {
                value: assignment(&when.key, when.is),
                default: assignment(&when.key, release.chart.defaults[&when.key]),
            })
            .collect(),
        cells: release
            .kubernetes
            .minors()
            .map(|minor| {
                let mut rows = component.images.iter();
                let row = rows.find(|image| image.kubernetes.value.includes(minor));
                row.and_then(|image| image.reference.value.tag())
                    .unwrap_or("—")
                    .to_owned()
            })
            .collect(),
    };
    release.components.iter().map(entry).collect()
}

/// The line of an image, by its whole name: what a short one is completed to, or whether at all, is
/// each runtime's own configuration.
fn image_line(key: &HelmKey, reference: &ImageRef) -> ValueLine {
    ValueLine {
        value: Scalar::String(reference.whole_name()),
        ..value_line(key.as_str(), true)
    }
}

/// A line without a value, at the depth and with the name that the end of a key says.
fn value_line(key: &str, is_leaf: bool) -> ValueLine {
    let mut elements: Vec<_> = key.split('.').collect();
    let last = elements.pop().unwrap_or_default();
    ValueLine {
        indent: "  ".repeat(elements.len()),
        key: last.to_owned(),
        is_leaf,
        value: Scalar::String(String::new()),
        reasons: Vec::new(),
    }
}

/// Every Helm value of a release in the order of a YAML document: keys with a common start stand
/// together, and otherwise in the spec's order. And the lines of the groups that they are in.
fn outline(release: &Release, rows: &mut Rows) -> (Vec<Slot>, Vec<Shared<ValueLine>>) {
    let mut keys: BTreeMap<Vec<usize>, Slot> = BTreeMap::new();
    // A start of a key has the rank of its first appearance.
    let mut ranks: HashMap<&str, usize> = HashMap::new();
    let mut groups = Vec::new();
    let mut group_places: HashMap<&str, usize> = HashMap::new();
    let components = release.components.iter().enumerate();
    let of_components =
        components.map(|(place, component)| (&component.helm_key.value, Source::Component(place)));
    let mut of_settings: Vec<(&HelmKey, Source)> = Vec::new();
    for (place, setting) in release.settings.iter().enumerate() {
        let line = rows.share(ValueLine {
            value: setting.value.clone(),
            reasons: vec![setting.reason.clone()],
            ..value_line(setting.key.value.as_str(), true)
        });
        match of_settings
            .iter_mut()
            .find(|(key, _)| **key == setting.key.value)
        {
            Some((_, Source::Settings(lines))) => lines.push((place, line)),
            _ => of_settings.push((&setting.key.value, Source::Settings(vec![(place, line)]))),
        }
    }
    for (key, source) in of_components.chain(of_settings) {
        let text = key.as_str();
        let starts: Vec<&str> = text
            .match_indices('.')
            .map(|(dot, _)| &text[..dot])
            .collect();
        let mut rank = |start| {
            let next = ranks.len();
            *ranks.entry(start).or_insert(next)
        };
        let order = starts
            .iter()
            .copied()
            .chain([text])
            .map(&mut rank)
            .collect();
        let mut group = |start| {
            *group_places.entry(start).or_insert_with(|| {
                groups.push(rows.share(value_line(start, false)));
                groups.len() - 1
            })
        };
        let around = starts.iter().copied().map(&mut group).collect();
        keys.insert(
            order,
            Slot {
                source,
                groups: around,
            },
        );
    }
    (keys.into_values().collect(), groups)
}
