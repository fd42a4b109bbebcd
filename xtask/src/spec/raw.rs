//! The spec as somebody wrote it: every key optional, nothing checked but its type.
//!
//! The doc comments are the reference of the spec's format. Missing keys are [`super::lower`]'s to
//! report, so that one run shows all of them; unknown keys and wrong types come from here.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A key that may be missing.
pub type Key<T> = Option<Spanned<T>>;

/// A text in both languages of the pages, on one line each.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: Key<String>,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh_cn: Key<String>,
}

/// One release of a driver: one table of images.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// The version of this format, the first key of the file: 1.
    pub schema: Key<i64>,
    /// The product, which is also the name of the spec's folder: `huawei-csi`.
    pub product: Key<String>,
    /// The release, which is also the name of the spec's file: `4.5.0`.
    pub release: Key<String>,
    /// The product's name for people.
    pub title: Key<Text>,
    /// The Kubernetes minors that the release supports, a closed range: `v1.16-v1.30`. It bounds
    /// every `+`.
    pub kubernetes: Key<String>,
    /// The architectures that the release is built for, by their OCI names: `amd64`, `arm64`.
    pub architectures: Key<Vec<Spanned<String>>>,
    /// The vendor's software package, if some images come in it.
    pub package: Key<Package>,
    /// The Helm chart.
    pub chart: Key<Chart>,
    /// The Kubernetes objects that run the containers.
    #[serde(default)]
    pub workload: Vec<Spanned<Workload>>,
    /// The containers and their images: the table.
    #[serde(default)]
    pub component: Vec<Spanned<Component>>,
    /// Helm values that follow from the Kubernetes version.
    #[serde(default)]
    pub setting: Vec<Spanned<Setting>>,
    /// Steps before `helm install` that no Helm value can express.
    #[serde(default)]
    pub install_step: Vec<Spanned<InstallStep>>,
    /// Warnings that somebody has looked at, and what the reader of the pages should know of them.
    #[serde(default)]
    pub acknowledge: Vec<Spanned<Acknowledge>>,
}

/// A warning that somebody has looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acknowledge {
    /// The warning's code: `frozen-registry`.
    pub rule: Key<String>,
    /// What it is about, as the warnings say it: `["k8s.gcr.io"]`.
    pub subjects: Key<Vec<Spanned<String>>>,
    /// Why it stays, for the reader of the pages.
    pub reason: Key<Text>,
}

/// The vendor's software package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Package {
    /// The package's file name, per architecture.
    pub file: Key<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The folder inside it that holds the image archives: `image`.
    pub image_folder: Key<String>,
}

/// The Helm chart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chart {
    /// The chart's folder, from the root of the unpacked package: `helm/esdk`.
    pub folder: Key<String>,
    /// The name of the Helm release that the pages install.
    pub release_name: Key<String>,
    /// The namespace that the driver runs in.
    pub namespace: Key<String>,
    /// What the chart itself sets where the values say nothing, for every key that an
    /// `enabled-when` names.
    #[serde(default)]
    pub defaults: BTreeMap<Spanned<String>, Spanned<bool>>,
}

/// A Kubernetes object that runs containers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// Its name: `huawei-csi-controller`.
    pub name: Key<String>,
    /// Its kind: `Deployment`, `DaemonSet`.
    pub kind: Key<String>,
    /// The service account that its Pods run under, which a private registry's pull secret is put
    /// on.
    pub service_account: Key<String>,
}

/// A container's role, and the images that fill it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Component {
    /// Its name in the table: `csi-provisioner`.
    pub name: Key<String>,
    /// The container's name in the pod, where it differs from the component's.
    pub container: Key<String>,
    /// The workloads that it runs in.
    pub workloads: Key<Vec<Spanned<String>>>,
    /// The Helm value that holds its image reference: `images.sidecar.provisioner`.
    pub helm_key: Key<String>,
    /// What it is for.
    pub description: Key<Text>,
    /// The Helm values that deploy it: it runs when one of these holds. Without this key it always
    /// runs.
    #[serde(default)]
    pub enabled_when: Vec<Spanned<Condition>>,
    /// Its rows of the table.
    #[serde(default)]
    pub image: Vec<Spanned<Image>>,
    /// Kubernetes versions on which it has no image, and why.
    #[serde(default)]
    pub hole: Vec<Spanned<Hole>>,
}

/// A Helm value that deploys a component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    /// The Helm value's key.
    pub key: Key<String>,
    /// What it has to be.
    pub is: Key<bool>,
}

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// The image reference as the table has it: `quay.io/k8scsi/csi-attacher:v1.2.1`. The image of
    /// the vendor's package has the short name that is in its archive: `huawei-csi:4.5.0`.
    pub reference: Key<String>,
    /// The Kubernetes requirement as the table writes it: `v1.17+`, `v1.16.x`, `v1.17-v1.19`.
    pub kubernetes: Key<String>,
    /// The architectures that the image is built for, where they are not all of the release's.
    pub architectures: Key<Vec<Spanned<String>>>,
    /// For an image of the vendor's package: the names its archive goes by, per architecture.
    /// Without this key the image is pulled from its registry.
    pub archives: Key<BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>>,
}

/// Kubernetes versions without an image.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hole {
    /// Which versions, in the form of an image's requirement.
    pub kubernetes: Key<String>,
    /// Why, for the reader of the pages.
    pub reason: Key<Text>,
}

/// A Helm value that follows from the Kubernetes version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// The Helm value's key.
    pub key: Key<String>,
    /// What it has to be: a string, an integer or a boolean.
    pub value: Key<toml::Value>,
    /// On which versions; on all others the chart decides.
    pub kubernetes: Key<String>,
    /// Why, for the reader of the values and the pages.
    pub reason: Key<Text>,
}

/// A step before `helm install`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstallStep {
    /// A file or folder of the chart to delete, from the chart's folder: `crds/snapshot-crds`.
    pub remove: Key<String>,
    /// On which versions.
    pub kubernetes: Key<String>,
    /// Why, for the reader of the pages.
    pub reason: Key<Text>,
}
