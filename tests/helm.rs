//! The Helm engine as judge: what a chart deploys with the generated values and nothing else, and
//! whether Kubernetes takes it. Helm's own programs judge the pages' commands and what `check-chart`
//! says of Helm.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use harness::Scratch;
use semver::{Prerelease, Version};
use serde_json::{Value, json};
use support::helm::{EXTENDER, Helm, Program, Rendered, chart, complaints, find_containers};
use support::project::copy;
use support::{huawei, rendered, text, whole_name};
use xtask::chart::{self, Chart, Constraint};
use xtask::diagnostic::Source;
use xtask::kubernetes::Minor;

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
            assert!(!planned.containers.is_empty(), "{minor}: {}", planned.name);
            for name in &planned.containers {
                let container = (name.clone(), whole_name(&planned.reference));
                assert!(
                    with.containers.contains(&container),
                    "{minor}: {container:?}"
                );
            }
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
    let (release, tree) = rendered(&huawei());
    let install = format!("helm install {} ", release.release.chart.release_name);
    let mut helm = Helm::start();
    for (minor, removed) in [("1.16", true), ("1.17", false)] {
        for page in ["README.md", "README.zh-CN.md"] {
            let folder = tempfile::tempdir().expect("a folder");
            let package = folder.path().join("package");
            let packed = package.join("helm/esdk");
            support::project::copy(&chart(), &packed);

            // The page's commands, as a reader copies them; of the last, where it finds the chart.
            let page = text(&tree, &format!("k8s-{minor}/{page}"));
            let steps = page.split("```sh\n").find(|block| block.contains("\nrm "));
            let steps = steps.map_or("", |rest| rest.split("```").next().expect("a block"));
            assert_eq!(!steps.is_empty(), removed, "{minor}");
            let run = |shell: &str, script: &str| {
                let mut command = Command::new(shell);
                command.args(["-c", script]).current_dir(&folder);
                command.env_remove("PACKAGE").status().expect("a shell")
            };
            // Without the variable nothing is copied or removed.
            let _ = run("sh", steps);
            assert!(!folder.path().join("chart").exists());
            // As often as anybody likes, and nothing of the package is touched.
            let script = format!("set -eu\nPACKAGE=$PWD/package\n{steps}{steps}");
            assert!(run("sh", &script).success());
            assert!(packed.join("crds/snapshot-crds").exists());
            let (_, install) = page.split_once(&install).expect("there");
            let copy = match install.split(' ').next().expect("a chart") {
                "./chart" => folder.path().join("chart"),
                _ => packed,
            };

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

/// What a page has its reader run to install the chart, those commands aside that set a reader's own
/// values, fetch images or ask a cluster.
fn installation(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").expect("its end").0);
    let is_meant = |block: &&str| {
        let meant = ["\nrm ", "--print-values", "helm install "];
        !block.contains("kubectl") && meant.iter().any(|word| block.contains(word))
    };
    blocks.filter(is_meant).collect()
}

/// The commands of a page, word for word, on every minor. To install asks a cluster, so what the page
/// tells Helm is written down, and each program renders it. Helm 4 can also pretend to install it.
#[test]
#[ignore = "needs Helm's programs; tests/run brings them and runs this"]
fn helms_own_programs_install_what_the_pages_say() {
    const MIRROR: &str = "mirror.example:5000/team";
    let (release, tree) = rendered(&huawei());
    let programs = Program::all();
    let mut engine = Helm::start();
    for plan in &release.plans {
        let minor = plan.kubernetes.as_str();
        let kit = Scratch::new("kit");
        let files = tree.files.iter().filter_map(|(path, file)| {
            let name = path
                .strip_prefix("k8s-")?
                .strip_prefix(minor)?
                .strip_prefix('/')?;
            Some((name, file))
        });
        for (name, file) in files {
            let mode = if file.executable { 0o755 } else { 0o644 };
            let path = kit.write(name, &file.text);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        }
        let package = kit.join("package");
        fs::create_dir_all(package.join("helm/esdk")).expect("created");
        copy(&chart(), &package.join("helm/esdk"));
        let tools = Scratch::new("tools");
        tools.program(
            "helm",
            r#"printf '%s\n' "$@" >"$(mktemp "${0%/*}/call.XXXXXX")""#,
        );

        let page = fs::read_to_string(kit.join("README.md")).expect("the page");
        let other = fs::read_to_string(kit.join("README.zh-CN.md")).expect("the page");
        assert_eq!(installation(&page), installation(&other), "{minor}");
        let search = format!(
            "{}:{}",
            tools.display(),
            std::env::var("PATH").expect("set")
        );
        let done = Command::new("sh")
            .args(["-euc", &installation(&page)])
            .current_dir(&*kit)
            .envs([
                ("PACKAGE", package.as_os_str()),
                ("MIRROR", MIRROR.as_ref()),
            ])
            .env("PATH", search)
            .output()
            .expect("a shell");
        assert!(done.status.success(), "{minor}: {done:?}");

        let on = plan.images.iter().filter(|image| {
            let mut off = plan.off_by_default.iter();
            !off.any(|off| off.reference == image.reference)
        });
        let on: Vec<_> = on.collect();
        let on_nodes = on.iter().map(|image| image.name.clone());
        let in_mirror = on.iter().map(|image| format!("{MIRROR}/{}", image.scoped));
        let wanted: [BTreeSet<_>; 2] = [on_nodes.collect(), in_mirror.collect()];
        let mut seen = BTreeSet::new();
        let calls = fs::read_dir(&*tools).expect("readable");
        let calls = calls.map(|call| call.expect("readable").path());
        for call in calls.filter(|path| path.extension().is_some()) {
            let call = fs::read_to_string(call).expect("readable");
            let call: Vec<_> = call.lines().collect();
            let ["install", arguments @ ..] = &call[..] else {
                panic!("{call:?}")
            };
            let [_, chart, ..] = arguments else {
                panic!("{call:?}")
            };
            let version = ["--include-crds", "--kube-version", minor];
            let template = [&["template"], arguments, &version].concat();
            let mut answers = programs.iter().map(|it| it.expect(&kit, &template));
            let first = Rendered::of(&answers.next().expect("an answer"));
            for other in answers {
                assert_eq!(Rendered::of(&other).sorted(), first.sorted(), "{call:?}");
            }
            let images = first.images();
            let newest = programs.last().expect("one");
            let dry = [&["install"], arguments, &["--dry-run=client"]].concat();
            let dry = newest.expect(&kit, &dry);
            let (_, dry) = dry.split_once("\nMANIFEST:\n").expect("a manifest");
            assert_eq!(Rendered::of(dry).images(), images);

            if images == wanted[0] {
                // The engine of the other tests renders the same.
                let values = fs::read_to_string(kit.join("values.yaml")).expect("readable");
                let engine = engine.render(&kit.join(chart), &[&values]).documents;
                let manifests = first.documents.iter();
                let manifests = manifests.filter(|it| it["kind"] != "CustomResourceDefinition");
                assert_eq!(manifests.count(), engine.len());
                assert!(engine.iter().all(|it| first.documents.contains(it)));
            } else {
                let files = arguments.iter().skip_while(|it| **it != "--values");
                let files: Vec<_> = files.copied().collect();
                for program in &programs {
                    program.expect(&kit, &[&["lint", "--strict", chart], &files[..]].concat());
                }
            }
            seen.insert(images);
        }
        assert_eq!(seen, BTreeSet::from(wanted), "{minor}");
    }
}

/// Whatever an operator turns on, what the values of a minor leave of it is in that minor's API. What
/// they hold back is not.
#[test]
#[ignore = "needs the Helm engine and schemas; tests/run brings them and runs this"]
fn each_minor_takes_what_the_chart_renders_with_its_values() {
    const OWN: &str = "CSIDriverObject: {isCreate: true, attachRequired: false, fsGroupPolicy: File}\n\
        controller: {controllerCount: 2, snapshot: {enabled: true}, csiExtender: {volumeModify: {enabled: true}}}";
    let (release, tree) = rendered(&huawei());
    let mut helm = Helm::start();
    let mut manifests: Vec<(&str, &str, Value)> = Vec::new();
    for plan in &release.plans {
        let minor = plan.kubernetes.as_str();
        let values = text(&tree, &format!("k8s-{minor}/values.yaml"));
        let mut add = |what: &'static str, manifest: Value| manifests.push((what, minor, manifest));
        // Of two files, the later one wins: an operator's own comes first.
        let with = helm.render(&chart(), &[OWN, values]);
        for crd in &with.crds {
            let text = fs::read_to_string(chart().with_file_name(crd)).expect("the CRD");
            add("as it is", serde_saphyr::from_str(&text).expect("YAML"));
        }
        for manifest in with.documents {
            if manifest["kind"] == "ClusterRole" {
                let mut older = manifest.clone();
                older["apiVersion"] = json!("rbac.authorization.k8s.io/v1beta1");
                add("an older API", older);
                let mut misspelt = manifest.clone();
                misspelt["rule"] = json!([]);
                add("a misspelt field", misspelt);
            }
            add("as it is", manifest);
        }
        for manifest in helm.render(&chart(), &[values, OWN]).documents {
            add("against the values", manifest);
        }
    }
    let asked: Vec<_> = manifests
        .iter()
        .map(|(_, minor, manifest)| (*minor, manifest))
        .collect();
    let mut refused: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for ((what, minor, manifest), complaints) in manifests.iter().zip(complaints(&asked)) {
        if !complaints.is_empty() {
            let kind = manifest["kind"].as_str().expect("a kind");
            refused.entry(what).or_default().insert((minor, kind));
        }
    }
    let minors = |meant: fn(Minor) -> bool, kind: &'static str| {
        let all = release.plans.iter().map(|plan| plan.kubernetes.as_str());
        let is_meant = move |minor: &&str| meant(Minor::of_version(minor).expect("a minor"));
        all.filter(is_meant).map(move |minor| (minor, kind))
    };
    // storage.k8s.io/v1 has a CSIDriver from 1.18 on, and that an fsGroupPolicy from 1.19 on, as alpha. For
    // 1.16 there is no image of the snapshotter.
    let against = minors(|minor| minor < Minor::new(1, 19), "CSIDriver");
    let older = minors(|minor| minor >= Minor::new(1, 22), "ClusterRole");
    let wanted: BTreeMap<&str, BTreeSet<_>> = BTreeMap::from([
        (
            "against the values",
            against.chain([("1.16", "Deployment")]).collect(),
        ),
        ("an older API", older.collect()),
        (
            "a misspelt field",
            minors(|_| true, "ClusterRole").collect(),
        ),
    ]);
    assert_eq!(refused, wanted);
}

/// A chart with this `Chart.yaml` and these templates.
fn made(about: &str, template: &str) -> Scratch {
    let chart = Scratch::new("chart");
    chart.write("Chart.yaml", about);
    chart.write("values.yaml", "");
    chart.write("templates/made.yaml", template);
    chart
}

/// What `check-chart` says of `kubeVersion` is what Helm does.
#[test]
#[ignore = "needs Helm's programs; tests/run brings them and runs this"]
fn a_constraint_is_read_as_helm_reads_it() {
    const OPERATORS: [&str; 12] = [
        "", "=", "!=", ">", ">=", "=>", "<", "<=", "=<", "~", "~>", "^",
    ];
    const VERSIONS: [&str; 14] = [
        "1", "v1", "1.20", "1.20.4", "v1.20.4", "1.x", "1.20.x", "1.X.x", "1.20.*", "1.20.4-0",
        "1.20.0-0", "1.20-0", "2", "0.20.1",
    ];
    // What `!=` says of a part of a version and a pre-release depends on the version of Helm.
    let is_odd =
        |text: &str| text.starts_with("!=") && text.ends_with("-0") && !text.contains("1.20.");
    let joined = OPERATORS.iter().flat_map(|operator| {
        let versions = VERSIONS.iter();
        versions.flat_map(move |version| {
            [
                format!("{operator}{version}"),
                format!("{operator} {version}"),
            ]
        })
    });
    let several = [
        "*",
        "x",
        "1.16 - 1.30",
        "v1.16.0-0 - 1.29.9-0",
        "1.16 - 1.20, !=1.18.3",
        "1.18 - 1.20 || 1.25",
        ">=1.16 <1.30",
        ">=1.16, <1.30",
        ">=1.16,<1.30",
        ">= 1.16.0-0 , < 1.30.0-0",
        ">=1.16.0-0 <1.30",
        "<1.18||>=1.25",
        "~1.18 || ~1.20.4-0 || 1.30.x",
        "!=1.20.4 !=1.20.5",
        "  >=1.20.4  ",
        ">=1.20.0-alpha.1 <1.20.4+build",
        ">=1.19.0-0 !=1.20.0 != 1.20.4",
    ];
    let constraints = joined.filter(|text| !is_odd(text));
    let constraints: Vec<_> = constraints.chain(several.map(str::to_owned)).collect();
    let mut versions = Vec::new();
    for minor in [0, 1, 16, 17, 18, 19, 20, 21, 25, 29, 30, 31] {
        for patch in [0, 3, 4, 5] {
            let mut version = Version::new(1, minor, patch);
            versions.push(version.clone());
            version.pre = Prerelease::new("gke.1").expect("one");
            versions.push(version);
        }
    }
    versions.extend([
        Version::new(0, 20, 1),
        Version::new(2, 0, 0),
        Version::new(2, 1, 0),
    ]);

    let chart = made(
        "name: made\nversion: 1.0.0\n",
        "{{ range $c := .Values.constraints }}{{ $c | quote }}: \"{{ range $.Values.versions }}\
         {{ ternary 1 0 (semverCompare $c .) }}{{ end }}\"\n{{ end }}",
    );
    let names: Vec<_> = versions.iter().map(ToString::to_string).collect();
    let asked = json!({"constraints": constraints, "versions": names});
    chart.write("asked.yaml", asked.to_string());
    for program in Program::all() {
        let said = program.expect(&chart, &["template", "made", ".", "--values", "asked.yaml"]);
        let said: Value = serde_saphyr::from_str(&said).expect("YAML");
        for constraint in &constraints {
            let said = said[constraint].as_str().expect("an answer").bytes();
            let read = Constraint::parse(constraint).expect("read");
            for ((version, name), said) in versions.iter().zip(&names).zip(said) {
                // Helm 4 compares pre-releases otherwise, and has none of `kubeVersion`.
                if version.pre.is_empty() || program.is_3() {
                    let asked = format!("{}: {name} by {constraint:?}", program.version);
                    assert_eq!(read.admits(version), said == b'1', "{asked}");
                }
            }
        }
    }
    for other in [
        "",
        " ",
        "latest",
        "1.20 ||",
        "|| 1.20",
        ">=1.16,",
        ", 1.16",
        ">=1.16<1.30",
        "== 1.20",
        ">= >=1.20",
        "!=1.20-0",
        "1.16 -1.30",
        ">=1.16 - 1.30",
        "1.16 - <1.30",
        ">=*",
        "01.20",
        "1.20.4.1",
        "1.x.4",
        "1.20-",
        ">=",
        "1..2",
    ] {
        assert!(Constraint::parse(other).is_none(), "{other:?}");
    }
}

/// Each program refuses the charts and versions that `check-chart` says Helm refuses, and no others.
#[test]
#[ignore = "needs Helm's programs; tests/run brings them and runs this"]
fn helm_refuses_what_check_chart_says_it_refuses() {
    let table = huawei();
    let programs = Program::all();
    let of_release = Source::new("spec", "");
    for about in [
        "name: esdk\nversion: 1.0.0\n",
        "name: esdk\nversion: v1.0\n",
        "name: esdk\nversion: 1\ntype: application\n",
        "name: esdk\n",
        "version: 1.0.0\n",
        "",
        "name:\nversion: 1.0.0\n",
        "name: [esdk]\nversion: 1.0.0\n",
        "name: esdk\nversion: 1.0.0.1\n",
        "name: esdk\nversion: 1.x\n",
        "name: esdk\nversion: 1.0.0\ntype: library\n",
        "name: esdk\nversion: 1.0.0\nkubeVersion: '>=1.18.0-0 <1.30.0-0'\n",
        "name: esdk\nversion: 1.0.0\nkubeVersion: '>=1.16.0'\n",
    ] {
        let folder = made(about, "a: b\n");
        let chart = Chart::load(&folder).expect("a chart");
        let [(_, found), ..] = chart::check(&chart, &table, &of_release);
        let has = |code: &str| found.iter().any(|finding| finding.rule.code == code);
        for program in &programs {
            let is_refused = |version: &str| {
                let asked = ["template", "made", ".", "--kube-version", version];
                !program.run(&folder, &asked).status.success()
            };
            let asked = format!("{}: {about}", program.version);
            if has("chart-invalid-metadata") {
                assert!(is_refused("1.20.0"), "{asked}");
                continue;
            }
            let minors = table.kubernetes.minors().map(|minor| minor.to_string());
            let refused: Vec<_> = minors
                .filter(|minor| is_refused(&format!("{minor}.0")))
                .collect();
            let title = format!("the chart refuses Kubernetes {}", refused.join(", "));
            let is_said = found.iter().any(|finding| finding.title == title);
            assert_eq!(is_said, !refused.is_empty(), "{asked}: {title}");
            let of_vendors = program.is_3() && has("chart-vendor-version");
            assert_eq!(is_refused("v1.20.0-gke.1"), of_vendors, "{asked}");
        }
    }
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
