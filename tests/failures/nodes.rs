//! Nodes that are not as most are: a ctr that passes options itself, a CRI that unpacks images
//! elsewhere, or that removes their layers once they are unpacked, an engine that reads older images.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use harness::{
    Containerd, ContainerdConfig, Dockerd, Image, Registry, Scratch, Script, tool, wait_for,
};
use xtask::image::ImageRef;

use crate::{
    ARCHIVE, MINOR, VICTIM, WORLD, WithPackage, archive_in, expect_node, fails,
    home_with_victim_at, images, import, pull, references, vendors, world,
};

const NATIVE: ContainerdConfig<'static> = ContainerdConfig {
    snapshotter: "native",
    ..ContainerdConfig::STOCK
};

/// microk8s brings such a ctr.
#[test]
#[ignore = "needs containerd; tests/run brings it and runs this"]
fn a_ctr_that_passes_a_namespace_itself() {
    let (bin, node) = (Scratch::new("bin"), Containerd::start());
    let body = format!(
        r#"[ "$1" = ctr ] || exit 64
        shift
        exec '{}' --address '{}' --namespace "$NAMESPACE" "$@""#,
        tool("ctr").display(),
        node.address().display(),
    );
    bin.program("microk8s", &body);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::split_paths(&path).collect::<Vec<_>>();
    let path = env::join_paths([vec![bin.to_path_buf()], path].concat()).expect("no colon");
    let import = |namespace: &str| {
        let import = import(&node, &ARCHIVE).env("PATH", &path);
        import
            .env("CTR", "microk8s ctr")
            .env("NAMESPACE", namespace)
    };
    // Where the kubelet looks for no image.
    let elsewhere = ["CTR does not work in the namespace k8s.io", "\"default\""];
    fails(import("default"), &elsewhere);
    fails(import("default").arg("--check"), &elsewhere);
    let there = node.ctr(&["--namespace", "default", "images", "ls", "-q"]);
    assert_eq!(there.expect_success().stdout, "");

    let _ = import("k8s.io").run().expect_success();
    expect_node(&node);
    let _ = import("k8s.io").arg("--check").run().expect_success();

    // One that keeps the environment from ctr.
    let deaf = format!("env -u CONTAINERD_NAMESPACE {}", tool("ctr").display());
    fails(import("k8s.io").env("CTR", &deaf), &elsewhere);
    let told = format!("{deaf} --namespace k8s.io");
    let _ = import("k8s.io").env("CTR", told).run().expect_success();
}

/// Gives a node a container of the kubelet's namespace, as every Pod has them. Its image goes again.
#[track_caller]
fn add_container(node: &Containerd, snapshotter: &str) {
    const PAUSE: &str = "registry.k8s.io/pause:3.9";
    let folder = Scratch::new("pause");
    let archive = folder.join("pause.tar");
    Image::bare(PAUSE, "amd64").save(&archive, &[PAUSE]);
    let archive = archive.to_str().expect("UTF-8");
    for command in [
        &["images", "import", "--no-unpack", archive][..],
        &[
            "containers",
            "create",
            "--snapshotter",
            snapshotter,
            PAUSE,
            snapshotter,
        ],
        &["images", "rm", PAUSE],
    ] {
        let _ = node.ctr(command).expect_success();
    }
}

#[test]
#[ignore = "needs containerd; tests/run brings it and runs this"]
fn images_are_unpacked_for_the_snapshotter_of_the_cri() {
    let node = Containerd::start_with(&NATIVE);
    let run = |arguments: &[&str]| import(&node, &ARCHIVE).args(arguments);
    let told = |snapshotter: &str, arguments: &[&str]| {
        run(arguments).env("CONTAINERD_SNAPSHOTTER", snapshotter)
    };
    let lacks = |script: Script| {
        let said = script.run().expect_code(3).stdout;
        assert!(
            said.contains("\n11 of 11 images of Kubernetes 1.27 are missing"),
            "{said}"
        );
    };
    // Without a Pod nothing tells.
    let early = run(&[]).run().expect_success();
    assert!(
        early.stdout.contains("taking its default, overlayfs"),
        "{early}"
    );
    lacks(told("native", &["--check"]));
    let unknown = [
        "containerd has not loaded the snapshotter zfs",
        "native",
        "overlayfs",
    ];
    fails(told("zfs", &[]), &unknown);

    add_container(&node, "native");
    lacks(run(&["--check"]));
    let _ = run(&[]).run().expect_success();
    expect_node(&node);
    let there = run(&["--check"]).run().expect_success();
    assert!(!there.stdout.contains("overlayfs"), "{there}");

    // One Pod was there before its configuration was changed, or runs in another sandbox.
    add_container(&node, "overlayfs");
    fails(
        run(&["--check"]),
        &["use several snapshotters: native overlayfs"],
    );
    let _ = told("native", &["--check"]).run().expect_success();
}

#[test]
#[ignore = "needs containerd; tests/run brings it and runs this"]
fn a_node_without_overlayfs() {
    let node = Containerd::start_with(&ContainerdConfig {
        disabled: &[
            "io.containerd.snapshotter.v1.overlayfs",
            "io.containerd.snapshotter.v1.erofs",
        ],
        ..NATIVE
    });
    let _ = import(&node, &ARCHIVE).run().expect_success();
    expect_node(&node);
}

/// Some clouds have it so. A container can start, and that is what counts.
#[test]
#[ignore = "needs containerd; tests/run brings it and runs this"]
fn a_cri_that_removes_the_layers_that_it_has_unpacked() {
    let certs = Scratch::new("certs.d");
    for registry in &WORLD.plan(MINOR).registries {
        let hosts = format!(
            "server = \"https://{0}\"\n[host.\"http://{1}/v2/{0}\"]\n\
             capabilities = [\"pull\", \"resolve\"]\noverride_path = true\n",
            registry.host,
            WORLD.source.address(),
        );
        certs.write(&format!("{}/hosts.toml", registry.host), hosts);
    }
    let node = Containerd::start_with(&ContainerdConfig {
        discard_layers: true,
        certs: certs.to_str().expect("UTF-8"),
        ..ContainerdConfig::STOCK
    });
    let pulled: BTreeSet<_> = references().difference(&vendors()).cloned().collect();
    for image in &pulled {
        node.cri_pull(image);
    }
    // Containerd collects garbage when it has time, and at once when it is told to wait for it.
    add_container(&node, "overlayfs");
    let discarded = || {
        let images = node.images();
        images.values().all(|row| row.unpacked && !row.complete)
    };
    wait_for("the layers to be removed", || discarded().then_some(()));

    let said = import(&node, &ARCHIVE).arg("--check").run().expect_code(3);
    assert_eq!(images(&said, "not pinned"), pulled, "{said}");
    assert_eq!(images(&said, "missing"), vendors(), "{said}");
    // What is there needs no archive.
    let nowhere = Scratch::new("nowhere");
    let done = import(&node, &nowhere)
        .whole_package()
        .run()
        .expect_success();
    assert_eq!(images(&done, "already there"), pulled, "{done}");
    let _ = import(&node, &nowhere)
        .arg("--check")
        .run()
        .expect_success();
    for (name, row) in node.images() {
        assert!(row.unpacked, "{name}");
        assert!(node.cri_image_status(&name).is_some(), "{name}");
    }
}

/// Docker 20.10 and containerd before 1.5 read no other layers than gzip's.
#[test]
#[ignore = "needs skopeo, containerd and dockerd; tests/run brings them and runs this"]
fn layers_packed_with_zstd_travel_as_gzip() {
    let elsewhere = Registry::start();
    let victim = ImageRef::parse(VICTIM).expect("valid");
    let image = Image::new(VICTIM, &["amd64", "arm64"]).zstd();
    world::push(&image.layers(2, 300_000), &elsewhere, &victim);
    let home = home_with_victim_at(WORLD.source.address(), elsewhere.address());
    let folder = Scratch::new("pulled");
    let pull = || pull(&folder).whole_package().env("HOME", &*home);
    let pulled = pull().run().expect_success();
    let line = format!("{VICTIM} ... copied, its layers packed anew with gzip");
    assert!(pulled.stdout.contains(&line), "{pulled}");
    let archive = archive_in(&folder);
    let wanted = WORLD.names(MINOR);
    let docker = Dockerd::start();
    let _ = docker.load(&archive).expect_success();
    assert_eq!(docker.images().len(), wanted.len());
    let node = Containerd::start();
    let _ = import(&node, &folder).run().expect_success();
    expect_node(&node);

    let unpacked = Scratch::new("unpacked");
    let tar = Script::new(tool("tar")).arg("-xf").arg(&archive);
    let _ = tar.arg("-C").arg(&*unpacked).run().expect_success();
    for entry in fs::read_dir(unpacked.join("blobs/sha256")).expect("blobs") {
        let blob = fs::read(entry.expect("an entry").path()).expect("readable");
        assert!(
            !blob.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
            "a blob of zstd"
        );
    }
    let again = pull().run().expect_success();
    assert!(!again.stdout.contains(" ... "), "{again}");
}
