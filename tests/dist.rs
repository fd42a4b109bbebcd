//! What a release publishes: the same bytes everywhere, checksums that hold, kits that are
//! whole, a folder that is replaced whole or not at all, and an operator who has
//! nothing but one kit.

mod support;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use harness::{Containerd, Outcome, Scratch, Script, SmallDisk};
use insta::{assert_snapshot, with_settings};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use support::project::copy;
use support::{fixtures, huawei, rendered, root};
use world::World;

/// `dist` on the small table.
fn example() -> Script {
    dist().arg("--spec").arg(fixtures().join("spec"))
}

fn dist() -> Script {
    Script::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("dist")
        .arg("--templates")
        .arg(root().join("templates"))
}

/// A folder with what the small table publishes.
fn published() -> Scratch {
    let folder = Scratch::new("published");
    let _ = example()
        .arg("--out")
        .arg(folder.join("dist"))
        .run()
        .expect_success();
    folder
}

fn check(folder: &Path) -> Outcome {
    example().arg("--check").arg(folder).run()
}

/// Every file below a folder with its mode and bytes.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let files = files.map(|entry| entry.expect("readable"));
    files
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let mode = entry.metadata().expect("there").permissions().mode() & 0o7777;
            let path = entry.path().strip_prefix(folder).expect("below").to_owned();
            (path, (mode, fs::read(entry.path()).expect("readable")))
        })
        .collect()
}

/// What is published in a folder: all but the index, which is `dist`'s own.
fn names(folder: &Path) -> BTreeSet<String> {
    let mut files = state(folder);
    assert!(files.remove(Path::new(".files")).is_some());
    let paths = files.into_keys();
    paths
        .map(|path| path.to_str().expect("UTF-8").to_owned())
        .collect()
}

fn unpack(kit: &Path, folder: &Path) {
    let tar = Script::new("tar").arg("--extract").arg("--file").arg(kit);
    let _ = tar.dir(folder).run().expect_success();
}

#[test]
fn the_same_bytes_wherever_it_runs() {
    let first = published();
    let other = Scratch::new("другое 别处");
    let run = Script::new("sh")
        .args([
            "-c",
            "umask 077 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_xtask"),
            "dist",
        ])
        .arg("--spec")
        .arg(fixtures().join("spec"))
        .arg("--templates")
        .arg(root().join("templates"))
        .args(["--out", "elsewhere"])
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("USER", "somebody")
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("CARGO_MANIFEST_DIR", other.join("repository/xtask"))
        .dir(&*other);
    let _ = run.run().expect_success();
    let state_of = |folder: &Path| {
        let mode = folder.metadata().expect("there").permissions().mode() & 0o7777;
        (mode, state(folder))
    };
    let (mode, files) = state_of(&first.join("dist"));
    assert_eq!(mode, 0o755);
    assert!(files.values().all(|(mode, _)| *mode == 0o644));
    assert_eq!(state_of(&other.join("elsewhere")), (mode, files));
    // Neither a time nor a name in the header of gzip.
    let kit = fs::read(first.join("dist/example-1.0.0.tar.gz")).expect("readable");
    assert_eq!(kit[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
}

#[test]
fn what_is_published() {
    let folder = published();
    let dist = folder.join("dist");
    let sums = Script::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]);
    let checked = sums.dir(&dist).run().expect_success();
    let mut files = names(&dist);
    files.remove("SHA256SUMS");
    assert_eq!(checked.stdout.lines().count(), files.len(), "{checked}");

    let mut shown = String::new();
    for file in &files {
        shown.push_str(&format!("{file}\n"));
        if file.ends_with(".tar.gz") {
            let tar = Script::new("tar").args(["--list", "--verbose", "--file", file]);
            let listed = tar.env("TZ", "UTC").dir(&dist).run().expect_success();
            for line in listed.stdout.lines() {
                // All but the size, which every change of a template changes.
                let fields: Vec<_> = line.split_whitespace().collect();
                let [mode, owner, _, day, time, path] = fields[..] else {
                    panic!("{line}")
                };
                shown.push_str(&format!("    {mode} {owner} {day} {time} {path}\n"));
            }
        }
    }
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!("dist", shown);
    });
}

#[test]
fn a_kit_has_every_file_of_its_minor_and_each_whole() {
    let (_, tree) = rendered(&huawei());
    let whole = tree.files.iter().map(|(path, artifact)| {
        let bytes = artifact.text.clone().into_bytes();
        (PathBuf::from(path), (artifact.mode(), bytes))
    });
    let whole: BTreeMap<_, _> = whole.collect();
    let folder = Scratch::new("published");
    let _ = dist()
        .arg("--spec")
        .arg(root().join("spec"))
        .args(["--release", "huawei-csi/4.5.0", "--out"])
        .arg(folder.join("dist"))
        .run()
        .expect_success();
    unpack(&folder.join("dist/huawei-csi-4.5.0.tar.gz"), &folder);
    assert_links_lead_somewhere(&folder.join("huawei-csi-4.5.0"));
    assert_eq!(state(&folder.join("huawei-csi-4.5.0")), whole);

    for minor in 16..=30 {
        let (kit, minor) = (
            format!("huawei-csi-4.5.0-k8s-1.{minor}"),
            format!("k8s-1.{minor}"),
        );
        unpack(&folder.join(format!("dist/{kit}.tar.gz")), &folder);
        let below = |(path, file): (&PathBuf, &(u32, Vec<u8>))| {
            Some((path.strip_prefix(&minor).ok()?.to_owned(), file.clone()))
        };
        let own: BTreeMap<_, _> = whole.iter().filter_map(below).collect();
        assert!(own.contains_key(Path::new("START-HERE.zh-CN.md")));
        assert_eq!(state(&folder.join(&kit)), own);
        assert_links_lead_somewhere(&folder.join(&kit));
        for file in ["images.txt", "images.cdx.json"] {
            let loose = fs::read(folder.join(format!("dist/{kit}-{file}"))).expect("published");
            assert_eq!(loose, own[Path::new(file)].1, "{file}");
        }
    }
    let json = fs::read(folder.join("dist/huawei-csi-4.5.0-images.json")).expect("published");
    assert_eq!(json, whole[Path::new("images.json")].1);
}

/// Whoever has one kit and nothing else can follow every link of its pages.
#[track_caller]
fn assert_links_lead_somewhere(kit: &Path) {
    let kit = kit.canonicalize().expect("unpacked");
    let mut links = 0;
    for path in state(&kit).into_keys() {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = kit.join(path);
        let text = fs::read_to_string(&page).expect("readable");
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. }) = event else {
                continue;
            };
            let link = dest_url.split('#').next().expect("a path");
            if link.is_empty() || link.contains("://") {
                continue;
            }
            links += 1;
            let target = page.parent().expect("a folder").join(link);
            let target = target.canonicalize();
            let inside = target.is_ok_and(|target| target.starts_with(&kit));
            assert!(inside, "{} links to {link}", page.display());
        }
    }
    assert!(links > 10, "{links}");
}

#[test]
fn filters_select_kits() {
    let folder = Scratch::new("published");
    let out = folder.join("dist");
    let run = |arguments: &[&str]| example().args(arguments).arg("--out").arg(&out).run();
    let _ = run(&["--kubernetes", "v1.20.4+k3s1"]).expect_success();
    let wanted = [
        "SHA256SUMS",
        "example-1.0.0-images.json",
        "example-1.0.0-k8s-1.20-images.cdx.json",
        "example-1.0.0-k8s-1.20-images.txt",
        "example-1.0.0-k8s-1.20.tar.gz",
    ];
    assert_eq!(names(&out), wanted.map(str::to_owned).into());
    let selected = example()
        .args(["--kubernetes", "1.20", "--check"])
        .arg(&out)
        .run();
    let said = selected.expect_success();
    assert!(
        said.stdout.ends_with(": 5 files are what the spec says\n"),
        "{said}"
    );
    let said = check(&out).expect_code(1);
    assert!(said.stdout.contains("missing: "), "{said}");

    let said = run(&["--kubernetes", "1.30"]).expect_code(1);
    assert!(
        said.stderr.contains("example/1.0.0 supports 1.19 to 1.22"),
        "{said}"
    );
    let _ = run(&["--release", "2.0.0"]).expect_code(1);
    let _ = run(&["--kubernetes", "latest"]).expect_code(2);
    let _ = run(&["--check", "dist"]).expect_code(2);
    assert_eq!(names(&out), wanted.map(str::to_owned).into());
}

#[test]
fn check_sees_every_kind_of_damage() {
    let folder = published();
    let dist = folder.join("dist");
    let kit = dist.join("example-1.0.0-k8s-1.20.tar.gz");
    let good = fs::read(&kit).expect("readable");
    let sums = fs::read_to_string(dist.join("SHA256SUMS")).expect("readable");
    let found = |wanted: &[&str]| {
        let before = state(&dist);
        let said = check(&dist).expect_code(i32::from(!wanted.is_empty()));
        assert_eq!(state(&dist), before);
        let lines = said
            .stdout
            .lines()
            .filter(|line| !line.contains(" what the spec says"));
        let place = format!("{}/", dist.display());
        let lines: Vec<_> = lines.map(|line| line.replace(&place, "")).collect();
        assert_eq!(lines, wanted, "{said}");
    };
    found(&[]);

    let mut other = good.clone();
    *other.last_mut().expect("bytes") ^= 1;
    fs::write(&kit, &other).expect("written");
    found(&["damaged: example-1.0.0-k8s-1.20.tar.gz"]);
    fs::write(&kit, &good[..good.len() / 2]).expect("written");
    found(&["damaged: example-1.0.0-k8s-1.20.tar.gz"]);
    fs::remove_file(&kit).expect("removed");
    found(&["missing: example-1.0.0-k8s-1.20.tar.gz"]);
    fs::create_dir(&kit).expect("created");
    found(&["foreign: example-1.0.0-k8s-1.20.tar.gz"]);
    fs::remove_dir(&kit).expect("removed");
    fs::write(&kit, &good).expect("written");

    fs::write(dist.join("notes.sig"), "").expect("written");
    found(&["foreign: notes.sig"]);
    fs::remove_file(dist.join("notes.sig")).expect("removed");

    // A download has no index, and what vouches for the checksums beside them.
    let index = fs::read(dist.join(".files")).expect("the index");
    fs::remove_file(dist.join(".files")).expect("removed");
    for name in ["SHA256SUMS.sigstore.json", "SHA256SUMS.sig"] {
        fs::write(dist.join(name), "").expect("written");
    }
    found(&[]);
    for name in ["SHA256SUMS.sigstore.json", "SHA256SUMS.sig"] {
        fs::remove_file(dist.join(name)).expect("removed");
    }
    fs::create_dir(dist.join("SHA256SUMS.d")).expect("created");
    found(&["foreign: SHA256SUMS.d"]);
    fs::remove_dir(dist.join("SHA256SUMS.d")).expect("removed");
    fs::write(dist.join(".files"), index).expect("written");

    // What hides in a name is shown.
    fs::write(dist.join("a\u{202e}b"), "").expect("written");
    found(&["foreign: a\\u{202e}b"]);
    fs::remove_file(dist.join("a\u{202e}b")).expect("removed");

    let swapped = sums.replacen(['0', '1', '2', '3'], "f", 1);
    assert_ne!(sums, swapped);
    fs::write(dist.join("SHA256SUMS"), swapped).expect("written");
    found(&["damaged: SHA256SUMS"]);
    fs::remove_file(dist.join("SHA256SUMS")).expect("removed");
    found(&["missing: SHA256SUMS"]);

    // Whole in itself, of another table: what is the same there is not named.
    fs::write(dist.join("SHA256SUMS"), &sums).expect("written");
    let spec = Scratch::new("spec");
    let table = fs::read_to_string(fixtures().join("spec/example/1.0.0.toml")).expect("there");
    copy(&fixtures().join("spec"), &spec);
    spec.write(
        "example/1.0.0.toml",
        table.replace("sidecar:v3.0.0", "sidecar:v3.0.1"),
    );
    let newer = dist_of(&spec).arg("--out").arg(&dist);
    let _ = newer.run().expect_success();
    found(&[
        "stale: SHA256SUMS",
        "stale: example-1.0.0-images.json",
        "stale: example-1.0.0-k8s-1.22-images.cdx.json",
        "stale: example-1.0.0-k8s-1.22-images.txt",
        "stale: example-1.0.0-k8s-1.22.tar.gz",
        "stale: example-1.0.0.tar.gz",
    ]);

    let said = check(&folder.join("nowhere")).expect_code(1);
    assert!(said.stderr.contains("there is no folder"), "{said}");
}

/// `dist` on another table.
fn dist_of(spec: &Path) -> Script {
    dist().arg("--spec").arg(spec)
}

#[test]
fn a_run_that_fails_leaves_what_was_there() {
    let folder = published();
    let out = folder.join("dist");
    let before = state(&folder);
    let refused = |spec: &Path, wanted: &str| {
        let said = dist_of(spec).arg("--out").arg(&out).run().expect_code(1);
        assert!(said.stderr.contains(wanted), "{said}");
    };
    let spec = Scratch::new("spec");
    copy(&fixtures().join("spec"), &spec);
    let table = fs::read_to_string(fixtures().join("spec/example/1.0.0.toml")).expect("there");
    spec.write("example/1.0.0.toml", table.replacen("v1.19.x", "later", 1));
    refused(&spec, "malformed-requirement");
    assert_eq!(state(&folder), before);

    // Two releases whose files would have the same names.
    spec.write("example/1.0.0.toml", &table);
    fs::rename(
        spec.join("example/1.0.0.toml"),
        spec.join("example/1.0.0-2.toml"),
    )
    .expect("moved");
    copy(
        &fixtures().join("spec/example"),
        &spec.join("example-1.0.0"),
    );
    fs::rename(
        spec.join("example-1.0.0/1.0.0.toml"),
        spec.join("example-1.0.0/2.toml"),
    )
    .expect("moved");
    refused(
        &spec,
        "two published files are named `example-1.0.0-2-images.json`",
    );
    assert_eq!(state(&folder), before);

    // What somebody put there is not deleted with the rest.
    let notes = out.join("notes.txt");
    fs::write(&notes, "mine").expect("written");
    refused(&fixtures().join("spec"), "notes.txt");
    assert_eq!(fs::read_to_string(&notes).expect("there"), "mine");
    fs::remove_file(&notes).expect("removed");
    fs::create_dir(out.join("folder")).expect("created");
    refused(&fixtures().join("spec"), "dist/folder");
    fs::remove_dir(out.join("folder")).expect("removed");
    assert_eq!(state(&folder), before);

    // Nor is a signature, which `dist` cannot make again.
    let signature = out.join("SHA256SUMS.sig");
    fs::write(&signature, "").expect("written");
    refused(&fixtures().join("spec"), "dist/SHA256SUMS.sig");
    fs::remove_file(&signature).expect("removed");

    // Checksums are no proof of whose a folder is: others have them too.
    let index = fs::read(out.join(".files")).expect("the index");
    for other in [None, Some("image-1.0.0.tar.gz\nSHA256SUMS\n")] {
        fs::remove_file(out.join(".files")).expect("removed");
        if let Some(other) = other {
            fs::write(out.join(".files"), other).expect("written");
        }
        refused(&fixtures().join("spec"), "dist/SHA256SUMS");
        fs::write(out.join(".files"), &index).expect("written");
    }
    assert_eq!(state(&folder), before);

    // A link is not followed, and not replaced.
    fs::rename(&out, folder.join("real")).expect("moved");
    symlink("real", &out).expect("linked");
    refused(&fixtures().join("spec"), "is no folder");
    assert!(out.is_symlink());
    fs::remove_file(&out).expect("removed");
    fs::rename(folder.join("real"), &out).expect("moved");

    // And what a dead run left behind is in nobody's way.
    fs::create_dir_all(folder.join(".dist-staging/new/dist")).expect("created");
    let _ = example().arg("--out").arg(&out).run().expect_success();
    assert_eq!(state(&folder), before);
    assert_eq!(fs::read_dir(&*folder).expect("a folder").count(), 1);
}

#[test]
#[ignore = "needs strace; tests/run brings it and runs this"]
fn a_run_that_is_killed_leaves_the_old_or_the_new_folder() {
    let folder = published();
    let out = folder.join("dist");
    let whole = state(&out);
    let run = example().args(["--kubernetes", "1.20", "--out"]);
    let _ = run.arg(folder.join("few")).run().expect_success();
    let few = state(&folder.join("few"));
    fs::remove_dir_all(folder.join("few")).expect("removed");
    let mut kills = [0, 0];
    for call in ["/^mkdir", "write", "/chmod", "/^rename", "/^unlink"] {
        for number in 1.. {
            let _ = example().arg("--out").arg(&out).run().expect_success();
            let inject = format!("--inject={call}:signal=KILL:when={number}");
            let run = Script::new("strace")
                .args(["--follow-forks", "--output=/dev/null"])
                .arg(format!("--trace={call}"))
                .arg(inject)
                .arg(env!("CARGO_BIN_EXE_xtask"))
                .args(["dist", "--kubernetes", "1.20", "--spec"])
                .arg(fixtures().join("spec"))
                .arg("--templates")
                .arg(root().join("templates"))
                .arg("--out")
                .arg(&out)
                .run();
            let left = state(&out);
            if run.status.success() {
                break;
            }
            let is_new = left == few;
            assert!(is_new || left == whole, "killed at {call} number {number}");
            kills[usize::from(is_new)] += 1;
        }
    }
    // The calls that remove the old folder come behind the swap.
    assert!(kills[0] > 10 && kills[1] > 5, "{kills:?}");
    let _ = example().arg("--out").arg(&out).run().expect_success();
    assert_eq!(state(&folder.join("dist")), whole);
    assert_eq!(fs::read_dir(&*folder).expect("a folder").count(), 1);
}

#[test]
#[ignore = "needs root, for a small disk; tests/run runs this"]
fn a_full_disk_leaves_what_was_there() {
    let disk = SmallDisk::new(1);
    let out = disk.path().join("dist");
    let run = || example().arg("--out").arg(&out).run();
    let _ = run().expect_success();
    let before = state(&out);
    // Some room, too little for a second folder.
    let mut filler = fs::File::create(disk.path().join("filler")).expect("created");
    while filler.write(&[0; 4096]).is_ok() {}
    let full = filler.metadata().expect("there").len();
    filler.set_len(full - (100 << 10)).expect("cut");
    let said = run().expect_code(1);
    assert!(said.stderr.contains("No space left"), "{said}");
    assert_eq!(state(&out), before);
    assert_eq!(fs::read_dir(disk.path()).expect("a folder").count(), 2);
}

/// The commands of a page, block by block.
fn commands(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                inside = true;
                blocks.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => blocks.last_mut().expect("open").push_str(&text),
            _ => {}
        }
    }
    blocks
}

/// Somebody unpacks one kit in an empty folder and does what START-HERE says, to the end.
#[test]
#[ignore = "needs skopeo and containerd; tests/run brings them and runs this"]
fn an_operator_has_nothing_but_one_kit() {
    let world = World::start(false);
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    let published = Scratch::new("published");
    let _ = dist()
        .arg("--spec")
        .arg(root().join("spec"))
        .args(["--release", "huawei-csi/4.5.0", "--out"])
        .arg(published.join("dist"))
        .run()
        .expect_success();
    for (minor, page) in [("1.16", "START-HERE.md"), ("1.27", "START-HERE.zh-CN.md")] {
        let kit = format!("huawei-csi-4.5.0-k8s-{minor}");
        let here = Scratch::new("a fresh folder");
        unpack(&published.join(format!("dist/{kit}.tar.gz")), &here);
        let unpacked = here.join(&kit);
        let page = fs::read_to_string(unpacked.join(page)).expect("readable");
        let blocks = commands(&page);
        let block = |starts: &str| {
            let mut found = blocks.iter().filter(|block| block.starts_with(starts));
            found
                .next()
                .unwrap_or_else(|| panic!("no {starts}: {page}"))
        };
        // The second way. What is installed with that, the real engine renders in other tests.
        let variables = block("PACKAGE=");
        let (pull, import) = (block("./pull.sh "), block("./import.sh"));
        assert!(
            block("helm install ").ends_with(" --values values.yaml\n"),
            "{page}"
        );
        assert!(
            variables.contains("=/path/to/the/unpacked/package\n"),
            "{variables}"
        );
        let set = format!("{variables}PACKAGE=$HERE ARCH={architecture}\n");
        let shell = |text: &str, folder: &Path| {
            let shell = Script::isolated("sh").args(["-e", "-c", text]).dir(folder);
            shell.env("HERE", &*world.package)
        };
        let pulled = shell(&format!("{set}{pull}"), &unpacked);
        let _ = pulled.env("HOME", &*world.home).run().expect_success();

        // What the page has carried to a node, and nothing else.
        let folder = Scratch::new("a node");
        let archive = format!("{kit}-{architecture}.tar");
        for file in [&archive, &format!("{archive}.sha256"), "import.sh"] {
            fs::copy(unpacked.join(file), folder.join(file)).expect("copied");
        }
        let node = Containerd::start();
        let imported = shell(import, &folder).envs(node.env());
        let _ = imported.run().expect_success();
        world.expect_complete(&node, minor, architecture);
    }
}
