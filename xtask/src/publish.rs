//! What a release publishes -> a folder: replaces it as a whole, or compares it.
//!
//! The folder is `dist`'s alone. One in which anything else stands, a signature say, is not replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::kit::{self, Assets, SUMS};

/// Where the new folder is made, beside its place; only ever a dead run's when it is found.
const STAGING: &str = ".dist-staging";

/// What is wrong with a file of a published folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file is not there.
    Missing,
    /// The file does not belong there.
    Foreign,
    /// The file's sum is not the one that the folder's own checksums have.
    Damaged,
    /// The file is as it was published, and the spec gives other bytes now.
    Stale,
}

/// Makes a folder that holds these files and nothing else, in the place of the one that is there.
///
/// # Errors
/// When something stands there that `dist` did not write, or the disk refuses; what was there is
/// then still there.
pub fn write(out: &Path, assets: &Assets) -> Result<(), String> {
    let no_name = || format!("{} cannot be a folder's path", out.display());
    let name = out.file_name().ok_or_else(no_name)?;
    let parent = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(at("create", parent))?;
    // Held until the end: two runs at once take turns.
    let lock = File::open(parent).map_err(at("open", parent))?;
    lock.lock().map_err(at("lock", parent))?;
    let staging = parent.join(STAGING);
    remove(&staging)?;
    let outcome = own(out).and_then(|()| replace(out, &staging, name.as_ref(), assets));
    remove(&staging)?;
    outcome
}

/// Refuses a folder in which something stands that `dist` did not write.
fn own(out: &Path) -> Result<(), String> {
    if out.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        return Err(format!("{} is no folder; move or delete it", out.display()));
    }
    let found = read(out)?;
    let sums = sums(&found);
    let listed: BTreeSet<_> = sums
        .lines()
        .filter_map(|line| Some(line.split_once("  ")?.1))
        .chain([SUMS])
        .collect();
    let foreign: Vec<_> = found
        .iter()
        .filter(|(name, bytes)| bytes.is_none() || !listed.contains(name.as_str()))
        .map(|(name, _)| format!("\n  {}", out.join(name).display()))
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} is replaced as a whole, and something stands there that `dist` did not write; move or \
         delete:{}",
        out.display(),
        foreign.concat()
    ))
}

fn replace(out: &Path, staging: &Path, name: &Path, assets: &Assets) -> Result<(), String> {
    // The new one first, whole, so that a full disk changes nothing.
    let new = staging.join("new").join(name);
    fs::create_dir_all(&new).map_err(at("create", &new))?;
    for (name, bytes) in assets {
        let path = new.join(name);
        fs::write(&path, bytes).map_err(at("write", &path))?;
        set_mode(&path, 0o644)?;
    }
    set_mode(&new, 0o755)?;
    let old = staging.join("old");
    let was_there = out.exists();
    if was_there {
        fs::rename(out, &old).map_err(at("move", out))?;
    }
    fs::rename(&new, out).map_err(|error| {
        if was_there {
            // Best effort: the first error is the one to tell.
            let _ = fs::rename(&old, out);
        }
        at("write", out)(error)
    })
}

/// What is wrong with a published folder, by file; nothing if it holds exactly these files.
///
/// # Errors
/// When the folder cannot be read.
pub fn compare(folder: &Path, assets: &Assets) -> Result<BTreeMap<String, Fault>, String> {
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()));
    }
    let found = read(folder)?;
    let sums = sums(&found);
    // Whether the folder's checksums are of what is there; of themselves they have no sum.
    let summed = |name: &str, bytes: &[u8]| match name {
        SUMS => found.iter().all(|(name, bytes)| {
            let bytes = bytes.as_deref().unwrap_or_default();
            name == SUMS || sums.contains(&kit::line(name, bytes))
        }),
        name => sums.contains(&kit::line(name, bytes)),
    };
    let mut faults = BTreeMap::new();
    for name in found.keys().chain(assets.keys()) {
        let fault = match (assets.get(name), found.get(name)) {
            (None, _) | (_, Some(None)) => Fault::Foreign,
            (_, None) => Fault::Missing,
            (Some(asset), Some(Some(bytes))) if asset == bytes => continue,
            (_, Some(Some(bytes))) if summed(name, bytes) => Fault::Stale,
            _ => Fault::Damaged,
        };
        faults.insert(name.clone(), fault);
    }
    Ok(faults)
}

/// What is in a folder, by name: a file's bytes, or nothing where it is no file.
fn read(folder: &Path) -> Result<BTreeMap<String, Option<Vec<u8>>>, String> {
    let mut found = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(at("read", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(at("read", folder))?;
        let is_file = entry
            .file_type()
            .map_err(at("read", &entry.path()))?
            .is_file();
        let read = || fs::read(entry.path()).map_err(at("read", &entry.path()));
        let bytes = is_file.then(read).transpose()?;
        found.insert(entry.file_name().to_string_lossy().into_owned(), bytes);
    }
    Ok(found)
}

/// The text of a folder's own checksums.
fn sums(found: &BTreeMap<String, Option<Vec<u8>>>) -> String {
    let bytes = found.get(SUMS).and_then(Option::as_deref);
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn set_mode(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at("write", path))
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("delete", folder)(error)),
        _ => Ok(()),
    }
}

fn at(what: &str, path: &Path) -> impl Fn(io::Error) -> String {
    let path: PathBuf = path.to_owned();
    move |error| format!("cannot {what} {}: {error}", path.display())
}
