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
//! ```no_run
//! use harness::{Containerd, Image, Registry, Script, home};
//!
//! let source = Registry::start();
//! Image::new("csi-attacher", &["amd64", "arm64"]).push_to(
//!     &source,
//!     "k8s.gcr.io/sig-storage/csi-attacher",
//!     "v3.4.0",
//! );
//! let home = home([("k8s.gcr.io", source.address())]);
//! let pull = Script::new("/kit/pull.sh").env("HOME", &*home).run();
//! pull.expect_success();
//!
//! let node = Containerd::start();
//! let import = Script::new("/kit/import.sh").envs(node.env()).run();
//! import.expect_success();
//! ```
//!
//! A part that cannot start, or a tool that is not installed, is a panic with
//! the reason: a test that could not run must never look like one that passed.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a harness panics wherever something is not as it must be, and tests call it for \
              what it does"
)]
#![allow(
    clippy::unnecessary_debug_formatting,
    reason = "in the TOML that is written for the tools, that is how a path gets its quotes"
)]

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

pub use containerd::{Containerd, ContainerdConfig, ImageRow};
pub use cri::CriImage;
pub use digest::Digest;
pub use dockerd::Dockerd;
pub use home::home;
pub use image::{BuiltImage, Image, Manifest, Platform};
pub use podman::Podman;
pub use process::wait_for;
pub use proxy::{Answer, Fault, FaultyProxy, Request};
pub use registry::{AUTH, PASSWORD, Registry, RegistryBuilder, USER};
pub use scratch::Scratch;
pub use script::{ISOLATE, Outcome, Running, Script};
pub use small_disk::SmallDisk;
pub use tool::{path_with, path_without, tool};
