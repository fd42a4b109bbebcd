//! What registries of other kinds answer: what works with them has to work, and what does not is said
//! in their words, with the side, the deed and the way out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use harness::{AUTH, Answer, FaultyProxy, Image, Registry, Request, Scratch, Script, tool};
use serde_json::json;

use crate::world::World;
use crate::{
    ARCHIVE, MINOR, VICTIM, VICTIM_PATH, WORLD, WithPackage, archive_in, expect_archive,
    expect_mirror, fails, home_with_victim_at, images, others, pull, push, references, support,
};

/// All images in Docker's form, and signatures beside them.
static SIGNED: LazyLock<World> = LazyLock::new(|| {
    let world = World::of(&support::huawei(), |_, image| image.docker());
    for (place, digest) in world.source.catalog() {
        let (repository, _) = place.rsplit_once(':').expect("a tag");
        let manifest = world.source.manifest(repository, digest.as_str());
        for child in manifest.expect("there").children() {
            world.source.sign(repository, &child);
        }
        world.source.sign(repository, &digest);
    }
    world
});

/// An empty registry, whose ways are these.
fn kind(
    ways: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> (Registry, FaultyProxy) {
    let mirror = Registry::start();
    let proxy = FaultyProxy::before(mirror.address());
    proxy.answer(ways);
    (mirror, proxy)
}

/// An archive for arm64.
static OTHER: LazyLock<(Scratch, PathBuf)> = LazyLock::new(|| {
    let folder = Scratch::new("archive");
    let archive = WORLD.pull(MINOR, "arm64", &folder);
    (folder, archive)
});

fn is_tag(request: &Request) -> bool {
    request.path.contains("/manifests/") && !request.path.contains("/manifests/sha256:")
}

fn of_victim(request: &Request) -> bool {
    request.path.contains(VICTIM_PATH)
}

/// Requires that a script fails with one image alone, and gives what is said of it and the help.
#[track_caller]
fn one_fails(script: Script) -> (String, String) {
    let failed = fails(script, &[&format!("missing:\n  {VICTIM}: ")]);
    let (_, said) = failed.stderr.split_once("missing:\n").expect("a summary");
    let (said, help) = said.split_once("\nhelp: ").expect("help");
    assert_eq!(said.lines().count(), 1, "{failed}");
    assert_eq!(help.lines().count(), 1, "{failed}");
    assert!(help.ends_with("then run it again: what is done is not done twice\n"));
    (said.to_owned(), help.to_owned())
}

#[track_caller]
fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in {text}");
}

/// A login of the harness's user for a registry behind a proxy.
fn login(folder: &Scratch, address: &str, auth: &str) -> PathBuf {
    let login = json!({"auths": {address: {"auth": auth}}});
    folder.write("auth.json", login.to_string())
}

/// Whatever a registry says of a name that it does not have yet, an image can be pushed there.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_name_that_a_registry_does_not_know_yet() {
    let from_sources: fn(Script) -> Script = WithPackage::whole_package;
    let from_archive: fn(Script) -> Script =
        |script| script.arg("--archive").arg(archive_in(&ARCHIVE));
    let name_unknown = r#"{"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known to registry", "detail": {"name": "csi"}}]}"#;
    let unauthorized = r#"{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": []}]}"#;
    let denied = r#"{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied", "detail": {}}]}"#;
    for (status, body, from) in [
        (404, name_unknown, from_sources),
        (404, name_unknown, from_archive),
        (401, unauthorized, from_archive),
        (403, denied, from_archive),
        (403, "<html>Forbidden</html>", from_archive),
        (418, "words that nobody has read before", from_archive),
    ] {
        let asks = |request: &Request| {
            request.path.contains("/manifests/") || request.path.ends_with("/tags/list")
        };
        let (mirror, proxy) = kind(move |request| {
            let unknown = request.method == "GET" && asks(request) && !request.is_there();
            unknown.then_some(Answer { status, body })
        });
        let push = || from(push(proxy.address())).run().expect_success();
        let first = push();
        assert_eq!(images(&first, "copied"), references(), "{first}");
        let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
        assert_eq!(held, WORLD.places(MINOR, "scoped"));
        let again = push();
        assert_eq!(images(&again, "already there"), references(), "{again}");
        assert!(proxy.hits() > 0);
    }
}

/// What a registry has and does not show, as Harbor does with an image that a scanner has found wanting,
/// would be lost for other architectures.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_that_lists_an_image_and_does_not_show_it() {
    let (mirror, proxy) = kind(|_| None);
    let push = |archive: &Path| push(proxy.address()).arg("--archive").arg(archive);
    let amd64 = archive_in(&ARCHIVE);
    let _ = push(&amd64).run().expect_success();
    let before = mirror.catalog();
    let body =
        r#"{"errors": [{"code": "PROJECTPOLICYVIOLATION", "message": "found vulnerabilities"}]}"#;
    proxy.answer(move |request| {
        let read = request.method == "GET" && is_tag(request) && of_victim(request);
        read.then_some(Answer { status: 412, body })
    });
    let (said, help) = one_fails(push(&OTHER.1));
    contains(&said, "cannot tell what");
    contains(&said, "found vulnerabilities");
    contains(&help, "let the account of the login read it");
    assert_eq!(mirror.catalog()[VICTIM], before[VICTIM]);

    proxy.heal();
    let _ = push(&OTHER.1).run().expect_success();
    let (repository, tag) = VICTIM.rsplit_once(':').expect("a tag");
    assert_eq!(mirror.platforms(repository, tag).len(), 2);
}

/// Where a tag is immutable, the second architecture comes too late.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_in_which_no_tag_is_overwritten() {
    let immutable = |request: &Request| {
        let overwrites = request.method == "PUT" && is_tag(request) && request.is_there();
        let body = r#"{"errors": [{"code": "TAG_INVALID", "message": "the tag is immutable"}]}"#;
        overwrites.then_some(Answer { status: 400, body })
    };
    let (mirror, proxy) = kind(immutable);
    let push = |archives: &[&Path]| {
        let push = push(proxy.address());
        archives
            .iter()
            .fold(push, |push, archive| push.arg("--archive").arg(archive))
    };
    let amd64 = archive_in(&ARCHIVE);
    let _ = push(&[&amd64]).run().expect_success();
    let before = mirror.catalog();
    let failed = fails(
        push(&[&OTHER.1]),
        &["architectures in one run", "cannot overwrite it in "],
    );
    let lines = failed.stdout.lines();
    let lines: Vec<_> = lines.filter(|line| line.contains("FAILED")).collect();
    assert_eq!(lines.len(), references().len(), "{failed}");
    for line in lines {
        contains(line, "the tag is immutable");
    }
    assert_eq!(mirror.catalog(), before);

    let (_together, proxy) = kind(immutable);
    let push = crate::push(proxy.address()).arg("--archive").arg(amd64);
    let _ = push.arg("--archive").arg(&OTHER.1).run().expect_success();

    // Another image is there under the tag of one that comes from its source.
    let (mirror, proxy) = kind(immutable);
    let (repository, tag) = VICTIM.rsplit_once(':').expect("a tag");
    Image::new("another", &["amd64"]).push_to(&mirror, repository, tag);
    let (said, help) = one_fails(crate::push(proxy.address()).whole_package());
    contains(&said, "cannot overwrite it in ");
    contains(&said, "the tag is immutable");
    contains(&help, "delete this one there");
}

/// A registry that is full says so when it is to take the index.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_without_room() {
    let (mirror, proxy) = kind(|request| {
        let writes = request.method == "PUT" && is_tag(request) && of_victim(request);
        let body = r#"{"errors": [{"code": "DENIED", "message": "will exceed the configured upper limit of 1.0 GiB"}]}"#;
        writes.then_some(Answer { status: 403, body })
    });
    let push = || push(proxy.address()).whole_package();
    let (said, help) = one_fails(push());
    contains(&said, "cannot create it in ");
    contains(&said, "will exceed the configured upper limit");
    contains(&help, "make room in ");
    proxy.heal();
    let _ = push().run().expect_success();
    expect_mirror(&mirror);
}

/// Whoever is denied and has a login is not told to log in; whoever has a wrong one is.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_that_denies_a_name() {
    fn levels(request: &Request) -> usize {
        let name = request.path.strip_prefix("/v2/").unwrap_or_default();
        let name = ["/manifests/", "/blobs/", "/tags/"]
            .iter()
            .find_map(|part| name.split_once(part));
        name.map_or(0, |(name, _)| name.split('/').count())
    }
    const DENIED: Answer = Answer {
        status: 401,
        body: r#"{"errors": [{"code": "UNAUTHORIZED", "message": "access to the resource is denied"}]}"#,
    };
    let mirror = Registry::builder().auth().start();
    let proxy = FaultyProxy::before(mirror.address());
    let address = proxy.address();
    let folder = Scratch::new("login");
    let auth = login(&folder, address, AUTH);
    let push = |host: &str| {
        let push = push(host).whole_package();
        push.arg("--authfile").arg(&auth)
    };
    let denied = |script: Script| {
        let failed = fails(script, &["access to the resource is denied"]);
        assert_eq!(images(&failed, "FAILED: ").len(), references().len());
        assert!(!failed.stderr.contains("--authfile"), "{failed}");
        failed.stderr
    };

    // Nothing is outside of a project.
    proxy.answer(|request| {
        let outside = levels(request) > 0 && !request.path.starts_with("/v2/project/");
        outside.then_some(DENIED)
    });
    contains(
        &denied(push(address)),
        "give HOST/PROJECT, with a project that is there",
    );
    let _ = push(&format!("{address}/project")).run().expect_success();

    // No name is deeper than two levels.
    proxy.answer(|request| (levels(request) > 2).then_some(DENIED));
    let host = format!("{address}/user");
    let failed = fails(
        push(&host),
        &["give --layout flat, if names of more than two levels"],
    );
    assert_eq!(images(&failed, "FAILED: ").len(), 7, "{failed}");
    let flat = push(&host).args(["--layout", "flat"]);
    let _ = flat.run().expect_success();

    // The login is wrong, or there is none.
    proxy.heal();
    // operator:not-the-password
    let wrong = login(&folder, address, "b3BlcmF0b3I6bm90LXRoZS1wYXNzd29yZA==");
    let help = format!(
        "help: log in with skopeo login --authfile {} ",
        wrong.display()
    );
    fails(push(address), &[&help]);
    let none = crate::push(address).whole_package();
    fails(none, &["help: log in with skopeo login --authfile FILE "]);
}

/// A source registry is behind a proxy that lets nobody through.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_proxy_that_denies_a_source_registry() {
    let elsewhere = Registry::start();
    let proxy = FaultyProxy::before(elsewhere.address());
    proxy.answer(|_| {
        Some(Answer {
            status: 403,
            body: "<html>not from here</html>",
        })
    });
    let (folder, mirror) = (Scratch::new("pulled"), Registry::start());
    let nowhere = harness::home([]);
    for script in [pull(&folder), push(mirror.address())] {
        let script = script.whole_package().env("HOME", &*nowhere);
        let script = script.env("HTTPS_PROXY", format!("http://{}", proxy.address()));
        let failed = fails(script, &["cannot read it from its source", "Forbidden"]);
        contains(
            &failed.stderr,
            "help: if a proxy of your own network answers so",
        );
        assert!(!failed.stderr.contains("authfile"), "{failed}");
    }

    // It lets through all but the layers, which come from another host in the world.
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    proxy.answer(|request| {
        let reads = request.method == "GET" && request.path.contains("/blobs/");
        reads.then_some(Answer {
            status: 403,
            body: "<html>not from here</html>",
        })
    });
    for script in [pull(&folder), push(mirror.address())] {
        let (said, help) = one_fails(script.whole_package().env("HOME", &*home));
        contains(&said, "cannot read it from its source");
        contains(&said, "403");
        contains(&help, "if a proxy of your own network answers so");
    }
    proxy.heal();
    for script in [pull(&folder), push(mirror.address())] {
        let script = script.whole_package().env("HOME", &*home);
        let again = script.run().expect_success();
        assert_eq!(images(&again, "already there"), others(), "{again}");
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
}

/// What is in Docker's form stays so on every way, so a registry that knows nothing else takes it.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_that_takes_only_dockers_manifests() {
    const REFUSED: Answer = Answer {
        status: 415,
        body: r#"{"errors": [{"code": "MANIFEST_INVALID", "message": "this form is not known here"}]}"#,
    };
    let docker_only = |request: &Request| {
        let writes = request.method == "PUT" && request.path.contains("/manifests/");
        (writes && request.media_type.contains(".oci.")).then_some(REFUSED)
    };
    let folder = Scratch::new("archives");
    let archives = ["amd64", "arm64"].map(|arch| SIGNED.pull(MINOR, arch, &folder));
    let from_sources: &dyn Fn(Script) -> Script = &|push| push.package(&SIGNED.package);
    let from_archives: &dyn Fn(Script) -> Script = &|push| {
        let push = push.arg("--archive").arg(&archives[0]);
        push.arg("--archive").arg(&archives[1])
    };
    let source = SIGNED.source.catalog();
    for (from, digests) in [(from_sources, true), (from_archives, false)] {
        let (mirror, proxy) = kind(docker_only);
        let script = || {
            let push = SIGNED.script(MINOR, "push.sh");
            from(push.args(["--tls-verify", "false", proxy.address()]))
        };
        let _ = script().run().expect_success();
        let again = script().run().expect_success();
        assert_eq!(images(&again, "already there"), references(), "{again}");
        for image in &SIGNED.plan(MINOR).images {
            let (repository, tag) = image.scoped.rsplit_once(':').expect("a tag");
            for (platform, held) in mirror.platforms(repository, tag) {
                let architecture = platform.trim_start_matches("linux/");
                assert_eq!(held, *SIGNED.identity(&image.name, architecture));
            }
            if digests && !image.is_package {
                assert_eq!(mirror.catalog()[&image.scoped], source[&image.reference]);
            }
        }
    }

    // The others are of the OCI, and are told from those that are denied.
    let (_mirror, proxy) = kind(docker_only);
    let failed = fails(
        push(proxy.address()).whole_package(),
        &["this form is not known here", "cannot create it in "],
    );
    contains(&failed.stderr, "admit the manifests of the OCI");
    assert!(!images(&failed, "copied").is_empty(), "{failed}");
}

/// What this host is told of signatures is about what it runs.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_host_that_is_to_look_for_signatures() {
    let home = harness::home([("k8s.gcr.io", SIGNED.source.address())]);
    let attachments = format!(
        "docker: {{{}: {{use-sigstore-attachments: true}}}}\n",
        json!(SIGNED.source.address())
    );
    let lookaside = "default-docker: {lookaside: 'http://127.0.0.1:9/signatures'}\n";
    for configuration in [&*attachments, lookaside] {
        home.write(".config/containers/registries.d/host.yaml", configuration);
        let (folder, mirror) = (Scratch::new("pulled"), Registry::start());
        let pull = SIGNED.script(MINOR, "pull.sh").args(["--arch", "amd64"]);
        let push = SIGNED.script(MINOR, "push.sh");
        for script in [
            pull.arg("--output").arg(&*folder),
            push.args(["--tls-verify", "false", mirror.address()]),
        ] {
            let script = script.package(&SIGNED.package).env("HOME", &*home);
            let _ = script.run().expect_success();
        }
        let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
        assert_eq!(held, SIGNED.places(MINOR, "scoped"));
    }
}

/// Some hosts have skopeo without its configuration.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_host_without_a_policy() {
    let home = home_with_victim_at(WORLD.source.address(), WORLD.source.address());
    std::fs::remove_file(home.join(".config/containers/policy.json")).expect("removed");
    let (folder, mirror, empty) = (
        Scratch::new("pulled"),
        Registry::start(),
        Scratch::new("etc"),
    );
    let scripts: [(&str, &[&str]); 2] = [
        ("pull.sh", &["--arch", "amd64"]),
        ("push.sh", &["--tls-verify", "false", mirror.address()]),
    ];
    for (name, arguments) in scripts {
        let bare = "mount --bind \"$EMPTY\" /etc/containers && exec \"$@\"";
        let script = WORLD.operator(tool("sh")).args(["-c", bare, "sh"]);
        let script = script.arg(WORLD.kit(MINOR).join(name)).args(arguments);
        let script = script.env("EMPTY", &*empty).env("HOME", &*home);
        let script = script.whole_package().dir(&*folder);
        fails(
            script,
            &[
                "help: install skopeo's own configuration",
                "/etc/containers/policy.json",
            ],
        );
    }
}
