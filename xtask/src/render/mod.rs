//! Plans and targets -> trees: every file of a release, rendered in memory.
//!
//! No decision about images is made here. A template sees the plan and nothing else; the only
//! things that Rust gives it are the [`helpers`], none of which knows a product.

mod helpers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use handlebars::{Context, Handlebars, Template};
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::plan::{Plan, ReleasePlan};
use crate::quote;
use crate::target::{File, Per, Quoting, Target, path_of};
use crate::tree::{Artifact, Selection, Tree};

/// Every target's templates, parsed.
pub struct Renderer<'t> {
    targets: &'t [Target],
    engines: HashMap<Quoting, Handlebars<'t>>,
    tails: Tails<'t>,
}

/// Every template by target and name: the text that Handlebars parses, and the text behind its
/// last expression, which nothing has to parse. Most of a script is such a tail.
type Tails<'t> = Arc<HashMap<String, (&'t str, &'t str)>>;

/// How the name of a partial starts: it is included by other templates and writes no file.
const PARTIAL: char = '_';

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
        let mut tails = HashMap::new();
        for target in targets {
            for (name, text) in &target.templates {
                let place = format!("{}/{name}", target.name);
                refuse_unquoted(text, &place)?;
                // What is included ends where the include stands, not a line later.
                let ends = if name.starts_with(PARTIAL) { "\n" } else { "" };
                tails.insert(place, static_tail(text.strip_suffix(ends).unwrap_or(text)));
            }
        }
        let tails = Arc::new(tails);
        let mut engines: HashMap<Quoting, Handlebars<'t>> = HashMap::new();
        for target in targets {
            let quotings: BTreeSet<_> = target.files.iter().map(|file| file.quoting).collect();
            for quoting in quotings {
                let engine = engines
                    .entry(quoting)
                    .or_insert_with(|| engine(quoting, &tails));
                let used = |name: &&String| {
                    let is = |file: &File| file.quoting == quoting && file.template == **name;
                    name.starts_with(PARTIAL) || target.files.iter().any(is)
                };
                let names: Vec<_> = target
                    .templates
                    .iter()
                    .map(|(name, _)| name)
                    .filter(used)
                    .collect();
                let parsed: Vec<Template> = names
                    .into_par_iter()
                    .map(|name| {
                        let name = format!("{}/{name}", target.name);
                        let head = tails[&name].0;
                        Template::compile_with_name(head, name.clone()).map_err(|error| {
                            format!("the template {name}.hbs is malformed: {error}")
                        })
                    })
                    .collect::<Result<_, _>>()?;
                for template in parsed {
                    engine.register_template(&template.name.clone().unwrap_or_default(), template);
                }
            }
        }
        Ok(Self {
            targets,
            engines,
            tails,
        })
    }

    /// Renders a release: all of it, or the files of the whole release and of the minors that
    /// `wanted` takes.
    ///
    /// # Errors
    /// When a template names what the plan does not have, or two files have one path.
    pub fn render(&self, plan: &ReleasePlan, wanted: Option<&[String]>) -> Result<Tree, String> {
        let rows = helpers::Rows::new(&plan.rows);
        let with_rows = |(quoting, engine): (&Quoting, &Handlebars<'t>)| {
            let mut engine: Handlebars<'_> = engine.clone();
            engine.register_helper("rows", Box::new(rows.clone()));
            (*quoting, engine)
        };
        let work = Work {
            plan,
            facts: json(&plan.release),
            targets: self.targets,
            engines: self.engines.iter().map(with_rows).collect(),
            tails: &self.tails,
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

/// What it takes to render one release.
struct Work<'w> {
    plan: &'w ReleasePlan,
    /// `plan.release` as the templates see it.
    facts: Value,
    targets: &'w [Target],
    engines: HashMap<Quoting, Handlebars<'w>>,
    tails: &'w Tails<'w>,
}

impl Work<'_> {
    fn whole_release(&self) -> Result<Vec<Rendered>, String> {
        let files: Vec<_> = self.files(Per::Release).collect();
        let plans = json(&self.plan.plans);
        let table = json(&self.plan.table);
        files
            .into_par_iter()
            .map(|file| {
                let mut context =
                    self.context([("plans", plans.clone()), ("table", table.clone())]);
                self.file(file, "", "", &mut context)
            })
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
        let mut text = self.engines[&file.quoting]
            .render_with_context(&name, context)
            .map_err(|error| format!("cannot render {name}.hbs: {error}"))?;
        text.push_str(self.tails[&name].1);
        let path = path_of(&file.path, kubernetes, architecture);
        Ok((
            path,
            Artifact {
                text,
                executable: file.executable,
            },
        ))
    }
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

/// Splits a template behind the line of its last expression.
fn static_tail(text: &str) -> (&str, &str) {
    let last = text.rfind("{{").max(text.rfind("}}"));
    let end = last.map_or(0, |at| {
        text[at..]
            .find('\n')
            .map_or(text.len(), |line| at + line + 1)
    });
    text.split_at(end)
}

/// `{{{x}}}` and `{{&x}}` would go around the quoting, and `{{> x}}` copies the whole context each
/// time, for which there is `include`.
fn refuse_unquoted(text: &str, place: &str) -> Result<(), String> {
    let at =
        |line: usize, what: &str| Err(format!("the template {place}.hbs, line {line}: {what}"));
    for (index, line) in text.lines().enumerate() {
        let opens = |brace: &str| {
            line.contains(&format!("{{{{{brace}")) || line.contains(&format!("{{{{~{brace}"))
        };
        if opens("{") || opens("&") {
            return at(
                index + 1,
                "an expression with `{{{` or `{{&` is not quoted; write `{{`",
            );
        }
        if opens(">") {
            return at(
                index + 1,
                "a partial is written `{{include \"target/_name\"}}`",
            );
        }
        if line.ends_with('\r') {
            return at(
                index + 1,
                "the line ends in CR; save the file with LF line ends",
            );
        }
    }
    Ok(())
}

fn engine<'t>(quoting: Quoting, tails: &Tails<'t>) -> Handlebars<'t> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.set_prevent_indent(true);
    engine.register_escape_fn(move |text| quote::quote(quoting, text));
    helpers::register(&mut engine, quoting, tails);
    engine
}
