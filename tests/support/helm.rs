//! The real Helm engine and Helm's own programs, and what a chart renders to.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};

use super::{fixtures, python_tool, root};

/// Helm values that turn the component on that the chart leaves out by default.
pub const EXTENDER: &str = "controller: {csiExtender: {volumeModify: {enabled: true}}}";

/// The chart that stands in for the real one.
pub fn chart() -> PathBuf {
    fixtures().join("chart/esdk")
}

/// The real engine, in a Python process that answers one request a line.
pub struct Helm {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What a chart renders to.
pub struct Rendered {
    /// Every container's name and image.
    pub containers: Vec<(String, String)>,
    /// Every manifest.
    pub documents: Vec<Value>,
    /// All manifests in one text.
    pub text: String,
    /// The paths of the custom resource definitions that an installation brings along.
    pub crds: BTreeSet<String>,
}

impl Rendered {
    /// Reads what Helm prints: manifests behind each other.
    fn read<'t>(texts: impl IntoIterator<Item = &'t str>, crds: BTreeSet<String>) -> Self {
        let (mut containers, mut documents) = (Vec::new(), Vec::new());
        let mut all = String::new();
        for text in texts {
            all.push_str(text);
            all.push('\n');
            let is_manifest = |document: &&str| {
                document
                    .lines()
                    .any(|line| line.starts_with(char::is_alphabetic))
            };
            for document in text.split("\n---").filter(is_manifest) {
                let document: Value = serde_saphyr::from_str(document).expect("YAML");
                find_containers(&document, &mut containers);
                documents.push(document);
            }
        }
        Self {
            containers,
            documents,
            text: all,
            crds,
        }
    }

    /// What one of Helm's own programs prints.
    pub fn of(text: &str) -> Self {
        Self::read([text], BTreeSet::new())
    }

    /// The manifests as texts, in an order that does not depend on Helm's version.
    pub fn sorted(&self) -> Vec<String> {
        let mut texts: Vec<_> = self.documents.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    }

    /// The distinct images.
    pub fn images(&self) -> BTreeSet<String> {
        self.containers
            .iter()
            .map(|(_, image)| image.clone())
            .collect()
    }
}

impl Helm {
    pub fn start() -> Self {
        let mut process = Command::new(python_tool("python"))
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

    pub fn ask(&mut self, chart: &Path, values: &[&str]) -> Value {
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

    pub fn render(&mut self, chart: &Path, values: &[&str]) -> Rendered {
        let answer = self.ask(chart, values);
        assert_eq!(answer.get("error"), None, "with {values:?}");
        let manifests = answer["manifests"].as_object().expect("manifests");
        let texts = manifests.values().map(|text| text.as_str().expect("text"));
        let crds = answer["crds"].as_array().expect("a list").iter();
        let crds = crds.map(|path| path.as_str().expect("a path").to_owned());
        Rendered::read(texts, crds.collect())
    }
}

/// The containers of every pod in a document, whatever its kind, those included that only prepare it.
pub fn find_containers(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| find_containers(value, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                let listed = value.as_array().filter(|_| {
                    ["containers", "initContainers", "ephemeralContainers"].contains(&key.as_str())
                });
                for container in listed.into_iter().flatten() {
                    let field =
                        |name: &str| container[name].as_str().unwrap_or_default().to_owned();
                    found.push((field("name"), field("image")));
                }
                find_containers(value, found);
            }
        }
        _ => {}
    }
}

impl Drop for Helm {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.process.wait();
    }
}

/// One of Helm's own programs: the oldest and the newest Helm 3 that there are packages of, and Helm 4.
pub struct Program {
    pub path: PathBuf,
    /// `v3.9.4`
    pub version: String,
}

impl Program {
    /// All of them, the oldest first.
    pub fn all() -> Vec<Self> {
        let folder = root().join("target/test-helm");
        let found = fs::read_dir(folder).expect("Helm is not installed; run tests/run");
        let mut paths: Vec<_> = found
            .map(|entry| entry.expect("readable").path().join("helm/helm"))
            .filter(|path| path.exists())
            .collect();
        paths.sort();
        let all: Vec<_> = paths.into_iter().map(Self::new).collect();
        let majors: Vec<_> = all.iter().map(|it| &it.version[..3]).collect();
        assert_eq!(majors, ["v3.", "v3.", "v4."]);
        all
    }

    fn new(path: PathBuf) -> Self {
        let version = String::new();
        let mut program = Self { path, version };
        program.version = program.expect(root(), &["version", "--template", "{{.Version}}"]);
        program
    }

    /// Whether it is of Helm 3.
    pub fn is_3(&self) -> bool {
        self.version.starts_with("v3.")
    }

    /// Runs it in a folder, with no cluster to talk to.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.path);
        let command = command
            .args(arguments)
            .current_dir(folder)
            .env("KUBECONFIG", "/dev/null");
        command.output().expect("Helm starts")
    }

    /// Runs it and gives what it prints.
    pub fn expect(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {arguments:?}: {stderr}",
            self.version
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

/// What is wrong with each of some manifests on a Kubernetes minor, by that minor's own schemas.
pub fn complaints(manifests: &[(&str, &Value)]) -> Vec<Vec<String>> {
    let folder = root().join("target/test-schemas");
    let archives = fs::read_dir(folder).expect("the schemas are not there; run tests/run");
    let requests = manifests.iter();
    let requests: Value = requests
        .map(|(minor, manifest)| json!({"minor": minor, "manifest": manifest}))
        .collect();
    let mut judge = Command::new(python_tool("python"))
        .arg(root().join("tests/helm/schemas.py"))
        .args(archives.map(|archive| archive.expect("readable").path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = judge.stdin.take().expect("piped");
    write!(stdin, "{requests}").expect("sent");
    drop(stdin);
    let output = judge.wait_with_output().expect("answered");
    assert!(output.status.success());
    let answers: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answers.len(), manifests.len());
    answers
}
