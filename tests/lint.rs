//! Every artifact under the linters of its kind. Files that are alike on all minors but for their
//! data are linted where the data differ.

mod support;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::tool;
use support::{example, huawei, python_tool, rendered, root};
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

#[test]
#[ignore = "needs shellcheck; tests/run brings it and runs this"]
fn shellcheck() {
    let (_folder, scripts) = files(".sh");
    let ours = [
        "tests/run",
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
#[ignore = "needs dash, bash and busybox; tests/run brings them and runs this"]
fn every_shell_parses_every_script() {
    let (_folder, scripts) = files(".sh");
    for script in scripts {
        for shell in [&["dash"][..], &["bash", "--posix"], &["busybox", "ash"]] {
            clean(
                Command::new(tool(shell[0]))
                    .args(&shell[1..])
                    .arg("-n")
                    .arg(&script),
            );
        }
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
    let schema = root().join("generated/spec-format/1/spec.schema.json");
    clean(Command::new(&check).arg("--check-metaschema").arg(&schema));
    let take = || {
        let mut command = Command::new(&check);
        command.arg("--schemafile").arg(&schema);
        command
    };
    let example = root().join("tests/fixtures/spec/example/1.0.0.toml");
    clean(
        take()
            .arg(root().join("spec/huawei-csi/4.5.0.toml"))
            .arg(&example),
    );

    // A slip is seen while somebody types it.
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(example).expect("the fixture");
    for (from, to) in [("v1.19.x", "v.1.19.x"), ("container =", "contianer =")] {
        let wrong = folder.path().join("wrong.toml");
        fs::write(&wrong, text.replacen(from, to, 1)).expect("written");
        let output = take().arg(wrong).output().expect("runs");
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
