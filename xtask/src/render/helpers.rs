//! The helpers that templates have besides Handlebars' own; `templates/README.md` documents them.
//!
//! A helper that writes goes around the engine's quoting, so each of these quotes by itself or
//! refuses what it cannot write safely.

use std::cell::Cell;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable,
};
use serde_json::Value;

use super::MOST_LEVELS;
use crate::quote;
use crate::quote::Quoting;

/// The width at which `comment-lines` breaks a text, behind its indent.
const COMMENT_WIDTH: usize = 88;

/// Registers every helper.
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
