//! Disks that are full.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use harness::{Containerd, Registry, Scratch, SmallDisk};

use crate::{
    ARCHIVE, WithPackage, archive_in, empty, expect_archive, expect_mirror, expect_node, fails,
    images, import, pull, push, references,
};

/// Room is made a little at a time, so the disk gets full at many points of the work.
#[test]
#[ignore = "needs skopeo and root; tests/run brings it and runs this"]
fn a_full_disk_while_pulling() {
    let disk = SmallDisk::new(1);
    let ballast = disk.path().join("ballast");
    let folder = disk.path().join("out");
    let mut causes = BTreeSet::new();
    for room in (16..).step_by(96) {
        fs::write(&ballast, vec![0; (1024 - room) << 10]).expect("written");
        let outcome = pull(&folder).whole_package().run();
        if outcome.status.success() {
            break;
        }
        let outcome = outcome.expect_code(1);
        let help = outcome.stderr.lines().last().expect("help").to_owned();
        causes.insert(outcome.stderr.lines().next().expect("an error").to_owned());
        assert!(help.contains("make room"), "{outcome}");
        assert!(!archive_in(&folder).exists(), "{outcome}");
    }
    assert!(causes.len() > 1, "{causes:?}");
    expect_archive(&folder);
}

/// The archive does not fit where `push.sh` unpacks it.
#[test]
#[ignore = "needs skopeo, docker-registry and root; tests/run brings them and runs this"]
fn a_full_disk_while_pushing() {
    let (disk, mirror) = (SmallDisk::new(1), Registry::start());
    let ballast = fill(&disk, 96);
    let push = || {
        let push = push(mirror.address()).env("TMPDIR", disk.path());
        push.arg("--archive").arg(archive_in(&ARCHIVE))
    };
    fails(push(), &["no space left on device", "make room", "TMPDIR"]);
    assert!(mirror.catalog().is_empty());

    fs::remove_file(ballast).expect("removed");
    let _ = push().run().expect_success();
    assert_eq!(mirror.catalog().len(), references().len());
}

#[test]
#[ignore = "needs skopeo, containerd and root; tests/run brings them and runs this"]
fn a_full_disk_on_the_node() {
    let disk = SmallDisk::new(16);
    let node = Containerd::start_on(&disk);
    let ballast = fill(&disk, 16);
    fails(
        import(&node, &ARCHIVE),
        &["no space left on device", "make room"],
    );

    fs::remove_file(ballast).expect("removed");
    let _ = import(&node, &ARCHIVE).run().expect_success();
    expect_node(&node);
}

/// A tool that cannot even write its complaint is not to blame, and neither is containerd.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_full_disk_for_what_tools_say() {
    let (mirror, node) = (Registry::start(), Containerd::start());
    let _ = import(&node, &ARCHIVE).run().expect_success();
    let disk = SmallDisk::new(1);
    let ballast = fill(&disk, 0);
    let check = || import(&node, &ARCHIVE).arg("--check");
    let cause = ["no space left on device", "make room", "TMPDIR"];
    for script in [check(), import(&node, &ARCHIVE)] {
        fails(script.env("TMPDIR", disk.path()), &cause);
    }
    fs::remove_file(&ballast).expect("removed");
    let push = || push(mirror.address()).whole_package();
    let mut failed = 0;
    for room in (16..).step_by(64) {
        let ballast = fill(&disk, room);
        let outcome = push().env("TMPDIR", disk.path()).run();
        fs::remove_file(&ballast).expect("removed");
        if outcome.status.success() {
            break;
        }
        let outcome = outcome.expect_code(1);
        let help = outcome.stderr.lines().last().expect("help");
        assert!(help.contains("make room"), "{room}: {outcome}");
        failed += 1;
    }
    assert!(failed > 1);
    expect_mirror(&mirror);
    let _ = check().env("TMPDIR", disk.path()).run().expect_success();
}

/// Not even a look into an archive is possible. That is no fault of the archive.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_full_disk_for_temporary_files() {
    let (folder, mirror, node) = empty();
    let disk = SmallDisk::new(1);
    let ballast = fill(&disk, 16);
    let scripts = || {
        let scripts = [
            pull(&folder).whole_package(),
            push(mirror.address()).whole_package(),
            import(&node, &ARCHIVE),
        ];
        scripts.map(|script| script.env("TMPDIR", disk.path()))
    };
    for script in scripts() {
        fails(script, &["no space left on device", "make room", "TMPDIR"]);
    }

    fs::remove_file(ballast).expect("removed");
    disk.resize(16);
    for script in scripts() {
        let _ = script.run().expect_success();
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

/// There is no room for a description of what was downloaded.
#[test]
#[ignore = "needs skopeo and root; tests/run brings it and runs this"]
fn a_full_disk_for_the_description() {
    let folder = Scratch::new("pulled");
    let disk = SmallDisk::new(1);
    let ballast = fill(&disk, 4);
    let pull = || pull(&folder).env("TMPDIR", disk.path());
    fails(pull(), &["cannot describe", "make room", "TMPDIR"]);
    assert!(!archive_in(&folder).exists());

    fs::remove_file(ballast).expect("removed");
    let again = pull().run().expect_success();
    assert!(images(&again, "copied").is_empty(), "{again}");
}

/// Fills a disk but for so many kilobytes, and says with which file.
fn fill(disk: &SmallDisk, room: u64) -> PathBuf {
    let file = disk.path().join("ballast");
    let mut ballast = fs::File::create(&file).expect("created");
    while ballast.write_all(&[0; 4096]).is_ok() {}
    let size = ballast.metadata().expect("a size").len();
    ballast.set_len(size - (room << 10)).expect("made smaller");
    file
}
