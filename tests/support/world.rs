//! The world around one operator, on loopback: the source registries with the table's images, the
//! vendor's package, and the kits of every minor as they are generated.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::{
    BuiltImage, Containerd, Image, Platform, Registry, Scratch, Script, home, tool, wait_for,
};
use serde_json::Value;
use xtask::image::ImageRef;
use xtask::plan::{Plan, PlannedImage, ReleasePlan};
use xtask::spec::Release;
use xtask::tree::Tree;

use crate::support::{huawei, rendered};

/// What later releases of two of the images have: a Windows entry with a layer that is elsewhere.
const FOREIGN: &str = "https://mcr.example/windows/layer";

pub struct World {
    pub source: Registry,
    /// A home folder whose configuration leads the source registries' names to `source`.
    pub home: Scratch,
    run: Scratch,
    /// The vendor's unpacked package, with the archives of both architectures.
    pub package: Scratch,
    kits: Scratch,
    pub release: ReleasePlan,
    pub tree: Tree,
    /// By whole name and architecture: what the image is, wherever it arrives.
    pub identities: BTreeMap<(String, String), Platform>,
}

impl World {
    /// Starts that of the real table. `windows` gives two images an entry with a foreign layer.
    pub fn start(windows: bool) -> Self {
        Self::of(&huawei(), |reference, image| {
            match (windows, reference.base_name()) {
                (true, "livenessprobe") => image.docker().windows(FOREIGN),
                (true, "csi-node-driver-registrar") => image.oci().windows(FOREIGN),
                _ => image,
            }
        })
    }

    /// Starts that of any table. `shape` may change each image before it is built.
    pub fn of(table: &Release, shape: impl Fn(&ImageRef, Image) -> Image) -> Self {
        let (release, tree) = rendered(table);
        let source = Registry::builder()
            .allow_foreign_layers("^https://mcr[.]example/")
            .start();
        let package = Scratch::new("package");
        let archives_in = package.join(&release.release.package.folder);
        fs::create_dir(&archives_in).expect("created");
        let kits = Scratch::new("kits");
        for (path, artifact) in &tree.files {
            let file = kits.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("created");
            fs::write(&file, &artifact.text).expect("written");
            let mode = if artifact.executable { 0o755 } else { 0o644 };
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
        }
        let mut identities = BTreeMap::new();
        let mut docker = false;
        for image in distinct(&release) {
            let reference = ImageRef::parse(&image.reference).expect("valid");
            let architectures: Vec<_> = image.architectures.iter().map(String::as_str).collect();
            if image.is_package {
                for archives in &image.archives {
                    // The guide's spelling for one architecture, the build script's for the other.
                    let name = if archives.architecture == "amd64" {
                        archives.names.first()
                    } else {
                        archives.names.last()
                    };
                    let path = archives_in.join(name.expect("a name"));
                    let built = Image::bare(&image.name, &archives.architecture);
                    let built = shape(&reference, built);
                    let identity = built.save(&path, &[&image.reference]);
                    identities.insert(
                        (image.name.clone(), archives.architecture.clone()),
                        identity,
                    );
                }
                continue;
            }
            let mut built = match architectures[..] {
                [only] => Image::bare(&image.name, only).docker(),
                _ => Image::new(&image.name, &architectures),
            };
            // The images of that age are of both kinds.
            if docker {
                built = built.docker();
            }
            docker = !docker;
            let pushed = push(&shape(&reference, built), &source, &reference);
            for (platform, identity) in pushed.platforms {
                if let Some(architecture) = platform.strip_prefix("linux/") {
                    identities.insert((image.name.clone(), architecture.to_owned()), identity);
                }
            }
        }
        let hosts: BTreeSet<String> = release
            .plans
            .iter()
            .flat_map(|plan| plan.registries.iter().map(|registry| registry.host.clone()))
            .collect();
        let home = home(hosts.iter().map(|host| (host.as_str(), source.address())));
        Self {
            source,
            home,
            run: Scratch::new("run"),
            package,
            kits,
            release,
            tree,
            identities,
        }
    }

    pub fn plan(&self, minor: &str) -> &Plan {
        self.release
            .plans
            .iter()
            .find(|plan| plan.kubernetes == minor)
            .expect("a supported minor")
    }

    /// The folder of a minor, which an operator has.
    pub fn kit(&self, minor: &str) -> PathBuf {
        self.kits.join(format!("k8s-{minor}"))
    }

    /// A copy of a minor's kit, to work in.
    pub fn copy_of_kit(&self, minor: &str) -> Scratch {
        let copy = Scratch::new("набор 套件");
        for entry in fs::read_dir(self.kit(minor)).expect("the kit") {
            let entry = entry.expect("readable");
            fs::copy(entry.path(), copy.join(entry.file_name())).expect("copied");
        }
        copy
    }

    /// A script of a minor's kit, on the operator's machine.
    pub fn script(&self, minor: &str, name: &str) -> Script {
        self.operator(self.kit(minor).join(name))
    }

    /// A program on the operator's machine: with the world's home, and its `/run`.
    pub fn operator(&self, program: impl AsRef<OsStr>) -> Script {
        let program = Script::isolated(program).env("HOME", &*self.home);
        program.env("RUN_FOLDER", &*self.run)
    }

    /// The archive that `pull.sh` made in a folder.
    pub fn archive(&self, folder: &Path, minor: &str, architecture: &str) -> PathBuf {
        let facts = &self.release.release;
        folder.join(format!(
            "{}-{}-k8s-{minor}-{architecture}.tar",
            facts.product, facts.version
        ))
    }

    /// Downloads everything of a minor into one archive.
    pub fn pull(&self, minor: &str, architecture: &str, folder: &Path) -> PathBuf {
        let _ = self
            .script(minor, "pull.sh")
            .args(["--arch", architecture, "--package"])
            .arg(&*self.package)
            .arg("--output")
            .arg(folder)
            .run()
            .expect_success();
        self.archive(folder, minor, architecture)
    }

    /// Requires that a node has exactly the minor's images, complete, unpacked and pinned, and that
    /// the kubelet finds them.
    #[track_caller]
    pub fn expect_complete(&self, node: &Containerd, minor: &str, architecture: &str) {
        let images = node.images();
        let named: BTreeSet<_> = images.keys().cloned().collect();
        assert_eq!(named, self.names(minor));
        for (name, row) in &images {
            assert!(row.complete && row.unpacked, "{name}: {row:?}");
            assert_eq!(row.platforms, [format!("linux/{architecture}")], "{name}");
            assert_eq!(row.labels["io.cri-containerd.pinned"], "pinned", "{name}");
            let found = wait_for("the CRI to see the image", || node.cri_image_status(name));
            let config = &self.identity(name, architecture).config;
            assert_eq!(found.id, config.as_str(), "{name}");
        }
    }

    /// The whole names of a minor's images.
    pub fn names(&self, minor: &str) -> BTreeSet<String> {
        self.plan(minor)
            .images
            .iter()
            .map(|image| image.name.clone())
            .collect()
    }

    /// Where the images of a minor are in a mirror, behind the mirror's own address.
    pub fn places(&self, minor: &str, layout: &str) -> BTreeSet<String> {
        let images = self.plan(minor).images.iter();
        images.map(|image| place(image, layout).clone()).collect()
    }

    pub fn identity(&self, name: &str, architecture: &str) -> &Platform {
        &self.identities[&(name.to_owned(), architecture.to_owned())]
    }
}

/// An image's place in a mirror.
pub fn place<'i>(image: &'i PlannedImage, layout: &str) -> &'i String {
    match layout {
        "scoped" => &image.scoped,
        _ => &image.flat,
    }
}

/// Pushes an image to where a `home` of the harness leads those who ask for this reference.
pub fn push(image: &Image, registry: &Registry, reference: &ImageRef) -> BuiltImage {
    let host = reference.host().expect("a host").replace(':', "-");
    let repository = format!("{host}/{}", reference.path());
    image.push_to(registry, &repository, reference.tag().expect("a tag"))
}

/// The bytes of an archive, and of all the blobs together that its index leads to.
pub fn sizes(archive: &Path) -> (f64, f64) {
    let folder = Scratch::new("unpacked");
    let tar = Script::new(tool("tar")).arg("-xf").arg(archive);
    let _ = tar.arg("-C").arg(&*folder).run().expect_success();
    let json = |path: &str| -> Value {
        let text = fs::read(folder.join(path)).expect("a file of the archive");
        serde_json::from_slice(&text).expect("JSON")
    };
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let mut blobs = BTreeMap::new();
    for manifest in list(&json("index.json")["manifests"]) {
        let digest = manifest["digest"].as_str().expect("a digest");
        let content = json(&format!("blobs/{}", digest.replace(':', "/")));
        let mut parts = list(&content["layers"]);
        parts.extend([manifest, content["config"].clone()]);
        for part in parts {
            let size = part["size"].as_f64().expect("a size");
            blobs.insert(part["digest"].to_string(), size);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "an archive has far fewer bytes")]
    let size = fs::metadata(archive).expect("the archive").len() as f64;
    (size, blobs.into_values().sum())
}

fn distinct(release: &ReleasePlan) -> Vec<&PlannedImage> {
    let mut seen = BTreeMap::new();
    for plan in &release.plans {
        for image in &plan.images {
            seen.entry(image.name.as_str()).or_insert(image);
        }
    }
    seen.into_values().collect()
}
