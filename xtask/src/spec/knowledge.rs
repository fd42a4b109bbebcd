//! What is true of registries and upstream images whatever a product's table says:
//! `spec/knowledge.toml`. Rules compare tables with it; nothing is generated from it.

use serde::Deserialize;
use toml::Spanned;

use crate::kubernetes::Minor;

/// Facts with their sources.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// Registries that get no new images.
    #[serde(default, rename = "frozen-registry")]
    pub registries: Vec<FrozenRegistry>,
    /// Images whose project names the oldest Kubernetes that it supports.
    #[serde(default, rename = "image")]
    pub images: Vec<UpstreamImage>,
}

/// A registry that gets no new images.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenRegistry {
    /// Its host: `k8s.gcr.io`.
    pub host: Spanned<String>,
    /// The day since which it is frozen: `2023-04-03`.
    pub frozen: String,
    /// The registry that serves the same paths: `registry.k8s.io`.
    pub successor: String,
    /// Where that is said.
    pub source: String,
}

/// An image and the oldest Kubernetes that its project supports it on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamImage {
    /// The repository's path, on whichever registry: `sig-storage/csi-attacher`.
    pub repository: String,
    /// The tag: `v3.4.0`.
    pub tag: Spanned<String>,
    /// That Kubernetes minor: `1.17`.
    #[serde(rename = "minimum-kubernetes", deserialize_with = "minor")]
    pub minimum: Minor,
    /// Where that is said.
    pub source: String,
}

impl Knowledge {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no TOML, or has other keys or types.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

fn minor<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Minor, D::Error> {
    let text = String::deserialize(deserializer)?;
    let error = |error| serde::de::Error::custom(format!("{text:?} {error}"));
    Minor::of_version(&text).map_err(error)
}
