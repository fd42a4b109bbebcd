//! A valid release: what the spec says, in types that can hold nothing else.
//!
//! Only [`super::lower`] makes these. A [`Release`] still may break a rule over the whole table
//! (a gap, an overlap): [`crate::rules`] looks for that, which is why places are kept here.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::diagnostic::Span;
use crate::image::ImageRef;
use crate::kubernetes::{Minor, Range, Requirement};
use crate::quote;

/// A value and where the spec has it. Two are equal if their values are.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place in the spec.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

/// A text in both languages, without line breaks or control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh_cn: String,
}

/// A processor architecture by its OCI name, such as `amd64`.
pub type Architecture = String;

/// One release of a product.
#[derive(Clone, Debug)]
pub struct Release {
    /// `huawei-csi`
    pub product: String,
    /// `4.5.0`
    pub version: String,
    /// The product's name for people.
    pub title: Text,
    /// The minors that the release supports.
    pub kubernetes: Range,
    /// The architectures that the release is built for, in the spec's order.
    pub architectures: Vec<Architecture>,
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
    /// Steps that no Helm value can express.
    pub steps: Vec<InstallStep>,
    /// Warnings that somebody has looked at.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Of these, what the pages tell their readers.
    pub notes: Vec<Note>,
    /// Whether the spec could be read without an error; else what was refused is left out, or blank.
    pub is_whole: bool,
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
    pub fn forced(&self, minor: Minor) -> HashMap<&HelmKey, &Scalar> {
        let bound = |setting: &&Setting| setting.kubernetes.value.includes(minor);
        let settings = self.settings.iter().filter(bound);
        settings
            .map(|setting| (&setting.key.value, &setting.value))
            .collect()
    }

    /// The Helm values that each minor forces.
    #[must_use]
    pub fn forced_by_minor(&self) -> Vec<(Minor, HashMap<&HelmKey, &Scalar>)> {
        let minors = self.kubernetes.minors();
        minors.map(|minor| (minor, self.forced(minor))).collect()
    }

    /// Whether the chart deploys a component when nothing but the forced values is set.
    #[must_use]
    pub fn is_on(&self, component: &Component, forced: &HashMap<&HelmKey, &Scalar>) -> bool {
        component.enabled_when.is_empty()
            || component.enabled_when.iter().any(|condition| {
                let is = match forced.get(&condition.key) {
                    Some(Scalar::Bool(value)) => Some(value),
                    Some(_) => None,
                    None => self.chart.defaults.get(&condition.key),
                };
                is == Some(&condition.is)
            })
    }
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

/// Acknowledged warnings, for the reader of the pages.
#[derive(Clone, Debug)]
pub struct Note {
    /// What they are about, each with its minors.
    pub subjects: Vec<(String, Vec<Minor>)>,
    /// Why they stay.
    pub reason: Text,
}

/// The vendor's software package.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its file name per architecture, in the release's order.
    pub files: Vec<(Architecture, Located<String>)>,
    /// The folder inside it that holds the image archives.
    pub image_folder: String,
}

/// The Helm chart.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Its folder in the unpacked package.
    pub folder: String,
    /// The name of the Helm release.
    pub release_name: String,
    /// The namespace.
    pub namespace: String,
    /// What the chart sets where the values say nothing.
    pub defaults: BTreeMap<HelmKey, bool>,
}

/// A Kubernetes object that runs containers.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: Located<String>,
    /// Its kind.
    pub kind: String,
    /// The service account that its Pods run under.
    pub service_account: String,
}

/// The dotted path of a Helm value: `images.sidecar.provisioner`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HelmKey(String);

impl HelmKey {
    /// The longest key; each of its elements is a line of the values, behind a deeper indent.
    const MOST: usize = 253;

    /// Reads a path of names that YAML takes as plain keys.
    ///
    /// # Errors
    /// When an element is empty, has a character other than letters, digits, `_` and `-`, or is a
    /// boolean of YAML 1.1, or the whole is longer than 253 bytes.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > Self::MOST {
            return Err("is longer than a Helm key can be; write at most 253 bytes");
        }
        let sound = |element: &str| {
            element.starts_with(|c: char| c.is_ascii_alphabetic())
                && element
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        let reserved = |element: &str| quote::yaml_key(element) != element;
        if text.split('.').all(sound) {
            if text.split('.').any(reserved) {
                return Err(
                    "has an element that Helm reads as a boolean or as nothing, not as a name; \
                     write the key that the chart really has",
                );
            }
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "is not the path of a Helm value; write names joined by dots, such as \
                 `images.sidecar.provisioner`",
            )
        }
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A container's role.
#[derive(Clone, Debug)]
pub struct Component {
    /// `csi-provisioner`
    pub name: Located<String>,
    /// The container's name in the pod.
    pub container: String,
    /// The workloads that it runs in.
    pub workloads: Vec<String>,
    /// The Helm value that holds its reference.
    pub helm_key: Located<HelmKey>,
    /// What it is for.
    pub description: Located<Text>,
    /// It runs when one of these holds, and always when there is none.
    pub enabled_when: Vec<Condition>,
    /// Its rows.
    pub images: Vec<Image>,
    /// Its declared holes.
    pub holes: Vec<Hole>,
}

/// A Helm value that deploys a component.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The Helm value's key.
    pub key: HelmKey,
    /// What it has to be.
    pub is: bool,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Image {
    /// The reference, with a tag and without a digest.
    pub reference: Located<ImageRef>,
    /// The minors that it is for.
    pub kubernetes: Located<Requirement>,
    /// The architectures that it is built for, in the release's order.
    pub architectures: Vec<Architecture>,
    /// Where it comes from.
    pub source: ImageSource,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// The registry that its reference names.
    Registry,
    /// The vendor's package: the names that its archive goes by, per architecture.
    Package(Vec<(Architecture, Vec<Located<String>>)>),
}

/// Minors without an image.
#[derive(Clone, Debug)]
pub struct Hole {
    /// Which.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A string, which stays one even where it reads `null`.
    String(String),
}

/// A Helm value that follows from the Kubernetes version.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The Helm value's key.
    pub key: Located<HelmKey>,
    /// What it has to be.
    pub value: Scalar,
    /// On which minors.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}

/// A step before `helm install`.
#[derive(Clone, Debug)]
pub struct InstallStep {
    /// The file or folder of the chart to delete.
    pub remove: String,
    /// On which minors.
    pub kubernetes: Located<Requirement>,
    /// Why.
    pub reason: Text,
}
