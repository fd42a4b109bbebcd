//! What cannot be done at all, and what nobody can have meant.

use std::collections::BTreeSet;
use std::path::Path;

use harness::{Containerd, Registry, Scratch};

use crate::world::World;
use crate::{MINOR, WORLD, WithPackage, fails, package_for_arm64, pull, push, support};

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn no_arm64_on_kubernetes_1_16() {
    let folder = Scratch::new("pulled");
    let node = Containerd::start();
    for name in ["pull.sh", "import.sh"] {
        let script = WORLD.script("1.16", name).dir(&*folder).envs(node.env());
        let texts = [
            "cannot be served on arm64, because these images have no arm64 build",
            "\n  quay.io/k8scsi/csi-attacher:v1.2.1\n  quay.io/k8scsi/csi-provisioner:v1.4.0\n",
        ];
        fails(script.args(["--arch", "arm64"]), &texts);
    }
    assert!(folder.read_dir().expect("a folder").next().is_none() && node.images().is_empty());

    // A registry would have only what no node can run: neither the package for arm64 nor an archive
    // goes there.
    let mirror = Registry::start();
    let push = || {
        let push = WORLD.script("1.16", "push.sh");
        push.args(["--tls-verify", "false", mirror.address()])
    };
    let package = package_for_arm64();
    let archive = WORLD.pull(MINOR, "arm64", &folder);
    for script in [
        push().package(&package),
        push().arg("--archive").arg(&archive),
    ] {
        let text = "cannot be served on arm64, because these images have no arm64 build";
        fails(script, &[text]);
    }
    assert!(mirror.catalog().is_empty());
}

/// The table has a host with a port, and from 1.20 on two images of one name.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_layout_that_cannot_hold_the_images() {
    let world = World::of(&support::example(), |_, image| image);
    let mirror = Registry::start();
    let push = |minor: &str, layout: &str| {
        let push = world.script(minor, "push.sh").args(["--layout", layout]);
        push.args(["--tls-verify", "false", mirror.address()])
    };
    let port =
        "the layout scoped cannot express the port in registry.example:5000/tools/helper:1.30";
    let collision = format!(
        "in the layout flat these would all be {}/helper:1.30:\n  quay.io/example/helper:1.30\n  \
         registry.example:5000/tools/helper:1.30\n",
        mirror.address()
    );
    for (minor, layout, problem, help) in [
        ("1.19", "scoped", port, "use --layout flat"),
        (
            "1.20",
            "scoped",
            port,
            "the layout flat cannot hold these images either",
        ),
        (
            "1.20",
            "flat",
            &collision,
            "the layout scoped cannot hold these images either",
        ),
    ] {
        for script in [
            push(minor, layout).package(&world.package),
            push(minor, layout).arg("--print-values"),
        ] {
            let refused = fails(script, &[problem, help]);
            assert_eq!(refused.stdout, "");
        }
    }
    assert!(mirror.catalog().is_empty());

    let flat = push("1.19", "flat").package(&world.package);
    let _ = flat.run().expect_success();
    let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(held, world.places("1.19", "flat"));
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn wrong_usage() {
    for (script, arguments, problem) in [
        ("pull.sh", &["--nonsense"][..], "unknown argument"),
        (
            "pull.sh",
            &["--arch", "riscv"],
            "unknown architecture: riscv",
        ),
        ("push.sh", &[], "no registry"),
        (
            "push.sh",
            &["--layout=deep", "a:5000"],
            "unknown layout: deep",
        ),
        ("push.sh", &["https://a:5000"], "has a scheme"),
        (
            "push.sh",
            &["operator:secret@a:5000"],
            "credentials do not belong in HOST",
        ),
        ("import.sh", &["--archive"], "--archive needs a value"),
    ] {
        let said = WORLD.script(MINOR, script).args(arguments).run();
        let said = said.expect_code(2);
        assert!(
            said.stderr.contains(problem) && said.stderr.contains("\nhelp: "),
            "{said}"
        );
        assert!(!said.stderr.contains("secret"), "{said}");
    }
}

/// What is not there is said before anything is promised.
#[test]
#[ignore = "needs docker-registry; tests/run brings it and runs this"]
fn a_dry_run_refuses_what_is_not_there() {
    let nowhere = Path::new("/nowhere");
    for (script, option, what) in [
        (pull(nowhere), "--package", "folder"),
        (pull(nowhere), "--authfile", "file"),
        (push("mirror.example"), "--package", "folder"),
        (push("mirror.example"), "--archive", "file"),
        (push("mirror.example"), "--authfile", "file"),
        (push("mirror.example"), "--cert-dir", "folder"),
        (WORLD.script(MINOR, "import.sh"), "--package", "folder"),
    ] {
        let script = script.arg("--dry-run").arg(option).arg(nowhere);
        let said = fails(script, &[&format!("there is no {what} /nowhere")]);
        assert_eq!(said.stdout, "");
    }
}
