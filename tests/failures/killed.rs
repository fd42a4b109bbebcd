//! The scripts are ended from outside, between two images.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::{Containerd, Fault, FaultyProxy, Registry, Running, Scratch, path_with, wait_for};

use crate::gate::Gate;
use crate::{
    ARCHIVE, VICTIM, VICTIM_PATH, WORLD, WithPackage, alter, archive_in, expect_archive,
    expect_mirror, expect_node, home_with_victim_at, images, import, pull, push, references,
};

/// The ways in which a script is ended from outside, and the exit status that shows it.
const ENDS: [(fn(&Running), Option<i32>); 4] = [
    (Running::terminate, Some(143)),
    (Running::interrupt, Some(130)),
    (Running::hang_up, Some(129)),
    (Running::kill, None),
];

/// Requires that a script which could still clean up has left no temporary folder.
#[track_caller]
fn expect_clean(temporary: &Path, status: Option<i32>) {
    let entries = fs::read_dir(temporary).expect("a folder");
    let mut entries = entries.map(|entry| entry.expect("an entry").path());
    assert!(status.is_none() || !entries.any(|path| path.is_dir()));
}

/// The images that come before `VICTIM`.
fn before_victim() -> BTreeSet<String> {
    references().range(..VICTIM.to_owned()).cloned().collect()
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn pulling_is_killed_between_two_images() {
    for (end, status) in ENDS {
        let proxy = FaultyProxy::before(WORLD.source.address());
        let home = home_with_victim_at(WORLD.source.address(), proxy.address());
        let (folder, temporary) = (Scratch::new("pulled"), Scratch::new("temporary"));
        let pull = || pull(&folder).whole_package().env("HOME", &*home);
        proxy.fail(VICTIM_PATH, Fault::Stall);
        let running = pull().env("TMPDIR", &*temporary).spawn();
        assert!(running.wait_for_output(VICTIM));
        end(&running);
        let ended = running.finish();
        proxy.heal();
        assert_eq!(ended.status.code(), status, "{ended}");
        assert_eq!(images(&ended, "copied"), before_victim(), "{ended}");
        assert!(!archive_in(&folder).exists());
        expect_clean(&temporary, status);

        let again = pull().run().expect_success();
        let there = images(&again, "already there");
        assert!(there.is_superset(&before_victim()), "{again}");
        expect_archive(&folder);
    }
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn pushing_is_killed_between_two_images() {
    for (end, status) in ENDS {
        let proxy = FaultyProxy::before(WORLD.source.address());
        let home = home_with_victim_at(WORLD.source.address(), proxy.address());
        let (mirror, temporary) = (Registry::start(), Scratch::new("temporary"));
        let push = || push(mirror.address()).whole_package().env("HOME", &*home);
        proxy.fail(VICTIM_PATH, Fault::Stall);
        let running = push().env("TMPDIR", &*temporary).spawn();
        assert!(running.wait_for_output(VICTIM));
        end(&running);
        let ended = running.finish();
        proxy.heal();
        assert_eq!(ended.status.code(), status, "{ended}");
        assert_eq!(images(&ended, "copied"), before_victim(), "{ended}");
        expect_clean(&temporary, status);

        // What a killed run could not remove, the next one does.
        let again = push().env("TMPDIR", &*temporary).run().expect_success();
        assert_eq!(images(&again, "already there"), before_victim(), "{again}");
        expect_clean(&temporary, Some(0));
        expect_mirror(&mirror);
    }
}

/// What such a run has left may have suffered since: it is looked at before it is taken.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn what_a_pull_has_left_is_damaged() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    let folder = Scratch::new("pulled");
    proxy.fail(VICTIM_PATH, Fault::ServerError);
    let failed = pull(&folder).whole_package().env("HOME", &*home);
    let _ = failed.run().expect_code(1);
    let blobs = archive_in(&folder).with_extension("tar.work");
    let blobs = fs::read_dir(blobs.join("archive/blobs/sha256")).expect("a folder");
    let blobs = blobs.map(|blob| blob.expect("an entry").path());
    let layer = blobs.max_by_key(|blob| fs::metadata(blob).expect("a size").len());
    alter(&layer.expect("a blob"), 1000);

    let again = pull(&folder).whole_package().run().expect_success();
    assert_eq!(images(&again, "copied").len(), 2, "{again}");
    expect_archive(&folder);
}

/// All is imported and half of it is pinned.
#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn importing_is_killed_between_two_images() {
    for (end, status) in ENDS {
        let (node, temporary) = (Containerd::start(), Scratch::new("temporary"));
        let gate = Gate::before(&format!("images label {VICTIM}"));
        let first = import(&node, &ARCHIVE).env("CTR", gate.ctr());
        let running = first.env("TMPDIR", &*temporary).spawn();
        gate.wait();
        end(&running);
        let ended = running.finish();
        gate.open();
        assert_eq!(ended.status.code(), status, "{ended}");
        expect_clean(&temporary, status);

        let again = import(&node, &ARCHIVE).run().expect_success();
        assert_eq!(images(&again, "already there"), references(), "{again}");
        expect_node(&node);
    }
}

/// What is half there does not stay so: containerd gets the archive by way of a pipe, and of it only
/// so much before the end.
#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn importing_is_killed_while_containerd_reads_the_archive() {
    let node = Containerd::start();
    let body = r#"case $* in
            *'images import '*.tar)
                cd "${0%/*}"
                mkfifo pipe
                for archive; do :; done
                { head -c "$HALF" "$archive"; : >reached; sleep 600; } >pipe &
                exec "$TOOL" -n k8s.io images import pipe ;;
        esac
        exec "$TOOL" "$@""#;
    let (folder, path) = path_with("ctr", body);
    let archive = fs::metadata(archive_in(&ARCHIVE)).expect("there");
    let running = import(&node, &ARCHIVE).env("PATH", path);
    let running = running.env("HALF", (archive.len() / 2).to_string()).spawn();
    wait_for("half of the archive to be read", || {
        folder.join("reached").exists().then_some(())
    });
    let content = || node.ctr(&["content", "ls", "-q"]).expect_success().stdout;
    wait_for("containerd to have some of it", || {
        (!content().is_empty()).then_some(())
    });
    running.kill();
    running.finish();
    assert!(node.images().len() < references().len());

    let _ = import(&node, &ARCHIVE).run().expect_success();
    expect_node(&node);
}
