//! The helpers that templates have besides Handlebars' own; `templates/README.md` documents them.
//!
//! A helper that writes goes around the engine's quoting, so each of these quotes by itself or
//! refuses what it cannot write safely.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use handlebars::{
    BlockContext, Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output,
    RenderContext, RenderError, RenderErrorReason, Renderable, Template,
};
use serde_json::Value;

use super::{MOST_LEVELS, Text};
use crate::plan;
use crate::quote;
use crate::target::Quoting;

/// The width at which `comment-lines` breaks a text, behind its indent.
const COMMENT_WIDTH: usize = 88;

/// Registers every helper but `rows`, which belongs to one release.
pub(super) fn register(engine: &mut Handlebars<'_>, quoting: Quoting) {
    let spaces = |text: &str| {
        text.bytes()
            .all(|byte| byte == b' ')
            .then(|| text.to_owned())
    };
    let mut add = |kinds: &[Quoting], name, write: Box<Write>| {
        if kinds.contains(&quoting) {
            engine.register_helper(name, Box::new(Writer(write)));
        }
    };
    // Each is there for the kinds of file in which what it writes can be nothing else.
    let all = [
        Quoting::Text,
        Quoting::Json,
        Quoting::Yaml,
        Quoting::Shell,
        Quoting::Markdown,
    ];
    let hash_comments = [Quoting::Yaml, Quoting::Shell];
    add(
        &[Quoting::Json, Quoting::Yaml, Quoting::Markdown],
        "literal",
        Box::new(move |value, _| {
            let literal = value.to_string();
            Some(if quoting == Quoting::Markdown {
                quote::markdown_code(&literal)
            } else {
                literal
            })
        }),
    );
    add(
        &[Quoting::Yaml, Quoting::Shell, Quoting::Markdown],
        "comment",
        text(move |text| Some(quote::comment(quoting, text))),
    );
    add(
        &[Quoting::Markdown],
        "code",
        Box::new(|value, rest| match value {
            Value::Array(list) => {
                let spans = list
                    .iter()
                    .map(|one| one.as_str().map(quote::markdown_code));
                Some(
                    spans
                        .collect::<Option<Vec<_>>>()?
                        .join(rest.first()?.as_str()?),
                )
            }
            one => one.as_str().map(quote::markdown_code),
        }),
    );
    add(
        &[Quoting::Shell, Quoting::Markdown],
        "word",
        text(|text| Some(quote::shell_word(text))),
    );
    add(
        &[Quoting::Yaml],
        "yaml-key",
        text(|text| Some(quote::yaml_key(text))),
    );
    add(&all, "spaces", text(spaces));
    add(
        &hash_comments,
        "comment-lines",
        Box::new(move |value, rest| {
            let indent = rest.first()?.as_str().and_then(spaces)?;
            Some(quote::comment_lines(
                quoting,
                value.as_str()?,
                &indent,
                COMMENT_WIDTH,
            ))
        }),
    );
    add(
        &all,
        "join",
        Box::new(move |value, rest| {
            let texts = value.as_array()?.iter().map(Value::as_str);
            let quoted: Option<Vec<_>> = texts
                .map(|text| Some(quote::quote(quoting, text?)))
                .collect();
            Some(quoted?.join(rest.first()?.as_str()?))
        }),
    );
    engine.register_helper("if", Box::new(If { positive: true }));
    engine.register_helper("unless", Box::new(If { positive: false }));
    engine.register_helper("include", Box::new(Include));
}

/// What a helper writes for its first parameter and the rest; nothing where it cannot.
type Write = dyn Fn(&Value, &[&Value]) -> Option<String> + Send + Sync;

/// A helper of one text.
fn text(write: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Box<Write> {
    Box::new(move |value, _| write(value.as_str()?))
}

struct Writer(Box<Write>);

impl HelperDef for Writer {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let first = first(helper)?;
        let rest: Vec<_> = helper
            .params()
            .iter()
            .skip(1)
            .map(handlebars::PathAndJson::value)
            .collect();
        out.write(&(self.0)(first, &rest).ok_or_else(|| refused(helper))?)?;
        Ok(())
    }
}

/// `{{#if x}}` and `{{#unless x}}`, which Handlebars itself lets pass where the plan has no `x`.
struct If {
    positive: bool,
}

impl HelperDef for If {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let holds = first(helper)?.is_truthy(false) == self.positive;
        let body = if holds {
            helper.template()
        } else {
            helper.inverse()
        };
        body.map_or(Ok(()), |body| body.render(engine, context, render, out))
    }
}

thread_local! {
    /// The includes that are being rendered on this thread, each in the one before.
    static INCLUDES: Cell<usize> = const { Cell::new(0) };
}

/// `{{include "target/_name"}}`: a partial, in the place where the include stands.
struct Include;

impl HelperDef for Include {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = first(helper)?.as_str().ok_or_else(|| refused(helper))?;
        let not_found = || RenderErrorReason::PartialNotFound(format!("{name}.hbs"));
        let template = engine.get_template(name).ok_or_else(not_found)?;
        let around = INCLUDES.get();
        if around == MOST_LEVELS {
            let message = format!(
                "includes are nested more than {MOST_LEVELS} levels deep, at `{name}`; a partial \
                 must not include itself"
            );
            return Err(RenderErrorReason::Other(message).into());
        }
        INCLUDES.set(around + 1);
        let done = template.render(engine, context, render, out);
        INCLUDES.set(around);
        done
    }
}

/// `{{#rows plan.images}}...{{/rows}}`: the body for each row of a list that minors share.
///
/// The body sees the row and nothing around it, so what it makes of a row is the same on every
/// minor, and is made once.
pub(super) struct Rows<'p> {
    rows: &'p plan::Rows,
    /// The rows as the body sees them, by number.
    contexts: Vec<OnceLock<Context>>,
    /// What each body has made, by its place in memory.
    made: RwLock<HashMap<usize, Arc<Made>>>,
}

/// What a body has made of rows, by number.
type Made = Vec<OnceLock<String>>;

impl<'p> Rows<'p> {
    pub(super) fn new(rows: &'p plan::Rows) -> Self {
        Self {
            rows,
            contexts: empty(rows.len()),
            made: RwLock::default(),
        }
    }

    fn made(&self, body: &Template) -> Arc<Made> {
        let place = std::ptr::from_ref(body).addr();
        let known = self.made.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known.get(&place) {
            return Arc::clone(made);
        }
        drop(known);
        let mut known = self.made.write().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(place);
        Arc::clone(made.or_insert_with(|| Arc::new(empty(self.rows.len()))))
    }

    fn make(
        &self,
        body: &Template,
        number: usize,
        last: bool,
        engine: &Handlebars<'_>,
    ) -> Result<String, RenderError> {
        let context = self.contexts[number].get_or_init(|| Context::from(self.rows.json(number)));
        let mut render = RenderContext::new(None);
        let mut block = BlockContext::new();
        block.set_local_var("last", Value::Bool(last));
        render.push_block(block);
        let mut text = Text::default();
        body.render(engine, context, &mut render, &mut text)?;
        Ok(text.0)
    }
}

fn empty<T>(length: usize) -> Vec<OnceLock<T>> {
    std::iter::repeat_with(OnceLock::new).take(length).collect()
}

impl HelperDef for &Rows<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let list = first(helper)?.as_array().ok_or_else(|| refused(helper))?;
        let body = helper.template().ok_or_else(|| refused(helper))?;
        let made = self.made(body);
        let number = |value: &Value| {
            let number = usize::try_from(value.as_u64()?).ok()?;
            (number < made.len()).then_some(number)
        };
        for (index, value) in list.iter().enumerate() {
            let number = number(value).ok_or_else(|| refused(helper))?;
            // Behind the last row there may be no comma, so that one is made anew.
            if index + 1 == list.len() {
                out.write(&self.make(body, number, true, engine)?)?;
            } else if let Some(text) = made[number].get() {
                out.write(text)?;
            } else {
                let text = self.make(body, number, false, engine)?;
                out.write(made[number].get_or_init(|| text))?;
            }
        }
        Ok(())
    }
}

/// The first parameter; one that the plan does not have is an error, as it is without a helper.
fn first<'a>(helper: &'a Helper<'_>) -> Result<&'a Value, RenderError> {
    let missing = || RenderErrorReason::ParamNotFoundForName("helper", helper.name().to_owned());
    let parameter = helper.param(0).ok_or_else(missing)?;
    if parameter.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(parameter.relative_path().cloned()).into());
    }
    Ok(parameter.value())
}

fn refused(helper: &Helper<'_>) -> RenderError {
    let message = format!(
        "the helper `{}` does not take these parameters",
        helper.name()
    );
    RenderErrorReason::Other(message).into()
}
