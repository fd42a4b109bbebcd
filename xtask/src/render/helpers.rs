//! The helpers that templates have besides Handlebars' own; `templates/README.md` documents them.
//!
//! A helper that writes goes around the engine's quoting, so each of these quotes by itself or
//! refuses what it cannot write safely.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use handlebars::{
    BlockContext, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable,
};
use serde_json::Value;

use super::Tails;
use crate::plan;
use crate::quote;
use crate::target::Quoting;

/// The width at which `comment-lines` breaks a text, behind its indent.
const COMMENT_WIDTH: usize = 88;

/// Registers every helper but `rows`, which belongs to one release.
pub(super) fn register<'t>(engine: &mut Handlebars<'t>, quoting: Quoting, tails: &Tails<'t>) {
    let spaces = |text: &str| {
        text.bytes()
            .all(|byte| byte == b' ')
            .then(|| text.to_owned())
    };
    let mut add = |name, write: Box<Write>| {
        engine.register_helper(name, Box::new(Writer(write)));
    };
    add("literal", Box::new(|value, _| Some(value.to_string())));
    add("comment", text(|text| Some(quote::comment(text))));
    add("code", text(|text| Some(quote::markdown_code(text))));
    add("word", text(|text| Some(quote::shell_word(text))));
    add("yaml-key", text(|text| Some(quote::yaml_key(text))));
    add("spaces", text(spaces));
    add(
        "comment-lines",
        Box::new(move |value, rest| {
            let indent = rest.first()?.as_str().and_then(spaces)?;
            Some(quote::comment_lines(
                value.as_str()?,
                &indent,
                COMMENT_WIDTH,
            ))
        }),
    );
    add(
        "join",
        Box::new(move |value, rest| {
            let texts = value.as_array()?.iter().map(Value::as_str);
            let quoted: Option<Vec<_>> = texts
                .map(|text| Some(quote::quote(quoting, text?)))
                .collect();
            Some(quoted?.join(rest.first()?.as_str()?))
        }),
    );
    engine.register_helper("include", Box::new(Include(Arc::clone(tails))));
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
            .map(|rest| rest.value())
            .collect();
        out.write(&(self.0)(first, &rest).ok_or_else(|| refused(helper))?)?;
        Ok(())
    }
}

/// `{{include "target/_name"}}`: a partial, in the place where the include stands.
struct Include<'t>(Tails<'t>);

impl HelperDef for Include<'_> {
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
        template.render(engine, context, render, out)?;
        out.write(self.0[name].1)?;
        Ok(())
    }
}

/// `{{#rows plan.images}}...{{/rows}}`: the body for each row of a list that minors share.
///
/// The body sees the row and nothing around it, so what it makes of a row is the same on every
/// minor, and is made once.
#[derive(Clone)]
pub(super) struct Rows<'p> {
    rows: &'p plan::Rows,
    /// What a body made of a row, by the body's place in memory, the row's number, and whether the
    /// row is the last.
    made: Arc<RwLock<HashMap<(usize, usize, bool), Arc<str>>>>,
}

impl<'p> Rows<'p> {
    pub(super) fn new(rows: &'p plan::Rows) -> Self {
        Self {
            rows,
            made: Arc::default(),
        }
    }
}

impl HelperDef for Rows<'_> {
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
        for (index, number) in list.iter().enumerate() {
            let number = number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            let number = number.ok_or_else(|| refused(helper))?;
            let last = index + 1 == list.len();
            let key = (std::ptr::from_ref(body).addr(), number, last);
            let known = self
                .made
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&key)
                .cloned();
            if let Some(text) = known {
                out.write(&text)?;
                continue;
            }
            let row = self.rows.get(number).ok_or_else(|| refused(helper))?;
            let context = Context::from(row.clone());
            let mut render = RenderContext::new(None);
            let mut block = BlockContext::new();
            block.set_local_var("last", Value::Bool(last));
            render.push_block(block);
            let text: Arc<str> = body.renders(engine, &context, &mut render)?.into();
            out.write(&text)?;
            self.made
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, text);
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
