//! Many nodes at once: the generated playbook, unchanged, under the real Ansible. A containerd of
//! the harness stands in for each node. To Ansible a node is a host with a local connection, where
//! it becomes root as it does on a real one.

mod support;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::{Containerd, ContainerdConfig, ISOLATE, Outcome, Scratch, Script, SmallDisk, tool};
use serde_json::{Value, json};
use support::{huawei, python_tool, rendered, text};
use world::World;

const MINOR: &str = "1.27";

/// The oldest Ansible that the playbook is for: Debian's.
fn oldest() -> PathBuf {
    tool("ansible-playbook")
}

/// A newer one, which is stricter about templates.
fn newer() -> PathBuf {
    python_tool("ansible-playbook")
}

/// A node as the inventory describes it. Who becomes root there has the node's own `/run`.
fn host(node: &Containerd, architecture: &str, folder: &Path) -> Value {
    let words = ISOLATE.map(|word| format!("'{word}'")).join(" ");
    let su = format!(
        "#!/bin/sh\n: >'{0}/became'\nRUN_FOLDER='{0}' exec unshare {words} su \"$@\"\n",
        node.run().display()
    );
    let file = node.run().join("su");
    fs::write(&file, su).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
    json!({
        "ansible_become_exe": file,
        "images_arch": architecture,
        "images_containerd": node.address(),
        "images_folder": folder,
    })
}

/// Runs the minor's playbook on these hosts.
fn play(world: &World, ansible: PathBuf, arguments: &[&str], hosts: &Value) -> Outcome {
    play_for(MINOR, world, ansible, arguments, hosts)
}

fn play_for(
    minor: &str,
    world: &World,
    ansible: PathBuf,
    arguments: &[&str],
    hosts: &Value,
) -> Outcome {
    let scratch = Scratch::new("ansible");
    let vars = json!({
        "ansible_connection": "local",
        "ansible_become_method": "su", // which every machine has
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_remote_tmp": &*scratch,
    });
    let inventory = json!({"all": {"vars": vars, "hosts": hosts}});
    Script::new(ansible)
        // Who is root already becomes root all the same.
        .env("ANSIBLE_BECOME_ALLOW_SAME_USER", "true")
        .arg("--inventory")
        .arg(scratch.write("inventory.yaml", inventory.to_string()))
        .args(arguments)
        .arg(world.kit(minor).join("import-nodes.yaml"))
        .run()
}

/// The lines that the playbook reports at its end.
#[track_caller]
fn report(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout.lines();
    let lines = lines
        .skip_while(|line| !line.ends_with("\"msg\": ["))
        .skip(1);
    let lines = lines.take_while(|line| line.trim() != "]");
    let text = |line: &str| serde_json::from_str(line.trim().trim_end_matches(','));
    let lines: Result<_, _> = lines.map(text).collect();
    lines.unwrap_or_else(|error| panic!("{error}\n{outcome}"))
}

/// How often Ansible counted something for a host.
#[track_caller]
fn count(outcome: &Outcome, host: &str, what: &str) -> u32 {
    let mut lines = outcome.stdout.lines().rev();
    let line = lines.find(|line| line.split(' ').next() == Some(host));
    let field = line.and_then(|line| line.split_once(&format!(" {what}=")));
    let number = field.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {what} of {host}\n{outcome}"))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}

#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn a_node_that_is_short_is_named_stops_no_other_and_is_finished_later() {
    let world = World::start(false);
    let archives = Scratch::new("архив 存档");
    world.pull(MINOR, "amd64", &archives);
    world.pull(MINOR, "arm64", &archives);
    let [arm, full, x86] = [(); 3].map(|()| Containerd::start());
    let mut broken = Containerd::start();
    broken.stop();
    let disk = SmallDisk::new(1);
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 1000 << 10]).expect("written");
    let folder = Scratch::new("a node's folder");
    let below = |name: &str| {
        fs::create_dir(folder.join(name)).expect("created");
        folder.join(name)
    };
    let ssh = folder.write("ssh", "#!/bin/sh\necho no route to host >&2\nexit 255\n");
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("set");
    // A node that is lost as soon as it has the folder for the archive.
    let losing = Containerd::start();
    let mut lost = host(&losing, "amd64", &below("lost"));
    let body = format!(
        r#"for command; do :; done
        [ -z "$(ls "{}")" ] || exec "{}"
        exec sh -c "$command""#,
        folder.join("lost").display(),
        ssh.display()
    );
    lost["ansible_connection"] = json!("ssh");
    lost["ansible_ssh_executable"] = json!(folder.program("losing", &body));
    lost["ansible_ssh_transfer_method"] = json!("piped");
    let mut hosts = json!({
        "arm": host(&arm, "arm64", &below("arm")),
        "broken": host(&broken, "amd64", &below("broken")),
        "full": host(&full, "amd64", disk.path()),
        "gone": {"ansible_connection": "ssh", "ansible_ssh_executable": ssh},
        "lost": lost,
        "x86": host(&x86, "amd64", &below("x86")),
    });
    let beside = json!({"images_archives": *archives}).to_string();

    // In batches of one the full node is a batch that fails as a whole, before x86 has its turn.
    let batches = ["--extra-vars", &beside, "--extra-vars", "images_batch=1"];
    let first = play(&world, oldest(), &batches, &hosts).expect_code(2);
    let lines = report(&first);
    assert_eq!(lines[..2], ["arm: imported", "x86: imported"], "{first}");
    let imports = "\nPLAY [Import where images are lacking]";
    assert_eq!(first.stdout.matches(imports).count(), 4, "{first}");
    for (node, cause) in [
        ("broken", "error: containerd does not answer"),
        ("full", "No space left on device"),
        ("gone", "no route to host"),
        ("lost", "no route to host"),
    ] {
        let short = format!("{node}: SHORT");
        let after = lines.iter().skip_while(|line| **line != short).nth(1);
        assert!(after.is_some_and(|line| line.contains(cause)), "{first}");
        assert_eq!(count(&first, node, "failed"), 1, "{first}");
    }
    world.expect_complete(&arm, MINOR, "arm64");
    world.expect_complete(&x86, MINOR, "amd64");
    assert!(full.images().is_empty());
    for name in ["arm", "broken", "x86"] {
        assert!(is_empty(&folder.join(name)), "no copy is left on {name}");
    }
    assert_eq!(fs::read_dir(disk.path()).expect("a folder").count(), 1);

    // The causes are gone. On the complete nodes no folder can be made now, so nothing can be copied.
    broken.restart();
    fs::remove_file(filler).expect("removed");
    let hosts = hosts.as_object_mut().expect("an object");
    hosts.remove("gone");
    hosts.remove("lost");
    for node in ["arm", "x86"] {
        hosts[node]["images_folder"] = json!(ssh);
    }
    let before = [arm.images(), x86.images()];
    let second = play(&world, newer(), &["--extra-vars", &beside], &json!(hosts)).expect_success();
    let there = [
        "arm: every image was there",
        "broken: imported",
        "full: imported",
        "x86: every image was there",
    ];
    assert_eq!(report(&second), there, "{second}");
    for node in ["arm", "x86"] {
        assert_eq!(count(&second, node, "changed"), 0, "{second}");
    }
    assert_eq!([arm.images(), x86.images()], before);
    world.expect_complete(&broken, MINOR, "amd64");
    world.expect_complete(&full, MINOR, "amd64");
}

#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn what_the_archive_lacks_comes_from_the_vendors_package() {
    let world = World::start(false);
    let node = Containerd::start();
    let folder = Scratch::new("a node's folder");
    let hosts = json!({"node": host(&node, "amd64", &folder)});

    // Nothing is here to be copied.
    let said = play(&world, oldest(), &[], &hosts).expect_code(2);
    assert_eq!(report(&said)[0], "node: SHORT", "{said}");
    assert!(
        report(&said)[1].contains("k8s-1.27-amd64.tar: pull.sh makes it"),
        "{said}"
    );

    // An archive without the vendor's images, where the playbook is.
    let pull = world.script(MINOR, "pull.sh").args(["--arch", "amd64"]);
    let _ = pull
        .arg("--output")
        .arg(world.kit(MINOR))
        .run()
        .expect_success();
    let became = node.run().join("became");
    fs::remove_file(&became).expect("removed");
    let said = play(&world, newer(), &["--check"], &hosts).expect_code(2);
    assert!(became.exists(), "root asks: {said}");
    let lacks = "node: 11 of 11 images of Kubernetes 1.27 are missing or not pinned";
    assert_eq!(report(&said), [lacks], "{said}");
    assert_eq!(count(&said, "node", "changed"), 0, "{said}");
    assert!(node.images().is_empty() && is_empty(&folder));
    let said = play(&world, oldest(), &[], &hosts).expect_code(2);
    let lacks = "      huawei-csi:4.5.0: it is not in the archive, but in the vendor's package: give images_package";
    assert!(report(&said).iter().any(|line| line == lacks), "{said}");

    // The vendor's package, which has its archives in a folder; one was taken out of it.
    let package = Scratch::new("the vendor's package");
    fs::rename(world.package.join("image"), package.join("image")).expect("moved");
    let one = "huawei-csi-v4.5.0-X86.tar";
    fs::rename(package.join("image").join(one), package.join(one)).expect("moved");
    let beside = json!({"images_package": *package}).to_string();
    let said = play(&world, newer(), &["--extra-vars", &beside], &hosts).expect_success();
    assert_eq!(report(&said), ["node: imported"], "{said}");
    let lock = node.run().join("huawei-csi-import.lock");
    assert!(lock.exists(), "root imports: {said}");
    world.expect_complete(&node, MINOR, "amd64");
    let said = play(&world, oldest(), &["--check"], &hosts).expect_success();
    assert_eq!(report(&said), ["node: every image was there"], "{said}");
    assert!(is_empty(&folder));
}

/// Ansible reads such a name as a pattern where it may.
#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn a_node_of_any_name_gets_its_images_or_fails() {
    let world = World::start(false);
    world.pull(MINOR, "amd64", &world.kit(MINOR));
    for ansible in [oldest(), newer()] {
        let folder = Scratch::new("folder");
        let names = ["rack1:worker1", "worker 1", "a,b", "!c"];
        let nodes = names.map(|name| (name, Containerd::start()));
        let hosts = nodes
            .iter()
            .map(|(name, node)| (*name, host(node, "amd64", &folder)));
        let hosts: Value = hosts.collect();

        // Whatever keeps the import from a node, its absence is no success.
        let late = [
            "--start-at-task",
            "Note that the import did not come to the node",
        ];
        let said = play(&world, ansible.clone(), &late, &hosts).expect_code(2);
        for name in names {
            assert!(report(&said).contains(&format!("{name}: SHORT")), "{said}");
        }
        let done = play(&world, ansible, &["--forks", "3"], &hosts).expect_success();
        for (name, node) in &nodes {
            assert!(
                report(&done).contains(&format!("{name}: imported")),
                "{done}"
            );
            world.expect_complete(node, MINOR, "amd64");
        }
    }
}

/// What is missing on this host, or was written wrongly, is said before a node gets anything, in the
/// words of the playbook.
#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn what_is_wrong_here_is_said_before_a_node_gets_anything() {
    let world = World::start(false);
    let archives = Scratch::new("archives");
    let archive = world.pull(MINOR, "amd64", &archives);
    let (mut node, folder) = (Containerd::start(), Scratch::new("folder"));
    let mut hosts = json!({"node": host(&node, "amd64", &folder)});
    let refused = |ansible: PathBuf, beside: Value, hosts: &Value, cause: &str| {
        let arguments = ["--extra-vars", &beside.to_string()];
        let said = play(&world, ansible, &arguments, hosts).expect_code(2);
        let lines = report(&said);
        assert_eq!(lines[0], "node: SHORT", "{said}");
        assert!(lines[1..].iter().any(|l| l.contains(cause)), "{said}");
    };
    let beside = || json!({"images_archives": *archives});

    for ansible in [oldest(), newer()] {
        let nobody = play(&world, ansible, &[], &json!({})).expect_code(2);
        assert!(
            nobody.stdout.contains("no node in the inventory"),
            "{nobody}"
        );
    }
    let sum = archive.with_extension("tar.sha256");
    let kept = fs::read(&sum).expect("readable");
    fs::remove_file(&sum).expect("removed");
    refused(newer(), beside(), &hosts, "k8s-1.27-amd64.tar.sha256: ");
    fs::write(&sum, &kept[1..]).expect("written");
    let here = format!("{} is truncated or altered", archive.display());
    refused(oldest(), beside(), &hosts, &here);
    fs::write(&sum, kept).expect("written");
    let package = json!({"images_archives": *archives, "images_package": "/nowhere"});
    let names_it = "there is no folder /nowhere: images_package names it";
    refused(oldest(), package, &hosts, names_it);

    hosts["node"]["images_folder"] = json!(folder.join("above/nowhere"));
    refused(
        newer(),
        beside(),
        &hosts,
        "on the node: images_folder names it",
    );
    hosts["node"]["images_folder"] = json!(*folder);
    hosts["node"]["ansible_python_interpreter"] = json!("/nowhere/python3");
    for ansible in [oldest(), newer()] {
        refused(ansible, beside(), &hosts, "/nowhere/python3: not found");
    }
    let hosts = json!({"node": host(&node, "amd64", &folder)});
    node.stop();
    refused(newer(), beside(), &hosts, "images_containerd says where");
    assert!(is_empty(&folder));

    node.restart();
    let arguments = ["--extra-vars", &beside().to_string()];
    let done = play(&world, oldest(), &arguments, &hosts).expect_success();
    assert_eq!(report(&done), ["node: imported"], "{done}");
    world.expect_complete(&node, MINOR, "amd64");
}

/// Every import of a batch waits for the others to begin, so one after the other would never end. The
/// nodes have no `ctr` but that of k3s.
#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn the_nodes_of_a_batch_import_at_once() {
    let world = World::start(false);
    let archives = Scratch::new("archives");
    world.pull(MINOR, "amd64", &archives);
    let (meeting, folder) = (Scratch::new("meeting"), Scratch::new("folder"));
    // One unpacks its images elsewhere, and the inventory says so.
    let native = ContainerdConfig {
        snapshotter: "native",
        ..ContainerdConfig::STOCK
    };
    let nodes = [
        Containerd::start_with(&native),
        Containerd::start(),
        Containerd::start(),
    ];
    let body = format!(
        r#"[ "$1" = ctr ] || exit 64
        shift
        case $* in
            *'images import '*.tar)
                : >'{0}'/$$
                left=600
                until [ "$(ls '{0}' | wc -l)" -eq 3 ]; do
                    left=$((left - 1))
                    [ "$left" -gt 0 ] || exit 1
                    sleep 0.1
                done ;;
        esac
        exec '{1}' "$@""#,
        meeting.display(),
        tool("ctr").display()
    );
    let bin = Scratch::new("bin");
    let k3s = format!("{} ctr", bin.program("k3s", &body).display());
    let mut hosts = json!({});
    for (number, node) in nodes.iter().enumerate() {
        let name = format!("node-{number}");
        fs::create_dir(folder.join(&name)).expect("created");
        let mut host = host(node, "amd64", &folder.join(&name));
        host["images_ctr"] = json!(k3s);
        if number == 0 {
            host["images_snapshotter"] = json!(native.snapshotter);
        }
        hosts[name] = host;
    }
    let beside = json!({"images_archives": *archives}).to_string();
    let arguments = ["--forks", "20", "--extra-vars", &beside];
    let done = play(&world, oldest(), &arguments, &hosts).expect_success();
    assert_eq!(report(&done).len(), 3, "{done}");
    for node in &nodes {
        world.expect_complete(node, MINOR, "amd64");
    }
}

/// No archive can help such a node, and its line in the report says so.
#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn an_arm64_node_on_kubernetes_1_16() {
    let world = World::start(false);
    let (node, folder) = (Containerd::start(), Scratch::new("folder"));
    let hosts = json!({"arm": host(&node, "arm64", &folder)});
    let said = play_for("1.16", &world, newer(), &[], &hosts).expect_code(2);
    let lines = report(&said);
    assert_eq!(lines[0], "arm: SHORT", "{said}");
    let reason = "error: Kubernetes 1.16 cannot be served on arm64, because these images have no";
    assert!(lines[1].contains(reason), "{said}");
    let image = |line: &String| line.trim() == "quay.io/k8scsi/csi-attacher:v1.2.1";
    assert!(lines.iter().any(image), "{said}");
}

#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn the_example_inventory_can_be_read() {
    let (_, tree) = rendered(&huawei());
    let folder = Scratch::new("inventory");
    let file = "inventory.example.yaml";
    let example = folder.write(file, text(&tree, &format!("k8s-{MINOR}/{file}")));
    let list = Script::new(tool("ansible-inventory")).args(["--list", "--inventory"]);
    let listed = list.arg(example).run().expect_success();
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let hosts = &listed["_meta"]["hostvars"];
    assert_eq!(hosts.as_object().map(serde_json::Map::len), Some(5));
    assert_eq!(
        hosts["worker-4.example"]["images_ctr"],
        "/usr/local/bin/k3s ctr"
    );
}
