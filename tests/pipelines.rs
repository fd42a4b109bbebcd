//! The pipelines that others copy: their linters take them, their commands are ours, and Renovate
//! finds what it is meant to find in the tables.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use regex_lite::Regex;
use serde_json::Value;
use support::{fixtures, python_tool, releases, root};
use xtask::cli::Cli;
use xtask::plan::plan;

fn pipeline(name: &str) -> PathBuf {
    root().join("docs/pipelines").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(pipeline(name)).expect("the pipeline")
}

#[test]
fn every_command_is_one() {
    for (file, commands) in [
        ("github-actions.yaml", 3),
        ("gitlab-ci.yaml", 3),
        ("pre-commit-config.yaml", 2),
    ] {
        let text = read(file);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let found = lines.filter_map(|line| {
            let (_, rest) = line.split_once("cargo ")?;
            rest.strip_prefix("--locked ")
                .unwrap_or(rest)
                .strip_prefix("xtask ")
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), commands, "{file}: {found:?}");
        for command in found {
            let words = shlex::split(command).expect("shell words");
            let words = ["cargo xtask".to_owned()].into_iter().chain(words);
            let parsed = Cli::try_parse_from(words).map_err(|error| error.to_string());
            assert!(parsed.is_ok(), "{file}: {parsed:?}");
        }
    }
}

/// Renovate's regular expressions are RE2's, to which these are the nearest.
#[test]
fn renovate_finds_the_registry_images_for_all_later_versions_and_no_other() {
    let config: Value = serde_json::from_str(&read("renovate.json")).expect("JSON");
    let manager = &config["customManagers"][0];
    let only = |field: &str| manager[field][0].as_str().expect("one").to_owned();
    let pattern = only("managerFilePatterns");
    let pattern = pattern.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
    let is_spec = Regex::new(pattern.expect("a regular expression")).expect("well-formed");
    let matches = Regex::new(&only("matchStrings")).expect("well-formed");
    assert!(is_spec.is_match("spec/huawei-csi/4.5.0.toml"));
    assert!(!is_spec.is_match("spec/knowledge.toml"));
    assert!(!is_spec.is_match("tests/fixtures/spec/example/1.0.0.toml"));

    let images = |folder: &Path| -> BTreeSet<String> {
        let tables = releases(folder)
            .into_iter()
            .flat_map(|release| plan(&release).table);
        let rows: Vec<_> = tables.flat_map(|entry| entry.rows).collect();
        assert!(
            rows.iter()
                .any(|row| row.is_package && row.kubernetes.ends_with('+'))
        );
        let (open, closed): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .filter(|row| !row.is_package)
            .partition(|row| row.kubernetes.ends_with('+'));
        assert!(closed.len() >= 2);
        open.into_iter().map(|row| row.reference).collect()
    };
    // It may not move an image to another registry: that is the table's.
    assert!(
        config["ignorePresets"]
            .as_array()
            .expect("some")
            .contains(&"replacements:all".into())
    );
    // The fixture has a host with a port.
    for folder in [root().join("spec"), fixtures().join("spec")] {
        let mut found = BTreeSet::new();
        for file in walkdir::WalkDir::new(&folder) {
            let file = file.expect("readable").into_path();
            let path = file.strip_prefix(&folder).expect("below").display();
            if is_spec.is_match(&format!("spec/{path}")) {
                let text = fs::read_to_string(file).expect("readable");
                for image in matches.captures_iter(&text) {
                    found.insert(format!("{}:{}", &image["depName"], &image["currentValue"]));
                }
            }
        }
        assert_eq!(found, images(&folder));
    }
}

#[test]
#[ignore = "needs check-jsonschema, zizmor, yamllint and pre-commit; tests/run brings them and runs this"]
fn the_linters_of_their_kind_take_them() {
    let run = |tool: &str, arguments: &[&str], file: &PathBuf| {
        let mut command = Command::new(python_tool(tool));
        let output = command.args(arguments).arg(file).output().expect("runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let wrong = tempfile::tempdir().expect("a folder");
    let wrong = wrong.path().join("wrong.yaml");
    for (file, tool, arguments, from, to) in [
        (
            "github-actions.yaml",
            "zizmor",
            &["--offline", "--no-progress", "--persona", "pedantic"][..],
            "--release \"$RELEASE\"",
            "--release \"${{ github.ref_name }}\"",
        ),
        (
            "github-actions.yaml",
            "check-jsonschema",
            &["--builtin-schema", "vendor.github-workflows"],
            "runs-on:",
            "run-on:",
        ),
        (
            "gitlab-ci.yaml",
            "check-jsonschema",
            &["--builtin-schema", "vendor.gitlab-ci"],
            "aud: sigstore",
            "audience: sigstore",
        ),
        (
            "renovate.json",
            "check-jsonschema",
            &["--builtin-schema", "vendor.renovate"],
            "\"customType\": \"regex\"",
            "\"customType\": \"rege\"",
        ),
        (
            "pre-commit-config.yaml",
            "pre-commit",
            &["validate-config"],
            "entry:",
            "entries:",
        ),
    ] {
        let (taken, said) = run(tool, arguments, &pipeline(file));
        assert!(taken, "{said}");
        let text = read(file);
        assert!(text.contains(from), "{file}");
        fs::write(&wrong, text.replacen(from, to, 1)).expect("written");
        assert!(!run(tool, arguments, &wrong).0, "{file} with {to}");
        if file.ends_with(".yaml") {
            let rules =
                "{extends: default, rules: {line-length: disable, document-start: disable}}";
            let (taken, said) = run(
                "yamllint",
                &["--strict", "--config-data", rules],
                &pipeline(file),
            );
            assert!(taken, "{said}");
        }
    }
}
