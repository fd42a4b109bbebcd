//! A disk that is soon full.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount, mount_remount};

use crate::Scratch;

/// A tmpfs of a few megabytes, unmounted on drop. Mounting takes root.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
    // Unmounts when it is dropped.
    _scratch: Scratch,
}

impl SmallDisk {
    /// Mounts an empty disk of this size.
    ///
    /// # Panics
    /// If it may not mount.
    #[track_caller]
    pub fn new(megabytes: u32) -> Self {
        let scratch = Scratch::new("disk");
        let path = scratch.join("mnt");
        fs::create_dir(&path).expect("a folder can be made");
        mount(
            "tmpfs",
            &path,
            "tmpfs",
            MountFlags::NOSUID | MountFlags::NODEV,
            &*size(megabytes),
        )
        .unwrap_or_else(|error| panic!("no tmpfs can be mounted (this test needs root): {error}"));
        Self {
            path,
            _scratch: scratch,
        }
    }

    /// Gives it another size, as if somebody had made room. What is on it stays.
    #[track_caller]
    pub fn resize(&self, megabytes: u32) {
        mount_remount(&self.path, MountFlags::empty(), &*size(megabytes))
            .expect("a mounted disk can be resized");
    }

    /// Makes it read-only, or writable again. What is on it stays.
    #[track_caller]
    pub fn read_only(&self, read_only: bool) {
        let flags = if read_only {
            MountFlags::RDONLY
        } else {
            MountFlags::empty()
        };
        mount_remount(&self.path, flags, c"").expect("a mounted disk can be remounted");
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn size(megabytes: u32) -> CString {
    CString::new(format!("size={megabytes}m")).expect("a number has no NUL")
}
