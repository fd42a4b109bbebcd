//! Archives that say one thing to a reader and another to the next. Whoever can write the checksum
//! beside one makes it right for all of them.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{Containerd, Digest, Image, Registry, Scratch, Script, tool};
use serde_json::{Value, json};
use tar::EntryType;

use crate::package::REGISTRY_IMAGES;
use crate::{
    ARCHIVE, WithPackage, archive_in, expect_node, import, package_copy, pull, push, sum_of,
};

/// An image that no table has, and that every node needs.
const PAUSE: &str = "registry.k8s.io/pause:3.9";
const SPOILED: &str = "huawei-csi-v4.5.0-X86.tar";

/// One member of an archive.
#[derive(Clone)]
struct Member {
    name: String,
    kind: EntryType,
    bytes: Vec<u8>,
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> Member {
    let (name, bytes) = (name.to_owned(), bytes.as_ref().to_vec());
    let kind = EntryType::Regular;
    Member { name, kind, bytes }
}

/// A link of either kind.
fn link(name: &str, kind: EntryType, to: &str) -> Member {
    Member {
        kind,
        ..file(name, to)
    }
}

fn read(archive: &Path) -> Vec<Member> {
    let mut archive = tar::Archive::new(fs::File::open(archive).expect("there"));
    let entries = archive.entries().expect("a tar file");
    entries
        .map(|entry| {
            let mut entry = entry.expect("a member");
            let name = entry.path().expect("a name").display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("readable");
            file(&name, bytes)
        })
        .collect()
}

/// Names stand in their headers as they are, which the crate would not allow.
fn tarred(members: &[Member]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header.set_mode(0o644);
        header.set_entry_type(member.kind);
        let mut content = &member.bytes[..];
        if matches!(member.kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name_literal(content).expect("short");
            content = &[];
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content).expect("written");
    }
    tar.into_inner().expect("written")
}

fn write_archive(archive: &Path, bytes: &[u8]) {
    let name = archive.file_name().expect("a name").display();
    fs::write(archive, bytes).expect("written");
    let sum = format!("{}  {name}\n", Digest::of(bytes).hex());
    fs::write(sum_of(archive), sum).expect("written");
}

/// The text of a member, to be changed.
fn text(members: &mut [Member], name: &str, change: impl Fn(&str) -> String) {
    let member = members.iter_mut().find(|member| member.name == name);
    let member = member.expect("a member");
    let before = String::from_utf8(member.bytes.clone()).expect("a text");
    let after = change(&before);
    assert_ne!(before, after, "{name}");
    member.bytes = after.into_bytes();
}

/// What the first image of an archive is: its entry in `index.json`, and in `manifest.json`.
fn first(members: &[Member]) -> (Value, Value) {
    let json = |name: &str| -> Value {
        let member = members.iter().find(|member| member.name == name);
        serde_json::from_slice(&member.expect("a member").bytes).expect("JSON")
    };
    (
        json("index.json")["manifests"][0].clone(),
        json("manifest.json")[0].clone(),
    )
}

type Tamper = fn(&mut Vec<Member>);

/// What can be done to an archive of `pull.sh`.
const TAMPERED: &[(&str, Tamper)] = &[
    ("a name in the index only", |members| {
        let mut entry = first(members).0;
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": PAUSE});
        text(members, "index.json", |index| {
            index.replacen("[{", &format!("[{entry},{{"), 1)
        });
    }),
    ("a second index.json", |members| {
        let (mut entry, _) = first(members);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": PAUSE});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        members.push(file("index.json", index.to_string()));
    }),
    ("a second index.json, spelt otherwise", |members| {
        let (mut entry, _) = first(members);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": PAUSE});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        members.push(file("./index.json", index.to_string()));
    }),
    ("an index in the index", |members| {
        let (mut entry, _) = first(members);
        entry["annotations"] = json!({"io.containerd.image.name": PAUSE});
        let inner = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
        let digest = Digest::of(inner.as_bytes());
        members.push(file(&format!("blobs/sha256/{}", digest.hex()), &inner));
        let outer = json!({"mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": digest.as_str(), "size": inner.len(),
            "annotations": {"org.opencontainers.image.ref.name": PAUSE}});
        text(members, "index.json", |index| {
            index.replacen("[{", &format!("[{outer},{{"), 1)
        });
    }),
    ("containerd's own annotation", |members| {
        text(members, "index.json", |index| {
            let more = format!(r#""annotations":{{"io.containerd.image.name":"{PAUSE}","#);
            index.replacen(r#""annotations":{"#, &more, 1)
        });
    }),
    ("the annotation twice", |members| {
        text(members, "index.json", |index| {
            let key = r#""org.opencontainers.image.ref.name":"#;
            index.replacen(key, &format!(r#"{key}"{PAUSE}",{key}"#), 1)
        });
    }),
    ("another list of manifests in the index", |members| {
        let (mut entry, _) = first(members);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": PAUSE});
        text(members, "index.json", |index| {
            let open = index.trim_end().strip_suffix('}').expect("its end");
            format!(r#"{open},"Manifests":[{entry}]}}"#)
        });
    }),
    ("two names that have changed places", |members| {
        text(members, "index.json", |index| {
            let mut index: Value = serde_json::from_str(index).expect("JSON");
            let first = index["manifests"][0]["annotations"].take();
            let second = index["manifests"][1]["annotations"].take();
            index["manifests"][0]["annotations"] = second;
            index["manifests"][1]["annotations"] = first;
            index.to_string()
        });
    }),
    ("something behind the index", |members| {
        text(members, "index.json", |index| format!("{index}{index}"));
    }),
    ("an image of another kind", |members| {
        text(members, "index.json", |index| {
            index.replacen("image.manifest.v1", "image.index.v1", 1)
        });
    }),
    ("no oci-layout, and a second manifest.json", |members| {
        members.retain(|member| member.name != "oci-layout");
        let mut image = first(members).1;
        image["RepoTags"] = json!([PAUSE]);
        members.push(file("./manifest.json", json!([image]).to_string()));
    }),
    ("no oci-layout, and keys in small letters", |members| {
        members.retain(|member| member.name != "oci-layout");
        text(members, "manifest.json", |manifest| {
            let key = r#""RepoTags":["#;
            let other = format!(r#""repotags":["{PAUSE}"],"repoTags":["{PAUSE}"],{key}"#);
            manifest.replacen(key, &other, 1)
        });
    }),
    ("keys in small letters", |members| {
        text(members, "manifest.json", |manifest| {
            let key = r#""Config":"#;
            manifest.replacen(key, &format!(r#""config":"x",{key}"#), 1)
        });
    }),
    ("an escape in a path", |members| {
        text(members, "manifest.json", |manifest| {
            manifest.replacen("blobs/sha256/", r"blobs\/sha256\u002f", 1)
        });
    }),
    ("a name more in manifest.json", |members| {
        text(members, "manifest.json", |manifest| {
            let key = r#""RepoTags":["#;
            manifest.replacen(key, &format!(r#"{key}"{PAUSE}","#), 1)
        });
    }),
    ("an image more in manifest.json", |members| {
        let mut image = first(members).1;
        image["RepoTags"] = json!([PAUSE]);
        text(members, "manifest.json", |manifest| {
            manifest.replacen("[{", &format!("[{image},{{"), 1)
        });
    }),
    ("a blob that nothing names", |members| {
        let name = format!("blobs/sha256/{}", Digest::of(b"more").hex());
        members.push(file(&name, b"more"));
    }),
    ("a blob twice", |members| {
        let last = members.last().expect("a member").clone();
        members.push(last);
    }),
    ("a folder", |members| {
        let kind = EntryType::Directory;
        members.push(Member {
            kind,
            ..file("blobs/", b"")
        });
    }),
    ("a link in the place of a blob", |members| {
        let last = members.last_mut().expect("a member");
        *last = link(&last.name, EntryType::Symlink, "/etc/hostname");
    }),
    ("a hard link in the place of a blob", |members| {
        let blob = members[3].name.clone();
        let last = members.last_mut().expect("a member");
        *last = link(&last.name, EntryType::Link, &blob);
    }),
    ("a file outside", |members| {
        members.push(file("../outside", b"more"));
    }),
    ("a config that is not what its name says", |members| {
        let config = first(members).1["Config"]
            .as_str()
            .expect("a name")
            .to_owned();
        text(members, &config, |config| config.replace("2020", "2021"));
    }),
    ("a manifest that is not what its name says", |members| {
        let digest = first(members).0["digest"]
            .as_str()
            .expect("a digest")
            .replace(':', "/");
        text(members, &format!("blobs/{digest}"), |manifest| {
            format!("{manifest} ")
        });
    }),
    ("another version of the layout", |members| {
        text(members, "oci-layout", |layout| {
            layout.replace("1.0.0", "1.0.1")
        });
    }),
    ("terminal escapes in a name", |members| {
        members.push(file("\u{1b}]0;owned\u{7}\u{9b}31m", b"more"));
    }),
];

/// Whoever takes such an archive does nothing, and says so without the help of what is in it.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn an_archive_that_speaks_with_two_tongues() {
    let (node, mirror) = (Containerd::start(), Registry::start());
    let folder = Scratch::new("tampered");
    let archive = archive_in(&folder);
    let good = read(&archive_in(&ARCHIVE));
    write_archive(&archive, &tarred(&good));
    let _ = pull(&folder).whole_package().run().expect_success();
    let (mut taken, mut remade) = (Vec::new(), Vec::new());
    let mut refused = |what: &str, script: Script| {
        let refused = script.limit(Duration::from_mins(1)).run();
        let said = format!("{}{}", refused.stdout, refused.stderr);
        let problem = format!("error: {} is not what pull.sh makes", archive.display());
        let safe = !said.contains(['\u{1b}', '\u{9b}', '\u{7}']);
        if refused.status.code() != Some(1) || !said.contains(&problem) || !safe {
            taken.push(format!("{what}: {refused}"));
        }
    };
    for (nth, (what, tamper)) in TAMPERED.iter().enumerate() {
        let mut members = good.clone();
        tamper(&mut members);
        write_archive(&archive, &tarred(&members));
        refused(what, import(&node, &folder));
        // All read archives in the same way.
        if nth % 5 == 0 {
            refused(what, push(mirror.address()).arg("--archive").arg(&archive));
            let before = fs::read(&archive).expect("there");
            refused(what, pull(&folder).whole_package());
            if before != fs::read(&archive).expect("there") {
                remade.push(*what);
            }
        }
    }

    // Compressed, it could be of any size, and a file with holes is.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tarred(&good)).expect("written");
    write_archive(&archive, &gzip.finish().expect("written"));
    refused("compressed", import(&node, &folder));
    let holes = Scratch::new("holes");
    for name in ["oci-layout", "index.json", "manifest.json"] {
        let file = fs::File::create(holes.join(name)).expect("made");
        file.set_len(3 << 30).expect("a file with a hole");
    }
    let tar = Script::new(tool("tar")).arg("-cSf").arg(&archive).arg("-C");
    let members = ["oci-layout", "index.json", "manifest.json"];
    let _ = tar.arg(&*holes).args(members).run().expect_success();
    write_archive(&archive, &fs::read(&archive).expect("there"));
    refused("holes", import(&node, &folder));

    assert!(taken.is_empty(), "{}", taken.join("\n"));
    assert!(remade.is_empty(), "{remade:?}");
    assert!(node.images().is_empty() && mirror.catalog().is_empty());
    write_archive(&archive, &tarred(&good));
    let _ = import(&node, &folder).run().expect_success();
    expect_node(&node);
}

/// What can be done to a vendor's archive in the form of `docker save` up to version 24.
const TAMPERED_VENDORS: &[(&str, Tamper)] = &[
    ("a name in repositories only", |members| {
        let names = json!({"registry.k8s.io/pause": {"3.9": "0"}});
        members.push(file("repositories", names.to_string()));
    }),
    ("a second manifest.json", |members| {
        let manifest = members.last().expect("a member").clone();
        members.push(manifest);
        text(&mut members[3..], "manifest.json", |manifest| {
            manifest.replace("huawei-csi:4.5.0", PAUSE)
        });
    }),
    ("a second manifest.json, spelt otherwise", |members| {
        let manifest = members.last().expect("a member").bytes.clone();
        let manifest = String::from_utf8(manifest).expect("a text");
        let manifest = manifest.replace("huawei-csi:4.5.0", PAUSE);
        members.push(file("./manifest.json", manifest));
    }),
    ("names in small letters", |members| {
        text(members, "manifest.json", |manifest| {
            let names = format!(r#""repotags":["{PAUSE}"]"#);
            let open = manifest.strip_suffix("}]").expect("its end");
            format!("{open},{names}}}]")
        });
    }),
    ("names twice", |members| {
        text(members, "manifest.json", |manifest| {
            let key = r#""RepoTags":["#;
            manifest.replacen(key, &format!(r#"{key}"{PAUSE}"],{key}"#), 1)
        });
    }),
    ("the layout of the OCI with another name", |members| {
        let built = Image::bare("pause", "amd64").build();
        let manifest = &built.manifest;
        let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        members.push(file(&blob(&manifest.digest), &manifest.bytes));
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": manifest.media_type, "digest": manifest.digest.as_str(),
            "size": manifest.bytes.len(),
            "annotations": {"io.containerd.image.name": PAUSE}}]});
        members.push(file("index.json", index.to_string()));
        members.push(file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#));
    }),
    ("a layer that is a link to the host", |members| {
        let layer = members[0].name.clone();
        members[0] = link(&layer, EntryType::Symlink, "/etc/hostname");
    }),
    ("a layer that is a link to outside", |members| {
        let layer = members[0].name.clone();
        members[0] = link(&layer, EntryType::Symlink, "../../../../../etc/hostname");
    }),
    ("a config that is an option of tar", |members| {
        text(members, "manifest.json", |manifest| {
            let start = manifest.find(r#""Config":""#).expect("a config") + 10;
            format!(
                "{}--to-command=false{}",
                &manifest[..start],
                &manifest[start..]
            )
        });
    }),
];

/// A vendor's archive has no checksum of ours, and is held against itself.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_that_speaks_with_two_tongues() {
    let (node, mirror, folder) = (
        Containerd::start(),
        Registry::start(),
        Scratch::new("pulled"),
    );
    let package = package_copy();
    let spoiled = package.join(SPOILED);
    let good = read(&spoiled);
    let mut taken = Vec::new();
    for (nth, (what, tamper)) in TAMPERED_VENDORS.iter().enumerate() {
        let mut members = good.clone();
        tamper(&mut members);
        fs::write(&spoiled, tarred(&members)).expect("written");
        let mut scripts = vec![import(&node, &REGISTRY_IMAGES)];
        if nth % 3 == 0 {
            scripts.extend([pull(&folder), push(mirror.address())]);
        }
        for script in scripts {
            let refused = script.package(&package).run();
            let named = refused.stderr.contains("nothing was done:\n  ");
            if refused.status.code() != Some(1) || !named || !refused.stderr.contains(SPOILED) {
                taken.push(format!("{what}: {refused}"));
            }
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    assert!(node.images().is_empty() && mirror.catalog().is_empty());
    assert!(!archive_in(&folder).exists());
}

/// Layers that are alike are there once: the others are links to it.
#[test]
#[ignore = "needs every tool; tests/run brings them and runs this"]
fn a_vendor_archive_with_links_to_its_layers() {
    let package = package_copy();
    let spoiled = package.join(SPOILED);
    let mut members = read(&spoiled);
    let layer = members[0].name.clone();
    let again = format!("{}/layer.tar", Digest::of(b"again").hex());
    let names = json!({"huawei-csi": {"4.5.0": Digest::of(b"again").hex()}});
    members.push(link(&again, EntryType::Symlink, &format!("../{layer}")));
    members.push(file("repositories", format!("{names}\n")));
    for part in ["VERSION", "json"] {
        members.push(file(
            &format!("{}/{part}", Digest::of(b"again").hex()),
            "1.0",
        ));
    }
    // The config has the layer twice.
    let config = members[1].clone();
    let mut twice: Value = serde_json::from_slice(&config.bytes).expect("JSON");
    for list in ["/rootfs/diff_ids", "/history"] {
        let list = twice.pointer_mut(list).and_then(Value::as_array_mut);
        let list = list.expect("a list");
        list.push(list[0].clone());
    }
    members[1].bytes = twice.to_string().into_bytes();
    members[1].name = format!("{}.json", Digest::of(&members[1].bytes).hex());
    let config_now = members[1].name.clone();
    text(&mut members, "manifest.json", |manifest| {
        let layers = format!(r#""{layer}","{again}""#);
        manifest
            .replace(&format!(r#""{layer}""#), &layers)
            .replace(&config.name, &config_now)
    });
    fs::write(&spoiled, tarred(&members)).expect("written");

    let node = Containerd::start();
    let _ = import(&node, &REGISTRY_IMAGES)
        .package(&package)
        .run()
        .expect_success();
    expect_node(&node);
    let folder = Scratch::new("pulled");
    let _ = pull(&folder).package(&package).run().expect_success();
    let mirror = Registry::start();
    let _ = push(mirror.address())
        .package(&package)
        .run()
        .expect_success();
}
