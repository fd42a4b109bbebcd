//! containerd with its CRI, podman and dockerd, each given a vendor's archive.

use harness::{
    Containerd, Digest, Dockerd, Image, Podman, Scratch, Script, SmallDisk, tool, wait_for,
};

const TAG: &str = "huawei-csi:4.5.0";
const NAME: &str = "docker.io/library/huawei-csi:4.5.0";

#[test]
#[ignore = "needs containerd: run tests/run"]
fn containerd_imports_and_its_cri_finds() {
    let folder = Scratch::new("vendor");
    for architecture in ["amd64", "arm64"] {
        let archive = folder.join(format!("{architecture}.tar"));
        let identity = Image::bare("huawei-csi", architecture).save(&archive, &[TAG]);

        let mut node = Containerd::start();
        let other = Containerd::start();
        assert!(node.images().is_empty());
        assert_eq!(node.cri_image_status(NAME), None);
        let platform = format!("linux/{architecture}");
        let archive = archive.to_str().unwrap();
        node.ctr(&["images", "import", "--platform", &platform, archive])
            .expect_success();
        node.ctr(&["images", "label", NAME, "a=b", "c=d"]);

        // The CRI learns of it by an event.
        let status = wait_for("the CRI to see the image", || node.cri_image_status(NAME));
        assert_eq!(status.id, identity.config.as_str());
        assert_eq!(status.repo_tags, [NAME]);
        assert_eq!(node.cri_list_images(), std::slice::from_ref(&status));
        assert!(!status.pinned);

        let images = node.images();
        assert_eq!(images.keys().collect::<Vec<_>>(), [NAME]);
        let row = &images[NAME];
        assert!(row.complete && row.unpacked, "{row:?}");
        assert_eq!(row.platforms, [platform]);
        assert_eq!(row.labels["a"], "b");
        assert_eq!(row.labels["c"], "d");

        assert!(other.images().is_empty());
        node.stop();
        assert!(
            !node
                .ctr(&["--connect-timeout", "1s", "version"])
                .status
                .success()
        );
        node.restart();
        assert_eq!(node.images(), images);

        node.ctr(&["content", "rm", identity.config.as_str()])
            .expect_success();
        let row = &node.images()[NAME];
        assert!(!row.complete && row.platforms.is_empty(), "{row:?}");
    }
}

#[test]
#[ignore = "needs containerd: run tests/run"]
fn containerd_on_a_small_disk_runs_out_of_it() {
    let folder = Scratch::new("vendor");
    let archive = folder.join("big.tar");
    Image::bare("big", "amd64")
        .layers(1, 8 << 20)
        .save(&archive, &[TAG]);
    let disk = SmallDisk::new(4);
    let node = Containerd::start_on(&disk);
    let import = || node.ctr(&["images", "import", archive.to_str().unwrap()]);
    let failed = import().expect_code(1);
    assert!(
        failed.stderr.contains("no space left on device"),
        "{failed}"
    );
    assert!(node.images().is_empty());

    disk.resize(64);
    import().expect_success();
    assert!(node.images()[NAME].unpacked);
}

#[test]
#[ignore = "needs podman: run tests/run"]
fn podman_loads() {
    let (podman, other) = (Podman::start(), Podman::start());
    loads(|archive| podman.load(archive), || podman.images());
    let script = Script::new(tool("podman"))
        .args(["images", "--quiet"])
        .envs(podman.env());
    assert!(!script.run().expect_success().stdout.is_empty());
    assert!(other.images().is_empty());
}

#[test]
#[ignore = "needs docker.io: run tests/run"]
fn dockerd_loads() {
    let (docker, other) = (Dockerd::start(), Dockerd::start());
    loads(|archive| docker.load(archive), || docker.images());
    let script = Script::new(tool("docker"))
        .args(["images", "--quiet"])
        .envs(docker.env());
    assert!(!script.run().expect_success().stdout.is_empty());
    assert!(other.images().is_empty());
}

/// Loads one archive into an empty engine.
fn loads(
    load: impl Fn(&std::path::Path) -> harness::Outcome,
    images: impl Fn() -> std::collections::BTreeMap<String, Digest>,
) {
    assert!(images().is_empty());
    let folder = Scratch::new("vendor");
    let archive = folder.join("huawei-csi-v4.5.0-X86.tar");
    // A whole name: podman and docker agree on no short one.
    let name = "quay.io/vendor/huawei-csi:4.5.0";
    let identity = Image::bare("huawei-csi", "amd64")
        .layers(2, 1000)
        .save(&archive, &[name]);
    load(&archive).expect_success();
    assert_eq!(images(), [(name.to_owned(), identity.config)].into());
}

#[test]
#[ignore = "needs root: run tests/run"]
fn a_small_disk_gets_full() {
    let disk = SmallDisk::new(1);
    let file = disk.path().join("file");
    std::fs::write(&file, vec![0; 1 << 19]).unwrap();
    let error = std::fs::write(&file, vec![0; 1 << 21]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let path = disk.path().to_owned();
    drop(disk);
    assert!(!path.exists());
}
