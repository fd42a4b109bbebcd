//! What a release publishes -> a folder: replaces it as a whole, or compares it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::kit::{self, Assets, SUMS};
use crate::read;
use crate::whole::{self, INDEX, at};

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
    whole::replace(out, "dist", |new| {
        for (name, bytes) in assets {
            whole::write(&new.join(name), bytes)?;
        }
        whole::set_mode(new, 0o755)
    })
}

/// What is wrong with a published folder, by file; nothing if it holds exactly these files, and
/// perhaps signatures of their checksums.
///
/// # Errors
/// When the folder cannot be read.
pub fn compare(folder: &Path, assets: &Assets) -> Result<BTreeMap<String, Fault>, String> {
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()));
    }
    let found = found(folder, assets)?;
    let path = folder.join(SUMS);
    let sums = match found.get(SUMS) {
        Some(Some(_)) => read::bytes(&path, read::MADE).map_err(at("read", &path))?,
        _ => Vec::new(),
    };
    let sums = String::from_utf8_lossy(&sums);
    // Whether the folder's checksums are of what is there; of themselves they have no sum.
    let is_summed = |name: &str, line: &str| match name {
        SUMS => found.iter().all(|(name, line)| {
            let line = line.as_deref().unwrap_or_default();
            name == SUMS || sums.contains(line)
        }),
        _ => sums.contains(line),
    };
    let mut faults = BTreeMap::new();
    for name in found.keys().chain(assets.keys()) {
        let fault = match (assets.get(name), found.get(name)) {
            (None, _) | (_, Some(None)) => Fault::Foreign,
            (_, None) => Fault::Missing,
            (Some(asset), Some(Some(line))) if kit::line(name, asset) == *line => continue,
            (_, Some(Some(line))) if is_summed(name, line) => Fault::Stale,
            _ => Fault::Damaged,
        };
        faults.insert(name.clone(), fault);
    }
    Ok(faults)
}

/// What is in a folder, by name: a file's line in the checksums, or nothing where it is no file, or
/// none of these assets: others' files may be of any size, and are not read.
/// Left out are the index, and what vouches for the checksums: `SHA256SUMS.sig` and the like.
fn found(folder: &Path, assets: &Assets) -> Result<BTreeMap<String, Option<String>>, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(at("read", folder))? {
        let entry = entry.map_err(at("read", folder))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().map_err(at("read", &path))?.is_file();
        let vouches = name
            .strip_prefix(SUMS)
            .is_some_and(|rest| rest.starts_with('.'));
        if is_file && (name == INDEX || vouches) {
            continue;
        }
        let line = if is_file && assets.contains_key(&name) {
            let bytes = read::bytes(&path, read::MADE).map_err(at("read", &path))?;
            Some(kit::line(&name, &bytes))
        } else {
            None
        };
        found.insert(name, line);
    }
    Ok(found)
}
