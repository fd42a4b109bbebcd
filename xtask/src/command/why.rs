//! `cargo xtask why`: where an image or a component comes from, and where it goes.
//!
//! Which files name a row is read off the rendered files: they are those that read otherwise when
//! the row has another image.

use std::collections::BTreeSet;

use super::select::{self, Chosen};
use super::{Failure, folder, print};
use crate::cli::Why;
use crate::diagnostic::Span;
use crate::image::ImageRef;
use crate::kubernetes::{Minor, Requirement};
use crate::plan::{self, ReleasePlan};
use crate::render::Renderer;
use crate::spec::Release;
use crate::spec::{Component, Condition, Image, Located};
use crate::suggest::did_you_mean;
use crate::target::{self, Per, Target, path_of};
use crate::tree::Form;
use crate::validate;

pub fn run(arguments: &Why) -> Result<(), Failure> {
    let targets = target::load(&folder(arguments.templates.as_ref(), "templates"))?;
    let specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let chosen = select::release(specs, arguments.release.as_ref())?;
    select::supported(
        std::slice::from_ref(&chosen),
        arguments.kubernetes.as_slice(),
    )?;
    let asked = Asked::find(&chosen.release, &arguments.name)
        .ok_or_else(|| not_there(&chosen.release, &arguments.name))?;
    let answer = Answer {
        plan: plan::plan(&chosen.release),
        minors: chosen.release.kubernetes.minors().collect(),
        only: arguments.kubernetes,
        chosen: &chosen,
        asked: &asked,
    };
    let mut text = String::new();
    for place in &asked.components {
        text.push_str(&answer.component(&chosen.release.components[*place]));
    }
    text.push_str(&answer.files(&targets)?);
    print(&text)
}

/// What a name stands for.
struct Asked<'r> {
    /// The components of that name, or those that have the images.
    components: Vec<usize>,
    /// The images of that name; none where it is a component's.
    images: BTreeSet<&'r ImageRef>,
}

impl<'r> Asked<'r> {
    fn find(release: &'r Release, name: &str) -> Option<Self> {
        let of = |holds: &dyn Fn(&Component) -> bool| -> Vec<usize> {
            let components = release.components.iter().enumerate();
            components
                .filter(|(_, component)| holds(component))
                .map(|(place, _)| place)
                .collect()
        };
        let named = of(&|component| {
            component.name.value == name
                || component
                    .containers
                    .iter()
                    .any(|container| container == name)
        });
        if !named.is_empty() {
            return Some(Self {
                components: named,
                images: BTreeSet::new(),
            });
        }
        let rows = release.components.iter().flat_map(|c| &c.images);
        let images: BTreeSet<_> = rows
            .map(|image| &image.reference.value)
            .filter(|reference| is_called(reference, name))
            .collect();
        let has = |image: &Image| images.contains(&image.reference.value);
        let components = of(&|component| component.images.iter().any(has));
        (!components.is_empty()).then_some(Self { components, images })
    }
}

/// Whether an image goes by a name: its whole name, or what is left of it without the host, without
/// folders, without the tag.
fn is_called(reference: &ImageRef, name: &str) -> bool {
    let whole = reference.whole_name();
    let tag = reference.tag().map_or(0, |tag| tag.len() + 1);
    let ends = |text: &str| {
        let rest = text.strip_suffix(name);
        !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    ends(&whole) || ends(&whole[..whole.len() - tag])
}

fn not_there(release: &Release, name: &str) -> Failure {
    let components = || release.components.iter();
    let known = components().flat_map(|component| {
        let images = component.images.iter().flat_map(|image| {
            let reference = &image.reference.value;
            let tag = reference.tag().unwrap_or_default();
            let short = format!("{}:{tag}", reference.base_name());
            [reference.to_string(), short]
        });
        let names = component.containers.iter().chain([&component.name.value]);
        names.cloned().chain(images)
    });
    let help = did_you_mean(name, known).unwrap_or_else(|| {
        let names: Vec<_> = components().map(|c| c.name.value.as_str()).collect();
        format!("the components are {}", names.join(", "))
    });
    format!(
        "{}/{} has no image and no component `{name}`\nhelp: {help}",
        release.product, release.version
    )
}

struct Answer<'a> {
    chosen: &'a Chosen,
    asked: &'a Asked<'a>,
    only: Option<Minor>,
    minors: Vec<Minor>,
    plan: ReleasePlan,
}

/// A row or a hole of a component, as it is shown.
struct Line {
    kubernetes: Requirement,
    /// The minors that it is for, how the spec says so, and where.
    columns: [String; 3],
    /// The image, or why there is none.
    what: String,
    /// Whether it is a row with an image that was asked for.
    asked: bool,
}

impl Answer<'_> {
    fn component(&self, component: &Component) -> String {
        let Chosen { release, source } = self.chosen;
        let mut text = format!(
            "{} of {} {} ({})\n\n",
            component.name.value,
            release.product,
            release.version,
            source.place(&component.name.span)
        );
        let lines = self.lines(component);
        let widths = [0, 1, 2].map(|column| {
            let widths = lines.iter().map(|line| line.columns[column].len());
            widths.max().unwrap_or(0)
        });
        for line in &lines {
            text.push_str(if line.asked { ">" } else { " " });
            for (column, width) in line.columns.iter().zip(widths) {
                text.push_str(&format!(" {column:width$} "));
            }
            text.push_str(&format!(" {}\n", line.what));
        }
        text.push('\n');
        for (name, value) in self.facts(component, &lines) {
            text.push_str(&format!("  {name:10} {value}\n"));
        }
        text.push('\n');
        text
    }

    /// The rows and holes of a component, in the order of their versions. If one version alone was
    /// asked about, those for it, and the rows that were asked for.
    fn lines(&self, component: &Component) -> Vec<Line> {
        let line = |kubernetes: Requirement, span: &Span, what: String| Line {
            kubernetes,
            columns: [
                self.spans(|place| kubernetes.includes(self.minors[place])),
                kubernetes.to_string(),
                self.chosen.source.place(span),
            ],
            what,
            asked: false,
        };
        let rows = component.images.iter().map(|image| {
            let reference = &image.reference;
            let all = image.architectures.len() == self.chosen.release.architectures.len();
            let what = if all {
                reference.value.to_string()
            } else {
                format!(
                    "{} ({} only)",
                    reference.value,
                    image.architectures.join(", ")
                )
            };
            Line {
                asked: self.asked.images.contains(&reference.value),
                ..line(image.kubernetes.value, &reference.span, what)
            }
        });
        let holes = component.holes.iter().map(|hole| {
            let Located { value, span } = &hole.kubernetes;
            line(*value, span, format!("none: {}", hole.reason.en))
        });
        let mut lines: Vec<_> = rows.chain(holes).collect();
        lines.retain(|line| {
            line.asked
                || self
                    .only
                    .is_none_or(|minor| line.kubernetes.includes(minor))
        });
        lines.sort_by_key(|line| {
            let mut minors = self.minors.iter();
            minors
                .position(|minor| line.kubernetes.includes(*minor))
                .unwrap_or(usize::MAX)
        });
        lines
    }

    /// What else is to say of a component: a name, or none for one more line of the same.
    fn facts(&self, component: &Component, lines: &[Line]) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(minor) = self.only {
            let here = lines.iter().find(|line| line.kubernetes.includes(minor));
            let another = here.filter(|line| !line.asked && !self.asked.images.is_empty());
            if let Some(line) = another {
                facts.push(("not used", format!("on {minor}, which has {}", line.what)));
            }
        }
        for (name, list) in [
            ("workloads", &component.workloads),
            ("containers", &component.containers),
            ("arguments", &component.arguments),
            ("variables", &component.variables),
        ] {
            if !list.is_empty() {
                facts.push((name, list.join(", ")));
            }
        }
        let helm = component.helm.as_ref().map(|key| key.value.as_str());
        facts.push(("Helm key", helm.unwrap_or("none").to_owned()));
        if component.ways.is_empty() {
            facts.push(("enabled", "always".to_owned()));
        }
        for (place, way) in component.ways.iter().enumerate() {
            let (name, when) = if place == 0 {
                ("enabled", "when")
            } else {
                ("", "or")
            };
            let conditions = way.iter().map(|Condition { key, is }| {
                let default = self.chosen.release.chart.defaults.get(key);
                let not = if default == Some(is) { "" } else { "not " };
                format!("{} is {is} ({not}the chart's default)", key.as_str())
            });
            let conditions = conditions.collect::<Vec<_>>().join(" and ");
            facts.push((name, format!("{when} {conditions}")));
        }
        let off = |place: usize| {
            let mut components = self.plan.plans[place].off_by_default.iter();
            components.find(|off| off.name == component.name.value)
        };
        if let Some(first) = (0..self.minors.len()).find_map(off) {
            let minors = self.spans(|place| off(place).is_some());
            let switches = first.switches.join(" or ");
            facts.push(("", format!("off on {minors}; turn it on with {switches}")));
        }
        facts
    }

    /// The minors, by their place, for which something holds, as ranges: `1.16, 1.18 to 1.30`.
    fn spans(&self, holds: impl Fn(usize) -> bool) -> String {
        let places: Vec<_> = (0..self.minors.len())
            .filter(|place| holds(*place))
            .collect();
        let spans: Vec<_> = places
            .chunk_by(|a, b| a + 1 == *b)
            .map(|run| {
                let (first, last) = (self.minors[run[0]], self.minors[run[run.len() - 1]]);
                if first == last {
                    first.to_string()
                } else {
                    format!("{first} to {last}")
                }
            })
            .collect();
        if spans.is_empty() {
            "never".to_owned()
        } else {
            spans.join(", ")
        }
    }

    /// The generated files that name what was asked for. Folders of neighbouring minors that hold
    /// the same ones are one line.
    fn files(&self, targets: &[Target]) -> Result<String, Failure> {
        let renderer = Renderer::new(targets)?;
        let only = self.only.map(|minor| [minor.to_string()]);
        let wanted = only.as_ref().map(<[String; 1]>::as_slice);
        let tree = renderer.render(&self.plan, wanted, Form::Review)?;
        let other = renderer.render(&plan::plan(&self.other()), wanted, Form::Review)?;
        let mut naming: Vec<&str> = Vec::new();
        for (path, file) in &tree.files {
            if other.files.get(path) != Some(file) {
                naming.push(path);
            }
        }

        let patterns: BTreeSet<&str> = targets
            .iter()
            .flat_map(|target| &target.files)
            .filter(|file| file.per != Per::Release)
            .filter_map(|file| Some(file.path.split_once('/')?.0))
            .collect();
        let mut lines = Vec::new();
        for pattern in patterns {
            let mut folders: Vec<(String, Vec<&str>)> = Vec::new();
            for minor in &self.minors {
                let folder = path_of(pattern, &minor.to_string(), "") + "/";
                let (inside, rest) = naming.iter().partition(|path| path.starts_with(&folder));
                naming = rest;
                let names: Vec<&str> = inside;
                let names = names.iter().map(|path| &path[folder.len()..]).collect();
                folders.push((folder, names));
            }
            for alike in folders.chunk_by(|a, b| a.1 == b.1) {
                let (first, names) = &alike[0];
                let (last, _) = &alike[alike.len() - 1];
                let folders = if first == last {
                    first.clone()
                } else {
                    format!("{first} to {last}")
                };
                if !names.is_empty() {
                    lines.push(format!("{folders}: {}", names.join(", ")));
                }
            }
        }
        if !naming.is_empty() {
            lines.insert(0, naming.join(", "));
        }
        let folder = folder(None, "generated").join(&tree.folder);
        let mut text = format!("named in the files of {}/\n\n", folder.display());
        for line in lines {
            text.push_str(&format!("  {line}\n"));
        }
        Ok(text)
    }

    /// The release with another image in the place of those that were asked for.
    fn other(&self) -> Release {
        let mut release = self.chosen.release.clone();
        for place in &self.asked.components {
            let component = &mut release.components[*place];
            for image in &mut component.images {
                let reference = &mut image.reference.value;
                if self.asked.images.is_empty() || self.asked.images.contains(reference) {
                    *reference = with_other_tag(reference);
                }
            }
            if self.asked.images.is_empty() {
                component.name.value.push('_');
            }
        }
        release
    }
}

/// The same repository under a tag that it does not have now.
fn with_other_tag(reference: &ImageRef) -> ImageRef {
    let tag = reference.tag().unwrap_or_default();
    let other = if tag == "_" { "__" } else { "_" };
    let repository = reference.as_str().strip_suffix(tag).unwrap_or_default();
    ImageRef::parse(&format!("{repository}{other}")).unwrap_or_else(|_| reference.clone())
}
