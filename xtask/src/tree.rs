//! The rendered files of one release, in memory: what `emit` writes or compares.

use std::collections::BTreeMap;

/// One rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The whole text, with LF line ends.
    pub text: String,
    /// Whether the file is a program.
    pub executable: bool,
    /// Whether it is published by itself too, beside the kits.
    pub loose: bool,
}

impl Artifact {
    /// The file's mode.
    #[must_use]
    pub fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }
}

/// The rendered files of one release, by their path below its folder.
#[derive(Debug)]
pub struct Tree {
    /// The release's folder below the output folder: `huawei-csi/4.5.0`.
    pub folder: String,
    /// The files, by path.
    pub files: BTreeMap<String, Artifact>,
    /// What of the release's folder was rendered.
    pub selection: Selection,
}

/// Which files of a release a run is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All.
    Everything,
    /// Those of the whole release, and those below these folders (`k8s-1.16`).
    Folders(Vec<String>),
}

impl Selection {
    /// Whether a path below the release's folder is in the selection.
    #[must_use]
    pub fn includes(&self, path: &str) -> bool {
        match (self, path.split_once('/')) {
            (Self::Everything, _) | (_, None) => true,
            (Self::Folders(folders), Some((folder, _))) => {
                folders.iter().any(|name| name == folder)
            }
        }
    }
}
