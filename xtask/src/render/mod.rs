//! Plans and targets -> trees: every file of a release, rendered in memory.
//!
//! No decision about images is made here. A template sees the plan and nothing else; the only
//! things that Rust gives it are the [`helpers`], none of which knows a product.

mod helpers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Output, RenderContext, RenderError, RenderErrorReason, Renderable,
    Template,
};
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::plan::{Plan, ReleasePlan};
use crate::quote;
use crate::quote::Quoting;
use crate::read;
use crate::target::{File, PARTIAL, Per, Target, path_of};
use crate::tree::{Artifact, Body, Form, Selection, Tree};

/// Every target's templates, parsed.
pub struct Renderer<'t> {
    targets: &'t [Target],
    engines: HashMap<Quoting, Handlebars<'t>>,
    /// The ends of files, by their templates.
    bodies: HashMap<String, Arc<Body>>,
}

/// The levels to which blocks and parameters of a template may be nested, and so may includes. The
/// engine goes down one for each, on the stack.
const MOST_LEVELS: usize = 16;

/// A path below the release's folder, and the file.
type Rendered = (String, Artifact);

impl std::fmt::Debug for Renderer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer")
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl<'t> Renderer<'t> {
    /// Parses the templates of some targets.
    ///
    /// # Errors
    /// When a template is malformed or goes around the quoting; the message names the template and
    /// the line.
    pub fn new(targets: &'t [Target]) -> Result<Self, String> {
        let templates: Vec<_> = targets
            .iter()
            .flat_map(|target| target.templates.iter().map(move |named| (target, named)))
            .collect();
        let parsed: Vec<_> = templates
            .into_par_iter()
            .map(|(target, (name, text))| {
                let quotings: BTreeSet<_> = target
                    .files
                    .iter()
                    .filter(|file| name.starts_with(PARTIAL) || file.template == *name)
                    .map(|file| file.quoting)
                    .collect();
                let place = format!("{}/{name}", target.name);
                check(text, &place)?;
                // What is included ends where the include stands, not a line later.
                let ends = if name.starts_with(PARTIAL) { "\n" } else { "" };
                let text = text.strip_suffix(ends).unwrap_or(text);
                let template = Template::compile_with_name(text, place.clone())
                    .map_err(|error| format!("the template {place}.hbs is malformed: {error}"))?;
                Ok((place, template, quotings))
            })
            .collect();
        let mut engines: HashMap<Quoting, Handlebars<'t>> = HashMap::new();
        for template in parsed {
            let (place, template, quotings) = template.map_err(|error: String| error)?;
            for quoting in quotings {
                let engine = engines.entry(quoting).or_insert_with(|| engine(quoting));
                engine.register_template(&place, template.clone());
            }
        }
        let bodies = targets.iter().flat_map(bodies).collect();
        Ok(Self {
            targets,
            engines,
            bodies,
        })
    }

    /// Renders a release in a form: all of it, or the files of the whole release and of the minors that
    /// `wanted` takes.
    ///
    /// # Errors
    /// When a template names what the plan does not have, or two files have one path.
    pub fn render(
        &self,
        plan: &ReleasePlan,
        wanted: Option<&[String]>,
        form: Form,
    ) -> Result<Tree, String> {
        let work = Work {
            plan,
            form,
            facts: json(&plan.release),
            targets: self.targets,
            engines: &self.engines,
            bodies: &self.bodies,
        };
        let minors: Vec<_> = plan
            .plans
            .iter()
            .filter(|plan| wanted.is_none_or(|wanted| wanted.contains(&plan.kubernetes)))
            .collect();
        let (whole, parts) = rayon::join(
            || work.whole_release(),
            || {
                minors
                    .par_iter()
                    .map(|plan| work.minor(plan))
                    .collect::<Result<Vec<_>, _>>()
            },
        );
        let (whole, parts) = (whole?, parts?);

        let folder =
            |(path, _): &Rendered| path.split_once('/').map(|(folder, _)| folder.to_owned());
        let folders: BTreeSet<_> = parts.iter().flatten().filter_map(folder).collect();
        let mut files = BTreeMap::new();
        for (path, artifact) in whole.into_iter().chain(parts.into_iter().flatten()) {
            if files.contains_key(&path) {
                return Err(format!(
                    "two targets write `{path}`; correct the `path` of one"
                ));
            }
            files.insert(path, artifact);
        }
        Ok(Tree {
            folder: format!("{}/{}", plan.release.product, plan.release.version),
            files,
            selection: match wanted {
                None => Selection::Everything,
                Some(_) => Selection::Folders(folders.into_iter().collect()),
            },
        })
    }
}

/// The ends of a target's files, by their templates.
fn bodies(target: &Target) -> impl Iterator<Item = (String, Arc<Body>)> {
    let files = target.files.iter().filter(|file| !file.body.is_empty());
    files.map(|file| {
        let parts = file.body.iter().filter_map(|part| target.body_part(part));
        let text = parts.collect::<Vec<_>>().join("\n");
        let loader = target.loader.as_deref();
        let loader = loader.and_then(|name| target.body_part(name));
        let loader = loader.unwrap_or_default().to_owned();
        let name = format!("{}/{}", target.name, file.template);
        (name, Arc::new(Body { text, loader }))
    })
}

/// What it takes to render one release.
struct Work<'w> {
    plan: &'w ReleasePlan,
    form: Form,
    /// `plan.release` as the templates see it.
    facts: Value,
    targets: &'w [Target],
    engines: &'w HashMap<Quoting, Handlebars<'w>>,
    bodies: &'w HashMap<String, Arc<Body>>,
}

impl Work<'_> {
    fn whole_release(&self) -> Result<Vec<Rendered>, String> {
        // One after the other: the plans of a large table are too much to copy for each file.
        let mut context = self.context([
            ("plans", json(&self.plan.plans)),
            ("table", json(&self.plan.table)),
        ]);
        self.files(Per::Release)
            .map(|file| self.file(file, "", "", &mut context))
            .collect()
    }

    fn minor(&self, plan: &Plan) -> Result<Vec<Rendered>, String> {
        let mut context = self.context([("plan", json(plan))]);
        let mut rendered = Vec::new();
        for file in self.files(Per::Minor) {
            rendered.push(self.file(file, &plan.kubernetes, "", &mut context)?);
        }
        for file in self.files(Per::Architecture) {
            for architecture in &plan.architectures {
                set(&mut context, "architecture", json(architecture));
                rendered.push(self.file(
                    file,
                    &plan.kubernetes,
                    &architecture.name,
                    &mut context,
                )?);
            }
        }
        Ok(rendered)
    }

    /// The files that are written for one such thing, each with its target.
    fn files(&self, per: Per) -> impl Iterator<Item = (&Target, &File)> {
        self.targets
            .iter()
            .flat_map(|target| target.files.iter().map(move |file| (target, file)))
            .filter(move |(_, file)| file.per == per)
            .filter(|(_, file)| self.form == Form::Kit || !file.kit_only)
    }

    fn context<const N: usize>(&self, entries: [(&str, Value); N]) -> Context {
        let facts = [("release", self.facts.clone())];
        let entries = facts.into_iter().chain(entries);
        let map: Map<_, _> = entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Context::from(Value::Object(map))
    }

    fn file(
        &self,
        (target, file): (&Target, &File),
        kubernetes: &str,
        architecture: &str,
        context: &mut Context,
    ) -> Result<Rendered, String> {
        set(context, "language", Value::from(file.language.tag()));
        let name = format!("{}/{}", target.name, file.template);
        let mut text = Text::default();
        write(&self.engines[&file.quoting], &name, context, &mut text)
            .map_err(|error| format!("cannot render {name}.hbs: {error}"))?;
        let path = path_of(&file.path, kubernetes, architecture);
        let mut body = self.bodies.get(&name).cloned();
        if self.form == Form::Kit
            && let Some(body) = body.take()
        {
            text.0.push_str(&body.text);
        }
        Ok((
            path,
            Artifact {
                text: text.0,
                executable: file.executable,
                loose: file.loose,
                body,
            },
        ))
    }
}

fn write(
    engine: &Handlebars<'_>,
    name: &str,
    context: &Context,
    text: &mut Text,
) -> Result<(), RenderError> {
    let not_found = || RenderErrorReason::TemplateNotFound(name.to_owned());
    let template = engine.get_template(name).ok_or_else(not_found)?;
    let mut render = RenderContext::new(template.name.as_ref());
    template.render(engine, context, &mut render, text)
}

/// The plan's types hold strings, numbers, booleans, lists and structs, all of which JSON has.
fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn set(context: &mut Context, key: &str, value: Value) {
    if let Value::Object(map) = context.data_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// What Handlebars writes into.
#[derive(Default)]
struct Text(String);

impl Output for Text {
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.push_str(text);
        if self.0.len() as u64 > read::MADE {
            return Err(io::Error::other(format!(
                "the file has more than {} bytes",
                read::MADE
            )));
        }
        Ok(())
    }
}

/// Refuses what the engine would take. `{{{x}}}` and `{{&x}}` would go around the quoting, nothing bounds
/// how deep `{{> x}}` goes, for which there is `include`, and for what is nested deep the stack is too
/// small.
fn check(text: &str, place: &str) -> Result<(), String> {
    let refuse = |at: usize, what: &str| {
        let line = text[..at].matches('\n').count() + 1;
        Err(format!("the template {place}.hbs, line {line}: {what}"))
    };
    if let Some(at) = text.find('\r') {
        return refuse(at, "the line ends in CR; save the file with LF line ends");
    }
    // The levels that each open block has: one, and one for each `{{else if}}`.
    let mut open: Vec<usize> = Vec::new();
    for (at, tag) in text.match_indices("{{") {
        let inside = &text[at + tag.len()..];
        let end = inside.find("}}").unwrap_or(inside.len());
        let brackets = levels(&inside[..end]);
        let inside = inside.strip_prefix('~').unwrap_or(inside).trim_start();
        match inside.split(|c: char| c.is_whitespace() || c == '}').next() {
            Some(word) if word.starts_with('#') => open.push(1),
            Some(word) if word.starts_with('/') => drop(open.pop()),
            Some("else" | "^") => {
                if let Some(block) = open.last_mut() {
                    *block += 1;
                }
            }
            _ => {}
        }
        if open.iter().sum::<usize>() + brackets > MOST_LEVELS {
            return refuse(
                at,
                &format!("the tag is nested more than {MOST_LEVELS} levels deep"),
            );
        }
        let inside = inside.strip_prefix('#').unwrap_or(inside).trim_start();
        if inside.starts_with(['{', '&']) {
            return refuse(
                at,
                "an expression with `{{{` or `{{&` is not quoted; write `{{`",
            );
        }
        if inside.starts_with(['>', '*']) {
            return refuse(at, "a partial is written `{{include \"target/_name\"}}`");
        }
    }
    Ok(())
}

/// How deep the brackets of a tag are nested.
fn levels(tag: &str) -> usize {
    let (mut levels, mut most) = (0_usize, 0);
    for c in tag.chars() {
        match c {
            '(' | '[' | '{' => levels += 1,
            ')' | ']' | '}' => levels = levels.saturating_sub(1),
            _ => {}
        }
        most = most.max(levels);
    }
    most
}

fn engine<'t>(quoting: Quoting) -> Handlebars<'t> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.set_prevent_indent(true);
    engine.register_escape_fn(move |text| quote::quote(quoting, text));
    helpers::register(&mut engine, quoting);
    engine
}
