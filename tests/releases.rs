//! Every release of Huawei CSI: what its plan says, held against what the vendor's own charts ask for,
//! and against its table, read by another parser. And how the next release goes in: as one file.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;
use support::project::{Project, copy};
use support::{fixtures, releases, root};
use xtask::plan::{self, Plan, PlannedComponent, ReleasePlan};

/// `tests/fixtures/facts/huawei-csi.json`, which documents itself under `source`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    source: String,
    releases: Vec<Published>,
}

/// What is known of a release otherwise than from its table.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Published {
    version: String,
    minors: Vec<String>,
    /// The references that the chart asks for by its own values, by component.
    default: BTreeMap<String, Vec<String>>,
    /// The same, with every optional part on.
    all_on: BTreeMap<String, Vec<String>>,
}

fn published() -> Vec<Published> {
    let path = fixtures().join("facts/huawei-csi.json");
    let text = fs::read_to_string(path).expect("the facts");
    let facts: Facts = serde_json::from_str(&text).expect("their form");
    assert!(facts.source.contains("Huawei/eSDK_K8S_Plugin"));
    facts.releases
}

/// The plans of all releases, by version.
fn plans() -> BTreeMap<String, ReleasePlan> {
    let releases = releases(&root().join("spec")).into_iter();
    let releases = releases.filter(|release| release.product == "huawei-csi");
    releases
        .map(|release| (release.version.clone(), plan::plan(&release)))
        .collect()
}

/// The images of some components, in the form of the facts.
fn images<'p>(
    components: impl Iterator<Item = &'p PlannedComponent>,
) -> BTreeMap<String, Vec<String>> {
    components
        .map(|component| (component.name.clone(), vec![component.reference.clone()]))
        .collect()
}

/// Where a plan differs from what was published. The chart's own values name one image a component: that
/// of the newest minors.
fn differences(plan: &ReleasePlan, published: &Published) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |what: &str, is_so: bool| {
        if !is_so {
            found.push(format!("{}: {what}", published.version));
        }
    };
    let minors: Vec<_> = plan.plans.iter().map(|plan| &plan.kubernetes).collect();
    hold("the minors", minors.iter().copied().eq(&published.minors));
    let newest = plan.plans.last().expect("a minor");
    let is_on = |component: &&PlannedComponent| {
        let mut off = newest.off_by_default.iter();
        !off.any(|off| off.name == component.name)
    };
    let by_default = images(newest.components.iter().filter(is_on));
    hold("the images by default", by_default == published.default);
    let all_on = images(newest.components.iter());
    hold("the images with all on", all_on == published.all_on);
    // The chart names an image of the package without a registry, and every other one with it.
    let of_package = published.all_on.values().flatten();
    let of_package: BTreeSet<_> = of_package.filter(|image| !image.contains('/')).collect();
    for plan in &plan.plans {
        let planned = plan.images.iter().filter(|image| image.is_package);
        let planned: BTreeSet<_> = planned.map(|image| &image.reference).collect();
        let what = format!("the package's images on {}", plan.kubernetes);
        hold(&what, planned == of_package);
    }
    found
}

#[test]
fn each_release_is_what_the_vendors_chart_asks_for() {
    let plans = plans();
    let published = published();
    // A release that was just added may have no facts yet; those that had some keep them.
    assert!(published.len() >= 16);
    let found: Vec<_> = published
        .iter()
        .flat_map(|release| differences(&plans[&release.version], release))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_fact_that_is_otherwise_is_seen() {
    let plans = plans();
    for release in published() {
        let plan = &plans[&release.version];
        let mut changed = Vec::new();
        for minor in 0..release.minors.len() {
            let mut other = release.clone();
            other.minors.remove(minor);
            changed.push(other);
        }
        for name in release.all_on.keys() {
            let mut other = release.clone();
            other.all_on.remove(name);
            changed.push(other);
            let mut other = release.clone();
            let references = other.all_on.get_mut(name).expect("there");
            references[0].push_str(".1");
            changed.push(other);
            let mut other = release.clone();
            match other.default.get_mut(name) {
                Some(references) => references[0].push_str(".1"),
                None => other
                    .default
                    .extend([(name.clone(), release.all_on[name].clone())]),
            }
            changed.push(other);
        }
        for other in changed {
            assert!(!differences(plan, &other).is_empty(), "{}", release.version);
        }
    }
}

/// Whether a minor is among those that a requirement of the table names; a reading of its own.
fn includes(requirement: &str, minor: &str) -> bool {
    let number = |version: &str| -> u32 {
        let minor = version.trim_start_matches('v').strip_prefix("1.");
        minor.expect("of Kubernetes 1").parse().expect("a number")
    };
    let minor = number(minor);
    if let Some(first) = requirement.strip_suffix('+') {
        minor >= number(first)
    } else if let Some(one) = requirement.strip_suffix(".x") {
        minor == number(one)
    } else {
        let (first, last) = requirement.split_once('-').expect("a range");
        (number(first)..=number(last)).contains(&minor)
    }
}

/// The rows of a release's file, by component and requirement.
fn rows(version: &str) -> Vec<(String, String, String)> {
    let path = root().join(format!("spec/huawei-csi/{version}.toml"));
    let text = fs::read_to_string(path).expect("the table");
    let table: toml::Table = text.parse().expect("TOML");
    let text = |value: &toml::Value| value.as_str().expect("a text").to_owned();
    let mut all = Vec::new();
    for (component, rows) in table["images"].as_table().expect("a table") {
        for (requirement, reference) in rows.as_table().expect("rows") {
            let reference = text(reference).replace("{release}", version);
            all.push((component.clone(), requirement.clone(), reference));
        }
    }
    all
}

#[test]
fn each_plan_has_the_rows_for_its_minor_and_no_others() {
    for (version, release) in plans() {
        let rows = rows(&version);
        assert!(!rows.is_empty(), "{version}");
        for (component, requirement, reference) in &rows {
            let is_used = |plan: &Plan| includes(requirement, &plan.kubernetes);
            assert!(
                release.plans.iter().any(is_used),
                "{version}: {component} {requirement} {reference} is for no minor"
            );
        }
        for plan in &release.plans {
            let meant = rows
                .iter()
                .filter(|(_, requirement, _)| includes(requirement, &plan.kubernetes));
            let meant: BTreeSet<_> = meant.map(|(name, _, image)| (name, image)).collect();
            let planned = plan.components.iter();
            let planned: BTreeSet<_> = planned.map(|it| (&it.name, &it.reference)).collect();
            let of_version = format!("{version} on {}", plan.kubernetes);
            assert_eq!(planned, meant, "{of_version}");
            let images: BTreeSet<_> = plan.images.iter().map(|image| &image.reference).collect();
            let meant: BTreeSet<_> = meant.into_iter().map(|(_, image)| image).collect();
            assert_eq!(images, meant, "{of_version}");
        }
    }
}

/// Runs a command in a project and gives what it printed to both outputs.
#[track_caller]
fn expect(project: &Project, code: i32, arguments: &[&str]) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .current_dir(project.root())
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .expect("runs");
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
    assert_eq!(status.code(), Some(code), "{arguments:?}: {stdout}{stderr}");
    (stdout, stderr)
}

/// A project with the repository's own specs and templates.
fn repository() -> Project {
    Project::of(&root().join("spec"), &root().join("templates"))
}

/// Every file below a folder with its bytes and mode.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    use std::os::unix::fs::PermissionsExt;
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let entries = entries.map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below");
            let mode = entry.metadata().expect("readable").permissions().mode();
            let bytes = fs::read(entry.path()).expect("readable");
            (
                path.to_str().expect("UTF-8").to_owned(),
                (bytes, mode & 0o111 != 0),
            )
        })
        .collect()
}

#[test]
fn a_new_release_is_one_file() {
    let project = repository();
    expect(&project, 0, &["gen", "--out", "generated"]);
    copy(&project.path("generated"), &project.path("before"));
    fs::copy(
        project.path("spec/huawei-csi/4.12.0.toml"),
        project.path("spec/huawei-csi/4.13.0.toml"),
    )
    .expect("copied");

    let (_, doubts) = expect(&project, 0, &["check", "--deny", "warnings"]);
    assert_eq!(doubts, "");
    expect(&project, 0, &["gen", "--out", "generated"]);
    expect(&project, 0, &["gen", "--check", "--out", "generated"]);

    let before = files(&project.path("before"));
    let mut after = files(&project.path("generated"));
    let is_new = |path: &String, _: &mut _| !before.contains_key(path);
    let new: BTreeMap<_, _> = after.extract_if(.., is_new).collect();
    assert!(before == after, "a file of another release has changed");
    assert!(!new.is_empty());
    for (path, (text, _)) in &new {
        assert!(path.starts_with("huawei-csi/4.13.0/"), "{path}");
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains("4.12.0"), "{path} names the release before");
    }
    let (images, _) = &new["huawei-csi/4.13.0/k8s-1.35/images.txt"];
    let images = String::from_utf8_lossy(images);
    assert!(images.lines().any(|image| image == "huawei-csi:4.13.0"));
}

#[test]
fn new_release_starts_the_table() {
    let project = repository();
    let before = files(&project.path("spec"));
    let (said, _) = expect(&project, 0, &["new-release", "4.12.0", "4.13.0"]);
    let mut after = files(&project.path("spec"));
    let (table, _) = after.remove("huawei-csi/4.13.0.toml").expect("the table");
    assert!(before == after, "another file has changed");
    let table = String::from_utf8(table).expect("UTF-8");
    let (copied, _) = &before["huawei-csi/4.12.0.toml"];
    let copied = String::from_utf8_lossy(copied);
    assert_eq!(table, copied.replace("4.12.0", "4.13.0"));
    assert_eq!(table.matches("4.13.0").count(), 1, "in the heading alone");
    for next in [
        "cargo xtask check --deny warnings",
        "cargo xtask check-chart PATH/TO/CHART --release huawei-csi/4.13.0",
        "cargo xtask gen",
        "spec/huawei-csi/product.toml",
        "since = \"4.13.0\"",
    ] {
        assert!(said.contains(next), "{next}: {said}");
    }
    expect(&project, 0, &["check", "--deny", "warnings"]);
}

#[test]
fn new_release_fails_where_nobody_can_read_what_is_next() {
    let project = repository();
    let full = fs::File::options().write(true).open("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["new-release", "4.12.0", "4.13.0"])
        .current_dir(project.root())
        .env_remove("CARGO_MANIFEST_DIR")
        .stdout(full.expect("there"))
        .output()
        .expect("runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("cannot write to the standard output"),
        "{error}"
    );
}

#[test]
fn new_release_leaves_alone_what_is_said_of_a_version_further_down() {
    let project = repository();
    let path = project.path("spec/huawei-csi/4.1.0.toml");
    let text = fs::read_to_string(path).expect("there");
    let text = text.replacen(
        "schema = 2",
        "# Not 14.1.0, 4.1.0.1 or 4.1.0-rc1.\nschema = 2",
        1,
    );
    let more = "architectures = [\"amd64\", \"arm64\"] # since 4.1.0\n";
    let text = text.replace("architectures = [\"amd64\", \"arm64\"]\n", more);
    assert!(text.contains(more));
    project.write("spec/huawei-csi/4.1.0.toml", &text);
    expect(&project, 0, &["new-release", "huawei-csi/4.1.0", "4.1.2"]);
    let new = project.path("spec/huawei-csi/4.1.2.toml");
    let new = fs::read_to_string(new).expect("the table");
    assert_eq!(new, text.replacen("CSI 4.1.0", "CSI 4.1.2", 1));
    assert_ne!(new, text);
}

#[test]
fn new_release_refuses_what_it_cannot_start() {
    let project = repository();
    let product = project.path("spec/huawei-csi");
    copy(&product, &project.path("spec/other-csi"));
    project.write("spec/other-csi/5.0.0.toml", "schema = 2\n");
    project.write("spec/huawei-csi/.4.14.0.toml.new", "left");
    let before = files(&project.path("spec"));
    for (from, to, wrong) in [
        (
            "huawei-csi/4.11.0",
            "4.12.0",
            "spec/huawei-csi/4.12.0.toml is already there",
        ),
        (
            "huawei-csi/4.12.1",
            "4.13.0",
            "there is no spec of the release `huawei-csi/4.12.1`",
        ),
        (
            "huawei-csi/4.12.0",
            "4.12.0",
            "4.12.0 is not newer than 4.12.0",
        ),
        (
            "huawei-csi/4.10.0",
            "4.9.1",
            "4.9.1 is not newer than 4.10.0",
        ),
        (
            "huawei-csi/4.12.0",
            "4.12.0-rc1",
            "4.12.0-rc1 is not newer than 4.12.0",
        ),
        (
            "huawei-csi/4.12.0",
            "product",
            "\"product\" cannot be a release's version",
        ),
        (
            "huawei-csi/4.12.0",
            "../4.13.0",
            "\"../4.13.0\" cannot be a release's version",
        ),
        (
            "huawei-csi/4.12.0",
            "",
            "\"\" cannot be a release's version",
        ),
        (
            "4.12.0",
            "4.13.0",
            "choose one: huawei-csi/4.12.0, other-csi/4.12.0",
        ),
        ("other-csi/5.0.0", "5.1.0", "nothing was done"),
        (
            "huawei-csi/4.12.0",
            "4.14.0",
            ".4.14.0.toml.new is in the way",
        ),
    ] {
        let (said, error) = expect(&project, 1, &["new-release", from, to]);
        assert_eq!(said, "", "{from} {to}");
        assert!(error.contains(wrong), "{from} {to}: {error}");
        assert!(files(&project.path("spec")) == before, "{from} {to}");
    }
    expect(&project, 2, &["new-release", "4.12.0"]);
}
