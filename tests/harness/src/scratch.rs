//! Temporary folders, and the keeper that outlives the test process.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;

/// A temporary folder, removed on drop together with whatever is mounted below it.
///
/// All of them are inside the one folder of this test process. A small shell
/// process, the keeper, waits for the end of the test process and then ends
/// what it started, unmounts and removes what is left of that folder. So nothing
/// stays behind after a `kill -9` or Ctrl-C either, and a part may be kept in a
/// `static` and shared by many tests, although nobody drops a `static`.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// A new empty folder whose name begins with `label`.
    pub fn new(label: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{label}-"))
            .tempdir_in(&HOUSE.root)
            .expect("a temporary folder can be made");
        Self { folder }
    }

    /// Writes the file `name`, and the folders that it needs, and says where it is.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let file = self.join(name);
        fs::create_dir_all(file.parent().expect("a file is in a folder"))
            .and_then(|()| fs::write(&file, contents))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        file
    }

    /// Writes a shell script that can be run by its name, and says where it is.
    pub fn program(&self, name: &str, body: &str) -> PathBuf {
        let file = self.write(name, format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its mode can be set");
        file
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.folder.path()
    }
}

impl AsRef<Path> for Scratch {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is still mounted must go before `TempDir` removes the folder,
        // the last mounted first: it may lie on an earlier one.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        for line in mounts.lines().rev() {
            let target = line.split(' ').nth(4).unwrap_or_default();
            if Path::new(target).starts_with(&**self) {
                // An error is not worth a second panic: the keeper tries again.
                let _ = unmount(target, UnmountFlags::DETACH);
            }
        }
    }
}

/// The folder where a running process group has a file with its number as name.
pub(crate) fn groups() -> PathBuf {
    HOUSE.root.join("groups")
}

struct House {
    root: PathBuf,
    /// Nothing is ever written to its standard input: the closing of it, when
    /// this process ends, is the message.
    _keeper: Child,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let root = tempfile::Builder::new()
        // Short, because the path of a socket may not be long.
        .prefix("image-table-")
        .tempdir()
        .expect("a temporary folder can be made")
        .keep()
        .canonicalize()
        .expect("a new folder is there");
    fs::create_dir(root.join("groups")).expect("a folder can be made");
    // A group of its own, so that Ctrl-C does not reach it; no output, so that
    // nobody who reads the output of the tests waits for it.
    let keeper = Command::new("sh")
        .args(["-c", include_str!("keeper.sh"), "keeper"])
        .arg(&root)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh can be started");
    House {
        root,
        _keeper: keeper,
    }
});
