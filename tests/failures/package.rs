//! The vendor's package lacks an archive, or has one that is not what it must be.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::sync::LazyLock;

use harness::{Containerd, Fault, FaultyProxy, Image, Registry, Scratch, Script, tool, wait_for};

use crate::{
    MINOR, VICTIM_PATH, WORLD, WithPackage, alter, archive_in, empty, expect_archive,
    expect_mirror, expect_node, fails, home_with_victim_at, images, import, others, package_copy,
    package_for_arm64, pull, push, references, truncate, vendors,
};

/// An archive of `pull.sh` without the vendor's images, in its folder.
pub(crate) static REGISTRY_IMAGES: LazyLock<Scratch> = LazyLock::new(|| {
    let folder = Scratch::new("registry-images");
    let _ = pull(&folder).run().expect_success();
    folder
});

/// A package with an archive that is not what it must be: each script that reads it does nothing.
#[track_caller]
fn a_spoiled_package(spoil: impl Fn(&Path), problem: &str) {
    let package = package_copy();
    spoil(&package.join("huawei-csi-v4.5.0-X86.tar"));
    let (folder, mirror, node) = empty();
    let scripts = || {
        [
            pull(&folder),
            push(mirror.address()),
            import(&node, &REGISTRY_IMAGES),
        ]
    };
    for script in scripts() {
        let refused = fails(script.package(&package), &["nothing was done", problem]);
        // Of the others there is nothing to be said.
        assert_eq!(refused.stderr.matches("\n  ").count(), 1, "{refused}");
    }
    assert!(!archive_in(&folder).exists());
    assert!(mirror.catalog().is_empty() && node.images().is_empty());

    for script in scripts() {
        let _ = script.whole_package().run().expect_success();
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_missing_vendor_archive() {
    let lose = |archive: &Path| fs::remove_file(archive).expect("removed");
    a_spoiled_package(lose, "\n  huawei-csi-v4.5.0-X86.tar is missing");
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_truncated_vendor_archive() {
    a_spoiled_package(truncate, "huawei-csi-v4.5.0-X86.tar is damaged");
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_without_its_config() {
    let lose = |archive: &Path| {
        let manifest = br#"[{"Config": "blobs/lost", "RepoTags": ["huawei-csi:4.5.0"]}]"#;
        write(archive, &[("manifest.json", Member::File(manifest))]);
    };
    a_spoiled_package(lose, "huawei-csi-v4.5.0-X86.tar is damaged");
}

/// What a member of a crafted archive is.
enum Member<'m> {
    File(&'m [u8]),
    Link(&'m Path),
}

fn write(archive: &Path, members: &[(&str, Member)]) {
    let mut tar = tar::Builder::new(fs::File::create(archive).expect("created"));
    for (name, member) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        let added = match member {
            Member::File(bytes) => {
                header.set_size(bytes.len() as u64);
                tar.append_data(&mut header, name, *bytes)
            }
            Member::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, name, target)
            }
        };
        added.expect("written");
    }
    tar.finish().expect("written");
}

/// The scripts run as root, and an archive is only looked into: nothing outside may change.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_that_leads_elsewhere() {
    let temporary = Scratch::new("temporary");
    let victim = temporary.write("victim", "as it was");
    // The second of these leads from where archives were once unpacked to the victim.
    let manifest = br#"[{"Config": "a/b", "RepoTags": ["huawei-csi:4.5.0"]},
        {"Config": "a/../../../../victim", "RepoTags": ["huawei-csi:4.5.0"]}]"#;
    let config = br#"{"architecture": "amd64"}"#;
    for members in [
        &[("manifest.json", Member::Link(&victim))][..],
        &[
            ("a/b", Member::File(config)),
            ("manifest.json", Member::File(manifest)),
        ],
    ] {
        let spoil = |archive: &Path| write(archive, members);
        let package = package_copy();
        spoil(&package.join("huawei-csi-v4.5.0-X86.tar"));
        let (folder, mirror, node) = empty();
        for script in [
            pull(&folder),
            push(mirror.address()),
            import(&node, &REGISTRY_IMAGES),
        ] {
            let _ = script
                .package(&package)
                .env("TMPDIR", &*temporary)
                .run()
                .expect_code(1);
            assert_eq!(fs::read_to_string(&victim).expect("a file"), "as it was");
        }
    }
}

/// From version 25 on `docker save` writes another form.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_package_that_a_newer_docker_has_saved() {
    let package = Scratch::new("package");
    for image in WORLD.plan(MINOR).images.iter().filter(|i| i.is_package) {
        for archives in &image.archives {
            Image::bare(&image.name, &archives.architecture).save_oci(
                &package.join(&archives.names[0]),
                &image.reference,
                &image.name,
            );
        }
    }
    let (folder, mirror, node) = empty();
    for script in [
        pull(&folder),
        push(mirror.address()),
        import(&node, &REGISTRY_IMAGES),
    ] {
        let _ = script.package(&package).run().expect_success();
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

/// The vendor has issued an image anew under its old tag. What an archive holds of the old issue, or
/// a run that failed has left of it, is not taken for the new one.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_package_in_another_issue() {
    let package = package_copy();
    let new = Image::bare("huawei-csi in another issue", "amd64").save(
        &package.join("huawei-csi-v4.5.0-X86.tar"),
        &["huawei-csi:4.5.0"],
    );
    let held = |folder: &Path| {
        let node = Containerd::start();
        let _ = import(&node, folder).run().expect_success();
        let name = "docker.io/library/huawei-csi:4.5.0";
        wait_for("the CRI to see the image", || node.cri_image_status(name)).id
    };

    let folder = Scratch::new("pulled");
    let _ = pull(&folder).whole_package().run().expect_success();
    let again = pull(&folder).package(&package).run().expect_success();
    assert_eq!(images(&again, "copied").len(), 1, "{again}");
    assert_eq!(held(&folder), new.config.as_str());
    for again in [pull(&folder), pull(&folder).package(&package)] {
        let again = again.run().expect_success();
        assert!(!again.stdout.contains(" ... "), "{again}");
    }

    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    let folder = Scratch::new("pulled");
    proxy.fail(VICTIM_PATH, Fault::ServerError);
    let failed = pull(&folder).whole_package().env("HOME", &*home);
    let failed = failed.run().expect_code(1);
    assert_eq!(images(&failed, "copied"), others(), "{failed}");
    let again = pull(&folder).package(&package).run().expect_success();
    assert_eq!(images(&again, "copied").len(), 2, "{again}");
    assert_eq!(held(&folder), new.config.as_str());
}

/// A registry gets it too, in place of the old one.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_package_in_another_issue_for_a_registry() {
    let package = package_copy();
    let new = Image::bare("huawei-csi in another issue", "amd64").save(
        &package.join("huawei-csi-v4.5.0-X86.tar"),
        &["huawei-csi:4.5.0"],
    );
    let mirror = Registry::start();
    let _ = push(mirror.address())
        .whole_package()
        .run()
        .expect_success();
    let again = push(mirror.address()).package(&package).run();
    let again = again.expect_success();
    assert_eq!(images(&again, "copied").len(), 1, "{again}");
    assert_eq!(
        mirror.platforms("huawei-csi", "4.5.0")["linux/amd64"],
        new,
        "{again}"
    );
    expect_mirror(&mirror);
}

/// What is in such an archive is right, so this comes out only when it is read as a whole.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn an_altered_vendor_archive() {
    let package = package_copy();
    let in_layer = 1030;
    alter(&package.join("huawei-csi-v4.5.0-X86.tar"), in_layer);
    let (folder, mirror, node) = empty();
    let scripts = || {
        [
            pull(&folder),
            push(mirror.address()),
            import(&node, &REGISTRY_IMAGES),
        ]
    };
    for script in scripts() {
        fails(
            script.package(&package),
            &["missing:\n  huawei-csi:4.5.0: "],
        );
    }
    assert!(!archive_in(&folder).exists());
    let others = references().len() - 1;
    assert_eq!(mirror.catalog().len(), others);

    for script in scripts() {
        let again = script.whole_package().run().expect_success();
        assert_eq!(images(&again, "already there").len(), others, "{again}");
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_of_the_wrong_architecture() {
    let replace = |archive: &Path| {
        Image::bare("huawei-csi", "arm64").save(archive, &["huawei-csi:4.5.0"]);
    };
    let problem = "holds docker.io/library/huawei-csi:4.5.0 arm64, \
                   not docker.io/library/huawei-csi:4.5.0 amd64";
    a_spoiled_package(replace, problem);
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_whose_tag_is_not_the_tables() {
    let replace = |archive: &Path| {
        Image::bare("huawei-csi", "amd64").save(archive, &["huawei-csi:4.4.0"]);
    };
    let problem = "holds docker.io/library/huawei-csi:4.4.0 amd64, \
                   not docker.io/library/huawei-csi:4.5.0 amd64";
    a_spoiled_package(replace, problem);
}

/// A node or a registry gets what the table names, and nothing with it.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_with_one_image_more() {
    let replace = |archive: &Path| {
        let tags = ["huawei-csi:4.5.0", "huawei-csi:latest"];
        Image::bare("huawei-csi", "amd64").save(archive, &tags);
    };
    let problem = "huawei-csi:4.5.0 amd64, docker.io/library/huawei-csi:latest amd64, not";
    a_spoiled_package(replace, problem);
}

/// Nobody said where the package is: the images of registries arrive all the same.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn no_package() {
    let (folder, mirror, node) = empty();
    let pulled = pull(&folder).run().expect_success();
    for image in vendors() {
        assert!(
            pulled.stdout.contains(&format!("\n  {image}\n")),
            "{pulled}"
        );
    }
    for script in [push(mirror.address()), import(&node, &folder)] {
        let failed = fails(script, &["give --package"]);
        for image in references() {
            let named = failed.stderr.contains(&format!("\n  {image}: "));
            assert_eq!(named, vendors().contains(&image), "{image} in {failed}");
        }
    }
    let arrived = references().len() - vendors().len();
    assert_eq!(
        (mirror.catalog().len(), node.images().len()),
        (arrived, arrived)
    );

    // For these alone no archive is needed.
    let again = import(&node, Path::new("/nowhere"))
        .whole_package()
        .run()
        .expect_success();
    assert_eq!(images(&again, "imported"), vendors());
    expect_node(&node);
    for script in [pull(&folder), push(mirror.address())] {
        let again = script.whole_package().run().expect_success();
        assert_eq!(images(&again, "already there").len(), arrived, "{again}");
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    // What the registry has now needs no package again.
    let again = push(mirror.address()).run().expect_success();
    assert_eq!(images(&again, "already there"), references(), "{again}");
}

/// The folder is not the package, or it is that of the other architecture.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_folder_that_is_not_the_package() {
    let (folder, mirror, node) = empty();
    let other = package_for_arm64();
    let nothing = Scratch::new("nothing");
    let nowhere = format!("nothing of huawei-csi 4.5.0 is in {}: ", nothing.display());
    let other_alone = format!("what is in {} is for arm64 alone: ", other.display());
    let scripts = || [pull(&folder), import(&node, &REGISTRY_IMAGES)];
    for (package, help) in [(&nothing, &nowhere), (&other, &other_alone)] {
        for script in scripts() {
            fails(script.package(package), &["nothing was done", help]);
        }
        let previewed = fails(pull(&folder).package(package).arg("--dry-run"), &[help]);
        assert_eq!(images(&previewed, "MISSING: "), vendors(), "{previewed}");
    }
    let pushing = || push(mirror.address()).package(&nothing);
    for script in [pushing(), pushing().arg("--dry-run")] {
        let refused = fails(script, &["nothing was done", &nowhere]);
        assert_eq!(refused.stdout, "");
    }
    assert!(!archive_in(&folder).exists());
    assert!(mirror.catalog().is_empty() && node.images().is_empty());

    for script in scripts().into_iter().chain([push(mirror.address())]) {
        let _ = script.whole_package().run().expect_success();
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

/// To whoever may not read it, an archive is neither damaged nor missing.
#[test]
#[ignore = "needs skopeo and root; tests/run brings it and runs this"]
fn a_package_that_may_not_be_read() {
    const NOBODY: u32 = 65534;
    let package = Scratch::new("package");
    let inner = package.join(&WORLD.release.release.package.folder);
    fs::create_dir(&inner).expect("created");
    for entry in fs::read_dir(&*package_copy()).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), inner.join(entry.file_name())).expect("copied");
    }
    let (folder, script) = (Scratch::new("pulled"), Scratch::new("script"));
    let script = script.join("pull.sh");
    fs::copy(WORLD.kit(MINOR).join("pull.sh"), &script).expect("copied");
    let may = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    let archive = inner.join("huawei-csi-v4.5.0-X86.tar");
    let mut above = Some(&*package as &Path);
    while let Some(folder) = above.filter(|folder| *folder != env::temp_dir()) {
        may(folder, 0o755).expect("set");
        above = folder.parent();
    }
    may(script.parent().expect("a folder"), 0o755).expect("set");
    let home = Scratch::new("home");
    crate::support::project::copy(&WORLD.home, &home);
    for folder in [&*folder as &Path, &*home] {
        chown(folder, Some(NOBODY), Some(NOBODY)).expect("set");
    }
    let pull = || {
        let pull = Script::new(tool("setpriv"));
        let pull = pull.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        let pull = pull.arg(&script).args(["--arch", "amd64", "--output"]);
        let pull = pull.arg(&*folder).env("TMPDIR", &*folder);
        pull.env("HOME", &*home).package(&package)
    };
    let unreadable = format!("{} cannot be read", archive.display());
    may(&archive, 0o600).expect("set");
    fails(pull(), &[&unreadable, "run as a user who may"]);
    may(&archive, 0o644).expect("set");
    let closed = format!("{} cannot be read: run as a user who may", inner.display());
    may(&inner, 0o700).expect("set");
    fails(pull(), &[&closed]);
    may(&inner, 0o755).expect("set");
    let _ = pull().run().expect_success();
    expect_archive(&folder);
}
