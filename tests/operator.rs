//! The operator's two ways, on real parts and with the generated files unchanged: from the source
//! registries to a node's containerd, and to a private registry.

mod support;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use harness::{
    Containerd, Dockerd, Fault, FaultyProxy, Image, Podman, Registry, Scratch, Script, path_with,
    tool,
};
use serde_json::Value;
use support::helm::{EXTENDER, Helm, chart};
use support::{huawei, rendered, whole_name};
use world::{World, place};
use xtask::image::ImageRef;
use xtask::plan::PlannedImage;

/// The first two numbers of a program's version.
fn version(program: &str) -> String {
    let said = Script::new(tool(program)).arg("--version").run();
    let said = said.expect_success().stdout;
    let mut words = said.split(|c: char| c != '.' && !c.is_ascii_digit());
    let version = words.find(|word| word.split('.').count() > 2);
    let numbers: Vec<_> = version.expect("a version").split('.').take(2).collect();
    numbers.join(".")
}

/// The page names the versions that these tests run with.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn the_versions_of_the_tools_are_on_the_page() {
    let versions = ["containerd", "skopeo", "podman", "dockerd"].map(version);
    let row = format!("| {} |", versions.join(" | "));
    let (_, tree) = rendered(&huawei());
    for page in ["START-HERE.md", "START-HERE.zh-CN.md"] {
        let page = support::text(&tree, &format!("k8s-1.27/{page}"));
        assert!(
            page.lines().any(|line| line == row),
            "{row} is not in {page}"
        );
    }
}

/// Imports an archive into a fresh containerd, which then has exactly the plan's images.
fn import(world: &World, minor: &str, architecture: &str, folder: &Scratch) -> Containerd {
    let node = Containerd::start();
    let outcome = world
        .script(minor, "import.sh")
        .args(["--arch", architecture])
        .envs(node.env())
        .dir(&**folder)
        .run()
        .expect_success();
    let total = world.names(minor).len();
    assert!(
        outcome.stdout.contains(&format!("[{total}/{total}]")),
        "{outcome}"
    );

    world.expect_complete(&node, minor, architecture);
    // The containerd of Debian 12 keeps the label, and knows nothing of pinned images.
    let pins = version("containerd") != "1.6";
    for name in world.names(minor) {
        let image = node.cri_image_status(&name).expect("there");
        assert_eq!(image.pinned, pins, "{name}");
    }
    node
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn one_archive_serves_every_engine() {
    // Real images of one maker have layers in common.
    let world = World::of(&huawei(), |_, image| image.layers(2, 0).based());
    for (minor, architecture) in [("1.16", "amd64"), ("1.27", "amd64"), ("1.27", "arm64")] {
        let folder = Scratch::new("архив 存档");
        let archive = world.pull(minor, architecture, &folder);
        let node = import(&world, minor, architecture, &folder);
        let before = node.images();

        // A second run of either does nothing, and does not even need the archive.
        let again = world
            .script(minor, "pull.sh")
            .args(["--arch", architecture, "--package"])
            .arg(&*world.package);
        let again = again.arg("--output").arg(&*folder).run().expect_success();
        assert!(!again.stdout.contains("copied"), "{again}");
        fs::rename(&archive, folder.join("elsewhere.tar")).expect("moved");
        let again = world
            .script(minor, "import.sh")
            .args(["--arch", architecture])
            .envs(node.env())
            .dir(&*folder);
        let again = again.run().expect_success();
        assert!(!again.stdout.contains("imported"), "{again}");
        assert_eq!(node.images(), before);
        fs::rename(folder.join("elsewhere.tar"), &archive).expect("moved");

        // The very same file loads with the other engines, every image under its name.
        let wanted: BTreeMap<_, _> = world
            .names(minor)
            .into_iter()
            .map(|name| {
                (
                    name.clone(),
                    world.identity(&name, architecture).config.clone(),
                )
            })
            .collect();
        let podman = Podman::start();
        let _ = podman.load(&archive).expect_success();
        assert_eq!(podman.images(), wanted);
        let docker = Dockerd::start();
        let _ = docker.load(&archive).expect_success();
        let short = |name: &str| {
            name.strip_prefix("docker.io/library/")
                .unwrap_or(name)
                .to_owned()
        };
        let loaded: BTreeMap<_, _> = docker
            .images()
            .into_iter()
            .map(|(name, id)| (short(&name), id))
            .collect();
        assert_eq!(
            loaded,
            wanted
                .into_iter()
                .map(|(name, id)| (short(&name), id))
                .collect()
        );
    }
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn a_node_says_what_it_lacks() {
    let world = World::start(false);
    let folder = Scratch::new("pulled");
    world.pull("1.27", "amd64", &folder);
    let node = Containerd::start();
    let run = |arguments: &[&str]| {
        let import = world.script("1.27", "import.sh").args(["--arch", "amd64"]);
        import.args(arguments).envs(node.env()).dir(&*folder).run()
    };
    let check = |code, line: &str| {
        let before = node.images();
        let said = run(&["--check"]).expect_code(code);
        assert_eq!(said.stdout.lines().last(), Some(line), "{said}");
        assert_eq!(node.images(), before);
    };
    check(
        3,
        "11 of 11 images of Kubernetes 1.27 are missing or not pinned",
    );
    // What has its content and is not unpacked is no better than missing.
    let archive = world.archive(&folder, "1.27", "amd64");
    let archive = archive.to_str().expect("UTF-8");
    let _ = node
        .ctr(&["images", "import", "--no-unpack", archive])
        .expect_success();
    let _ = run(&[]).expect_success();
    world.expect_complete(&node, "1.27", "amd64");
    let names: Vec<_> = world.names("1.27").into_iter().collect();
    // No more is said of pinning than the CRI says to the kubelet.
    let known = node.cri_image_status(&names[0]).expect("there").pinned;
    let there = "all 11 images of Kubernetes 1.27 are there, unpacked and ";
    let done = run(&["--check"]).expect_success();
    let promise = done
        .stdout
        .lines()
        .last()
        .and_then(|line| line.strip_prefix(there));
    let promise = promise.unwrap_or_else(|| panic!("{done}"));
    assert_eq!(promise == "pinned", known, "{done}");
    assert_eq!(
        promise.starts_with("labelled as pinned, which containerd "),
        !known
    );
    let _ = node.ctr(&["images", "rm", &names[0]]).expect_success();
    let unpin = ["images", "label", &names[1], "io.cri-containerd.pinned="];
    let _ = node.ctr(&unpin).expect_success();
    // The image is still listed, and whoever ran it would unpack it first.
    let diff_ids = &world.identity(&names[2], "amd64").diff_ids;
    let snapshot = ["snapshots", "rm", diff_ids[0].as_str()];
    let _ = node.ctr(&snapshot).expect_success();
    check(
        3,
        "3 of 11 images of Kubernetes 1.27 are missing or not pinned",
    );
    let _ = run(&[]).expect_success();
    world.expect_complete(&node, "1.27", "amd64");
}

/// Whoever has imported for another architecture imports again.
#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn a_node_with_images_of_another_architecture() {
    let world = World::start(false);
    let folder = Scratch::new("pulled");
    world.pull("1.27", "arm64", &folder);
    world.pull("1.27", "amd64", &folder);
    let node = import(&world, "1.27", "arm64", &folder);
    let again = world.script("1.27", "import.sh").args(["--arch", "amd64"]);
    let _ = again.envs(node.env()).dir(&*folder).run().expect_success();
    world.expect_complete(&node, "1.27", "amd64");
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_is_filled_from_the_source_registries() {
    let world = World::start(false);
    for (minor, layout, prefix) in [
        ("1.16", "scoped", ""),
        ("1.27", "scoped", "team/csi/"),
        ("1.27", "flat", "team/"),
    ] {
        let mirror = Registry::start();
        let host = format!("{}/{prefix}", mirror.address());
        let script = || {
            let script = world.script(minor, "push.sh").args(["--layout", layout]);
            script.arg(host.trim_end_matches('/'))
        };
        let push = || {
            let push = script().args(["--tls-verify", "false", "--package"]);
            push.arg(&*world.package).run().expect_success()
        };
        let _ = push();
        let catalog = mirror.catalog();
        let places = world.places(minor, layout);
        let places = places.iter().map(|place| format!("{prefix}{place}"));
        assert_eq!(
            catalog.keys().cloned().collect::<BTreeSet<_>>(),
            places.collect()
        );

        // What the values name is what the registry holds, and nothing is left unnamed.
        let values = script().arg("--print-values").run().expect_success();
        let named = strings(&serde_saphyr::from_str(&values.stdout).expect("YAML"));
        let held = catalog
            .keys()
            .map(|place| format!("{}/{place}", mirror.address()));
        assert_eq!(named, held.collect());

        let source = world.source.catalog();
        for image in &world.plan(minor).images {
            let place = &format!("{prefix}{}", place(image, layout));
            if image.is_package {
                // The archives of both architectures are one image now.
                let (repository, tag) = place.rsplit_once(':').expect("a tag");
                let platforms = mirror.platforms(repository, tag);
                assert_eq!(
                    platforms.keys().collect::<Vec<_>>(),
                    ["linux/amd64", "linux/arm64"],
                    "{place}"
                );
                for (name, platform) in &platforms {
                    let architecture = name.trim_start_matches("linux/");
                    let identity = world.identity(&image.name, architecture);
                    assert_eq!(platform, identity, "{place}");
                }
            } else {
                assert_eq!(catalog[place], source[&image.reference], "{place}");
            }
        }
        let again = push();
        assert!(!again.stdout.contains("copied"), "{again}");
        assert_eq!(mirror.catalog(), catalog);
    }
}

/// All strings in a document.
fn strings(document: &Value) -> BTreeSet<String> {
    match document {
        Value::Object(entries) => entries.values().flat_map(strings).collect(),
        Value::String(string) => [string.clone()].into(),
        other => panic!("neither a branch nor an image: {other}"),
    }
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_vendor_archive_of_one_architecture_serves_its_nodes() {
    let world = World::start(false);
    let mirror = Registry::start();
    let one = Scratch::new("package");
    for image in &world.plan("1.27").images {
        for archives in image.archives.iter().filter(|a| a.architecture == "amd64") {
            let name = &archives.names[0];
            fs::copy(world.package.join("image").join(name), one.join(name)).expect("copied");
        }
    }
    for (package, nodes, platforms) in [
        (&one, "amd64", &["linux/amd64"][..]),
        (
            &world.package,
            "amd64 and arm64",
            &["linux/amd64", "linux/arm64"],
        ),
    ] {
        let push = world
            .script("1.27", "push.sh")
            .arg("--package")
            .arg(&**package);
        let pushed = push.args(["--tls-verify", "false", mirror.address()]);
        let pushed = pushed.run().expect_success();
        for image in world
            .plan("1.27")
            .images
            .iter()
            .filter(|image| image.is_package)
        {
            let line = format!("{} ... copied, for {nodes} nodes\n", image.reference);
            assert!(pushed.stdout.contains(&line), "{line} in {pushed}");
            let (repository, tag) = image.scoped.rsplit_once(':').expect("a tag");
            let held = mirror.platforms(repository, tag);
            assert_eq!(held.keys().collect::<Vec<_>>(), platforms);
        }
    }
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_is_filled_from_the_archive_alone() {
    let world = World::start(false);
    let folder = Scratch::new("archive");
    let archive = world.pull("1.27", "arm64", &folder);
    let mirror = Registry::start();
    // A host that reaches the mirror and nothing else: its own home, no remapped registries.
    let push = world.script("1.27", "push.sh").env("HOME", &*folder).args([
        "--tls-verify",
        "false",
        "--archive",
    ]);
    let _ = push
        .arg(&archive)
        .arg(mirror.address())
        .run()
        .expect_success();
    let catalog: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(catalog, world.places("1.27", "scoped"));
    for image in &world.plan("1.27").images {
        let (repository, tag) = image.scoped.rsplit_once(':').expect("a tag");
        let platforms = mirror.platforms(repository, tag);
        assert_eq!(
            platforms.into_values().collect::<Vec<_>>(),
            [world.identity(&image.name, "arm64").clone()]
        );
    }
}

/// The nodes of one architecture come after those of the other.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_keeps_what_it_has_for_other_architectures() {
    let world = World::start(false);
    let package_for = |architecture: &str| {
        let package = Scratch::new("package");
        for image in &world.plan("1.27").images {
            for archives in &image.archives {
                let there = |name: &&String| world.package.join("image").join(name).exists();
                let name = archives.names.iter().find(there).expect("an archive");
                if archives.architecture == architecture {
                    let from = world.package.join("image").join(name);
                    fs::copy(from, package.join(name)).expect("copied");
                }
            }
        }
        package
    };
    let folder = Scratch::new("archives");
    let archives = ["amd64", "arm64"].map(|arch| world.pull("1.27", arch, &folder));
    let packages = ["amd64", "arm64"].map(package_for);
    let push = |mirror: &Registry| {
        let push = world.script("1.27", "push.sh");
        push.args(["--tls-verify", "false", mirror.address()])
    };
    let expect_both = |mirror: &Registry, images: &dyn Fn(&PlannedImage) -> bool| {
        for image in world.plan("1.27").images.iter().filter(|i| images(i)) {
            let (repository, tag) = image.scoped.rsplit_once(':').expect("a tag");
            let held = mirror.platforms(repository, tag);
            let wanted = ["amd64", "arm64"].map(|architecture| {
                let identity = world.identity(&image.name, architecture).clone();
                (format!("linux/{architecture}"), identity)
            });
            assert_eq!(held, BTreeMap::from(wanted), "{}", image.scoped);
        }
    };

    let mirror = Registry::start();
    for package in &packages {
        let push = push(&mirror).arg("--package").arg(&**package);
        let _ = push.run().expect_success();
    }
    expect_both(&mirror, &|image| image.is_package);

    let mirror = Registry::start();
    for archive in &archives {
        let push = push(&mirror).arg("--archive").arg(archive);
        let _ = push.run().expect_success();
    }
    expect_both(&mirror, &|_| true);
    let again = push(&mirror).arg("--archive").arg(&archives[0]);
    let again = again.run().expect_success();
    assert!(!again.stdout.contains("copied"), "{again}");

    let together = Registry::start();
    let both = push(&together).arg("--archive").arg(&archives[0]);
    let both = both.arg("--archive").arg(&archives[1]);
    let both = both.run().expect_success();
    assert!(both.stdout.contains("copied, for amd64 and arm64 nodes"));
    expect_both(&together, &|_| true);
    assert_eq!(together.catalog(), mirror.catalog());

    // What another tool has put there is in Docker's form, and stays as it is.
    let mirror = Registry::start();
    let image = world.plan("1.27").images.iter().find(|i| i.is_package);
    let image = image.expect("a vendor's image");
    let reference = ImageRef::parse(&image.reference).expect("valid");
    let name = reference.path();
    let tag = reference.tag().expect("a tag");
    let put = Image::bare(&image.reference, "amd64").docker();
    put.push_to(&mirror, name, tag);
    let last = push(&mirror).arg("--package").arg(&*packages[1]);
    let _ = last.run().expect_success();
    let held = mirror.platforms(name, tag);
    let wanted = ["linux/amd64", "linux/arm64"];
    assert_eq!(held.keys().collect::<Vec<_>>(), wanted);
}

/// What a registry has cannot be kept where it cannot be read.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_that_does_not_say_what_it_has() {
    let world = World::start(false);
    let mirror = Registry::start();
    let proxy = FaultyProxy::before(mirror.address());
    proxy.fail("/huawei-csi/manifests/4.5.0", Fault::ServerError);
    let push = || {
        let push = world.script("1.27", "push.sh").arg("--package");
        push.arg(&*world.package)
            .args(["--tls-verify", "false", proxy.address()])
    };
    let failed = push().run().expect_code(1);
    let cause = "\n  huawei-csi:4.5.0: cannot tell what";
    assert!(failed.stderr.contains(cause), "{failed}");
    assert_eq!(mirror.catalog().len(), world.names("1.27").len() - 1);

    proxy.heal();
    let _ = push().run().expect_success();
    let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(held, world.places("1.27", "scoped"));
}

#[test]
#[ignore = "needs skopeo, docker-registry and openssl; tests/run brings them and runs this"]
fn a_private_registry_with_a_password_and_its_own_certificate() {
    let world = World::start(false);
    let mirror = Registry::builder().tls().auth().start();
    let push = || {
        world
            .script("1.27", "push.sh")
            .arg("--package")
            .arg(&*world.package)
    };
    // Keeps what every tool is told, and what the script has left behind.
    let recorder = r#"{ printf '%s\n' "$@"; env; } >>"$HOME/recorded"; exec "$TOOL" "$@""#;
    let (_tools, path) = path_with("skopeo", recorder);
    let left = Scratch::new("left");
    let copy = |from: &str| fs::copy(world.home.join(from), left.join(from)).expect("copied");
    fs::create_dir_all(left.join(".config/containers")).expect("created");
    copy(".config/containers/policy.json");
    copy(".config/containers/registries.conf");
    let push = || {
        let push = push().env("PATH", &path).env("HOME", &*left);
        push.env("TMPDIR", &*left).arg(mirror.address())
    };

    let refused = push().run().expect_code(1);
    assert!(refused.stderr.contains("registry: pinging"), "{refused}");
    assert!(refused.stderr.contains("x509: certificate"), "{refused}");
    assert_eq!(refused.stdout, "");
    let wrong = Scratch::new("wrong");
    let auth = fs::read_to_string(mirror.auth_file()).expect("an auth file");
    // operator:not-the-password
    let auth = auth.replace(harness::AUTH, "b3BlcmF0b3I6bm90LXRoZS1wYXNzd29yZA==");
    let wrong = wrong.write("auth.json", auth);
    let denied = push().arg("--cert-dir").arg(mirror.cert_dir());
    let denied = denied.arg("--authfile").arg(&wrong).run().expect_code(1);
    for image in &world.plan("1.27").images {
        let line = denied.stderr.lines().find(|l| l.contains(&image.reference));
        assert!(
            line.is_some_and(|line| line.contains("authentication required")),
            "{denied}"
        );
    }
    assert!(mirror.catalog().is_empty());
    // An image of the vendor is not said to be absent where nobody could ask for it.
    let push_anyhow = world.script("1.27", "push.sh").arg(mirror.address());
    let unasked = push_anyhow.arg("--cert-dir").arg(mirror.cert_dir());
    let unasked = unasked.run().expect_code(1);
    let line = "huawei-csi:4.5.0: it comes in the vendor's package (--package), and ";
    let line = unasked.stderr.lines().find(|found| found.contains(line));
    assert!(
        line.is_some_and(|line| line.contains("authentication required")),
        "{unasked}"
    );

    let authorized = || push().arg("--authfile").arg(mirror.auth_file());
    let done = authorized().arg("--cert-dir").arg(mirror.cert_dir());
    let done = done.run().expect_success();
    let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(held, world.places("1.27", "scoped"));
    // Who trusts the way needs no certificate.
    let again = authorized().args(["--tls-verify", "false"]);
    let again = again.run().expect_success();
    assert!(!again.stdout.contains("copied"), "{again}");

    let told = fs::read_to_string(left.join("recorded")).expect("recorded");
    assert!(told.contains("--dest-authfile="));
    let mut texts = vec![
        told,
        done.to_string(),
        denied.to_string(),
        again.to_string(),
    ];
    for entry in walkdir::WalkDir::new(&left) {
        let entry = entry.expect("readable");
        if entry.file_type().is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path()).expect("read")).into());
        }
    }
    for text in texts {
        assert!(!text.contains(harness::PASSWORD) && !text.contains(harness::AUTH));
    }
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_foreign_layer_stops_with_its_cause_or_arrives() {
    let world = World::start(true);
    let push = |mirror: &Registry| {
        let push = world
            .script("1.27", "push.sh")
            .args(["--tls-verify", "false", "--package"]);
        push.arg(&*world.package).arg(mirror.address()).run()
    };
    // One of the two is in the form of the OCI, the other in Docker's.
    let wide = [
        "k8s.gcr.io/sig-storage/csi-node-driver-registrar:v2.3.0",
        "k8s.gcr.io/sig-storage/livenessprobe:v2.5.0",
    ];
    let source = world.source.catalog();
    let types = wide.map(|image| {
        let (repository, tag) = image.rsplit_once(':').expect("a tag");
        let manifest = world.source.manifest(repository, tag).expect("there");
        manifest.media_type
    });
    assert_eq!(types.iter().filter(|t| t.contains(".oci.")).count(), 1);

    let mirror = Registry::start();
    let refused = push(&mirror).expect_code(1);
    let (_, summary) = refused.stderr.split_once("missing:\n").expect("a summary");
    let (missing, help) = summary.split_once("\nhelp: ").expect("help");
    let missing: Vec<_> = missing.lines().map(str::trim).collect();
    assert_eq!(missing.len(), wide.len(), "{refused}");
    for (line, image) in missing.iter().zip(wide) {
        let cause = format!("{image}: the registry refuses its Windows variant");
        assert!(line.starts_with(&cause), "{refused}");
    }
    assert!(
        help.contains("validation.manifests.urls.allow"),
        "{refused}"
    );
    let mut others = world.places("1.27", "scoped");
    others.retain(|place| !wide.contains(&place.as_str()));
    let arrived: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(arrived, others);

    // The same registry, whose owner has let it admit such layers.
    let admitting = || Registry::builder().allow_foreign_layers("^https://mcr[.]example/");
    let mirror = admitting().storage_of(&mirror).start();
    let done = push(&mirror).expect_success();
    assert_eq!(done.stdout.matches(" ... copied").count(), 2, "{done}");
    for image in wide {
        assert_eq!(mirror.catalog()[image], source[image]);
    }

    // skopeo alone says less, and copies as much.
    let sync = |mirror: &Registry| sync(&world, "1.27", mirror).run();
    let refused = sync(&Registry::start()).expect_code(1);
    assert!(refused.stderr.contains("500"), "{refused}");
    let mirror = admitting().start();
    let _ = sync(&mirror).expect_success();
    for image in wide {
        assert_eq!(mirror.catalog()[image], source[image]);
    }

    // An archive is for Linux alone.
    let folder = Scratch::new("pulled");
    world.pull("1.27", "amd64", &folder);
    import(&world, "1.27", "amd64", &folder);
}

/// `skopeo sync` with a minor's list, as the page has it.
fn sync(world: &World, minor: &str, mirror: &Registry) -> Script {
    Script::new(tool("skopeo"))
        .args(["sync", "--all", "--preserve-digests", "--remove-signatures"])
        .arg("--scoped")
        .args(["--dest-tls-verify=false", "--src", "yaml", "--dest"])
        .arg("docker")
        .arg(world.kit(minor).join("skopeo-sync.yaml"))
        .arg(mirror.address())
        .env("HOME", &*world.home)
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn skopeo_takes_the_sync_list_as_it_is() {
    let world = World::start(false);
    for minor in ["1.16", "1.27"] {
        let mirror = Registry::start();
        let _ = sync(&world, minor, &mirror).run().expect_success();
        let images = world
            .plan(minor)
            .images
            .iter()
            .filter(|image| !image.is_package);
        let source = world.source.catalog();
        let wanted: BTreeMap<_, _> = images
            .map(|image| (image.scoped.clone(), source[&image.reference].clone()))
            .collect();
        assert_eq!(mirror.catalog(), wanted);
    }
}

/// The config of an image is as Docker wrote it, byte for byte, wherever the image arrives.
#[test]
#[ignore = "needs skopeo, containerd and docker-registry; tests/run brings them and runs this"]
fn an_image_whose_config_docker_wrote() {
    let classic = [
        "k8s.gcr.io/sig-storage/csi-attacher:v3.4.0",
        "huawei-csi:4.5.0",
    ];
    let world = World::of(&huawei(), |reference, image| {
        if classic.contains(&reference.to_string().as_str()) {
            image.classic()
        } else {
            image
        }
    });
    let folder = Scratch::new("pulled");
    let archive = world.pull("1.27", "amd64", &folder);
    let again = world.script("1.27", "pull.sh").args(["--arch", "amd64"]);
    let again = again.arg("--package").arg(&*world.package);
    let again = again.arg("--output").arg(&*folder).run().expect_success();
    assert!(!again.stdout.contains(" ... "), "{again}");

    let node = Containerd::start();
    let import = world.script("1.27", "import.sh").envs(node.env());
    let import = import.args(["--arch", "amd64", "--archive"]).arg(&archive);
    let _ = import.run().expect_success();
    let mirror = Registry::start();
    let push = || {
        let push = world.script("1.27", "push.sh");
        push.args(["--tls-verify", "false", mirror.address()])
    };
    let _ = push().arg("--archive").arg(&archive).run().expect_success();
    for image in &world.plan("1.27").images {
        assert!(node.cri_image_status(&image.reference).is_some());
        let (repository, tag) = image.scoped.rsplit_once(':').expect("a tag");
        let held = mirror.platforms(repository, tag);
        assert_eq!(held.keys().collect::<Vec<_>>(), ["linux/amd64"]);
        let identity = world.identity(&image.name, "amd64");
        assert_eq!(held["linux/amd64"], *identity);
        let listed = &node.images()[&image.name];
        assert_eq!(listed.platforms, ["linux/amd64"]);
    }

    // What came from the source registries is known in the archive too.
    let mirror = Registry::start();
    let push = || {
        let push = world.script("1.27", "push.sh");
        push.args(["--tls-verify", "false", mirror.address()])
    };
    let from_sources = push().arg("--package").arg(&*world.package);
    let _ = from_sources.run().expect_success();
    let again = push().arg("--archive").arg(&archive);
    let again = again.run().expect_success();
    assert!(!again.stdout.contains("copied"), "{again}");
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn every_shell_runs_the_scripts() {
    let world = World::start(false);
    // With busybox as the shell, its tools are those of the system too.
    let applets = Scratch::new("applets");
    let install = Script::new(tool("busybox")).args(["--install", "-s"]);
    let _ = install.arg(&*applets).run().expect_success();
    let path = std::env::var_os("PATH").expect("a path");
    let folders = [applets.to_path_buf()].into_iter();
    let folders = folders.chain(std::env::split_paths(&path));
    let small = std::env::join_paths(folders).expect("no colon");
    for shell in [&["bash"][..], &["busybox", "ash"], &["ksh"], &["mksh"]] {
        let path = if shell[0] == "busybox" { &small } else { &path };
        let script = |name: &str| {
            let shell = world.operator(tool(shell[0])).args(&shell[1..]);
            shell.env("PATH", path).arg(world.kit("1.27").join(name))
        };
        let folder = Scratch::new("pulled");
        let pull = script("pull.sh").args(["--arch", "amd64", "--package"]);
        let pull = pull.arg(&*world.package).arg("--output").arg(&*folder);
        let _ = pull.run().expect_success();
        let archive = world.archive(&folder, "1.27", "amd64");
        let node = Containerd::start();
        let import = script("import.sh").envs(node.env());
        let import = import.args(["--arch", "amd64", "--archive"]).arg(&archive);
        let _ = import.run().expect_success();
        world.expect_complete(&node, "1.27", "amd64");
        for from in [
            &["--package".as_ref(), world.package.as_os_str()],
            &["--archive".as_ref(), archive.as_os_str()],
        ] {
            let mirror = Registry::start();
            let push = script("push.sh").args(["--tls-verify", "false", mirror.address()]);
            let _ = push.args(from).run().expect_success();
            let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
            assert_eq!(held, world.places("1.27", "scoped"));
        }
    }
}

/// Such a node has no `ctr` but as a word behind another program.
#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn k3s_brings_its_own_ctr() {
    let world = World::start(false);
    let (folder, bin, node) = (
        Scratch::new("pulled"),
        Scratch::new("bin"),
        Containerd::start(),
    );
    world.pull("1.27", "amd64", &folder);
    let body = "[ \"$1\" = ctr ] || exit 64\nshift\nexec \"$CTR_OF_K3S\" \"$@\"";
    bin.program("k3s", body);
    let without = harness::path_without(&["ctr"]);
    let path = std::env::join_paths([&*bin, &*without]).expect("no colon");
    let import = world.script("1.27", "import.sh").envs(node.env());
    let import = import.args(["--arch", "amd64"]).dir(&*folder);
    let import = import.env("CTR_OF_K3S", tool("ctr")).env("CTR", "k3s ctr");
    let _ = import.env("PATH", path).run().expect_success();
    world.expect_complete(&node, "1.27", "amd64");
}

/// An archive has each blob once, and little beside them.
#[test]
#[ignore = "needs skopeo; tests/run brings it and runs this"]
fn an_archive_is_hardly_larger_than_its_blobs() {
    let world = World::of(&huawei(), |_, image| image.layers(2, 1 << 19).based());
    let folder = Scratch::new("pulled");
    let (archive, blobs) = world::sizes(&world.pull("1.27", "amd64", &folder));
    assert!(archive / blobs <= 1.03, "{archive} of {blobs}");
}

/// The promise: whatever the chart asks for on a Kubernetes version is there, and nothing else is
/// asked for.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn every_image_that_the_chart_asks_for_is_there_on_every_minor() {
    let world = World::start(false);
    let mut helm = Helm::start();
    // Minors whose images are the same and whose scripts differ in the minor's name alone are of one
    // kind, and the scripts are run once for each kind.
    let mut kinds = BTreeMap::new();
    for plan in &world.release.plans {
        let minor = plan.kubernetes.as_str();
        let text = |file: &str| support::text(&world.tree, &format!("k8s-{minor}/{file}"));
        let scripts = ["pull.sh", "import.sh", "push.sh"];
        let scripts = scripts.map(|script| text(script).replace(minor, "MINOR"));
        let (nodes, mirror) = kinds
            .entry((text("images.txt"), scripts))
            .or_insert_with(|| {
                // The node way, for every architecture that the minor serves.
                let architectures = plan.architectures.iter().filter(|a| a.complete);
                let nodes: Vec<_> = architectures
                    .map(|architecture| {
                        let folder = Scratch::new("pulled");
                        world.pull(minor, &architecture.name, &folder);
                        import(&world, minor, &architecture.name, &folder)
                    })
                    .collect();
                // The registry way.
                let mirror = Registry::start();
                let push = world.script(minor, "push.sh").arg(mirror.address());
                let fill = push.args(["--tls-verify", "false", "--package"]);
                let _ = fill.arg(&*world.package).run().expect_success();
                (nodes, mirror)
            });

        let values = text("values.yaml");
        let all = world.names(minor);
        let off = plan.off_by_default.iter();
        let off: BTreeSet<_> = off.map(|off| whole_name(&off.reference)).collect();
        let default = all.iter().filter(|image| !off.contains(*image)).cloned();
        let default: BTreeSet<_> = default.collect();
        assert!(default.len() < all.len(), "{minor}");
        for (extender, wanted) in [("{}", &default), (EXTENDER, &all)] {
            let asked = helm.render(&chart(), &[values, extender]).images();
            assert_eq!(asked, *wanted, "{minor}");
            for (node, image) in nodes.iter().flat_map(|n| asked.iter().map(move |i| (n, i))) {
                let found = node.cri_image_status(image);
                assert!(found.is_some(), "{minor}: no {image} on a node");
            }
        }

        // With the values that name the registry.
        let print = world.script(minor, "push.sh").arg(mirror.address());
        let overlay = print.arg("--print-values").run().expect_success().stdout;
        let served = mirror.catalog();
        for (extender, wanted) in [("{}", &default), (EXTENDER, &all)] {
            let asked = helm
                .render(&chart(), &[values, &overlay, extender])
                .images();
            let places = plan.images.iter().filter(|i| wanted.contains(&i.name));
            let places: BTreeSet<_> = places.map(|image| image.scoped.clone()).collect();
            let named = places.iter().map(|p| format!("{}/{p}", mirror.address()));
            assert_eq!(asked, named.collect(), "{minor}");
            for place in &places {
                assert!(
                    served.contains_key(place),
                    "{minor}: no {place} in the mirror"
                );
            }
        }
    }
    assert!(
        kinds.len() > 1,
        "one kind of minor is no test of the others"
    );
}
