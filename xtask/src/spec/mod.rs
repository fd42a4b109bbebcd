//! The spec: one TOML file a release, `spec/<product>/<release>.toml`.
//!
//! [`load`] reads files into [`raw`] (what somebody wrote) and lowers that into [`model`] (what
//! is valid). Only `load` touches the disk; nothing behind it sees raw data.

pub mod knowledge;
pub mod load;
mod lower;
pub mod model;
pub(crate) mod raw;
pub(crate) mod rules;

pub use knowledge::Knowledge;
pub use load::Spec;
pub use model::Release;

/// The version of the spec's format that this tool reads.
pub const SCHEMA: i64 = 1;

/// The folder beside the products' that has the files about the spec's format.
pub const FORMAT: &str = "spec-format";
