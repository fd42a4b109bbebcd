//! Images as the archives that `docker save` writes.

use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::json;

use crate::image::{Content, Platform, add_file};
use crate::{Digest, Image};

impl Image {
    /// Writes it to `path` in the form of `docker save`, as a vendor's package
    /// has it, under exactly these tags: `huawei-csi:4.5.0`.
    ///
    /// # Panics
    /// If it has several architectures: such an archive holds one.
    #[track_caller]
    pub fn save(&self, path: &Path, repo_tags: &[&str]) -> Platform {
        let content = self.only_content();
        let identity = content.identity();
        write(path, &content, &identity, repo_tags)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        identity
    }
}

fn write(
    path: &Path,
    content: &Content,
    identity: &Platform,
    repo_tags: &[&str],
) -> io::Result<()> {
    let mut archive = tar::Builder::new(File::create(path)?);
    let mut layers = Vec::new();
    for (layer, diff_id) in content.layers.iter().zip(&identity.diff_ids) {
        // A layer's ID looks like a digest, but of nothing that is in the archive.
        let id = Digest::of(diff_id.as_str().as_bytes());
        let name = format!("{}/layer.tar", id.hex());
        add_file(&mut archive, &name, layer)?;
        layers.push(name);
    }
    let config = format!("{}.json", identity.config.hex());
    add_file(&mut archive, &config, &content.config())?;
    let manifest = json!([{"Config": config, "RepoTags": repo_tags, "Layers": layers}]);
    add_file(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    )?;
    archive.finish()
}
