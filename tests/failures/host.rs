//! What the scripts need on their host is not there.

use harness::{Containerd, Script, path_without};

use crate::{
    ARCHIVE, WithPackage, empty, expect_archive, expect_mirror, expect_node, fails, import, pull,
    push,
};

#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn containerd_is_not_running() {
    let mut node = Containerd::start();
    node.stop();
    let texts = ["containerd does not answer", "CONTAINERD_ADDRESS"];
    fails(import(&node, &ARCHIVE), &texts);

    node.restart();
    let _ = import(&node, &ARCHIVE).run().expect_success();
    expect_node(&node);
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn tools_that_are_not_installed() {
    let (folder, mirror, node) = empty();
    let pull = || pull(&folder).whole_package();
    let push = || push(mirror.address()).whole_package();
    let import = || import(&node, &ARCHIVE);
    for tool in ["skopeo", "ctr", "jq", "tar", "sha256sum", "awk", "flock"] {
        let path = path_without(&[tool]);
        let problem = format!("not installed: {tool}\n");
        let refused = |script: Script| fails(script.env("PATH", &*path), &[&problem]);
        if !["ctr", "awk"].contains(&tool) {
            refused(pull());
            refused(push());
        }
        if tool != "skopeo" {
            refused(import());
        }
    }
    assert!(folder.read_dir().expect("a folder").next().is_none());
    assert!(mirror.catalog().is_empty() && node.images().is_empty());

    // What makes them faster need not be there.
    let path = path_without(&["openssl"]);
    for script in [pull(), push(), import()] {
        let _ = script.env("PATH", &*path).run().expect_success();
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}
