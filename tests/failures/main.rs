//! The scripts when things go wrong, on real parts: each test brings about one cause, then reads the
//! exit status and what the operator is told, then takes the cause away, and a second run finishes.

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/world.rs"]
mod world;

mod answers;
mod archive;
mod disks;
mod gate;
mod host;
mod killed;
mod nodes;
mod others;
mod package;
mod paths;
mod refused;
mod registries;
mod tampered;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use harness::{Containerd, Digest, Outcome, Registry, Scratch, Script, home, tool};
use walkdir::WalkDir;
use world::World;

const MINOR: &str = "1.27";

/// The one image that a test of a single image is about, and what its requests have in their paths.
const VICTIM: &str = "k8s.gcr.io/sig-storage/csi-resizer:v1.4.0";
const VICTIM_PATH: &str = "/csi-resizer/";

/// Shared by all tests: none changes anything in it.
static WORLD: LazyLock<World> = LazyLock::new(|| World::start(false));

/// An archive that nothing disturbed, in its folder.
static ARCHIVE: LazyLock<Scratch> = LazyLock::new(|| {
    let folder = Scratch::new("archive");
    WORLD.pull(MINOR, "amd64", &folder);
    folder
});

fn archive_in(folder: &Path) -> PathBuf {
    WORLD.archive(folder, MINOR, "amd64")
}

fn sum_of(archive: &Path) -> PathBuf {
    archive.with_extension("tar.sha256")
}

/// A copy of `ARCHIVE` for a test that spoils it.
fn archive_copy() -> Scratch {
    let folder = Scratch::new("copy");
    for file in [archive_in(&ARCHIVE), sum_of(&archive_in(&ARCHIVE))] {
        fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("copied");
    }
    folder
}

/// A copy of the vendor's package for a test that spoils it.
fn package_copy() -> Scratch {
    let folder = Scratch::new("package");
    for entry in fs::read_dir(WORLD.package.join("image")).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("copied");
    }
    folder
}

/// The vendor's package for arm64 alone: the name of an archive for amd64 has X86 in it.
fn package_for_arm64() -> Scratch {
    let package = package_copy();
    for file in package.read_dir().expect("a folder") {
        let file = file.expect("an entry").path();
        if file.to_string_lossy().contains("X86") {
            fs::remove_file(file).expect("removed");
        }
    }
    package
}

/// A folder, a mirror and a node with nothing in them.
fn empty() -> (Scratch, Registry, Containerd) {
    let folder = Scratch::new("pulled");
    (folder, Registry::start(), Containerd::start())
}

/// Takes the second half of a file away.
fn truncate(file: &Path) {
    let bytes = fs::read(file).expect("readable");
    fs::write(file, &bytes[..bytes.len() / 2]).expect("written");
}

/// Changes one bit of a file.
fn alter(file: &Path, byte: usize) {
    let mut bytes = fs::read(file).expect("readable");
    bytes[byte] ^= 1;
    fs::write(file, bytes).expect("written");
}

/// `pull.sh` into a folder.
fn pull(folder: impl AsRef<Path>) -> Script {
    let pull = WORLD.script(MINOR, "pull.sh").args(["--arch", "amd64"]);
    pull.arg("--output").arg(folder.as_ref())
}

/// `push.sh` into a mirror.
fn push(address: &str) -> Script {
    let push = WORLD.script(MINOR, "push.sh");
    push.args(["--tls-verify", "false", address])
}

/// `import.sh` on a node, of the archive in a folder.
fn import(node: &Containerd, folder: &Path) -> Script {
    let import = WORLD.script(MINOR, "import.sh").args(["--arch", "amd64"]);
    let archive = archive_in(folder);
    import.arg("--archive").arg(archive).envs(node.env())
}

trait WithPackage {
    /// Gives it the vendor's package.
    fn package(self, folder: &Path) -> Self;
    /// Gives it the vendor's package as it has to be.
    fn whole_package(self) -> Self;
}

impl WithPackage for Script {
    fn package(self, folder: &Path) -> Self {
        self.arg("--package").arg(folder)
    }

    fn whole_package(self) -> Self {
        self.package(&WORLD.package)
    }
}

/// Runs a script that has to fail: with status 1, these texts on standard error, and how to mend it.
#[track_caller]
fn fails(script: Script, texts: &[&str]) -> Outcome {
    let outcome = script.run().expect_code(1);
    for text in ["error: ", "help: "].iter().chain(texts) {
        assert!(outcome.stderr.contains(text), "no {text:?} in\n{outcome}");
    }
    outcome
}

/// The images of which a script's lines say this: `[1/11] IMAGE ... copied`.
fn images(outcome: &Outcome, said: &str) -> BTreeSet<String> {
    let lines = outcome.stdout.lines();
    let lines = lines.filter_map(|line| line.split_once(" ... "));
    let lines = lines.filter(|(_, end)| end.starts_with(said));
    lines
        .map(|(step, _)| step.split(' ').nth(1).expect("an image").to_owned())
        .collect()
}

/// The images of the minor.
fn references() -> BTreeSet<String> {
    let images = WORLD.plan(MINOR).images.iter();
    images.map(|image| image.reference.clone()).collect()
}

/// Of these, those that the vendor ships.
fn vendors() -> BTreeSet<String> {
    let images = WORLD.plan(MINOR).images.iter();
    let images = images.filter(|image| image.is_package);
    images.map(|image| image.reference.clone()).collect()
}

/// All images but `VICTIM`.
fn others() -> BTreeSet<String> {
    let mut others = references();
    assert!(others.remove(VICTIM));
    others
}

/// A home folder in which all images come from one address, and `VICTIM` from another.
fn home_with_victim_at(all: &str, victim: &str) -> Scratch {
    home([
        ("k8s.gcr.io", all),
        (VICTIM.split_once(':').expect("a tag").0, victim),
    ])
}

/// Requires that a folder has an archive with the very files of the undisturbed one.
#[track_caller]
fn expect_archive(folder: &Path) {
    fn content(folder: &Path) -> BTreeMap<String, Digest> {
        let unpacked = Scratch::new("unpacked");
        let tar = Script::new(tool("tar")).arg("-xf").arg(archive_in(folder));
        let _ = tar.arg("-C").arg(&*unpacked).run().expect_success();
        let files = WalkDir::new(&unpacked)
            .into_iter()
            .map(|e| e.expect("read"));
        let files = files.filter(|entry| entry.file_type().is_file());
        files
            .map(|entry| {
                let path = entry.path().strip_prefix(&unpacked).expect("below");
                let digest = Digest::of(&fs::read(entry.path()).expect("readable"));
                (path.to_str().expect("UTF-8").to_owned(), digest)
            })
            .collect()
    }
    static WANTED: LazyLock<BTreeMap<String, Digest>> = LazyLock::new(|| content(&ARCHIVE));
    assert_eq!(content(folder), *WANTED);
    let archive = archive_in(folder);
    let digest = Digest::of(&fs::read(&archive).expect("readable"));
    let name = archive
        .file_name()
        .expect("a name")
        .to_str()
        .expect("UTF-8");
    let sum = fs::read_to_string(sum_of(&archive)).expect("readable");
    assert_eq!(sum, format!("{}  {name}\n", digest.hex()));
    assert!(!archive.with_extension("tar.work").exists());
}

/// Requires that a mirror has every image, registry images with the digests of their source.
#[track_caller]
fn expect_mirror(mirror: &Registry) {
    let catalog = mirror.catalog();
    let held: BTreeSet<_> = catalog.keys().cloned().collect();
    assert_eq!(held, WORLD.places(MINOR, "scoped"));
    let source = WORLD.source.catalog();
    for image in &WORLD.plan(MINOR).images {
        if !image.is_package {
            assert_eq!(catalog[&image.scoped], source[&image.reference]);
        }
    }
}

/// Requires that a node has every image, complete, unpacked and pinned.
#[track_caller]
fn expect_node(node: &Containerd) {
    let images = node.images();
    let names: BTreeSet<_> = images.keys().cloned().collect();
    assert_eq!(names, WORLD.names(MINOR));
    for (name, row) in images {
        assert!(row.complete && row.unpacked, "{name}: {row:?}");
        let pinned = row.labels.get("io.cri-containerd.pinned");
        assert_eq!(pinned.map(String::as_str), Some("pinned"), "{name}");
    }
}
