//! Refused and doubted specs: what a release engineer reads. Every case is the example table with
//! one thing made wrong in one of its files, and its whole rendered output is a snapshot. Every rule has a
//! case.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use insta::{assert_snapshot, with_settings};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::knowledge;
use support::spec_text::SpecText;
use xtask::diagnostic::{self, Diagnostic};
use xtask::plan;
use xtask::rules;
use xtask::spec::{Knowledge, Spec};
use xtask::validate;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(knowledge);

/// What is there, and what is written instead.
type Change<'c> = (&'c str, &'c str);

/// Name, and what is written otherwise in the two files.
const CASES: &[(&str, &[Change<'_>])] = &[
    (
        "no TOML",
        &[(
            "schema = 2\nkubernetes",
            "schema = = 2\nproduct\nkubernetes",
        )],
    ),
    (
        "no TOML in both files",
        &[
            ("title.en = \"Example CSI\"", "title.en = Example CSI"),
            ("driver.\"v1.19+\"", "driver.v1.19+"),
        ],
    ),
    (
        "another schema",
        &[("schema = 2\nkubernetes", "schema = 3\nkubernetes")],
    ),
    // Nothing else is said of what was written for another format.
    (
        "the schema before",
        &[
            (
                "schema = 2\ntitle.en",
                "schema = 1\nproduct = \"example\"\ntitle.en",
            ),
            (
                "schema = 2\nkubernetes = [\"v1.19-v1.22\"]",
                "schema = 1\nrelease = \"1.0.0\"\nkubernetes = \"v1.19-v1.22\"",
            ),
        ],
    ),
    (
        "missing top key",
        &[("kubernetes = [\"v1.19-v1.22\"]\n", "")],
    ),
    ("missing key", &[("namespace = \"example-system\"\n", "")]),
    (
        "missing key of an entry",
        &[(
            "when = [{ feature.enabled = true }, { feature.always = false }]\n",
            "",
        )],
    ),
    ("no schema", &[("schema = 2\nkubernetes", "kubernetes")]),
    (
        "unknown key",
        &[(
            "containers = [\"the-sidecar\"]",
            "contianers = [\"the-sidecar\"]",
        )],
    ),
    (
        "unknown key of a release",
        &[(
            "schema = 2\nkubernetes",
            "schema = 2\nrelease = \"1.0.0\"\nkubernetes",
        )],
    ),
    (
        "wrong type",
        &[("workloads = [\"example-node\"]", "workloads = 7")],
    ),
    (
        "a list for a text",
        &[("[\"v1.19-v1.22\"]", "\"v1.19-v1.22\"")],
    ),
    (
        "a number for a reference",
        &[("\"registry.k8s.io/sig-storage/sidecar:v3.0.0\"", "3.0")],
    ),
    (
        "another source",
        &[("source = \"package\"", "source = \"registry\"")],
    ),
    (
        "open supported range",
        &[("[\"v1.19-v1.22\"]", "[\"v1.19+\"]")],
    ),
    (
        "overlapping parts of the supported range",
        &[("[\"v1.19-v1.22\"]", "[\"v1.19-v1.21\", \"v1.21-v1.22\"]")],
    ),
    (
        "a limit in the hole of the supported range",
        &[("[\"v1.19-v1.22\"]", "[\"v1.19.x\", \"v1.21-v1.22\"]")],
    ),
    (
        "requirement typo",
        &[("sidecar.\"v1.19.x\"", "sidecar.\"v.1.19.x\"")],
    ),
    (
        "requirement nonsense",
        &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"1.20 or later\"")],
    ),
    (
        "requirement nonsense of a limit",
        &[("\"v1.20.x\"\nvalues", "\"1.20\"\nvalues")],
    ),
    (
        "backward range",
        &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.21-v1.20\"")],
    ),
    (
        "upper-case reference",
        &[(
            "registry.k8s.io/sig-storage/sidecar:v2.0.0",
            "registry.k8s.io/Sig-Storage/sidecar:v2.0.0",
        )],
    ),
    ("malformed tag", &[("sidecar:v2.0.0", "sidecar:v2 0")]),
    (
        "a tag that reads like a message",
        &[("sidecar:v2.0.0", "sidecar:v2; write `v3`")],
    ),
    ("reference without tag", &[("sidecar:v2.0.0", "sidecar")]),
    (
        "reference by digest",
        &[(
            "sidecar:v2.0.0",
            "sidecar@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        )],
    ),
    (
        "reference with scheme",
        &[(
            "registry.k8s.io/sig-storage/sidecar:v2.0.0",
            "https://registry.k8s.io/sig-storage/sidecar:v2.0.0",
        )],
    ),
    (
        "placeholder",
        &[("example:{release}", "example:{{csi-version}}")],
    ),
    (
        "a pattern with an unknown part",
        &[("example:{release}", "example:{version}")],
    ),
    (
        "a brace alone",
        &[("example:{release}", "example:{release")],
    ),
    (
        "a closing brace alone",
        &[("example:{release}", "example:release}")],
    ),
    (
        "an unknown part of an archive's name",
        &[(
            "\"{name}-{release}-{word}.tar\"",
            "\"{image}-{release}-{word}.tar\"",
        )],
    ),
    (
        "an unknown part of the package's name",
        &[(
            "example-{release}-{word-lower}.zip",
            "{name}-{release}-{word-lower}.zip",
        )],
    ),
    (
        "a part that no reference by a tag has",
        &[(
            "[[chart.crds]]",
            "[chart.parts]\nrepository = \"{registry}/{path}\"\ndigest = \"{digest}\"\n\n[[chart.crds]]",
        )],
    ),
    (
        "short name",
        &[("quay.io/example/helper:1.30", "helper:1.30")],
    ),
    (
        "package image with host",
        &[("example:{release}", "quay.io/example:{release}")],
    ),
    ("gap", &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.20.x\"")]),
    ("undeclared hole", &[("without = [\"feature\"]\n", "")]),
    (
        "overlap",
        &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.20-v1.22\"")],
    ),
    (
        "hole over an image",
        &[("feature.\"v1.20+\"", "feature.\"v1.19+\"")],
    ),
    (
        "missing translation",
        &[("description.zh-CN = \"驱动程序。\"\n", "")],
    ),
    (
        "empty translation",
        &[("description.en = \"The driver.\"", "description.en = \" \"")],
    ),
    (
        "control character",
        &[(
            "description.zh-CN = \"驱动程序。\"",
            "description.zh-CN = \"驱动\\u202E程序。\"",
        )],
    ),
    // Behind this mark an editor shows the line from right to left.
    (
        "hidden character in a comment",
        &[(
            "# Off by the chart's default",
            "# Off by the chart's \u{202e}default",
        )],
    ),
    (
        "hidden character in a comment of a release",
        &[(
            "# One minor, a closed range",
            "# One minor, a \u{202e}closed range",
        )],
    ),
    (
        "too many architectures",
        &[(
            "[\"amd64\", \"arm64\"]",
            "[\"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"a6\", \"a7\", \"a8\", \"a9\", \"b1\", \"b2\", \"b3\", \"b4\", \"b5\", \"b6\", \"b7\", \"b8\"]",
        )],
    ),
    (
        "line break",
        &[(
            "description.en = \"The driver.\"",
            "description.en = \"The\\ndriver.\"",
        )],
    ),
    (
        "unknown workload",
        &[(
            "workloads = [\"example-node\"]",
            "workloads = [\"example-nodes\"]",
        )],
    ),
    (
        "a word for an architecture of no release",
        &[("arm64 = \"ARM\" }", "arm64 = \"ARM\", aarch64 = \"ARM\" }")],
    ),
    (
        "no word for an architecture",
        &[(", arm64 = \"ARM\" }", " }")],
    ),
    (
        "archive outside",
        &[(
            "\"{name}-{release}-{word-lower}.tar\"",
            "\"../{name}-{release}-{word-lower}.tar\"",
        )],
    ),
    (
        "CRDs outside",
        &[("path = \"crds/feature\"", "path = \"../../etc\"")],
    ),
    (
        "a component twice",
        &[("[component.second-helper]", "[component.helper]")],
    ),
    (
        "a row twice",
        &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.19.x\"")],
    ),
    (
        "a malformed component name",
        &[
            ("[component.driver]", "[component.Driver]"),
            ("driver.\"v1.19+\"", "Driver.\"v1.19+\""),
        ],
    ),
    (
        "taken Helm key",
        &[(
            "helm = \"images.nested.second\"",
            "helm = \"images.nested\"",
        )],
    ),
    (
        "conflicting setting",
        &[("\"v1.20.x\"\nvalues", "\"v1.19-v1.20\"\nvalues")],
    ),
    (
        "unknown default",
        &[("feature.always = true }", "feature.other = true }")],
    ),
    (
        "a limit on a minor of no release",
        &[("\"v1.20.x\"\nvalues", "\"v1.61.x\"\nvalues")],
    ),
    (
        "a row that no minor meets",
        &[(
            "sidecar.\"v1.22+\"",
            "sidecar.\"v1.61.x\" = \"quay.io/example/newer:v9\"\nsidecar.\"v1.22+\"",
        )],
    ),
    (
        "a since that no release reaches",
        &[(
            "kubernetes = \"v1.20.x\"\nvalues",
            "since = \"1.1.0\"\nkubernetes = \"v1.20.x\"\nvalues",
        )],
    ),
    (
        "a before that no release is before",
        &[(
            "rule = \"host-with-port\"",
            "before = \"1.0.0\"\nrule = \"host-with-port\"",
        )],
    ),
    (
        "a pull secret of no release",
        &[(
            "[[chart.crds]]",
            "[chart.pull-secrets]\nsince = \"2.0.0\"\nkey = \"imagePullSecrets\"\nform = \"objects\"\n\n[[chart.crds]]",
        )],
    ),
    (
        "platforms of an image of no release",
        &[(
            "[platforms]\n",
            "[platforms]\n\"registry.k8s.io/sig-storage/sidecar:v0.9.0\" = [\"amd64\"]\n",
        )],
    ),
    (
        "no archive",
        &[(
            "archives = [\"{name}-{release}-{word}.tar\", \"{name}-{release}-{word-lower}.tar\"]",
            "archives = []",
        )],
    ),
    (
        "a limit that says nothing",
        &[(
            "kubernetes = \"v1.20.x\"\nvalues.controller.replicas = 2\n",
            "kubernetes = \"v1.20.x\"\n",
        )],
    ),
    (
        "no package",
        &[(
            "[package]\nimage-folder = \"images\"\narchives = [\"{name}-{release}-{word}.tar\", \"{name}-{release}-{word-lower}.tar\"]\nwords = { amd64 = \"X86\", arm64 = \"ARM\" }\n\n[[package.file]]\nname = \"example-{release}-{word-lower}.zip\"\n",
            "",
        )],
    ),
    (
        "no package file",
        &[(
            "[[package.file]]\n",
            "[[package.file]]\nsince = \"1.0.1\"\n",
        )],
    ),
    (
        "two package files at once",
        &[(
            "name = \"example-{release}-{word-lower}.zip\"\n",
            "name = \"example-{release}-{word-lower}.zip\"\n\n[[package.file]]\nsince = \"1.0.0\"\nname = \"Example_{release}_{word}.zip\"\n",
        )],
    ),
    (
        "two switches of one component at once",
        &[(
            "[platforms]\n",
            "[[switch]]\nbefore = \"1.1.0\"\ncomponents = [\"helper\", \"feature\"]\nwhen = [{ feature.enabled = true }]\n\n[platforms]\n",
        )],
    ),
    (
        "setting of a date",
        &[("replicas = 2\n", "replicas = 1979-05-27\n")],
    ),
    (
        "setting of no number",
        &[("replicas = 2\n", "replicas = nan\n")],
    ),
    ("latest", &[("sidecar:v2.0.0", "sidecar:latest")]),
    (
        "malformed Helm key",
        &[("helm = \"images.feature\"", "helm = \"images..feature\"")],
    ),
    (
        "malformed Helm key of a setting",
        &[(
            "values.controller.replicas = 2",
            "values.controller.\"replicas of it\" = 2",
        )],
    ),
    (
        "Helm key that YAML reads otherwise",
        &[("helm = \"images.feature\"", "helm = \"images.on\"")],
    ),
    (
        "malformed platform",
        &[(
            "sidecar:v1.0.0\" = [\"amd64\"]",
            "sidecar:v1.0.0\" = [\"AMD64\"]",
        )],
    ),
    (
        "platform twice",
        &[(
            "sidecar:v1.0.0\" = [\"amd64\"]",
            "sidecar:v1.0.0\" = [\"amd64\", \"amd64\"]",
        )],
    ),
    (
        "outside the supported range",
        &[("sidecar.\"v1.19.x\"", "sidecar.\"v1.18-v1.19\"")],
    ),
    (
        "enabled without image",
        &[(
            "values.feature.enabled = false",
            "values.feature.enabled = true",
        )],
    ),
    (
        "always enabled without image",
        &[(
            "[[switch]]\ncomponents = [\"feature\"]\nwhen = [{ feature.enabled = true }, { feature.always = false }]\n",
            "",
        )],
    ),
    (
        "disabled with image",
        &[(
            "values.controller.replicas = 2\n",
            "values.controller.replicas = 2\nvalues.feature.enabled = false\nvalues.feature.always = true\n",
        )],
    ),
    // Of two values that a way needs, one is enough to bar it.
    (
        "disabled by one of two values",
        &[
            (
                "[{ feature.enabled = true }, { feature.always = false }]",
                "[{ feature.enabled = true, feature.always = true }]",
            ),
            (
                "values.controller.replicas = 2\n",
                "values.controller.replicas = 2\nvalues.feature.always = false\n",
            ),
        ],
    ),
    (
        "one place in the scoped layout",
        &[
            (
                "[component.feature]\n",
                "[component.feature]\nsource = \"package\"\n",
            ),
            ("quay.io/example/helper:1.30", "vendor/example:{release}"),
        ],
    ),
    (
        "one place in the flat layout",
        &[(
            "quay.io/example/helper:1.30",
            "quay.io/example/sidecar:v3.0.0",
        )],
    ),
    (
        "host with port",
        &[(
            "registry.k8s.io/sig-storage/sidecar:v2.0.0",
            "[2001:db8::1]:5000/sidecar:v2.0.0",
        )],
    ),
    (
        "another version's image",
        &[("example:{release}", "example:0.9.0")],
    ),
    (
        "another version's archive",
        &[(
            "\"{name}-{release}-{word}.tar\"",
            "\"{name}-0.9.0-{word}.tar\"",
        )],
    ),
    (
        "another version's package",
        &[(
            "example-{release}-{word-lower}.zip",
            "example-{release}.1-{word-lower}.zip",
        )],
    ),
    (
        "the same in both languages",
        &[(
            "description.zh-CN = \"驱动程序。\"",
            "description.zh-CN = \"The driver.\"",
        )],
    ),
    (
        "languages swapped",
        &[(
            "description.en = \"The driver.\"\ndescription.zh-CN = \"驱动程序。\"",
            "description.zh-CN = \"The driver.\"\ndescription.en = \"驱动程序。\"",
        )],
    ),
    (
        "frozen registry",
        &[(
            "registry.k8s.io/sig-storage/sidecar:v2.0.0",
            "k8s.gcr.io/sig-storage/sidecar:v2.0.0",
        )],
    ),
    (
        "frozen registry with its port",
        &[(
            "registry.k8s.io/sig-storage/sidecar:v2.0.0",
            "k8s.gcr.io:443/sig-storage/sidecar:v2.0.0",
        )],
    ),
    (
        "older than its project supports",
        &[(
            "second-helper.\"v1.19+\"  = \"registry.example:5000/tools/helper:1.30\"",
            "second-helper.\"v1.19+\" = \"registry.k8s.io/sig-storage/csi-provisioner:v3.0.0\"",
        )],
    ),
    (
        "not for every architecture",
        &[(
            "[platforms]\n",
            "[platforms]\n\"registry.k8s.io/sig-storage/sidecar:v2.0.0\" = [\"arm64\", \"windows/amd64\"]\n",
        )],
    ),
    // Somebody has looked at an image without arm64, and this is another hole.
    (
        "without another architecture than the acknowledged one",
        &[(
            "sidecar:v1.0.0\" = [\"amd64\"]",
            "sidecar:v1.0.0\" = [\"arm64\"]",
        )],
    ),
    (
        "without one more architecture than the acknowledged one",
        &[
            (
                "[\"amd64\", \"arm64\"]",
                "[\"amd64\", \"arm64\", \"s390x\"]",
            ),
            ("arm64 = \"ARM\" }", "arm64 = \"ARM\", s390x = \"Z\" }"),
        ],
    ),
    (
        "acknowledged in vain",
        &[(
            "subjects = [\"helper:1.30\"]",
            "subjects = [\"helper:1.30\", \"helper:1.31\"]",
        )],
    ),
    (
        "acknowledged error",
        &[("rule = \"flat-collision\"", "rule = \"gap\"")],
    ),
    (
        "acknowledged nonsense",
        &[("rule = \"flat-collision\"", "rule = \"flat-colision\"")],
    ),
    (
        "acknowledged staleness",
        &[(
            "rule = \"flat-collision\"",
            "rule = \"stale-acknowledgement\"",
        )],
    ),
    (
        "a switch by a string",
        &[(
            "values.feature.enabled = false",
            "values.feature.enabled = \"false\"",
        )],
    ),
    (
        "host in upper case",
        &[("quay.io/example/helper:1.30", "Quay.io/example/helper:1.30")],
    ),
    (
        "one archive for two images",
        &[
            (
                "[component.feature]\n",
                "[component.feature]\nsource = \"package\"\n",
            ),
            ("quay.io/example/helper:1.30", "feature:{release}"),
            (
                "\"{name}-{release}-{word}.tar\"",
                "\"images-{release}-{word}.tar\"",
            ),
        ],
    ),
    (
        "one archive for two architectures",
        &[(
            "\"{name}-{release}-{word}.tar\"",
            "\"{name}-{release}.tar\"",
        )],
    ),
    (
        "one word for two architectures",
        &[("arm64 = \"ARM\"", "arm64 = \"x86\"")],
    ),
    (
        "workload twice",
        &[(
            "workloads = [\"example-node\"]",
            "workloads = [\"example-node\", \"example-node\"]",
        )],
    ),
    (
        "one image under two names",
        &[(
            "quay.io/example/helper:1.30",
            "docker.io/library/example:1.0.0",
        )],
    ),
    (
        "placeholder in a text",
        &[(
            "description.en = \"The driver.\"",
            "description.en = \"The driver {{csi-version}}.\"",
        )],
    ),
    (
        "blank in a number",
        &[("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.2 0-v1.21\"")],
    ),
    (
        "blanks in the supported range",
        &[("[\"v1.19-v1.22\"]", "[\"v1.19 - v1.22\"]")],
    ),
    (
        "malformed workload",
        &[("kind = \"DaemonSet\"", "kind = \"daemon set\"")],
    ),
    (
        "nested too deep",
        &[(
            "replicas = 2\n",
            "replicas = { a.b.c.d.e.f.g.h = { i.j.k.l.m.n.o.p.q = 1 } }\n",
        )],
    ),
    (
        "a component without rows",
        &[("driver.\"v1.19+\"         = \"example:{release}\"\n", "")],
    ),
    (
        "a row of a component that the product does not have",
        &[("second-helper.\"v1.19+\"", "second-helpers.\"v1.19+\"")],
    ),
    (
        "a row of a component that this release does not have",
        &[(
            "[component.driver]\n",
            "[component.driver]\nsince = \"1.1.0\"\n",
        )],
    ),
    (
        "a switch of an unknown component",
        &[("components = [\"feature\"]", "components = [\"features\"]")],
    ),
    (
        "a limit of an unknown component",
        &[("without = [\"feature\"]", "without = [\"features\"]")],
    ),
    (
        "CRDs of an unknown component",
        &[("component = \"feature\"", "component = \"snapshots\"")],
    ),
    (
        "a note about an unknown component",
        &[(
            "[platforms]\n",
            "[[note]]\nkubernetes = \"v1.19+\"\nabout = [\"sidecars\"]\ntext = { en = \"Know.\", zh-CN = \"说明。\" }\n\n[platforms]\n",
        )],
    ),
];

/// The small table with changes in it.
#[track_caller]
fn changed(changes: &[Change<'_>]) -> SpecText {
    let example = SpecText::example();
    changes
        .iter()
        .fold(example, |text, (from, to)| text.with(from, to))
}

/// The small table with the changes of some cases in it.
fn with_cases(wanted: &[&str]) -> SpecText {
    let cases = wanted.iter().map(|wanted| {
        let mut cases = CASES.iter();
        let case = cases.find(|(name, _)| name == wanted);
        case.unwrap_or_else(|| panic!("there is no case {wanted}"))
            .1
    });
    changed(&cases.collect::<Vec<_>>().concat())
}

fn refusal(text: &SpecText) -> Option<String> {
    let findings = findings(text);
    (!findings.is_empty()).then(|| diagnostic::render(&text.source(), &findings))
}

fn findings(text: &SpecText) -> Vec<Diagnostic> {
    let (release, findings) = text.check(&KNOWLEDGE);
    let refused = findings.iter().any(Diagnostic::is_error);
    assert_eq!(
        release.is_none(),
        refused,
        "an error refuses, a warning does not"
    );
    findings
}

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

#[test]
fn every_mistake_is_shown_with_its_place_and_its_fix() {
    assert_eq!(refusal(&SpecText::example()), None);
    let mut all = String::new();
    for (name, changes) in CASES {
        let shown = refusal(&changed(changes)).unwrap_or_else(|| panic!("{name}: accepted"));
        writeln!(all, "==== {name} ====\n{shown}").expect("a String takes it");
    }
    snapshot("diagnostics", &all);
    let of_specs = rules::all().into_iter();
    for rule in of_specs.filter(|rule| !rules::is_about_charts(rule)) {
        let shown = format!("{}[{}]: ", rule.severity.name(), rule.code);
        assert!(all.contains(&shown), "no case shows {}", rule.code);
    }
}

#[test]
fn programs_read_the_findings_as_json() {
    let text = with_cases(&[
        "overlap",
        "requirement typo",
        "unknown workload",
        "a row of a component that this release does not have",
    ]);
    let findings = findings(&text);
    let json = diagnostic::json(&text.source(), &findings);
    let wanted = [
        ("unknown-workload", 1),
        ("requirement-typo", 1),
        ("overlap", 2),
        ("unknown-component", 2),
    ];
    assert_eq!(json.lines().count(), wanted.len());
    let mut files = BTreeSet::new();
    for (line, (code, places)) in json.lines().zip(wanted) {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(value["code"], code);
        let found = value["places"].as_array().expect("a list");
        assert_eq!(found.len(), places, "{line}");
        assert_eq!(value["file"], found[0]["file"]);
        for place in found {
            let at = |key: &str| {
                let number = place[key].as_u64().expect("a number");
                usize::try_from(number).expect("small")
            };
            let file = place["file"].as_str().expect("a path");
            let text = match file {
                "spec/example/product.toml" => &text.product,
                "spec/example/1.0.0.toml" => &text.release,
                other => panic!("{other} is no file of the spec"),
            };
            files.insert(file.to_owned());
            // What the bytes and what the lines say is the same place.
            let marked = &text[at("byteStart")..at("byteEnd")];
            let line = text.lines().nth(at("lineStart") - 1).expect("a line");
            assert!(line.contains(marked), "{marked} in {line}");
            assert_eq!(at("lineStart"), at("lineEnd"));
        }
    }
    assert_eq!(files.len(), 2);
    snapshot("diagnostics-json", &json);
}

#[test]
fn all_mistakes_are_shown_in_one_run_in_the_files_order() {
    // One of the rules over the whole table among them, and things that such a rule could need.
    let text = with_cases(&[
        "unknown key",
        "wrong type",
        "malformed tag",
        "missing translation",
        "setting of a date",
        "CRDs outside",
        "one image under two names",
    ]);
    snapshot("diagnostics-together", &refusal(&text).expect("refused"));
}

/// What is wrong with the product's file is said of each of its releases, and shown once.
#[test]
fn what_a_product_has_wrong_is_shown_once_of_any_releases() {
    let mut text = with_cases(&["unknown workload", "malformed tag"]);
    let other = SpecText::example().release;
    text.others = vec![
        ("1.1.0".to_owned(), other.clone()),
        ("1.2.0".to_owned(), other),
    ];
    let mut specs = text.check_all(&KNOWLEDGE);
    let codes = |specs: &[Spec]| -> Vec<Vec<&str>> {
        let findings = specs.iter().map(|spec| spec.findings.iter());
        let codes = findings.map(|findings| findings.map(|finding| finding.rule.code).collect());
        codes.collect()
    };
    let (product, release) = ("unknown-workload", "malformed-reference");
    assert_eq!(
        codes(&specs),
        [vec![release, product], vec![product], vec![product]]
    );
    assert!(specs.iter().all(|spec| spec.outcome.is_none()));
    let mut chosen = specs.split_off(1);
    validate::say_once(&mut specs);
    validate::say_once(&mut chosen);
    assert_eq!(codes(&specs), [[release, product]]);
    assert_eq!(codes(&chosen), [vec![product], vec![]]);
}

/// What one release does not use, another may: nothing is said.
#[test]
fn an_entry_of_a_product_is_for_some_release() {
    let since = "a since that no release reaches";
    let mut text = with_cases(&[since]);
    assert!(refusal(&text).is_some());
    // The limit is about a minor that this release alone supports, or none.
    for (range, is_used) in [("v1.19-v1.22", true), ("v1.21-v1.22", false)] {
        let release = &SpecText::example().release;
        let release = release.replace("[\"v1.19-v1.22\"]", &format!("[{range:?}]"));
        let release = release
            .lines()
            .filter(|line| is_used || !line.starts_with("sidecar.\"v1.19.x\""))
            .map(|line| format!("{line}\n"));
        text.others = vec![("1.1.0".to_owned(), release.collect())];
        let found = text.check_all(&KNOWLEDGE).into_iter();
        let found = found.flat_map(|spec| spec.findings);
        let codes: BTreeSet<_> = found.map(|finding| finding.rule.code).collect();
        assert_eq!(
            codes.contains("unused-entry"),
            !is_used,
            "{range}: {codes:?}"
        );
    }
}

/// Somebody has looked at an image from one minor on, not at it from an earlier one.
#[test]
fn an_acknowledgement_covers_what_was_looked_at() {
    const IMAGE: &str = "registry.k8s.io/sig-storage/csi-provisioner:v3.0.0";
    let helper = |rows: &str| {
        SpecText::example()
            .with("[\"v1.19-v1.22\"]", "[\"v1.18-v1.22\"]")
            .with("sidecar.\"v1.19.x\"", "sidecar.\"v1.18-v1.19\"")
            .with("\"v1.19.x\"\nwithout", "\"v1.18-v1.19\"\nwithout")
            .with("second-helper.\"v1.19+\"", "second-helper.\"v1.18+\"")
            .with("driver.\"v1.19+\"", "driver.\"v1.18+\"")
            .with(
                "\nhelper.\"v1.19+\"         = \"registry.example:5000/tools/helper:1.30\"",
                rows,
            )
            .with_entry(&format!(
                "[[acknowledge]]\nrule = \"upstream-minimum\"\nsubjects = [\"{IMAGE} from 1.19\"]\n\
                 reason = {{ en = \"Tried.\", zh-CN = \"已验证。\" }}\n"
            ))
    };
    let older = "helper.\"v1.18.x\" = \"registry.example:5000/tools/helper:1.30\"";
    let looked_at = helper(&format!("\n{older}\nhelper.\"v1.19+\" = {IMAGE:?}"));
    assert_eq!(refusal(&looked_at), None);
    let widened = helper(&format!("\nhelper.\"v1.18+\" = {IMAGE:?}"));
    let said = refusal(&widened).expect("doubted");
    let found = findings(&widened);
    let mut codes: Vec<_> = found.iter().map(|finding| finding.rule.code).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        ["stale-acknowledgement", "upstream-minimum"],
        "{said}"
    );
    let accept = format!("subjects = [\"{IMAGE} from 1.18\"]");
    assert!(said.contains(&accept), "{said}");
}

#[test]
fn a_range_may_have_a_hole() {
    let text = SpecText::example()
        .with(
            "[\"v1.19-v1.22\"]",
            "[\"v1.16.x\", \"v1.19-v1.20\", \"v1.22.x\"]",
        )
        .with("sidecar.\"v1.19.x\"", "sidecar.\"v1.16-v1.19\"")
        .with(
            "kubernetes = \"v1.19.x\"\nwithout",
            "kubernetes = \"v1.16-v1.19\"\nwithout",
        )
        .with("sidecar.\"v1.20-v1.21\"", "sidecar.\"v1.20.x\"")
        .with(
            "helper.\"v1.19+\"         = \"registry.example",
            "helper.\"v1.16+\" = \"registry.example",
        )
        .with("second-helper.\"v1.19+\"", "second-helper.\"v1.16+\"")
        .with("driver.\"v1.19+\"", "driver.\"v1.13+\"");
    let (release, findings) = text.check(&KNOWLEDGE);
    assert!(findings.is_empty(), "{:?}", refusal(&text));
    let release = release.expect("valid");
    let minors: Vec<_> = release
        .kubernetes
        .minors()
        .map(|minor| minor.to_string())
        .collect();
    assert_eq!(minors, ["1.16", "1.19", "1.20", "1.22"]);
    assert_eq!(release.kubernetes.to_string(), "1.16, 1.19 to 1.20, 1.22");
    let plans = plan::plan(&release).plans;
    let planned: Vec<_> = plans.iter().map(|plan| plan.kubernetes.as_str()).collect();
    assert_eq!(planned, minors);
}

/// A setting has any type that YAML has and TOML too; null is written as `unset`.
#[test]
fn a_setting_has_a_type() {
    let text = SpecText::example().with_entry(
        "[[limit]]\nkubernetes = \"v1.22.x\"\nunset = [\"a.removed\", \"affinity\"]\n\
         reason = { en = \"Shown.\", zh-CN = \"示例。\" }\n\
         values.a.text = \"1.30\"\nvalues.a.enabled = true\nvalues.a.number = -7\nvalues.a.fraction = 0.5\n\
         values.a.none = []\nvalues.a.list = [\"x\", 1, [false]]\n\
         values.a.tables = [{ key = \"k\", operator.is = \"Exists\" }]\nvalues.a.group = {}\n",
    );
    let (release, findings) = text.check(&KNOWLEDGE);
    assert!(findings.is_empty(), "{:?}", refusal(&text));
    let plans = plan::plan(&release.expect("valid")).plans;
    let last = plans.last().expect("a plan");
    let found: Vec<_> = last
        .settings
        .iter()
        .map(|it| (it.key.as_str(), &it.value))
        .collect();
    let wanted = [
        ("a.text", json!("1.30")),
        ("a.enabled", json!(true)),
        ("a.number", json!(-7)),
        ("a.fraction", json!(0.5)),
        ("a.none", json!([])),
        ("a.list", json!(["x", 1, [false]])),
        (
            "a.tables",
            json!([{"key": "k", "operator": {"is": "Exists"}}]),
        ),
        ("a.group", json!({})),
        ("a.removed", Value::Null),
        ("affinity", Value::Null),
    ];
    let wanted: Vec<_> = wanted.iter().map(|(key, value)| (*key, value)).collect();
    assert_eq!(found, wanted);
}

/// All values of a way have to hold, of several ways any one, and a value need not be a boolean.
#[test]
fn a_component_runs_when_all_values_of_a_way_hold() {
    let with = |mode: &str, level: &str| {
        let text = SpecText::example()
            .with("feature.always = true }", "feature.always = true, feature.mode = \"off\", feature.level = 1 }")
            .with(
                "[{ feature.enabled = true }, { feature.always = false }]",
                "[{ feature.enabled = true }, { feature.mode = \"on\", feature.level = 2 }]",
            )
            .with_entry(&format!(
                "[[limit]]\nkubernetes = \"v1.20.x\"\nvalues.feature.mode = {mode}\nvalues.feature.level = {level}\n\
                 reason = {{ en = \"Tried.\", zh-CN = \"已验证。\" }}\n"
            ));
        let (release, findings) = text.check(&KNOWLEDGE);
        assert!(findings.is_empty(), "{:?}", refusal(&text));
        let plans = plan::plan(&release.expect("valid")).plans;
        let plan = plans.into_iter().find(|plan| plan.kubernetes == "1.20");
        let off = plan.expect("supported").off_by_default;
        off.into_iter().map(|off| off.switches).collect::<Vec<_>>()
    };
    let ways = vec![vec![
        "--set feature.enabled=true".to_owned(),
        "--set-string feature.mode=on --set feature.level=2".to_owned(),
    ]];
    assert_eq!(with("\"on\"", "1"), ways);
    assert_eq!(with("\"off\"", "2"), ways);
    assert_eq!(with("\"on\"", "\"2\""), ways, "a text is no number");
    assert_eq!(with("\"on\"", "2"), Vec::<Vec<String>>::new());
}

/// Bytes put into a file of the example table anywhere.
fn damaged() -> impl Strategy<Value = SpecText> {
    let example = SpecText::example();
    let longest = example.product.len().max(example.release.len());
    (any::<bool>(), 0..longest, 0..80usize, ".{0,12}").prop_map(move |(first, at, cut, put)| {
        let mut damaged = example.clone();
        let text = if first {
            &mut damaged.product
        } else {
            &mut damaged.release
        };
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.ceil_char_boundary((start + cut).min(text.len()));
        text.replace_range(start..end, &put);
        damaged
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), first in any::<bool>()) {
        let mut spec = SpecText::example();
        *(if first { &mut spec.product } else { &mut spec.release }) = text;
        let _ = refusal(&spec);
    }

    #[test]
    fn no_damage_makes_the_reader_panic(text in damaged()) {
        let _ = refusal(&text);
    }
}
