//! What stands where the tool reads a file may be endless, enormous or no file at all, and a template
//! may be nested without end. It is refused by its name, in little time and memory.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use support::project::{Project, copy};
use support::{fixtures, root};

/// A project with its files written and published, and a chart.
fn project() -> Project {
    let project = Project::of(&fixtures().join("spec"), &root().join("templates"));
    project.write("spec/knowledge.toml", "");
    copy(&fixtures().join("chart/esdk"), &project.path("chart"));
    let (code, said) = run(&project, GEN);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&project, DIST);
    assert_eq!(code, Some(0), "{said}");
    project
}

const GEN: &[&str] = &[
    "gen",
    "--spec",
    "spec",
    "--templates",
    "templates",
    "--out",
    "generated",
];
const GEN_CHECK: &[&str] = &[
    "gen",
    "--check",
    "--spec",
    "spec",
    "--templates",
    "templates",
    "--out",
    "generated",
];
const DIST: &[&str] = &[
    "dist",
    "--spec",
    "spec",
    "--templates",
    "templates",
    "--out",
    "dist",
];
const DIST_CHECK: &[&str] = &[
    "dist",
    "--spec",
    "spec",
    "--templates",
    "templates",
    "--check",
    "dist",
];
const CHECK_CHART: &[&str] = &["check-chart", "chart", "--spec", "spec"];

/// Runs the real binary with a second or two and some memory; gives its exit status, or none if it
/// was killed, and what it said.
fn run(project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    let limited = "ulimit -v 3000000; exec timeout --signal KILL 20 \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_xtask")])
        .args(arguments)
        .current_dir(project.root())
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .expect("runs");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8(said).expect("UTF-8"),
    )
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("runs");
    assert!(made.success());
}

fn endless(path: &Path) {
    symlink("/dev/zero", path).expect("linked");
}

/// Ten gigabytes that take no room.
fn enormous(path: &Path) {
    let file = fs::File::create(path).expect("created");
    file.set_len(10 << 30).expect("a sparse file");
}

#[test]
fn nothing_that_is_read_is_waited_for_or_read_without_end() {
    let project = project();
    for (path, arguments) in [
        ("spec/example/1.0.0.toml", GEN),
        ("spec/knowledge.toml", GEN),
        ("templates/image-list/target.toml", GEN),
        ("templates/image-list/images.txt.hbs", GEN),
        ("templates/docs/_helm.hbs", GEN),
        ("generated/example/1.0.0/.files", GEN_CHECK),
        ("generated/example/1.0.0/images.json", GEN_CHECK),
        ("chart/Chart.yaml", CHECK_CHART),
        ("chart/values.yaml", CHECK_CHART),
        ("dist/SHA256SUMS", DIST_CHECK),
        ("dist/example-1.0.0.tar.gz", DIST_CHECK),
        ("dist/.files", DIST),
    ] {
        let file = project.path(path);
        let kept = fs::read(&file).expect("there");
        for (kind, make) in [
            ("a pipe", &pipe as &dyn Fn(&Path)),
            ("endless", &endless),
            ("enormous", &enormous),
        ] {
            fs::remove_file(&file).expect("removed");
            make(&file);
            let (code, said) = run(&project, arguments);
            assert_eq!(code, Some(1), "{path}, {kind}: {said}");
            let name = path.rsplit('/').next().expect("a name");
            // An index that is none is not read, and so what it lists is anybody's.
            assert!(
                said.contains(name) || name == ".files",
                "{path}, {kind}: {said}"
            );
            if kind == "enormous" && name != ".files" {
                assert!(said.contains("10737418240 bytes"), "{path}: {said}");
            }
        }
        fs::remove_file(&file).expect("removed");
        fs::write(&file, kept).expect("written");
    }
    for arguments in [GEN_CHECK, DIST_CHECK] {
        let (code, said) = run(&project, arguments);
        assert_eq!(code, Some(0), "{said}");
    }

    // What is others' is named, and not read.
    enormous(&project.path("dist/images.tar"));
    let (code, said) = run(&project, DIST_CHECK);
    assert_eq!(
        (code, said.contains("foreign: dist/images.tar\n")),
        (Some(1), true),
        "{said}"
    );
    // A list as long as a file may be is no more than that.
    let list = "- registry.example/a/b:1\n".repeat((1 << 20) / 25);
    project.write("chart/values.yaml", format!("images:\n{list}"));
    let (code, said) = run(&project, CHECK_CHART);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn what_is_nested_without_end_is_refused_where_it_stands() {
    let project = project();
    let blocks = |count: usize, open: &str, close: &str| {
        format!("{}x{}\n", open.repeat(count), close.repeat(count))
    };
    let chain = format!(
        "{{{{#if plan.kubernetes}}}}\n{}{{{{/if}}}}\n",
        "{{else if plan}}\nx\n".repeat(5000)
    );
    let bomb =
        "{{#each @root.plan.images}}".repeat(12) + &"x".repeat(1 << 19) + &"{{/each}}".repeat(12);
    for (name, text, partial, wanted) in [
        (
            "includes itself",
            "{{include \"image-list/_a\"}}\n".to_owned(),
            "{{include \"image-list/_a\"}}\n".to_owned(),
            "`image-list/_a`",
        ),
        (
            "includes in each other",
            "{{include \"image-list/_a\"}}\n".to_owned(),
            "x{{include \"image-list/_b\"}}\n".to_owned(),
            "includes are nested more than 16 levels deep",
        ),
        (
            "blocks",
            blocks(5000, "{{#if plan.kubernetes}}", "{{/if}}"),
            String::new(),
            "images.txt.hbs, line 1: the tag is nested more than 16 levels deep",
        ),
        (
            "lines of blocks",
            blocks(5000, "{{#if plan.kubernetes}}\n", "{{/if}}\n"),
            String::new(),
            "line 17: the tag is nested more than 16 levels deep",
        ),
        (
            "blocks that are not closed",
            "{{~#if plan.kubernetes}}\n".repeat(5000),
            String::new(),
            "line 17: the tag is nested",
        ),
        ("else", chain, String::new(), "line 32: the tag is nested"),
        (
            "parameters",
            format!(
                "{{{{join {}plan{} \"\"}}}}\n",
                "(len ".repeat(5000),
                ")".repeat(5000)
            ),
            String::new(),
            "line 1: the tag is nested",
        ),
        (
            "lists",
            format!(
                "{{{{join {}{} \"\"}}}}\n",
                "[".repeat(5000),
                "]".repeat(5000)
            ),
            String::new(),
            "line 1: the tag is nested",
        ),
        (
            "much text",
            bomb,
            String::new(),
            "the file has more than 16777216 bytes",
        ),
    ] {
        project.write("templates/image-list/images.txt.hbs", text);
        project.write("templates/image-list/_a.hbs", partial);
        project.write(
            "templates/image-list/_b.hbs",
            "{{include \"image-list/_a\"}}\n",
        );
        let (code, said) = run(&project, GEN);
        let start: String = said.chars().take(2000).collect();
        assert_eq!(code, Some(1), "{name}: {start}");
        assert!(
            said.contains("image-list/images.txt") && said.contains(wanted),
            "{name}: {start}"
        );
        assert!(said.len() < 3000, "{name}: {start}");
    }

    // As deep as anything may be, includes and blocks together.
    let (open, close) = ("{{#if plan.kubernetes}}", "{{/if}}");
    let nested = |inside: &str| format!("{}{inside}{}\n", open.repeat(16), close.repeat(16));
    for number in 0..16 {
        let next = format!("{{{{include \"image-list/_{}\"}}}}", number + 1);
        project.write(
            &format!("templates/image-list/_{number}.hbs"),
            nested(&next),
        );
    }
    project.write("templates/image-list/_15.hbs", nested("deep"));
    project.write("templates/image-list/_a.hbs", "");
    project.write("templates/image-list/_b.hbs", "");
    project.write(
        "templates/image-list/images.txt.hbs",
        nested("{{include \"image-list/_0\"}}"),
    );
    let (code, said) = run(&project, GEN);
    assert_eq!(code, Some(0), "{said}");
    let text = fs::read_to_string(project.path("generated/example/1.0.0/k8s-1.19/images.txt"));
    assert_eq!(text.expect("written"), "deep\n");
}

#[test]
fn what_nobody_sees_in_a_template_is_refused() {
    for (path, text) in [
        ("image-list/images.txt.hbs", "a\n{{!-- \u{202e} --}}\n"),
        ("image-list/images.txt.hbs", "a\nb\0\n"),
        ("docs/_helm.hbs", "a\n\u{feff}b\n"),
        ("docs/_helm.hbs", "a\n\u{1b}[31mb\n"),
        ("image-list/target.toml", "[[file]]\n# \u{2066}\n"),
    ] {
        let project = Project::of(&fixtures().join("spec"), &root().join("templates"));
        project.write(&format!("templates/{path}"), text);
        let (code, said) = run(&project, GEN);
        assert_eq!(code, Some(1), "{text:?}: {said}");
        let wanted = format!("templates/{path}, line 2: the file has the character \\u{{");
        assert!(said.contains(&wanted), "{text:?}: {said}");
        assert!(!project.path("generated").exists());
    }
}
