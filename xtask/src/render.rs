//! Plans and targets -> trees: every file of a release, rendered in memory.
//!
//! No decision about images is made here. A template sees the plan and nothing else; the only
//! things that Rust gives it are the helpers below, none of which knows a product.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::{Map, Value};

use crate::plan::{Plan, ReleasePlan};
use crate::quote;
use crate::target::{File, Per, Quoting, Target, path_of};
use crate::tree::{Artifact, Selection, Tree};

/// The width at which the helper `comment-lines` breaks a text.
const COMMENT_WIDTH: usize = 88;

/// Every target's templates, parsed.
pub struct Renderer<'t> {
    targets: &'t [Target],
    engines: HashMap<Quoting, Handlebars<'t>>,
}

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
    /// When a template is malformed or has an expression that is not quoted; the message names the
    /// template and the line.
    pub fn new(targets: &'t [Target]) -> Result<Self, String> {
        let mut engines: HashMap<Quoting, Handlebars<'t>> = HashMap::new();
        for target in targets {
            let quotings: BTreeSet<_> = target.files.iter().map(|file| file.quoting).collect();
            for quoting in quotings {
                let engine = engines.entry(quoting).or_insert_with(|| engine(quoting));
                for (name, text) in &target.templates {
                    let used = target
                        .files
                        .iter()
                        .any(|file| file.quoting == quoting && file.template == *name);
                    let partial = name.starts_with('_');
                    if !used && !partial {
                        continue;
                    }
                    let place = format!("{}/{name}.hbs", target.name);
                    refuse_unquoted(text, &place)?;
                    let name = if partial { name.clone() } else { place.clone() };
                    engine
                        .register_template_string(&name, text)
                        .map_err(|error| format!("the template {place} is malformed: {error}"))?;
                }
            }
        }
        Ok(Self { targets, engines })
    }

    /// Renders a release: all of it, or the files of the whole release and of the minors that
    /// `wanted` takes.
    ///
    /// # Errors
    /// When a template names what the plan does not have, or two files have one path.
    pub fn render(&self, plan: &ReleasePlan, wanted: Option<&[String]>) -> Result<Tree, String> {
        let facts = json(&plan.release);
        let minors: Vec<&Plan> = plan
            .plans
            .iter()
            .filter(|plan| wanted.is_none_or(|wanted| wanted.contains(&plan.kubernetes)))
            .collect();
        // One job a minor, and the whole release as the first: it is the longest.
        let jobs = minors.len() + 1;
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Result<Vec<Rendered>, String>)>> = Mutex::new(Vec::new());
        let work = || loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            let files = match job.checked_sub(1) {
                None => self.whole_release(plan, facts.clone()),
                Some(index) => self.minor(minors[index], facts.clone()),
            };
            done.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((job, files));
        };
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(jobs);
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(job, _)| *job);

        let mut files = BTreeMap::new();
        let mut folders = BTreeSet::new();
        for (job, rendered) in done {
            for (path, artifact) in rendered? {
                if job > 0
                    && let Some((folder, _)) = path.split_once('/')
                {
                    folders.insert(folder.to_owned());
                }
                if files.insert(path.clone(), artifact).is_some() {
                    return Err(format!(
                        "two targets write `{path}`; correct the `path` in one target.toml"
                    ));
                }
            }
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

    fn whole_release(&self, plan: &ReleasePlan, facts: Value) -> Result<Vec<Rendered>, String> {
        let files = self.files(|per| per == Per::Release);
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let mut context = context([
            ("release", facts),
            ("plans", json(&plan.plans)),
            ("table", json(&plan.table)),
        ]);
        files
            .iter()
            .map(|file| self.file(file, "", "", &mut context))
            .collect()
    }

    fn minor(&self, plan: &Plan, facts: Value) -> Result<Vec<Rendered>, String> {
        let mut context = context([("release", facts), ("plan", json(plan))]);
        let mut rendered = Vec::new();
        for file in self.files(|per| per == Per::Minor) {
            rendered.push(self.file(&file, &plan.kubernetes, "", &mut context)?);
        }
        for file in self.files(|per| per == Per::Architecture) {
            for architecture in &plan.architectures {
                set(&mut context, "architecture", json(architecture));
                rendered.push(self.file(
                    &file,
                    &plan.kubernetes,
                    &architecture.name,
                    &mut context,
                )?);
            }
        }
        Ok(rendered)
    }

    fn files(&self, wanted: impl Fn(Per) -> bool) -> Vec<TargetFile<'t>> {
        self.targets
            .iter()
            .flat_map(|target| {
                target
                    .files
                    .iter()
                    .map(move |file| TargetFile { target, file })
            })
            .filter(|entry| wanted(entry.file.per))
            .collect()
    }

    fn file(
        &self,
        TargetFile { target, file }: &TargetFile<'_>,
        kubernetes: &str,
        architecture: &str,
        context: &mut Context,
    ) -> Result<Rendered, String> {
        set(context, "language", Value::from(file.language.tag()));
        let name = format!("{}/{}", target.name, file.template);
        let text = self.engines[&file.quoting]
            .render_with_context(&format!("{name}.hbs"), context)
            .map_err(|error| format!("cannot render {name}.hbs: {error}"))?;
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

/// A path below the release's folder, and the file.
type Rendered = (String, Artifact);

struct TargetFile<'t> {
    target: &'t Target,
    file: &'t File,
}

/// The plan's types hold strings, numbers, booleans, lists and structs, all of which JSON has.
fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn context<const N: usize>(entries: [(&str, Value); N]) -> Context {
    let map: Map<_, _> = entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Context::from(Value::Object(map))
}

fn set(context: &mut Context, key: &str, value: Value) {
    if let Value::Object(map) = context.data_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// `{{{x}}}` and `{{&x}}` would go around the quoting.
fn refuse_unquoted(text: &str, place: &str) -> Result<(), String> {
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.contains("{{{")
            || line.contains("{{&")
            || line.contains("{{~&")
            || line.contains("{{~{")
        {
            return Err(format!(
                "templates/{place}, line {number}: an expression of three braces or with `&` is \
                 not quoted; write two braces"
            ));
        }
    }
    if text.contains('\r') {
        return Err(format!(
            "templates/{place}: the file has CR line ends; save it with LF"
        ));
    }
    Ok(())
}

fn engine<'t>(quoting: Quoting) -> Handlebars<'t> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.set_prevent_indent(true);
    engine.register_escape_fn(move |text| quote::quote(quoting, text));
    engine.register_helper("text", Box::new(Text));
    // A helper that writes goes around the engine's quoting, so each of these quotes by itself.
    engine.register_helper("literal", writer(|value| Some(value.to_string())));
    engine.register_helper("comment", of_text(quote::comment));
    engine.register_helper("code", of_text(quote::markdown_code));
    engine.register_helper("word", of_text(quote::shell_word));
    engine.register_helper("yaml-key", of_text(quote::yaml_key));
    engine.register_helper(
        "spaces",
        writer(|value| {
            value
                .as_str()
                .filter(|text| text.bytes().all(|byte| byte == b' '))
                .map(str::to_owned)
        }),
    );
    engine.register_helper("comment-lines", Box::new(CommentLines));
    engine
}

/// A helper of one text.
fn of_text<'t>(write: fn(&str) -> String) -> Box<dyn HelperDef + Send + Sync + 't> {
    writer(move |value| value.as_str().map(write))
}

/// A helper of one value, which gives nothing for a value that it cannot write.
fn writer<'t>(
    write: impl Fn(&Value) -> Option<String> + Send + Sync + 't,
) -> Box<dyn HelperDef + Send + Sync + 't> {
    Box::new(
        move |helper: &Helper<'_>,
              _: &Handlebars<'_>,
              _: &Context,
              _: &mut RenderContext<'_, '_>,
              out: &mut dyn Output|
              -> HelperResult {
            out.write(&write(parameter(helper, 0)?).ok_or_else(|| wrong_type(helper))?)?;
            Ok(())
        },
    )
}

/// `{{text description}}`: a text in the language of the file, quoted as any expression.
struct Text;

impl HelperDef for Text {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let language = context.data()["language"].as_str().unwrap_or_default();
        let text = parameter(helper, 0)?
            .get(language)
            .ok_or_else(|| wrong_type(helper))?;
        Ok(ScopedJson::Derived(text.clone()))
    }
}

/// `{{comment-lines reason.en indent}}`: whole comment lines behind an indent of spaces.
struct CommentLines;

impl HelperDef for CommentLines {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = parameter(helper, 0)?.as_str();
        let indent = parameter(helper, 1)?
            .as_str()
            .filter(|text| text.bytes().all(|b| b == b' '));
        let (Some(text), Some(indent)) = (text, indent) else {
            return Err(wrong_type(helper));
        };
        out.write(&quote::comment_lines(text, indent, COMMENT_WIDTH))?;
        Ok(())
    }
}

/// A helper's parameter; one that the plan does not have is an error, as it is without a helper.
fn parameter<'a>(helper: &'a Helper<'_>, index: usize) -> Result<&'a Value, RenderError> {
    let parameter = helper
        .param(index)
        .ok_or(RenderErrorReason::ParamNotFoundForIndex("helper", index))?;
    if parameter.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(parameter.relative_path().cloned()).into());
    }
    Ok(parameter.value())
}

fn wrong_type(helper: &Helper<'_>) -> RenderError {
    let message = format!(
        "the helper `{}` does not take a value of this type",
        helper.name()
    );
    RenderErrorReason::Other(message).into()
}
