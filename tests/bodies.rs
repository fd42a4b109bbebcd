//! The scripts of the repository, of which each minor has the data and each product the rest once: they do
//! what a kit's do, and only from where the repository has them.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::{committed_trees, example, rendered};
use xtask::tree::Tree;

const SCRIPTS: [&str; 3] = ["pull.sh", "push.sh", "import.sh"];

fn write(tree: &Tree, root: &Path) {
    for (path, artifact) in &tree.files {
        let file = root.join(&tree.folder).join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("created");
        fs::write(&file, &artifact.text).expect("written");
        let mode = fs::Permissions::from_mode(artifact.mode());
        fs::set_permissions(&file, mode).expect("set");
    }
}

/// A folder with the output of `gen` for the small table.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for tree in committed_trees(&[example()]) {
        write(&tree, folder.path());
    }
    folder
}

fn minor(root: &Path) -> PathBuf {
    root.join("example/1.0.0/k8s-1.20")
}

fn sh(script: &Path, arguments: &[&str]) -> Output {
    let mut sh = Command::new("sh");
    sh.arg(script).args(arguments).output().expect("runs")
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(why) && said.contains("example-1.0.0-k8s-1.20.tar.gz"),
        "{said}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn a_script_of_the_repository_does_what_that_of_a_kit_does() {
    let (repository, kit) = (repository(), tempfile::tempdir().expect("a folder"));
    write(&rendered(&example()).1, kit.path());
    let values = ["--print-values", "--layout", "flat", "registry.example/csi"];
    let preview = ["--dry-run", "--arch", "amd64"];
    for (script, arguments) in SCRIPTS
        .map(|script| (script, &["--help"][..]))
        .into_iter()
        .chain([
            ("push.sh", &values[..]),
            ("push.sh", &["--dry-run", "registry.example"]),
            ("pull.sh", &preview),
            ("pull.sh", &["--arch", "s390x"]),
            ("import.sh", &["--nonsense"]),
        ])
    {
        // By its path, and by its name from its own folder.
        for by_name in [false, true] {
            let [whole, parts] = [kit.path(), repository.path()].map(|root| {
                let script = if by_name {
                    PathBuf::from(script)
                } else {
                    minor(root).join(script)
                };
                let mut sh = Command::new("sh");
                let sh = sh.arg(script).args(arguments).current_dir(minor(root));
                let Output {
                    status,
                    stdout,
                    stderr,
                } = sh.output().expect("runs");
                let said = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
                let root = root.to_str().expect("UTF-8");
                (status.code(), said.replace(root, "ROOT"))
            });
            assert_eq!(whole, parts, "{script} {arguments:?}");
        }
    }
}

#[test]
fn a_part_of_a_script_is_run_only_where_the_repository_has_the_rest() {
    let repository = repository();
    let own = minor(repository.path());
    let elsewhere = tempfile::tempdir().expect("a folder");
    for script in SCRIPTS {
        // Alone, and with something that somebody else has put three folders above.
        let copy = elsewhere.path().join("a/b/c").join(script);
        fs::create_dir_all(copy.parent().expect("a folder")).expect("created");
        fs::copy(own.join(script), &copy).expect("copied");
        let body = elsewhere.path().join("a/scripts").join(script);
        fs::create_dir_all(body.parent().expect("a folder")).expect("created");
        fs::write(body, "echo not ours\n").expect("written");
        refused(&sh(&copy, &["--help"]), "this is a copy");

        let link = elsewhere.path().join(script);
        symlink(own.join(script), &link).expect("linked");
        refused(&sh(&link, &["--help"]), "this is a link");

        let input = fs::File::open(own.join(script)).expect("there");
        let mut sh_of_input = Command::new("sh");
        let output = sh_of_input.stdin(Stdio::from(input)).output();
        refused(&output.expect("runs"), "not run from its own file");

        let renamed = own.join(format!("other-{script}"));
        fs::copy(own.join(script), &renamed).expect("copied");
        refused(&sh(&renamed, &["--help"]), "there is no ");

        let body = repository.path().join("example/scripts").join(script);
        let kept = fs::read(&body).expect("there");
        fs::remove_file(&body).expect("removed");
        refused(&sh(&own.join(script), &["--help"]), "there is no ");
        symlink("/dev/null", &body).expect("linked");
        refused(&sh(&own.join(script), &["--help"]), "there is no ");
        fs::remove_file(&body).expect("removed");
        fs::write(&body, kept).expect("written");
        assert!(sh(&own.join(script), &["--help"]).status.success());
    }
}

/// A release of that name would have the folder of the bodies.
#[test]
fn no_release_has_the_place_of_the_bodies() {
    let spec = tempfile::tempdir().expect("a folder");
    support::project::copy(&support::fixtures().join("spec"), spec.path());
    let table = |name: &str| spec.path().join(format!("example/{name}.toml"));
    fs::rename(table("1.0.0"), table("scripts")).expect("moved");
    let mut check = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let check = check.args(["check", "--spec"]).arg(spec.path());
    let output = check.output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("error[malformed-name]: \"scripts\" is not a valid release"),
        "{said}"
    );
}

#[test]
#[ignore = "needs root: run tests/run"]
fn a_body_that_somebody_else_can_replace_is_not_run() {
    for others in ["example/scripts/import.sh", "example/scripts", "example"] {
        let repository = repository();
        let others = repository.path().join(others);
        chown(&others, Some(65534), None).expect("root may");
        let script = minor(repository.path()).join("import.sh");
        let wanted = format!("{} is of another owner", others.display());
        refused(&sh(&script, &["--help"]), &wanted);
    }
}
