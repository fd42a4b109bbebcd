//! Tiny images that are real: every byte and digest of them is known beforehand.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::{Digest, Registry};

/// What is to be built: an image of one or more architectures. Each layer has
/// one small file whose text names image and architecture, and filler that does
/// not compress. The same description always gives the same bytes.
#[derive(Clone, Debug)]
#[must_use = "it is only a description"]
pub struct Image {
    name: String,
    architectures: Vec<String>,
    bare: bool,
    kinds: &'static Kinds,
    layers: usize,
    layer_size: usize,
    based: bool,
    windows_url: Option<String>,
    classic: bool,
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
            based: false,
            windows_url: None,
            classic: false,
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

    /// Makes it a Docker image whose config is as Docker itself writes it: with fields that the OCI
    /// does not know, in another order. Such a config is written anew on its way into an archive.
    pub fn classic(mut self) -> Self {
        self.classic = true;
        self.docker()
    }

    /// Makes it an image of the OCI again.
    pub fn oci(mut self) -> Self {
        self.kinds = &OCI;
        self
    }

    /// Makes it an image of the OCI whose layers are packed with zstd, which older engines cannot read.
    pub fn zstd(mut self) -> Self {
        self.kinds = &ZSTD;
        self
    }

    /// Gives each architecture `count` layers of about `size` bytes.
    pub fn layers(mut self, count: usize, size: usize) -> Self {
        (self.layers, self.layer_size) = (count, size);
        self
    }

    /// Makes the lowest layer of each architecture one that all such images share.
    pub fn based(mut self) -> Self {
        self.based = true;
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
        let mut parts = Parts::default();
        let mut entries = Vec::new();
        for architecture in &self.architectures {
            let content = Content::new(self, "linux", architecture);
            entries.push(parts.add(&content, self.kinds, Vec::new()));
        }
        if let Some(url) = &self.windows_url {
            let mut content = Content::new(self, "windows", "amd64");
            let base = layer_tar("a base layer that only its owner may distribute\n", 0);
            content.diff_ids.insert(0, Digest::of(&base));
            let base = gzip(&base);
            let mut foreign = descriptor(self.kinds.foreign_layer, &base, &Digest::of(&base));
            foreign["urls"] = json!([url]);
            entries.push(parts.add(&content, self.kinds, vec![foreign]));
        }
        let manifest = if self.bare {
            parts.children.pop().expect("a bare image has one manifest")
        } else {
            let index = json!({
                "schemaVersion": 2,
                "mediaType": self.kinds.index,
                "manifests": entries,
            });
            Manifest::new(self.kinds.index, index.to_string().into_bytes())
        };
        let Parts {
            platforms,
            children,
            blobs,
        } = parts;
        BuiltImage {
            manifest,
            platforms,
            children,
            blobs,
        }
    }

    /// Builds it and pushes all of it to `registry`.
    #[track_caller]
    pub fn push_to(&self, registry: &Registry, repository: &str, tag: &str) -> BuiltImage {
        let built = self.build();
        for (digest, blob) in &built.blobs {
            registry.push_blob(repository, digest, blob);
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
    blobs: BTreeMap<Digest, Vec<u8>>,
}

/// What is below the manifest that the tag points to.
#[derive(Default)]
struct Parts {
    platforms: BTreeMap<String, Platform>,
    children: Vec<Manifest>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Parts {
    /// Adds one platform; `layers` are those that come before the content's own.
    /// Returns its entry for an index.
    fn add(&mut self, content: &Content, kinds: &Kinds, mut layers: Vec<Value>) -> Value {
        for tar in &content.layers {
            layers.push(self.add_blob(kinds.layer, (kinds.pack)(tar)));
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": kinds.manifest,
            "config": self.add_blob(kinds.config, content.config()),
            "layers": layers,
        });
        let manifest = Manifest::new(kinds.manifest, manifest.to_string().into_bytes());
        let mut entry = descriptor(kinds.manifest, &manifest.bytes, &manifest.digest);
        entry["platform"] = content.platform();
        self.platforms.insert(content.name(), content.identity());
        self.children.push(manifest);
        entry
    }

    /// Adds a blob, and returns what a manifest says of it.
    fn add_blob(&mut self, media_type: &str, blob: Vec<u8>) -> Value {
        let digest = Digest::of(&blob);
        let descriptor = descriptor(media_type, &blob, &digest);
        self.blobs.insert(digest, blob);
        descriptor
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
    classic: bool,
}

impl Content {
    fn new(image: &Image, os: &'static str, architecture: &str) -> Self {
        let layers: Vec<_> = (1..=image.layers)
            .map(|n| {
                let shared = image.based && n == 1;
                let name = if shared { "a base" } else { &image.name };
                format!("{name} {os} {architecture} layer {n}\n")
            })
            .map(|text| layer_tar(&text, image.layer_size))
            .collect();
        let diff_ids = layers.iter().map(|tar| Digest::of(tar)).collect();
        Self {
            os,
            architecture: architecture.to_owned(),
            layers,
            diff_ids,
            classic: image.classic,
        }
    }

    /// The bytes of the image's config, its keys in the order of the OCI's own Go types: what
    /// converts an image from Docker's form writes the config anew, in this order, and an image
    /// whose config stays the same can be told by its digest wherever it arrives.
    pub fn config(&self) -> Vec<u8> {
        let diff_ids: Vec<_> = self.diff_ids.iter().map(Digest::as_str).collect();
        let created = "2020-01-01T00:00:00Z";
        if self.classic {
            let settings = json!({
                "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "Tty": false,
                "Env": ["PATH=/bin"], "Cmd": null, "Image": "sha256:0", "Volumes": null,
                "WorkingDir": "", "Entrypoint": ["/image"], "OnBuild": null, "Labels": null,
            });
            // A map of the JSON crate is sorted by its keys, and so is what Docker writes.
            let config = json!({
                "architecture": self.architecture,
                "config": settings,
                "container": "0123456789abcdef",
                "container_config": settings,
                "created": created,
                "docker_version": "20.10.7",
                "history": vec![json!({"created": created}); self.diff_ids.len()],
                "os": self.os,
                "rootfs": {"type": "layers", "diff_ids": diff_ids},
            });
            return config.to_string().into_bytes();
        }
        let version = self.platform().get("os.version").cloned();
        let version =
            version.map_or_else(String::new, |version| format!(r#""os.version":{version},"#));
        format!(
            r#"{{"created":"{created}","architecture":"{}","os":"{}",{version}"config":{},"rootfs":{},"history":{}}}"#,
            self.architecture,
            self.os,
            json!({"Entrypoint": ["/image"]}),
            // One key at a time: a map of these would be sorted.
            format_args!(r#"{{"type":"layers","diff_ids":{}}}"#, json!(diff_ids)),
            json!(vec![json!({"created": created}); self.diff_ids.len()]),
        )
        .into_bytes()
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

/// The media types of one image format.
#[derive(Debug)]
struct Kinds {
    index: &'static str,
    manifest: &'static str,
    config: &'static str,
    layer: &'static str,
    /// Packs a layer.
    pack: fn(&[u8]) -> Vec<u8>,
    foreign_layer: &'static str,
}

static OCI: Kinds = Kinds {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
    pack: gzip,
    foreign_layer: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

/// Of the OCI alone: Docker's format has no such layers.
static ZSTD: Kinds = Kinds {
    layer: "application/vnd.oci.image.layer.v1.tar+zstd",
    pack: zstd,
    ..OCI
};

static DOCKER: Kinds = Kinds {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    pack: gzip,
    foreign_layer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

/// All that a client may be offered, for its `Accept` header.
pub(crate) fn manifest_types() -> String {
    [&OCI, &DOCKER]
        .map(|kinds| format!("{}, {}", kinds.index, kinds.manifest))
        .join(", ")
}

fn descriptor(media_type: &str, bytes: &[u8], digest: &Digest) -> Value {
    json!({"mediaType": media_type, "size": bytes.len(), "digest": digest.as_str()})
}

/// A tar file with a small file of this text, and filler of `size` bytes grown from it.
fn layer_tar(text: &str, size: usize) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    add_file(&mut tar, "image.txt", text.as_bytes())
        .and_then(|()| add_file(&mut tar, "filler", &filler(text, size)))
        .and_then(|()| tar.into_inner())
        .expect("memory can be written")
}

/// Adds a file without a date or an owner to a tar file.
pub(crate) fn add_file(
    tar: &mut tar::Builder<impl Write>,
    name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, bytes)
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

/// The form of gzip, without the effort: nearly all of it is filler.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes)
        .and_then(|()| gzip.finish())
        .expect("memory can be written")
}

/// The form of zstd, without the effort: one frame of raw blocks (RFC 8878).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    // The magic number, a header that says "one segment, four bytes of size", and the size.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    let size = u32::try_from(bytes.len()).expect("a small layer");
    frame.extend(size.to_le_bytes());
    let mut blocks = bytes.chunks(100_000).peekable();
    while let Some(block) = blocks.next() {
        let last = u32::from(blocks.peek().is_none());
        let size = u32::try_from(block.len()).expect("a small block");
        frame.extend(&(size << 3 | last).to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
