//! YAML with the place of every key and value, as somebody wrote it.
//!
//! A chart that was not built yet holds placeholders, such as `{{csi-version}}`, which a YAML
//! parser takes for the start of a map. While it reads, letters cover them.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, options};

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::chart as rules;

/// Keys of one map among which a misspelt one is looked for.
const MOST_KEYS: usize = 1000;

/// A node's number in its document.
pub type Id = usize;

/// The first document of a file. Its nodes are in the order of the file.
#[derive(Debug, Default)]
pub struct Document {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    span: Span,
    value: Value,
}

/// A value.
#[derive(Debug)]
pub enum Value {
    /// A text, a number, a boolean or null.
    Scalar(Scalar),
    /// Keys and values, in the order of the file.
    Map(Vec<(Id, Id)>),
    /// Values.
    List(Vec<Id>),
    /// What stands at an anchor.
    Alias(Id),
}

/// A scalar.
#[derive(Debug)]
pub struct Scalar {
    /// Its text, placeholders included.
    pub text: String,
    /// Its text with its placeholders covered by letters: a name with one in it is a name again.
    pub covered: String,
    /// Whether nothing makes it a text, so that it may be a number, a boolean or null.
    pub plain: bool,
    /// The places of its placeholders.
    pub placeholders: Vec<Span>,
}

impl Scalar {
    /// Whether it is an empty text or null.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
            || self.plain && matches!(self.text.as_str(), "~" | "null" | "Null" | "NULL")
    }

    /// The boolean that Helm reads here, if it reads one.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" if self.plain => Some(true),
            "false" | "no" | "off" | "n" if self.plain => Some(false),
            _ => None,
        }
    }

    /// Whether it is a number, as YAML 1.1 writes them in a chart.
    #[must_use]
    pub fn is_number(&self) -> bool {
        let unsigned = self.text.strip_prefix(['-', '+']).unwrap_or(&self.text);
        let starts = unsigned
            .trim_start_matches('.')
            .starts_with(|c: char| c.is_ascii_digit());
        let digits = unsigned.replace('_', "");
        let in_base = |(prefix, base)| {
            let digits = digits.strip_prefix(prefix)?;
            u64::from_str_radix(digits, base).ok()
        };
        let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
        let is_one =
            digits.parse::<f64>().is_ok() || bases.into_iter().any(|base| in_base(base).is_some());
        self.plain && starts && is_one
    }

    /// What its value is to Helm: `a boolean`, `a number` or `a text`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.boolean().is_some() {
            "a boolean"
        } else if self.is_number() {
            "a number"
        } else {
            "a text"
        }
    }
}

/// An entry of a map.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The map that it is in.
    pub map: Id,
    /// Its key.
    pub key: Id,
    /// Its value.
    pub value: Id,
}

/// How far a path of keys leads that does not lead to a value.
#[derive(Debug)]
pub struct Missing {
    /// How many of its keys are there.
    pub depth: usize,
    /// The last of them.
    pub last: Option<Id>,
    /// The keys that stand where the next one is missing.
    pub there: Vec<String>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no YAML or holds a second document.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let (covered, placeholders) = cover(text);
        let mut document = Self::default();
        // The open maps and lists, each map with a key that has no value yet.
        let mut open: Vec<(Id, Option<Id>)> = Vec::new();
        let mut anchors: HashMap<usize, Id> = HashMap::new();
        let mut ended = false;
        let parser = Parser::new_from_str_with_options(&covered, options! { emit_comments: false });
        for next in parser {
            let (event, place) = next.map_err(|error| Box::new(malformed(text, &error)))?;
            let range = place.byte_range().unwrap_or_default();
            let span = text.floor_char_boundary(range.start)..text.floor_char_boundary(range.end);
            let anchor = event.anchor_id();
            let value = match event {
                Event::Scalar(read, style, _, tag) => {
                    let mut scalar = scalar(text, &span, &read, style, &placeholders);
                    scalar.plain &= tag.is_none_or(|tag| tag.suffix() != "str");
                    Value::Scalar(scalar)
                }
                Event::SequenceStart(..) => Value::List(Vec::new()),
                Event::MappingStart(..) => Value::Map(Vec::new()),
                // One that leads nowhere is refused by the parser.
                Event::Alias(anchor) => Value::Alias(anchors.get(&anchor).copied().unwrap_or(0)),
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    continue;
                }
                Event::DocumentStart(..) if ended => {
                    return Err(Box::new(Diagnostic::new(
                        &rules::YAML,
                        span,
                        "the file holds a second document",
                        "it starts here",
                        "keep one: which of them Helm takes depends on its version",
                    )));
                }
                Event::DocumentEnd => {
                    ended = true;
                    continue;
                }
                _ => continue,
            };
            let opens = matches!(value, Value::List(_) | Value::Map(_));
            let id = document.nodes.len();
            document.nodes.push(Node { span, value });
            if let Some(anchor) = anchor {
                anchors.insert(anchor, id);
            }
            if let Some((around, key)) = open.last_mut() {
                match &mut document.nodes[*around].value {
                    Value::List(values) => values.push(id),
                    Value::Map(entries) => match key.take() {
                        Some(key) => entries.push((key, id)),
                        None => *key = Some(id),
                    },
                    _ => {}
                }
            }
            if opens {
                open.push((id, None));
            }
        }
        Ok(document)
    }

    /// The numbers of all nodes.
    #[must_use]
    pub fn ids(&self) -> std::ops::Range<Id> {
        0..self.nodes.len()
    }

    /// Where a node is; of a map or a list, where that starts.
    #[must_use]
    pub fn span(&self, id: Id) -> Span {
        self.nodes[id].span.clone()
    }

    /// What a node is.
    #[must_use]
    pub fn value(&self, id: Id) -> &Value {
        &self.nodes[id].value
    }

    /// The node that an alias stands for, and any other itself.
    #[must_use]
    pub fn behind_alias(&self, id: Id) -> Id {
        match self.nodes.get(id).map(|node| &node.value) {
            Some(Value::Alias(target)) => *target,
            _ => id,
        }
    }

    /// A node that is a scalar.
    #[must_use]
    pub fn scalar(&self, id: Id) -> Option<&Scalar> {
        match self.nodes.get(id).map(|node| &node.value) {
            Some(Value::Scalar(scalar)) => Some(scalar),
            _ => None,
        }
    }

    /// The entries of a node that is a map.
    #[must_use]
    pub fn entries(&self, id: Id) -> &[(Id, Id)] {
        match self.nodes.get(id).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// The text of a key.
    #[must_use]
    pub fn name(&self, key: Id) -> Option<&str> {
        let key = self.scalar(self.behind_alias(key))?;
        Some(&key.text)
    }

    /// The entry at the end of a path of keys.
    ///
    /// # Errors
    /// When a key of it is not there.
    pub fn get(&self, path: &str) -> Result<Entry, Missing> {
        let root = Entry {
            map: 0,
            key: 0,
            value: 0,
        };
        let mut path = path.split('.').enumerate();
        path.try_fold(root, |around, (depth, name)| {
            self.entry(around.value, name).ok_or_else(|| Missing {
                depth,
                last: (depth > 0).then_some(around.key),
                there: self.keys(around.value),
            })
        })
    }

    /// The entry of a map by its name; none if the node is no map. Of several the last one counts, as in Helm; and what
    /// stands in the map itself before what it merges by `<<`.
    #[must_use]
    pub fn entry(&self, map: Id, name: &str) -> Option<Entry> {
        let mut maps = vec![map];
        // An alias may lead back to the map that it is in.
        let mut seen = HashSet::new();
        while let Some(map) = maps.pop() {
            let map = self.behind_alias(map);
            if !seen.insert(map) {
                continue;
            }
            let named = |name: &str| {
                let mut entries = self.entries(map).iter().rev();
                entries.find(|(key, _)| self.name(*key) == Some(name))
            };
            if let Some((key, value)) = named(name) {
                return Some(Entry {
                    map,
                    key: *key,
                    value: *value,
                });
            }
            if let Some((_, merged)) = named("<<") {
                match self.value(self.behind_alias(*merged)) {
                    Value::List(several) => maps.extend(several.iter().rev()),
                    _ => maps.push(*merged),
                }
            }
        }
        None
    }

    fn keys(&self, map: Id) -> Vec<String> {
        let entries = self.entries(self.behind_alias(map)).iter();
        let names = entries.filter_map(|(key, _)| self.name(*key));
        names.take(MOST_KEYS).map(str::to_owned).collect()
    }
}

/// A text with letters over its placeholders, none of which goes over a line's end, and where they
/// are. Nothing changes its place.
fn cover(text: &str) -> (String, Vec<Span>) {
    let mut covered = String::with_capacity(text.len());
    let mut placeholders = Vec::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("{{")
            && let Some((name, after)) = behind.split_once("}}")
        {
            covered.push_str(before);
            let start = covered.len();
            covered.extend(std::iter::repeat_n('x', name.len() + 4));
            placeholders.push(start..covered.len());
            rest = after;
        }
        covered.push_str(rest);
    }
    (covered, placeholders)
}

fn scalar(
    text: &str,
    span: &Span,
    covered: &str,
    style: ScalarStyle,
    placeholders: &[Span],
) -> Scalar {
    let first = placeholders.partition_point(|placeholder| placeholder.start < span.start);
    let behind = placeholders.partition_point(|placeholder| placeholder.end <= span.end);
    // In a block of text, braces are part of what it is about.
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    let placeholders = match placeholders.get(first..behind) {
        Some(inside) if !is_block => inside.to_vec(),
        _ => Vec::new(),
    };
    Scalar {
        text: if placeholders.is_empty() {
            covered.to_owned()
        } else {
            text[span.clone()].trim_matches(['"', '\'']).to_owned()
        },
        covered: covered.to_owned(),
        plain: style == ScalarStyle::Plain,
        placeholders,
    }
}

fn malformed(text: &str, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(0);
    let at = text.floor_char_boundary(at);
    Diagnostic::new(
        &rules::YAML,
        at..at,
        error.info(),
        "here",
        "correct the YAML; Helm cannot read it either",
    )
}
