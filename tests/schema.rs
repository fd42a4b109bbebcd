//! The JSON Schema of the spec says what the reader does: which keys there are, and which of them
//! have to be there.

mod support;

use serde_json::Value;
use support::{fixtures, knowledge, root};
use toml::Table;
use xtask::schema;
use xtask::validate;

/// Removes each key of a table, then of the tables in it, and says what the schema has of it.
fn each_key(table: &Table, schema: &Value, root: &Value, visit: &mut dyn FnMut(Table, &str, bool)) {
    let schema = resolved(schema, root);
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (key, value) in table {
        let property = properties
            .get(key)
            .unwrap_or_else(|| panic!("the schema has no `{key}`"));
        let mut required = schema["required"].as_array().into_iter().flatten();
        let mut without = table.clone();
        without.remove(key);
        visit(without, key, required.any(|name| name == key));
        let put_back = |inner: toml::Value, key: &str, is_required| {
            let mut whole = table.clone();
            whole[key] = inner;
            (whole, is_required)
        };
        match value {
            toml::Value::Table(inner) => {
                each_key(inner, property, root, &mut |inner, name, needed| {
                    let (whole, needed) = put_back(toml::Value::Table(inner), key, needed);
                    visit(whole, name, needed);
                });
            }
            toml::Value::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    let toml::Value::Table(inner) = entry else {
                        continue;
                    };
                    each_key(
                        inner,
                        &property["items"],
                        root,
                        &mut |inner, name, needed| {
                            let mut entries = entries.clone();
                            entries[index] = toml::Value::Table(inner);
                            let (whole, needed) =
                                put_back(toml::Value::Array(entries), key, needed);
                            visit(whole, name, needed);
                        },
                    );
                }
            }
            _ => {}
        }
    }
}

fn resolved<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let reference = schema["$ref"]
        .as_str()
        .or(schema["allOf"][0]["$ref"].as_str());
    match reference.and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => &root["definitions"][name],
        None => schema,
    }
}

#[test]
fn the_schema_requires_what_the_reader_requires() {
    let format = schema::tree();
    let schema: Value = serde_json::from_str(&format.files["spec.schema.json"].text).expect("JSON");
    let text = std::fs::read_to_string(fixtures().join("spec/example/1.0.0.toml"));
    let table: Table = text.expect("the fixture").parse().expect("TOML");
    let mut seen = 0;
    each_key(&table, &schema, &schema, &mut |table, key, required| {
        seen += 1;
        let text = toml::to_string(&table).expect("TOML");
        let (_, findings) = validate::check(&text, "example", "1.0.0", &knowledge());
        let missing = findings.iter().any(|finding| {
            let code = finding.rule.code;
            (code == "missing-key" && finding.title.contains(key)) || code == "missing-translation"
        });
        assert_eq!(missing, required, "`{key}`: {findings:?}");
    });
    assert!(seen > 80, "only {seen} keys");
}

/// By its first line an editor finds the schema of a spec.
#[test]
fn every_spec_names_the_schema_that_is_generated() {
    let format = schema::tree();
    for spec in validate::load(&root().join("spec")).expect("the specs") {
        let line = spec.source.text.lines().next().expect("a line");
        let named = line
            .strip_prefix("#:schema ")
            .expect("the name of a schema");
        let folder = root().join("spec").join(&spec.product);
        let named = folder.join(named).canonicalize().expect("a file");
        let wanted = root().join("generated").join(&format.folder);
        assert_eq!(
            named,
            wanted
                .join("spec.schema.json")
                .canonicalize()
                .expect("a file")
        );
        let text = std::fs::read_to_string(named).expect("readable");
        assert_eq!(text, format.files["spec.schema.json"].text);
    }
}
