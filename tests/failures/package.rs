//! The vendor's package lacks an archive, or has one that is not what it must be.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use harness::{Image, Scratch};

use crate::{
    WithPackage, alter, archive_in, empty, expect_archive, expect_mirror, expect_node, fails,
    images, import, package_copy, pull, push, references, truncate, vendors,
};

/// An archive of `pull.sh` without the vendor's images, in its folder.
static REGISTRY_IMAGES: LazyLock<Scratch> = LazyLock::new(|| {
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
        fails(script.package(&package), &["nothing was done", problem]);
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

    let again = import(&node, &folder)
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
}
