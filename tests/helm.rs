//! The Helm engine as judge: what a chart deploys with the generated values and nothing else.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use support::{fixtures, huawei, rendered, root, text};

/// The real engine, in a Python process that answers one request a line.
struct Helm {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What a chart renders to.
struct Rendered {
    /// Every container's name and image.
    containers: Vec<(String, String)>,
    /// All manifests in one text.
    text: String,
    /// The paths of the custom resource definitions that an installation brings along.
    crds: BTreeSet<String>,
}

impl Rendered {
    fn images(&self) -> BTreeSet<String> {
        self.containers
            .iter()
            .map(|(_, image)| image.clone())
            .collect()
    }
}

impl Helm {
    fn start() -> Self {
        let python = root().join("target/test-venv/bin/python");
        assert!(
            python.exists(),
            "the Helm engine is not installed; run tests/run"
        );
        let mut process = Command::new(python)
            .arg(root().join("tests/helm/render.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self {
            process,
            requests,
            answers,
        }
    }

    fn ask(&mut self, chart: &Path, values: &[&str]) -> Value {
        // The chart's own default images are taken away first: what is left comes from the values.
        let bare =
            fs::read_to_string(fixtures().join("chart/no-images.yaml")).expect("the fixture");
        let values: Vec<_> = std::iter::once(bare.as_str())
            .chain(values.iter().copied())
            .collect();
        let request = json!({"chart": chart, "values": values, "include_crds": true});
        let requests = self.requests.as_mut().expect("open");
        writeln!(requests, "{request}")
            .and_then(|()| requests.flush())
            .expect("sent");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("answered");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn render(&mut self, chart: &Path, values: &[&str]) -> Rendered {
        let answer = self.ask(chart, values);
        assert_eq!(answer.get("error"), None, "with {values:?}");
        let manifests = answer["manifests"].as_object().expect("manifests");
        let mut containers = Vec::new();
        let mut all = String::new();
        for text in manifests.values().map(|text| text.as_str().expect("text")) {
            all.push_str(text);
            all.push('\n');
            for document in text
                .split("\n---")
                .filter(|document| !document.trim().is_empty())
            {
                let document: Value = serde_saphyr::from_str(document).expect("YAML");
                let listed = document.pointer("/spec/template/spec/containers");
                for container in listed.and_then(Value::as_array).into_iter().flatten() {
                    let field =
                        |name: &str| container[name].as_str().unwrap_or_default().to_owned();
                    containers.push((field("name"), field("image")));
                }
            }
        }
        let crds = answer["crds"].as_array().expect("a list").iter();
        let crds = crds
            .map(|path| path.as_str().expect("a path").to_owned())
            .collect();
        Rendered {
            containers,
            text: all,
            crds,
        }
    }
}

impl Drop for Helm {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.process.wait();
    }
}

fn chart() -> PathBuf {
    fixtures().join("chart/esdk")
}

const EXTENDER: &str = "controller: {csiExtender: {volumeModify: {enabled: true}}}";

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn the_chart_deploys_the_plans_images() {
    let (release, tree) = rendered(&huawei());
    let mut helm = Helm::start();
    for plan in &release.plans {
        let minor = plan.kubernetes.as_str();
        let values = text(&tree, &format!("k8s-{minor}/values.yaml"));
        let (containers, images) = if minor == "1.16" { (10, 8) } else { (12, 10) };

        let all: BTreeSet<_> = plan
            .images
            .iter()
            .map(|image| image.reference.clone())
            .collect();
        let off: BTreeSet<_> = plan
            .off_by_default
            .iter()
            .map(|off| off.reference.clone())
            .collect();
        let without = helm.render(&chart(), &[values]);
        assert_eq!(
            without.images(),
            all.difference(&off).cloned().collect(),
            "{minor}"
        );
        assert_eq!(
            (without.containers.len(), without.images().len()),
            (containers, images),
            "{minor}"
        );

        let with = helm.render(&chart(), &[values, EXTENDER]);
        assert_eq!(with.images(), all, "{minor}");
        assert_eq!(
            (with.containers.len(), with.images().len()),
            (containers + 1, images + 1),
            "{minor}"
        );

        for planned in &plan.components {
            let container = (planned.container.clone(), planned.reference.clone());
            assert!(
                with.containers.contains(&container),
                "{minor}: {container:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn what_a_version_forces() {
    let (_, tree) = rendered(&huawei());
    let values = |minor: &str| text(&tree, &format!("k8s-{minor}/values.yaml"));
    let mut helm = Helm::start();

    // FSGroup is from 1.20 on: below, an object that somebody turns on has no policy.
    let below = helm.render(
        &chart(),
        &[values("1.18"), "CSIDriverObject: {isCreate: true}"],
    );
    assert!(below.text.contains("kind: CSIDriver") && !below.text.contains("fsGroupPolicy"));
    let file = "CSIDriverObject: {isCreate: true, fsGroupPolicy: File}";
    let from = helm.render(&chart(), &[values("1.20"), file]);
    assert!(from.text.contains("fsGroupPolicy: File"));

    // One controller alone elects no leader.
    let one = helm.render(&chart(), &[values("1.16")]);
    assert!(!one.text.contains("leader-election"));
    let two = helm.render(
        &chart(),
        &[values("1.17"), "controller: {controllerCount: 2}"],
    );
    assert!(
        two.text.contains("leader-election"),
        "the chart can elect one"
    );
    assert!(!one.text.contains("kind: CSIDriver"));
}

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn the_pages_own_steps_leave_no_snapshot_crd_on_1_16() {
    let (_, tree) = rendered(&huawei());
    let mut helm = Helm::start();
    for (minor, removed) in [("1.16", true), ("1.17", false)] {
        for page in ["README.md", "README.zh-CN.md"] {
            let package = tempfile::tempdir().expect("a folder");
            let chart = package.path().join("helm/esdk");
            fs::create_dir_all(package.path().join("helm")).expect("created");
            let copied = Command::new("cp")
                .arg("-r")
                .arg(self::chart())
                .arg(&chart)
                .status();
            assert!(copied.expect("cp").success());

            // The page's commands for the chart, as a reader copies them.
            let page = text(&tree, &format!("k8s-{minor}/{page}"));
            let steps: Vec<_> = page
                .lines()
                .filter(|line| line.starts_with("rm -rf "))
                .collect();
            assert_eq!(!steps.is_empty(), removed, "{minor}");
            let script = format!("set -eu\nPACKAGE=$1\n{}\n", steps.join("\n"));
            let done = Command::new("sh")
                .args(["-c", &script, "page"])
                .arg(package.path())
                .status();
            assert!(done.expect("a shell").success());

            let values = text(&tree, &format!("k8s-{minor}/values.yaml"));
            let crds = helm.render(&chart, &[values, EXTENDER]).crds;
            let has = |part: &str| crds.iter().any(|path| path.contains(part));
            assert_eq!(has("snapshot-crds"), !removed, "{minor}: {crds:?}");
            assert!(
                has("crds/backend") && has("crds/volume-modify"),
                "{minor}: {crds:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn the_chart_of_the_fixture_refuses_what_the_real_one_refuses() {
    let mut helm = Helm::start();
    let answer = helm.ask(&chart(), &["images: null"]);
    assert!(answer.get("error").is_some(), "{answer}");
    let silent = helm.ask(
        &chart(),
        &["images: {huaweiCSIService: a, storageBackendController: b, storageBackendSidecar: c}"],
    );
    assert_eq!(
        silent.get("error"),
        None,
        "a missing sidecar key passes in silence"
    );
}
