//! Tiny images that are real: every byte and digest of them is known beforehand.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{Digest, Registry};

/// What is to be built: an image of one or more architectures. Each layer has
/// one small file whose text names image and architecture, and filler that does
/// not compress. The same description always gives the same bytes.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    architectures: Vec<String>,
    bare: bool,
    kinds: &'static Kinds,
    layers: usize,
    layer_size: usize,
    windows_url: Option<String>,
}

impl Image {
    /// An OCI index of Linux images with one small layer each.
    pub fn new(name: &str, architectures: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            architectures: architectures.iter().map(ToString::to_string).collect(),
            bare: false,
            kinds: &OCI,
            layers: 1,
            layer_size: 0,
            windows_url: None,
        }
    }

    /// An image of one architecture that is no index but a single manifest.
    pub fn bare(name: &str, architecture: &str) -> Self {
        Self {
            bare: true,
            ..Self::new(name, &[architecture])
        }
    }

    /// Makes it a Docker image (schema 2), the older form.
    pub fn docker(mut self) -> Self {
        self.kinds = &DOCKER;
        self
    }

    /// Gives each architecture `count` layers of about `size` bytes.
    pub fn layers(mut self, count: usize, size: usize) -> Self {
        (self.layers, self.layer_size) = (count, size);
        self
    }

    /// Adds a Windows entry to the index. Its base layer is foreign: in no
    /// registry, only said to be at `url`.
    pub fn windows(mut self, url: &str) -> Self {
        self.windows_url = Some(url.to_owned());
        self
    }

    /// Builds all of it in memory.
    pub fn build(&self) -> BuiltImage {
        let mut built = BuiltImage {
            manifest: Manifest::new("", Vec::new()),
            platforms: BTreeMap::new(),
            children: Vec::new(),
            blobs: Vec::new(),
        };
        let mut entries = Vec::new();
        for architecture in &self.architectures {
            let content = Content::new(self, "linux", architecture);
            entries.push(built.add(&content, self.kinds, Vec::new()));
        }
        if let Some(url) = &self.windows_url {
            let mut content = Content::new(self, "windows", "amd64");
            let base = layer_tar("a base that only its owner may distribute", 0, "");
            content.diff_ids.insert(0, Digest::of(&base));
            let mut foreign = descriptor(self.kinds.foreign_layer, &gzip(&base));
            foreign["urls"] = json!([url]);
            entries.push(built.add(&content, self.kinds, vec![foreign]));
        }
        built.manifest = if self.bare {
            built.children.pop().expect("a bare image has one manifest")
        } else {
            let index = json!({
                "schemaVersion": 2,
                "mediaType": self.kinds.index,
                "manifests": entries,
            });
            Manifest::new(self.kinds.index, index.to_string().into_bytes())
        };
        built
    }

    /// Builds it and pushes all of it to `registry`.
    #[track_caller]
    pub fn push_to(&self, registry: &Registry, repository: &str, tag: &str) -> BuiltImage {
        let built = self.build();
        for blob in &built.blobs {
            registry.push_blob(repository, blob);
        }
        for child in &built.children {
            registry.push_manifest(repository, child.digest.as_str(), child);
        }
        registry.push_manifest(repository, tag, &built.manifest);
        built
    }

    /// The image of the only architecture.
    pub(crate) fn only_content(&self) -> Content {
        let [architecture] = &self.architectures[..] else {
            panic!(
                "{} has not one architecture: {:?}",
                self.name, self.architectures
            );
        };
        Content::new(self, "linux", architecture)
    }
}

/// An image with all its bytes.
#[derive(Clone, Debug)]
pub struct BuiltImage {
    /// What a tag points to: the index, or the only manifest of a bare image.
    pub manifest: Manifest,
    /// By `os/architecture`, what is to arrive wherever the image goes.
    pub platforms: BTreeMap<String, Platform>,
    children: Vec<Manifest>,
    blobs: Vec<Vec<u8>>,
}

impl BuiltImage {
    /// Adds one platform; `layers` are those that come before the content's own.
    /// Returns its entry for an index.
    fn add(&mut self, content: &Content, kinds: &Kinds, mut layers: Vec<Value>) -> Value {
        let config = content.config();
        for tar in &content.layers {
            let blob = gzip(tar);
            layers.push(descriptor(kinds.layer, &blob));
            self.blobs.push(blob);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": kinds.manifest,
            "config": descriptor(kinds.config, &config),
            "layers": layers,
        });
        let manifest = Manifest::new(kinds.manifest, manifest.to_string().into_bytes());
        let mut entry = descriptor(kinds.manifest, &manifest.bytes);
        entry["platform"] = content.platform();
        self.platforms.insert(content.name(), content.identity());
        self.blobs.push(config);
        self.children.push(manifest);
        entry
    }
}

/// A manifest or an index, as a registry serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type.
    pub media_type: String,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The digest of those bytes.
    pub digest: Digest,
}

impl Manifest {
    pub(crate) fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(&bytes),
            bytes,
        }
    }

    /// Its JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("a manifest is JSON")
    }

    /// The digests of the manifests in an index; of anything else, none.
    #[track_caller]
    pub fn children(&self) -> Vec<Digest> {
        let json = self.json();
        let entries = json["manifests"].as_array().into_iter().flatten();
        entries
            .map(|entry| Digest::from(text(&entry["digest"])))
            .collect()
    }
}

/// What identifies the image of one platform in every form that it can take:
/// conversions and archives change manifests, but never these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The digest of the image's config; podman and docker call it the image's ID.
    pub config: Digest,
    /// The digests of the layers, uncompressed, from the lowest up.
    pub diff_ids: Vec<Digest>,
}

/// The content of one platform: its config follows from it.
pub(crate) struct Content {
    os: &'static str,
    architecture: String,
    /// The layers, as tar files.
    pub layers: Vec<Vec<u8>>,
    diff_ids: Vec<Digest>,
}

impl Content {
    fn new(image: &Image, os: &'static str, architecture: &str) -> Self {
        let layers: Vec<_> = (1..=image.layers)
            .map(|n| format!("{} {os} {architecture} layer {n}\n", image.name))
            .map(|text| layer_tar("image.txt", image.layer_size, &text))
            .collect();
        let diff_ids = layers.iter().map(|tar| Digest::of(tar)).collect();
        Self {
            os,
            architecture: architecture.to_owned(),
            layers,
            diff_ids,
        }
    }

    /// The bytes of the image's config.
    pub fn config(&self) -> Vec<u8> {
        let mut config = self.platform();
        let more = json!({
            "created": "2020-01-01T00:00:00Z",
            "config": {"Entrypoint": ["/image"]},
            "rootfs": {"type": "layers", "diff_ids": diff_id_texts(&self.diff_ids)},
            "history": vec![json!({"created": "2020-01-01T00:00:00Z"}); self.diff_ids.len()],
        });
        let more = more
            .as_object()
            .expect("an object was written above")
            .clone();
        config
            .as_object_mut()
            .expect("a platform is an object")
            .extend(more);
        config.to_string().into_bytes()
    }

    /// What stays the same in every form of the image.
    pub fn identity(&self) -> Platform {
        Platform {
            config: Digest::of(&self.config()),
            diff_ids: self.diff_ids.clone(),
        }
    }

    fn platform(&self) -> Value {
        let mut platform = json!({"architecture": self.architecture, "os": self.os});
        if self.os == "windows" {
            platform["os.version"] = json!("10.0.17763.2114");
        }
        platform
    }

    fn name(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }
}

fn diff_id_texts(diff_ids: &[Digest]) -> Vec<&str> {
    diff_ids.iter().map(Digest::as_str).collect()
}

/// The media types of one image format.
#[derive(Debug)]
struct Kinds {
    index: &'static str,
    manifest: &'static str,
    config: &'static str,
    layer: &'static str,
    foreign_layer: &'static str,
}

static OCI: Kinds = Kinds {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
    foreign_layer: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

static DOCKER: Kinds = Kinds {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    foreign_layer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

/// All that a client may be offered, for its `Accept` header.
pub(crate) fn manifest_types() -> String {
    [&OCI, &DOCKER]
        .map(|kinds| format!("{}, {}", kinds.index, kinds.manifest))
        .join(", ")
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "size": bytes.len(), "digest": Digest::of(bytes).as_str()})
}

/// A tar file with the small file `name`, and filler of `size` bytes grown from its text.
fn layer_tar(name: &str, size: usize, text: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes)
            .expect("a tar file in memory can be written");
    };
    add(name, text.as_bytes());
    add("filler", &filler(text, size));
    tar.into_inner()
        .expect("a tar file in memory can be written")
}

/// Bytes without a pattern (xorshift), so that gzip cannot shrink them.
fn filler(seed: &str, size: usize) -> Vec<u8> {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes)
        .and_then(|()| gzip.finish())
        .expect("memory can be written")
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
