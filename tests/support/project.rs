//! A scratch project on which the real binary is run.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Copies a folder, links as links.
pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).expect("created");
        } else if entry.file_type().is_symlink() {
            let points_to = fs::read_link(entry.path()).expect("a link");
            symlink(points_to, &target).expect("linked");
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

/// A scratch folder with what `gen` reads in `spec` and `templates`, and a folder `generated` that
/// it writes to.
pub struct Project(TempDir);

impl Project {
    /// An empty project.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A project with copies of these two folders.
    pub fn of(spec: &Path, templates: &Path) -> Self {
        let project = Self::empty();
        copy(spec, &project.path("spec"));
        copy(templates, &project.path("templates"));
        project
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("created");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// `gen` into a folder, to be run by itself or by the program that is given.
    pub fn command(&self, runner: &[&str], out: impl AsRef<Path>) -> Command {
        let binary = env!("CARGO_BIN_EXE_xtask");
        let mut words = runner.iter().copied().chain([binary]);
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .args(["gen", "--spec", "spec", "--templates", "templates"])
            .arg("--out")
            .arg(out.as_ref())
            .current_dir(self.root())
            .env_remove("CARGO_MANIFEST_DIR");
        command
    }

    /// Runs `gen`.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(&[], "generated");
        command.args(arguments).output().expect("runs")
    }

    /// Runs `gen` and gives what it printed, standard output first.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        text
    }
}
