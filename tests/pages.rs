//! The commands of a generated page, run as they stand there: an operator copies them, and so does
//! this.

mod support;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use harness::{Containerd, Dockerd, Podman, Registry, Scratch, Script, tool};
use serde_json::{Value, json};
use support::helm::{Helm, chart};
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

/// Every block of a page, in whole, for the minor of these tests.
const VARIABLES: &str = r"PACKAGE=/path/to/the/unpacked/package
ARCH=amd64
MIRROR=registry.example:5000/csi
";
const PUSH: &str = r#"./push.sh --package "$PACKAGE" "$MIRROR"
"#;
const PRINT_VALUES: &str = r#"./push.sh --print-values "$MIRROR" > values-mirror.yaml
"#;
const PULL: &str = r#"./pull.sh --arch "$ARCH" --package "$PACKAGE"
"#;
const PUSH_ARCHIVE: &str = r#"./push.sh --archive huawei-csi-4.5.0-k8s-1.27-"$ARCH".tar "$MIRROR"
"#;
const SYNC: &str = r#"skopeo sync --all --preserve-digests --remove-signatures --scoped --src yaml --dest docker skopeo-sync.yaml "$MIRROR"
"#;
const PUSH_SECURED: &str = r#"skopeo login --authfile auth.json --cert-dir certs "${MIRROR%%/*}"
./push.sh --authfile auth.json --cert-dir certs --package "$PACKAGE" "$MIRROR"
"#;
const SECRET: &str = r#"kubectl --namespace huawei-csi create secret generic mirror-pull --type kubernetes.io/dockerconfigjson --from-file .dockerconfigjson=auth.json
kubectl --namespace huawei-csi patch serviceaccount huawei-csi-controller --patch '{"imagePullSecrets": [{"name": "mirror-pull"}]}'
kubectl --namespace huawei-csi rollout restart Deployment/huawei-csi-controller
kubectl --namespace huawei-csi patch serviceaccount huawei-csi-node --patch '{"imagePullSecrets": [{"name": "mirror-pull"}]}'
kubectl --namespace huawei-csi rollout restart DaemonSet/huawei-csi-node
"#;
const IMPORT: &str = "./import.sh\n";
const PODMAN_LOAD: &str = r#"podman load -i huawei-csi-4.5.0-k8s-1.27-"$ARCH".tar
"#;
const DOCKER_LOAD: &str = r#"docker load -i huawei-csi-4.5.0-k8s-1.27-"$ARCH".tar
"#;
const INVENTORY: &str = "cp inventory.example.yaml inventory.yaml\n";
const IMPORT_NODES: &str =
    "ansible-playbook --inventory inventory.yaml --forks 20 import-nodes.yaml\n";
const HELM: &str = r#"helm install helm-huawei-csi "$PACKAGE"/helm/esdk --namespace huawei-csi --create-namespace --values values.yaml
"#;
const HELM_MIRROR: &str = r#"helm install helm-huawei-csi "$PACKAGE"/helm/esdk --namespace huawei-csi --create-namespace --values values.yaml --values values-mirror.yaml
"#;
/// Of Kubernetes 1.16; `tests/helm.rs` runs it.
const STEPS: &str = r#"cp -RL "${PACKAGE:?}"/helm/esdk/. ./chart
rm -r ./chart/crds/snapshot-crds
"#;
const HELM_COPY: &str = r"helm install helm-huawei-csi ./chart --namespace huawei-csi --create-namespace --values values.yaml
";
const HELM_COPY_MIRROR: &str = r"helm install helm-huawei-csi ./chart --namespace huawei-csi --create-namespace --values values.yaml --values values-mirror.yaml
";
/// Of the page that leads to the others. It asks a cluster, so no test runs it.
const VERSION: &str = "kubectl version\n";
const ALL: [&str; 18] = [
    VARIABLES,
    PUSH,
    PRINT_VALUES,
    PULL,
    PUSH_ARCHIVE,
    SYNC,
    PUSH_SECURED,
    SECRET,
    IMPORT,
    PODMAN_LOAD,
    DOCKER_LOAD,
    INVENTORY,
    IMPORT_NODES,
    HELM,
    HELM_MIRROR,
    STEPS,
    HELM_COPY,
    HELM_COPY_MIRROR,
];

/// Requires that the page has a block, and gives it.
fn block<'b>(page: &str, block: &'b str) -> &'b str {
    assert!(blocks(page).contains(&block), "not on the page:\n{block}");
    block
}

/// What an operator's shell runs: the page's variables with the operator's values, and blocks.
fn commands(world: &World, kit: &Scratch, mirror: &str, blocks: &[&str]) -> PathBuf {
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let mut lines = vec!["set -eu".to_owned()];
    for line in block(page, VARIABLES).lines() {
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
    let mut seen = BTreeSet::new();
    for (path, file) in tree.files.iter().filter(|(path, _)| path.ends_with(".md")) {
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        for block in blocks(&file.text)
            .into_iter()
            .filter(|block| *block != VERSION)
        {
            let block = block.replace(&format!("{folder}-"), &format!("k8s-{MINOR}-"));
            assert!(ALL.contains(&block.as_str()), "{path}: {block}");
            seen.insert(block);
        }
    }
    assert_eq!(seen.len(), ALL.len());
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn the_first_way_of_a_page_fills_a_registry() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let run = |kit: &Scratch, mirror: &Registry, wanted: &[&str]| {
        let blocks: Vec<_> = wanted.iter().map(|text| block(page, text)).collect();
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
    run(&kit, &mirror, &[PUSH, PRINT_VALUES]);
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
    run(&kit, &mirror, &[PULL, PUSH_ARCHIVE]);
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    assert_eq!(filled, places(&world));

    // With skopeo alone: what is in a registry.
    let (kit, mirror) = (world.copy_of_kit(MINOR), tls());
    run(&kit, &mirror, &[SYNC]);
    let vendor = |place: &String| !place.contains('/');
    let filled: BTreeSet<_> = mirror.catalog().into_keys().collect();
    let pulled = places(&world).into_iter().filter(|place| !vendor(place));
    assert_eq!(filled, pulled.collect());
}

#[test]
#[ignore = "needs skopeo, docker-registry and openssl; tests/run brings them and runs this"]
fn the_first_way_of_a_page_fills_a_registry_with_a_password() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let (kit, mirror) = (
        world.copy_of_kit(MINOR),
        Registry::builder().tls().auth().start(),
    );
    fs::create_dir(kit.join("certs")).expect("created");
    fs::copy(mirror.cert_dir().join("ca.crt"), kit.join("certs/ca.crt")).expect("copied");
    let block = block(page, PUSH_SECURED);
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
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
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
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let kit = world.copy_of_kit(MINOR);
    let run = |text: &str| {
        shell(&world, &kit, "unused.example", &[block(page, text)]).env("HOME", &*world.home)
    };
    let _ = run(PULL).run().expect_success();
    let node = Containerd::start();
    let _ = run(IMPORT).envs(node.env()).run().expect_success();
    for name in world.names(MINOR) {
        assert!(node.images()[&name].complete, "{name}");
    }
    let podman = Podman::start();
    let _ = run(PODMAN_LOAD).envs(podman.env()).run().expect_success();
    assert_eq!(
        podman.images().into_keys().collect::<BTreeSet<_>>(),
        world.names(MINOR)
    );
    let docker = Dockerd::start();
    let _ = run(DOCKER_LOAD).envs(docker.env()).run().expect_success();
    assert_eq!(docker.images().len(), world.names(MINOR).len());
}

/// The inventory is the operator's: a node of it here is one of the harness's.
#[test]
#[ignore = "needs Ansible, skopeo and containerd; tests/run brings them and runs this"]
fn the_second_way_of_a_page_imports_on_many_nodes() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let kit = world.copy_of_kit(MINOR);
    let run = |text: &str| shell(&world, &kit, "unused.example", &[block(page, text)]);
    let _ = run(PULL).run().expect_success();
    let _ = run(INVENTORY).run().expect_success();
    let example = text(&world.tree, &format!("k8s-{MINOR}/inventory.example.yaml"));
    let copied = fs::read_to_string(kit.join("inventory.yaml")).expect("copied");
    assert_eq!(copied, example);
    let (node, folder) = (Containerd::start(), Scratch::new("folder"));
    let host = json!({
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_remote_tmp": &*folder,
        "images_containerd": node.address(),
        "images_folder": &*folder,
    });
    let inventory = json!({"all": {"hosts": {"node": host}}});
    kit.write("inventory.yaml", inventory.to_string());
    let _ = run(IMPORT_NODES).run().expect_success();
    world.expect_complete(&node, MINOR, "amd64");
}

/// What a stand-in for a tool was told, call by call.
fn calls(folder: &Scratch, tool: &str) -> Vec<Vec<String>> {
    let told = fs::read_to_string(folder.join(format!("{tool}.told"))).expect("called");
    let call = |call: &str| call.lines().map(str::to_owned).collect();
    told.split_terminator("\u{4}\n").map(call).collect()
}

/// There is no cluster here. So what the two programs are told is held against what the chart renders
/// to: the names of what a page patches and restarts are the chart's.
#[test]
#[ignore = "needs the Helm engine and skopeo; tests/run brings them and runs this"]
fn what_a_page_tells_helm_and_kubectl_fits_the_chart() {
    let world = World::start(false);
    let page = text(&world.tree, &format!("k8s-{MINOR}/START-HERE.md"));
    let kit = world.copy_of_kit(MINOR);
    let (tools, copy) = (Scratch::new("tools"), world.package.join("helm/esdk"));
    fs::create_dir_all(&copy).expect("created");
    support::project::copy(&chart(), &copy);
    for tool in ["helm", "kubectl"] {
        tools.program(
            tool,
            r#"printf '%s\n' "$@" >>"$0.told"; printf '\004\n' >>"$0.told""#,
        );
    }
    let mut search = vec![tools.to_path_buf()];
    search.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let wanted = [PRINT_VALUES, HELM, HELM_MIRROR, SECRET].map(|text| block(page, text));
    let mirror = "mirror.example:5000/team";
    let _ = shell(&world, &kit, mirror, &wanted)
        .env("PATH", env::join_paths(search).expect("no colon"))
        .run()
        .expect_success();

    // What Helm would install, by the files and the chart that the page names.
    let mut helm = Helm::start();
    let mut rendered = Vec::new();
    for call in calls(&tools, "helm") {
        let [install, release, chart, rest @ ..] = &call[..] else {
            panic!("{call:?}")
        };
        assert_eq!((&**install, &**release), ("install", "helm-huawei-csi"));
        let (options, values) = rest.split_at(3);
        assert_eq!(options, ["--namespace", "huawei-csi", "--create-namespace"]);
        let values: Vec<_> = values
            .chunks(2)
            .map(|pair| {
                assert_eq!(pair[0], "--values");
                fs::read_to_string(kit.join(&pair[1])).expect("a file of the kit")
            })
            .collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        rendered.push(helm.render(Path::new(chart), &values));
    }
    let [on_nodes, from_mirror] = &rendered[..] else {
        panic!("{} calls", rendered.len())
    };
    let plan = world.plan(MINOR);
    for image in &plan.images {
        let off = plan.off_by_default.iter();
        let on = !off.map(|off| &off.reference).any(|r| *r == image.reference);
        let place = format!("{mirror}/{}", image.scoped);
        assert_eq!(on_nodes.images().contains(&image.name), on);
        assert_eq!(from_mirror.images().contains(&place), on);
    }

    // What kubectl is told to patch and restart.
    let names = |kinds: &[&str]| -> BTreeSet<String> {
        let documents = from_mirror.documents.iter();
        let documents = documents.filter(|document| kinds.iter().any(|k| document["kind"] == *k));
        documents
            .map(|document| {
                assert_eq!(document["metadata"]["namespace"], "huawei-csi");
                let field = |value: &Value| value.as_str().expect("text").to_owned();
                let (kind, name) = (&document["kind"], &document["metadata"]["name"]);
                format!("{}/{}", field(kind), field(name))
            })
            .collect()
    };
    let (mut accounts, mut workloads, mut secrets) =
        <(BTreeSet<_>, BTreeSet<_>, Vec<_>)>::default();
    for call in calls(&tools, "kubectl") {
        assert_eq!(call[..2], ["--namespace", "huawei-csi"], "{call:?}");
        match &call.iter().map(String::as_str).collect::<Vec<_>>()[2..] {
            [
                "create",
                "secret",
                "generic",
                name,
                "--type",
                kind,
                "--from-file",
                file,
            ] => {
                assert_eq!(*kind, "kubernetes.io/dockerconfigjson");
                assert_eq!(*file, ".dockerconfigjson=auth.json");
                secrets.push(name.to_string());
            }
            ["patch", "serviceaccount", name, "--patch", patch] => {
                let patch: Value = serde_json::from_str(patch).expect("JSON");
                let wanted = json!({"imagePullSecrets": [{"name": secrets[0]}]});
                assert_eq!(patch, wanted);
                accounts.insert(format!("ServiceAccount/{name}"));
            }
            ["rollout", "restart", workload] => {
                workloads.insert(workload.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(accounts, names(&["ServiceAccount"]));
    assert_eq!(
        workloads,
        names(&["Deployment", "DaemonSet", "StatefulSet"])
    );
}
