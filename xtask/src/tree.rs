//! The rendered files of one release, in memory: what `emit` writes or compares.
//!
//! They have two forms. A kit has every file, and each whole. The repository is for review: it has what a
//! change of the table changes, and a text that is the same in every release once.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The whole text, with LF line ends.
    pub text: String,
    /// Whether the file is a program.
    pub executable: bool,
    /// Whether it is published by itself too, beside the kits.
    pub loose: bool,
    /// Where the text is not all, its end, which the repository has elsewhere.
    pub body: Option<Arc<Body>>,
}

/// Who a tree is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An operator, who has one kit: every file, each whole.
    Kit,
    /// The repository, where changes are reviewed: what a change of the table changes.
    Review,
}

/// The end of a file that is the same in every release.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// The end itself.
    pub text: String,
    /// What the repository has in its place.
    pub loader: String,
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

/// The folder of a product that has the ends of files, once for all releases.
pub const BODIES: &str = "scripts";

/// The trees of releases, for review, with the ends of files in a tree for each product.
#[must_use]
pub fn with_bodies(trees: Vec<Tree>) -> Vec<Tree> {
    let mut bodies: BTreeMap<String, BTreeMap<String, Artifact>> = BTreeMap::new();
    let mut all = Vec::new();
    for mut tree in trees {
        let product = tree.folder.split('/').next().unwrap_or_default().to_owned();
        for (path, artifact) in &mut tree.files {
            let Some(body) = artifact.body.take() else {
                continue;
            };
            artifact.text.push_str(&body.loader);
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            let bodies = bodies.entry(product.clone()).or_default();
            bodies.entry(name).or_insert_with(|| Artifact {
                text: body.text.clone(),
                executable: false,
                loose: false,
                body: None,
            });
        }
        all.push(tree);
    }
    all.extend(bodies.into_iter().map(|(product, files)| Tree {
        folder: format!("{product}/{BODIES}"),
        files,
        selection: Selection::Everything,
    }));
    // What a product has is written together: `emit` moves a new folder into place as a whole.
    let product = |tree: &Tree| tree.folder.split('/').next().map(str::to_owned);
    all.sort_by_cached_key(product);
    all
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
