//! The commands that only answer, by the real binary: `images` and `why`.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use insta::{assert_snapshot, with_settings};
use serde_json::Value;
use support::spec_text::SpecText;
use support::{committed_trees, huawei, releases, root};
use tempfile::TempDir;
use xtask::image::ImageRef;
use xtask::tree::Tree;

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

/// Runs a command in the repository; gives what it printed to both outputs, and its exit status.
fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .current_dir(root())
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

/// What a command prints when all goes well.
fn answer(arguments: &[&str]) -> String {
    let (stdout, stderr, status) = run(arguments);
    assert_eq!((stderr.as_str(), status), ("", Some(0)), "{arguments:?}");
    stdout
}

/// Commands as somebody would see them in a terminal.
fn transcript(commands: &[&[&str]]) -> String {
    let shown = |arguments: &&[&str]| {
        let (stdout, stderr, status) = run(arguments);
        let status = status.expect("not killed");
        format!(
            "$ cargo xtask {}\n{stdout}{stderr}[exit status {status}]\n\n",
            arguments.join(" ")
        )
    };
    commands.iter().map(shown).collect()
}

/// A text without the numbers that follow a mark.
fn without_lines(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let first = parts.next().unwrap_or_default().to_owned();
    let is_digit = |c: char| c.is_ascii_digit();
    parts.fold(first, |before, part| {
        let rest = part.trim_start_matches(is_digit);
        // A column is as wide as its longest number.
        let column = rest.trim_start_matches(' ');
        let blanks = if column == rest { "" } else { "  " };
        format!("{before}{mark}N{blanks}{column}")
    })
}

fn generated(path: &str) -> String {
    let path = root().join("generated/huawei-csi/4.5.0").join(path);
    fs::read_to_string(path).expect("generated")
}

fn minors() -> Vec<String> {
    (16..=30).map(|minor| format!("1.{minor}")).collect()
}

#[test]
fn images_are_those_of_the_generated_lists() {
    for minor in minors() {
        assert_eq!(
            answer(&["images", "--release", "4.5.0", "--kubernetes", &minor]),
            generated(&format!("k8s-{minor}/images.txt"))
        );
    }
}

#[test]
fn images_as_json_are_those_of_the_generated_file() {
    let whole: Value = serde_json::from_str(&generated("images.json")).expect("JSON");
    let minors = minors();
    let mut arguments = vec!["images", "--release", "4.5.0", "--format", "json"];
    for minor in &minors {
        arguments.extend(["--kubernetes", minor]);
    }
    let said: Value = serde_json::from_str(&answer(&arguments)).expect("JSON");
    assert_eq!(said, whole);

    arguments.truncate(5);
    arguments.extend(["--kubernetes", "v1.28.5+k3s1"]);
    let one = answer(&arguments);
    let mut wanted = whole;
    let sets = wanted["imageSets"].as_array_mut().expect("a list");
    sets.retain(|set| set["k8sVersion"] == "1.28");
    assert_eq!(sets.len(), 1);
    assert_eq!(
        serde_json::from_str::<Value>(&one).expect("JSON"),
        wanted,
        "{one}"
    );
}

#[test]
fn images_of_several_versions_are_listed_once() {
    let both = answer(&[
        "images",
        "--release",
        "4.5.0",
        "--kubernetes",
        "1.17",
        "--kubernetes",
        "1.16",
    ]);
    let lists = generated("k8s-1.16/images.txt") + &generated("k8s-1.17/images.txt");
    let mut wanted: Vec<_> = lists.lines().collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(wanted.len(), 13);
    assert_eq!(both.lines().collect::<Vec<_>>(), wanted);
}

/// The small table as a product with these releases, in a folder.
fn product(folder: &Path, name: &str, releases: &[&str]) {
    let example = SpecText::example();
    let folder = folder.join(name);
    fs::create_dir(&folder).expect("created");
    fs::write(folder.join("product.toml"), &example.product).expect("written");
    for release in releases {
        let file = folder.join(format!("{release}.toml"));
        fs::write(file, &example.release).expect("written");
    }
}

#[test]
fn images_refuses_what_is_not_there() {
    let (one, two) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    // As versions sort, not as texts do.
    product(one.path(), "example", &["1.9.0", "1.10.0", "1.10.0-rc.1"]);
    product(two.path(), "example", &["1.0.0", "1.1.0"]);
    product(two.path(), "other", &["1.1.0"]);
    let path = |folder: &TempDir| folder.path().to_str().expect("UTF-8").to_owned();
    let (one, two) = (path(&one), path(&two));
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["images"],
        vec!["images", "--kubernetes", "latest"],
        vec!["images", "--kubernetes", "1.31", "--release", "4.5.0"],
        vec!["images", "--kubernetes", "1.20", "--format", "yaml"],
    ];
    for (spec, options) in [
        (&one, &[][..]),
        (&one, &["--release", "1.9.0"]),
        (&one, &["--release", "2.0.0"]),
        (&one, &["--release", "1.9"]),
        (&two, &[]),
        (&two, &["--release", "1.1.0"]),
        (&two, &["--release", "other/1.1.0"]),
        (&two, &["--release", "other/1.0.0"]),
    ] {
        let command = ["images", "--kubernetes", "1.20", "--spec", spec];
        commands.push([&command[..], options].concat());
    }
    let commands: Vec<_> = commands.iter().map(Vec::as_slice).collect();
    let said = transcript(&commands);
    snapshot(
        "images-refused",
        &said.replace(&one, "ONE").replace(&two, "TWO"),
    );
}

#[test]
fn images_shows_what_is_wrong_with_a_spec() {
    let folder = tempfile::tempdir().expect("a folder");
    product(folder.path(), "example", &["1.0.0"]);
    let spec = folder.path().to_str().expect("UTF-8");
    for file in ["1.0.0.toml", "product.toml"] {
        let file = folder.path().join("example").join(file);
        let text = fs::read_to_string(&file).expect("readable");
        fs::write(&file, text.replace("schema = 2", "schema = 3")).expect("written");
        let (stdout, stderr, status) = run(&["images", "--kubernetes", "1.20", "--spec", spec]);
        fs::write(&file, text).expect("written");
        assert_eq!((stdout.as_str(), status), ("", Some(1)));
        assert!(stderr.contains("unsupported-schema"), "{stderr}");
        assert!(
            stderr.contains("1 error in the spec; nothing was done"),
            "{stderr}"
        );
    }
}

/// A product's file is wrong for each of its releases, and of the one that is chosen that is said.
#[test]
fn what_is_wrong_with_a_product_is_shown_of_any_release() {
    let folder = tempfile::tempdir().expect("a folder");
    product(folder.path(), "example", &["1.0.0", "1.1.0"]);
    let file = folder.path().join("example/product.toml");
    let text = fs::read_to_string(&file).expect("readable");
    let text = text.replace("workloads = [\"example-node\"]", "workloads = [\"nodes\"]");
    fs::write(&file, text).expect("written");
    let spec = folder.path().to_str().expect("UTF-8");
    let images = ["images", "--kubernetes", "1.20", "--spec", spec];
    let release = |name| [&images[..], &["--release", name]].concat();
    for command in [
        &images[..],
        &release("1.0.0"),
        &release("1.1.0"),
        &["check", "--spec", spec],
    ] {
        let (_, stderr, status) = run(command);
        assert_eq!(status, Some(1), "{command:?}: {stderr}");
        assert_eq!(
            stderr.matches("error[unknown-workload]").count(),
            1,
            "{command:?}: {stderr}"
        );
        assert!(stderr.contains("1 error"), "{command:?}: {stderr}");
    }
}

#[test]
fn why_says_where_everything_comes_from_and_goes() {
    let mut all = String::new();
    for arguments in [
        "csi-attacher",
        "k8s.gcr.io/sig-storage/csi-attacher:v3.4.0",
        "csi-attacher:v3.4.0 --kubernetes v1.16.15",
        "csi-snapshotter",
        "csi-snapshotter --kubernetes 1.16",
        "snapshot-controller:v4.2.1 --kubernetes 1.16",
        "huawei-csi-extender --kubernetes 1.28.5+k3s1",
        "liveness-probe",
        "docker.io/library/huawei-csi:4.5.0",
    ] {
        let arguments: Vec<_> = ["why", "--release", "4.5.0"]
            .into_iter()
            .chain(arguments.split(' '))
            .collect();
        all.push_str(&transcript(&[&arguments]));
    }
    // The lines of the real table move with every edit; those of the small one are shown.
    snapshot("why", &without_lines(&all, ".toml:"));
}

#[test]
fn why_knows_an_image_of_several_components() {
    let said = transcript(&[
        &[
            "why",
            "helper:1.30",
            "--spec",
            "tests/fixtures/spec",
            "--kubernetes",
            "1.19",
        ],
        &[
            "why",
            "tools/helper",
            "--spec",
            "tests/fixtures/spec",
            "--kubernetes",
            "1.20",
        ],
        &[
            "why",
            "helper",
            "--spec",
            "tests/fixtures/spec",
            "--kubernetes",
            "1.20",
        ],
    ]);
    snapshot("why-several", &said);
}

#[test]
fn why_refuses_what_is_not_there() {
    let of_release =
        |arguments: &'static [&str]| [&["why", "--release", "4.5.0"], arguments].concat();
    let commands = [
        vec!["why"],
        of_release(&["csi-atacher"]),
        of_release(&["attacher"]),
        of_release(&["csi-attacher:v3.4.1"]),
        of_release(&["registry.k8s.io/sig-storage/livenessprobe:v2.5.0"]),
        of_release(&["ttacher:v3.4.0"]),
        of_release(&[""]),
        of_release(&["zzz"]),
        of_release(&["csi-attacher", "--kubernetes", "1.15"]),
        of_release(&["csi-attacher", "--kubernetes", "one"]),
        of_release(&["csi-attacher", "--templates", "no-such-folder"]),
    ];
    let commands: Vec<_> = commands.iter().map(Vec::as_slice).collect();
    let said = transcript(&commands);
    snapshot("why-refused", &said);
}

/// The files that `why` names, with the folders of neighbouring minors written out.
fn named(said: &str) -> BTreeSet<String> {
    let (_, lines) = said
        .split_once("named in the files of generated/huawei-csi/4.5.0/\n\n")
        .expect("the list");
    let mut paths = BTreeSet::new();
    for line in lines.lines() {
        let (folders, files) = line.trim().split_once(": ").unwrap_or(("", line.trim()));
        let (first, last) = folders.split_once(" to ").unwrap_or((folders, folders));
        let minor = |folder: &str| {
            folder
                .trim_start_matches("k8s-1.")
                .trim_end_matches('/')
                .parse()
        };
        let folders: Vec<_> = match (minor(first), minor(last)) {
            (Ok(first), Ok(last)) => {
                let minors: std::ops::RangeInclusive<u8> = first..=last;
                minors.map(|minor| format!("k8s-1.{minor}/")).collect()
            }
            _ => vec![String::new()],
        };
        for folder in folders {
            paths.extend(files.split(", ").map(|file| format!("{folder}{file}")));
        }
    }
    paths
}

/// The files that name an image as a reader would look for it: by its reference, or in a sync list
/// by its repository and tag.
fn with_its_name(tree: &Tree, reference: &ImageRef) -> BTreeSet<String> {
    let tag = format!("\"{}\"", reference.tag().expect("a tag"));
    let names = |path: &str, text: &str| {
        if path.ends_with("skopeo-sync.yaml") {
            reference.host().is_some() && text.contains(reference.path()) && text.contains(&tag)
        } else {
            text.contains(reference.as_str())
        }
    };
    let files = tree.files.iter();
    files
        .filter(|(path, file)| names(path, &file.text))
        .map(|(path, _)| path.clone())
        .collect()
}

/// Which release an answer is about is said where nobody has chosen one.
#[test]
fn the_newest_release_answers() {
    let releases = releases(&root().join("spec"));
    let newest = releases.last().expect("a release");
    let note = format!(
        "note: of {}/{}, the newest; choose another with --release\n",
        newest.product, newest.version
    );
    for arguments in [
        &["images", "--kubernetes", "1.28"][..],
        &["why", "csi-attacher"],
    ] {
        let chosen = [arguments, &["--release", &newest.version]].concat();
        assert_eq!(run(arguments), (answer(&chosen), note.clone(), Some(0)));
    }
}

#[test]
fn why_names_every_file_that_names_an_image() {
    let release = huawei();
    let trees = committed_trees(std::slice::from_ref(&release));
    let mut trees = trees.iter();
    let tree = trees.find(|tree| tree.folder == "huawei-csi/4.5.0");
    let tree = tree.expect("the release's tree");
    let rows = release.components.iter().flat_map(|c| &c.images);
    let mut seen = 0;
    for row in rows {
        let reference = &row.reference.value;
        let said = answer(&["why", "--release", "4.5.0", reference.as_str()]);
        assert_eq!(named(&said), with_its_name(tree, reference), "{reference}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}
