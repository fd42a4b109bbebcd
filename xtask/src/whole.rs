//! A folder that one command makes: replaced as a whole, or not at all.
//!
//! An index in it says which files the command wrote. A folder without the index, or with anything
//! else in it, is somebody's, and stays as it is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use walkdir::WalkDir;

use crate::read;

/// What lists a folder's files, this one aside. It is the command's, and not part of what it made.
pub const INDEX: &str = ".files";

/// How many foreign files a refusal names.
const NAMED: usize = 10;

/// The index's first line, which says whose the folder is.
fn header(command: &str) -> String {
    format!("# The files that `cargo xtask {command}` wrote. It replaces this folder as a whole.\n")
}

/// Makes a folder that holds what `fill` puts into it, in the place of the one that is there.
///
/// What `fill` makes beside the folder that it is given is removed in the end.
///
/// # Errors
/// When something stands there that the command did not write, `fill` fails, or the disk refuses;
/// what was there is then still there.
pub fn replace(
    out: &Path,
    command: &str,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let parent = match out.file_name().and(out.parent()) {
        None => return Err(format!("{} cannot be a folder's path", out.display())),
        Some(parent) if parent == Path::new("") => Path::new("."),
        Some(parent) => parent,
    };
    fs::create_dir_all(parent).map_err(at("create", parent))?;
    // Held until the end: two runs at once take turns.
    #[expect(clippy::disallowed_methods, reason = "a folder, to lock it")]
    let lock = File::open(parent).map_err(at("open", parent))?;
    lock.lock().map_err(at("lock", parent))?;
    // A name of the command's own, so what is found there is a dead run's.
    let staging = parent.join(format!(".{command}-staging"));
    remove(&staging)?;
    let outcome = refuse_foreign(out, command).and_then(|()| {
        // The new one first, whole, so that a full disk changes nothing.
        let new = staging.join("new");
        fs::create_dir_all(&new).map_err(at("create", &new))?;
        fill(&new)?;
        write_index(&new, command)?;
        // Once more, for what somebody put there meanwhile.
        refuse_foreign(out, command)?;
        swap(&new, out, &staging.join("old")).map_err(at("write", out))
    });
    remove(&staging)?;
    outcome
}

/// Refuses a folder in which something stands that the command did not write.
///
/// # Errors
/// When there is such a thing, or the folder cannot be read.
pub fn refuse_foreign(out: &Path, command: &str) -> Result<(), String> {
    match out.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(found) if !found.is_dir() => {
            return Err(format!("{} is no folder; move or delete it", out.display()));
        }
        found => found.map_err(at("read", out))?,
    };
    // One that cannot be read says nothing of ours.
    let index = read::text(&out.join(INDEX), read::MADE).unwrap_or_default();
    let listed = index.strip_prefix(&header(command)).map(str::lines);
    let own: BTreeSet<&Path> = match listed {
        Some(listed) => listed.chain([INDEX]).map(Path::new).collect(),
        None => BTreeSet::new(),
    };
    let folders: BTreeSet<&Path> = own.iter().flat_map(|path| path.ancestors()).collect();
    let mut foreign = Vec::new();
    let mut entries = WalkDir::new(out)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| format!("cannot read {}: {error}", out.display()))?;
        let path = entry.path().strip_prefix(out).unwrap_or(entry.path());
        let is_folder = entry.file_type().is_dir();
        let known = if is_folder { &folders } else { &own };
        if (is_folder || entry.file_type().is_file()) && known.contains(path) {
            continue;
        }
        if is_folder {
            entries.skip_current_dir();
        }
        if foreign.len() == NAMED {
            foreign.push("\n  ...".to_owned());
            break;
        }
        foreign.push(format!("\n  {}", entry.path().display()));
    }
    if foreign.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} is replaced as a whole, and something stands there that `{command}` did not write; move \
         or delete:{}",
        out.display(),
        foreign.concat()
    ))
}

fn write_index(folder: &Path, command: &str) -> Result<(), String> {
    let mut index = header(command);
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        if !entry.file_type().is_dir() {
            index.push_str(&format!("{}\n", path.display()));
        }
    }
    write(&folder.join(INDEX), index.as_bytes())
}

/// Writes a file of mode 644, whatever the umask is.
///
/// # Errors
/// When the disk refuses.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(at("write", path))?;
    set_mode(path, 0o644)
}

/// Sets the mode of a file or folder.
///
/// # Errors
/// When the disk refuses.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at("write", path))
}

/// Puts the new folder into the place of the old one, in one step where the file system can: then a
/// run that is killed leaves the one or the other.
fn swap(new: &Path, out: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, out, RenameFlags::EXCHANGE) {
        Err(Errno::NOENT) => fs::rename(new, out),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::rename(out, old)?;
            fs::rename(new, out).inspect_err(|_| {
                // Best effort: the first error is the one to tell.
                let _ = fs::rename(old, out);
            })
        }
        swapped => Ok(swapped?),
    }
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("delete", folder)(error)),
        _ => Ok(()),
    }
}

/// An error of the disk, with what was to be done where.
pub fn at(what: &str, path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot {what} {}: {error}", path.display())
}
