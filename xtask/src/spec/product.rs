//! `product.toml`: what is the same in every release of a product.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::chart::RawChart;
use super::component::{RawComponent, RawSwitch};
use super::limit::RawLimit;
use super::note::{RawAcknowledge, RawNote};
use super::package::RawPackage;
use super::spanned::{Key, Spanned};
use super::text::RawText;
use super::workload::RawWorkload;

/// What is the same in every release of a product. In an entry, `since` and `before` say for which
/// releases it holds: from the one on, and no longer from the other on; without them it holds for all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Product")]
pub struct RawProduct {
    /// The version of this format, the first key of the file: 2.
    #[schemars(required, range(min = 2, max = 2))]
    pub schema: Key<i64>,
    /// The product's name for people.
    #[schemars(required)]
    pub title: Key<RawText>,
    /// The vendor's software package, if some images come in it.
    pub package: Key<RawPackage>,
    /// The Helm chart.
    #[schemars(required)]
    pub chart: Key<RawChart>,
    /// The Kubernetes objects that run the containers, by name.
    #[serde(default)]
    #[schemars(required)]
    pub workload: BTreeMap<Spanned<String>, Spanned<RawWorkload>>,
    /// The containers, by the names that the releases' tables have.
    #[serde(default)]
    #[schemars(required)]
    pub component: BTreeMap<Spanned<String>, Spanned<RawComponent>>,
    /// The Helm values by which components run.
    #[serde(default)]
    pub switch: Vec<Spanned<RawSwitch>>,
    /// Images that are not built for every architecture of a release, by reference, each with the
    /// platforms that it is built for: `amd64`, `arm/v7`, `windows/amd64`.
    #[serde(default)]
    pub platforms: BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>,
    /// What a Kubernetes version forces.
    #[serde(default)]
    pub limit: Vec<Spanned<RawLimit>>,
    /// What the reader of the pages should know.
    #[serde(default)]
    pub note: Vec<Spanned<RawNote>>,
    /// Warnings, and findings of `check-chart`, that somebody has looked at, and what the reader of the
    /// pages should know of them.
    #[serde(default)]
    pub acknowledge: Vec<Spanned<RawAcknowledge>>,
}
