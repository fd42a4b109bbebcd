//! Helm values: their keys, and what they can be.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::reader::Reader;
use super::rules;
use super::spanned::{Located, Spanned};
use crate::diagnostic::Span;
use crate::parse_error::ParseError;
use crate::quote;

/// The form of a Helm key, for editors.
pub const HELM_KEY: &str = "^[A-Za-z][A-Za-z0-9_-]*([.][A-Za-z][A-Za-z0-9_-]*)*$";

/// A tree of Helm values as somebody wrote it: a table is a group, and everything else a value.
#[derive(Debug)]
pub enum RawValue {
    /// A group of values.
    Group(RawValues),
    /// A list.
    List(Vec<Spanned<RawValue>>),
    /// A text.
    Text(String),
    /// A number or a boolean.
    Plain(Value),
}

/// Helm values by key, where a dot in a key, quoted or not, opens a group.
pub type RawValues = BTreeMap<Spanned<String>, Spanned<RawValue>>;

impl JsonSchema for RawValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": ["boolean", "integer", "number", "string", "array", "object"],
        })
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = RawValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Helm value: a boolean, a number, a string, a list or a table")
            }

            fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
                Ok(RawValue::Plain(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
                Ok(RawValue::Plain(value.into()))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<RawValue, E> {
                let number = serde_json::Number::from_f64(value);
                let wrong = || E::invalid_type(Unexpected::Float(value), &"a finite number");
                Ok(RawValue::Plain(Value::Number(number.ok_or_else(wrong)?)))
            }

            fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
                Ok(RawValue::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    list.push(entry);
                }
                Ok(RawValue::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
                let mut group = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry()? {
                    group.insert(key, value);
                }
                Ok(RawValue::Group(group))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The dotted path of a Helm value: `images.sidecar.provisioner`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HelmKey(String);

impl HelmKey {
    /// The longest key; each of its elements is a line of the values, behind a deeper indent.
    const MOST: usize = 253;

    /// Reads a path of names that YAML takes as plain keys.
    ///
    /// # Errors
    /// When an element is empty, has a character other than letters, digits, `_` and `-`, or is a
    /// boolean of YAML 1.1, or the whole is longer than 253 bytes.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > Self::MOST {
            return Err(ParseError::new(
                "is longer than a Helm key can be",
                "write at most 253 bytes",
            ));
        }
        let sound = |element: &str| {
            element.starts_with(|c: char| c.is_ascii_alphabetic())
                && element
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        let reserved = |element: &str| quote::yaml_key(element) != element;
        if !text.split('.').all(sound) {
            return Err(ParseError::new(
                "is not the path of a Helm value",
                "write names joined by dots, such as `images.sidecar.provisioner`",
            ));
        }
        if text.split('.').any(reserved) {
            return Err(ParseError::new(
                "has an element that Helm reads as a boolean or as nothing, not as a name",
                "write the key that the chart really has",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The key of a value in the group that this key is of.
    #[must_use]
    pub fn with(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reader {
    /// The values of a tree, each with its whole key, in the file's order.
    pub(super) fn values(&mut self, raw: &RawValues) -> Vec<(Located<HelmKey>, Value)> {
        let mut values = Vec::new();
        self.group("", raw, &mut values);
        values.sort_by_key(|(key, _)| key.span.start);
        values
    }

    fn group(&mut self, around: &str, raw: &RawValues, out: &mut Vec<(Located<HelmKey>, Value)>) {
        for (name, value) in raw {
            let path = format!("{around}{}", name.get_ref());
            if self.has_lost(&value.span())
                && matches!(value.get_ref(), RawValue::Group(group) if group.is_empty())
            {
                continue;
            }
            if let RawValue::Group(group) = value.get_ref()
                && !group.is_empty()
            {
                self.group(&format!("{path}."), group, out);
                continue;
            }
            let key = Spanned::new(name.span(), path);
            let key = self.located(&key, &rules::MALFORMED_HELM_KEY, HelmKey::parse);
            let value = self.value(value.get_ref(), value.span());
            out.extend(key.map(|key| (key, value)));
        }
    }

    fn value(&mut self, raw: &RawValue, span: Span) -> Value {
        match raw {
            RawValue::Plain(value) => value.clone(),
            RawValue::Text(text) => Value::String(self.plain(&Spanned::new(span, text.clone()))),
            RawValue::List(list) => list
                .iter()
                .map(|entry| self.value(entry.get_ref(), entry.span()))
                .collect(),
            RawValue::Group(group) => {
                let entries = group.iter().map(|(key, value)| {
                    let name = self.plain(key);
                    (name, self.value(value.get_ref(), value.span()))
                });
                Value::Object(entries.collect())
            }
        }
    }
}
