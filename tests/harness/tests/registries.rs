//! Registries, what is pushed to them, and the bad line to one.

use std::thread;

use harness::{
    Fault, FaultyProxy, Image, Outcome, PASSWORD, Registry, Script, USER, home, path_without, tool,
    wait_for,
};

const URL: &str = "https://example.com/windows-base";

fn skopeo(args: &[&str]) -> Script {
    Script::new(tool("skopeo")).args(args)
}

/// Copies from and to registries without TLS.
fn copy(args: &[&str], from: &str, to: &str) -> Outcome {
    skopeo(&["copy", "--src-tls-verify=false", "--dest-tls-verify=false"])
        .args(args)
        .args([from, to].map(|reference| format!("docker://{reference}")))
        .run()
}

#[test]
#[ignore = "needs docker-registry: run tests/run"]
fn holds_what_was_pushed() {
    let registry = Registry::builder()
        .allow_foreign_layers("^https://example[.]com/")
        .start();
    let two = ["amd64", "arm64"];
    let oci = Image::new("one", &two)
        .windows(URL)
        .push_to(&registry, "upstream/one", "v1");
    let docker = Image::new("two", &two)
        .docker()
        .windows(URL)
        .push_to(&registry, "two", "v2");
    let bare = Image::bare("three", "arm64")
        .layers(3, 10_000)
        .push_to(&registry, "three", "v3");

    let expected = [
        ("upstream/one:v1", &oci),
        ("two:v2", &docker),
        ("three:v3", &bare),
    ];
    let digest = |(name, built): (&str, &harness::BuiltImage)| {
        (name.to_owned(), built.manifest.digest.clone())
    };
    assert_eq!(registry.catalog(), expected.map(digest).into());

    for (name, built) in expected {
        let (repository, tag) = name.split_once(':').unwrap();
        let manifest = registry.manifest(repository, tag).unwrap();
        assert_eq!(manifest, built.manifest);
        assert_eq!(registry.platforms(repository, tag), built.platforms);
        for child in manifest.children() {
            assert_eq!(
                registry
                    .manifest(repository, child.as_str())
                    .unwrap()
                    .digest,
                child
            );
        }
    }
    let platforms: Vec<_> = oci.platforms.keys().collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64", "windows/amd64"]);
    assert_eq!(bare.platforms["linux/arm64"].diff_ids.len(), 3);
    assert_eq!(registry.manifest("three", "v4"), None);
}

#[test]
#[ignore = "needs docker-registry, skopeo, openssl: run tests/run"]
fn asks_for_trust_and_password() {
    let source = Registry::start();
    let built = Image::new("secret", &["amd64", "arm64"]).push_to(&source, "secret", "v1");
    let private = Registry::builder().tls().auth().start();

    let copy = |options: &[&str]| {
        skopeo(&["copy", "--all", "--src-tls-verify=false"])
            .args(options)
            .arg(format!("docker://{}/secret:v1", source.address()))
            .arg(format!("docker://{}/team/secret:v1", private.address()))
            .run()
    };
    let certs = format!("--dest-cert-dir={}", private.cert_dir().display());
    let auth = format!("--authfile={}", private.auth_file().display());
    assert!(copy(&[&auth]).expect_code(1).stderr.contains("x509"));
    assert!(
        copy(&[&certs])
            .expect_code(1)
            .stderr
            .contains("authentication required")
    );
    assert!(private.catalog().is_empty());

    copy(&[&certs, &auth]).expect_success();
    copy(&[&certs, &format!("--dest-creds={USER}:{PASSWORD}")]).expect_success();
    let digest = built.manifest.digest.clone();
    assert_eq!(
        private.catalog(),
        [("team/secret:v1".to_owned(), digest)].into()
    );
    assert_eq!(private.platforms("team/secret", "v1"), built.platforms);
}

#[test]
#[ignore = "needs docker-registry, skopeo: run tests/run"]
fn refuses_foreign_layers_unless_told_otherwise() {
    let allowing = || {
        Registry::builder()
            .allow_foreign_layers("^https://")
            .start()
    };
    let (source, stock, kind) = (allowing(), Registry::start(), allowing());
    for (image, tag) in [
        (Image::new("win", &["amd64"]).windows(URL), "oci"),
        (
            Image::new("win", &["amd64"]).windows(URL).docker(),
            "docker",
        ),
    ] {
        let built = image.push_to(&source, "win", tag);
        let name = |registry: &Registry| format!("{}/win:{tag}", registry.address());
        copy(&["--all"], &name(&source), &name(&stock)).expect_code(1);
        assert_eq!(stock.manifest("win", tag), None);
        copy(&["--all"], &name(&source), &name(&kind)).expect_success();
        assert_eq!(kind.manifest("win", tag), Some(built.manifest));
    }
}

#[test]
#[ignore = "needs docker-registry, skopeo: run tests/run"]
fn stands_in_for_an_upstream_host() {
    let (source, mirror) = (Registry::start(), Registry::start());
    let built = Image::new("a", &["amd64"]).push_to(&source, "k8s.gcr.io/sig-storage/a", "v1");
    let home = home([
        ("k8s.gcr.io", source.address()),
        ("quay.io", source.address()),
    ]);
    skopeo(&[
        "copy",
        "--all",
        "--dest-tls-verify=false",
        "docker://k8s.gcr.io/sig-storage/a:v1",
    ])
    .arg(format!("docker://{}/a:v1", mirror.address()))
    .env("HOME", &*home)
    .run()
    .expect_success();
    assert_eq!(mirror.manifest("a", "v1"), Some(built.manifest));
}

#[test]
#[ignore = "needs docker-registry, skopeo: run tests/run"]
fn fails_when_told_and_then_no_more() {
    let (source, mirror) = (Registry::start(), Registry::start());
    Image::new("x", &["amd64"])
        .layers(2, 100_000)
        .push_to(&source, "x", "v1");
    Image::new("y", &["amd64"]).push_to(&source, "y", "v1");
    let (down, up) = (
        FaultyProxy::before(source.address()),
        FaultyProxy::before(mirror.address()),
    );
    let copy = |name: &str| {
        copy(
            &["--all"],
            &format!("{}/{name}:v1", down.address()),
            &format!("{}/{name}:v1", up.address()),
        )
    };
    for (line, part) in [
        (&down, "/v2/x/manifests/v1"),
        (&down, "/v2/x/blobs/"),
        (&up, "/v2/x/blobs/uploads/"),
        (&up, "/v2/x/manifests/v1"),
    ] {
        for fault in [Fault::ServerError, Fault::Cut] {
            let hits = line.hits();
            line.fail(part, fault);
            copy("x").expect_code(1);
            assert!(line.hits() > hits, "nothing met {fault:?} at {part}");
            assert_eq!(mirror.manifest("x", "v1"), None, "{fault:?} at {part}");
            line.heal();
        }
    }
    down.fail("/v2/x/", Fault::ServerError);
    copy("y").expect_success();
    down.heal();
    // A stalled transfer goes on when there is no fault any more.
    down.fail("/v2/x/blobs/", Fault::Stall);
    let hits = down.hits();
    thread::scope(|scope| {
        let stalled = scope.spawn(|| copy("x"));
        wait_for("the stall", || (down.hits() > hits).then_some(()));
        assert_eq!(mirror.manifest("x", "v1"), None);
        down.heal();
        stalled.join().unwrap().expect_success();
    });
    // A fault that comes once is over when it has come.
    down.fail_once("/v2/x/manifests/v1", Fault::Cut);
    copy("x").expect_code(1);
    copy("x").expect_success();
    assert_eq!(mirror.catalog(), source.catalog());
    assert_eq!(mirror.platforms("x", "v1"), source.platforms("x", "v1"));
}

#[test]
#[ignore = "needs skopeo: run tests/run"]
fn a_path_can_lack_a_tool() {
    tool("skopeo");
    let path = path_without(&["skopeo"]);
    let outcome = Script::new(tool("sh"))
        .args(["-c", "command -v cat && command -v skopeo"])
        .env("PATH", &*path)
        .run();
    assert!(outcome.expect_code(127).stdout.ends_with("/cat\n"));
}
