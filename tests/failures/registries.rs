//! A registry, be it the source or the private one, fails with one image.

use std::collections::BTreeSet;
use std::path::Path;

use harness::{Fault, FaultyProxy, Image, Registry, Scratch, Script, path_with, tool};
use xtask::image::ImageRef;

use crate::world;
use crate::{
    ARCHIVE, MINOR, VICTIM, VICTIM_PATH, WORLD, WithPackage, archive_in, expect_archive,
    expect_mirror, fails, home_with_victim_at, images, others, pull, push,
};

const SOURCE_IS_WELL: &str = "help: see that the source registry is well, ";

/// One image cannot be had, until `mend`: the others arrive, and the summary names that one alone.
#[track_caller]
fn one_image_fails(home: &Path, cause: &str, help: &str, mend: impl FnOnce()) {
    let (folder, mirror) = (Scratch::new("pulled"), Registry::start());
    let scripts = || {
        [pull(&folder), push(mirror.address())]
            .map(|script| script.whole_package().env("HOME", home))
    };
    for script in scripts() {
        let failed = fails(script, &[help]);
        assert_eq!(images(&failed, "copied"), others(), "{failed}");
        let (_, missing) = failed.stderr.split_once("missing:\n").expect("a summary");
        let (missing, _) = missing.split_once("\nhelp: ").expect("help");
        assert!(missing.starts_with(&format!("  {VICTIM}: ")), "{failed}");
        assert!(
            missing.contains(cause) && !missing.contains('\n'),
            "{failed}"
        );
    }
    assert!(!archive_in(&folder).exists());
    assert_eq!(mirror.catalog().len(), others().len());

    mend();
    for script in scripts() {
        let again = script.run().expect_success();
        assert_eq!(images(&again, "already there"), others(), "{again}");
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_source_registry_answers_500() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    proxy.fail(VICTIM_PATH, Fault::ServerError);
    one_image_fails(&home, "500", SOURCE_IS_WELL, || proxy.heal());
    assert!(proxy.hits() > 0);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_source_registry_drops_the_connection_midway() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    proxy.fail("/csi-resizer/blobs/", Fault::Cut);
    one_image_fails(&home, "EOF", SOURCE_IS_WELL, || proxy.heal());
    assert!(proxy.hits() > 0);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_source_registry_with_a_password() {
    let closed = Registry::builder().auth().storage_of(&WORLD.source).start();
    let home = home_with_victim_at(WORLD.source.address(), closed.address());
    let folder = Scratch::new("pulled");
    let pull = || pull(&folder).whole_package().env("HOME", &*home);
    // What the registry says reaches the operator in the words of this version of skopeo.
    let help = "help: log in to the source registry: give --authfile";
    let _ = fails(pull(), &[&format!("missing:\n  {VICTIM}: "), help]);

    let pull = pull().arg("--authfile").arg(closed.auth_file());
    let _ = pull.run().expect_success();
    expect_archive(&folder);
}

/// Such a transfer is tried again at once.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_registry_drops_one_connection() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    let (folder, mirror) = (Scratch::new("pulled"), Registry::start());
    for (hits, script) in (1..).zip([pull(&folder), push(mirror.address())]) {
        proxy.fail_once("/csi-resizer/blobs/", Fault::Cut);
        let script = script.whole_package().env("HOME", &*home);
        let _ = script.run().expect_success();
        assert_eq!(proxy.hits(), hits);
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn an_image_that_does_not_exist() {
    let elsewhere = Registry::start();
    let home = home_with_victim_at(WORLD.source.address(), elsewhere.address());
    let help = "help: see that the source registry has it, ";
    one_image_fails(&home, "manifest unknown", help, || {
        let place = |registry: &Registry| format!("docker://{}/{VICTIM}", registry.address());
        let copy = Script::new(tool("skopeo"))
            .args([
                "copy",
                "--all",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
            ])
            .args([place(&WORLD.source), place(&elsewhere)]);
        let _ = copy.run().expect_success();
    });
}

/// skopeo copies such an image without an error, so this is what `pull.sh` itself looks after.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn an_image_that_was_built_for_another_architecture() {
    let elsewhere = Registry::start();
    let reference = ImageRef::parse(VICTIM).expect("valid");
    world::push(&Image::bare(VICTIM, "arm64"), &elsewhere, &reference);
    let home = home_with_victim_at(WORLD.source.address(), elsewhere.address());
    let folder = Scratch::new("pulled");
    let summary =
        format!("missing:\n  {VICTIM}: what came is built for arm64, not for amd64\nhelp");
    fails(
        pull(&folder).whole_package().env("HOME", &*home),
        &[&summary],
    );
    assert!(!archive_in(&folder).exists());

    let again = pull(&folder).whole_package().run().expect_success();
    assert_eq!(images(&again, "already there"), others(), "{again}");
    expect_archive(&folder);
}

#[track_caller]
fn a_private_registry_fails(fault: Fault, cause: &str) {
    let from_sources: fn(Script) -> Script = WithPackage::whole_package;
    let from_archive: fn(Script) -> Script =
        |script| script.arg("--archive").arg(archive_in(&ARCHIVE));
    for from in [from_sources, from_archive] {
        let mirror = Registry::start();
        let proxy = FaultyProxy::before(mirror.address());
        proxy.fail("/csi-resizer/blobs/uploads/", fault);
        let push = || from(push(proxy.address()));
        let failed = fails(
            push(),
            &[
                &format!("missing:\n  {VICTIM}: "),
                cause,
                " is well, and can be reached",
            ],
        );
        assert_eq!(images(&failed, "copied"), others(), "{failed}");
        assert!(proxy.hits() > 0);

        proxy.heal();
        let again = push().run().expect_success();
        assert_eq!(images(&again, "already there"), others(), "{again}");
        let held: BTreeSet<_> = mirror.catalog().into_keys().collect();
        assert_eq!(held, WORLD.places(MINOR, "scoped"));
    }
}

/// A registry has taken an image and does not have it: it is asked when all is done.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_loses_an_image() {
    let body = r#"case $* in *copy*/csi-resizer:*) exit 0 ;; esac; exec "$TOOL" "$@""#;
    let (_tools, path) = path_with("skopeo", body);
    let mirror = Registry::start();
    let push = || push(mirror.address()).whole_package();
    let cause = format!("{}/{VICTIM} is not what was put there", mirror.address());
    let summary = format!("missing:\n  {VICTIM}: {cause}\nhelp");
    fails(push().env("PATH", path), &[&summary]);

    let again = push().run().expect_success();
    assert_eq!(images(&again, "already there"), others(), "{again}");
    expect_mirror(&mirror);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_answers_500() {
    a_private_registry_fails(Fault::ServerError, "500");
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_drops_the_connection_midway() {
    a_private_registry_fails(Fault::Cut, "EOF");
}

/// It is said at once, and not once an image.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_private_registry_that_does_not_answer() {
    let mirror = Registry::start();
    let proxy = FaultyProxy::before(mirror.address());
    proxy.fail("/v2/", Fault::Cut);
    let problem = format!("{} does not answer as a registry: pinging", proxy.address());
    let failed = fails(push(proxy.address()).whole_package(), &[&problem]);
    assert_eq!(failed.stdout, "");

    proxy.heal();
    let _ = push(proxy.address()).whole_package().run().expect_success();
    expect_mirror(&mirror);
}

/// What the private registry has is there, also where the source cannot be asked.
#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn a_source_registry_that_is_out_of_reach() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    proxy.fail("/v2/", Fault::ServerError);
    let mirror = Registry::start();
    let push = || push(mirror.address()).whole_package().env("HOME", &*home);
    let failed = fails(push(), &[&format!("missing:\n  {VICTIM}: ")]);
    assert_eq!(images(&failed, "copied"), others(), "{failed}");

    proxy.heal();
    let _ = push().run().expect_success();
    expect_mirror(&mirror);
    proxy.fail("/v2/", Fault::ServerError);
    let again = push().run().expect_success();
    let uncompared = images(&again, "already there (not compared: ");
    assert_eq!(uncompared, BTreeSet::from([VICTIM.to_owned()]), "{again}");
}
