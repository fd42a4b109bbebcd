//! Snapshots of the outputs. The whole real tree is in `generated/`, which `gen --check` guards;
//! here stand a small table that shows every feature, and the real minors where something changes.

mod support;

use insta::{assert_snapshot, with_settings};
use support::{committed_trees, example, huawei, releases, rendered, root, text};

fn snapshot(suffix: &str, contents: &str) {
    with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        assert_snapshot!(suffix.replace('/', "__"), contents);
    });
}

#[test]
fn the_example_table() {
    let (_, tree) = rendered(&example());
    // What is the same on every minor but for its data, one minor shows.
    let alike = |path: &str| {
        let ends = [".sh", "nodes.yaml", ".example.yaml", ".cdx.json"];
        path.contains("/START-HERE") || ends.iter().any(|end| path.ends_with(end))
    };
    let shown = |path: &&String| !alike(path) || path.starts_with("k8s-1.19/");
    for path in tree.files.keys().filter(shown) {
        snapshot(&format!("example/{path}"), text(&tree, path));
    }
}

#[test]
fn the_real_table_where_it_changes() {
    let (_, tree) = rendered(&huawei());
    for minor in ["1.16", "1.17", "1.18", "1.20"] {
        snapshot(
            &format!("huawei/{minor}/values.yaml"),
            text(&tree, &format!("k8s-{minor}/values.yaml")),
        );
    }
    for minor in ["1.16", "1.17"] {
        for file in [
            "images.txt",
            "skopeo-sync.yaml",
            "README.md",
            "README.zh-CN.md",
        ] {
            snapshot(
                &format!("huawei/{minor}/{file}"),
                text(&tree, &format!("k8s-{minor}/{file}")),
            );
        }
    }
    snapshot("huawei/README.md", text(&tree, "README.md"));
}

#[test]
fn the_committed_files_are_what_the_spec_says() {
    let releases = releases(&root().join("spec"));
    let mut trees = committed_trees(&releases);
    trees.push(xtask::schema::tree());
    let differences = xtask::emit::compare(&root().join("generated"), &trees, true)
        .expect("generated/ can be read");
    assert!(
        differences.is_empty(),
        "run `cargo xtask gen`: {differences:#?}"
    );
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    let (_, first) = rendered(&huawei());
    for _ in 0..20 {
        let (_, again) = rendered(&huawei());
        assert_eq!(first.files, again.files);
    }
}
