//! The real Helm engine, and what a chart renders to.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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
        let mut containers = Vec::new();
        let mut documents = Vec::new();
        let mut all = String::new();
        for text in manifests.values().map(|text| text.as_str().expect("text")) {
            all.push_str(text);
            all.push('\n');
            for document in text
                .split("\n---")
                .filter(|document| !document.trim().is_empty())
            {
                let document: Value = serde_saphyr::from_str(document).expect("YAML");
                find_containers(&document, &mut containers);
                documents.push(document);
            }
        }
        let crds = answer["crds"].as_array().expect("a list").iter();
        let crds = crds
            .map(|path| path.as_str().expect("a path").to_owned())
            .collect();
        Rendered {
            containers,
            documents,
            text: all,
            crds,
        }
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
