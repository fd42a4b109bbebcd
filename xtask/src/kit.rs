//! Tree -> what a release publishes: kits to unpack, loose files, and their checksums. In memory.
//!
//! A kit is a folder of the tree in one archive. Its bytes are the same wherever and whenever it is
//! packed: no clock, no user, no order but that of the paths.

use std::collections::BTreeMap;
use std::io;

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::tree::{Artifact, Selection, Tree};

/// The checksums of all other files, in the form of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";

/// When every packed file was last changed: 1980, before which some tools do not believe a date.
const TIME: u64 = 315_532_800;

/// Published files by name.
pub type Assets = BTreeMap<String, Vec<u8>>;

/// What some releases publish, with the checksums.
///
/// # Errors
/// When two files have one name, or a path does not fit into an archive.
pub fn assets(trees: &[Tree]) -> Result<Assets, String> {
    let mut assets = Assets::new();
    for tree in trees {
        for (name, bytes) in of_release(tree)? {
            if assets.contains_key(&name) {
                return Err(format!(
                    "two published files are named `{name}`; select one release with `--release`, \
                     or rename a target's file"
                ));
            }
            assets.insert(name, bytes);
        }
    }
    let lines = assets.iter().map(|(name, bytes)| line(name, bytes));
    let sums: String = lines.collect();
    assets.insert(SUMS.to_owned(), sums.into_bytes());
    Ok(assets)
}

/// A kit for each folder of the tree, one of the whole tree if it is whole, and the loose files.
fn of_release(tree: &Tree) -> Result<Vec<(String, Vec<u8>)>, String> {
    let release = tree.folder.replace('/', "-");
    let mut kits: BTreeMap<String, Vec<(&str, &Artifact)>> = BTreeMap::new();
    let mut assets = Vec::new();
    for (path, artifact) in &tree.files {
        if let Some((folder, below)) = path.split_once('/') {
            let kit = kits.entry(format!("{release}-{folder}")).or_default();
            kit.push((below, artifact));
        }
        if tree.selection == Selection::Everything {
            let kit = kits.entry(release.clone()).or_default();
            kit.push((path, artifact));
        }
        if artifact.loose {
            let name = format!("{release}-{}", path.replace('/', "-"));
            assets.push((name, artifact.text.clone().into_bytes()));
        }
    }
    for (name, files) in kits {
        let packed = pack(&name, &files).map_err(|error| format!("cannot pack {name}: {error}"))?;
        assets.push((format!("{name}.tar.gz"), packed));
    }
    Ok(assets)
}

/// An archive of these files, in one folder of this name.
fn pack(folder: &str, files: &[(&str, &Artifact)]) -> io::Result<Vec<u8>> {
    // Neither a name nor a time in the header; the level is part of what the bytes are.
    let packer = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut archive = Builder::new(packer);
    for (path, artifact) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(artifact.mode());
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(artifact.text.len() as u64);
        let path = format!("{folder}/{path}");
        archive.append_data(&mut header, path, artifact.text.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

/// A file's line in the checksums.
#[must_use]
pub fn line(name: &str, bytes: &[u8]) -> String {
    let mut line = String::new();
    for byte in Sha256::digest(bytes) {
        line.push_str(&format!("{byte:02x}"));
    }
    line + "  " + name + "\n"
}
