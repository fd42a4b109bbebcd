//! The command line, by the real binary: help, exit statuses, what is written, what is reported,
//! and what is never touched.

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Deref;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use insta::{assert_snapshot, with_settings};
use support::root;
use xtask::cli::Cli;
use xtask::text::version_order;

/// A project with the targets of the repository.
struct Project(support::project::Project);

impl Deref for Project {
    type Target = support::project::Project;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Project {
    fn new(spec: &str) -> Self {
        let (spec, templates) = (root().join(spec), root().join("templates"));
        Self(support::project::Project::of(&spec, &templates))
    }

    /// The small table, in four minors.
    fn example() -> Self {
        Self::new("tests/fixtures/spec")
    }

    /// The small table, with its files written.
    fn generated() -> Self {
        let project = Self::example();
        project.expect(0, &[]);
        project
    }

    fn out(&self, path: &str) -> PathBuf {
        self.path("generated/example/1.0.0").join(path)
    }

    /// Every file with its text, mode and time of change.
    fn state(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32, std::time::SystemTime)> {
        let mut state = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.path("generated")) {
            let entry = entry.expect("readable");
            let meta = entry.metadata().expect("there");
            let text = if meta.is_file() {
                fs::read(entry.path()).expect("readable")
            } else {
                Vec::new()
            };
            let time = if meta.is_file() {
                meta.modified().expect("known")
            } else {
                std::time::UNIX_EPOCH
            };
            state.insert(entry.into_path(), (text, meta.permissions().mode(), time));
        }
        state
    }
}

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .output()
        .expect("runs")
}

#[test]
fn help() {
    let mut all = String::new();
    for arguments in [
        &["--help"][..],
        &["gen", "--help"],
        &["dist", "--help"],
        &["check", "--help"],
        &["check-chart", "--help"],
        &["new-release", "--help"],
        &["explain-rule", "--help"],
        &["images", "--help"],
        &["why", "--help"],
        &["docs", "--help"],
    ] {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(0));
        all.push_str(&format!("$ cargo xtask {}\n", arguments.join(" ")));
        all.push_str(&String::from_utf8(output.stdout).expect("UTF-8"));
        all.push('\n');
    }
    snapshot("help", &all);
}

/// Every command line that prints a result and ends in 0 as often as it is run; of `docs` there is one in
/// `tests/site.rs`, of `new-release` in `tests/releases.rs`.
const PRINTING: &[&[&str]] = &[
    &[
        "gen",
        "--spec",
        "spec",
        "--templates",
        "templates",
        "--out",
        "generated",
    ],
    &[
        "gen",
        "--check",
        "--spec",
        "spec",
        "--templates",
        "templates",
        "--out",
        "generated",
    ],
    &[
        "dist",
        "--spec",
        "spec",
        "--templates",
        "templates",
        "--out",
        "dist",
    ],
    &[
        "dist",
        "--spec",
        "spec",
        "--templates",
        "templates",
        "--check",
        "dist",
    ],
    &["check", "--spec", "spec"],
    &[
        "check-chart",
        "chart",
        "--release",
        "4.5.0",
        "--spec",
        "huawei",
    ],
    &["explain-rule", "gap"],
    &["images", "--kubernetes", "1.19", "--spec", "spec"],
    &[
        "images",
        "--kubernetes",
        "1.19",
        "--format",
        "json",
        "--spec",
        "spec",
    ],
    &[
        "why",
        "driver",
        "--spec",
        "spec",
        "--templates",
        "templates",
    ],
    &["--help"],
    &["docs", "--help"],
    &["new-release", "--help"],
    &["gen", "--help"],
];

#[test]
fn lost_output_is_a_failure_and_a_reader_that_went_away_is_none() {
    let project = Project::generated();
    support::project::copy(&root().join("spec"), &project.path("huawei"));
    support::project::copy(
        &support::fixtures().join("chart/esdk"),
        &project.path("chart"),
    );
    let commands = Cli::command();
    for command in commands.get_subcommands().map(clap::Command::get_name) {
        let is_named = |arguments: &&[&str]| arguments.first() == Some(&command);
        assert!(PRINTING.iter().any(is_named), "{command}");
    }
    let run = |arguments: &[&str], stdout: Stdio, stderr: Stdio| {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .current_dir(project.root())
            .env_remove("CARGO_MANIFEST_DIR")
            .stdout(stdout)
            .stderr(stderr)
            .output()
            .expect("runs");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.code(), said)
    };
    let full = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("there")
    };
    let closed = || {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    };
    for arguments in PRINTING {
        let to = |stdout: Stdio| run(arguments, stdout, Stdio::piped());
        assert_eq!(to(Stdio::null()).0, Some(0), "{arguments:?}");
        let not_writable = File::open("/dev/null").expect("there");
        for (stdout, why) in [
            (full(), "No space left on device"),
            (not_writable, "Bad file descriptor"),
        ] {
            let (code, said) = to(stdout.into());
            let wanted = format!("error: cannot write to the standard output: {why}");
            assert!(
                code == Some(1) && said.contains(&wanted),
                "{arguments:?}: {said}"
            );
        }
        assert_eq!(
            to(closed().into()),
            (Some(0), String::new()),
            "{arguments:?}"
        );
    }

    // Doubts that nobody could read are lost too, and nothing is written in spite of them.
    let spec = project.path("spec/example/1.0.0.toml");
    let text = fs::read_to_string(&spec).expect("readable");
    fs::write(&spec, text.replacen("\"v1.19.x\"", "\"v.1.19.x\"", 1)).expect("written");
    let before = project.state();
    for arguments in &PRINTING[..9] {
        let doubted = run(arguments, Stdio::null(), full().into());
        if arguments.contains(&"spec") {
            assert_eq!(doubted.0, Some(1), "{arguments:?}");
        }
        let (code, _) = run(arguments, Stdio::null(), closed().into());
        assert_eq!(code, Some(0), "{arguments:?}");
    }
    assert_eq!(project.state(), before);
}

/// As README.md says it is called: cargo says what it does, and the result is all of stdout.
#[test]
fn the_alias_is_not_mute() {
    let output = Command::new(env!("CARGO"))
        .args(["xtask", "explain-rule", "gap"])
        .current_dir(root())
        .output()
        .expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (code, wanted, _) = said(&["explain-rule", "gap"]);
    assert_eq!(
        (output.status.code(), text(output.stdout)),
        (Some(code), wanted)
    );
    let said = text(output.stderr);
    assert!(
        said.contains("Finished") && said.contains("Running"),
        "{said}"
    );
}

#[test]
fn a_name_that_is_nearly_right_is_offered() {
    let project = Project::example();
    let spec = project.path("spec");
    let table = fs::read_to_string(spec.join("example/1.0.0.toml")).expect("the fixture");
    for release in ["1.2.0", "1.10.0", "1.10.0-rc.1"] {
        fs::write(spec.join(format!("example/{release}.toml")), &table).expect("written");
    }
    let spec = spec.to_str().expect("UTF-8");
    // Releases are listed as versions sort.
    let all = "the releases are example/1.0.0, 1.2.0, 1.10.0-rc.1, 1.10.0\n";
    let images = ["images", "--spec", spec, "--kubernetes"];
    for (arguments, code, wanted) in [
        (
            &["1.19", "--release", "v1.2.0"][..],
            1,
            "help: did you mean `1.2.0`",
        ),
        (&["1.19", "--release", "example"], 1, "`example/1.2.0`"),
        (
            &["1.19", "--release", "exmaple/1.2.0"],
            1,
            "did you mean `example/1.2.0`",
        ),
        (&["1.19", "--release", "1.2.O"], 1, all),
        (
            &["1.19", "--release", "nothing"],
            1,
            &format!("help: {all}"),
        ),
        (&["V1.19"], 2, "did you mean `1.19`? write what"),
        (&["v.1.19.x"], 2, "did you mean `1.19`? write what"),
        (
            &["Server Version: v1.19.3"],
            2,
            "did you mean `1.19`? write what",
        ),
        (&["latest"], 2, "is not a Kubernetes version; write what"),
    ] {
        let (found, _, said) = said(&[&images[..], arguments].concat());
        assert!(
            found == code && said.contains(wanted),
            "{arguments:?}: {said}"
        );
    }
    for (wrong, right) in [
        ("gne", "gen"),
        ("imgaes", "images"),
        ("wyh", "why"),
        ("chekc", "check"),
        ("dcos", "docs"),
    ] {
        let (code, _, said) = said(&[wrong]);
        let wanted = format!("'{right}'");
        assert!(code == 2 && said.contains(&wanted), "{wrong}: {said}");
    }
    let (code, _, said) = said(&["frobnicate"]);
    assert!(code == 2 && !said.contains("similar"), "{said}");
}

#[test]
fn a_hint_repeats_the_options_that_were_given() {
    let project = Project::generated();
    let command = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .current_dir(project.root())
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .expect("runs");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.code(), said)
    };
    let given = [
        "--release",
        "1.0.0",
        "--kubernetes",
        "1.19",
        "--kubernetes",
        "1.20",
    ];
    let folders = ["--spec", "spec", "--templates", "templates"];
    let out = ["--out", "it's here"];
    let (code, said) = command(&[&["gen", "--check"], &given[..], &folders, &out].concat());
    let hint = "run `cargo xtask gen --release 1.0.0 --kubernetes 1.19 --kubernetes 1.20 --spec spec \
                --templates templates --out 'it'\\''s here'` and commit";
    assert!(code == Some(1) && said.contains(hint), "{said}");
    fs::create_dir(project.path("dist")).expect("created");
    let (code, said) = command(&[&["dist", "--check", "dist"], &given[..], &folders].concat());
    let hint = "publish what `cargo xtask dist --release 1.0.0 --kubernetes 1.19 --kubernetes 1.20 \
                --spec spec --templates templates` writes";
    assert!(code == Some(1) && said.contains(hint), "{said}");
}

#[test]
fn folders_of_others_are_named_and_not_walked() {
    let project = Project::generated();
    let out = project.path("generated");
    for path in ["theirs/a/b/c", "example/notes/d", "empty"] {
        fs::create_dir_all(out.join(path)).expect("created");
    }
    for path in ["theirs/a/b/c/file", "example/notes/d/file", "example/file"] {
        fs::write(out.join(path), "theirs\n").expect("written");
    }
    let foreign = ["example/file", "example/notes", "theirs"];
    let said = project.expect(0, &[]);
    let left: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("left alone, not generated: generated/"))
        .collect();
    assert_eq!(left, foreign, "{said}");
    let said = project.expect(1, &["--check"]);
    let found: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("foreign: generated/"))
        .collect();
    assert_eq!(found, foreign, "{said}");
}

#[test]
fn what_is_beside_the_specs_and_the_templates_is_read_or_refused() {
    for (path, text) in [
        ("spec/1.1.0.toml", ""),
        ("spec/example/1.1.0.tml", ""),
        ("spec/example/1.1.0.toml.orig", ""),
        ("spec/example/1.1.0.TOML", ""),
        ("spec/vendor/example/1.1.0.toml", ""),
        ("spec/knowledge.yaml", ""),
        ("spec/example/1.1.0", ""),
        ("templates/target.toml", ""),
        ("templates/docs/target.tml", ""),
        ("templates/docs/_helm.hbs.orig", ""),
        ("templates/docs/more/_helm.hbs", ""),
    ] {
        let project = Project::generated();
        let before = project.state();
        project.write(path, text);
        let said = project.expect(1, &[]);
        let shown = match path {
            "spec/vendor/example/1.1.0.toml" => "spec/vendor/example",
            "templates/docs/more/_helm.hbs" => "templates/docs/more",
            path => path,
        };
        assert!(said.contains(shown), "{path}: {said}");
        assert!(said.contains("nothing reads"), "{path}: {said}");
        assert_eq!(project.state(), before);
    }
    // A template that no file has is one whose name, or whose file's, is wrong.
    let project = Project::example();
    project.write("templates/docs/minor.fr.md.hbs", "");
    let said = project.expect(1, &[]);
    assert!(
        said.contains("no `[[file]]` has the template `minor.fr.md.hbs`"),
        "{said}"
    );
    // Notes, and what editors leave, are nobody's business.
    let project = Project::example();
    for path in [
        "README.md",
        ".swp",
        "example/notes.md",
        "example/1.0.0.toml~",
        ".git/config",
    ] {
        project.write(&format!("spec/{path}"), "");
        project.write(&format!("templates/{path}"), "");
    }
    fs::remove_dir_all(project.path("templates/example")).expect("removed");
    project.expect(0, &[]);
}

/// Of the two files of a release neither is enough.
#[test]
fn a_product_has_a_file_and_a_release() {
    for (file, wanted) in [
        (
            "product.toml",
            "spec/example/product.toml is not there\nhelp: it has what is the same in every release of example",
        ),
        (
            "1.0.0.toml",
            "there is no release beside spec/example/product.toml\nhelp: a release is a file RELEASE.toml there",
        ),
    ] {
        let project = Project::generated();
        let before = project.state();
        fs::remove_file(project.path("spec/example").join(file)).expect("removed");
        let said = project.expect(1, &[]);
        assert!(said.contains(wanted), "{said}");
        assert_eq!(project.state(), before);
    }
}

/// Several products, of which one is chosen by its name.
#[test]
fn products_do_not_mix() {
    let project = Project::example();
    support::project::copy(&project.path("spec/example"), &project.path("spec/other"));
    let outside = project.expect(1, &["--kubernetes", "v1.31.0"]);
    let ranges = "help: example/1.0.0 supports 1.19 to 1.22; other/1.0.0 supports 1.19 to 1.22";
    assert!(outside.contains(ranges), "{outside}");
    project.expect(0, &["--release", "other/1.0.0"]);
    let written = |product: &str| project.path("generated").join(product).exists();
    assert_eq!((written("other"), written("example")), (true, false));
    project.expect(0, &[]);
    project.expect(0, &["--check", "--release", "1.0.0"]);
    // Of several releases of a product the range is that of them all.
    let table = fs::read_to_string(project.path("spec/other/1.0.0.toml")).expect("readable");
    let later = table.replace("v1.19-v1.22", "v1.19-v1.24");
    project.write("spec/other/1.1.0.toml", later);
    let outside = project.expect(1, &["--kubernetes", "v1.31.0"]);
    let ranges =
        "help: example/1.0.0 supports 1.19 to 1.22; the releases of other support 1.19 to 1.24\n";
    assert!(outside.contains(ranges), "{outside}");
}

#[test]
fn two_entries_of_the_knowledge_about_one_thing_are_refused() {
    let project = Project::example();
    let registry = "[[frozen-registry]]\nhost = \"a.io\"\nfrozen = \"2023-04-03\"\nsuccessor = \"b.io\"\nsource = \"x\"\n";
    let image = "[[image]]\nrepository = \"a/b\"\ntag = \"v1\"\nminimum-kubernetes = \"1.20\"\nsource = \"x\"\n";
    project.write("spec/knowledge.toml", format!("{registry}{image}"));
    project.expect(0, &[]);
    let other = image.replace("1.20", "1.21");
    project.write(
        "spec/knowledge.toml",
        format!(
            "{registry}{image}{}{other}",
            registry.replace("b.io", "c.io")
        ),
    );
    let said = project.expect(1, &[]);
    for wanted in [
        "error[duplicate-name]: there are two entries about `a.io`",
        "spec/knowledge.toml:12:8",
        "there are two entries about `a/b:v1`",
        "first here",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    // And what no spec may hold.
    project.write("spec/knowledge.toml", "# \u{202e}\n");
    let said = project.expect(1, &[]);
    assert!(said.contains("spec/knowledge.toml:1:3"), "{said}");
    project.write(
        "spec/knowledge.toml",
        format!("x = {}\n", "[".repeat(100_000)),
    );
    let said = project.expect(1, &[]);
    assert!(said.contains("levels deep"), "{said}");
}

#[test]
fn wrong_usage_is_2_and_a_version_outside_the_range_is_1() {
    let project = Project::example();
    project.expect(2, &["--no-such-option"]);
    let none = project.expect(2, &["--kubernetes", "latest"]);
    assert!(none.contains("is not a Kubernetes version"), "{none}");
    let outside = project.expect(1, &["--kubernetes", "v1.31.0"]);
    assert!(
        outside.contains("Kubernetes 1.31 is not supported"),
        "{outside}"
    );
    assert!(
        outside.contains("example/1.0.0 supports 1.19 to 1.22"),
        "{outside}"
    );
    let unknown = project.expect(1, &["--release", "9.9.9"]);
    assert!(
        unknown.contains("the releases are example/1.0.0"),
        "{unknown}"
    );
    assert!(!project.path("generated").exists());
}

#[test]
fn a_second_run_touches_nothing() {
    let project = Project::generated();
    let before = project.state();
    let said = project.expect(0, &[]);
    assert!(said.contains("0 written, 0 deleted"), "{said}");
    assert_eq!(project.state(), before);
    project.expect(0, &["--check"]);
    assert_eq!(project.state(), before);
}

#[test]
fn only_what_has_changed_is_written() {
    let project = Project::generated();
    let before = project.state();
    let spec = project.path("spec/example/1.0.0.toml");
    let text = fs::read_to_string(&spec).expect("readable");
    fs::write(&spec, text.replace("sidecar:v3.0.0", "sidecar:v3.0.1")).expect("written");
    project.expect(0, &[]);
    for (path, state) in project.state() {
        let shown = path.display().to_string();
        let about = shown.contains("k8s-1.22") || !shown.contains("k8s-");
        assert!(state == before[&path] || about, "{shown} was touched");
    }
}

#[test]
fn a_refused_spec_changes_nothing() {
    let project = Project::generated();
    let before = project.state();
    let spec = project.path("spec/example/1.0.0.toml");
    let text = fs::read_to_string(&spec).expect("readable");
    fs::write(
        &spec,
        text.replace("schema = 2", "schema = 7")
            .replace("v1.22+", "v1.21+"),
    )
    .expect("written");
    let said = project.expect(1, &[]);
    assert!(said.contains("spec/example/1.0.0.toml:1:10"), "{said}");
    assert!(said.contains("error: "), "{said}");
    assert_eq!(project.state(), before);
    fs::write(&spec, b"\xff\xfe").expect("written");
    let said = project.expect(1, &[]);
    assert!(said.contains("not UTF-8 at byte 0"), "{said}");
    assert_eq!(project.state(), before);
}

#[test]
fn check_turns_red_on_one_byte_of_any_file() {
    let project = Project::generated();
    let files: Vec<_> = project
        .state()
        .into_iter()
        .filter(|(path, _)| path.is_file())
        .collect();
    let indexes = files.iter().filter(|(path, _)| path.ends_with(".files"));
    let indexes: Vec<_> = indexes.map(|(_, (text, ..))| text.clone()).collect();
    let indexes = String::from_utf8(indexes.concat()).expect("UTF-8");
    let listed = indexes.lines().filter(|line| !line.starts_with('#'));
    let indexes = files.iter().filter(|(path, _)| path.ends_with(".files"));
    assert_eq!(files.len(), listed.count() + indexes.count());
    for (path, (text, _, _)) in files {
        let mut other = text.clone();
        let middle = other.len() / 2;
        other[middle] ^= 1;
        fs::write(&path, &other).expect("written");
        let said = project.expect(1, &["--check"]);
        let name = path
            .strip_prefix(project.root())
            .expect("below")
            .display()
            .to_string();
        assert!(said.contains(&name), "{name}: {said}");
        fs::write(&path, &text).expect("written");
    }
    project.expect(0, &["--check"]);
}

#[test]
fn every_kind_of_drift_is_shown_with_its_mend() {
    let project = Project::generated();
    let values = project.out("k8s-1.20/values.yaml");
    let text = fs::read_to_string(&values).expect("readable");
    fs::write(&values, text.replace("v2.0.0", "v2.0.1")).expect("written");
    fs::remove_file(project.out("k8s-1.21/images.txt")).expect("removed");
    fs::write(project.out("k8s-1.22/notes.txt"), "mine\n").expect("written");
    fs::write(project.path("generated/README.txt"), "mine too\n").expect("written");
    fs::set_permissions(
        project.out("k8s-1.22/pull.sh"),
        fs::Permissions::from_mode(0o644),
    )
    .expect("set");
    let index = project.out(".files");
    let listed = fs::read_to_string(&index).expect("readable");
    fs::write(&index, format!("{listed}k8s-1.18/values.yaml\n")).expect("written");
    fs::create_dir(project.out("k8s-1.18")).expect("created");
    fs::write(project.out("k8s-1.18/values.yaml"), "old\n").expect("written");
    let before = project.state();
    snapshot("drift", &project.expect(1, &["--check"]));
    assert_eq!(project.state(), before);

    let said = project.expect(0, &[]);
    snapshot("drift-mended", &said);
    assert!(!project.out("k8s-1.18").exists());
    assert_eq!(
        fs::read_to_string(project.out("k8s-1.22/notes.txt")).expect("kept"),
        "mine\n"
    );
    project.expect(1, &["--check"]);
    fs::remove_file(project.out("k8s-1.22/notes.txt")).expect("removed");
    fs::remove_file(project.path("generated/README.txt")).expect("removed");
    project.expect(0, &["--check"]);
}

#[test]
fn a_foreign_file_in_the_way_stops_the_run_and_stays() {
    let project = Project::example();
    fs::create_dir_all(project.out("k8s-1.20")).expect("created");
    fs::write(project.out("k8s-1.20/values.yaml"), "mine\n").expect("written");
    let before = project.state();
    let said = project.expect(1, &[]);
    assert!(said.contains("k8s-1.20/values.yaml"), "{said}");
    assert_eq!(project.state(), before);
    fs::remove_file(project.out("k8s-1.20/values.yaml")).expect("removed");
    project.expect(0, &[]);
}

#[test]
fn a_lost_index_is_made_again_where_nothing_differs() {
    let project = Project::generated();
    fs::remove_file(project.out(".files")).expect("removed");
    project.expect(1, &["--check"]);
    project.expect(0, &[]);
    project.expect(0, &["--check"]);
}

#[test]
fn nothing_outside_the_output_is_written_or_deleted() {
    let project = Project::generated();
    let outside = project.path("outside");
    fs::create_dir(&outside).expect("created");
    fs::write(outside.join("values.yaml"), "theirs\n").expect("written");
    // A link in the place of a folder.
    fs::remove_dir_all(project.out("k8s-1.20")).expect("removed");
    symlink(&outside, project.out("k8s-1.20")).expect("linked");
    let said = project.expect(1, &[]);
    assert!(said.contains("k8s-1.20"), "{said}");
    assert!(
        project
            .expect(1, &["--check"])
            .contains("foreign: generated/example/1.0.0/k8s-1.20")
    );
    fs::remove_file(project.out("k8s-1.20")).expect("removed");
    project.expect(0, &[]);
    // An index that lists what is elsewhere.
    let index = fs::read_to_string(project.out(".files")).expect("readable");
    fs::write(
        project.out(".files"),
        format!("{index}../../../outside/values.yaml\n"),
    )
    .expect("written");
    let said = project.expect(1, &[]);
    assert!(said.contains("not a path inside its folder"), "{said}");
    assert_eq!(
        fs::read_to_string(outside.join("values.yaml")).expect("kept"),
        "theirs\n"
    );
    assert_eq!(fs::read_dir(&outside).expect("readable").count(), 1);
}

#[test]
fn filters_touch_their_folders_alone() {
    let project = Project::generated();
    fs::write(project.out("k8s-1.20/values.yaml"), "edited\n").expect("written");
    fs::write(project.out("k8s-1.21/values.yaml"), "edited\n").expect("written");
    fs::remove_file(project.out("README.md")).expect("removed");
    project.expect(1, &["--check", "--kubernetes", "1.21"]);
    project.expect(
        0,
        &["--release", "example/1.0.0", "--kubernetes", "v1.21.3+k3s1"],
    );
    project.expect(0, &["--check", "--kubernetes", "1.21"]);
    assert_eq!(
        fs::read_to_string(project.out("k8s-1.20/values.yaml")).expect("kept"),
        "edited\n"
    );
    let whole = fs::read_to_string(project.out("README.md")).expect("written");
    assert!(
        whole.contains("1.19") && whole.contains("1.22"),
        "a file of the whole release is whole"
    );
    project.expect(0, &[]);
    project.expect(0, &["--check"]);

    let fresh = Project::example();
    fresh.expect(0, &["--kubernetes", "1.20"]);
    assert!(fresh.out("k8s-1.20/values.yaml").exists() && !fresh.out("k8s-1.19").exists());
    fresh.expect(0, &["--check", "--kubernetes", "1.20"]);
    fresh.expect(1, &["--check"]);
}

#[test]
fn a_release_is_one_file_and_takes_its_own_away_with_it() {
    let project = Project::generated();
    let before = project.state();
    let spec = project.path("spec/example/1.0.0.toml");
    let text = fs::read_to_string(&spec).expect("readable");
    let next = project.path("spec/example/1.1.0.toml");
    fs::write(&next, text).expect("written");
    project.expect(0, &[]);
    project.expect(0, &["--check"]);
    assert!(
        project
            .path("generated/example/1.1.0/k8s-1.22/values.yaml")
            .exists()
    );
    fs::remove_file(&next).expect("removed");
    let said = project.expect(1, &["--check"]);
    assert!(
        said.contains("orphan: generated/example/1.1.0/k8s-1.22/values.yaml"),
        "{said}"
    );
    project.expect(0, &[]);
    assert_eq!(project.state(), before);
}

#[test]
fn an_output_format_is_one_folder() {
    let project = Project::generated();
    let target = project.path("templates/csv");
    fs::create_dir(&target).expect("created");
    fs::write(
        target.join("target.toml"),
        "[[file]]\ntemplate = \"images.csv\"\npath = \"k8s-{kubernetes}/{architecture}.csv\"\nper = \"architecture\"\nquoting = \"json\"\n",
    )
    .expect("written");
    fs::write(
        target.join("images.csv.hbs"),
        "{{#each architecture.images}}\n{{reference}},{{../plan.kubernetes}},{{name}}\n{{/each}}\n",
    )
    .expect("written");
    project.expect(0, &[]);
    project.expect(0, &["--check"]);
    let csv = fs::read_to_string(project.out("k8s-1.19/arm64.csv")).expect("written");
    assert!(
        csv.contains("\"example:1.0.0\",\"1.19\",\"docker.io/library/example:1.0.0\"\n"),
        "{csv}"
    );
    assert!(
        !csv.contains("sidecar"),
        "the image that has no arm64 build: {csv}"
    );
    fs::remove_dir_all(&target).expect("removed");
    project.expect(0, &[]);
    assert!(!project.out("k8s-1.19/arm64.csv").exists());
}

#[test]
fn a_template_that_goes_wrong_is_named_and_writes_nothing() {
    for (text, wanted) in [
        ("{{plan.no-such-field}}\n", "no-such-field"),
        ("{{#if plan.no-such-field}}x{{/if}}\n", "no-such-field"),
        ("a\n{{{plan.kubernetes}}}\n", "line 2"),
        ("{{> other}}\n", "include"),
        ("{{#> other}}{{/other}}\n", "include"),
        ("a\n{{ &release.product}}\n", "line 2"),
        ("{{~ { release.product} }}\n", "line 1"),
        ("a\r\n", "CR"),
        ("{{code release.product}}\n", "code"),
        ("{{#each plan.images}}{{refrence}}{{/each}}\n", "refrence"),
        ("{{#each plan.imagse}}x{{/each}}\n", "imagse"),
        ("{{#with plan.imagse}}x{{/with}}\n", "imagse"),
        ("{{#if\n", "malformed"),
    ] {
        let project = Project::example();
        fs::write(project.path("templates/image-list/images.txt.hbs"), text).expect("written");
        let said = project.expect(1, &[]);
        assert!(
            said.contains("image-list/images.txt") && said.contains(wanted),
            "{text}: {said}"
        );
        assert!(!project.path("generated").exists());
    }
}

#[test]
fn a_target_that_goes_wrong_is_named_and_writes_nothing() {
    let good = "[[file]]\ntemplate = \"images.txt\"\npath = \"k8s-{kubernetes}/images.txt\"\nper = \"minor\"\nquoting = \"text\"\n";
    for (from, to, wanted) in [
        (
            "k8s-{kubernetes}/images.txt",
            "../../k8s-{kubernetes}/images.txt",
            "is no path inside",
        ),
        (
            "k8s-{kubernetes}/images.txt",
            "/etc/{kubernetes}/images.txt",
            "is no path inside",
        ),
        // The index has a line for each path, and a `#` begins a comment in it.
        (
            "k8s-{kubernetes}/images.txt",
            "k8s-{kubernetes}/images\\ntxt",
            "is no path inside",
        ),
        (
            "k8s-{kubernetes}/images.txt",
            "#k8s-{kubernetes}/images.txt",
            "is no path inside",
        ),
        (
            "k8s-{kubernetes}/images.txt",
            "images.txt",
            "folder of the minor's own",
        ),
        (
            "k8s-{kubernetes}/images.txt",
            "k8s-{kubernetes}/values.yaml",
            "two targets write",
        ),
        (
            "template = \"images.txt\"",
            "template = \"other\"",
            "no template `other.hbs`",
        ),
        (
            "quoting = \"text\"",
            "quoting = \"none\"",
            "unknown variant `none`",
        ),
    ] {
        let project = Project::example();
        let other = project.path("templates/image-list/images.json.hbs");
        fs::remove_file(other).expect("removed");
        assert!(good.contains(from));
        fs::write(
            project.path("templates/image-list/target.toml"),
            good.replace(from, to),
        )
        .expect("written");
        let said = project.expect(1, &[]);
        assert!(said.contains(wanted), "{to}: {said}");
        assert!(!project.path("generated").exists());
    }
}

/// Exit status, stdout and stderr.
fn said(arguments: &[&str]) -> (i32, String, String) {
    let output = xtask(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("not killed");
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn check_refuses_errors_and_doubts_the_rest() {
    let project = Project::example();
    let spec = project.path("spec");
    let file = spec.join("example/1.0.0.toml");
    let example = fs::read_to_string(&file).expect("the fixture");
    let check = |text: &str, arguments: &[&str]| {
        fs::write(&file, text).expect("written");
        let spec = spec.to_str().expect("UTF-8");
        said(&[&["check", "--spec", spec][..], arguments].concat())
    };
    let done = "1 spec: 0 errors, 0 warnings\n".to_owned();
    assert_eq!(
        check(&example, &["--deny", "warnings"]),
        (0, done, String::new())
    );

    // A warning is shown, and refuses nothing unless that is asked for.
    let typo = example.replacen("\"v1.19.x\"", "\"v.1.19.x\"", 1);
    let (code, stdout, stderr) = check(&typo, &[]);
    assert_eq!((code, &*stdout), (0, "1 spec: 0 errors, 1 warning\n"));
    assert!(stderr.contains("warning[requirement-typo]"), "{stderr}");
    let (code, stdout, _) = check(&typo, &["--deny", "warnings", "--message-format", "json"]);
    assert_eq!(code, 1);
    let found: serde_json::Value = serde_json::from_str(&stdout).expect("one JSON object");
    assert_eq!(found["code"], "requirement-typo");
    let (code, _, stderr) = check(&example.replacen("\"v1.19.x\"", "\"later\"", 1), &[]);
    assert!(
        code == 1 && stderr.contains("error[malformed-requirement]"),
        "{stderr}"
    );
    assert!(stderr.contains("1 error, 0 warnings"), "{stderr}");

    // What is known of registries has to be right too.
    fs::write(spec.join("knowledge.toml"), "[[image]]\nrepository = 7\n").expect("written");
    let (code, _, stderr) = check(&example, &[]);
    assert!(
        code == 1 && stderr.contains("knowledge.toml:2:14"),
        "{stderr}"
    );
}

#[test]
fn every_rule_is_explained() {
    for rule in xtask::rules::all() {
        let (code, stdout, _) = said(&["explain-rule", rule.code]);
        let head = format!(
            "{}[{}]: {}\n\n",
            rule.severity.name(),
            rule.code,
            rule.summary
        );
        assert!(code == 0 && stdout.starts_with(&head), "{stdout}");
        let paragraph = &stdout[head.len()..];
        assert!(
            paragraph.lines().all(|line| line.chars().count() <= 80),
            "{stdout}"
        );
        assert_eq!(
            paragraph.split_whitespace().collect::<Vec<_>>().join(" "),
            rule.explanation
        );
    }
    let (code, _, stderr) = said(&["explain-rule", "gab"]);
    assert!(
        code == 1 && stderr.contains("there is no rule `gab`"),
        "{stderr}"
    );
}

/// The fenced block behind a line of a page.
fn example_of<'p>(page: &'p str, title: &str) -> &'p str {
    let (_, behind) = page.split_once(&format!("`{title}`:")).expect("the title");
    let (_, block) = behind.split_once("```").expect("a block");
    let (_, inside) = block.split_once('\n').expect("its first line");
    inside.split_once("```").expect("its end").0
}

#[test]
fn the_component_of_the_readme_is_taken() {
    let page = fs::read_to_string(root().join("README.md")).expect("the page");
    let (_, behind) = page.split_once("**A component.**").expect("the title");
    let (part, _) = behind.split_once("\n**").expect("the next title");
    let project = Project::new("spec");
    let images = |release: &str| {
        let spec = project.path("spec");
        let spec = spec.to_str().expect("UTF-8");
        let arguments = ["images", "--kubernetes", "1.28", "--release", release];
        let (code, list, said) = self::said(&[&arguments[..], &["--spec", spec]].concat());
        assert_eq!(code, 0, "{said}");
        list.lines().count()
    };
    let blocks = blocks_of(part);
    let [(product, entries), (table, rows)] = blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!(product, "spec/huawei-csi/product.toml");
    let release = Path::new(table).file_stem().and_then(|name| name.to_str());
    let release = release.expect("a release");
    let before = images(release);
    let append = |file: &Path, block: &str| {
        let text = fs::read_to_string(file).expect("a file of the product");
        fs::write(file, format!("{text}\n{block}")).expect("written");
    };
    append(&project.path(product), entries);
    // What is newer than the page has the component too.
    let folder = fs::read_dir(project.path("spec/huawei-csi")).expect("readable");
    for file in folder.map(|file| file.expect("readable").path()) {
        let name = file.file_stem().and_then(|name| name.to_str());
        let name = name.filter(|name| *name != "product");
        if name.is_some_and(|name| version_order(name) >= version_order(release)) {
            append(&file, rows);
        }
    }
    assert_eq!(images(release), before + 1);
    project.expect(0, &["--release", release]);
    let folder = project.path("spec");
    let folder = folder.to_str().expect("UTF-8");
    let (code, _, said) = self::said(&["check", "--deny", "warnings", "--spec", folder]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_examples_for_contributors_work() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the page");
    let project = Project::new("spec");
    let write = |path: &str| {
        let file = project.path(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("created");
        fs::write(file, example_of(&page, path)).expect("written");
    };
    let release = ["--release", "4.5.0"];
    project.expect(0, &release);
    write("templates/inventory/target.toml");
    write("templates/inventory/inventory.yaml.hbs");
    project.expect(0, &release);
    // What the page shows of the files is what they say.
    let file = project.path("generated/huawei-csi/4.5.0/k8s-1.16/inventory.yaml");
    let head: String = fs::read_to_string(file)
        .expect("written")
        .split_inclusive('\n')
        .take(5)
        .collect();
    assert!(page.contains(&head), "{head}");
    fs::remove_dir_all(project.path("templates/inventory")).expect("removed");
    project.expect(0, &release);

    write("spec/acme-csi/product.toml");
    write("spec/acme-csi/1.0.0.toml");
    project.expect(0, &["--release", "acme-csi/1.0.0"]);
    let list = "generated/acme-csi/1.0.0/k8s-1.28/images.txt";
    let text = fs::read_to_string(project.path(list)).expect("written");
    let shown = format!("$ cat {list}\n{text}```\n");
    assert!(page.contains(&shown), "{shown}");
    let spec = project.path("spec");
    let arguments = [
        "check",
        "--deny",
        "warnings",
        "--spec",
        spec.to_str().expect("UTF-8"),
    ];
    let (code, stdout, stderr) = self::said(&arguments);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.ends_with(" specs: 0 errors, 0 warnings\n"),
        "{stdout}"
    );
}

/// What a part of a page says of a file: the blocks behind its lines `FILE`:
fn blocks_of(part: &str) -> Vec<(&str, &str)> {
    let lines = part.lines();
    let paths = lines.filter_map(|line| line.strip_prefix('`')?.strip_suffix("`:"));
    paths.map(|path| (path, example_of(part, path))).collect()
}
