//! What needs nothing but a shell: folders, scripts, images as bytes.

use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use harness::{Digest, Image, Scratch, Script, home, tool};

fn sh(script: &str) -> Script {
    Script::new(tool("sh")).args(["-c", script])
}

/// What a panic says.
fn panic_of<T>(action: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(action))
        .err()
        .expect("it panics");
    payload
        .downcast_ref::<String>()
        .expect("it has a message")
        .clone()
}

#[test]
fn a_missing_tool_says_how_to_install_it() {
    let message = panic_of(|| tool("no-such-tool"));
    assert!(
        message.contains("`no-such-tool`") && message.contains("tests/run"),
        "{message}"
    );
}

#[test]
fn a_folder_goes_with_its_guard() {
    let folder = Scratch::new("folder");
    let file = folder.write("a/b.txt", "text");
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
    let path = folder.to_path_buf();
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn a_script_has_an_outcome() {
    let outcome = sh("echo out; echo err >&2; exit 3").run().expect_code(3);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", "err\n"));
    let message = panic_of(|| outcome.expect_success());
    assert!(
        message.contains("expected exit code 0") && message.contains("err"),
        "{message}"
    );
}

#[test]
fn a_script_sees_no_environment_but_its_own() {
    let outcome = sh("env | cut -d= -f1 | sort | tr '\\n' ' '")
        .env("MINE", "1")
        .run();
    let names = outcome.expect_success().stdout;
    assert_eq!(
        names.trim().replace("_ ", ""),
        "HOME LC_ALL MINE PATH PWD TMPDIR"
    );
}

#[test]
fn a_script_can_be_interrupted_terminated_killed_and_too_slow() {
    let trap = "trap 'echo cleaned; exit 130' INT; echo begun; sleep 100 & wait";
    let running = sh(trap).spawn();
    assert!(running.wait_for_output("begun"));
    running.interrupt();
    assert!(running.finish().expect_code(130).stdout.contains("cleaned"));

    let trap_by_itself =
        "trap 'exit 143' TERM; (trap 'echo asked' TERM; echo begun; sleep 1) & wait";
    let running = sh(trap_by_itself).spawn();
    assert!(running.wait_for_output("begun"));
    running.terminate();
    assert_eq!(running.finish().expect_code(143).stdout, "begun\n");

    let running = sh(trap).spawn();
    assert!(running.wait_for_output("begun"));
    running.kill();
    assert_eq!(running.finish().status.code(), None);

    let begun = Instant::now();
    let slow = sh("echo before; exec sleep 100").limit(Duration::from_millis(300));
    assert!(panic_of(|| slow.run()).contains("before"));
    assert!(begun.elapsed() < Duration::from_secs(50));

    assert!(!sh("echo this").spawn().wait_for_output("that"));
}

#[test]
fn a_home_sends_upstream_hosts_elsewhere() {
    let home = home([
        ("k8s.gcr.io", "127.0.0.1:5000"),
        ("quay.io", "127.0.0.1:5001"),
        ("registry.example:5000", "127.0.0.1:5002"),
    ]);
    let conf = fs::read_to_string(home.join(".config/containers/registries.conf")).unwrap();
    for line in [
        "prefix = \"k8s.gcr.io\"",
        "location = \"127.0.0.1:5001/quay.io\"",
        "prefix = \"registry.example:5000\"",
        "location = \"127.0.0.1:5002/registry.example-5000\"",
    ] {
        assert!(conf.contains(line), "{conf}");
    }
}

#[test]
fn an_image_is_the_same_every_time_and_unlike_any_other() {
    let image = Image::new("one", &["amd64", "arm64"]).layers(2, 1000);
    let built = image.build();
    assert_eq!(built.manifest, image.build().manifest);
    assert_eq!(built.manifest.digest, Digest::of(&built.manifest.bytes));
    assert_eq!(built.manifest.children().len(), 2);
    assert_ne!(
        built.platforms["linux/amd64"],
        built.platforms["linux/arm64"]
    );
    let other = Image::new("two", &["amd64"]).layers(2, 1000).build();
    assert_ne!(
        built.platforms["linux/amd64"],
        other.platforms["linux/amd64"]
    );
    // The older form wraps the same content.
    assert_ne!(
        image.clone().docker().build().manifest.digest,
        built.manifest.digest
    );
    assert_eq!(
        image.docker().build().platforms["linux/amd64"].diff_ids,
        built.platforms["linux/amd64"].diff_ids
    );
}

#[test]
fn an_archive_is_what_docker_save_writes() {
    let folder = Scratch::new("archive");
    let file = folder.join("image.tar");
    let image = Image::bare("one", "arm64").layers(2, 5000);
    let identity = image.save(&file, &["one:1"]);
    assert_eq!(identity, image.build().platforms["linux/arm64"]);

    let mut files = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(fs::File::open(&file).unwrap())
        .entries()
        .unwrap()
    {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let manifest = &manifest[0];
    assert_eq!(manifest["RepoTags"], serde_json::json!(["one:1"]));
    let bytes = |name: &serde_json::Value| &files[name.as_str().unwrap()];
    assert_eq!(Digest::of(bytes(&manifest["Config"])), identity.config);
    let layers = manifest["Layers"].as_array().unwrap().iter();
    let digests: Vec<_> = layers.map(|name| Digest::of(bytes(name))).collect();
    assert_eq!(digests, identity.diff_ids);

    let two = Image::new("two", &["amd64", "arm64"]);
    assert!(panic_of(|| two.save(&file, &["two:1"])).contains("not one architecture"));
}
