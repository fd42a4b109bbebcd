//! Reads spec files. The only module that reads `spec/`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::knowledge::Knowledge;
use super::product::RawProduct;
use super::reader::Reader;
use super::release::{self, RawRelease, Read, Release, Written};
use super::{rules, syntax};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::read;
use crate::text::version_order;

/// Files beside the specs that a refusal names.
const MOST_NAMED: usize = 10;

/// The file of facts about registries and upstream images, in the folder of the specs.
const KNOWLEDGE: &str = "knowledge.toml";

/// The name of the file of what is the same in every release of a product, without its extension.
const PRODUCT: &str = "product";

/// The spec of one release: where it is, what there is to say about it, and the release if it is valid.
#[derive(Debug)]
pub struct Spec {
    /// The product that the file's path names.
    pub product: String,
    /// The release that the file's path names.
    pub release: String,
    /// The product's file and the release's.
    pub source: Source,
    /// The release that they describe; none if it could not be read, or was refused.
    pub outcome: Option<Release>,
    /// What was found; once the spec is validated, every error, and every warning that is not
    /// acknowledged.
    pub findings: Vec<Diagnostic>,
    /// What of the product this release uses, each by where it starts.
    pub used: BTreeSet<usize>,
    /// What is wrong if no release of the product uses what it points at.
    pub unused: Vec<Diagnostic>,
}

/// Reads every `<product>/<release>.toml` in a folder with the product's `product.toml`, by product and
/// release.
///
/// # Errors
/// When the folder or a file cannot be read; never for what is in a spec, which is its `findings`.
pub fn specs(folder: &Path) -> Result<Vec<Spec>, String> {
    let mut specs = Vec::new();
    for (product, files) in files(folder)? {
        let (own, releases): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, _)| name == PRODUCT);
        let path = folder.join(&product).join("product.toml");
        if own.is_empty() {
            return Err(format!(
                "{} is not there\nhelp: it has what is the same in every release of {product}",
                path.display()
            ));
        }
        if releases.is_empty() {
            return Err(format!(
                "there is no release beside {}\nhelp: a release is a file RELEASE.toml there",
                path.display()
            ));
        }
        let (own, unreadable) = source(&path)?;
        for (release, path) in releases {
            let (text, release_unreadable) = source(&path)?;
            let source = own.clone().with(text);
            let unreadable = unreadable.clone().into_iter();
            let unreadable: Vec<_> = unreadable
                .chain(release_unreadable.map(|finding| finding.moved(source.base(1))))
                .collect();
            let read = if unreadable.is_empty() {
                read(&source, &product, &release)
            } else {
                Read {
                    release: None,
                    found: unreadable,
                    used: BTreeSet::new(),
                    unused: Vec::new(),
                }
            };
            specs.push(Spec {
                product: product.clone(),
                release,
                source,
                outcome: read.release,
                findings: read.found,
                used: read.used,
                unused: read.unused,
            });
        }
    }
    if specs.is_empty() {
        return Err(format!(
            "there is no spec in {}; a spec is a file PRODUCT/RELEASE.toml in it",
            folder.display()
        ));
    }
    specs.sort_by(|a, b| {
        let releases = || version_order(&a.release).cmp(&version_order(&b.release));
        a.product.cmp(&b.product).then_with(releases)
    });
    Ok(specs)
}

/// The spec files in a folder by product, each with its name without the extension.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<(String, PathBuf)>>, String> {
    let mut products: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    let mut strays = Vec::new();
    let files = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .max_depth(2)
        .follow_links(true)
        .sort_by_file_name();
    let is_note = |file: &walkdir::DirEntry| read::is_note(&file.file_name().to_string_lossy());
    for file in files.into_iter().filter_entry(|file| !is_note(file)) {
        let file = file.map_err(|error| format!("cannot read the specs: {error}"))?;
        let path = file.path();
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        match (file.depth(), file.file_type().is_dir()) {
            (1, true) => continue,
            (1, false) if file.file_name() == KNOWLEDGE => continue,
            (2, false) if is_toml => {}
            _ => {
                strays.push(format!("\n  {}", path.display()));
                continue;
            }
        }
        let name = |part: Option<&std::ffi::OsStr>| {
            part.and_then(|part| part.to_str())
                .map(str::to_owned)
                .ok_or_else(|| {
                    format!(
                        "the path of the spec {} is not UTF-8; rename it",
                        path.display()
                    )
                })
        };
        let product = name(path.parent().and_then(Path::file_name))?;
        let release = name(path.file_stem())?;
        let files = products.entry(product).or_default();
        files.push((release, path.to_owned()));
    }
    // Nothing else would read them, and whoever wrote them would not know.
    if !strays.is_empty() {
        let more = strays.len().saturating_sub(MOST_NAMED);
        strays.truncate(MOST_NAMED);
        if more > 0 {
            strays.push(format!("\n  ({more} more)"));
        }
        return Err(format!(
            "there is something beside the specs that nothing reads:{}\nhelp: a spec is a file \
             PRODUCT/RELEASE.toml in {}; move, rename or delete what is not, or make it a note, *.md",
            strays.concat(),
            folder.display()
        ));
    }
    Ok(products)
}

/// A file's text, or as much of it as can be read and why that is not all.
fn source(path: &Path) -> Result<(Source, Option<Diagnostic>), String> {
    let finding =
        |rule, at: usize, title: String, help| Diagnostic::new(rule, at..at, title, "here", help);
    let mut unreadable = None;
    let bytes = match read::bytes(path, read::WRITTEN) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let title = format!("the file is too large: {error}");
            let help = "keep to the table; no real one is so large";
            unreadable = Some(finding(&rules::TOO_LONG, 0, title, help));
            Vec::new()
        }
        bytes => bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let title = format!("the file is not UTF-8 at byte {at}");
        unreadable = Some(finding(&rules::INVALID_TOML, at, title, "save it as UTF-8"));
        let mut bytes = error.into_bytes();
        bytes.truncate(at);
        String::from_utf8(bytes).unwrap_or_default()
    });
    Ok((Source::new(path.display().to_string(), text), unreadable))
}

/// The file of facts beside the specs, and what it says; nothing where there is no such file.
///
/// # Errors
/// When it cannot be read or is malformed.
pub fn knowledge(folder: &Path) -> Result<(Source, Knowledge), String> {
    let path = folder.join(KNOWLEDGE);
    if !path.exists() {
        let source = Source::new(path.display().to_string(), String::new());
        return Ok((source, Knowledge::default()));
    }
    let (source, unreadable) = source(&path)?;
    let text = source.text();
    let findings = match unreadable {
        Some(finding) => vec![finding],
        None => syntax::unlike_text(text),
    };
    if !findings.is_empty() {
        return Err(malformed(&source, &findings));
    }
    match Knowledge::parse(text) {
        Ok(knowledge) => Ok((source, knowledge)),
        Err(error) => {
            let finding = syntax::finding(&error, 0..text.len());
            Err(malformed(&source, &[finding]))
        }
    }
}

/// The message about knowledge with these findings.
#[must_use]
pub fn malformed(knowledge: &Source, findings: &[Diagnostic]) -> String {
    let shown = diagnostic::render(knowledge, findings);
    format!("the knowledge is malformed\n{}", shown.trim_end())
}

/// Reads the texts of a product and of a release, the two files of a source. `product` and `release` are
/// what their paths say. Gives the release as far as it could be read, and every error in a single value.
#[must_use]
pub fn read(source: &Source, product: &str, release: &str) -> Read {
    let [own, base] = [0, 1].map(|file| source.base(file));
    let mut own_parsed = syntax::parse::<RawProduct>(source.file(0), own);
    let mut parsed = syntax::parse::<RawRelease>(source.file(1), base);
    own_parsed.found.append(&mut parsed.found);
    own_parsed.removed.extend(parsed.removed);
    let (Some(own_raw), Some(raw)) = (&own_parsed.raw, &parsed.raw) else {
        return Read {
            release: None,
            found: own_parsed.found,
            used: BTreeSet::new(),
            unused: Vec::new(),
        };
    };
    let reader = Reader {
        found: own_parsed.found,
        removed: own_parsed.removed,
        ..Reader::default()
    };
    let own = Written {
        name: product,
        top: own..own,
        raw: own_raw,
    };
    let written = Written {
        name: release,
        top: base..base,
        raw,
    };
    release::read(reader, &own, &written)
}
