//! The values of a spec and their places in its text, so that a test can put others there.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A value: the path of its keys, its place, and what it is.
pub type Placed<'t> = (String, Range<usize>, &'t DeValue<'t>);

/// Every value of a table that holds no other one.
pub fn values<'t>(table: &'t DeTable<'t>) -> Vec<Placed<'t>> {
    let mut found = Vec::new();
    inside(table, "", &mut found);
    found
}

fn inside<'t>(table: &'t DeTable<'t>, path: &str, found: &mut Vec<Placed<'t>>) {
    for (key, value) in table {
        let path = format!("{path}.{}", key.get_ref());
        visit(value.get_ref(), value.span(), &path, found);
    }
}

fn visit<'t>(value: &'t DeValue<'t>, span: Range<usize>, path: &str, found: &mut Vec<Placed<'t>>) {
    match value {
        DeValue::Table(table) => inside(table, path, found),
        DeValue::Array(array) => {
            for (index, entry) in array.iter().enumerate() {
                let path = format!("{path}[{index}]");
                visit(entry.get_ref(), entry.span(), &path, found);
            }
        }
        leaf => found.push((path.to_owned(), span, leaf)),
    }
}

/// The places of all strings, in the text's order.
pub fn strings(text: &str) -> Vec<(String, Range<usize>)> {
    let table = DeTable::parse(text).expect("TOML");
    let strings = values(table.get_ref()).into_iter();
    let strings = strings.filter(|(_, _, value)| matches!(value, DeValue::String(_)));
    let mut strings: Vec<_> = strings.map(|(path, span, _)| (path, span)).collect();
    strings.sort_by_key(|(_, span)| span.start);
    strings
}

/// The text with other strings in some places, which are in its order.
pub fn with_strings<'p>(
    text: &str,
    strings: impl IntoIterator<Item = (&'p Range<usize>, String)>,
) -> String {
    let mut changed = String::new();
    let mut copied = 0;
    for (place, string) in strings {
        changed.push_str(&text[copied..place.start]);
        changed.push_str(&toml::Value::String(string).to_string());
        copied = place.end;
    }
    changed.push_str(&text[copied..]);
    changed
}
