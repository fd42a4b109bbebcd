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

impl Image {
    /// Writes it to `path` in the form that `docker save` has from version 25 on: an OCI layout
    /// with a `manifest.json` beside it. `name` is the whole one.
    ///
    /// # Panics
    /// If it has several architectures: such an archive holds one.
    #[track_caller]
    pub fn save_oci(&self, path: &Path, repo_tag: &str, name: &str) {
        write_oci(path, &self.only_content(), repo_tag, name)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

fn write_oci(path: &Path, content: &Content, repo_tag: &str, name: &str) -> io::Result<()> {
    fn blob(archive: &mut tar::Builder<File>, bytes: &[u8]) -> io::Result<(String, Digest)> {
        let digest = Digest::of(bytes);
        let place = format!("blobs/sha256/{}", digest.hex());
        add_file(archive, &place, bytes)?;
        Ok((place, digest))
    }
    let oci = |kind: &str| format!("application/vnd.oci.image.{kind}");
    let mut archive = tar::Builder::new(File::create(path)?);
    let mut places = Vec::new();
    let mut layers = Vec::new();
    for layer in &content.layers {
        let (place, digest) = blob(&mut archive, layer)?;
        layers.push(json!({"mediaType": oci("layer.v1.tar"), "digest": digest.as_str(), "size": layer.len()}));
        places.push(place);
    }
    let bytes = content.config();
    let (config, digest) = blob(&mut archive, &bytes)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": oci("manifest.v1+json"),
        "config": {"mediaType": oci("config.v1+json"), "digest": digest.as_str(), "size": bytes.len()},
        "layers": layers,
    });
    let bytes = manifest.to_string().into_bytes();
    let (_, digest) = blob(&mut archive, &bytes)?;
    let tag = repo_tag.rsplit(':').next();
    let index = json!({"schemaVersion": 2, "mediaType": oci("index.v1+json"), "manifests": [{
        "mediaType": oci("manifest.v1+json"),
        "digest": digest.as_str(),
        "size": bytes.len(),
        "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag},
    }]});
    let list = json!([{"Config": config, "RepoTags": [repo_tag], "Layers": places}]);
    for (file, text) in [
        ("index.json", index),
        ("manifest.json", list),
        ("oci-layout", json!({"imageLayoutVersion": "1.0.0"})),
    ] {
        add_file(&mut archive, file, text.to_string().as_bytes())?;
    }
    archive.finish()
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
