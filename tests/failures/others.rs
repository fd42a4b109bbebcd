//! Other users of this host, and what the caller's shell has set.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use harness::{Containerd, Registry, Scratch, Script, tool};

use crate::{
    ARCHIVE, WORLD, WithPackage, archive_copy, archive_in, expect_archive, expect_mirror,
    expect_node, fails, import, pull, push,
};

const NOBODY: u32 = 65534;

/// Gives a file or a folder to another user.
fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).expect("given");
}

/// In a folder that others can write, what is there may be anybody's.
#[test]
#[ignore = "needs skopeo and root; tests/run brings them and runs this"]
fn what_another_user_has_left() {
    let folder = archive_copy();
    let archive = archive_in(&folder);
    let work = archive.with_extension("tar.work");
    give(&archive);
    let before = fs::read(&archive).expect("readable");
    fails(
        pull(&folder).whole_package(),
        &["is another user's", "remove it"],
    );
    assert!(before == fs::read(&archive).expect("readable"));

    fs::remove_file(&archive).expect("removed");
    fs::create_dir(&work).expect("made");
    give(&work);
    fails(
        pull(&folder).whole_package(),
        &["tar.work is another user's"],
    );
    assert!(work.read_dir().expect("a folder").next().is_none());

    // This user's own, but open to all.
    chown(&work, Some(0), Some(0)).expect("taken back");
    fs::set_permissions(&work, Permissions::from_mode(0o777)).expect("set");
    fails(
        pull(&folder).whole_package(),
        &["tar.work is another user's"],
    );

    fs::remove_dir(&work).expect("removed");
    let lock = folder.join(format!(
        ".{}.lock",
        archive.file_name().expect("a name").display()
    ));
    fs::remove_dir_all(&lock).expect("there from before");
    std::os::unix::fs::symlink("/nowhere", &lock).expect("made");
    fails(pull(&folder).whole_package(), &["the lock"]);
    assert!(!Path::new("/nowhere").exists());

    fs::remove_file(&lock).expect("removed");
    let _ = pull(&folder).whole_package().run().expect_success();
    expect_archive(&folder);
}

/// Whoever may open a file may hold a lock on it, for ever.
#[test]
#[ignore = "needs skopeo, containerd and root; tests/run brings them and runs this"]
fn a_lock_that_another_user_would_hold() {
    let node = Containerd::start();
    let _ = import(&node, &ARCHIVE).run().expect_success();
    let mut locks = Vec::new();
    for entry in walkdir::WalkDir::new(node.run()) {
        let path = entry.expect("readable").into_path();
        if path.to_string_lossy().contains(".lock") {
            locks.push(path);
        }
    }
    assert!(!locks.is_empty());
    // Up to the lock, the folders of a test are closed to others. Those of a host are not.
    let mut open = node.run().clone();
    while open != Path::new("/tmp") && open.parent().is_some() {
        fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("set");
        open = open.parent().expect("above").to_path_buf();
    }
    for lock in locks {
        let hold = Script::new(tool("setpriv"));
        let hold = hold.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        let hold = hold.args(["flock", "-n"]).arg(&lock).arg("true").run();
        assert!(!hold.status.success(), "{}: {hold}", lock.display());
    }
}

/// Names and options in the environment are for other programs than these.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn what_the_callers_shell_has_set() {
    let home = Scratch::new("home");
    crate::support::project::copy(&WORLD.home, &home);
    home.write(".jq", "def keys: error; def tojson: \"x\"; def map(f): [];");
    let (folder, mirror, node) = (
        Scratch::new("pulled"),
        Registry::start(),
        Containerd::start(),
    );
    for script in [
        pull("pulled").dir(&*folder).whole_package(),
        import(&node, &folder.join("pulled")),
        push(mirror.address()).whole_package(),
    ] {
        let script = script
            .env("HOME", &*home)
            .env("CDPATH", ".:/")
            .env("TAR_OPTIONS", "--exclude=* --strip-components=9")
            .env("GREP_OPTIONS", "-v")
            .env("POSIXLY_CORRECT", "1")
            .env("GZIP", "-l")
            .env("IFS", "/")
            .env("SHELLOPTS", "noclobber");
        let _ = script.run().expect_success();
    }
    expect_archive(&folder.join("pulled"));
    expect_mirror(&mirror);
    expect_node(&node);
}
