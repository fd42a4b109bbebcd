//! The Helm engine as judge: what a chart deploys with the generated values and nothing else.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use support::helm::{EXTENDER, Helm, chart, find_containers};
use support::{huawei, rendered, text, whole_name};

#[test]
#[ignore = "needs the Helm engine; tests/run brings it and runs this"]
fn the_chart_deploys_the_plans_images() {
    let (release, tree) = rendered(&huawei());
    let mut helm = Helm::start();
    for plan in &release.plans {
        let minor = plan.kubernetes.as_str();
        let values = text(&tree, &format!("k8s-{minor}/values.yaml"));
        let (containers, images) = if minor == "1.16" { (10, 8) } else { (12, 10) };

        let all: BTreeSet<_> = plan.images.iter().map(|image| image.name.clone()).collect();
        let off = plan.off_by_default.iter();
        let off: BTreeSet<_> = off.map(|off| whole_name(&off.reference)).collect();
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
            let container = (planned.container.clone(), whole_name(&planned.reference));
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
            let copy = package.path().join("helm/esdk");
            fs::create_dir_all(package.path().join("helm")).expect("created");
            let copied = Command::new("cp")
                .arg("-r")
                .arg(chart())
                .arg(&copy)
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
            let crds = helm.render(&copy, &[values, EXTENDER]).crds;
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

#[test]
fn containers_are_found_in_every_kind_of_pod() {
    let job = r"{kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {
        initContainers: [{name: a, image: x}], containers: [{name: b, image: z}]}}}}}}";
    let mut found = Vec::new();
    find_containers(&serde_saphyr::from_str(job).expect("YAML"), &mut found);
    found.sort();
    let pair = |name: &str, image: &str| (name.to_owned(), image.to_owned());
    assert_eq!(found, [pair("a", "x"), pair("b", "z")]);
}
