//! Images as the archives that `docker save` writes.

use std::fs::File;
use std::path::Path;

use serde_json::json;

use crate::image::Platform;
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
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut archive = tar::Builder::new(file);
        let mut add = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, name, bytes)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        };
        let config_name = format!("{}.json", identity.config.hex());
        let mut layer_names = Vec::new();
        for (layer, diff_id) in content.layers.iter().zip(&identity.diff_ids) {
            // Docker's own layer IDs are digests too, of no byte in the archive.
            let id = Digest::of(diff_id.as_str().as_bytes());
            let name = format!("{}/layer.tar", id.hex());
            add(&name, layer);
            layer_names.push(name);
        }
        add(&config_name, &content.config());
        let manifest =
            json!([{"Config": config_name, "RepoTags": repo_tags, "Layers": layer_names}]);
        add("manifest.json", manifest.to_string().as_bytes());
        archive
            .finish()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        identity
    }
}
