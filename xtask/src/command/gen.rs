//! `cargo xtask gen`: load, plan, render, and then write or compare.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::select::{self, Chosen};
use super::{Failure, again, folder, options, print};
use crate::cli::Gen;
use crate::emit::{self, Difference, Drift};
use crate::plan;
use crate::read;
use crate::render::Renderer;
use crate::schema;
use crate::target;
use crate::text::visible;
use crate::tree::{self, Form, Tree};
use crate::validate;

/// The most bytes of a file whose diff is shown: several times as many as a generated one has.
const MOST_DIFFED: u64 = 1 << 20;
/// Lines of one file's diff that are shown.
const DIFF_LINES: usize = 40;

pub fn run(arguments: &Gen) -> Result<(), Failure> {
    let out = folder(arguments.out.as_ref(), "generated");
    let targets = target::load(&folder(arguments.templates.as_ref(), "templates"))?;
    let (specs, renderer) = rayon::join(
        || validate::load(&folder(arguments.spec.as_ref(), "spec")),
        || Renderer::new(&targets),
    );
    let releases = select::releases(specs?, &arguments.releases)?;
    select::supported(&releases, &arguments.kubernetes)?;
    let wanted: Vec<_> = arguments
        .kubernetes
        .iter()
        .map(ToString::to_string)
        .collect();
    let wanted = (!wanted.is_empty()).then_some(wanted.as_slice());
    let renderer = renderer?;
    let mut trees = Vec::new();
    for Chosen { release, .. } in &releases {
        trees.push(renderer.render(&plan::plan(release), wanted, Form::Review)?);
    }
    let mut trees = tree::with_bodies(trees);
    let whole = arguments.releases.is_empty() && arguments.kubernetes.is_empty();
    if whole {
        trees.push(schema::tree());
    }
    let outcome = if arguments.check {
        check(&out, &trees, whole, arguments)
    } else {
        write(&out, &trees, whole)
    };
    // The process ends now, so nobody needs the memory back.
    std::mem::forget(trees);
    outcome
}

fn write(out: &Path, trees: &[Tree], whole: bool) -> Result<(), Failure> {
    let outcome = emit::write(out, trees, whole)?;
    let mut text = format!(
        "{}: {} written, {} deleted, {} unchanged\n",
        out.display(),
        outcome.written,
        outcome.deleted,
        outcome.unchanged
    );
    for path in outcome.foreign {
        text.push_str(&format!(
            "left alone, not generated: {}\n",
            out.join(path).display()
        ));
    }
    print(&visible(&text))
}

fn check(out: &Path, trees: &[Tree], whole: bool, arguments: &Gen) -> Result<(), Failure> {
    let differences = emit::compare(out, trees, whole)?;
    if differences.is_empty() {
        let files: usize = trees.iter().map(|tree| tree.files.len() + 1).sum();
        return print(&format!(
            "{}: {files} files are what the spec says\n",
            out.display()
        ));
    }
    let mut known: HashMap<String, PathBuf> = HashMap::new();
    for difference in &differences {
        let path = out.join(&difference.path);
        let line = format!("{}: {}\n", word(difference.drift), path.display());
        print(&visible(&line))?;
        let detail = visible(&detail(&path, difference, trees));
        // A change of the table is the same change on many minors.
        match known.get(&detail) {
            Some(first) if detail.lines().count() > 1 => {
                print(&format!("  the same change as in {}\n", first.display()))?;
            }
            _ => print(&detail)?,
        }
        known.entry(detail).or_insert(path);
    }
    let mut helps = Vec::new();
    if differences
        .iter()
        .any(|difference| difference.drift == Drift::Foreign)
    {
        helps.push("move or delete the foreign files".to_owned());
    }
    if differences
        .iter()
        .any(|difference| difference.drift != Drift::Foreign)
    {
        let again = again(
            "gen",
            &[
                options("--release", &arguments.releases),
                options("--kubernetes", &arguments.kubernetes),
                options("--spec", arguments.spec.iter().map(|path| path.display())),
                options(
                    "--templates",
                    arguments.templates.iter().map(|path| path.display()),
                ),
                options("--out", arguments.out.iter().map(|path| path.display())),
            ],
        );
        helps.push(format!("run `{again}` and commit what it writes"));
    }
    Err(format!(
        "{} is not what the spec says: {}\nhelp: {}",
        out.display(),
        count(&differences),
        helps.join("; ")
    ))
}

/// `2 stale, 1 foreign`
fn count(differences: &[Difference]) -> String {
    let kinds = [Drift::Stale, Drift::Missing, Drift::Orphan, Drift::Foreign];
    let counts = kinds.map(|kind| {
        let count = differences
            .iter()
            .filter(|difference| difference.drift == kind)
            .count();
        (count > 0).then(|| format!("{count} {}", word(kind)))
    });
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn word(drift: Drift) -> &'static str {
    match drift {
        Drift::Stale => "stale",
        Drift::Missing => "missing",
        Drift::Orphan => "orphan",
        Drift::Foreign => "foreign",
    }
}

/// Where a file is stale, what differs in it.
fn detail(path: &Path, difference: &Difference, trees: &[Tree]) -> String {
    let mut text = String::new();
    let artifact = trees.iter().find_map(|tree| {
        tree.files.get(
            difference
                .path
                .strip_prefix(&tree.folder)?
                .strip_prefix('/')?,
        )
    });
    let (Drift::Stale, Some(artifact)) = (difference.drift, artifact) else {
        return text;
    };
    let bytes = match read::bytes(path, MOST_DIFFED) {
        Ok(bytes) => bytes,
        Err(error) => return format!("  no diff is shown: {error}\n"),
    };
    let found = String::from_utf8_lossy(&bytes);
    if bytes == artifact.text.as_bytes() {
        let (is, should) = if artifact.executable {
            ("not ", "")
        } else {
            ("", "not ")
        };
        text.push_str(&format!("  it is {is}executable and should {should}be\n"));
        return text;
    }
    let diff = TextDiff::from_lines(found.as_ref(), artifact.text.as_str())
        .unified_diff()
        .context_radius(2)
        .header("on disk", "what the spec says")
        .to_string();
    for line in diff.lines().take(DIFF_LINES) {
        text.push_str(&format!("  {line}\n"));
    }
    let more = diff.lines().count().saturating_sub(DIFF_LINES);
    if more > 0 {
        text.push_str(&format!("  ({more} more lines)\n"));
    }
    text
}
