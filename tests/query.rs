//! The commands that only answer, by the real binary: `images` and `why`.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use insta::{assert_snapshot, with_settings};
use serde_json::Value;
use support::{huawei, rendered, root};
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
        format!("{before}{mark}N{}", part.trim_start_matches(is_digit))
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

#[test]
fn images_refuses_what_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let two = folder.path().join("example");
    fs::create_dir(&two).expect("created");
    let spec = root().join("tests/fixtures/spec/example/1.0.0.toml");
    let text = fs::read_to_string(spec).expect("the fixture");
    for release in ["1.0.0", "1.1.0"] {
        let text = text.replace("release = \"1.0.0\"", &format!("release = \"{release}\""));
        fs::write(two.join(format!("{release}.toml")), text).expect("written");
    }
    let spec = folder.path().to_str().expect("UTF-8");
    let said = transcript(&[
        &["images"],
        &["images", "--kubernetes", "latest"],
        &["images", "--kubernetes", "1.31"],
        &["images", "--kubernetes", "1.20", "--release", "4.6.0"],
        &["images", "--kubernetes", "1.20", "--format", "yaml"],
        &["images", "--kubernetes", "1.20", "--spec", spec],
        &[
            "images",
            "--kubernetes",
            "1.20",
            "--spec",
            spec,
            "--release",
            "2.0.0",
        ],
        &[
            "images",
            "--kubernetes",
            "1.20",
            "--spec",
            spec,
            "--release",
            "1.1.0",
        ],
    ]);
    snapshot("images-refused", &said.replace(spec, "SPEC"));
}

#[test]
fn images_shows_what_is_wrong_with_a_spec() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("example")).expect("created");
    let spec = folder.path().to_str().expect("UTF-8");
    fs::write(folder.path().join("example/1.0.0.toml"), "schema = 2\n").expect("written");
    let (stdout, stderr, status) = run(&["images", "--kubernetes", "1.20", "--spec", spec]);
    assert_eq!((stdout.as_str(), status), ("", Some(1)));
    assert!(stderr.contains("unsupported-schema"), "{stderr}");
    assert!(stderr.contains("in the spec; nothing was done"), "{stderr}");
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
    snapshot("why", &without_lines(&all, "4.5.0.toml:"));
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
    let said = transcript(&[
        &["why"],
        &["why", "csi-atacher"],
        &["why", "attacher"],
        &["why", "csi-attacher:v3.4.1"],
        &["why", "registry.k8s.io/sig-storage/livenessprobe:v2.5.0"],
        &["why", "ttacher:v3.4.0"],
        &["why", ""],
        &["why", "zzz"],
        &["why", "csi-attacher", "--kubernetes", "1.15"],
        &["why", "csi-attacher", "--kubernetes", "one"],
        &["why", "csi-attacher", "--release", "4.6.0"],
        &["why", "csi-attacher", "--templates", "no-such-folder"],
    ]);
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

#[test]
fn why_names_every_file_that_names_an_image() {
    let release = huawei();
    let (_, tree) = rendered(&release);
    let rows = release.components.iter().flat_map(|c| &c.images);
    let mut seen = 0;
    for row in rows {
        let reference = &row.reference.value;
        let said = answer(&["why", "--release", "4.5.0", reference.as_str()]);
        assert_eq!(named(&said), with_its_name(&tree, reference), "{reference}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}
