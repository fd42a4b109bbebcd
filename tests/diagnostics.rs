//! Refused and doubted specs: what a release engineer reads. Every case is the example table with
//! one thing made wrong, and its whole rendered output is a snapshot. Every rule has a case.

mod support;

use std::fmt::Write;

use insta::{assert_snapshot, with_settings};
use proptest::prelude::*;
use support::{fixtures, knowledge};
use xtask::diagnostic::{self, Diagnostic, Source};
use xtask::rules;
use xtask::validate;

/// Name, what is there, what is written instead.
const CASES: &[(&str, &str, &str)] = &[
    ("no TOML", "schema = 1", "schema = = 1\nproduct"),
    ("another schema", "schema = 1", "schema = 2"),
    ("missing top key", "kubernetes = \"v1.19-v1.22\"\n", ""),
    ("missing key", "helm-key = \"images.feature\"\n", ""),
    (
        "unknown key",
        "container = \"the-sidecar\"",
        "contianer = \"the-sidecar\"",
    ),
    (
        "wrong type",
        "workloads = [\"example-node\"]\nhelm-key = \"images.nested.helper\"",
        "workloads = 7\nhelm-key = \"images.nested.helper\"",
    ),
    (
        "another release in the file",
        "release = \"1.0.0\"",
        "release = \"1.0.1\"",
    ),
    (
        "open supported range",
        "kubernetes = \"v1.19-v1.22\"",
        "kubernetes = \"v1.19+\"",
    ),
    (
        "requirement typo",
        "\"v1.19.x\"\n  architectures",
        "\"v.1.19.x\"\n  architectures",
    ),
    (
        "requirement nonsense",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"1.20 or later\"",
    ),
    (
        "backward range",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"v1.21-v1.20\"",
    ),
    (
        "upper-case reference",
        "registry.k8s.io/sig-storage/sidecar:v2.0.0",
        "registry.k8s.io/Sig-Storage/sidecar:v2.0.0",
    ),
    ("malformed tag", "sidecar:v2.0.0", "sidecar:v2 0"),
    ("reference without tag", "sidecar:v2.0.0", "sidecar"),
    (
        "reference by digest",
        "sidecar:v2.0.0",
        "sidecar@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        "reference with scheme",
        "registry.k8s.io/sig-storage/sidecar:v2.0.0",
        "https://registry.k8s.io/sig-storage/sidecar:v2.0.0",
    ),
    (
        "placeholder",
        "example:1.0.0\"\n",
        "example:{{csi-version}}\"\n",
    ),
    ("short name", "quay.io/example/helper:1.30", "helper:1.30"),
    (
        "package image with host",
        "reference = \"example:1.0.0\"",
        "reference = \"quay.io/example:1.0.0\"",
    ),
    (
        "gap",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"v1.20.x\"",
    ),
    (
        "undeclared hole",
        "  [[component.hole]]\n  kubernetes = \"v1.19.x\"\n  reason.en = \"The feature needs Kubernetes 1.20 or later.\"\n  reason.zh-CN = \"该特性要求Kubernetes 1.20及以上版本。\"\n",
        "",
    ),
    (
        "overlap",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"v1.20-v1.22\"",
    ),
    (
        "hole over an image",
        "kubernetes = \"v1.20+\"\n\n  [[component.hole]]",
        "kubernetes = \"v1.19+\"\n\n  [[component.hole]]",
    ),
    (
        "missing translation",
        "description.zh-CN = \"驱动程序。\"\n",
        "",
    ),
    (
        "empty translation",
        "description.en = \"The driver.\"",
        "description.en = \" \"",
    ),
    (
        "control character",
        "description.zh-CN = \"驱动程序。\"",
        "description.zh-CN = \"驱动\\u202E程序。\"",
    ),
    // Behind this mark an editor shows the line from right to left.
    (
        "hidden character in a comment",
        "# The vendor's own image.",
        "# The vendor's own image.\u{202e}",
    ),
    (
        "too many architectures",
        "architectures = [\"amd64\", \"arm64\"]",
        "architectures = [\"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"a6\", \"a7\", \"a8\", \"a9\", \"b1\", \"b2\", \"b3\", \"b4\", \"b5\", \"b6\", \"b7\", \"b8\"]",
    ),
    (
        "line break",
        "description.en = \"The driver.\"",
        "description.en = \"The\\ndriver.\"",
    ),
    (
        "unknown workload",
        "workloads = [\"example-node\"]\nhelm-key = \"images.nested.helper\"",
        "workloads = [\"example-nodes\"]\nhelm-key = \"images.nested.helper\"",
    ),
    (
        "unknown architecture",
        "architectures = [\"amd64\"]",
        "architectures = [\"x86\"]",
    ),
    (
        "archive outside",
        "[\"example-1.0.0-ARM.tar\"]",
        "[\"../example-1.0.0-ARM.tar\"]",
    ),
    (
        "step outside",
        "remove = \"crds/feature\"",
        "remove = \"../../etc\"",
    ),
    (
        "duplicate component",
        "name = \"second-helper\"",
        "name = \"helper\"",
    ),
    (
        "taken Helm key",
        "helm-key = \"images.nested.second\"",
        "helm-key = \"images.nested\"",
    ),
    (
        "conflicting setting",
        "value = 2\nkubernetes = \"v1.20.x\"",
        "value = 2\nkubernetes = \"v1.19-v1.20\"",
    ),
    (
        "one image told twice",
        "reference = \"registry.example:5000/tools/helper:1.30\"\n  kubernetes = \"v1.19+\"\n\n# Off",
        "reference = \"registry.example:5000/tools/helper:1.30\"\n  kubernetes = \"v1.19+\"\n  architectures = [\"arm64\"]\n\n# Off",
    ),
    (
        "unknown default",
        "\"feature.always\" = true",
        "\"feature.other\" = true",
    ),
    (
        "never applies",
        "value = 2\nkubernetes = \"v1.20.x\"",
        "value = 2\nkubernetes = \"v1.61.x\"",
    ),
    (
        "no archive",
        "archives.arm64 = [\"example-1.0.0-ARM.tar\"]",
        "archives.arm64 = []",
    ),
    (
        "no package",
        "[package]\nfile.amd64 = \"example-1.0.0-x86.zip\"\nfile.arm64 = \"example-1.0.0-arm.zip\"\nimage-folder = \"images\"\n",
        "",
    ),
    ("setting of a list", "value = 2\n", "value = [2]\n"),
    ("latest", "sidecar:v2.0.0", "sidecar:latest"),
    (
        "package image without archives",
        "  archives.amd64 = [\"example-1.0.0-X86.tar\", \"example-1.0.0-x86.tar\"]\n  archives.arm64 = [\"example-1.0.0-ARM.tar\"]\n",
        "",
    ),
    (
        "malformed Helm key",
        "helm-key = \"images.feature\"",
        "helm-key = \"images..feature\"",
    ),
    (
        "architectures beside archives",
        "reference = \"example:1.0.0\"\n",
        "reference = \"example:1.0.0\"\n  architectures = [\"amd64\"]\n",
    ),
    (
        "architecture twice",
        "architectures = [\"amd64\"]",
        "architectures = [\"amd64\", \"amd64\"]",
    ),
    (
        "duplicate workload",
        "name = \"example-node\"\nkind",
        "name = \"example-controller\"\nkind",
    ),
    (
        "outside the supported range",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"v1.20-v1.21\"\n\n  [[component.image]]\n  reference = \"quay.io/example/newer:v9\"\n  kubernetes = \"v1.22-v1.40\"",
    ),
    (
        "enabled without image",
        "key = \"feature.enabled\"\nvalue = false",
        "key = \"feature.enabled\"\nvalue = true",
    ),
    (
        "always enabled without image",
        "enabled-when = [{ key = \"feature.enabled\", is = true }, { key = \"feature.always\", is = false }]\n",
        "",
    ),
    (
        "disabled with image",
        "value = false\nkubernetes = \"v1.19.x\"",
        "value = false\nkubernetes = \"v1.19-v1.21\"\nreason.en = \"Off.\"\nreason.zh-CN = \"关闭。\"\n\n[[setting]]\nkey = \"feature.always\"\nvalue = true\nkubernetes = \"v1.19-v1.21\"",
    ),
    (
        "one place in the scoped layout",
        "quay.io/example/helper:1.30\"\n  kubernetes = \"v1.20+\"",
        "vendor/example:1.0.0\"\n  kubernetes = \"v1.20+\"\n  archives.amd64 = [\"feature-1.0.0.tar\"]\n  archives.arm64 = [\"feature-1.0.0-arm.tar\"]",
    ),
    (
        "one place in the flat layout",
        "quay.io/example/helper:1.30",
        "quay.io/example/sidecar:v3.0.0",
    ),
    (
        "host with port",
        "registry.k8s.io/sig-storage/sidecar:v2.0.0",
        "[2001:db8::1]:5000/sidecar:v2.0.0",
    ),
    (
        "another version's image",
        "reference = \"example:1.0.0\"",
        "reference = \"example:0.9.0\"",
    ),
    (
        "another version's archive",
        "\"example-1.0.0-ARM.tar\"",
        "\"example-0.9.0-ARM.tar\"",
    ),
    (
        "the same in both languages",
        "description.zh-CN = \"驱动程序。\"",
        "description.zh-CN = \"The driver.\"",
    ),
    (
        "frozen registry",
        "registry.k8s.io/sig-storage/sidecar:v2.0.0",
        "k8s.gcr.io/sig-storage/sidecar:v2.0.0",
    ),
    (
        "older than its project supports",
        "registry.k8s.io/sig-storage/sidecar:v1.0.0\"\n  kubernetes",
        "registry.k8s.io/sig-storage/csi-provisioner:v3.0.0\"\n  kubernetes",
    ),
    (
        "not for every architecture",
        "sidecar:v2.0.0\"",
        "sidecar:v2.0.0\"\n  architectures = [\"arm64\"]",
    ),
    (
        "acknowledged in vain",
        "subjects = [\"helper:1.30\"]",
        "subjects = [\"helper:1.30\", \"helper:1.31\"]",
    ),
    (
        "acknowledged error",
        "rule = \"flat-collision\"",
        "rule = \"gap\"",
    ),
    (
        "acknowledged nonsense",
        "rule = \"flat-collision\"",
        "rule = \"flat-colision\"",
    ),
    (
        "acknowledged staleness",
        "rule = \"flat-collision\"",
        "rule = \"stale-acknowledgement\"",
    ),
    (
        "a switch by a string",
        "key = \"feature.enabled\"\nvalue = false",
        "key = \"feature.enabled\"\nvalue = \"false\"",
    ),
    (
        "host in upper case",
        "quay.io/example/helper:1.30",
        "Quay.io/example/helper:1.30",
    ),
    (
        "frozen registry with its port",
        "registry.k8s.io/sig-storage/sidecar:v2.0.0",
        "k8s.gcr.io:443/sig-storage/sidecar:v2.0.0",
    ),
    (
        "one archive for two architectures",
        "[\"example-1.0.0-ARM.tar\"]",
        "[\"example-1.0.0-x86.tar\"]",
    ),
    (
        "one package for two architectures",
        "file.arm64 = \"example-1.0.0-arm.zip\"",
        "file.arm64 = \"example-1.0.0-x86.zip\"",
    ),
    (
        "no package for an architecture",
        "file.arm64 = \"example-1.0.0-arm.zip\"\n",
        "",
    ),
    (
        "another version's package",
        "file.arm64 = \"example-1.0.0-arm.zip\"",
        "file.arm64 = \"example-1.0.0.1-arm.zip\"",
    ),
    (
        "workload twice",
        "workloads = [\"example-node\"]\nhelm-key = \"images.nested.helper\"",
        "workloads = [\"example-node\", \"example-node\"]\nhelm-key = \"images.nested.helper\"",
    ),
    (
        "one image under two names",
        "quay.io/example/helper:1.30",
        "docker.io/library/example:1.0.0",
    ),
    (
        "Helm key that YAML reads otherwise",
        "helm-key = \"images.feature\"",
        "helm-key = \"images.on\"",
    ),
    (
        "placeholder in a text",
        "description.en = \"The driver.\"",
        "description.en = \"The driver {{csi-version}}.\"",
    ),
    (
        "blank in a number",
        "kubernetes = \"v1.20-v1.21\"",
        "kubernetes = \"v1.2 0-v1.21\"",
    ),
    (
        "blanks in the supported range",
        "kubernetes = \"v1.19-v1.22\"",
        "kubernetes = \"v1.19 - v1.22\"",
    ),
    (
        "malformed workload",
        "name = \"example-node\"\nkind = \"DaemonSet\"",
        "name = \"example-node\"\nkind = \"daemon set\"",
    ),
    (
        "nested too deep",
        "value = 2\n",
        "value = { a.b.c.d.e.f.g.h = { i.j.k.l.m.n.o.p.q = 1 } }\n",
    ),
];

fn example() -> String {
    std::fs::read_to_string(fixtures().join("spec/example/1.0.0.toml")).expect("the fixture")
}

fn refusal(text: &str) -> Option<String> {
    let findings = findings(text);
    let source = source(text);
    (!findings.is_empty()).then(|| diagnostic::render(&source, &findings))
}

fn source(text: &str) -> Source {
    Source {
        path: "spec/example/1.0.0.toml".to_owned(),
        text: text.to_owned(),
    }
}

fn findings(text: &str) -> Vec<Diagnostic> {
    let (release, findings) = validate::check(text, "example", "1.0.0", &knowledge());
    let refused = findings.iter().any(Diagnostic::is_error);
    assert_eq!(
        release.is_none(),
        refused,
        "an error refuses, a warning does not"
    );
    findings
}

#[test]
fn every_mistake_is_shown_with_its_place_and_its_mend() {
    let example = example();
    assert_eq!(refusal(&example), None);
    let mut all = String::new();
    for (name, from, to) in CASES {
        assert_eq!(
            example.matches(from).count(),
            1,
            "{name}: the text to replace is there once"
        );
        let shown =
            refusal(&example.replace(from, to)).unwrap_or_else(|| panic!("{name}: accepted"));
        writeln!(all, "==== {name} ====\n{shown}").expect("a String takes it");
    }
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!("diagnostics", all);
    });
    let of_specs = rules::all().into_iter();
    for rule in of_specs.filter(|rule| !rules::is_about_charts(rule)) {
        let shown = format!("{}[{}]: ", rule.severity.name(), rule.code);
        assert!(all.contains(&shown), "no case shows {}", rule.code);
    }
}

#[test]
fn programs_read_the_findings_as_json() {
    let mut text = example();
    for (name, from, to) in CASES {
        if ["overlap", "requirement typo"].contains(name) {
            text = text.replace(from, to);
        }
    }
    let findings = findings(&text);
    assert_eq!(findings.len(), 2);
    let json = diagnostic::json(&source(&text), &findings);
    for (line, wanted) in json.lines().zip(["requirement-typo", "overlap"]) {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(value["code"], wanted);
        for place in value["places"].as_array().expect("a list") {
            let at = |key: &str| {
                let number = place[key].as_u64().expect("a number");
                usize::try_from(number).expect("small")
            };
            // What the bytes and what the lines say is the same place.
            let marked = &text[at("byteStart")..at("byteEnd")];
            let line = text.lines().nth(at("lineStart") - 1).expect("a line");
            assert!(line.contains(marked), "{marked} in {line}");
            assert_eq!(at("lineStart"), at("lineEnd"));
        }
    }
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!("diagnostics-json", json);
    });
}

#[test]
fn all_mistakes_are_shown_in_one_run_in_the_files_order() {
    let mut text = example();
    // One of the rules over the whole table among them, and things that such a rule could need.
    let wanted = [
        "unknown key",
        "wrong type",
        "malformed tag",
        "missing translation",
        "setting of a list",
        "step outside",
        "one image told twice",
    ];
    for (name, from, to) in CASES {
        if wanted.contains(name) {
            text = text.replace(from, to);
        }
    }
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!("diagnostics-together", refusal(&text).expect("refused"));
    });
}

/// Bytes put into the example table anywhere.
fn damaged() -> impl Strategy<Value = String> {
    let example = example();
    (0..example.len(), 0..80usize, ".{0,12}").prop_map(move |(at, cut, put)| {
        let start = (0..=at)
            .rev()
            .find(|at| example.is_char_boundary(*at))
            .unwrap_or(0);
        let wanted = (start + cut).min(example.len());
        let end = (wanted..example.len()).find(|at| example.is_char_boundary(*at));
        let end = end.unwrap_or(example.len());
        format!("{}{put}{}", &example[..start], &example[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = refusal(&text);
    }

    #[test]
    fn no_damage_makes_the_reader_panic(text in damaged()) {
        let _ = refusal(&text);
    }
}
