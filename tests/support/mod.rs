//! What the tests share: the repository's folders, and the pipeline up to the rendered tree.

#![allow(dead_code, reason = "every test uses a part of it")]

pub mod helm;
pub mod project;
pub mod spec_text;

use std::path::{Path, PathBuf};

use xtask::image::ImageRef;
use xtask::plan::{self, ReleasePlan};
use xtask::render::Renderer;
use xtask::spec::{Knowledge, Release, Spec};
use xtask::target::{self, Target};
use xtask::tree::{self, Form, Tree};
use xtask::validate;

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the repository")
}

/// A program of the Python packages that the tests need.
pub fn python_tool(name: &str) -> PathBuf {
    let program = root().join("target/test-venv/bin").join(name);
    assert!(program.exists(), "{name} is not installed; run tests/run");
    program
}

/// The folder of the specs that only the tests have.
pub fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}

/// Every release of a folder of specs.
pub fn releases(folder: &Path) -> Vec<Release> {
    let specs = validate::load(folder).expect("the specs are there");
    specs.into_iter().map(valid).collect()
}

fn valid(spec: Spec) -> Release {
    let shown = xtask::diagnostic::render(&spec.source, &spec.findings);
    spec.outcome.unwrap_or_else(|| panic!("{shown}"))
}

/// The facts about registries and upstream images.
pub fn knowledge() -> Knowledge {
    let text = std::fs::read_to_string(root().join("spec/knowledge.toml"));
    Knowledge::parse(&text.expect("the knowledge")).expect("well-formed")
}

/// The real table.
pub fn huawei() -> Release {
    let mut releases = releases(&root().join("spec")).into_iter();
    releases
        .find(|release| {
            (release.product.as_str(), release.version.as_str()) == ("huawei-csi", "4.5.0")
        })
        .expect("the spec of Huawei CSI 4.5.0")
}

/// The small table that shows every feature.
pub fn example() -> Release {
    releases(&fixtures().join("spec")).remove(0)
}

/// The targets of the repository.
pub fn targets() -> Vec<Target> {
    target::load(&root().join("templates")).expect("the templates are there")
}

/// A release planned, and rendered as a kit has it.
pub fn rendered(release: &Release) -> (ReleasePlan, Tree) {
    let plan = plan::plan(release);
    let targets = targets();
    let tree = Renderer::new(&targets)
        .and_then(|renderer| renderer.render(&plan, None, Form::Kit))
        .expect("the templates render");
    (plan, tree)
}

/// The trees of some releases as the repository has them.
pub fn committed_trees(releases: &[Release]) -> Vec<Tree> {
    let targets = targets();
    let renderer = Renderer::new(&targets).expect("the templates are sound");
    let trees = releases.iter().map(|release| {
        let tree = renderer.render(&plan::plan(release), None, Form::Review);
        tree.expect("the templates render")
    });
    tree::with_bodies(trees.collect())
}

/// The whole name of an image, which every runtime finds.
pub fn whole_name(reference: &str) -> String {
    let reference = ImageRef::parse(reference).expect("valid");
    reference.whole_name()
}

/// The text of a rendered file.
pub fn text<'t>(tree: &'t Tree, path: &str) -> &'t str {
    &tree
        .files
        .get(path)
        .unwrap_or_else(|| panic!("no {path} among {:?}", tree.files.keys()))
        .text
}
