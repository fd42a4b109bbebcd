//! Nothing stays behind: not after a test, not after a panic, not after a kill.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use harness::{
    Containerd, Dockerd, FaultyProxy, Image, Podman, Registry, Running, Scratch, Script, SmallDisk,
    tool, wait_for,
};

/// Tells the test `victim`, which runs in a process of its own, how to end.
const END: &str = "HARNESS_VICTIM_END";

/// What it prints, with the folder of its process, once it runs what is to be cleared up.
const READY: &str = "victim ready in ";

const ON_PURPOSE: &str = "a panic on purpose";

/// One of everything.
fn everything() -> impl Sized {
    let registry = Registry::builder().tls().auth().start();
    let proxy = FaultyProxy::before(registry.address());
    let node = Containerd::start();
    let disk = SmallDisk::new(16);
    let full_node = Containerd::start_on(&disk);
    let (podman, docker) = (Podman::start(), Dockerd::start());
    let folder = Scratch::new("folder");
    let archive = folder.join("image.tar");
    Image::bare("image", "amd64").save(&archive, &["example.com/image:1"]);
    for node in [&node, &full_node] {
        node.ctr(&[
            "images",
            "import",
            archive.to_str().expect("a scratch path is UTF-8"),
        ]);
    }
    podman.load(&archive).expect_success();
    docker.load(&archive).expect_success();
    (
        registry,
        proxy,
        node,
        full_node,
        podman,
        docker,
        folder,
        sleeper(),
        SmallDisk::new(1),
    )
}

/// A script with a child that does not end when asked to.
fn sleeper() -> Running {
    let script = Script::new(tool("sh")).args([
        "-c",
        "trap '' INT TERM; echo ready; sleep 1000 & sleep 1000; sleep 1000",
    ]);
    let running = script.spawn();
    assert!(running.wait_for_output("ready"));
    running
}

/// Not a test by itself: the others start it in a process of its own.
#[test]
#[ignore = "part of other tests: run tests/run"]
fn victim() {
    let Ok(end) = env::var(END) else { return };
    let folder = Scratch::new("own");
    let root = folder
        .parent()
        .expect("it is in the folder of this process");
    match end.as_str() {
        "panic" => {
            let all = || {
                let _all = everything();
                panic!("{ON_PURPOSE}");
            };
            let payload = catch_unwind(AssertUnwindSafe(all)).unwrap_err();
            assert_eq!(payload.downcast_ref::<String>().unwrap(), ON_PURPOSE);
            // Without the keeper's help:
            let left = fs::read_dir(root)
                .unwrap()
                .map(|entry| entry.unwrap().path());
            let expected = [folder.to_path_buf(), root.join("groups")];
            assert_eq!(left.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
            assert_eq!(fs::read_dir(root.join("groups")).unwrap().count(), 0);
            assert_eq!(mounts(root), Vec::<String>::new());
            let processes = processes(root);
            assert!(
                processes.len() == 1 && processes[0].contains("keeper"),
                "{processes:?}"
            );
        }
        "kill a script" => mem::forget(sleeper()),
        "kill everything" => mem::forget(everything()),
        other => panic!("no such end: {other}"),
    }
    println!("\n{READY}{}", root.display());
    if end != "panic" {
        sleep(Duration::from_secs(1000));
    }
}

/// Runs `victim` to the given end and checks that nothing of it is left.
fn nothing_is_left_after(end: &str) {
    let victim = Script::new(env::current_exe().unwrap())
        .args(["victim", "--exact", "--include-ignored", "--nocapture"])
        .env(END, end)
        .env("TMPDIR", env::temp_dir())
        .spawn();
    let ready = victim.wait_for_output(READY);
    if end != "panic" {
        victim.kill();
    }
    let outcome = victim.finish();
    assert!(ready, "{outcome}");
    assert!(end != "panic" || outcome.status.success(), "{outcome}");
    let root = outcome
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix(READY))
        .unwrap();
    let root = Path::new(root);
    wait_for("the keeper to clear up", || {
        let clean = !root.exists() && processes(root).is_empty() && mounts(root).is_empty();
        clean.then_some(())
    });
}

#[test]
fn nothing_is_left_of_a_script_after_a_kill() {
    nothing_is_left_after("kill a script");
}

#[test]
#[ignore = "needs everything: run tests/run"]
fn nothing_is_left_after_a_panic() {
    nothing_is_left_after("panic");
}

#[test]
#[ignore = "needs everything: run tests/run"]
fn nothing_is_left_after_a_kill() {
    nothing_is_left_after("kill everything");
}

/// The command lines of all processes that speak of `root`.
fn processes(root: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let line = |process: fs::DirEntry| fs::read(process.path().join("cmdline")).ok();
    let lines = all
        .filter_map(line)
        .map(|line| String::from_utf8_lossy(&line).into_owned());
    lines
        .filter(|line| line.contains(root.to_str().unwrap()))
        .collect()
}

/// The mounts below `root`.
fn mounts(root: &Path) -> Vec<String> {
    let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let below = all
        .lines()
        .filter(|line| line.contains(root.to_str().unwrap()));
    below.map(str::to_owned).collect()
}
