//! The spec: `spec/<product>/product.toml`, what is the same in every release of a product, and beside it
//! one file a release, `<release>.toml`, its table.
//!
//! [`load`] finds the files and [`syntax`] reads their TOML. Each table of the format has a module with
//! how it is written (its `Raw` type, whose doc comments are the reference of the format), what it is when
//! it is valid, and the step between, a function of the [`reader`] that they share. [`release`] puts the
//! two files together. Only `load` touches the disk; nothing behind this module sees raw data.

#![allow(
    clippy::ref_option,
    reason = "a key that may be missing is read as the field of its table that it is"
)]

mod chart;
mod component;
pub mod knowledge;
mod limit;
pub mod load;
mod note;
mod package;
mod pattern;
mod product;
mod reader;
mod release;
pub(crate) mod rules;
mod spanned;
mod syntax;
mod text;
mod value;
mod workload;

pub use chart::{Chart, PullSecrets, PullSecretsForm};
pub use component::{Component, Condition, Image, ImageSource, Way};
pub use knowledge::Knowledge;
pub use limit::{Hole, Setting};
pub use load::Spec;
pub use note::{Acknowledgement, Note};
pub use package::Package;
pub(crate) use product::RawProduct;
pub use reader::{VERSION, is_version};
pub(crate) use release::RawRelease;
pub use release::{Release, Removal};
pub use spanned::Located;
pub use text::Text;
pub use value::HelmKey;
pub use workload::Workload;

/// The version of the spec's format that this tool reads.
pub const SCHEMA: i64 = 2;

/// The folder beside the products' that has the files about the spec's format.
pub const FORMAT: &str = "spec-format";
