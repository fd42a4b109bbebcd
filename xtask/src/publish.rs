//! What a release publishes -> a folder: replaces it as a whole, or compares it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::kit::{self, Assets, SUMS};
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
    let found = read(folder)?;
    let sums = match found.get(SUMS) {
        Some(Some(_)) => fs::read(folder.join(SUMS)).map_err(at("read", &folder.join(SUMS)))?,
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

/// What is in a folder, by name: a file's line in the checksums, or nothing where it is no file.
/// Left out are the index, and what vouches for the checksums: `SHA256SUMS.sig` and the like.
fn read(folder: &Path) -> Result<BTreeMap<String, Option<String>>, String> {
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
        let line = is_file.then(|| line(&name, &path)).transpose();
        found.insert(name, line.map_err(at("read", &path))?);
    }
    Ok(found)
}

/// A file's line in the checksums. What lies in a folder of others may be of any size, so it is not
/// read as a whole.
fn line(name: &str, path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(kit::line_of(name, &digest.finalize())),
            size => digest.update(&part[..size]),
        }
    }
}
