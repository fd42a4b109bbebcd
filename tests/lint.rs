//! Every artifact under the linters of its kind. Files that are alike on all minors but for their
//! data are linted where the data differ.

mod support;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::tool;
use regex_lite::Regex;
use support::{committed_trees, example, huawei, python_tool, rendered, root};
use tempfile::TempDir;

/// The rendered files of both tables whose name ends so, written to a folder.
fn files(ending: &str) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for release in [huawei(), example()] {
        let (_, tree) = rendered(&release);
        for (path, artifact) in tree.files.iter().filter(|(path, _)| path.ends_with(ending)) {
            let file = folder.path().join(&tree.folder).join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("created");
            fs::write(&file, &artifact.text).expect("written");
            files.push(file);
        }
    }
    assert!(!files.is_empty());
    (folder, files)
}

/// Of files that are alike on all minors but for their data, those where the data differ.
fn few(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    let minors = ["k8s-1.16/", "k8s-1.17/", "k8s-1.19/", "k8s-1.30/"];
    let shown = move |path: &&PathBuf| {
        minors
            .iter()
            .any(|minor| path.to_string_lossy().contains(minor))
    };
    files.iter().filter(shown)
}

fn clean(command: &mut Command) {
    let output = command.output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{command:?}\n{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What contributors are asked to read is not hidden where they read it.
#[test]
#[ignore = "needs git; tests/run brings it and runs this"]
fn a_review_folds_what_nobody_reads_on_every_minor() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Vec::new();
    for tree in committed_trees(&[huawei(), example()]) {
        let paths = tree.files.keys();
        committed.extend(paths.map(|path| format!("{}/{path}", tree.folder)));
    }
    let git = |arguments: &[&str]| {
        let mut git = Command::new(tool("git"));
        git.args(arguments).current_dir(&folder);
        let output = git.output().expect("runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    git(&["init", "--quiet"]);
    fs::copy(
        root().join(".gitattributes"),
        folder.path().join(".gitattributes"),
    )
    .expect("copied");
    let mut hidden = 0;
    for file in committed.iter().map(String::as_str) {
        let path = format!("generated/{file}");
        // The bodies of the scripts are to be read.
        let wanted = file.ends_with(".sh") && !file.contains("/scripts/");
        let said = git(&["check-attr", "linguist-generated", "--", &path]);
        let is_folded = said.ends_with(": linguist-generated: set\n");
        assert_eq!(is_folded, wanted, "{said}");
        hidden += usize::from(is_folded);
    }
    assert!(hidden > 50, "{hidden}");
}

#[test]
#[ignore = "needs shellcheck; tests/run brings it and runs this"]
fn shellcheck() {
    let (_folder, scripts) = files(".sh");
    let ours = [
        "tests/run",
        "tests/in-debian",
        "tests/fuzz/run",
        ".ci/run",
        "tests/harness/src/keeper.sh",
    ]
    .map(|path| root().join(path));
    clean(
        Command::new(tool("shellcheck"))
            .args(few(&scripts))
            .args(ours),
    );
}

#[test]
#[ignore = "needs the shells; tests/run brings them and runs this"]
fn every_shell_parses_every_script() {
    let (_folder, scripts) = files(".sh");
    for script in scripts {
        for shell in [
            &["dash"][..],
            &["bash", "--posix"],
            &["busybox", "ash"],
            &["ksh"],
            &["mksh"],
        ] {
            clean(
                Command::new(tool(shell[0]))
                    .args(&shell[1..])
                    .arg("-n")
                    .arg(&script),
            );
        }
    }
}

/// The sentence of a script below which nothing differs.
const SAME: &str =
    "# Everything below is the same for every product, release and Kubernetes version.\n";

/// Whoever has read one script has read all of its name, but for the data on top.
#[test]
fn below_its_data_a_script_is_the_same_everywhere() {
    let data = r#"^(|#.*|\w+='[^']*'|each_\w+\(\) \{|    :|    "\$@"( \w+| '[^']*')+|\})$"#;
    let data = Regex::new(data).expect("a pattern");
    let mut bodies = BTreeMap::new();
    let (_folder, scripts) = files(".sh");
    for script in scripts {
        let text = fs::read_to_string(&script).expect("readable");
        let (above, below) = text.split_once(SAME).expect("the sentence");
        for line in above.lines() {
            assert!(data.is_match(line), "{}: {line}", script.display());
        }
        assert!(!below.contains("each_image() {"), "{}", script.display());
        let name = script.file_name().expect("a name").to_owned();
        let first = bodies.entry(name).or_insert_with(|| below.to_owned());
        assert_eq!(first, below, "{}", script.display());
    }
    assert_eq!(bodies.len(), 3);
}

/// What a script cannot reach, nobody should have to read. A function is called where a command may
/// stand, or by a table's function, whose first argument it is.
#[test]
fn no_script_has_a_function_that_it_never_calls() {
    let definition = Regex::new(r"(?m)^(\w+)\(\) \{").expect("a pattern");
    let called = |function: &str, text: &str| {
        let before = r"(^|[;&|({!)]|\b(then|else|elif|do|if|while|until|trap|each_\w+)\b)";
        let call = Regex::new(&format!(r"(?m){before} *{function}\b")).expect("a pattern");
        call.is_match(text)
    };
    let (_folder, scripts) = files(".sh");
    // The data on top have the same functions everywhere.
    let one = |path: &&PathBuf| path.to_string_lossy().contains("k8s-1.30/");
    for script in scripts.iter().filter(one) {
        let text = fs::read_to_string(script).expect("readable");
        let text: String = text
            .split_inclusive('\n')
            .filter(|line| !line.trim_start().starts_with('#'))
            .collect();
        let mut functions = BTreeMap::new();
        let mut main = String::new();
        let mut rest = text.as_str();
        while let Some(found) = definition.captures(rest) {
            let start = found.get(0).expect("the whole").start();
            main.push_str(&rest[..start]);
            // One line, or all up to a brace at the margin.
            let line = rest[start..].lines().next().expect("a line");
            let length = if line.ends_with('}') {
                line.len()
            } else {
                rest[start..].find("\n}").expect("its end")
            };
            let body = &rest[start..start + length];
            let inside = &body[body.find('{').expect("a brace")..];
            functions.insert(found[1].to_owned(), inside.to_owned());
            rest = &rest[start + length..];
        }
        main.push_str(rest);
        let mut texts = vec![main];
        while let Some(text) = texts.pop() {
            let (reached, others): (BTreeMap<_, _>, _) = functions
                .into_iter()
                .partition(|(function, _)| called(function, &text));
            texts.extend(reached.into_values());
            functions = others;
        }
        assert!(
            functions.is_empty(),
            "{}: {:?}",
            script.display(),
            functions.keys()
        );
    }
}

#[test]
#[ignore = "needs yamllint; tests/run brings it and runs this"]
fn yamllint() {
    let (_folder, files) = files(".yaml");
    // A comment that says why, and a reference, may be long; a document start says nothing.
    let rules = "{extends: default, rules: {line-length: disable, document-start: disable}}";
    clean(
        Command::new(python_tool("yamllint"))
            .args(["--strict", "--config-data", rules])
            .args(files),
    );
}

#[test]
#[ignore = "needs check-jsonschema; tests/run brings it and runs this"]
fn the_schema_is_one_and_takes_the_specs() {
    let check = python_tool("check-jsonschema");
    let take = |kind: &str| {
        let schema = format!("generated/spec-format/2/{kind}.schema.json");
        let schema = root().join(schema);
        clean(Command::new(&check).arg("--check-metaschema").arg(&schema));
        let mut command = Command::new(&check);
        command.arg("--schemafile").arg(&schema);
        command
    };
    let mut specs: Vec<PathBuf> = Vec::new();
    for folder in ["spec/huawei-csi", "tests/fixtures/spec/example"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            specs.push(entry.expect("readable").path());
        }
    }
    let (products, releases): (Vec<_>, Vec<_>) = specs
        .iter()
        .partition(|path| path.ends_with("product.toml"));
    assert!(products.len() == 2 && releases.len() > 2);
    clean(take("product").args(products));
    clean(take("release").args(releases));

    // A slip is seen while somebody types it.
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, file, from, to) in [
        (
            "release",
            "1.0.0.toml",
            "[\"v1.19-v1.22\"]",
            "\"v1.19-v1.22\"",
        ),
        ("product", "product.toml", "\"v1.19.x\"", "\"v.1.19.x\""),
        ("product", "product.toml", "containers =", "contianers ="),
    ] {
        let example = root().join("tests/fixtures/spec/example").join(file);
        let text = fs::read_to_string(example).expect("the fixture");
        let wrong = folder.path().join("wrong.toml");
        fs::write(&wrong, text.replacen(from, to, 1)).expect("written");
        let output = take(kind).arg(wrong).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{to}");
    }
}

#[test]
#[ignore = "needs cyclonedx-python-lib; tests/run brings it and runs this"]
fn the_bills_of_materials_are_cyclonedx() {
    let (folder, mut files) = files(".cdx.json");
    let valid = |files: &[PathBuf]| {
        Command::new(python_tool("python"))
            .arg(root().join("tests/sbom/validate.py"))
            .args(files)
            .output()
            .expect("runs")
    };
    let output = valid(&files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let text = fs::read_to_string(&files[0]).expect("readable");
    for (from, to) in [
        ("\"container\"", "\"containers\""),
        ("\"pkg:oci/", "\"pkg:OCI/%"),
        ("\"bom-ref\"", "\"bom_ref\""),
    ] {
        files[0] = folder.path().join("wrong.cdx.json");
        fs::write(&files[0], text.replacen(from, to, 1)).expect("written");
        assert_eq!(valid(&files[..1]).status.code(), Some(1), "{to}");
    }
}

#[test]
#[ignore = "needs ansible-lint; tests/run brings it and runs this"]
fn ansible_lint() {
    let (folder, mut files) = files(".yaml");
    files.retain(|file| {
        let name = file.file_name().expect("a name");
        name == "import-nodes.yaml" || name == "inventory.example.yaml"
    });
    assert!(few(&files).count() > 4, "of both tables: {files:?}");
    let program = python_tool("ansible-lint");
    // It runs Ansible itself, by name.
    let beside = program.parent().expect("a folder").display();
    let path = format!("{beside}:{}", env::var("PATH").unwrap_or_default());
    clean(
        Command::new(&program)
            .args(["--offline", "--strict", "--profile", "production"])
            .args(few(&files))
            .env("PATH", path)
            .env("HOME", folder.path())
            .current_dir(folder.path()),
    );
}
