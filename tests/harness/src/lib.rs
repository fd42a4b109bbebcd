//! Real parts for tests: registries, containerd, podman, dockerd, small disks,
//! and the tiny images that go through them.
//!
//! Everything listens on loopback, on ports that the kernel chose, and lives in
//! one temporary folder per test process, so any number of tests may run at
//! once. A part is ready when its constructor returns and is gone when it is
//! dropped, also by a panic. Whatever a test process could not clear up itself
//! (it was killed, or kept a part in a `static`), its keeper does: see
//! [`Scratch`].
//!
//! A part that cannot start, or a tool that is not installed, is a panic with
//! the reason: a test that could not run must never look like one that passed.

mod archive;
mod containerd;
mod cri;
mod digest;
mod dockerd;
mod home;
mod image;
mod podman;
mod process;
mod proxy;
mod registry;
mod scratch;
mod script;
mod small_disk;
mod tls;
mod tool;

pub use containerd::{Containerd, ImageRow};
pub use cri::CriImage;
pub use digest::Digest;
pub use dockerd::Dockerd;
pub use home::home;
pub use image::{BuiltImage, Image, Manifest, Platform};
pub use podman::Podman;
pub use process::wait_for;
pub use proxy::{Fault, FaultyProxy};
pub use registry::{PASSWORD, Registry, RegistryBuilder, USER};
pub use scratch::Scratch;
pub use script::{Outcome, Running, Script};
pub use small_disk::SmallDisk;
pub use tool::{path_without, tool};
