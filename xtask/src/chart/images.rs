//! The images that a chart names, held against those of the table.

use std::collections::{HashMap, HashSet};

use super::check::MOST;
use super::yaml::{Document, Entry, Id, Scalar, Value};
use crate::diagnostic::{Diagnostic, Source};
use crate::image::ImageRef;
use crate::rules::chart as rules;
use crate::spec::Release;
use crate::spec::{Component, Image};

/// What there is to say of a chart's images.
pub struct Images {
    pub found: Vec<Diagnostic>,
    /// The values that hold an image or a part of one, each with what the table has there.
    pub wanted: HashMap<Id, String>,
}

/// Holds the images of a chart against a release. `used` are the values that the table has a key
/// for.
pub fn check(release: &Release, spec: &Source, document: &Document, used: &HashSet<Id>) -> Images {
    let mut checker = Checker {
        release,
        spec,
        document,
        said: said(document),
        images: Images {
            found: Vec::new(),
            wanted: HashMap::new(),
        },
    };
    let groups = checker.of_components();
    for around in document.ids() {
        match document.value(around) {
            Value::Map(entries) => {
                checker.in_parts(around);
                for (key, value) in entries.iter().filter(|(_, value)| !used.contains(value)) {
                    let name = document.name(*key).unwrap_or_default();
                    match groups.get(&around) {
                        Some(group) => checker.beside_components(*value, group, name),
                        None => checker.elsewhere(*value),
                    }
                }
            }
            Value::List(values) => {
                for value in values {
                    checker.elsewhere(*value);
                }
            }
            Value::Scalar(_) | Value::Alias(_) => {}
        }
    }
    checker.images
}

/// What the keys above a value say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// A key further up speaks of images: `images.tools.shell`.
    Above,
    /// Its own key names an image: `images.shellImage`.
    Image,
}

/// The values below a key that speaks of images.
fn said(document: &Document) -> HashMap<Id, Said> {
    let mut said = HashMap::new();
    // A node comes before what is in it.
    for id in document.ids() {
        let above = said.contains_key(&id).then_some(Said::Above);
        match document.value(id) {
            Value::Map(entries) => {
                for (key, value) in entries {
                    let name = document.name(*key).unwrap_or_default().to_lowercase();
                    let own = match name.rfind("image") {
                        Some(at) if name[at..] == *"image" => Some(Said::Image),
                        Some(_) => Some(Said::Above),
                        None => None,
                    };
                    said.extend(own.max(above).map(|said| (*value, said)));
                }
            }
            Value::List(values) => {
                said.extend(values.iter().filter_map(|value| Some((*value, above?))));
            }
            Value::Scalar(_) | Value::Alias(_) => {}
        }
    }
    said
}

/// A row of the table, with its component.
type Row<'r> = (&'r Component, &'r Image);

struct Checker<'c> {
    release: &'c Release,
    spec: &'c Source,
    document: &'c Document,
    said: HashMap<Id, Said>,
    images: Images,
}

impl<'c> Checker<'c> {
    /// The images at the components' keys. Gives the maps that they are in, with their paths.
    fn of_components(&mut self) -> HashMap<Id, &'c str> {
        let mut groups = HashMap::new();
        for component in &self.release.components {
            let Some(helm) = &component.helm else {
                continue;
            };
            let key = helm.value.as_str();
            if !self.release.chart.parts.is_empty() {
                self.of_parts(component);
                continue;
            }
            let Ok(entry) = self.document.get(key) else {
                continue;
            };
            if self.is_part(component, &entry) {
                continue;
            }
            groups.insert(
                entry.map,
                key.rsplit_once('.').map_or("", |(group, _)| group),
            );
            let id = self.document.behind_alias(entry.value);
            // A chart that has nothing there leaves it to whoever installs it.
            let Some(scalar) = self.document.scalar(id).filter(|scalar| !scalar.is_empty()) else {
                continue;
            };
            let wanted = self.told(&rows_of(component).collect::<Vec<_>>());
            self.images.wanted.insert(id, format!("{wanted}; "));
            match ImageRef::parse(&scalar.covered) {
                Ok(reference) => self.judge(id, &scalar.text, &reference, Some(component)),
                Err(error) => self.find(
                    &scalar.text,
                    Diagnostic::new(
                        &rules::MALFORMED_REFERENCE,
                        self.document.span(id),
                        format!("the image reference `{}` {}", scalar.text, error.wrong),
                        format!("the chart's image of `{}`", component.name.value),
                        wanted,
                    ),
                ),
            }
        }
        groups
    }

    /// An image that the table knows to be in parts: what the chart has for one, the table has too.
    fn of_parts(&mut self, component: &'c Component) {
        let mut parts = Vec::new();
        for (key, pattern) in component.parts(&self.release.chart) {
            let Ok(entry) = self.document.get(key.as_str()) else {
                continue;
            };
            let id = self.document.behind_alias(entry.value);
            // A part that is empty is the chart's templates' to fill in.
            let scalar = self.document.scalar(id).filter(|scalar| !scalar.is_empty());
            parts.extend(scalar.map(|scalar| (id, scalar, pattern)));
        }
        let rows: Vec<_> = rows_of(component).collect();
        let wanted = self.told(&rows);
        for (id, _, _) in &parts {
            self.images.wanted.insert(*id, format!("{wanted}; "));
        }
        let is_so = |image: &Image, scalar: &Scalar, pattern: &str| {
            !scalar.placeholders.is_empty()
                || image.reference.value.put_into(pattern) == scalar.text
        };
        let is_row = |(_, image): &Row<'_>| {
            let mut parts = parts.iter();
            parts.all(|(_, scalar, pattern)| is_so(image, scalar, pattern))
        };
        if rows.iter().any(is_row) {
            return;
        }
        let odd = parts.iter().find(|(_, scalar, pattern)| {
            let mut rows = rows.iter();
            !rows.any(|(_, image)| is_so(image, scalar, pattern))
        });
        if let Some((id, scalar, _)) = odd.or(parts.first()) {
            let finding = Diagnostic::new(
                &rules::OTHER_VERSION,
                self.document.span(*id),
                format!("the table has another image than `{}`", scalar.text),
                format!("a part of the chart's image of `{}`", component.name.value),
                wanted,
            );
            self.find(&scalar.text, finding);
        }
    }

    /// A Helm key of the table that is one part of an image which the chart has in several: the whole
    /// reference there would be completed by the others.
    fn is_part(&mut self, component: &Component, entry: &Entry) -> bool {
        let other = ["tag", "registry"].into_iter().find(|name| {
            let other = self.document.entry(entry.map, name);
            other.is_some_and(|other| other.value != entry.value)
        });
        let Some(other) = other else {
            return false;
        };
        let key = component.helm.as_ref().map_or("", |key| key.value.as_str());
        let name = key.rsplit('.').next().unwrap_or_default();
        let value = self.document.behind_alias(entry.value);
        let is_whole = |scalar: &Scalar| {
            let reference = ImageRef::parse(&scalar.covered);
            reference.is_ok_and(|reference| reference.tag().is_some())
        };
        // What the chart has there whole is no part, whatever is beside it.
        if !["registry", "repository", "tag"].contains(&name)
            && self.document.scalar(value).is_some_and(is_whole)
        {
            return false;
        }
        let finding = Diagnostic::new(
            &rules::PART_OF_IMAGE,
            self.document.span(entry.key),
            format!(
                "`{key}` is one part of the image of `{}`",
                component.name.value
            ),
            format!("beside it is `{other}`"),
            "write the group as the component's `helm`, and the parts as `parts` of `[chart]`",
        );
        self.images.found.push(finding);
        true
    }

    /// An image in parts, as many charts have it: `repository`, perhaps `registry`, and `tag`, which
    /// the chart's templates may take from elsewhere.
    fn in_parts(&mut self, map: Id) {
        let part = |name| {
            let id = self
                .document
                .behind_alias(self.document.entry(map, name)?.value);
            let scalar = self.document.scalar(id)?;
            (!scalar.is_empty()).then_some((id, scalar))
        };
        let tag = part("tag");
        // Much has a name and a tag; where keys speak of images, it is one of those.
        let named = || part("name").filter(|_| self.said.contains_key(&map));
        let with_tag = || tag.and_then(|_| part("image").or_else(named));
        let Some((id, repository)) = part("repository").or_else(with_tag) else {
            return;
        };
        let registry = part("registry");
        let whole = |text: fn(&Scalar) -> &str| {
            let before = registry.map_or(String::new(), |(_, part)| format!("{}/", text(part)));
            let behind = tag.map_or(String::new(), |(_, part)| format!(":{}", text(part)));
            format!("{before}{}{behind}", text(repository))
        };
        let reference = ImageRef::parse(&whole(|part| &part.covered)).ok();
        if let Some(reference) = reference.filter(|image| tag.is_some() || image.host().is_some()) {
            self.images.wanted.insert(id, String::new());
            if let Some((tag_id, _)) = tag {
                self.images.wanted.insert(tag_id, String::new());
            }
            self.judge(id, &whole(|part| &part.text), &reference, None);
        }
    }

    /// A value in a group that the table writes images into: an image there needs a component.
    fn beside_components(&mut self, id: Id, group: &str, name: &str) {
        let key = if group.is_empty() {
            name.to_owned()
        } else {
            format!("{group}.{name}")
        };
        // One without a version too: the chart's templates may add it.
        let said = self.said.get(&id).map(|_| Said::Image);
        let Some((scalar, reference)) = self.image(id, said) else {
            return;
        };
        self.images.wanted.insert(id, String::new());
        let rows = self.rows_of_repository(&reference);
        let known = if rows.is_empty() {
            "the table does not have it".to_owned()
        } else {
            self.told(&rows)
        };
        let finding = Diagnostic::new(
            &rules::UNCLAIMED_IMAGE,
            self.document.span(id),
            format!(
                "no component has the Helm key `{key}` of the image `{}`",
                scalar.text
            ),
            "an image of the chart",
            format!(
                "{known}; add a component with this key to {}",
                self.spec.path()
            ),
        );
        self.find(&scalar.text, finding);
    }

    /// A value anywhere else.
    fn elsewhere(&mut self, id: Id) {
        if self.images.wanted.contains_key(&id) {
            // A part of an image that was looked at as a whole.
            return;
        }
        let said = self.said.get(&id).copied();
        if let Some((scalar, reference)) = self.image(id, said) {
            self.images.wanted.insert(id, String::new());
            self.judge(id, &scalar.text, &reference, None);
        }
    }

    /// A text in the form of an image reference that is one by its parts or by the keys above it. Much
    /// has this form: a host with a port, a time, a ratio, a path, the label of a node.
    fn image(&self, id: Id, said: Option<Said>) -> Option<(&'c Scalar, ImageRef)> {
        let scalar = self.document.scalar(id)?;
        let reference = ImageRef::parse(&scalar.covered).ok()?;
        let (name, tag) = (reference.repository(), reference.tag());
        let has_version = version_length(&reference) > 0;
        let is_release = tag.is_none_or(|tag| tag == "latest" || is_numbered(tag, 1));
        let is_image = match reference.host() {
            // `kubernetes.io/os:linux` is a label with its value.
            Some(_) if has_version => {
                said.is_some() || is_release || reference.path().contains('/')
            }
            Some(_) => said == Some(Said::Image),
            // `proxy.example:3128` has no version, and `12:30.5` no name.
            None => {
                let is_address = name == "localhost" || name.contains('.');
                let is_port = tag.is_some_and(|tag| tag.bytes().all(|byte| byte.is_ascii_digit()));
                let is_name = name.contains(|c: char| c.is_ascii_alphabetic());
                let is_exact = tag.is_some_and(|tag| is_numbered(tag, 2));
                has_version && is_name && !(is_address && is_port) && (said.is_some() || is_exact)
            }
        };
        is_image.then_some((scalar, reference))
    }

    /// Says what the table has instead of an image of the chart, unless it has this one. The
    /// reference has its placeholders covered, the text has not.
    fn judge(
        &mut self,
        id: Id,
        text: &str,
        reference: &ImageRef,
        component: Option<&'c Component>,
    ) {
        let written = reference.as_str();
        if !text.starts_with(&written[..written.len() - version_length(reference)]) {
            // Even the repository is for the chart's build to fill in.
            return;
        }
        let own: Vec<Row<'_>> = component.into_iter().flat_map(rows_of).collect();
        let of_repository = self.rows_of_repository(reference);
        let mut same = of_repository.clone();
        same.retain(|(_, image)| image.reference.value.tag() == reference.tag());
        let (rule, title, instead) = if of_repository.is_empty() {
            let mut alike = own;
            if alike.is_empty() {
                let name = reference.base_name();
                let rows = self.release.components.iter().flat_map(rows_of);
                alike.extend(rows.filter(|(_, image)| image.reference.value.base_name() == name));
            }
            let title = format!("the table does not have the image `{text}`");
            (&rules::UNKNOWN_IMAGE, title, alike)
        } else if text != written || version_length(reference) == 0 {
            // The version is for the chart's build or its templates to fill in.
            return;
        } else if same.is_empty() {
            let title = format!("the table has another version of `{text}`");
            (&rules::OTHER_VERSION, title, of_repository)
        } else if let Some(component) = component
            && !same
                .iter()
                .any(|(of, _)| of.name.value == component.name.value)
        {
            let title = format!("`{text}` is not the image of `{}`", component.name.value);
            (&rules::SWAPPED_IMAGE, title, [same, own].concat())
        } else {
            return;
        };
        let label = match component {
            Some(component) => format!("the chart's image of `{}`", component.name.value),
            None => "an image of the chart".to_owned(),
        };
        let help = if instead.is_empty() {
            format!(
                "add a component to {} if an installation pulls it",
                self.spec.path()
            )
        } else {
            self.told(&instead)
        };
        let span = self.document.span(id);
        self.find(text, Diagnostic::new(rule, span, title, label, help));
    }

    /// Adds a finding about an image.
    fn find(&mut self, image: &str, finding: Diagnostic) {
        if self.images.found.len() < MOST {
            self.images.found.push(finding.about(image, vec![]));
        }
    }

    fn rows_of_repository(&self, reference: &ImageRef) -> Vec<Row<'c>> {
        let wanted = repository(reference);
        let rows = self.release.components.iter().flat_map(rows_of);
        rows.filter(|(_, image)| repository(&image.reference.value) == wanted)
            .collect()
    }

    /// `the table has `a:1` for `a` on v1.17+ (FILE:12), ...`
    fn told(&self, rows: &[Row<'_>]) -> String {
        let row = |(component, image): &Row<'_>| {
            format!(
                "`{}` for `{}` on {} ({})",
                image.reference.value,
                component.name.value,
                image.kubernetes.value,
                self.spec.place(&image.reference.span)
            )
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        format!("the table has {}", rows.join(", "))
    }
}

fn rows_of(component: &Component) -> impl Iterator<Item = Row<'_>> {
    component.images.iter().map(move |image| (component, image))
}

/// Whether a tag starts with so many numbers: `v1.30` with two.
fn is_numbered(tag: &str, count: usize) -> bool {
    let bare = tag.strip_prefix('v').unwrap_or(tag);
    let mut parts = bare.split('.');
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    (0..count).all(|_| parts.next().is_some_and(is_number))
}

/// How much of a reference's end is its tag and its digest.
fn version_length(reference: &ImageRef) -> usize {
    let parts = [reference.tag(), reference.digest()].into_iter().flatten();
    parts.map(|part| part.len() + 1).sum()
}

/// The whole name of an image without tag and digest.
fn repository(reference: &ImageRef) -> String {
    let mut name = reference.whole_name();
    name.truncate(name.len() - version_length(reference));
    name
}
