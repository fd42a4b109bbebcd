//! Release x minor -> plan. Every decision is made here; templates only write it down.
//!
//! The plan is also the context that every template sees, so its field names, in kebab-case, are a
//! contract: `templates/README.md` documents them. It holds no optional value: what may be absent
//! is an empty list. A list is in the table's order, or where it says so sorted by its meaning.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

use crate::image::ImageRef;
use crate::kubernetes::Minor;
use crate::layout;
use crate::quote::shell_word;
use crate::spec::{
    Component, HelmKey, Image, ImageSource, Note, PullSecrets, PullSecretsForm, Release, Setting,
    Text, Way,
};

/// All that a release needs, on every minor.
#[derive(Debug)]
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
    /// The supported minors.
    pub kubernetes: SupportedFacts,
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

/// Something that the reader should know, such as a warning that the vendor has accepted.
#[derive(Debug, Serialize)]
pub struct PlannedNote {
    /// What it is about, such as an image's reference; none where it is about the release as a whole.
    pub subjects: Vec<String>,
    /// Whether the release does not run there.
    pub broken: bool,
    /// What to know.
    pub reason: Text,
}

/// The supported minors.
#[derive(Debug, Serialize)]
pub struct SupportedFacts {
    /// The first minor.
    pub first: String,
    /// The last minor.
    pub last: String,
    /// The ranges without a hole between two minors, ascending.
    pub ranges: Vec<MinorRange>,
}

/// A range of minors without a hole.
#[derive(Debug, Serialize)]
pub struct MinorRange {
    /// The first minor.
    pub first: String,
    /// The last minor, which may be the first.
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
    /// Its name, as `Chart.yaml` says it.
    pub name: String,
    /// Its folder in the unpacked package; empty where it comes from a repository.
    pub folder: String,
    /// Its repository, `https://...` or `oci://...`; empty where it is in the package.
    pub repository: String,
    /// The name of the Helm release.
    pub release_name: String,
    /// The namespace.
    pub namespace: String,
    /// The value that names the pull secrets: one, or none where the chart has no such value.
    pub pull_secrets: Vec<PullSecretsFacts>,
}

/// The value that names the secrets by which images are pulled.
#[derive(Debug, Serialize)]
pub struct PullSecretsFacts {
    /// The option of Helm that sets it to the secret `mirror-pull`: `--set imagePullSecrets[0].name=mirror-pull`.
    pub option: String,
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
    /// The architectures for which every image is there, in the release's order.
    pub built_for: Vec<String>,
    /// The components that have no image here, and why.
    pub holes: Vec<PlannedHole>,
    /// The Helm values that this minor forces.
    pub settings: Vec<PlannedSetting>,
    /// The Helm values, images and settings, as the lines of a YAML document.
    pub values: Vec<ValueLine>,
    /// The image references alone as the lines of a YAML document.
    pub values_overlay: Vec<ValueLine>,
    /// What has to leave the chart before `helm install`.
    pub removals: Vec<PlannedRemoval>,
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
    /// The names of its containers in the Pods.
    pub containers: Vec<String>,
    /// The arguments of other containers that name its image.
    pub arguments: Vec<String>,
    /// The environment variables of other containers that name its image.
    pub variables: Vec<String>,
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
    /// The ways to turn it on, any one of them, as options of Helm: `--set feature.enabled=true`.
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
    pub value: Value,
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
    pub value: Value,
    /// Of an image, its whole name; else empty.
    pub image: String,
    /// Of an image, what of it the value holds: `{registry}/{path}:{tag}`, or a part; else empty.
    pub pattern: String,
    /// Why the value is there: one text for a setting, none for an image.
    pub reasons: Vec<Text>,
}

/// What has to leave the chart before `helm install`.
#[derive(Debug, Serialize)]
pub struct PlannedRemoval {
    /// The file or folder of the chart.
    pub path: String,
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
    /// The ways to have it run, any one of them; none where it always runs.
    pub ways: Vec<PlannedWay>,
    /// One cell a minor, ascending: the image's tag, or a dash in a hole.
    pub cells: Vec<String>,
}

/// Helm values that have a component run, all together.
#[derive(Debug, Serialize)]
pub struct PlannedWay {
    /// What they have to be: `feature.enabled=true`.
    pub values: Vec<String>,
    /// What the chart sets them to: `feature.enabled=false`.
    pub defaults: Vec<String>,
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
    let values = helm_values(release);
    let minors = release.kubernetes.minors();
    ReleasePlan {
        release: facts(release),
        table: table(release),
        plans: minors
            .map(|minor| plan_minor(release, &values, minor))
            .collect(),
    }
}

fn facts(release: &Release) -> ReleaseFacts {
    let package = release.package.as_ref();
    ReleaseFacts {
        product: release.product.clone(),
        version: release.version.clone(),
        title: release.title.clone(),
        spec: format!("spec/{}/{}.toml", release.product, release.version),
        kubernetes: SupportedFacts {
            first: release.kubernetes.first().to_string(),
            last: release.kubernetes.last().to_string(),
            ranges: release
                .kubernetes
                .parts()
                .into_iter()
                .map(|(first, last)| MinorRange {
                    first: first.to_string(),
                    last: last.to_string(),
                })
                .collect(),
        },
        architectures: release.architectures.clone(),
        package: PackageFacts {
            folder: package.map_or_else(String::new, |package| package.image_folder.clone()),
        },
        chart: ChartFacts {
            name: release.chart.name.clone(),
            folder: release.chart.folder.clone(),
            repository: release.chart.repository.clone(),
            release_name: release.chart.release_name.clone(),
            namespace: release.chart.namespace.clone(),
            pull_secrets: release
                .chart
                .pull_secrets
                .iter()
                .map(pull_secrets)
                .collect(),
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

fn pull_secrets(secrets: &PullSecrets) -> PullSecretsFacts {
    let path = match secrets.form {
        PullSecretsForm::Objects => "[0].name",
        PullSecretsForm::Names => "[0]",
        PullSecretsForm::Name => "",
    };
    // A shell would take the brackets for a pattern.
    let value = format!("{}{path}=mirror-pull", secrets.key.value.as_str());
    let option = format!("--set {}", shell_word(&value));
    PullSecretsFacts { option }
}

/// The notes about something on the minors that are meant.
fn planned_notes(release: &Release, meant: impl Fn(&[Minor]) -> bool) -> Vec<PlannedNote> {
    let about = |note: &Note| {
        let mut subjects = note
            .subjects
            .iter()
            .filter(|(_, minors)| meant(minors))
            .peekable();
        subjects.peek()?;
        let named = subjects.filter(|(subject, _)| !subject.is_empty());
        Some(PlannedNote {
            subjects: named.map(|(subject, _)| subject.clone()).collect(),
            broken: note.broken,
            reason: note.reason.clone(),
        })
    };
    release.notes.iter().filter_map(about).collect()
}

fn plan_minor(release: &Release, values: &[(HelmKey, HelmValue<'_>)], minor: Minor) -> Plan {
    let rows: Vec<_> = release
        .components
        .iter()
        .filter_map(|component| Some((component, row(component, minor)?)))
        .collect();
    let distinct: BTreeMap<&ImageRef, &Image> = rows
        .iter()
        .map(|(_, image)| (&image.reference.value, *image))
        .collect();
    let images: Vec<_> = distinct
        .into_iter()
        .map(|(reference, image)| planned_image(reference, image))
        .collect();
    let forced = release.forced(minor);
    let architectures: Vec<_> = release
        .architectures
        .iter()
        .map(|name| for_architecture(release, name, &images))
        .collect();
    let bound = |setting: &&Setting| setting.kubernetes.value.includes(minor);
    Plan {
        kubernetes: minor.to_string(),
        components: rows
            .iter()
            .map(|(component, image)| planned_component(component, image))
            .collect(),
        off_by_default: rows
            .iter()
            .filter(|(component, _)| !release.is_on(component, &forced))
            .map(|(component, image)| off(component, image))
            .collect(),
        registries: registries(&rows),
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
        settings: release
            .settings
            .iter()
            .filter(bound)
            .map(|setting| PlannedSetting {
                key: setting.key.value.clone(),
                value: setting.value.clone(),
                reason: setting.reason.clone(),
            })
            .collect(),
        values: document(values, |key, value| {
            let image = value.image_line(key, minor);
            image.or_else(|| value.setting_line(minor))
        }),
        values_overlay: document(values, |key, value| value.image_line(key, minor)),
        removals: release
            .removals
            .iter()
            .filter(|removal| removal.kubernetes.value.includes(minor))
            .map(|removal| PlannedRemoval {
                path: removal.path.value.clone(),
                reason: removal.reason.clone(),
            })
            .collect(),
        notes: planned_notes(release, |minors| minors.contains(&minor)),
        collisions: Collisions {
            scoped: collisions(&images, |image| &image.scoped),
            flat: collisions(&images, |image| &image.flat),
        },
        images,
    }
}

/// The destinations that several of some images would share.
fn collisions(
    images: &[PlannedImage],
    destination: impl Fn(&PlannedImage) -> &String,
) -> Vec<Collision> {
    let mut sharing: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for image in images {
        let references = sharing.entry(destination(image)).or_default();
        references.push(image.reference.clone());
    }
    sharing
        .into_iter()
        .filter(|(_, references)| references.len() > 1)
        .map(|(destination, references)| Collision {
            destination: destination.clone(),
            references,
        })
        .collect()
}

/// The registry images among some rows, by host and repository.
fn registries(rows: &[(&Component, &Image)]) -> Vec<Registry> {
    let mut hosts: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (_, image) in rows {
        let reference = &image.reference.value;
        if image.source == ImageSource::Registry
            && let (Some(host), Some(tag)) = (reference.host(), reference.tag())
        {
            let repositories = hosts.entry(host).or_default();
            repositories
                .entry(reference.path())
                .or_default()
                .insert(tag);
        }
    }
    let repository = |(name, tags): (&str, BTreeSet<&str>)| Repository {
        name: name.to_owned(),
        tags: tags.into_iter().map(str::to_owned).collect(),
    };
    hosts
        .into_iter()
        .map(|(host, repositories)| Registry {
            host: host.to_owned(),
            repositories: repositories.into_iter().map(repository).collect(),
        })
        .collect()
}

/// A component's row for a minor; the rules have seen to it that there is one at most.
fn row(component: &Component, minor: Minor) -> Option<&Image> {
    let mut rows = component.images.iter();
    rows.find(|image| image.kubernetes.value.includes(minor))
}

fn planned_component(component: &Component, image: &Image) -> PlannedComponent {
    PlannedComponent {
        name: component.name.value.clone(),
        containers: component.containers.clone(),
        arguments: component.arguments.clone(),
        variables: component.variables.clone(),
        workloads: component.workloads.clone(),
        description: component.description.clone(),
        reference: image.reference.value.to_string(),
        is_package: image.source != ImageSource::Registry,
    }
}

fn off(component: &Component, image: &Image) -> OffComponent {
    let switch = |way: &Way| {
        let options = way.iter().map(|condition| {
            // A text that Helm would read as something else is said to be one.
            let option = if condition.is.is_string() {
                "--set-string"
            } else {
                "--set"
            };
            format!("{option} {}", assignment(&condition.key, &condition.is))
        });
        options.collect::<Vec<_>>().join(" ")
    };
    OffComponent {
        name: component.name.value.clone(),
        reference: image.reference.value.to_string(),
        switches: component.ways.iter().map(switch).collect(),
    }
}

/// A Helm value as `--set` takes it.
fn assignment(key: &HelmKey, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{}={text}", key.as_str()),
        value => format!("{}={value}", key.as_str()),
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
        scoped: layout::scoped(reference),
        flat: layout::flat(reference),
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

fn for_architecture(release: &Release, name: &str, images: &[PlannedImage]) -> ArchitecturePlan {
    let built = |image: &&PlannedImage| image.architectures.iter().any(|own| own == name);
    let (images, missing): (Vec<_>, Vec<_>) = images.iter().partition(built);
    let missing = missing.into_iter().map(|image| MissingImage {
        reference: image.reference.clone(),
        name: image.name.clone(),
    });
    let missing: Vec<_> = missing.collect();
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
            .into_iter()
            .map(|image| architecture_image(image, name))
            .collect(),
        missing,
    }
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
        ways: component
            .ways
            .iter()
            .map(|way| PlannedWay {
                values: way
                    .iter()
                    .map(|condition| assignment(&condition.key, &condition.is))
                    .collect(),
                defaults: way
                    .iter()
                    .filter_map(|condition| {
                        let default = release.chart.defaults.get(&condition.key)?;
                        Some(assignment(&condition.key, default))
                    })
                    .collect(),
            })
            .collect(),
        cells: release
            .kubernetes
            .minors()
            .map(|minor| {
                row(component, minor)
                    .and_then(|image| image.reference.value.tag())
                    .unwrap_or("—")
                    .to_owned()
            })
            .collect(),
    };
    release.components.iter().map(entry).collect()
}

/// What a Helm value of a release is for.
enum HelmValue<'r> {
    /// The image of a component, or a part of it: a pattern.
    Image(&'r Component, &'r str),
    /// Settings of one key, of which a minor has one at most.
    Settings(Vec<&'r Setting>),
}

impl HelmValue<'_> {
    fn image_line(&self, key: &HelmKey, minor: Minor) -> Option<ValueLine> {
        let Self::Image(component, pattern) = self else {
            return None;
        };
        let image = row(component, minor)?;
        // What a short name is completed to, or whether at all, is each runtime's own configuration.
        Some(ValueLine {
            value: Value::String(image.reference.value.put_into(pattern)),
            image: image.reference.value.whole_name(),
            pattern: (*pattern).to_owned(),
            ..value_line(key.as_str(), true)
        })
    }

    fn setting_line(&self, minor: Minor) -> Option<ValueLine> {
        let Self::Settings(settings) = self else {
            return None;
        };
        let bound = |setting: &&&Setting| setting.kubernetes.value.includes(minor);
        let setting = settings.iter().find(bound)?;
        Some(ValueLine {
            value: setting.value.clone(),
            reasons: vec![setting.reason.clone()],
            ..value_line(setting.key.value.as_str(), true)
        })
    }
}

/// Every Helm value of a release in the order of a YAML document: keys with a common start stand
/// together, and otherwise in the spec's order.
fn helm_values(release: &Release) -> Vec<(HelmKey, HelmValue<'_>)> {
    let mut values = Vec::new();
    for component in &release.components {
        let parts = component.parts(&release.chart).into_iter();
        values.extend(parts.map(|(key, pattern)| (key, HelmValue::Image(component, pattern))));
    }
    for setting in &release.settings {
        let key = &setting.key.value;
        match values.iter_mut().find(|(known, _)| known == key) {
            Some((_, HelmValue::Settings(settings))) => settings.push(setting),
            _ => values.push((key.clone(), HelmValue::Settings(vec![setting]))),
        }
    }
    // A start of a key has the rank of its first appearance.
    let mut ranks: HashMap<String, usize> = HashMap::new();
    for (key, _) in &values {
        for start in starts(key) {
            let next = ranks.len();
            ranks.entry(start.to_owned()).or_insert(next);
        }
    }
    values.sort_by_cached_key(|(key, _)| starts(key).map(|start| ranks[start]).collect::<Vec<_>>());
    values
}

/// `a`, `a.b`, `a.b.c`: the groups that a key is in, from the root down, and the key.
fn starts(key: &HelmKey) -> impl Iterator<Item = &str> {
    let text = key.as_str();
    let dots = text.match_indices('.').map(|(dot, _)| dot);
    dots.chain([text.len()]).map(|end| &text[..end])
}

/// The lines of a YAML document of Helm values, the groups around each value included.
fn document(
    values: &[(HelmKey, HelmValue<'_>)],
    line: impl Fn(&HelmKey, &HelmValue<'_>) -> Option<ValueLine>,
) -> Vec<ValueLine> {
    let mut lines = Vec::new();
    let mut before = "";
    for (key, value) in values {
        let Some(line) = line(key, value) else {
            continue;
        };
        let groups = starts(key).filter(|start| *start != key.as_str());
        let is_open = |group: &&str| {
            let rest = before.strip_prefix(group);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let opened = groups.skip_while(is_open);
        lines.extend(opened.map(|group| value_line(group, false)));
        lines.push(line);
        before = key.as_str();
    }
    lines
}

/// A line without a value, at the depth and with the name that the end of a key says.
fn value_line(key: &str, is_leaf: bool) -> ValueLine {
    ValueLine {
        indent: "  ".repeat(key.matches('.').count()),
        key: key.rsplit('.').next().unwrap_or_default().to_owned(),
        is_leaf,
        value: Value::String(String::new()),
        image: String::new(),
        pattern: String::new(),
        reasons: Vec::new(),
    }
}
