//! The archive of `pull.sh` is damaged, or is one for another node.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use harness::{Containerd, Digest, Registry, Scratch, Script, tool};

use crate::{
    ARCHIVE, MINOR, VICTIM, WORLD, WithPackage, alter, archive_copy, archive_in, empty,
    expect_archive, expect_node, fails, images, import, others, pull, push, references, sum_of,
    truncate,
};

/// An archive that was damaged on its way: refused by who takes it, and nothing of it gets in.
#[track_caller]
fn a_damaged_archive(damage: impl Fn(&Path), problem: &str) {
    let folder = archive_copy();
    let archive = archive_in(&folder);
    damage(&archive);
    let (_, mirror, node) = empty();
    let push = || push(mirror.address()).arg("--archive").arg(&archive);
    fails(import(&node, &folder), &[problem, "copy the archive"]);
    fails(push(), &[problem, "copy the archive"]);
    assert!(node.images().is_empty() && mirror.catalog().is_empty());

    for file in [&archive, &sum_of(&archive)] {
        fs::copy(ARCHIVE.join(file.file_name().expect("a name")), file).expect("copied");
    }
    let _ = import(&node, &folder).run().expect_success();
    expect_node(&node);
    let _ = push().run().expect_success();
    assert_eq!(mirror.catalog().len(), WORLD.names(MINOR).len());
}

fn alter_middle(archive: &Path) {
    let size = fs::read(archive).expect("readable").len();
    alter(archive, size / 2);
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn a_truncated_archive() {
    a_damaged_archive(truncate, "is truncated or altered");
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_altered_archive() {
    a_damaged_archive(alter_middle, "is truncated or altered");
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_archive_without_its_checksum() {
    let lose = |archive: &Path| fs::remove_file(sum_of(archive)).expect("removed");
    a_damaged_archive(lose, ".sha256 is missing");
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_archive_with_the_checksum_of_another() {
    let rename = |archive: &Path| {
        let sum = fs::read_to_string(sum_of(archive)).expect("readable");
        fs::write(sum_of(archive), sum.replace("amd64", "arm64")).expect("written");
    };
    a_damaged_archive(rename, "does not speak of");
}

/// Puts the checksum of an archive that was made by hand beside it.
fn write_sum(archive: &Path) {
    let name = archive.file_name().expect("a name").to_string_lossy();
    let digest = Digest::of(&fs::read(archive).expect("readable"));
    fs::write(sum_of(archive), format!("{}  {name}\n", digest.hex())).expect("written");
}

/// What is in an archive becomes the content of images, and a link would lead to any file.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn an_archive_with_a_link() {
    let folder = archive_copy();
    let archive = archive_in(&folder);
    symlink("/etc/hostname", folder.join("link")).expect("made");
    let tar = Script::new(tool("tar")).arg("-rf").arg(&archive).arg("-C");
    let _ = tar.arg(&*folder).arg("link").run().expect_success();
    write_sum(&archive);
    let mirror = Registry::start();
    let push = push(mirror.address()).arg("--archive").arg(&archive);
    fails(push, &["in it is link"]);
    assert!(mirror.catalog().is_empty());
}

/// `pull.sh` needs no advice: it makes such an archive anew.
#[test]
#[ignore = "needs skopeo; tests/run brings it and runs this"]
fn a_damaged_archive_is_made_anew() {
    for damage in [truncate, alter_middle] {
        let folder = archive_copy();
        damage(&archive_in(&folder));
        let again = pull(&folder).whole_package().run().expect_success();
        assert!(again.stdout.contains("making it anew"), "{again}");
        expect_archive(&folder);
    }
}

/// What is in the archive of the vendor's would be lost, so this takes the package.
#[test]
#[ignore = "needs skopeo; tests/run brings it and runs this"]
fn a_damaged_archive_is_not_made_anew_by_half() {
    let folder = archive_copy();
    fs::remove_file(sum_of(&archive_in(&folder))).expect("removed");
    let before = fs::read(archive_in(&folder)).expect("readable");
    fails(pull(&folder), &[".sha256 is missing", "give --package too"]);
    assert!(fs::read(archive_in(&folder)).expect("readable") == before);

    let _ = pull(&folder).whole_package().run().expect_success();
    expect_archive(&folder);
}

/// An archive that is whole, but not what this node needs, under the right name.
#[track_caller]
fn an_archive_for_something_else(minor: &str, architecture: &str, problem: &str) {
    let folder = Scratch::new("other");
    let archive = archive_in(&folder);
    let other = WORLD.pull(minor, architecture, &folder);
    let sum = fs::read_to_string(sum_of(&other)).expect("readable");
    let name = |path: &Path| {
        path.file_name()
            .expect("a name")
            .to_str()
            .expect("UTF-8")
            .to_owned()
    };
    fs::rename(&other, &archive).expect("moved");
    fs::write(
        sum_of(&archive),
        sum.replace(&name(&other), &name(&archive)),
    )
    .expect("written");
    let node = Containerd::start();
    let texts = ["nothing was done", problem, "1.27 on amd64"];
    fails(import(&node, &folder), &texts);
    assert!(node.images().is_empty());

    let _ = import(&node, &ARCHIVE).run().expect_success();
    expect_node(&node);
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_archive_of_another_architecture() {
    an_archive_for_something_else(MINOR, "arm64", "is for arm64, not for amd64");
}

/// An archive without one image: it is whole, but an older table has made it.
fn archive_without_victim() -> Scratch {
    let (kit, folder) = (WORLD.copy_of_kit(MINOR), Scratch::new("older"));
    let script = kit.join("pull.sh");
    let text = fs::read_to_string(&script).expect("readable");
    let row = |line: &&str| !(line.contains("registry ") && line.contains(VICTIM));
    let older: Vec<_> = text.lines().filter(row).collect();
    assert_eq!(older.len() + 1, text.lines().count());
    fs::write(&script, older.join("\n")).expect("written");
    let pull = WORLD
        .operator(&script)
        .args(["--arch", "amd64", "--output"]);
    let _ = pull.arg(&*folder).whole_package().run().expect_success();
    folder
}

/// What it lacks is named, by whoever takes it; the rest arrives.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn an_archive_that_lacks_an_image() {
    let folder = archive_without_victim();
    let (_, mirror, node) = empty();
    let pushing = |folder: &Path| {
        push(mirror.address())
            .arg("--archive")
            .arg(archive_in(folder))
    };
    let lacks = format!("missing:\n  {VICTIM}: no --archive holds it for amd64\n");
    let failed = fails(pushing(&folder), &[&lacks]);
    assert_eq!(images(&failed, "copied"), others(), "{failed}");
    let lacks = format!("missing:\n  {VICTIM}: it is not in the archive\n");
    let failed = fails(import(&node, &folder), &[&lacks]);
    assert_eq!(images(&failed, "imported"), others(), "{failed}");

    for script in [pushing(&ARCHIVE), import(&node, &ARCHIVE)] {
        let _ = script.run().expect_success();
    }
    assert_eq!(mirror.catalog().len(), references().len());
    expect_node(&node);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn two_archives_of_one_architecture() {
    let mirror = Registry::start();
    let push = push(mirror.address())
        .arg("--archive")
        .arg(archive_in(&ARCHIVE));
    let push = push.arg("--archive").arg(archive_in(&ARCHIVE));
    fails(push, &["is a second archive for amd64"]);
    assert!(mirror.catalog().is_empty());
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_archive_of_another_kubernetes() {
    let problem = "csi-attacher:v1.2.1 is no image of Kubernetes 1.27";
    an_archive_for_something_else("1.16", "amd64", problem);
}

/// A registry is not filled by half with what another version of Kubernetes needs.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn an_archive_of_another_kubernetes_for_a_registry() {
    let folder = Scratch::new("other");
    let other = WORLD.pull("1.16", "amd64", &folder);
    let mirror = Registry::start();
    let texts = [
        "nothing was done",
        "csi-attacher:v1.2.1 is no image of Kubernetes 1.27",
    ];
    fails(push(mirror.address()).arg("--archive").arg(other), &texts);
    assert!(mirror.catalog().is_empty());

    let again = push(mirror.address()).arg("--archive");
    let _ = again.arg(archive_in(&ARCHIVE)).run().expect_success();
    assert_eq!(mirror.catalog().len(), references().len());
}
