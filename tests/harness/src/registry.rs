//! A registry of a test's own, and a look at what it holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::image::{Manifest, Platform, manifest_types, text};
use crate::process::Process;
use crate::tls::Tls;
use crate::{Digest, Scratch, tool};

/// The user whom a registry with a password admits.
pub const USER: &str = "operator";

/// That user's password. It is like no other text, so that a test can find it
/// where it must not be.
pub const PASSWORD: &str = "pa55-w0rd-of-a-test";

/// `USER:PASSWORD` as `htpasswd -B` writes it: the registry takes bcrypt alone.
const HTPASSWD: &str = "operator:$2y$05$imagetableimagetable..OywHlflRkq0zDWA75t/cVLs9bkmC5Pe";

/// `USER:PASSWORD` in base64, as an auth file has it.
pub const AUTH: &str = "b3BlcmF0b3I6cGE1NS13MHJkLW9mLWEtdGVzdA==";

/// A real `docker-registry` with its storage in a temporary folder.
#[derive(Debug)]
pub struct Registry {
    address: String,
    /// The same storage over plain HTTP and without a password, for the
    /// harness's own eyes.
    inside: String,
    agent: Agent,
    tls: Option<Tls>,
    auth_file: Option<PathBuf>,
    storage: PathBuf,
    // The processes end before the folder that they write to is removed.
    _processes: Vec<Process>,
    _scratch: Scratch,
}

/// How a registry is to differ from a plain, open one.
#[derive(Debug, Default)]
#[must_use = "nothing runs before `start`"]
pub struct RegistryBuilder {
    tls: bool,
    auth: bool,
    foreign_urls: Option<String>,
    storage: Option<PathBuf>,
}

impl RegistryBuilder {
    /// Serves what another one has, as if that were started anew in another way.
    pub fn storage_of(mut self, other: &Registry) -> Self {
        self.storage = Some(other.storage.clone());
        self
    }

    /// Serves HTTPS with a certificate of an authority that nobody knows.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Asks everyone for [`USER`] and [`PASSWORD`].
    pub fn auth(mut self) -> Self {
        self.auth = true;
        self
    }

    /// Admits foreign layers whose URLs match this regular expression. As
    /// installed, the registry refuses every manifest that has one.
    pub fn allow_foreign_layers(mut self, urls: &str) -> Self {
        self.foreign_urls = Some(urls.to_owned());
        self
    }

    /// Starts it and waits until it answers.
    #[track_caller]
    pub fn start(self) -> Registry {
        let scratch = Scratch::new("registry");
        let storage = self.storage.unwrap_or_else(|| scratch.join("storage"));
        let tls = self.tls.then(Tls::new);
        let urls = self
            .foreign_urls
            .map(|allow| json!({"manifests": {"urls": {"allow": [allow]}}}));
        let plain = json!({
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": true}},
            "storage": {
                "filesystem": {"rootdirectory": &storage},
                "delete": {"enabled": true},
            },
            "http": {"addr": "127.0.0.1:0", "secret": "none"},
            "validation": urls.unwrap_or_default(),
        });
        let mut config = plain.clone();
        if let Some(tls) = &tls {
            config["http"]["tls"] = json!({"certificate": tls.certificate(), "key": tls.key()});
        }
        if self.auth {
            let htpasswd = scratch.write("htpasswd", HTPASSWD);
            config["auth"] = json!({"htpasswd": {"realm": "test", "path": htpasswd}});
        }
        let (front, address) = serve(&scratch, "registry", &config);
        let mut processes = vec![front];
        let mut inside = address.clone();
        if config != plain {
            let (back, address) = serve(&scratch, "registry-inside", &plain);
            processes.push(back);
            inside = address;
        }
        let auth_file = self.auth.then(|| {
            let auths = json!({"auths": {&address: {"auth": AUTH}}});
            scratch.write("auth.json", auths.to_string())
        });
        Registry {
            address,
            inside,
            agent: Agent::config_builder()
                .http_status_as_error(false)
                // Loopback is reached directly, whatever the environment says.
                .proxy(None)
                .build()
                .into(),
            tls,
            auth_file,
            storage,
            _processes: processes,
            _scratch: scratch,
        }
    }
}

/// Starts one process; its own log says which port it was given.
#[track_caller]
fn serve(scratch: &Scratch, name: &str, config: &Value) -> (Process, String) {
    // JSON is YAML.
    let config = scratch.write(&format!("{name}.yml"), config.to_string());
    let mut command = Command::new(tool("docker-registry"));
    let process = Process::spawn(name, command.arg("serve").arg(config), scratch);
    let address = process.wait_ready(|| {
        let log = process.stderr();
        let (_, rest) = log.split_once("listening on ")?;
        let end = rest.find(['"', ','])?;
        Some(rest[..end].to_owned())
    });
    (process, address)
}

impl Registry {
    /// Starts a plain one: HTTP, open to all.
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Another kind of registry.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// Where it listens, `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder with the certificate authority's `ca.crt`, for `--dest-cert-dir`
    /// and its like.
    ///
    /// # Panics
    /// If it serves no TLS.
    #[track_caller]
    pub fn cert_dir(&self) -> PathBuf {
        self.tls
            .as_ref()
            .expect("this registry has no TLS")
            .trusted()
    }

    /// The auth file with this registry's credentials, for `--authfile`.
    ///
    /// # Panics
    /// If it asks for none.
    #[track_caller]
    pub fn auth_file(&self) -> &Path {
        self.auth_file
            .as_ref()
            .expect("this registry has no password")
    }

    /// Everything in it that has a tag: `REPOSITORY:TAG` and the digest there.
    #[track_caller]
    pub fn catalog(&self) -> BTreeMap<String, Digest> {
        let mut catalog = BTreeMap::new();
        let repositories = self.names("_catalog?n=1000", "repositories");
        for repository in &repositories {
            for tag in self.names(&format!("{repository}/tags/list"), "tags") {
                let manifest = self
                    .manifest(repository, &tag)
                    .expect("a listed tag is there");
                catalog.insert(format!("{repository}:{tag}"), manifest.digest);
            }
        }
        catalog
    }

    /// The manifest or index under a tag or digest, if there is one.
    #[track_caller]
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Manifest> {
        let mut response = self
            .agent
            .get(self.url(&format!("{repository}/manifests/{reference}")))
            .header("Accept", manifest_types())
            .call()
            .expect("the registry answers");
        if response.status() == 404 {
            return None;
        }
        expect(&mut response, 200);
        let media_type = header(&response, "content-type");
        Some(Manifest::new(&media_type, body(&mut response)))
    }

    /// What a tag holds for each `os/architecture`, as the images' own configs
    /// have it. To be compared with [`BuiltImage::platforms`](crate::BuiltImage).
    ///
    /// # Panics
    /// If the tag, a manifest of its index, or a config is not there.
    #[track_caller]
    pub fn platforms(&self, repository: &str, tag: &str) -> BTreeMap<String, Platform> {
        let there = |reference: &str| {
            self.manifest(repository, reference)
                .unwrap_or_else(|| panic!("{repository} has no {reference}"))
        };
        let top = there(tag);
        let children = top.children();
        let manifests = if top.json().get("manifests").is_some() {
            children
                .iter()
                .map(|digest| there(digest.as_str()))
                .collect()
        } else {
            vec![top]
        };
        let platform = |manifest: &Manifest| {
            let digest = Digest::from(text(&manifest.json()["config"]["digest"]));
            let config: Value =
                serde_json::from_slice(&self.blob(repository, &digest)).expect("a config is JSON");
            let name = format!("{}/{}", text(&config["os"]), text(&config["architecture"]));
            let diff_ids = config["rootfs"]["diff_ids"]
                .as_array()
                .into_iter()
                .flatten();
            let diff_ids = diff_ids.map(|id| Digest::from(text(id))).collect();
            (
                name,
                Platform {
                    config: digest,
                    diff_ids,
                },
            )
        };
        manifests.iter().map(platform).collect()
    }

    /// The bytes of a blob.
    ///
    /// # Panics
    /// If it is not there.
    #[track_caller]
    pub fn blob(&self, repository: &str, digest: &Digest) -> Vec<u8> {
        let url = self.url(&format!("{repository}/blobs/{digest}"));
        let mut response = self.agent.get(url).call().expect("the registry answers");
        expect(&mut response, 200);
        body(&mut response)
    }

    /// Attaches a signature to a manifest, as cosign does. Nobody has made it: it is only there.
    #[track_caller]
    pub fn sign(&self, repository: &str, digest: &Digest) {
        let blob = |media_type: &str, text: &str| {
            let digest = Digest::of(text.as_bytes());
            self.push_blob(repository, &digest, text.as_bytes());
            json!({"mediaType": media_type, "digest": digest.as_str(), "size": text.len()})
        };
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let mut payload = blob("application/vnd.dev.cosign.simplesigning.v1+json", "{}");
        payload["annotations"] = json!({"dev.cosignproject.cosign/signature": "bm9uZQ=="});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": blob("application/vnd.oci.image.config.v1+json", "{ }"),
            "layers": [payload],
        });
        let manifest = Manifest::new(manifest_type, manifest.to_string().into_bytes());
        let tag = format!("{}.sig", digest.as_str().replace(':', "-"));
        self.push_manifest(repository, &tag, &manifest);
    }

    /// Pushes a blob.
    #[track_caller]
    pub(crate) fn push_blob(&self, repository: &str, digest: &Digest, blob: &[u8]) {
        let url = self.url(&format!("{repository}/blobs/uploads/"));
        let mut begun = self
            .agent
            .post(url)
            .send_empty()
            .expect("the registry answers");
        expect(&mut begun, 202);
        // The location that it names has a query already.
        let url = format!("{}&digest={}", header(&begun, "location"), digest);
        let mut done = self
            .agent
            .put(url)
            .header("Content-Type", "application/octet-stream")
            .send(blob)
            .expect("the registry answers");
        expect(&mut done, 201);
    }

    /// Pushes a manifest under a tag or its digest.
    #[track_caller]
    pub(crate) fn push_manifest(&self, repository: &str, reference: &str, manifest: &Manifest) {
        let mut response = self
            .agent
            .put(self.url(&format!("{repository}/manifests/{reference}")))
            .header("Content-Type", &manifest.media_type)
            .send(&manifest.bytes[..])
            .expect("the registry answers");
        expect(&mut response, 201);
    }

    #[track_caller]
    fn names(&self, path: &str, key: &str) -> Vec<String> {
        let mut response = self
            .agent
            .get(self.url(path))
            .call()
            .expect("the registry answers");
        // A repository that has blobs alone is listed, and has no list of tags.
        if response.status() == 404 {
            return Vec::new();
        }
        expect(&mut response, 200);
        let list: Value = serde_json::from_slice(&body(&mut response)).expect("a list is JSON");
        // A repository that has lost its last tag has `null` for a list.
        let names = list[key].as_array().into_iter().flatten();
        names.map(|name| text(name).to_owned()).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.inside)
    }
}

fn header(response: &Response<Body>, name: &str) -> String {
    let value = response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

#[track_caller]
fn body(response: &mut Response<Body>) -> Vec<u8> {
    let reader = response.body_mut().with_config().limit(u64::MAX);
    reader.read_to_vec().expect("the registry answers in full")
}

#[track_caller]
fn expect(response: &mut Response<Body>, status: u16) {
    if response.status() != status {
        let body = String::from_utf8_lossy(&body(response)).into_owned();
        panic!(
            "the registry answers {} in place of {status}: {body}",
            response.status()
        );
    }
}
