//! Charts of other shapes than Huawei CSI's: an image in several Helm values, a chart from a repository,
//! images named by arguments and environment variables. What such a chart asks for with the generated
//! values, rendered by the real Helm engine, is what the plan says: on the nodes and in a mirror.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::helm::{Helm, Rendered};
use support::project::{Project, copy};
use support::{fixtures, releases, root};
use xtask::plan::{self, Plan, PlannedComponent, ReleasePlan};
use xtask::spec::Release;

const MIRROR: &str = "mirror.example/project";

fn specs() -> PathBuf {
    fixtures().join("vendors")
}

fn chart(product: &str) -> PathBuf {
    fixtures().join("chart").join(product)
}

/// Every release of the other vendors with its plan.
fn vendors() -> Vec<(Release, ReleasePlan)> {
    let releases = releases(&specs()).into_iter();
    let planned = releases.map(|release| {
        let plan = plan::plan(&release);
        (release, plan)
    });
    planned.collect()
}

/// What is generated from the specs of the other vendors.
fn generated() -> Project {
    let project = Project::of(&specs(), &root().join("templates"));
    project.expect(0, &[]);
    project
}

/// The folder of a minor in it.
fn folder(project: &Project, release: &Release, minor: &str) -> PathBuf {
    let (product, version) = (&release.product, &release.version);
    project.path(&format!("generated/{product}/{version}/k8s-{minor}"))
}

/// A copy of a product's chart whose own images cannot be right: what is right then comes from the values.
fn without_images(product: &str) -> Project {
    let copied = Project::empty();
    copy(&chart(product), copied.root());
    let values = fs::read_to_string(copied.path("values.yaml")).expect("the chart's values");
    let forgotten = values.lines().map(|line| {
        let (key, _) = line.split_once(':').expect("a key");
        match key.trim() {
            "baseRepo" | "registry" | "repository" | "tag" => format!("{key}: forgotten"),
            _ => line.to_owned(),
        }
    });
    let forgotten: Vec<_> = forgotten.collect();
    copied.write("values.yaml", forgotten.join("\n"));
    copied
}

/// Helm values that turn everything on that a chart leaves out.
fn all_on(release: &Release) -> String {
    let mut values = json!({});
    for component in &release.components {
        let way = component.ways.first().into_iter().flatten();
        for condition in way {
            let pointer = condition.key.as_str().split('.');
            let value = pointer.fold(&mut values, |group, name| {
                if !group[name].is_object() {
                    group[name] = json!({});
                }
                &mut group[name]
            });
            *value = condition.is.clone();
        }
    }
    values.to_string()
}

/// The images that manifests ask for, by what names each: a container, an argument or a variable.
fn asked(rendered: &Rendered) -> BTreeMap<String, BTreeSet<String>> {
    let mut asked: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut add = |name: &str, image: &str| {
        let images = asked.entry(name.to_owned()).or_default();
        images.insert(image.to_owned());
    };
    for (name, image) in &rendered.containers {
        add(name, image);
    }
    let mut containers = Vec::new();
    for document in &rendered.documents {
        full_containers(document, &mut containers);
    }
    // What has a folder and a tag behind it is no other argument or value of these charts.
    let is_image = |text: &str| {
        let tag = text.rsplit_once('/').map(|(_, name)| name.contains(':'));
        tag == Some(true) && !text.contains("://")
    };
    for container in containers {
        let words = ["command", "args"].map(|key| container[key].as_array());
        let words = words.into_iter().flatten().flatten();
        let mut before = "";
        for word in words.map(|word| word.as_str().expect("a text")) {
            match word.split_once('=') {
                Some((name, image)) if is_image(image) => add(name, image),
                _ if is_image(word) => add(before, word),
                _ => {}
            }
            before = word;
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            let value = variable["value"].as_str().unwrap_or_default();
            if is_image(value) {
                add(variable["name"].as_str().expect("a name"), value);
            }
        }
    }
    asked
}

fn full_containers<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| full_containers(value, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "containers" || key == "initContainers" {
                    found.extend(value.as_array().expect("a list"));
                }
                full_containers(value, found);
            }
        }
        _ => {}
    }
}

/// Holds what a chart asks for against some components of a plan, each with its image where it is to come
/// from.
#[track_caller]
fn compare(rendered: &Rendered, wanted: &[(&PlannedComponent, String)], about: &str) {
    let asked = asked(rendered);
    let images: BTreeSet<_> = asked.values().flatten().collect();
    let planned: BTreeSet<_> = wanted.iter().map(|(_, image)| image).collect();
    assert_eq!(images, planned, "{about}");
    for (component, image) in wanted {
        let uses = [
            &component.containers,
            &component.arguments,
            &component.variables,
        ];
        let uses: Vec<_> = uses.into_iter().flatten().collect();
        let found = uses.iter().filter_map(|name| asked.get(*name));
        let found: BTreeSet<_> = found.flatten().collect();
        assert_eq!(found, BTreeSet::from([image]), "{about}: {uses:?}");
    }
}

/// The components that a chart deploys on a minor, by default or with all on.
fn deployed(plan: &Plan, all: bool) -> Vec<&PlannedComponent> {
    let is_off = |component: &PlannedComponent| {
        let mut off = plan.off_by_default.iter();
        off.any(|off| off.name == component.name)
    };
    let components = plan.components.iter();
    let deployed = components.filter(|component| !component.workloads.is_empty());
    deployed
        .filter(|component| all || !is_off(component))
        .collect()
}

/// Renders a chart on every minor with the values of a minor's folder, optional parts off and on.
fn each_render(
    values: impl Fn(&Path, &str) -> String,
    image: impl Fn(&Plan, &PlannedComponent) -> String,
) {
    let project = generated();
    let mut helm = Helm::start();
    for (release, planned) in vendors() {
        let chart = without_images(&release.product);
        for plan in &planned.plans {
            let minor = &plan.kubernetes;
            let values = values(&folder(&project, &release, minor), minor);
            for all in [false, true] {
                let mut files = vec![values.as_str()];
                let on = all_on(&release);
                files.extend(all.then_some(on.as_str()));
                let rendered = helm.render(chart.root(), &files);
                let components = deployed(plan, all).into_iter();
                let wanted: Vec<_> = components
                    .map(|component| (component, image(plan, component)))
                    .collect();
                let about = format!("{}/{} on {minor}, {all}", release.product, release.version);
                compare(&rendered, &wanted, &about);
            }
        }
    }
}

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn charts_of_other_shapes_deploy_the_plans_images() {
    each_render(
        |folder, _| fs::read_to_string(folder.join("values.yaml")).expect("generated"),
        |_, component| support::whole_name(&component.reference),
    );
}

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn in_a_mirror_they_deploy_the_plans_destinations() {
    for layout in ["scoped", "flat"] {
        each_render(
            |folder, _| {
                let output = Command::new(folder.join("push.sh"))
                    .args(["--print-values", "--layout", layout, MIRROR])
                    .output()
                    .expect("a shell");
                assert!(output.status.success(), "{output:?}");
                String::from_utf8(output.stdout).expect("UTF-8")
            },
            |plan, component| {
                let mut images = plan.images.iter();
                let image = images.find(|image| image.reference == component.reference);
                let image = image.expect("the plan's");
                let destination = match layout {
                    "scoped" => &image.scoped,
                    _ => &image.flat,
                };
                format!("{MIRROR}/{destination}")
            },
        );
    }
}

/// The charts here have the pitfall that the real ones have.
#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn a_registry_comes_where_the_real_charts_put_it() {
    let mut helm = Helm::start();
    let values = "image: {baseRepo: base.example, nfs: {repository: /a/nfs, tag: v1}}";
    let images = helm.render(&chart("csi-driver-nfs"), &[values]).images();
    assert!(images.contains("base.example/a/nfs:v1"), "{images:?}");
    let values = "image: {baseRepo: base.example, nfs: {repository: own.example/a/nfs, tag: v1}}";
    let images = helm.render(&chart("csi-driver-nfs"), &[values]).images();
    assert!(images.contains("own.example/a/nfs:v1"), "{images:?}");
    assert!(!images.iter().any(|image| image.contains("base.example")));

    // A whole reference in the place of a part has the registry twice.
    let values = "image: {longhorn: {ui: {repository: docker.io/longhornio/longhorn-ui}}}";
    let images = helm.render(&chart("longhorn"), &[values]).images();
    assert!(images.contains("docker.io/docker.io/longhornio/longhorn-ui:v1.9.1"));
}

#[test]
fn the_charts_fit_their_tables() {
    for (release, _) in vendors() {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("check-chart")
            .arg(chart(&release.product))
            .args([
                "--release",
                &format!("{}/{}", release.product, release.version),
            ])
            .arg("--spec")
            .arg(specs())
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .expect("runs");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn a_chart_is_in_a_folder_or_in_a_repository() {
    let text = fs::read_to_string(specs().join("longhorn/product.toml")).expect("the fixture");
    let repository = "repository = \"https://charts.longhorn.io\"";
    assert!(text.contains(repository));
    for (instead, said) in [
        ("", Some("missing-key")),
        ("folder = \"chart\"", None),
        ("repository = \"oci://registry.example/charts\"", None),
        (
            "folder = \"chart\"\nrepository = \"oci://a.example/b\"",
            Some("conflicting-entry"),
        ),
        (
            "repository = \"http://charts.longhorn.io\"",
            Some("malformed-name"),
        ),
        (
            "repository = \"https://charts.longhorn.io/$(id)\"",
            Some("malformed-name"),
        ),
        ("repository = \"oci://\"", Some("malformed-name")),
    ] {
        let project = Project::empty();
        copy(&specs(), &project.path("spec"));
        project.write(
            "spec/longhorn/product.toml",
            text.replace(repository, instead),
        );
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["check", "--deny", "warnings", "--message-format", "json"])
            .arg("--spec")
            .arg(project.path("spec"))
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .expect("runs");
        let found = String::from_utf8(output.stdout).expect("UTF-8");
        let found = found.lines().map(|line| {
            let finding: Value = serde_json::from_str(line).expect("JSON");
            finding["code"].as_str().expect("a code").to_owned()
        });
        assert_eq!(found.collect::<Vec<_>>(), Vec::from_iter(said), "{instead}");
    }
}
