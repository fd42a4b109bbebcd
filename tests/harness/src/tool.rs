//! The tools of other projects, found on `PATH`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::iter;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::Scratch;

/// Where the tool `name` is installed.
///
/// # Panics
/// If it is not on `PATH`, with the command that installs what the tests need.
#[track_caller]
pub fn tool(name: &str) -> PathBuf {
    search_path()
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
        .unwrap_or_else(|| {
            panic!(
                "this test needs `{name}`, which is not on PATH: `tests/run`, the test command \
                 of the README, installs what the tests need and runs them all"
            )
        })
}

/// A `PATH` in which a shell script stands before a tool. In its body `"$TOOL"` is the tool itself.
pub fn path_with(name: &str, body: &str) -> (Scratch, OsString) {
    let folder = Scratch::new("before");
    folder.program(name, &format!("TOOL='{}'\n{body}", tool(name).display()));
    let folders = iter::once(folder.to_path_buf()).chain(search_path());
    let path = env::join_paths(folders).expect("no folder has a colon");
    (folder, path)
}

/// A folder to be used as the whole `PATH`: it has every tool but those in `names`.
pub fn path_without(names: &[&str]) -> Scratch {
    let folder = Scratch::new("path");
    let mut seen: BTreeSet<OsString> = names.iter().map(OsString::from).collect();
    for entry in search_path()
        .filter_map(|dir| dir.read_dir().ok())
        .flatten()
    {
        let entry = entry.expect("a folder of PATH can be read");
        if is_executable(&entry.path()) && seen.insert(entry.file_name()) {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a link can be made");
        }
    }
    folder
}

/// The folders of `PATH` and the two of the system's own tools, which a user's
/// `PATH` may lack and where `dockerd` and `mount` are.
fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.into_iter()
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
