//! Every artifact of every minor, read back with a parser that is not ours, says what the plan
//! says; all of one minor name the same images.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;
use support::{example, huawei, rendered, text};
use xtask::plan::{Plan, ReleasePlan};
use xtask::spec::Release;
use xtask::tree::Tree;

type Set = BTreeSet<String>;

fn both() -> [Release; 2] {
    [huawei(), example()]
}

fn planned(plan: &Plan) -> Set {
    plan.images
        .iter()
        .map(|image| image.reference.clone())
        .collect()
}

fn registry_images(plan: &Plan) -> Set {
    plan.images
        .iter()
        .filter(|image| !image.is_package)
        .map(|image| image.reference.clone())
        .collect()
}

/// Every minor's plan with the text of one of its files.
fn each(file: &str, look: impl Fn(&ReleasePlan, &Plan, &str)) {
    for release in both() {
        let (release, tree) = rendered(&release);
        for plan in &release.plans {
            look(
                &release,
                plan,
                text(&tree, &format!("k8s-{}/{file}", plan.kubernetes)),
            );
        }
    }
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("no YAML: {error}\n{text}"))
}

/// Every string of a document, by the path of its keys.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                leaves(value, &path, found);
            }
        }
        leaf => {
            found.insert(path.to_owned(), leaf.clone());
        }
    }
}

#[test]
fn the_plan_is_the_table() {
    let (release, _) = rendered(&huawei());
    let minors: Vec<_> = release
        .plans
        .iter()
        .map(|plan| plan.kubernetes.as_str())
        .collect();
    let wanted: Vec<_> = (16..=30).map(|minor| format!("1.{minor}")).collect();
    assert_eq!(minors, wanted);
    for plan in &release.plans {
        let count = if plan.kubernetes == "1.16" { 9 } else { 11 };
        assert_eq!(planned(plan).len(), count, "{}", plan.kubernetes);
    }
}

#[test]
fn images_txt() {
    each("images.txt", |_, plan, text| {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        assert!(lines.is_sorted());
        assert_eq!(lines.iter().cloned().collect::<Set>(), planned(plan));
        assert_eq!(lines.len(), planned(plan).len());
        assert!(text.ends_with('\n'));
    });
}

#[test]
fn images_json() {
    for release in both() {
        let (release, tree) = rendered(&release);
        let json: Value = serde_json::from_str(text(&tree, "images.json")).expect("JSON");
        assert_eq!(json["product"], *release.release.product);
        assert_eq!(json["release"], *release.release.version);
        let sets = json["imageSets"].as_array().expect("a list");
        assert_eq!(sets.len(), release.plans.len());
        for (set, plan) in sets.iter().zip(&release.plans) {
            assert_eq!(set["k8sVersion"], *plan.kubernetes);
            let images: Vec<String> =
                serde_json::from_value(set["images"].clone()).expect("strings");
            assert!(images.is_sorted());
            assert_eq!(images.into_iter().collect::<Set>(), planned(plan));
        }
    }
}

/// By the names that are stored, which no configuration of a runtime has to complete.
#[test]
fn crio_pinned_images() {
    each("crio-pinned-images.conf", |_, plan, text| {
        let conf: toml::Table = text.parse().expect("TOML");
        let pinned = conf["crio"]["image"]["pinned_images"].clone();
        let pinned: Vec<String> = pinned.try_into().expect("strings");
        let names: Vec<_> = plan.images.iter().map(|image| image.name.clone()).collect();
        assert_eq!(pinned, names);
        assert_eq!(pinned.len(), planned(plan).len());
    });
}

#[test]
fn values_yaml() {
    for release in both() {
        let (_, tree) = rendered(&release);
        for minor in release.kubernetes.minors() {
            let mut wanted = BTreeMap::new();
            for component in &release.components {
                for image in &component.images {
                    if image.kubernetes.value.includes(minor) {
                        let reference = Value::from(image.reference.value.whole_name());
                        let key = component.helm.as_ref().expect("a key").value.as_str();
                        wanted.insert(key.to_owned(), reference);
                    }
                }
            }
            for setting in &release.settings {
                if setting.kubernetes.value.includes(minor) {
                    let key = setting.key.value.as_str();
                    wanted.insert(key.to_owned(), setting.value.clone());
                }
            }
            let mut found = BTreeMap::new();
            leaves(
                &yaml(text(&tree, &format!("k8s-{minor}/values.yaml"))),
                "",
                &mut found,
            );
            assert_eq!(found, wanted, "{minor}");
        }
    }
}

#[test]
fn skopeo_sync_yaml() {
    each("skopeo-sync.yaml", |_, plan, text| {
        let Value::Object(hosts) = yaml(text) else {
            panic!("no mapping: {text}")
        };
        let mut found = Set::new();
        for (host, entry) in &hosts {
            let Value::Object(images) = &entry["images"] else {
                panic!("no images: {entry}")
            };
            for (path, tags) in images {
                let tags = tags.as_array().expect("a list");
                assert!(
                    !tags.is_empty(),
                    "an empty list would copy every tag of {path}"
                );
                for tag in tags {
                    let tag = tag.as_str().expect("a tag is a string");
                    assert!(!tag.contains('@'));
                    assert!(text.contains(&format!("- \"{tag}\"")), "{tag} is quoted");
                    assert!(found.insert(format!("{host}/{path}:{tag}")));
                }
            }
        }
        assert_eq!(found, registry_images(plan));
    });
}

#[test]
fn images_cdx_json() {
    each("images.cdx.json", |release, plan, text| {
        let json: Value = serde_json::from_str(text).expect("JSON");
        let about = &json["metadata"]["component"];
        assert_eq!(about["name"], *release.release.product);
        assert_eq!(about["version"], *release.release.version);
        let mut found = Set::new();
        for component in json["components"].as_array().expect("a list") {
            let field = |name: &str| component[name].as_str().expect("a string");
            let (name, tag) = (field("name"), field("version"));
            let base = name.rsplit('/').next().expect("a name");
            let source = &component["properties"][0]["value"];
            // Of the vendor's package, an image is in no repository.
            let purl = match source.as_str() {
                Some("package") => format!("pkg:oci/{base}?tag={tag}"),
                _ => format!("pkg:oci/{base}?repository_url={name}&tag={tag}"),
            };
            assert_eq!(field("purl"), purl);
            let reference = format!("{name}:{tag}");
            assert_eq!(field("bom-ref"), reference);
            let is_package = !registry_images(plan).contains(&reference);
            assert_eq!(source == "package", is_package, "{reference}");
            found.insert(reference);
        }
        assert_eq!(found, planned(plan));
        let needed = &json["dependencies"][0];
        assert_eq!(needed["ref"], about["bom-ref"]);
        let needed: Set = serde_json::from_value(needed["dependsOn"].clone()).expect("strings");
        assert_eq!(needed, found);
    });
}

#[test]
fn import_nodes_yaml() {
    each("import-nodes.yaml", |release, plan, text| {
        let plays = yaml(text);
        let imports = plays.as_array().expect("plays").iter();
        let imports = imports.filter(|play| play["vars"]["images_product"].is_string());
        let [vars] = imports.map(|play| &play["vars"]).collect::<Vec<_>>()[..] else {
            panic!("one play imports")
        };
        assert_eq!(vars["images_product"], *release.release.product);
        assert_eq!(vars["images_release"], *release.release.version);
        assert_eq!(vars["images_kubernetes"], *plan.kubernetes);
        for architecture in &plan.architectures {
            let images = architecture.images.iter();
            let wanted: Vec<_> = images.flat_map(|image| image.archives.clone()).collect();
            assert!(!wanted.is_empty());
            let found = &vars["images_vendor_archives"][&architecture.name];
            assert_eq!(*found, Value::from(wanted), "{}", architecture.name);
        }
    });
}

#[test]
fn inventory_example_yaml() {
    for release in both() {
        let (release, tree) = rendered(&release);
        for plan in &release.plans {
            let file = |name: &str| text(&tree, &format!("k8s-{}/{name}", plan.kubernetes));
            let mut set = BTreeMap::new();
            leaves(&yaml(file("inventory.example.yaml")), "", &mut set);
            let names = set.keys().filter_map(|path| path.rsplit('.').next());
            let ours: Set = names
                .filter(|name| name.starts_with("images_"))
                .map(str::to_owned)
                .collect();
            assert!(!ours.is_empty());
            for name in ours {
                let documented = format!("\n#   {name} ");
                assert!(file("import-nodes.yaml").contains(&documented), "{name}");
            }
        }
    }
}

/// Every text of both languages in a value.
fn texts(value: &Value, found: &mut Set) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "en" || key == "zh-CN" => {
                        found.insert(text.clone());
                    }
                    value => texts(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// Ansible runs what is between braces, which only the grammar of names keeps out.
#[test]
fn no_text_for_people_is_in_what_ansible_reads() {
    for release in both() {
        let (release, tree) = rendered(&release);
        let mut found = Set::new();
        texts(
            &serde_json::to_value(&release.release).expect("JSON"),
            &mut found,
        );
        texts(
            &serde_json::to_value(&release.plans).expect("JSON"),
            &mut found,
        );
        assert!(!found.is_empty());
        for plan in &release.plans {
            for file in ["import-nodes.yaml", "inventory.example.yaml"] {
                let text = text(&tree, &format!("k8s-{}/{file}", plan.kubernetes));
                let read = found.iter().find(|found| text.contains(found.as_str()));
                assert_eq!(read, None, "{file} on {}", plan.kubernetes);
            }
        }
    }
}

/// Runs a generated script, for which a shell is enough.
fn run(tree: &Tree, path: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder
        .path()
        .join(Path::new(path).file_name().expect("a name"));
    std::fs::write(&script, text(tree, path)).expect("written");
    let output = Command::new("sh")
        .arg(&script)
        .args(arguments)
        .current_dir(folder.path())
        .output();
    let output = output.expect("there is a shell");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path} {arguments:?}: {shown}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_scripts() {
    for release in both() {
        let (release, tree) = rendered(&release);
        for plan in &release.plans {
            let path = |script: &str| format!("k8s-{}/{script}", plan.kubernetes);
            let mirror = if plan.collisions.flat.is_empty() {
                "flat"
            } else {
                "scoped"
            };
            for (script, arguments) in [
                ("pull.sh", vec!["--arch", "amd64", "--dry-run"]),
                ("import.sh", vec!["--arch", "amd64", "--dry-run"]),
                (
                    "push.sh",
                    vec!["--dry-run", "--layout", mirror, "mirror.example"],
                ),
            ] {
                if script == "push.sh"
                    && plan.images.iter().any(|image| image.scoped_refused)
                    && mirror == "scoped"
                {
                    continue;
                }
                let output = run(&tree, &path(script), &arguments);
                let named: Set = output
                    .lines()
                    .filter_map(|line| line.strip_prefix('[')?.split_once("] ")?.1.split_once(' '))
                    .map(|(reference, _)| reference.to_owned())
                    .collect();
                assert_eq!(
                    named,
                    planned(plan),
                    "{script} on {}: {output}",
                    plan.kubernetes
                );
            }
        }
    }
}

#[test]
fn values_of_a_private_registry_name_what_is_pushed_there() {
    let (release, tree) = rendered(&huawei());
    for plan in &release.plans {
        let path = format!("k8s-{}/push.sh", plan.kubernetes);
        for layout in ["scoped", "flat"] {
            let mirror = "registry.example:5000/team";
            let arguments = ["--print-values", "--layout", layout, mirror];
            let overlay = yaml(&run(&tree, &path, &arguments));
            let mut found = BTreeMap::new();
            leaves(&overlay, "", &mut found);
            let named: Set = found
                .values()
                .map(|value| value.as_str().expect("a string").to_owned())
                .collect();
            let destination = |image: &xtask::plan::PlannedImage| match layout {
                "scoped" => format!("{mirror}/{}", image.scoped),
                _ => format!("{mirror}/{}", image.flat),
            };
            let wanted: Set = plan.images.iter().map(&destination).collect();
            assert_eq!(named, wanted);
            for image in plan.images.iter().filter(|image| image.is_package) {
                assert_eq!(destination(image), format!("{mirror}/{}", image.reference));
            }
            // The keys are those of the values for the source registries.
            let mut values = BTreeMap::new();
            leaves(
                &yaml(text(&tree, &format!("k8s-{}/values.yaml", plan.kubernetes))),
                "",
                &mut values,
            );
            values.retain(|key, _| key.starts_with("images."));
            assert_eq!(
                found.keys().collect::<Vec<_>>(),
                values.keys().collect::<Vec<_>>()
            );
        }
    }
}

/// What two languages of a page have to have in common.
#[derive(Debug, Default, PartialEq)]
struct Skeleton {
    code: Vec<String>,
    blocks: Vec<String>,
    headings: Vec<String>,
    cells: usize,
    links: Vec<String>,
}

fn skeleton(markdown: &str) -> Skeleton {
    let mut skeleton = Skeleton::default();
    let mut in_block = false;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Code(code) => skeleton.code.push(code.into_string()),
            Event::Start(Tag::CodeBlock(_)) => {
                in_block = true;
                skeleton.blocks.push(String::new());
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_block = false,
            Event::Text(text) if in_block => {
                skeleton.blocks.last_mut().expect("open").push_str(&text);
            }
            Event::Start(Tag::Heading { level, .. }) => skeleton.headings.push(level.to_string()),
            Event::Start(Tag::TableCell) => skeleton.cells += 1,
            Event::Start(Tag::Link { dest_url, .. }) if !dest_url.starts_with('#') => {
                let link = dest_url.replace(".zh-CN.md", ".md");
                skeleton.links.push(link);
            }
            _ => {}
        }
    }
    // Word order differs between languages, the words do not.
    skeleton.code.sort();
    skeleton
}

#[test]
fn the_pages_of_both_languages_say_the_same() {
    for release in both() {
        let (release, tree) = rendered(&release);
        let folders = release
            .plans
            .iter()
            .map(|plan| format!("k8s-{}/", plan.kubernetes));
        let pages =
            folders.flat_map(|folder| [format!("{folder}README"), format!("{folder}START-HERE")]);
        for page in pages.chain(["README", "START-HERE"].map(str::to_owned)) {
            let english = skeleton(text(&tree, &format!("{page}.md")));
            let chinese = skeleton(text(&tree, &format!("{page}.zh-CN.md")));
            assert_eq!(english, chinese, "{page}");
        }
    }
}

#[test]
fn a_page_names_every_image_and_every_link_leads_somewhere() {
    for language in ["README.md", "README.zh-CN.md"] {
        each(language, |_, plan, text| {
            let code: Set = skeleton(text).code.into_iter().collect();
            assert!(code.is_superset(&planned(plan)), "{}", plan.kubernetes);
            let noted = |text: &String| plan.notes.iter().any(|note| note.subjects.contains(text));
            let other = |reference: &&String| {
                reference.contains(':')
                    && !reference.contains(' ')
                    && !planned(plan).contains(*reference)
                    && !noted(reference)
            };
            assert_eq!(
                code.iter().find(other),
                None,
                "an image that the plan does not have"
            );
        });
    }
    for release in both() {
        let (_, tree) = rendered(&release);
        for (path, artifact) in tree.files.iter().filter(|(path, _)| path.ends_with(".md")) {
            for link in skeleton(&artifact.text).links {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = match link.strip_prefix("../") {
                    Some(above) => above.to_owned(),
                    None if folder.is_empty() => link.clone(),
                    None => format!("{folder}/{link}"),
                };
                assert!(tree.files.contains_key(&target), "{path} links to {link}");
            }
        }
    }
}

/// A warning that the vendor accepts is told to whoever it is about, and to nobody else.
#[test]
fn an_acknowledged_warning_is_on_the_pages_of_its_minors() {
    // By minor, what it is about.
    let wanted = |minor: &str| match minor {
        "1.16" => vec![
            "k8s.gcr.io",
            "quay.io/k8scsi/csi-attacher:v1.2.1",
            "quay.io/k8scsi/csi-provisioner:v1.4.0",
        ],
        "1.17" | "1.18" | "1.19" => vec![
            "k8s.gcr.io",
            "k8s.gcr.io/sig-storage/csi-provisioner:v3.0.0",
            "k8s.gcr.io/sig-storage/csi-snapshotter:v4.2.1",
            "k8s.gcr.io/sig-storage/snapshot-controller:v4.2.1",
        ],
        _ => vec!["k8s.gcr.io"],
    };
    let (release, tree) = rendered(&huawei());
    for plan in &release.plans {
        let mut subjects: Vec<_> = plan.notes.iter().flat_map(|note| &note.subjects).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, wanted(&plan.kubernetes), "{}", plan.kubernetes);
        for (page, reason) in [("README.md", "en"), ("README.zh-CN.md", "zh-CN")] {
            let text = text(&tree, &format!("k8s-{}/{page}", plan.kubernetes));
            for note in &release.release.notes {
                let reason = if reason == "en" {
                    &note.reason.en
                } else {
                    &note.reason.zh_cn
                };
                let is_here = plan.notes.iter().any(|here| here.reason == note.reason);
                // What Markdown escapes is not in these sentences.
                assert_eq!(text.contains(reason.as_str()), is_here, "{page}: {reason}");
            }
        }
    }
}

/// The name of an option in a text of the table is what somebody looks for and copies.
#[test]
fn an_options_name_survives_every_output() {
    let (plan, tree) = rendered(&huawei());
    let option = "--leader-election";
    let reasons = plan.plans[0].settings.iter().map(|setting| &setting.reason);
    assert!(reasons.into_iter().any(|reason| reason.en.contains(option)));
    let values = text(&tree, "k8s-1.16/values.yaml");
    let comments: Vec<_> = values
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# "))
        .collect();
    assert!(comments.join(" ").contains(option), "{values}");
    for page in ["k8s-1.16/README.md", "k8s-1.16/README.zh-CN.md"] {
        // As a reader's site may show it, which makes dashes of hyphens.
        let shown: String = Parser::new_ext(
            text(&tree, page),
            Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION,
        )
        .filter_map(|event| match event {
            Event::Text(text) => Some(text.into_string()),
            _ => None,
        })
        .collect();
        assert!(shown.contains(option), "{page}: {shown}");
    }
}

#[test]
fn every_generated_file_says_where_it_comes_from_and_ends_in_a_line_feed() {
    for release in both() {
        let (release, tree) = rendered(&release);
        for (path, artifact) in &tree.files {
            assert!(
                artifact.text.ends_with('\n') && !artifact.text.ends_with("\n\n"),
                "{path}"
            );
            assert!(!artifact.text.contains('\r'), "{path}");
            assert_eq!(artifact.executable, path.ends_with(".sh"), "{path}");
            if [".sh", ".yaml", ".md"]
                .iter()
                .any(|ending| path.ends_with(ending))
            {
                let head: String = artifact.text.lines().take(2).collect();
                assert!(
                    head.contains("cargo xtask gen") && head.contains(&release.release.spec),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn no_template_knows_a_product() {
    let release = huawei();
    let names: Set = release
        .components
        .iter()
        .flat_map(|component| {
            let images = component
                .images
                .iter()
                .map(|image| image.reference.value.base_name().to_owned());
            let key = component.helm.as_ref().map(|key| key.value.as_str());
            let key = key.expect("a key").to_owned();
            images.chain([component.name.value.clone(), key])
        })
        .chain([
            release.product.clone(),
            release.title.en.clone(),
            release.title.zh_cn.clone(),
        ])
        .collect();
    for target in support::targets() {
        for (file, text) in &target.templates {
            let known = names.iter().find(|name| text.contains(name.as_str()));
            assert_eq!(known, None, "templates/{}/{file}.hbs", target.name);
        }
    }
}

/// Every key of every object in a value.
fn keys(value: &Value, found: &mut Set) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_templates_context_is_documented() {
    let (release, _) = rendered(&example());
    let mut found = Set::new();
    for part in [
        serde_json::to_value(&release.release),
        serde_json::to_value(&release.plans),
        serde_json::to_value(&release.table),
    ] {
        keys(&part.expect("JSON"), &mut found);
    }
    let page = std::fs::read_to_string(support::root().join("templates/README.md"));
    let page = page.expect("the reference");
    let documented =
        |key: &&String| page.contains(&format!("`{key}`")) || page.contains(&format!(".{key}`"));
    assert_eq!(
        found.iter().find(|key| !documented(key)),
        None,
        "in templates/README.md"
    );
}
