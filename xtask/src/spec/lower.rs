//! From raw to valid: every key is there and every value follows its grammar.
//!
//! Each function reports all that is wrong with its part and gives nothing back if anything was;
//! none stops at the first finding. An entry of a list that is refused is left out, so that the rest
//! can still be looked at. Rules that look at several rows are not here but in
//! [`crate::rules`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::model::{
    Acknowledgement, Architecture, Chart, Component, Condition, HelmKey, Hole, Image, ImageSource,
    InstallStep, Located, Package, Release, Scalar, Setting, Text, Workload,
};
use super::raw::{self, Key, Spanned};
use super::{FORMAT, SCHEMA, rules};
use crate::diagnostic::{Diagnostic, Rule, Span};
use crate::image::ImageRef;
use crate::kubernetes::{Range, Requirement};
use crate::suggest::did_you_mean;
use crate::text::is_invisible;

/// The most characters of a text, which stands in a cell of a table and in a comment.
const MOST_TEXT: usize = 1000;
/// The most architectures; every row has its list of them.
const MOST_ARCHITECTURES: usize = 16;
/// The longest label (RFC 1123). Product, release and architecture together name a file.
const MOST_LABEL: usize = 63;
/// The longest name of a file, and the longest path.
const MOST_NAME: usize = 255;
const MOST_PATH: usize = 1024;

/// Checks a raw release, and adds what it finds to what reading it has found. `product` and
/// `release` are what the file's path says; `removed` are the keys that were written but could not
/// be read, which are not missing.
pub fn lower(
    raw: raw::Release,
    product: &str,
    release: &str,
    removed: HashSet<Removed>,
    found: Vec<Diagnostic>,
) -> (Option<Release>, Vec<Diagnostic>) {
    let mut lowering = Lowering {
        found,
        removed,
        ..Lowering::default()
    };
    let release = lowering.release(raw, product, release);
    (release, lowering.found)
}

/// A key that was taken out of a table: its name, and the place of the table.
pub type Removed = (String, Span);

#[derive(Default)]
struct Lowering {
    found: Vec<Diagnostic>,
    removed: HashSet<Removed>,
    /// The release's architectures, once read, also those that are refused.
    architectures: Vec<Architecture>,
    /// The architectures that the vendor ships a package for; none where it ships none.
    packages: Option<Vec<Architecture>>,
    /// The supported minors, once read.
    kubernetes: Option<Range>,
    /// The release's version, once read.
    version: String,
    /// The names of the release's workloads, once read, also of those that are refused.
    workloads: BTreeSet<String>,
    /// The keys that `chart.defaults` has, once read; none where that could not be read.
    defaults: Option<BTreeMap<HelmKey, bool>>,
}

impl Lowering {
    fn report(
        &mut self,
        rule: &'static Rule,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found
            .push(Diagnostic::new(rule, span, title, label, help));
    }

    /// A key that has to be there. `owner` is the table that lacks it and `example` a value.
    fn require<T>(
        &mut self,
        key: Key<T>,
        name: &str,
        owner: &Span,
        example: &str,
    ) -> Option<Spanned<T>> {
        if key.is_none() && !self.is_removed(name, owner) {
            self.report(
                &rules::MISSING_KEY,
                owner.clone(),
                format!("the key `{name}` is missing"),
                "in this table",
                format!("add `{name} = {example}`"),
            );
        }
        key
    }

    /// Whether a table had a key that could not be read, of which somebody was told.
    fn is_removed(&self, name: &str, owner: &Span) -> bool {
        self.removed.contains(&(name.to_owned(), owner.clone()))
    }

    fn release(&mut self, raw: raw::Release, product: &str, release: &str) -> Option<Release> {
        let top = 0..0;
        let schema = self.require(raw.schema, "schema", &top, "1");
        if let Some(schema) = &schema
            && *schema.get_ref() != SCHEMA
        {
            self.report(
                &rules::UNSUPPORTED_SCHEMA,
                schema.span(),
                format!(
                    "schema {} is not one that this tool reads",
                    schema.get_ref()
                ),
                "the version of the spec's format",
                format!("write `schema = {SCHEMA}`"),
            );
        }
        // Where the file says something else, what its path says is as good for the rules.
        let product = self
            .path_name(raw.product, "product", product, "folder")
            .unwrap_or_else(|| product.to_owned());
        self.version = self
            .path_name(raw.release, "release", release, "file")
            .unwrap_or_else(|| release.to_owned());
        if product == FORMAT {
            self.report(
                &rules::MALFORMED_NAME,
                top.clone(),
                format!("a product cannot be named {product:?}"),
                "in this file",
                "name it otherwise: the files about the format of a spec have this folder",
            );
        }
        let title = self.text(raw.title, "title", &top);
        let kubernetes = self
            .require(raw.kubernetes, "kubernetes", &top, "\"v1.16-v1.30\"")
            .and_then(|text| self.parsed(&text, &rules::MALFORMED_RANGE, Range::parse));
        self.kubernetes = kubernetes;
        let architectures = self.release_architectures(raw.architectures);
        let package = raw.package.map(|package| self.package(package));
        let chart = self
            .require(raw.chart, "chart", &top, "{ folder = \"...\", ... }")
            .map(|chart| self.chart(chart));
        if raw.workload.is_empty() && !self.is_removed("workload", &top) {
            self.report(
                &rules::MISSING_KEY,
                top.clone(),
                "the spec has no `[[workload]]`",
                "in this file",
                "add a `[[workload]]` for each object that runs containers",
            );
        }
        let names = raw.workload.iter();
        let names = names.filter_map(|workload| workload.get_ref().name.as_ref());
        self.workloads = names.map(|name| name.get_ref().clone()).collect();
        let workloads = self.all(raw.workload, Self::workload);
        if raw.component.is_empty() && !self.is_removed("component", &top) {
            self.report(
                &rules::MISSING_KEY,
                top,
                "the table has no `[[component]]`",
                "in this file",
                "add a `[[component]]` with its `[[component.image]]` rows",
            );
        }
        let components = self.all(raw.component, Self::component);
        let settings = self.all(raw.setting, Self::setting);
        let steps = self.all(raw.install_step, Self::install_step);
        let acknowledgements = self.all(raw.acknowledge, Self::acknowledgement);
        Some(Release {
            product,
            version: self.version.clone(),
            title,
            kubernetes: kubernetes?,
            architectures,
            package: package.flatten(),
            chart: chart.unwrap_or_default(),
            workloads,
            components,
            settings,
            steps,
            acknowledgements,
            notes: Vec::new(),
            is_whole: !self.found.iter().any(Diagnostic::is_error),
        })
    }

    /// Lowers every entry of a list, and leaves out what is refused.
    fn all<R, T>(
        &mut self,
        raws: Vec<Spanned<R>>,
        one: impl Fn(&mut Self, R, Span) -> Option<T>,
    ) -> Vec<T> {
        raws.into_iter()
            .filter_map(|raw| {
                let span = raw.span();
                one(self, raw.into_inner(), span)
            })
            .collect()
    }

    /// Lowers every entry of a list, also behind one that is refused, and gives all or nothing.
    fn whole<R, T>(
        &mut self,
        raws: Vec<Spanned<R>>,
        one: impl Fn(&mut Self, R, Span) -> Option<T>,
    ) -> Option<Vec<T>> {
        let length = raws.len();
        let lowered = self.all(raws, one);
        (lowered.len() == length).then_some(lowered)
    }

    /// A name that the file's path says too.
    fn path_name(
        &mut self,
        key: Key<String>,
        name: &str,
        path: &str,
        part: &str,
    ) -> Option<String> {
        let text = self.require(key, name, &(0..0), &format!("{path:?}"))?;
        if text.get_ref() != path {
            self.report(
                &rules::WRONG_PLACE,
                text.span(),
                format!(
                    "the {name} `{}` is not the name of the spec's {part}, `{path}`",
                    text.get_ref()
                ),
                format!("the {part} is named `{path}`"),
                format!("write `{name} = \"{path}\"`, or rename the {part}"),
            );
            return None;
        }
        self.named(
            text,
            name,
            |text| text.len() <= MOST_LABEL && is_path_name(text),
            "letters, digits, `.`, `_`, `+` and `-`, a letter or digit first, at most 63",
        )
    }

    fn named(
        &mut self,
        text: Spanned<String>,
        what: &str,
        sound: impl Fn(&str) -> bool,
        of: &str,
    ) -> Option<String> {
        if sound(text.get_ref()) {
            return Some(text.into_inner());
        }
        self.report(
            &rules::MALFORMED_NAME,
            text.span(),
            format!("{:?} is not a valid {what}", text.get_ref()),
            format!("not made of {of}"),
            "write it with these characters only",
        );
        None
    }

    fn label(&mut self, text: Spanned<String>, what: &str) -> Option<String> {
        self.named(
            text,
            what,
            is_dns_label,
            "lower-case letters, digits and inner `-`, at most 63",
        )
    }

    fn located_label(&mut self, text: Spanned<String>, what: &str) -> Option<Located<String>> {
        let span = text.span();
        let value = self.label(text, what)?;
        Some(Located { value, span })
    }

    fn relative_path(&mut self, text: Spanned<String>, what: &str) -> Option<String> {
        let sound = |text: &str| text.len() <= MOST_PATH && text.split('/').all(is_path_name);
        self.named(text, what, sound, "file names joined by `/`, without `..`")
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        text: &Spanned<String>,
        rule: &'static Rule,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(text.get_ref())
            .map_err(|error| {
                // The sentence says what is wrong before its `;` and the mend behind it.
                let error = error.to_string();
                let (wrong, mend) = error.split_once("; ").unwrap_or((&error, "correct it"));
                let title = format!("{:?} {wrong}", text.get_ref());
                self.report(rule, text.span(), title, "here", mend);
            })
            .ok()
    }

    fn located<T, E: std::fmt::Display>(
        &mut self,
        text: &Spanned<String>,
        rule: &'static Rule,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        let span = text.span();
        self.parsed(text, rule, parse)
            .map(|value| Located { value, span })
    }

    fn requirement(&mut self, key: Key<String>, owner: &Span) -> Option<Located<Requirement>> {
        let text = self.require(key, "kubernetes", owner, "\"v1.17+\"")?;
        let written = text.get_ref();
        if let (Err(_), Some(value)) = (Requirement::parse(written), Requirement::mended(written)) {
            let span = text.span();
            let title = format!("{written:?} is not a Kubernetes requirement");
            let supported = self.kubernetes.into_iter().flat_map(Range::minors);
            let minors = supported.filter(|minor| value.includes(*minor)).collect();
            self.found.push(
                Diagnostic::new(
                    &rules::REQUIREMENT_TYPO,
                    span.clone(),
                    title,
                    format!("read as `{value}`"),
                    format!("write `{value}`"),
                )
                .about(written, minors),
            );
            return Some(Located { value, span });
        }
        self.located(&text, &rules::MALFORMED_REQUIREMENT, Requirement::parse)
    }

    fn helm_key(&mut self, key: Key<String>, name: &str, owner: &Span) -> Option<Located<HelmKey>> {
        let text = self.require(key, name, owner, "\"images.example\"")?;
        self.located(&text, &rules::MALFORMED_HELM_KEY, HelmKey::parse)
    }

    /// A text in both languages. No rule over the table asks what a text says, so one that is
    /// refused is blank.
    fn text(&mut self, key: Key<raw::Text>, name: &str, owner: &Span) -> Text {
        let Some(text) = self.require(key, name, owner, "{ en = \"...\", zh-CN = \"...\" }") else {
            return Text::default();
        };
        let span = text.span();
        let text = text.into_inner();
        let mut language = |text: Key<String>, tag: &str, called: &str| match text {
            Some(text) if !text.get_ref().trim().is_empty() => {
                // A blank at its start would begin a block of code in Markdown.
                self.plain(&text).trim().to_owned()
            }
            missing => {
                let place = missing.map_or(span.clone(), |text| text.span());
                self.report(
                    &rules::MISSING_TRANSLATION,
                    place,
                    format!("`{name}` has no {called} text"),
                    "every text is written in both languages",
                    format!("add `{name}.{tag} = \"...\"`"),
                );
                String::new()
            }
        };
        Text {
            en: language(text.en, "en", "English"),
            zh_cn: language(text.zh_cn, "zh-CN", "Chinese"),
        }
    }

    /// Free text: one line, without characters that a terminal or an editor does not show as they
    /// are. What is refused here never reaches a template.
    fn plain(&mut self, text: &Spanned<String>) -> String {
        if let Some(odd) = text.get_ref().chars().find(|c| is_invisible(*c)) {
            self.report(
                &rules::CONTROL_CHARACTER,
                text.span(),
                format!("a text has the character {}", odd.escape_unicode()),
                "a text is one line of visible characters",
                "remove the character",
            );
            return String::new();
        }
        let length = text.get_ref().chars().count();
        if self.too_long(length, MOST_TEXT, text.span(), "a text", "characters") {
            return String::new();
        }
        self.filled_in(text, "the text", &[("{{", "}}"), ("${", "}")]);
        text.get_ref().clone()
    }

    /// Whether nothing in a text waits for a build script to fill it in, between two of some marks.
    fn filled_in(&mut self, text: &Spanned<String>, what: &str, marks: &[(&str, &str)]) -> bool {
        let mut marks = marks.iter();
        let placeholder = marks.find_map(|(open, close)| {
            let start = text.get_ref().find(open)?;
            let inside = start + open.len();
            let end = inside + text.get_ref()[inside..].find(close)? + close.len();
            Some(&text.get_ref()[start..end])
        });
        if let Some(placeholder) = placeholder {
            self.report(
                &rules::PLACEHOLDER,
                text.span(),
                format!("{what} still has the placeholder `{placeholder}`"),
                "never filled in",
                "write what stands there in a finished release",
            );
        }
        placeholder.is_none()
    }

    /// Reports what has more parts than any real one.
    fn too_long(&mut self, length: usize, most: usize, span: Span, what: &str, of: &str) -> bool {
        if length > most {
            self.report(
                &rules::TOO_LONG,
                span,
                format!("{what} has {length} {of}"),
                "too many",
                format!("write at most {most}"),
            );
        }
        length > most
    }

    fn release_architectures(&mut self, key: Key<Vec<Spanned<String>>>) -> Vec<Architecture> {
        let Some(names) = self.require(key, "architectures", &(0..0), "[\"amd64\", \"arm64\"]")
        else {
            return Vec::new();
        };
        self.not_empty(names.get_ref().is_empty(), names.span(), "`architectures`");
        let (length, span) = (names.get_ref().len(), names.span());
        if self.too_long(
            length,
            MOST_ARCHITECTURES,
            span,
            "`architectures`",
            "entries",
        ) {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let mut valid = Vec::new();
        for name in names.into_inner() {
            self.once(&mut seen, &name, "architecture");
            self.architectures.push(name.get_ref().clone());
            let of = "lower-case letters and digits, such as `amd64`";
            let sound = |text: &str| is_dns_label(text) && !text.contains('-');
            valid.extend(self.named(name, "architecture", sound, of));
        }
        valid
    }

    /// Reports what was named in the same list before.
    fn once(&mut self, seen: &mut HashSet<String>, name: &Spanned<String>, what: &str) {
        if !seen.insert(name.get_ref().clone()) {
            self.report(
                &rules::DUPLICATE_NAME,
                name.span(),
                format!("the {what} `{}` is named twice", name.get_ref()),
                "again here",
                "remove one of the two",
            );
        }
    }

    /// Reports a list that has to have an entry and has none.
    fn not_empty(&mut self, is_empty: bool, span: Span, what: &str) {
        if is_empty {
            let title = format!("{what} is empty");
            self.report(
                &rules::EMPTY_LIST,
                span,
                title,
                "nothing in it",
                "add an entry, or remove the key",
            );
        }
    }

    fn known_architecture(&mut self, name: &Spanned<String>) -> bool {
        // With no architecture read, that is the error to show, not this one.
        let known = self.architectures.is_empty() || self.architectures.contains(name.get_ref());
        if !known {
            self.report(
                &rules::UNKNOWN_ARCHITECTURE,
                name.span(),
                format!("the release is not built for `{}`", name.get_ref()),
                "not in the release's `architectures`",
                format!("use one of `{}`", self.architectures.join("`, `")),
            );
        }
        known
    }

    /// A map by architecture, in the release's order.
    fn by_architecture<R, T>(
        &mut self,
        map: Spanned<BTreeMap<Spanned<String>, R>>,
        one: impl Fn(&mut Self, R) -> Option<T>,
    ) -> Option<Vec<(Architecture, T)>> {
        let mut entries = Vec::new();
        let mut complete = true;
        self.not_empty(
            map.get_ref().is_empty(),
            map.span(),
            "the table of architectures",
        );
        for (architecture, raw) in map.into_inner() {
            let known = self.known_architecture(&architecture);
            match one(self, raw) {
                Some(value) if known => entries.push((architecture.into_inner(), value)),
                _ => complete = false,
            }
        }
        let rank = |name: &str| self.architectures.iter().position(|known| known == name);
        entries.sort_by_key(|(name, _)| rank(name));
        complete.then_some(entries)
    }

    fn package(&mut self, raw: Spanned<raw::Package>) -> Option<Package> {
        let span = raw.span();
        let raw = raw.into_inner();
        let names = raw.file.iter().flat_map(|files| files.get_ref().keys());
        self.packages = Some(names.map(|name| name.get_ref().clone()).collect());
        let files = self
            .require(raw.file, "file", &span, "{ amd64 = \"...\" }")
            .and_then(|files| {
                self.by_architecture(files, |this, name| this.file_name(name, "file name"))
            });
        let image_folder = self
            .require(raw.image_folder, "image-folder", &span, "\"image\"")
            .and_then(|folder| self.relative_path(folder, "folder"));
        Some(Package {
            files: files?,
            image_folder: image_folder?,
        })
    }

    fn file_name(&mut self, name: Spanned<String>, what: &str) -> Option<Located<String>> {
        let span = name.span();
        let value = self.named(
            name,
            what,
            is_path_name,
            "letters, digits, `.`, `_`, `+` and `-`, a letter or digit first",
        )?;
        Some(Located { value, span })
    }

    /// What is blank in it was reported.
    fn chart(&mut self, raw: Spanned<raw::Chart>) -> Chart {
        let span = raw.span();
        let raw = raw.into_inner();
        let folder = self
            .require(raw.folder, "folder", &span, "\"charts/example\"")
            .and_then(|folder| self.relative_path(folder, "folder"));
        let release_name = self
            .require(raw.release_name, "release-name", &span, "\"example\"")
            .and_then(|name| self.label(name, "Helm release name"));
        let namespace = self
            .require(raw.namespace, "namespace", &span, "\"example\"")
            .and_then(|name| self.label(name, "namespace"));
        let mut defaults = BTreeMap::new();
        for (key, is) in raw.defaults {
            if let Some(key) = self.parsed(&key, &rules::MALFORMED_HELM_KEY, HelmKey::parse) {
                defaults.insert(key, is.into_inner());
            }
        }
        if !self.is_removed("defaults", &span) {
            self.defaults = Some(defaults.clone());
        }
        Chart {
            folder: folder.unwrap_or_default(),
            release_name: release_name.unwrap_or_default(),
            namespace: namespace.unwrap_or_default(),
            defaults,
        }
    }

    fn workload(&mut self, raw: raw::Workload, span: Span) -> Option<Workload> {
        let name = self
            .require(raw.name, "name", &span, "\"example-controller\"")
            .and_then(|name| self.located_label(name, "workload name"));
        let is_kind = |text: &str| {
            text.len() <= MOST_LABEL
                && text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.chars().all(|c| c.is_ascii_alphanumeric())
        };
        let kind = self
            .require(raw.kind, "kind", &span, "\"Deployment\"")
            .and_then(|kind| self.named(kind, "kind", is_kind, "letters, such as `DaemonSet`"));
        let service_account = self
            .require(
                raw.service_account,
                "service-account",
                &span,
                "\"example-controller\"",
            )
            .and_then(|name| self.label(name, "service account"));
        Some(Workload {
            name: name?,
            kind: kind?,
            service_account: service_account?,
        })
    }

    fn component(&mut self, raw: raw::Component, span: Span) -> Option<Component> {
        let name = self
            .require(raw.name, "name", &span, "\"csi-provisioner\"")
            .and_then(|name| self.located_label(name, "component name"));
        let container = raw.container.map(|name| self.label(name, "container name"));
        let workloads = self
            .require(
                raw.workloads,
                "workloads",
                &span,
                "[\"example-controller\"]",
            )
            .map(|names| self.known_workloads(names));
        let helm_key = self.helm_key(raw.helm_key, "helm-key", &span);
        let description_span = raw
            .description
            .as_ref()
            .map_or(span.clone(), |text| text.span());
        let description = self.text(raw.description, "description", &span);
        let enabled_when = self.whole(raw.enabled_when, Self::condition);
        if raw.image.is_empty() {
            self.report(
                &rules::MISSING_KEY,
                span,
                "the component has no `[[component.image]]`",
                "this component",
                "add a row with its `reference` and `kubernetes`",
            );
        }
        let images = self.whole(raw.image, Self::image);
        let holes = self.whole(raw.hole, |this, raw, span| {
            let kubernetes = this.requirement(raw.kubernetes, &span);
            let reason = this.text(raw.reason, "reason", &span);
            Some(Hole {
                kubernetes: kubernetes?,
                reason,
            })
        });
        let name = name?;
        Some(Component {
            container: container.unwrap_or_else(|| Some(name.value.clone()))?,
            name,
            workloads: workloads?,
            helm_key: helm_key?,
            description: Located {
                value: description,
                span: description_span,
            },
            enabled_when: enabled_when?,
            images: images?,
            holes: holes?,
        })
    }

    fn known_workloads(&mut self, names: Spanned<Vec<Spanned<String>>>) -> Vec<String> {
        self.not_empty(names.get_ref().is_empty(), names.span(), "`workloads`");
        let mut seen = HashSet::new();
        let mut known = Vec::new();
        for name in names.into_inner() {
            self.once(&mut seen, &name, "workload");
            // With no workload read, that is the error to show, not this one.
            if self.workloads.is_empty() || self.workloads.contains(name.get_ref()) {
                known.push(name.into_inner());
            } else {
                let workloads: Vec<_> = self.workloads.iter().map(String::as_str).collect();
                self.report(
                    &rules::UNKNOWN_WORKLOAD,
                    name.span(),
                    format!("the spec has no workload `{}`", name.get_ref()),
                    "no `[[workload]]` has this name",
                    format!(
                        "use one of `{}`, or add a `[[workload]]`",
                        workloads.join("`, `")
                    ),
                );
            }
        }
        known
    }

    fn condition(&mut self, raw: raw::Condition, span: Span) -> Option<Condition> {
        let key = self.helm_key(raw.key, "key", &span);
        let is = self.require(raw.is, "is", &span, "true");
        let key = key?;
        let defaults = self.defaults.as_ref()?;
        if !defaults.contains_key(&key.value) {
            let known = defaults.keys().map(|known| known.as_str().to_owned());
            let question = did_you_mean(key.value.as_str(), known);
            self.report(
                &rules::MISSING_DEFAULT,
                key.span,
                format!(
                    "the spec does not say what the chart sets `{}` to",
                    key.value.as_str()
                ),
                "a component depends on it",
                format!(
                    "{}add `{:?} = true` (or false) to `[chart.defaults]`",
                    question.map_or_else(String::new, |question| format!("{question} If not, ")),
                    key.value.as_str()
                ),
            );
            return None;
        }
        Some(Condition {
            key: key.value,
            is: is?.into_inner(),
        })
    }

    fn image(&mut self, raw: raw::Image, span: Span) -> Option<Image> {
        let in_package = raw.archives.is_some();
        let reference = self
            .require(
                raw.reference,
                "reference",
                &span,
                "\"registry.example/path:v1.0.0\"",
            )
            .and_then(|text| self.reference(&text, in_package));
        let kubernetes = self.requirement(raw.kubernetes, &span);
        let archives = raw.archives.map(|map| {
            self.packaged(&map);
            self.by_architecture(map, |this, names| {
                this.not_empty(
                    names.get_ref().is_empty(),
                    names.span(),
                    "the list of archive names",
                );
                let names: Vec<_> = names
                    .into_inner()
                    .into_iter()
                    .map(|name| this.file_name(name, "archive name"))
                    .collect();
                names.into_iter().collect::<Option<Vec<_>>>()
            })
        });
        let architectures = self.image_architectures(raw.architectures, archives.as_ref());
        let source = match archives {
            Some(archives) => ImageSource::Package(archives?),
            None => ImageSource::Registry,
        };
        Some(Image {
            reference: reference?,
            kubernetes: kubernetes?,
            architectures: architectures?,
            source,
        })
    }

    /// Reports archives of which the spec does not say in which package they are.
    fn packaged<T>(&mut self, archives: &Spanned<BTreeMap<Spanned<String>, T>>) {
        let Some(packages) = self.packages.clone() else {
            self.report(
                &rules::MISSING_PACKAGE,
                archives.span(),
                "an image comes in the vendor's package, and the spec has no `[package]`",
                "an archive of the package",
                "add `[package]` with its `file` and `image-folder`",
            );
            return;
        };
        for name in archives.get_ref().keys() {
            if !packages.contains(name.get_ref()) && self.architectures.contains(name.get_ref()) {
                self.report(
                    &rules::MISSING_PACKAGE,
                    name.span(),
                    format!("the spec names no package for `{}`", name.get_ref()),
                    "an archive of it",
                    format!("add `file.{} = \"...\"` to `[package]`", name.get_ref()),
                );
            }
        }
    }

    fn reference(&mut self, text: &Spanned<String>, in_package: bool) -> Option<Located<ImageRef>> {
        let marks = [("{{", "}}"), ("${", "}"), ("@", "@"), ("<", ">")];
        if !self.filled_in(text, "the reference", &marks) {
            return None;
        }
        let reference = self.located(text, &rules::MALFORMED_REFERENCE, ImageRef::parse)?;
        let image = &reference.value;
        let lower_case;
        let finding = if image.digest().is_some() {
            // A node's archive has a manifest of its own, so a registry's digest is not found there.
            Some((
                &rules::REFERENCE_BY_DIGEST,
                "has a digest",
                "an image is referred to by its tag",
                "remove the `@` and what follows",
            ))
        } else if image.tag().is_none() {
            Some((
                &rules::REFERENCE_WITHOUT_TAG,
                "has no tag",
                "no version",
                "add the image's version, such as `:v1.0.0`",
            ))
        } else if image.tag() == Some("latest") {
            Some((
                &rules::LATEST_TAG,
                "is another image every time that somebody pushes one",
                "the tag `latest`",
                "write the version that the release was tested with",
            ))
        } else if let Some(host) = image.host().filter(|host| *host != host.to_lowercase()) {
            lower_case = format!(
                "write `{}{}`",
                host.to_lowercase(),
                &image.as_str()[host.len()..]
            );
            Some((
                &rules::UPPER_CASE_HOST,
                "names its registry in upper-case letters",
                "no path in a private registry can have them",
                lower_case.as_str(),
            ))
        } else if image.host().is_none() && !in_package && image.tag() == Some(&self.version) {
            Some((
                &rules::PACKAGE_IMAGE_WITHOUT_ARCHIVE,
                "looks like an image of the vendor's package, and has no `archives`",
                "a short name with the release's version",
                "add `archives` with the names that its archive goes by, per architecture",
            ))
        } else if image.host().is_none() && !in_package {
            Some((
                &rules::SHORT_NAME,
                "names no registry",
                "every engine would ask docker.io for it",
                "put the registry in front, or add `archives` if the image comes in the vendor's package",
            ))
        } else if image.host().is_some() && in_package {
            Some((
                &rules::PACKAGE_IMAGE_WITH_HOST,
                "names a registry",
                "the image comes in the vendor's package",
                "write the short name that is in its archive, or remove `archives`",
            ))
        } else {
            None
        };
        if let Some((rule, wrong, label, help)) = finding {
            self.report(rule, text.span(), format!("`{image}` {wrong}"), label, help);
            return None;
        }
        Some(reference)
    }

    /// The architectures of a row: what it says, else those of its archives, else the release's.
    fn image_architectures(
        &mut self,
        key: Key<Vec<Spanned<String>>>,
        archives: Option<&Option<Vec<(Architecture, Vec<Located<String>>)>>>,
    ) -> Option<Vec<Architecture>> {
        let Some(names) = key else {
            return match archives {
                Some(archives) => {
                    let archives = archives.as_ref()?;
                    Some(archives.iter().map(|(name, _)| name.clone()).collect())
                }
                None => Some(self.architectures.clone()),
            };
        };
        if archives.is_some() {
            self.report(
                &rules::NEEDLESS_ARCHITECTURES,
                names.span(),
                "a row with `archives` has `architectures` too",
                "the archives say for which architectures the image is there",
                "remove this key",
            );
            return None;
        }
        self.not_empty(names.get_ref().is_empty(), names.span(), "`architectures`");
        let mut seen = HashSet::new();
        let mut known = Vec::new();
        for name in names.get_ref() {
            known.push(self.known_architecture(name));
            self.once(&mut seen, name, "architecture");
        }
        if !known.into_iter().all(|known| known) {
            return None;
        }
        let has = |name: &&String| names.get_ref().iter().any(|named| named.get_ref() == *name);
        Some(self.architectures.iter().filter(has).cloned().collect())
    }

    fn setting(&mut self, raw: raw::Setting, span: Span) -> Option<Setting> {
        let key = self.helm_key(raw.key, "key", &span);
        let value = self
            .require(raw.value, "value", &span, "false")
            .and_then(|value| self.scalar(value));
        let kubernetes = self.requirement(raw.kubernetes, &span);
        let reason = self.text(raw.reason, "reason", &span);
        Some(Setting {
            key: key?,
            value: value?,
            kubernetes: kubernetes?,
            reason,
        })
    }

    fn scalar(&mut self, value: Spanned<raw::Scalar>) -> Option<Scalar> {
        let span = value.span();
        match value.into_inner().0 {
            toml::Value::Boolean(value) => Some(Scalar::Bool(value)),
            toml::Value::Integer(value) => Some(Scalar::Integer(value)),
            toml::Value::String(text) => {
                Some(Scalar::String(self.plain(&Spanned::new(span, text))))
            }
            other => {
                self.report(
                    &rules::WRONG_TYPE,
                    span,
                    format!("a setting's value is of the type {}", other.type_str()),
                    "expected a string, an integer or a boolean",
                    "write one of these",
                );
                None
            }
        }
    }

    fn install_step(&mut self, raw: raw::InstallStep, span: Span) -> Option<InstallStep> {
        let remove = self
            .require(raw.remove, "remove", &span, "\"crds/example\"")
            .and_then(|path| self.relative_path(path, "path in the chart"));
        let kubernetes = self.requirement(raw.kubernetes, &span);
        let reason = self.text(raw.reason, "reason", &span);
        Some(InstallStep {
            remove: remove?,
            kubernetes: kubernetes?,
            reason,
        })
    }

    fn acknowledgement(&mut self, raw: raw::Acknowledge, span: Span) -> Option<Acknowledgement> {
        let rule = self.require(raw.rule, "rule", &span, "\"frozen-registry\"");
        let subjects = self.require(raw.subjects, "subjects", &span, "[\"k8s.gcr.io\"]");
        let reason = self.text(raw.reason, "reason", &span);
        let (rule, subjects) = (rule?, subjects?);
        self.not_empty(subjects.get_ref().is_empty(), subjects.span(), "`subjects`");
        Some(Acknowledgement {
            rule: Located {
                value: rule.get_ref().clone(),
                span: rule.span(),
            },
            subjects: subjects
                .into_inner()
                .iter()
                .map(|subject| Located {
                    span: subject.span(),
                    value: self.plain(subject),
                })
                .collect(),
            reason,
        })
    }
}

/// A label as Kubernetes takes it for names (RFC 1123).
fn is_dns_label(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MOST_LABEL
        && text.starts_with(word)
        && text.ends_with(word)
        && text.chars().all(|c| word(c) || c == '-')
}

/// A file or folder name that no shell, tool or file system takes for anything else.
fn is_path_name(text: &str) -> bool {
    text.len() <= MOST_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
}
