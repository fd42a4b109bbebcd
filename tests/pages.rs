//! The commands of a generated page, run as they stand there: an operator copies them, and so does
//! this.

mod support;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use harness::{Containerd, Dockerd, Podman, Registry, Scratch, Script, tool};
use support::text;
use world::World;

const MINOR: &str = "1.27";

/// The shell blocks of a page, in its order.
fn blocks(page: &str) -> Vec<&str> {
    let behind = page.split("```sh\n").skip(1);
    behind
        .map(|rest| rest.split_once("```").expect("the end of the block").0)
        .collect()
}

/// Which command of the page: the first block that starts so.
fn block<'p>(page: &'p str, start: &str) -> &'p str {
    let mut blocks = blocks(page).into_iter();
    blocks
        .find(|block| block.starts_with(start))
        .unwrap_or_else(|| panic!("no block starts with `{start}`"))
}

/// What an operator's shell runs: the page's variables with the operator's values, and blocks.
fn commands(world: &World, kit: &Scratch, mirror: &str, blocks: &[&str]) -> PathBuf {
    let page = text(&world.tree, &format!("k8s-{MINOR}/README.md"));
    let mut lines = vec!["set -eu".to_owned()];
    for line in block(page, "PACKAGE=").lines() {
        let (name, _) = line.split_once('=').expect("a variable");
        lines.push(match name {
            "PACKAGE" => format!("PACKAGE='{}'", world.package.display()),
            "ARCH" => line.to_owned(),
            "MIRROR" => format!("MIRROR={mirror}"),
            other => panic!("the test has no value for {other}"),
        });
    }
    lines.extend(blocks.iter().map(ToString::to_string));
    kit.write("commands.sh", lines.join("\n"))
}

fn shell(world: &World, kit: &Scratch, mirror: &str, blocks: &[&str]) -> Script {
    let commands = commands(world, kit, mirror, blocks);
    world.operator(tool("sh")).arg(commands).dir(&**kit)
}

fn places(world: &World) -> BTreeSet<String> {
    let images = &world.plan(MINOR).images;
    images.iter().map(|image| image.scoped.clone()).collect()
}

#[test]
fn every_command_of_a_page_is_run_by_some_test() {
    let (_, tree) = support::rendered(&support::huawei());
    for (path, file) in tree.files.iter().filter(|(path, _)| path.ends_with(".md")) {
        for block in blocks(&file.text) {
            let known = [
                // Here.
                "PACKAGE=",
                "./push.sh ",
                "./pull.sh ",
                "./import.sh",
                "skopeo sync ",
                "skopeo login ",
                "podman load ",
                "docker load ",
                // In tests/ansible.rs, and tests/helm.rs with the Helm engine in the program's place.
                "cp inventory.example.yaml ",
                "ansible-playbook ",
                "rm -rf \"$PACKAGE\"/helm/",
                "helm install ",
                // Nowhere: it needs a cluster.
                "kubectl ",
            ];
            assert!(
                known.iter().any(|start| block.starts_with(start)),
                "{path}: {block}"
            );
        }
    }
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn the_first_way_of_a_page_fills_a_registry() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/README.md"));
    let run = |kit: &Scratch, mirror: &Registry, starts: &[&str]| {
        let blocks: Vec<_> = starts.iter().map(|start| block(page, start)).collect();
        let _ = shell(&world, kit, mirror.address(), &blocks)
            .env("HOME", &*world.home)
            // The system knows the registry's authority.
            .env("SSL_CERT_FILE", mirror.cert_dir().join("ca.crt"))
            .run()
            .expect_success();
    };
    let tls = || Registry::builder().tls().start();

    // From a host that reaches both, with the values for the registry.
    let (kit, mirror) = (world.copy_of_kit(MINOR), tls());
    let print = "./push.sh --print-values ";
    run(&kit, &mirror, &["./push.sh --package ", print]);
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(filled, places(&world));
    let values = fs::read_to_string(kit.join("values-mirror.yaml")).expect("written");
    for place in places(&world) {
        assert!(
            values.contains(&format!("{}/{place}", mirror.address())),
            "{values}"
        );
    }

    // By way of an archive.
    let (kit, mirror) = (world.copy_of_kit(MINOR), tls());
    run(&kit, &mirror, &["./pull.sh ", "./push.sh --archive "]);
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(filled, places(&world));

    // With skopeo alone: what is in a registry.
    let (kit, mirror) = (world.copy_of_kit(MINOR), tls());
    run(&kit, &mirror, &["skopeo sync "]);
    let vendor = |place: &String| !place.contains('/');
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    let pulled = places(&world).into_iter().filter(|place| !vendor(place));
    assert_eq!(filled, pulled.collect());
}

#[test]
#[ignore = "needs skopeo, docker-registry and openssl; tests/run brings them and runs this"]
fn the_first_way_of_a_page_fills_a_registry_with_a_password() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/README.md"));
    let (kit, mirror) = (
        world.copy_of_kit(MINOR),
        Registry::builder().tls().auth().start(),
    );
    fs::create_dir(kit.join("certs")).expect("created");
    fs::copy(mirror.cert_dir().join("ca.crt"), kit.join("certs/ca.crt")).expect("copied");
    let block = block(page, "skopeo login ");
    let commands = commands(&world, &kit, mirror.address(), &[block]);
    kit.write(
        "answers",
        format!("{}\n{}\n", harness::USER, harness::PASSWORD),
    );
    // It asks for the password at a terminal, so it gets one.
    let typed =
        "{ sleep 1; cat answers; } | script --quiet --return --command \"sh '$0'\" /dev/null";
    let _ = world
        .operator(tool("sh"))
        .args(["-c", typed])
        .arg(commands)
        .dir(&*kit)
        .run()
        .expect_success();
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(filled, places(&world));
}

/// What a node is told of a registry's certificate is what containerd wants to know.
#[test]
#[ignore = "needs skopeo, containerd and openssl; tests/run brings them and runs this"]
fn a_node_knows_the_registry_by_its_certificate() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/README.md"));
    let (_, hosts) = page.split_once("```toml\n").expect("a block");
    let (hosts, _) = hosts.split_once("```").expect("the end of the block");
    let mirror = Registry::builder().tls().start();
    let push = world.script(MINOR, "push.sh").arg("--cert-dir");
    let push = push.arg(mirror.cert_dir()).arg("--package");
    let push = push.arg(&*world.package).arg(mirror.address());
    let _ = push.run().expect_success();

    let (node, certs) = (Containerd::start(), Scratch::new("certs.d"));
    let folder = certs.display().to_string();
    let image = format!(
        "{}/{}",
        mirror.address(),
        places(&world).pop_last().expect("one")
    );
    let pull = || node.ctr(&["images", "pull", "--hosts-dir", &folder, &image]);
    let _ = pull().expect_code(1);
    let authority = fs::read(mirror.cert_dir().join("ca.crt")).expect("a certificate");
    certs.write(&format!("{}/ca.crt", mirror.address()), authority);
    let hosts = hosts.replace("/etc/containerd/certs.d", &folder);
    let hosts = hosts.replace("registry.example:5000", mirror.address());
    certs.write(&format!("{}/hosts.toml", mirror.address()), hosts);
    let _ = pull().expect_success();
}

#[test]
#[ignore = "needs skopeo, containerd, podman and dockerd; tests/run brings them and runs this"]
fn the_second_way_of_a_page_imports_on_a_node() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/README.md"));
    let kit = world.copy_of_kit(MINOR);
    let run = |start: &str| {
        shell(&world, &kit, "unused.example", &[block(page, start)]).env("HOME", &*world.home)
    };
    let _ = run("./pull.sh ").run().expect_success();
    let node = Containerd::start();
    let _ = run("./import.sh").envs(node.env()).run().expect_success();
    for name in world.names(MINOR) {
        assert!(node.images()[&name].complete, "{name}");
    }
    let podman = Podman::start();
    let _ = run("podman load ")
        .envs(podman.env())
        .run()
        .expect_success();
    assert_eq!(
        podman.images().into_keys().collect::<BTreeSet<_>>(),
        world.names(MINOR)
    );
    let docker = Dockerd::start();
    let _ = run("docker load ")
        .envs(docker.env())
        .run()
        .expect_success();
    assert_eq!(docker.images().len(), world.names(MINOR).len());
}
