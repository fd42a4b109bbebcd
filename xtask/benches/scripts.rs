//! What the scripts cost beside the tools that they wrap: `cargo bench --bench scripts`.
//!
//! Both sides run in turn against the same registry and fresh engines, with images of a few
//! megabytes that do not compress, and a figure is the median of the ratios. Nothing fails for
//! being slow: the target stands beside the figure. It needs what `tests/run` installs, as root,
//! and takes about a minute on two cores.

mod figures;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/support/world.rs"]
mod world;

use std::path::Path;
use std::time::Instant;

use figures::{heading, report};
use harness::{Containerd, Scratch, Script, tool};
use world::World;

const MINOR: &str = "1.27";
const ARCHITECTURE: &str = "amd64";
/// Each image has so many layers of so many bytes.
const LAYERS: usize = 2;
const LAYER_SIZE: usize = 2 << 20;
/// Runs of each side behind a figure.
const ROUNDS: usize = 9;

fn main() {
    // `cargo test --benches` runs this too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("left out: `cargo bench` measures");
        return;
    }
    let world = World::of(&support::huawei(), |_, image| {
        image.layers(LAYERS, LAYER_SIZE)
    });
    heading();

    // The first round of each warms up and does not count.
    let pulls: Vec<_> = (0..=ROUNDS)
        .map(|_| (pull(&world), copies(&world)))
        .collect();
    report("pull.sh / the bare skopeo copies", &pulls[1..], "1.20");

    let folder = Scratch::new("archive");
    let archive = world.pull(MINOR, ARCHITECTURE, &folder);
    let mut imports = Vec::new();
    let mut again = Vec::new();
    for _ in 0..=ROUNDS {
        let bare = bare_import(&archive);
        let node = Containerd::start();
        let first = seconds(import(&world, &node, &archive));
        imports.push((first, bare));
        again.push((seconds(import(&world, &node, &archive)), first));
    }
    report(
        "import.sh / the bare ctr images import",
        &imports[1..],
        "1.80",
    );
    report(
        "import.sh with everything there / the first",
        &again[1..],
        "0.20",
    );

    let (size, blobs) = world::sizes(&archive);
    println!(
        "{:50} {:5.3}   <= 1.030 {:4.1} MB {:7.1} MB",
        "the archive / its distinct blobs",
        size / blobs,
        size / 1e6,
        blobs / 1e6
    );
}

/// How many seconds a program takes, which has to succeed.
fn seconds(script: Script) -> f64 {
    let start = Instant::now();
    let outcome = script.run();
    let time = start.elapsed().as_secs_f64();
    let _ = outcome.expect_success();
    time
}

/// `pull.sh` into an empty folder.
fn pull(world: &World) -> f64 {
    let folder = Scratch::new("pulled");
    // As bare as the other side: it locks nothing outside this folder.
    let pull = Script::new(world.kit(MINOR).join("pull.sh")).env("HOME", &*world.home);
    let pull = pull.args(["--arch", ARCHITECTURE, "--package"]);
    seconds(pull.arg(&*world.package).dir(&*folder))
}

/// One `skopeo copy` an image into one layout: what somebody would type who has no `pull.sh`.
fn copies(world: &World) -> f64 {
    const COPY: &str = r#"
        for pair; do
            skopeo copy --quiet --override-os linux --override-arch "$ARCHITECTURE" \
                "${pair% *}" "oci:layout:${pair#* }" || exit
        done"#;
    let folder = Scratch::new("copied");
    let pairs = world.plan(MINOR).images.iter().map(|image| {
        let archives = image
            .archives
            .iter()
            .find(|a| a.architecture == ARCHITECTURE);
        let source = match archives {
            Some(archives) => {
                let file = world.package.join("image").join(&archives.names[0]);
                format!("docker-archive:{}", file.display())
            }
            None => format!("docker://{}", image.reference),
        };
        format!("{source} {}", image.name)
    });
    let copy = Script::new("sh").args(["-c", COPY, "sh"]).args(pairs);
    let copy = copy
        .env("ARCHITECTURE", ARCHITECTURE)
        .env("HOME", &*world.home);
    seconds(copy.dir(&*folder))
}

/// `import.sh` on a node.
fn import(world: &World, node: &Containerd, archive: &Path) -> Script {
    let import = world.script(MINOR, "import.sh").envs(node.env());
    let import = import.args(["--arch", ARCHITECTURE, "--archive"]);
    import.arg(archive)
}

/// `ctr images import` on a fresh node.
fn bare_import(archive: &Path) -> f64 {
    let node = Containerd::start();
    let platform = format!("linux/{ARCHITECTURE}");
    let import = Script::new(tool("ctr")).envs(node.env());
    let import = import.args(["-n", "k8s.io", "images", "import", "--platform", &platform]);
    seconds(import.arg(archive))
}
