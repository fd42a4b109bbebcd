//! The command line, by the real binary: help, exit statuses, what is written, what is reported,
//! and what is never touched.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use insta::{assert_snapshot, with_settings};
use support::root;

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
        text.replace("schema = 1", "schema = 7")
            .replace("v1.22+", "v1.21+"),
    )
    .expect("written");
    let said = project.expect(1, &[]);
    assert!(said.contains("spec/example/1.0.0.toml:3:10"), "{said}");
    assert!(said.contains("error: "), "{said}");
    assert_eq!(project.state(), before);
    fs::write(&spec, b"\xff\xfe").expect("written");
    let said = project.expect(1, &[]);
    assert!(said.contains("not UTF-8 at byte 0"), "{said}");
    assert_eq!(project.state(), before);
}

#[test]
fn check_turns_red_on_one_byte_of_any_file() {
    let project = Project::new("spec");
    project.expect(0, &[]);
    let files: Vec<_> = project
        .state()
        .into_iter()
        .filter(|(path, _)| path.is_file())
        .collect();
    assert_eq!(
        files.len(),
        219,
        "215 files, the two about the format, and both indexes"
    );
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
    fs::write(
        &next,
        text.replace("release = \"1.0.0\"", "release = \"1.1.0\""),
    )
    .expect("written");
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
        "{{#rows architecture.images}}\n{{reference}},{{name}}\n{{/rows}}\n",
    )
    .expect("written");
    project.expect(0, &[]);
    project.expect(0, &["--check"]);
    let csv = fs::read_to_string(project.out("k8s-1.19/arm64.csv")).expect("written");
    assert!(
        csv.contains("\"example:1.0.0\",\"docker.io/library/example:1.0.0\"\n"),
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
        ("{{#each plan.images}}{{reference}}{{/each}}\n", "reference"),
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
    let (_, block) = behind.split_once("```toml\n").expect("a block");
    let (component, _) = block.split_once("```").expect("its end");
    let project = Project::new("spec");
    let spec = project.path("spec/huawei-csi/4.5.0.toml");
    let table = fs::read_to_string(&spec).expect("the table");
    fs::write(&spec, format!("{table}\n{component}")).expect("written");
    project.expect(0, &[]);
    for (minor, count) in [("1.16", 10), ("1.30", 12)] {
        let list = format!("generated/huawei-csi/4.5.0/k8s-{minor}/images.txt");
        let list = fs::read_to_string(project.path(&list)).expect("written");
        assert_eq!(list.lines().count(), count);
    }
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
    project.expect(0, &[]);
    // What the page says of the run is what the run says.
    write("templates/inventory/target.toml");
    write("templates/inventory/inventory.yaml.hbs");
    let said = project.expect(0, &[]);
    assert!(page.contains(said.trim()), "{said}");
    let file = project.path("generated/huawei-csi/4.5.0/k8s-1.16/inventory.yaml");
    let head: String = fs::read_to_string(file)
        .expect("written")
        .split_inclusive('\n')
        .take(5)
        .collect();
    assert!(page.contains(&head), "{head}");
    fs::remove_dir_all(project.path("templates/inventory")).expect("removed");
    project.expect(0, &[]);

    write("spec/acme-csi/1.0.0.toml");
    let said = project.expect(0, &["--release", "acme-csi/1.0.0"]);
    assert!(page.contains(said.trim()), "{said}");
    let spec = project.path("spec");
    let arguments = [
        "check",
        "--deny",
        "warnings",
        "--spec",
        spec.to_str().expect("UTF-8"),
    ];
    assert_eq!(
        self::said(&arguments),
        (
            0,
            "2 specs: 0 errors, 0 warnings\n".to_owned(),
            String::new()
        )
    );
}
