//! The spec as somebody wrote it: every key optional, nothing checked but its type.
//!
//! The doc comments are the reference of the spec's format: [`crate::schema`] makes a JSON Schema and
//! a page of them, where `required` says which keys have to be there. Missing keys are
//! [`super::lower`]'s to report, so that one run shows all of them; unknown keys and wrong types come
//! from here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// The forms of a requirement, for editors; [`crate::kubernetes`] reads it.
const REQUIREMENT: &str = "^v[0-9]+[.][0-9]+([+]|[.]x|-v[0-9]+[.][0-9]+)$";
/// The form of a supported range.
const RANGE: &str = "^v[0-9]+[.][0-9]+-v[0-9]+[.][0-9]+$";
/// A rough form of a reference: something with a tag.
const REFERENCE: &str = "^[^@ ]+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$";
/// The form of a Helm key.
const HELM_KEY: &str = "^[A-Za-z][A-Za-z0-9_-]*([.][A-Za-z][A-Za-z0-9_-]*)*$";
/// The form of the name of a Kubernetes object.
const LABEL: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
/// The form of a product's or a release's name, and of a file's.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._+-]*$";

/// A key that may be missing.
pub type Key<T> = Option<Spanned<T>>;

/// A value and its place in the file. In a schema it is the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    pub fn new(span: std::ops::Range<usize>, value: T) -> Self {
        Self(toml::Spanned::new(span, value))
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T> Deref for Spanned<T> {
    type Target = toml::Spanned<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Spanned::deserialize(deserializer).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A boolean, an integer or a string.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Scalar(pub toml::Value);

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["boolean", "integer", "string"] })
    }
}

/// A text in both languages of the pages, on one line each.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "text", extend("$comment" = "A text in both languages of the pages, on one line each."))]
pub struct Text {
    /// English.
    #[schemars(required)]
    pub en: Key<String>,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schemars(required)]
    pub zh_cn: Key<String>,
}

/// One release of a driver: one table of images.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// The version of this format, the first key of the file: 1.
    #[schemars(required, range(min = 1, max = 1))]
    pub schema: Key<i64>,
    /// The product, which is also the name of the spec's folder: `huawei-csi`.
    #[schemars(required, regex(pattern = NAME))]
    pub product: Key<String>,
    /// The release, which is also the name of the spec's file: `4.5.0`.
    #[schemars(required, regex(pattern = NAME))]
    pub release: Key<String>,
    /// The product's name for people.
    #[schemars(required)]
    pub title: Key<Text>,
    /// The Kubernetes minors that the release supports, a closed range: `v1.16-v1.30`. It bounds
    /// every `+`.
    #[schemars(required, regex(pattern = RANGE))]
    pub kubernetes: Key<String>,
    /// The architectures that the release is built for, by their OCI names: `amd64`, `arm64`.
    #[schemars(required, length(min = 1))]
    pub architectures: Key<Vec<Spanned<String>>>,
    /// The vendor's software package, if some images come in it.
    pub package: Key<Package>,
    /// The Helm chart.
    #[schemars(required)]
    pub chart: Key<Chart>,
    /// The Kubernetes objects that run the containers.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub workload: Vec<Spanned<Workload>>,
    /// The containers and their images: the table.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub component: Vec<Spanned<Component>>,
    /// Helm values that follow from the Kubernetes version.
    #[serde(default)]
    pub setting: Vec<Spanned<Setting>>,
    /// Steps before `helm install` that no Helm value can express.
    #[serde(default)]
    pub install_step: Vec<Spanned<InstallStep>>,
    /// Warnings, and findings of `check-chart`, that somebody has looked at, and what the reader of the
    /// pages should know of them.
    #[serde(default)]
    pub acknowledge: Vec<Spanned<Acknowledge>>,
}

/// A warning, or a finding of `check-chart`, that somebody has looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acknowledge {
    /// Its code: `frozen-registry`, `chart-unknown-image`.
    #[schemars(required)]
    pub rule: Key<String>,
    /// What it is about, as its note writes it: `["k8s.gcr.io"]`.
    #[schemars(required, length(min = 1))]
    pub subjects: Key<Vec<Spanned<String>>>,
    /// Why it stays, for the reader of the pages.
    #[schemars(required)]
    pub reason: Key<Text>,
}

/// The vendor's software package.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Package {
    /// The package's file name, per architecture.
    #[schemars(required)]
    pub file: Key<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The folder inside it that holds the image archives: `image`.
    #[schemars(required)]
    pub image_folder: Key<String>,
}

/// The Helm chart.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chart {
    /// The chart's folder, from the root of the unpacked package: `helm/esdk`.
    #[schemars(required)]
    pub folder: Key<String>,
    /// The name of the Helm release that the pages install.
    #[schemars(required, regex(pattern = LABEL))]
    pub release_name: Key<String>,
    /// The namespace that the driver runs in.
    #[schemars(required, regex(pattern = LABEL))]
    pub namespace: Key<String>,
    /// What the chart itself sets where the values say nothing, for every key that an
    /// `enabled-when` names.
    #[serde(default)]
    pub defaults: BTreeMap<Spanned<String>, Spanned<bool>>,
}

/// A Kubernetes object that runs containers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// Its name: `huawei-csi-controller`.
    #[schemars(required, regex(pattern = LABEL))]
    pub name: Key<String>,
    /// Its kind: `Deployment`, `DaemonSet`.
    #[schemars(required)]
    pub kind: Key<String>,
    /// The service account that its Pods run under, which a private registry's pull secret is put
    /// on.
    #[schemars(required, regex(pattern = LABEL))]
    pub service_account: Key<String>,
}

/// A container's role, and the images that fill it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Component {
    /// Its name in the table: `csi-provisioner`.
    #[schemars(required, regex(pattern = LABEL))]
    pub name: Key<String>,
    /// The container's name in the pod, where it differs from the component's.
    pub container: Key<String>,
    /// The workloads that it runs in.
    #[schemars(required, length(min = 1))]
    pub workloads: Key<Vec<Spanned<String>>>,
    /// The Helm value that holds its image reference: `images.sidecar.provisioner`.
    #[schemars(required, regex(pattern = HELM_KEY))]
    pub helm_key: Key<String>,
    /// What it is for.
    #[schemars(required)]
    pub description: Key<Text>,
    /// The Helm values that deploy it: it runs when one of these holds. Without this key it always
    /// runs.
    #[serde(default)]
    pub enabled_when: Vec<Spanned<Condition>>,
    /// Its rows of the table.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub image: Vec<Spanned<Image>>,
    /// Kubernetes versions on which it has no image, and why.
    #[serde(default)]
    pub hole: Vec<Spanned<Hole>>,
}

/// A Helm value that deploys a component.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    /// The Helm value's key.
    #[schemars(required, regex(pattern = HELM_KEY))]
    pub key: Key<String>,
    /// What it has to be.
    #[schemars(required)]
    pub is: Key<bool>,
}

/// One row of the table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// The image reference as the table has it: `quay.io/k8scsi/csi-attacher:v1.2.1`. The image of
    /// the vendor's package has the short name that is in its archive: `huawei-csi:4.5.0`.
    #[schemars(required, regex(pattern = REFERENCE))]
    pub reference: Key<String>,
    /// The Kubernetes requirement as the table writes it: `v1.17+`, `v1.16.x`, `v1.17-v1.19`.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// The architectures that the image is built for, where they are not all of the release's.
    pub architectures: Key<Vec<Spanned<String>>>,
    /// For an image of the vendor's package: the names its archive goes by, per architecture.
    /// Without this key the image is pulled from its registry.
    pub archives: Key<BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>>,
}

/// Kubernetes versions without an image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hole {
    /// Which versions, in the form of an image's requirement.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// Why, for the reader of the pages.
    #[schemars(required)]
    pub reason: Key<Text>,
}

/// A Helm value that follows from the Kubernetes version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// The Helm value's key.
    #[schemars(required, regex(pattern = HELM_KEY))]
    pub key: Key<String>,
    /// What it has to be: a string, an integer or a boolean.
    #[schemars(required)]
    pub value: Key<Scalar>,
    /// On which versions; on all others the chart decides.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// Why, for the reader of the values and the pages.
    #[schemars(required)]
    pub reason: Key<Text>,
}

/// A step before `helm install`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstallStep {
    /// A file or folder of the chart to delete, from the chart's folder: `crds/snapshot-crds`.
    #[schemars(required)]
    pub remove: Key<String>,
    /// On which versions.
    #[schemars(required, regex(pattern = REQUIREMENT))]
    pub kubernetes: Key<String>,
    /// Why, for the reader of the pages.
    #[schemars(required)]
    pub reason: Key<Text>,
}
