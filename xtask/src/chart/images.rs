//! The images that a chart names, held against those of the table.

use std::collections::{HashMap, HashSet};

use super::check::MOST;
use super::rules;
use super::yaml::{Document, Id, Scalar, Value};
use crate::diagnostic::{Diagnostic, Source};
use crate::image::ImageRef;
use crate::spec::Release;
use crate::spec::model::{Component, Image};

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
                        None => checker.elsewhere(*value, name),
                    }
                }
            }
            Value::List(values) => {
                for value in values {
                    checker.elsewhere(*value, "");
                }
            }
            Value::Scalar(_) | Value::Alias(_) => {}
        }
    }
    checker.images
}

/// A row of the table, with its component.
type Row<'r> = (&'r Component, &'r Image);

struct Checker<'c> {
    release: &'c Release,
    spec: &'c Source,
    document: &'c Document,
    images: Images,
}

impl<'c> Checker<'c> {
    /// The images at the components' keys. Gives the maps that they are in, with their paths.
    fn of_components(&mut self) -> HashMap<Id, &'c str> {
        let mut groups = HashMap::new();
        for component in &self.release.components {
            let key = component.helm_key.value.as_str();
            let Ok(entry) = self.document.get(key) else {
                continue;
            };
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
                Err(error) => self.find(Diagnostic::new(
                    &rules::MALFORMED_REFERENCE,
                    self.document.span(id),
                    format!("the image reference `{}` {error}", scalar.text),
                    format!("the chart's image of `{}`", component.name.value),
                    wanted,
                )),
            }
        }
        groups
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
        let Some((id, repository)) = part("repository") else {
            return;
        };
        let (registry, tag) = (part("registry"), part("tag"));
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
        let Some((scalar, reference)) = self.image(id, key.to_lowercase().contains("image")) else {
            return;
        };
        self.images.wanted.insert(id, String::new());
        let rows = self.rows_of_repository(&reference);
        let known = if rows.is_empty() {
            "the table does not have it".to_owned()
        } else {
            self.told(&rows)
        };
        self.find(Diagnostic::new(
            &rules::UNCLAIMED_IMAGE,
            self.document.span(id),
            format!(
                "no component has the Helm key `{key}` of the image `{}`",
                scalar.text
            ),
            "an image of the chart",
            format!(
                "{known}; add a component with this key to {}",
                self.spec.path
            ),
        ));
    }

    /// A value anywhere else.
    fn elsewhere(&mut self, id: Id, name: &str) {
        let says_so = name.to_lowercase().ends_with("image");
        if let Some((scalar, reference)) = self.image(id, says_so) {
            self.images.wanted.insert(id, String::new());
            self.judge(id, &scalar.text, &reference, None);
        }
    }

    /// A text in the form of an image reference, if two of three things speak for it: it has a version,
    /// it names a registry, its key says that it is an image. Much has this form: a host with a port, a
    /// time, a ratio, a path.
    fn image(&self, id: Id, says_so: bool) -> Option<(&'c Scalar, ImageRef)> {
        let scalar = self.document.scalar(id)?;
        let reference = ImageRef::parse(&scalar.covered).ok()?;
        let has_version = version_length(&reference) > 0;
        let signs = [has_version, reference.host().is_some(), says_so];
        let is_image = signs.into_iter().filter(|sign| *sign).count() > 1;
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
                self.spec.path
            )
        } else {
            self.told(&instead)
        };
        let span = self.document.span(id);
        self.find(Diagnostic::new(rule, span, title, label, help));
    }

    fn find(&mut self, finding: Diagnostic) {
        if self.images.found.len() < MOST {
            self.images.found.push(finding);
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
