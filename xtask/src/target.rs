//! A target is data: `templates/<target>/target.toml` says which files it writes, the `.hbs` files
//! beside it say how. This module reads both; it renders nothing.

use std::path::Path;

use serde::Deserialize;

use crate::quote::Quoting;
use crate::read;
use crate::text::hidden;
use crate::whole::at;

/// How the name of a partial starts: it is included by other templates and writes no file.
pub const PARTIAL: char = '_';

/// An output format: one folder of `templates/`.
#[derive(Debug)]
pub struct Target {
    /// The folder's name, which messages show.
    pub name: String,
    /// The files that it writes.
    pub files: Vec<File>,
    /// Its templates by file name without `.hbs`. A name that starts with [`PARTIAL`] is a partial.
    pub templates: Vec<(String, String)>,
    /// Its files that are written as they are, by name: the parts of bodies.
    pub texts: Vec<(String, String)>,
    /// Which of these the repository has in the place of a body; none where nothing has a body.
    pub loader: Option<String>,
}

/// A kind of file that a target writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// The template's file name, without `.hbs`.
    pub template: String,
    /// Files beside the template that follow what it writes, as they are: what is the same in every
    /// release. In the repository that is one file for a product, and in the file of a minor the target's
    /// loader has its place.
    #[serde(default)]
    pub body: Vec<String>,
    /// Whether only kits and the site have the file: whoever reviews a change of the table
    /// has nothing to read in it.
    #[serde(default)]
    pub kit_only: bool,
    /// The path below the release's folder; `{kubernetes}` and `{architecture}` stand for the
    /// values that `per` goes through.
    pub path: String,
    /// For what one file is written.
    pub per: Per,
    /// How an expression of the template is quoted.
    pub quoting: Quoting,
    /// The language that the file is written in, which templates see as `language`.
    #[serde(default)]
    pub language: Language,
    /// Whether the file is a program (mode 755; else 644).
    #[serde(default)]
    pub executable: bool,
    /// Whether `dist` publishes the file by itself too, beside the kits.
    #[serde(default)]
    pub loose: bool,
}

/// For what one file is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// The whole release.
    Release,
    /// A Kubernetes minor.
    Minor,
    /// A Kubernetes minor and an architecture.
    Architecture,
}

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Language {
    /// The language's BCP 47 tag, under which a text of the context has it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetToml {
    #[serde(default)]
    loader: Option<String>,
    file: Vec<File>,
}

/// Reads every target of a folder, by name.
///
/// # Errors
/// When a file cannot be read, is not UTF-8 or malformed, or names a template that is not there.
pub fn load(folder: &Path) -> Result<Vec<Target>, String> {
    let mut targets: Vec<Target> = Vec::new();
    let files = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .max_depth(2)
        .sort_by_file_name();
    let is_note = |file: &walkdir::DirEntry| read::is_note(&file.file_name().to_string_lossy());
    for entry in files.into_iter().filter_entry(|file| !is_note(file)) {
        let entry = entry.map_err(|error| format!("cannot read the templates: {error}"))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy();
        if entry.depth() == 1 && path.is_dir() {
            targets.push(Target {
                name: name.into_owned(),
                files: Vec::new(),
                templates: Vec::new(),
                texts: Vec::new(),
                loader: None,
            });
            continue;
        }
        match targets.last_mut().filter(|_| entry.depth() == 2) {
            Some(target) if name == "target.toml" => {
                let text = text(path)?;
                let parsed: TargetToml = toml::from_str(&text).map_err(|error| {
                    format!("{}: {}", path.display(), error.to_string().trim_end())
                })?;
                target.files = parsed.file;
                target.loader = parsed.loader;
            }
            Some(target) if name.ends_with(".sh") => {
                target.texts.push((name.into_owned(), text(path)?));
            }
            Some(target) if name.ends_with(".hbs") => {
                let name = name.trim_end_matches(".hbs").to_owned();
                target.templates.push((name, text(path)?));
            }
            _ => {
                return Err(format!(
                    "{} is no part of a target, so nothing reads it; a target is a folder with a \
                     target.toml, templates, *.hbs, and parts of scripts, *.sh; move, rename or delete the file, or make it \
                     a note, *.md",
                    path.display()
                ));
            }
        }
    }
    for target in &targets {
        target.check(folder)?;
    }
    if targets.is_empty() {
        return Err(format!(
            "there is no target in {}; a target is a folder with a target.toml in it",
            folder.display()
        ));
    }
    Ok(targets)
}

/// The text of a file in which everything can be seen.
fn text(path: &Path) -> Result<String, String> {
    let text = read::text(path, read::WRITTEN).map_err(at("read", path))?;
    let Some((at, c)) = hidden(&text).next() else {
        return Ok(text);
    };
    let line = text[..at].matches('\n').count() + 1;
    Err(format!(
        "{}, line {line}: the file has the character {}; remove it: it can make the file show other \
         than it is",
        path.display(),
        c.escape_unicode()
    ))
}

impl Target {
    fn check(&self, folder: &Path) -> Result<(), String> {
        let place = folder.join(&self.name).join("target.toml");
        let place = place.display();
        if self.files.is_empty() {
            return Err(format!(
                "{place}: there is no `[[file]]`; add one for each file to write"
            ));
        }
        for file in &self.files {
            let File { template, path, .. } = file;
            if !self.templates.iter().any(|(name, _)| name == template) {
                return Err(format!(
                    "{place}: there is no template `{template}.hbs` in this folder; add it, or \
                     correct `template = {template:?}`"
                ));
            }
            if let Some(part) = file.body.iter().find(|part| self.body_part(part).is_none()) {
                return Err(format!(
                    "{place}: there is no `{part}` in this folder; add it, or correct the `body` of \
                     `{template}`"
                ));
            }
            let sound = |part: &str| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._+-{}".contains(c);
                !["", ".", "..", ".files"].contains(&part) && part.chars().all(plain)
            };
            if !path.split('/').all(sound) {
                return Err(format!(
                    "{place}: `path = {path:?}` is no path inside the release's folder; write \
                     names of letters, digits, `.`, `_`, `+` and `-`, joined by `/`, without `..`"
                ));
            }
            let folder = path.split_once('/').map_or("", |(folder, _)| folder);
            if file.per != Per::Release && !folder.contains("{kubernetes}") {
                return Err(format!(
                    "{place}: `path = {path:?}` does not start with a folder of the minor's own; \
                     write `k8s-{{kubernetes}}/...`"
                ));
            }
            if file.per == Per::Architecture && !path.contains("{architecture}") {
                return Err(format!(
                    "{place}: `path = {path:?}` is the same for every architecture; put \
                     `{{architecture}}` into it"
                ));
            }
        }
        let has_body = self.files.iter().any(|file| !file.body.is_empty());
        let loader = self.loader.as_deref();
        if loader.is_some() != has_body {
            return Err(format!(
                "{place}: a `loader` is for files with a `body`; write both or neither"
            ));
        }
        if let Some(name) = loader.filter(|name| self.body_part(name).is_none()) {
            return Err(format!(
                "{place}: there is no `{name}` in this folder; add it, or correct `loader`"
            ));
        }
        let is_part = |name: &str| {
            let mut parts = self.files.iter().flat_map(|file| &file.body);
            loader == Some(name) || parts.any(|part| part == name)
        };
        if let Some((unused, _)) = self.texts.iter().find(|(name, _)| !is_part(name)) {
            return Err(format!(
                "{place}: no `body` has `{unused}`; add it to one, or delete the file"
            ));
        }
        let is_used = |name: &str| self.files.iter().any(|file| file.template == name);
        let mut names = self.templates.iter().map(|(name, _)| name.as_str());
        if let Some(unused) = names.find(|name| !name.starts_with(PARTIAL) && !is_used(name)) {
            return Err(format!(
                "{place}: no `[[file]]` has the template `{unused}.hbs`; add one, or start its name \
                 with `{PARTIAL}` if others include it"
            ));
        }
        Ok(())
    }
}

impl Target {
    /// The text of a part of a body.
    #[must_use]
    pub fn body_part(&self, name: &str) -> Option<&str> {
        let (_, text) = self.texts.iter().find(|(known, _)| known == name)?;
        Some(text)
    }
}

/// The path of a file for one minor and architecture.
#[must_use]
pub fn path_of(pattern: &str, kubernetes: &str, architecture: &str) -> String {
    pattern
        .replace("{kubernetes}", kubernetes)
        .replace("{architecture}", architecture)
}
