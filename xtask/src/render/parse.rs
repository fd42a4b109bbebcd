//! Parses templates so that Handlebars' own parser sees little but tags, and each only once: it
//! takes its time for a tag, and templates say the same things again and again.
//!
//! No syntax is invented here. What Handlebars would read alike by itself is cut out, and what
//! cannot be cut is left to it as a whole, as are all mistakes and their messages.

use std::collections::HashMap;
use std::iter::Enumerate;
use std::str::SplitInclusive;
use std::sync::{PoisonError, RwLock};

use handlebars::template::TemplateElement::{HelperBlock, RawString};
use handlebars::{Template, TemplateError};

/// A parser of many templates.
#[derive(Default)]
pub(super) struct Parser {
    /// What has been parsed before.
    known: RwLock<HashMap<String, Template>>,
}

type Lines<'t> = Enumerate<SplitInclusive<'t, char>>;

/// What a body of a template ends with.
#[derive(PartialEq)]
enum End<'t> {
    Text,
    Else,
    /// The end of the block of this name.
    Close(&'t str),
}

impl Parser {
    /// Parses a template.
    ///
    /// # Errors
    /// When it is malformed; the message names the line.
    pub(super) fn parse(&self, name: &str, text: &str) -> Result<Template, TemplateError> {
        // A `~` reaches beyond its line.
        let cuttable = !text.contains("{{~") && !text.contains("~}}");
        let mut lines = text.split_inclusive('\n').enumerate();
        match cuttable.then(|| self.body(&mut lines)).flatten() {
            Some((mut template, End::Text)) => {
                template.name = Some(name.to_owned());
                Ok(template)
            }
            _ => Template::compile_with_name(text, name.to_owned()),
        }
    }

    /// Parses lines up to the end of the block that they are in. Gives nothing where the lines
    /// cannot be cut.
    fn body<'t>(&self, lines: &mut Lines<'t>) -> Option<(Template, End<'t>)> {
        let mut body = Template::new();
        let mut end = End::Text;
        while let Some((number, line)) = lines.next() {
            match alone(line) {
                Some(tag) if tag.starts_with('#') => {
                    let block = self.block(tag, number, indent(line), lines)?;
                    append(&mut body, block);
                }
                Some(tag) if tag.starts_with('/') => {
                    end = End::Close(&tag[1..]);
                    break;
                }
                Some("else") => {
                    end = End::Else;
                    break;
                }
                _ => self.line(line, number, &mut body)?,
            }
        }
        Some((body, end))
    }

    /// Parses a block from behind its opening tag to behind its closing tag.
    fn block(
        &self,
        tag: &str,
        number: usize,
        column: usize,
        lines: &mut Lines<'_>,
    ) -> Option<Template> {
        let name = tag[1..].split_whitespace().next()?;
        let empty = format!("{{{{{tag}}}}}\n{{{{/{name}}}}}\n");
        let mut whole = self.piece(&empty, number, column)?;
        // Behind it stands the empty rest of its last line.
        whole.elements.truncate(1);
        whole.mapping.truncate(1);
        let [HelperBlock(block)] = &mut whole.elements[..] else {
            return None;
        };
        let (inside, mut end) = self.body(lines)?;
        block.template = Some(inside);
        if end == End::Else {
            let (otherwise, close) = self.body(lines)?;
            block.inverse = Some(otherwise);
            end = close;
        }
        (end == End::Close(name)).then_some(whole)
    }

    /// Parses a line that is no half of a block, tag by tag where there is none in it.
    fn line(&self, line: &str, number: usize, body: &mut Template) -> Option<()> {
        if !line.contains("{{") {
            return self.text(line, body);
        }
        let count = |what| line.matches(what).count();
        if count("{{") != count("}}") || count("{{#") != count("{{/") {
            return None;
        }
        let special = ["{{#", "{{!", "{{else", "{{^", "\\{{"];
        if special.iter().any(|special| line.contains(special)) {
            let half = count("{{#") == 0 && count("{{else") + count("{{^") > 0;
            let whole = (!half).then(|| self.piece(line, number, 0))??;
            append(body, whole);
            return Some(());
        }
        let mut rest = line;
        while let Some(start) = rest.find("{{") {
            let end = start + rest[start..].find("}}")? + "}}".len();
            self.text(&rest[..start], body)?;
            let column = line.len() - rest.len() + start;
            let tag = self.piece(&rest[start..end], number, line[..column].chars().count())?;
            append(body, tag);
            rest = &rest[end..];
        }
        self.text(rest, body)
    }

    /// Adds plain text.
    fn text(&self, text: &str, body: &mut Template) -> Option<()> {
        if let Some(RawString(before)) = body.elements.last_mut() {
            before.push_str(text);
        } else if !text.is_empty() {
            // Each element has its place; that of plain text is never asked for.
            let mut raw = self.piece("text", 0, 0)?;
            raw.elements = vec![RawString(text.to_owned())];
            append(body, raw);
        }
        Some(())
    }

    /// Parses a piece of a template that stands behind so many lines and columns.
    fn piece(&self, text: &str, lines: usize, columns: usize) -> Option<Template> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(text).cloned();
        drop(known);
        let mut template = if let Some(template) = found {
            template
        } else {
            let template = Template::compile(text).ok()?;
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(text.to_owned(), template.clone());
            template
        };
        shift(&mut template, lines, columns);
        Some(template)
    }
}

/// The inside of a tag that stands alone on its line.
fn alone(line: &str) -> Option<&str> {
    let tag = line.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!tag.contains("{{") && !tag.contains("}}")).then_some(tag)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn append(body: &mut Template, mut part: Template) {
    body.elements.append(&mut part.elements);
    body.mapping.append(&mut part.mapping);
}

/// Moves a template down by some lines and, what is on its first one, right by some columns.
fn shift(template: &mut Template, lines: usize, columns: usize) {
    for mapping in &mut template.mapping {
        if mapping.0 == 1 {
            mapping.1 += columns;
        }
        mapping.0 += lines;
    }
    for element in &mut template.elements {
        if let HelperBlock(block) = element {
            for inside in block.template.iter_mut().chain(&mut block.inverse) {
                shift(inside, lines, columns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What a template is, however its plain text is cut.
    fn shape(template: &Template, shape: &mut String) {
        let mut raw = String::new();
        for (element, mapping) in template.elements.iter().zip(&template.mapping) {
            if let RawString(text) = element {
                raw.push_str(text);
                continue;
            }
            shape.push_str(&format!("{:?}\n", std::mem::take(&mut raw)));
            let mut element = element.clone();
            let bodies = match &mut element {
                HelperBlock(block) => vec![block.template.take(), block.inverse.take()],
                _ => Vec::new(),
            };
            shape.push_str(&format!("{mapping:?} {element:?}\n"));
            for body in bodies {
                match body {
                    Some(body) => self::shape(&body, shape),
                    None => shape.push_str("nothing\n"),
                }
            }
        }
        shape.push_str(&format!("{raw:?}\n"));
    }

    fn shape_of(template: &Template) -> String {
        let mut text = String::new();
        shape(template, &mut text);
        text
    }

    #[test]
    fn a_template_is_what_handlebars_makes_of_it() {
        let made_up = [
            "",
            "no newline",
            "\n\n{{a}}",
            "{{#if a}}\nx\n{{else}}\ny {{b}}\n{{/if}}\nz",
            "  {{#if a}}\n  x\n  {{/if}}\n",
            "{{#if a}}x{{else}}y{{/if}} {{b}}\n",
            "{{#if a}}\n{{#each b}}\n- {{this}}\n{{/each}}\n\n{{/if}}\n",
            "{{#if a}}\n{{/if}}\n",
            "{{#if a}}\nx\n{{else if b}}\ny\n{{/if}}\n",
            "{{#if a}}x\ny{{/if}}\n{{b}}\n",
            "{{#if a}}\nx {{else}} y\n{{/if}}\n",
            "{{!-- a\ncomment --}}\n{{a}}\n",
            "{{! alone }}\nx\n",
            "\\{{a}}\n{{b}}\n",
            "\\{{#if a}}\n{{b}}\n",
            "{{#if a}}\nx\n{{^}}\ny\n{{/if}}\n",
            "{{#a as |b|}}\n{{b}}\n{{/a}}\n",
            "a {{~b}}\n{{c}}\n",
        ];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let own = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(|entry| entry.expect("readable").into_path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "hbs"))
            .map(|path| crate::read::text(&path, crate::read::WRITTEN).expect("readable"));
        let parser = Parser::default();
        for text in made_up.iter().map(ToString::to_string).chain(own) {
            let whole = Template::compile(&text).expect("well-formed");
            let parsed = parser.parse("name", &text).expect("well-formed");
            assert_eq!(shape_of(&parsed), shape_of(&whole), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_told_as_handlebars_tells_it() {
        for text in [
            "x\n{{a\n",
            "x\n{{#if a}}\n",
            "x\n{{/if}}\n",
            "{{else}}\n",
            "{{#if a}}\n{{/each}}\n",
            "{{#if a}}\n{{else}}\n{{else}}\n{{/if}}\n",
        ] {
            let whole = Template::compile_with_name(text, "name".to_owned());
            let parsed = Parser::default().parse("name", text);
            assert_eq!(
                parsed.map_err(|error| error.to_string()),
                whole.map_err(|error| error.to_string()),
                "{text}"
            );
        }
    }
}
