//! `[package]`: the vendor's software package, and the archives of images in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::fill;
use super::reader::{Reader, entries, is_path_name};
use super::rules;
use super::spanned::{Key, Located, Spanned};
use crate::diagnostic::{Diagnostic, Span};

/// The vendor's software package, if some images come in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Package")]
pub struct RawPackage {
    /// The folder inside it that holds the image archives: `image`.
    #[schemars(required)]
    pub image_folder: Key<String>,
    /// The names that the archive of an image goes by, the usual one first:
    /// `["{name}-v{release}-{word}.tar"]`. `{name}` is the last part of the image's name, `{release}` the
    /// release, `{word}` the vendor's word for the architecture and `{word-lower}` that in lower case.
    #[schemars(required, length(min = 1))]
    pub archives: Key<Vec<Spanned<String>>>,
    /// The vendor's words for the architectures: `{ amd64 = "X86", arm64 = "ARM" }`.
    #[serde(default)]
    pub words: BTreeMap<Spanned<String>, Spanned<String>>,
    /// The package's file name, for each architecture or one for all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub file: Vec<Spanned<RawPackageFile>>,
}

/// The name of the package's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "PackageFile")]
pub struct RawPackageFile {
    /// The first release that has it.
    pub since: Key<String>,
    /// The first release that no longer has it.
    pub before: Key<String>,
    /// The name, in which `{release}` and `{word}` are filled in: `Example_V{release}_{word}_64.zip`.
    #[schemars(required)]
    pub name: Key<String>,
}

entries!(RawPackageFile);

/// The vendor's software package.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its file name per architecture, in the release's order.
    pub files: Vec<(String, Located<String>)>,
    /// The folder inside it that holds the image archives.
    pub image_folder: String,
    /// The patterns of an archive's names.
    archives: Vec<Located<String>>,
    /// The vendor's word for each architecture of the release; empty where it has none.
    words: Vec<(String, String)>,
}

impl Reader {
    /// The package of this release.
    pub(super) fn package(&mut self, raw: &Spanned<RawPackage>) -> Option<Package> {
        let (span, raw) = (raw.span(), raw.get_ref());
        let image_folder = self
            .require(&raw.image_folder, "image-folder", &span, "\"image\"")
            .and_then(|folder| self.relative_path(folder, "folder"));
        for name in raw.words.keys() {
            if self.architectures.contains(name.get_ref()) {
                self.used.insert(name.span().start);
            }
            self.unused.push(Diagnostic::new(
                &rules::UNKNOWN_ARCHITECTURE,
                name.span(),
                format!("no release is built for `{}`", name.get_ref()),
                "a word for it",
                "write an architecture as `architectures` of a release has it, or remove the word",
            ));
        }
        let mut words = Vec::new();
        for architecture in self.architectures.clone() {
            let word = raw
                .words
                .iter()
                .find(|(name, _)| *name.get_ref() == architecture);
            let of = "letters, digits, `.`, `_`, `+` and `-`, a letter or digit first";
            let word = word.and_then(|(_, word)| self.named(word, "word", is_path_name, of));
            words.push((architecture, word.unwrap_or_default()));
        }
        let archives = self.require(&raw.archives, "archives", &span, "[\"{name}-{word}.tar\"]");
        let archives: Vec<_> = archives
            .inspect(|archives| self.not_empty(archives, "`archives`", "add a name"))
            .into_iter()
            .flat_map(|archives| archives.get_ref())
            .map(|pattern| Located {
                value: pattern.get_ref().clone(),
                span: pattern.span(),
            })
            .collect();
        let mut package = Package {
            files: Vec::new(),
            image_folder: image_folder?,
            archives,
            words,
        };
        let Some((file, file_span)) = self.held_once(&raw.file, "the package's file") else {
            self.no_file(span);
            return Some(package);
        };
        let name = self.require(&file.name, "name", &file_span, "\"Example_{word}.zip\"")?;
        let pattern = Located {
            value: name.get_ref().clone(),
            span: name.span(),
        };
        for (architecture, word) in package.words.clone() {
            let file = self.file_of(&pattern, &architecture, &word, None)?;
            package.files.push((architecture, file));
        }
        Some(package)
    }

    fn no_file(&mut self, span: Span) {
        self.report(
            &rules::MISSING_PACKAGE,
            span,
            format!("the release {} has no package file", self.version),
            "no `[[package.file]]` of it holds for this release",
            "add one, or widen the `since` or `before` of another",
        );
    }

    /// The names that the archive of an image goes by, per architecture.
    pub(super) fn archives(
        &mut self,
        package: &Package,
        image: &str,
    ) -> Option<Vec<(String, Vec<Located<String>>)>> {
        let mut archives = Vec::new();
        for (architecture, word) in &package.words {
            let mut names: Vec<Located<String>> = Vec::new();
            for pattern in &package.archives {
                let name = self.file_of(pattern, architecture, word, Some(image))?;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            archives.push((architecture.clone(), names));
        }
        Some(archives)
    }

    /// A file of the package.
    fn file_of(
        &mut self,
        pattern: &Located<String>,
        architecture: &str,
        word: &str,
        image: Option<&str>,
    ) -> Option<Located<String>> {
        let lower = word.to_lowercase();
        let version = self.version.clone();
        let mut parts = vec![
            ("release", version.as_str()),
            ("word", word),
            ("word-lower", &lower),
        ];
        parts.extend(image.map(|name| ("name", name)));
        let text = Spanned::new(pattern.span.clone(), pattern.value.clone());
        let filled = self.parsed(&text, &rules::MALFORMED_PATTERN, |text| fill(text, &parts))?;
        if word.is_empty() && pattern.value.contains("{word") {
            self.report(
                &rules::MISSING_PACKAGE,
                pattern.span.clone(),
                format!("the package has no word for `{architecture}`"),
                "needed here",
                format!("add `{architecture} = \"...\"` to `words` of `[package]`"),
            );
            return None;
        }
        self.file_name(&Spanned::new(pattern.span.clone(), filled), "file name")
    }
}
