//! Paths that shells and skopeo stumble over.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use harness::{Containerd, Registry, Scratch};

use crate::{
    ARCHIVE, MINOR, WORLD, WithPackage, archive_in, empty, expect_archive, expect_mirror,
    expect_node, import, package_copy, pull, push, sum_of,
};

/// The scripts change their folder, and the temporary one does not move with it.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_relative_folder_for_temporary_files() {
    let place = Scratch::new("place");
    let temporary = place.join("temporary");
    fs::create_dir(&temporary).expect("created");
    let (folder, mirror, node) = empty();
    for script in [
        pull(&folder).whole_package(),
        push(mirror.address()).whole_package(),
        import(&node, &ARCHIVE),
    ] {
        let script = script.dir(&*place).env("TMPDIR", "temporary");
        let _ = script.run().expect_success();
        assert_eq!(fs::read_dir(&temporary).expect("a folder").count(), 0);
    }
    expect_archive(&folder);
    expect_mirror(&mirror);
    expect_node(&node);
}

#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn paths_with_blanks_and_signs() {
    let place = Scratch::new("存档 déjà: it's \"$HOME\" `*` [a]\\b & %s;");
    let copy = |from: &Path, to: &str| {
        let to = place.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("created");
        fs::copy(from, &to).expect("copied");
        to
    };
    for script in ["pull.sh", "push.sh", "import.sh"] {
        copy(
            &WORLD.kit(MINOR).join(script),
            &format!("kit 工具/{script}"),
        );
    }
    let package = package_copy();
    for file in package.read_dir().expect("a folder") {
        let file = file.expect("an entry");
        let name = file.file_name().into_string().expect("UTF-8");
        copy(&file.path(), &format!("软件 package/image/{name}"));
    }
    let script = |name: &str| {
        let script = WORLD.operator(place.join("kit 工具").join(name));
        script.dir(&*place).env("TMPDIR", &*place)
    };
    let pull = script("pull.sh").args(["--package", "软件 package", "--output", "./出 out"]);
    let _ = pull.args(["--arch", "amd64"]).run().expect_success();
    expect_archive(&place.join("出 out"));

    let node = Containerd::start();
    let import = script("import.sh")
        .args(["--arch", "amd64"])
        .envs(node.env());
    let import = import.arg("--archive").arg(archive_in(Path::new("出 out")));
    let _ = import.run().expect_success();
    expect_node(&node);

    // Beside the script it needs no option.
    for file in [archive_in(&ARCHIVE), sum_of(&archive_in(&ARCHIVE))] {
        let name = file.file_name().and_then(OsStr::to_str).expect("UTF-8");
        copy(&file, &format!("kit 工具/{name}"));
    }
    let node = Containerd::start();
    let import = script("import.sh").args(["--arch", "amd64"]);
    let _ = import.envs(node.env()).run().expect_success();
    expect_node(&node);

    let mirror = Registry::builder().tls().auth().start();
    copy(mirror.auth_file(), "auth 密码.json");
    copy(&mirror.cert_dir().join("ca.crt"), "certs 证书/ca.crt");
    let push = || {
        let push = script("push.sh").args(["--authfile", "auth 密码.json"]);
        push.args(["--cert-dir", "certs 证书", mirror.address()])
    };
    let push_archive = push().arg("--archive").arg(archive_in(Path::new("出 out")));
    let _ = push_archive.run().expect_success();
    let _ = push()
        .args(["--package", "软件 package"])
        .run()
        .expect_success();
    expect_mirror(&mirror);
}
