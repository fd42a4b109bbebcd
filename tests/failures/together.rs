//! Two runs at once.

use std::collections::BTreeSet;

use harness::{Containerd, Fault, FaultyProxy, Registry, Running, Scratch, Script};

use crate::gate::Gate;
use crate::{
    ARCHIVE, VICTIM, VICTIM_PATH, WORLD, WithPackage, expect_archive, expect_mirror, expect_node,
    home_with_victim_at, images, import, pull, push,
};

/// The second waits until the first may go on, and then finds that nothing is left to be done.
#[track_caller]
fn two_at_once(script: impl Fn() -> Script, first: Running, go_on: impl FnOnce()) {
    let second = script().spawn();
    assert!(second.wait_for_output("another run is at work here, process "));
    go_on();
    let _ = first.finish().expect_success();
    let second = second.finish().expect_success();
    let done = [images(&second, "copied"), images(&second, "imported")];
    assert!(done.iter().all(BTreeSet::is_empty), "{second}");
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn two_pull_into_one_folder() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    let folder = Scratch::new("pulled");
    let pull = || pull(&folder).whole_package().env("HOME", &*home);
    proxy.fail(VICTIM_PATH, Fault::Stall);
    let first = pull().spawn();
    assert!(first.wait_for_output(VICTIM));
    two_at_once(pull, first, || proxy.heal());
    expect_archive(&folder);
}

#[test]
#[ignore = "needs skopeo and docker-registry; tests/run brings them and runs this"]
fn two_push_into_one_registry() {
    let proxy = FaultyProxy::before(WORLD.source.address());
    let home = home_with_victim_at(WORLD.source.address(), proxy.address());
    let mirror = Registry::start();
    // Each run has a TMPDIR of its own.
    let push = || push(mirror.address()).whole_package().env("HOME", &*home);
    proxy.fail(VICTIM_PATH, Fault::Stall);
    let first = push().spawn();
    assert!(first.wait_for_output(VICTIM));
    two_at_once(push, first, || proxy.heal());
    expect_mirror(&mirror);
}

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn two_import_on_one_node() {
    let node = Containerd::start();
    let gate = Gate::before("images import");
    let first = import(&node, &ARCHIVE).env("CTR", gate.ctr()).spawn();
    gate.wait();
    two_at_once(|| import(&node, &ARCHIVE), first, || gate.open());
    expect_node(&node);
}
