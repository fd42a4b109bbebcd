//! The spec: one TOML file a release, `spec/<product>/<release>.toml`.
//!
//! [`load`] reads files into [`raw`] (what somebody wrote) and lowers that into [`model`] (what
//! is valid). Only `load` touches the disk; nothing behind it sees raw data.

pub mod knowledge;
pub mod load;
mod lower;
pub mod model;
mod raw;

pub use knowledge::Knowledge;
pub use load::{Spec, load};
pub use model::Release;
