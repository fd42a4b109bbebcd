//! `check-chart`: what is said of charts that fit the table, and of such as do not.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use insta::{assert_snapshot, with_settings};
use proptest::prelude::*;
use support::spec_text::SpecText;
use support::{fixtures, knowledge, rendered, root, text};
use xtask::chart::{self, Chart};
use xtask::diagnostic::{self, Source};
use xtask::rules;
use xtask::spec::{HelmKey, ImageSource, Release};

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

/// Runs the command in the repository, on the real table; gives both outputs and the exit status.
fn run(chart: &str, options: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["check-chart", chart, "--release", "4.5.0"])
        .args(options)
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

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// The table, with a spec whose places are not those of the real one, which move with every edit.
struct Table {
    release: Release,
    spec: Source,
}

impl Table {
    fn new() -> Self {
        Self::with("")
    }

    /// The table with some more TOML at its end.
    fn with(more: &str) -> Self {
        Self::of(&SpecText::huawei().with_entry(more))
    }

    fn of(text: &SpecText) -> Self {
        let (release, findings) = text.check(&knowledge());
        let spec = text.source();
        let shown = diagnostic::render(&spec, &findings);
        assert_eq!(shown, "");
        let release = release.expect("a valid spec");
        Self { release, spec }
    }

    /// What is said of a chart with these values.
    fn said(&self, values: &str) -> String {
        let about = fs::read_to_string(fixtures().join("chart/esdk/Chart.yaml")).expect("there");
        self.said_of(&about, values)
    }

    fn said_of(&self, about: &str, values: &str) -> String {
        let chart = Chart {
            folder: fixtures().join("chart/esdk"),
            about: Source::new("Chart.yaml", about),
            values: Source::new("values.yaml", values),
        };
        self.said_of_chart(&chart)
    }

    fn said_of_chart(&self, chart: &Chart) -> String {
        let found = chart::check(chart, &self.release, &self.spec);
        let shown = found.map(|(source, findings)| diagnostic::render(source, &findings));
        without_lines(&shown.concat())
    }
}

/// A text without the line numbers of the real spec, which move with every edit.
fn without_lines(text: &str) -> String {
    let mark = ".toml:";
    let mut parts = text.split(mark);
    let first = parts.next().unwrap_or_default().to_owned();
    let is_digit = |c: char| c.is_ascii_digit();
    parts.fold(first, |before, part| {
        format!("{before}{mark}N{}", part.trim_start_matches(is_digit))
    })
}

fn values() -> String {
    fs::read_to_string(fixtures().join("chart/esdk/values.yaml")).expect("the stand-in")
}

#[test]
fn a_chart_that_fits() {
    let (stdout, stderr, status) = run("tests/fixtures/chart/esdk", &[]);
    assert_eq!((stderr.as_str(), status), ("", Some(0)));
    assert_eq!(
        stdout,
        "tests/fixtures/chart/esdk fits the table of huawei-csi/4.5.0\n"
    );
    let json = run("tests/fixtures/chart/esdk", &["--message-format", "json"]);
    assert_eq!(json, (String::new(), String::new(), Some(0)));
}

/// Runs the command on a chart with this `Chart.yaml` and no release chosen, for some products of the
/// small table.
fn chosen(products: &[(&str, &[&str])], about: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let example = SpecText::example();
    for (product, releases) in products {
        let spec = folder.path().join("spec").join(product);
        fs::create_dir_all(&spec).expect("created");
        let text = example
            .product
            .replace("name = \"example\"", &format!("name = {product:?}"));
        fs::write(spec.join("product.toml"), text).expect("written");
        for release in *releases {
            fs::write(spec.join(format!("{release}.toml")), &example.release).expect("written");
        }
    }
    let chart = folder.path().join("chart");
    fs::create_dir(&chart).expect("created");
    fs::write(chart.join("Chart.yaml"), about).expect("written");
    fs::write(chart.join("values.yaml"), "{}\n").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["check-chart", "chart", "--spec", "spec"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (said, output.status.code())
}

/// Without `--release` the chart says which table it is of.
#[test]
fn a_chart_chooses_its_table() {
    let products: &[(&str, &[&str])] = &[
        ("example", &["1.0.0", "1.1.0"]),
        ("other", &["1.1.0", "1.10.0", "1.2.0"]),
    ];
    for (about, table) in [
        ("name: example\nappVersion: 1.0.0\n", "example/1.0.0"),
        ("name: example\nappVersion: v1.1.0\n", "example/1.1.0"),
        ("name: other\nappVersion: 1.1.0\n", "other/1.1.0"),
        ("name: other\nappVersion: '1.10.0'\n", "other/1.10.0"),
    ] {
        let (said, code) = chosen(products, &format!("version: 7.0.0\n{about}"));
        let wanted = format!("error: chart does not fit the table of {table}: ");
        assert!(code == Some(1) && said.contains(&wanted), "{about}: {said}");
        assert!(!said.contains("chart-of-another-release"), "{said}");
    }
    let known = "help: choose the table with `--release`: example/1.0.0, 1.1.0; other/1.1.0, 1.2.0, 1.10.0\n";
    for (about, wanted) in [
        (
            "name: example\nappVersion: 1.2.0\n",
            "error: chart/Chart.yaml is of the chart `example` and the release 1.2.0, of which there is no table\n",
        ),
        (
            "name: third\nappVersion: 1.1.0\n",
            "error: chart/Chart.yaml is of the chart `third` and the release 1.1.0, of which there is no table\n",
        ),
        (
            "name: example\nappVersion: '{{csi-version}}'\n",
            "error: chart/Chart.yaml does not say by `name` and `appVersion` which release it installs\n",
        ),
        (
            "name: example\n",
            "error: chart/Chart.yaml does not say by `name` and `appVersion` which release it installs\n",
        ),
        (
            "appVersion: 1.1.0\n",
            "error: chart/Chart.yaml does not say by `name` and `appVersion` which release it installs\n",
        ),
        (
            "name: [\n",
            "error: chart/Chart.yaml does not say by `name` and `appVersion` which release it installs\n",
        ),
    ] {
        let said = chosen(products, about);
        assert_eq!(said, (format!("{wanted}{known}"), Some(1)), "{about}");
    }
}

/// In the repository as it is.
#[test]
fn the_stand_in_chooses_the_real_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["check-chart", "tests/fixtures/chart/esdk"])
        .current_dir(root())
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        "tests/fixtures/chart/esdk fits the table of huawei-csi/4.5.0\n"
    );
}

#[test]
fn charts_that_do_not_fit() {
    for name in ["unbuilt", "broken"] {
        let (stdout, stderr, status) = run(&format!("tests/fixtures/chart/{name}"), &[]);
        assert_eq!((stdout.as_str(), status), ("", Some(1)));
        snapshot(&format!("chart-{name}"), &without_lines(&stderr));
    }
}

#[test]
fn programs_read_the_same_findings() {
    let (human, human_status) = {
        let (_, stderr, status) = run("tests/fixtures/chart/broken", &[]);
        (stderr, status)
    };
    let (stdout, stderr, status) =
        run("tests/fixtures/chart/broken", &["--message-format", "json"]);
    assert_eq!(status, human_status);
    assert!(stderr.contains("24 findings"), "{stderr}");
    let findings: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(findings.len(), 24);
    for finding in findings {
        let text = |key: &str| finding[key].as_str().expect("a text").to_owned();
        let line = finding["places"][0]["lineStart"].as_u64().expect("a line");
        assert!(human.contains(&format!("error[{}]: {}\n", text("code"), text("message"))));
        assert!(
            human.contains(&format!("--> {}:{line}:", text("file"))),
            "{finding}"
        );
    }
}

#[test]
fn every_kind_of_finding_is_shown_and_has_a_name_of_its_own() {
    let shown =
        ["unbuilt", "broken"].map(|name| run(&format!("tests/fixtures/chart/{name}"), &[]).1);
    let table = Table::new();
    let shown =
        shown.concat() + &malformed(&table) + &about(&table) + &split_image("attacher.repository");
    for rule in rules::chart::RULES {
        assert!(
            shown.contains(&format!("error[{}]", rule.code)),
            "{}",
            rule.code
        );
        assert_eq!(
            rules::all()
                .into_iter()
                .filter(|it| it.code == rule.code)
                .count(),
            1
        );
    }
}

/// What is said of a chart that splits an image, of which the table writes this key below
/// `images.sidecar`.
fn split_image(key: &str) -> String {
    let whole = "helm = \"images.sidecar.attacher\"";
    let text = SpecText::huawei().with(whole, &format!("helm = \"images.sidecar.{key}\""));
    let image = "attacher: k8s.gcr.io/sig-storage/csi-attacher:v3.4.0\n";
    let parts = "attacher:\n      registry: k8s.gcr.io\n      repository: sig-storage/csi-attacher\n      tag: v3.4.0\n";
    assert!(values().contains(image));
    Table::of(&text).said(&values().replace(image, parts))
}

/// The whole reference in one part of an image would be completed by the others.
#[test]
fn a_key_of_one_part_of_an_image_is_refused() {
    for (key, other) in [
        ("attacher.repository", "tag"),
        ("attacher.registry", "tag"),
        ("attacher.tag", "registry"),
    ] {
        let said = split_image(key);
        let title = format!(
            "error[chart-part-of-image]: `images.sidecar.{key}` is one part of the image of `csi-attacher`"
        );
        let label = format!("beside it is `{other}`");
        assert!(said.contains(&title) && said.contains(&label), "{said}");
        assert_eq!(said.matches("error[").count(), 1, "{said}");
    }
    let said = split_image("attacher");
    let title = "error[chart-group-for-value]: the chart has a group or a list at `images.sidecar.attacher`";
    assert!(said.contains(title), "{said}");
}

/// Name, what the stand-in has, and another way to write the same.
const SAME: &[(&str, &str, &str)] = &[
    ("quoted", "huawei-csi:4.5.0", "\"huawei-csi:4.5.0\""),
    ("single-quoted", "huawei-csi:4.5.0", "'huawei-csi:4.5.0'"),
    (
        "the whole name",
        "huawei-csi:4.5.0",
        "docker.io/library/huawei-csi:4.5.0",
    ),
    (
        "with its digest",
        "huawei-csi:4.5.0",
        "huawei-csi:4.5.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        "the image of another version",
        "k8s.gcr.io/sig-storage/csi-attacher:v3.4.0",
        "quay.io/k8scsi/csi-attacher:v1.2.1",
    ),
    ("no image", "huawei-csi:4.5.0", "null"),
    ("an empty image", "huawei-csi:4.5.0", "''"),
    ("nothing", "huawei-csi:4.5.0", ""),
    (
        "a boolean of YAML 1.1",
        "attachRequired: true",
        "attachRequired: On",
    ),
    (
        "another boolean of YAML 1.1",
        "isCreate: false",
        "isCreate: off",
    ),
    (
        "a group in one line",
        "resizer:\n    enabled: true",
        "resizer: {enabled: true}",
    ),
    (
        "an anchor",
        "resizer:\n    enabled: true\n  snapshot:\n    enabled: true",
        "resizer: &on\n    enabled: true\n  snapshot: *on",
    ),
    (
        "a merged map",
        "resizer:\n    enabled: true\n  snapshot:\n    enabled: true",
        "resizer: &on\n    enabled: true\n  snapshot:\n    <<: *on",
    ),
    (
        "the first of several merged maps",
        "resizer:\n    enabled: true\n  snapshot:\n    enabled: true",
        "off: &off\n    enabled: false\n  resizer: &on\n    enabled: true\n  snapshot:\n    <<: [*on, *off]",
    ),
    (
        "a merged map under a value of its own",
        "isCreate: false",
        "<<: {isCreate: true}\n  isCreate: false",
    ),
    (
        "an image at an anchor",
        "images:\n  huaweiCSIService: huawei-csi:4.5.0",
        "other: &driver huawei-csi:4.5.0\nimages:\n  huaweiCSIService: *driver",
    ),
    (
        "what only looks like an image",
        "kubernetes:",
        "address: metrics.example:9090\ntime: 12:30\nurl: https://example.com/a:1\nratio: 1:2\nfile: unix:///csi/csi.sock\nkubernetes:",
    ),
    (
        "a node's label",
        "kubernetes:",
        "selectors: ['kubernetes.io/os:linux', 'node.example/pool:blue']\ntaint: example.com/gpu:NoSchedule\nkubernetes:",
    ),
    (
        "what is no image below a key that speaks of images",
        "kubernetes:",
        "imagePull: {proxy: 'proxy.example:3128', local: 'localhost:5000', every: '12:30', mirror: mirror.example/all, secrets: [a, b]}\nkubernetes:",
    ),
    (
        "numbers of YAML 1.1",
        "controllerCount: 1",
        "controllerCount: 0x1",
    ),
    (
        "a known image elsewhere",
        "kubernetes:",
        "other: k8s.gcr.io/sig-storage/csi-attacher:v3.4.0\nparts: {registry: quay.io, repository: k8scsi/csi-attacher, tag: v1.2.1}\nkubernetes:",
    ),
    (
        "a known image without its version",
        "kubernetes:",
        "parts: {registry: quay.io, repository: k8scsi/csi-attacher, tag: ''}\nimage: quay.io/k8scsi/csi-attacher\nother: {repository: proxy}\nkubernetes:",
    ),
    (
        "a switch beside the images",
        "images:",
        "images:\n  pullPolicy: IfNotPresent\n  registry: quay.io\n  pullSecrets: [a, b]\n  tag: v1",
    ),
    (
        "a text for a template",
        "kubernetes:",
        "label: \"{{ .Release.Name }}-csi\"\nnote: |\n  {{pod}}\n# {{comment}}\nkubernetes:",
    ),
    (
        "a tag of YAML",
        "controllerCount: 1",
        "controllerCount: !!int 1",
    ),
    ("the end of the document", "images:", "---\nimages:"),
];

#[test]
fn one_thing_can_be_written_in_many_ways() {
    let table = Table::new();
    let values = values();
    assert_eq!(table.said(&values), "");
    assert_eq!(table.said(&values.replace('\n', "\r\n")), "");
    assert_eq!(table.said(&format!("\u{feff}{values}...\n")), "");
    for (name, from, to) in SAME {
        assert!(values.contains(from), "{name}");
        assert_eq!(table.said(&values.replacen(from, to, 1)), "", "{name}");
    }
}

/// Whose version the chart's templates fill in, from its `appVersion` for one.
#[test]
fn an_image_without_its_version_is_named_too() {
    let table = Table::new();
    for other in [
        "parts: {repository: quay.io/example/proxy, tag: ''}",
        "parts: {registry: quay.io, repository: example/proxy}",
        "image: quay.io/example/proxy",
    ] {
        let said = table.said(&format!("{other}\n{}", values()));
        let title =
            "error[chart-unknown-image]: the table does not have the image `quay.io/example/proxy`";
        assert!(said.contains(title), "{other}: {said}");
    }
}

/// An image without a registry, which is how a package's are named, has no other sign than its
/// version and the keys above it.
#[test]
fn an_image_without_a_registry_is_seen_where_no_component_is_beside_it() {
    // The table without the package's images, for whose group it then has no key.
    let mut table = Table::new();
    let components = &mut table.release.components;
    let all = components.len();
    components.retain(|component| {
        let mut images = component.images.iter();
        images.all(|image| image.source == ImageSource::Registry)
    });
    assert!(components.len() < all);
    let said = table.said(&values());
    for image in [
        "huawei-csi:4.5.0",
        "storage-backend-controller:4.5.0",
        "storage-backend-sidecar:4.5.0",
        "huawei-csi-extender:4.5.0",
    ] {
        let title = format!("[chart-unknown-image]: the table does not have the image `{image}`");
        assert!(said.contains(&title), "{image}: {said}");
    }

    let table = Table::new();
    for other in [
        "tools: {shell: 'busybox:1.36'}",
        "tools: ['busybox:1.36-musl']",
        "images: {tools: {shell: 'busybox:1'}}",
        "toolImages: ['busybox:latest']",
        "tools: {image: busybox, tag: 1}",
        "image: {name: busybox, tag: 1}",
    ] {
        let said = table.said(&values().replace("images:\n", &format!("{other}\nimages:\n")));
        assert!(
            said.contains("does not have the image `busybox"),
            "{other}: {said}"
        );
        assert_eq!(
            said.matches("error[").count(),
            1 + usize::from(other.starts_with("images")),
            "{said}"
        );
    }
}

/// Name, what `Chart.yaml` of the stand-in has, what is there instead.
const ABOUT: &[(&str, &str, &str)] = &[
    ("no version", "version: 4.5.0\nappVersion", "appVersion"),
    ("an empty name", "name: esdk", "name:"),
    ("a list for a name", "name: esdk", "name: [esdk]"),
    (
        "no semantic version",
        "version: 4.5.0\nappVersion",
        "version: 4.5.0.1\nappVersion",
    ),
    (
        "an open version",
        "version: 4.5.0\nappVersion",
        "version: 4.x\nappVersion",
    ),
    (
        "a number for a version",
        "version: 4.5.0\nappVersion",
        "version: 4.10\nappVersion",
    ),
    ("a library", "type: application", "type: library"),
    (
        "another release",
        "appVersion: 4.5.0",
        "appVersion: \"4.5.1\"",
    ),
    (
        "a later Kubernetes",
        "type:",
        "kubeVersion: '>=1.18.0-0'\ntype:",
    ),
    (
        "an earlier Kubernetes",
        "type:",
        "kubeVersion: '>=1.16.0-0 <1.29.0-0 || 1.30.x-0'\ntype:",
    ),
    (
        "a patch version",
        "type:",
        "kubeVersion: '>=1.16.3-0 !=1.20.4-0 !=1.20.4'\ntype:",
    ),
    (
        "vendors' versions",
        "type:",
        "kubeVersion: '>=1.16.0'\ntype:",
    ),
    (
        "a number for Kubernetes",
        "type:",
        "kubeVersion: 1.20\ntype:",
    ),
    (
        "no space between",
        "type:",
        "kubeVersion: '>=1.16.0<1.31.0'\ntype:",
    ),
    (
        "an operator of others",
        "type:",
        "kubeVersion: '== 1.20'\ntype:",
    ),
];

fn about(table: &Table) -> String {
    let chart = fs::read_to_string(fixtures().join("chart/esdk/Chart.yaml")).expect("there");
    let mut all = String::new();
    for (name, from, to) in ABOUT {
        assert_eq!(chart.matches(from).count(), 1, "{name}");
        let said = table.said_of(&chart.replace(from, to), &values());
        all.push_str(&format!("==== {name} ====\n{said}\n"));
    }
    for empty in ["", "- name: esdk\n"] {
        let said = table.said_of(empty, &values());
        all.push_str(&format!("==== {empty:?} ====\n{said}\n"));
    }
    let settings = values()
        .replace("controllerCount: 1", "controllerCount: \"1\"")
        .replace(
            "snapshot:\n    enabled: true",
            "snapshot:\n    enabled: !!str true",
        )
        .replace("fsGroupPolicy: null", "fsGroupPolicy: 7");
    all.push_str(&format!(
        "==== other types ====\n{}\n",
        table.said_of(&chart, &settings)
    ));
    all
}

#[test]
fn what_a_chart_says_of_itself() {
    snapshot("chart-about", &about(&Table::new()));
}

#[test]
fn the_release_is_what_the_chart_installs() {
    let table = Table::new();
    let chart = "name: esdk\n";
    for about in [
        "version: 1.0.0\n",
        "version: v1.0\n",
        "version: 1\nappVersion: 4.5.0\n",
        "version: 1.0.0-rc.1+x\nappVersion: 'v4.5.0'\n",
        "version: 1.0.0\nkubeVersion: ''\n",
        "version: 1.0.0\nkubeVersion: '>=1.16.0-0'\n",
        "version: 1.0.0\nkubeVersion: '>= 1.16.0-0, < 1.31.0-0'\n",
        "version: 1.0.0\nkubeVersion: 1.16-0 - 1.30-0 || ~1.40-0\n",
        "version: {{version}}\nkubeVersion: '{{kubernetes}}'\n",
    ] {
        let said = table.said_of(&format!("{chart}{about}"), &values());
        let left = said.replace("error[chart-placeholder]", "");
        assert!(!left.contains("error["), "{about}: {said}");
    }
}

/// What is acknowledged is no longer found, and the pages tell the reason; what is not there any
/// more is stale, and what Helm refuses cannot be acknowledged.
#[test]
fn findings_can_be_acknowledged() {
    let acknowledge = |rule: &str, subject: &str| {
        format!(
            "\n[[acknowledge]]\nrule = {rule:?}\nsubjects = [{subject:?}]\nreason.en = \"Only `helm test` \
             pulls it.\"\nreason.zh-CN = \"仅helm test会拉取。\"\n"
        )
    };
    let chart = Chart::load(&fixtures().join("chart/broken")).expect("the chart");
    let without = Table::new();
    let found = chart::check(&chart, &without.release, &without.spec);
    let found: Vec<_> = found.into_iter().flat_map(|(_, found)| found).collect();
    let (noted, fixed): (Vec<_>, Vec<_>) = found.iter().partition(|one| !one.subject.is_empty());
    let is_acknowledgeable = |code: &str| rules::acknowledgeable().any(|rule| rule.code == code);
    assert!(noted.iter().all(|one| is_acknowledgeable(one.rule.code)));
    assert!(fixed.iter().all(|one| !is_acknowledgeable(one.rule.code)));
    let mut more: Vec<_> = noted
        .iter()
        .map(|one| acknowledge(one.rule.code, &one.subject))
        .collect();
    more.sort();
    more.dedup();
    let table = Table::with(&more.concat());
    let said = table.said_of_chart(&chart);
    assert_eq!(said.matches("error[").count(), fixed.len(), "{said}");
    assert!(!said.contains("stale-acknowledgement"), "{said}");

    // A reader of any minor's page may install the chart.
    let busybox = acknowledge("chart-unknown-image", "busybox:1.36");
    let table = Table::with(&busybox);
    let (plan, tree) = rendered(&table.release);
    for plan in &plan.plans {
        for (page, reason) in [
            (
                "README.md",
                "`busybox:1.36`: Only \\`helm test\\` pulls it.",
            ),
            ("README.zh-CN.md", "`busybox:1.36`：仅helm test会拉取。"),
        ] {
            let page = format!("k8s-{}/{page}", plan.kubernetes);
            assert!(text(&tree, &page).contains(reason), "{page}");
        }
    }

    let said = table.said(&values());
    let stale = "warning[stale-acknowledgement]: there is no finding `chart-unknown-image` about \"busybox:1.36\"";
    assert!(said.starts_with(stale), "{said}");
    // Of a chart that cannot be read, nobody knows.
    assert!(!table.said("a: [").contains("stale-acknowledgement"));
    let used = values().replace("kubernetes:\n", "kubernetes:\n  initImage: busybox:1.36\n");
    assert_eq!(table.said(&used), "");
    let said = without.said(&used);
    let note = "note: to accept it, add an `[[acknowledge]]` with rule = \"chart-unknown-image\", subjects = [\"busybox:1.36\"] and the reason";
    assert!(said.contains(note), "{said}");
}

#[test]
fn not_everything_beside_an_image_is_one() {
    let mut table = Table::new();
    let mut components = table.release.components.iter_mut();
    let driver = components.find(|component| component.name.value == "huawei-csi-driver");
    let key = driver.expect("the driver").helm.as_mut();
    key.expect("a key").value = HelmKey::parse("controller.driver").expect("a Helm key");
    let values = values()
        .replace("  huaweiCSIService: huawei-csi:4.5.0\n", "")
        .replace(
            "controller:\n",
            "controller:\n  driver: huawei-csi:4.5.0\n  start: 12:30\n",
        );
    assert_eq!(table.said(&values), "");
    for other in ["other: quay.io/example/other:1", "otherImage: other:1"] {
        let said = table.said(&values.replace("start: 12:30", other));
        let key = other.split(':').next().unwrap_or_default();
        assert!(said.contains("chart-unclaimed-image"), "{said}");
        assert!(said.contains(&format!("`controller.{key}`")), "{said}");
    }
}

/// Name, what the stand-in has, what is there instead.
const MALFORMED: &[(&str, &str, &str)] = &[
    ("no YAML", "kubernetes:\n", "kubernetes: [\n"),
    (
        "an unknown anchor",
        "namespace: huawei-csi",
        "namespace: *名称",
    ),
    ("a tab", "  namespace", "\tnamespace"),
    ("a second document", "kubernetes:\n", "---\nkubernetes:\n"),
    (
        "a map as a key",
        "namespace: huawei-csi",
        "? {a: b}\n  : huawei-csi",
    ),
    ("no images", "images:", "image:"),
    (
        "an image for the images",
        "images:\n",
        "images: huawei-csi:4.5.0\nother:\n",
    ),
];

fn malformed(table: &Table) -> String {
    let mut all = String::new();
    for (name, from, to) in MALFORMED {
        let values = values();
        assert!(values.contains(from), "{name}");
        let said = table.said(&values.replacen(from, to, 1));
        all.push_str(&format!("==== {name} ====\n{said}\n"));
    }
    for (name, values) in [
        ("an empty file", ""),
        ("a list", "- images\n"),
        ("a text", "images\n"),
    ] {
        all.push_str(&format!("==== {name} ====\n{}\n", table.said(values)));
    }
    all
}

#[test]
fn malformed_values() {
    snapshot("chart-malformed", &malformed(&Table::new()));
}

#[test]
fn what_is_no_chart() {
    let folder = tempfile::tempdir().expect("a folder");
    let chart = |name: &str, files: &[(&str, &[u8])]| {
        fs::create_dir(folder.path().join(name)).expect("created");
        for (file, bytes) in files {
            fs::write(folder.path().join(name).join(file), bytes).expect("written");
        }
    };
    chart("empty", &[]);
    chart("without-values", &[("Chart.yaml", b"name: a\n")]);
    chart(
        "not-utf-8",
        &[("Chart.yaml", b"name: a\n"), ("values.yaml", b"a: \xff\n")],
    );
    chart("a-folder", &[("Chart.yaml", b"name: a\n")]);
    fs::create_dir(folder.path().join("a-folder/values.yaml")).expect("created");
    chart("endless", &[("Chart.yaml", b"name: a\n")]);
    let device = Path::new("/dev/zero");
    std::os::unix::fs::symlink(device, folder.path().join("endless/values.yaml")).expect("linked");
    fs::write(folder.path().join("packed.tgz"), "").expect("written");
    let mut all = String::new();
    for name in [
        "missing",
        "packed.tgz",
        "empty",
        "without-values",
        "not-utf-8",
        "a-folder",
        "endless",
    ] {
        let path = folder.path().join(name);
        let (stdout, stderr, status) = run(path.to_str().expect("UTF-8"), &[]);
        assert_eq!((stdout.as_str(), status), ("", Some(1)), "{name}");
        all.push_str(&stderr);
    }
    snapshot(
        "chart-none",
        &all.replace(folder.path().to_str().expect("UTF-8"), "FOLDER"),
    );

    let (_, _, status) = run("tests/fixtures/chart/esdk", &["--no-such-option"]);
    assert_eq!(status, Some(2));
}

#[test]
fn hostile_values_end_in_time() {
    let table = Table::new();
    let many = |part: &str, count: usize| part.repeat(count);
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    let mut merges = "m0: &m0 {k: v}\n".to_owned();
    for level in 1..60 {
        let (last, aliases) = (level - 1, many(&format!("*a{}, ", level - 1), 9));
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        merges.push_str(&format!(
            "m{level}: &m{level} {{<<: [*m{last}, *m{last}]}}\n"
        ));
    }
    merges.push_str("images: *m59\n");
    for (name, values) in [
        ("deep lists", many("[", 50_000)),
        ("deep maps", many("{a: ", 50_000)),
        (
            "deep blocks",
            (0..2_000).map(|depth| many(" ", depth) + "a:\n").collect(),
        ),
        ("aliases of aliases", bomb),
        ("merges of merges", merges),
        ("a list in itself", "images: &a [*a]\n".to_owned()),
        (
            "a map in itself",
            "images: &a\n  <<: *a\n  sidecar: *a\n".to_owned(),
        ),
        ("open braces", many("{{", 100_000)),
        ("braces", format!("a: {}", many("{{a}}", 20_000))),
        ("placeholders", many("- {{a}}\n", 20_000)),
        ("one key", many("a: 1\n", 20_000)),
        ("images", many("- quay.io/a/b:1\n", 20_000)),
        ("a long text", format!("images: {}\n", many("x", 1_000_000))),
        (
            "a long placeholder",
            format!("images: {{{{{}}}}}\n", many("x", 1_000_000)),
        ),
        (
            "a long image",
            values().replace("huawei-csi:4.5.0", &many("a/", 100_000)),
        ),
    ] {
        let start = Instant::now();
        let said = table.said(&values);
        assert!(said.contains("error["), "{name}");
        assert!(said.len() < 10_000_000, "{name}: {} bytes", said.len());
        let took = start.elapsed();
        assert!(took < Duration::from_mins(1), "{name}: {took:?}");
    }
}

/// The stand-in's values with some bytes put into them anywhere.
fn damaged() -> impl Strategy<Value = String> {
    let values = values();
    let put = prop_oneof![".{0,12}", "[{}\\[\\]&*!|>'\"%@`:#,?\n -]{0,8}"];
    (0..values.len(), 0..60usize, put).prop_map(move |(at, cut, put)| {
        let start = values.floor_char_boundary(at);
        let end = values.ceil_char_boundary((start + cut).min(values.len()));
        format!("{}{put}{}", &values[..start], &values[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = TABLE.said(&text);
        let _ = TABLE.said_of(&text, "");
    }

    #[test]
    fn no_constraint_makes_it_panic(text in "[<>=!~^|, v0-9.x*-]{0,20}") {
        let _ = TABLE.said_of(&format!("kubeVersion: '{text}'\n"), "");
    }

    #[test]
    fn no_damage_makes_it_panic(text in damaged()) {
        let _ = TABLE.said(&text);
    }
}
