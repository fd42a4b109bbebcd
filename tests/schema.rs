//! The JSON Schemas of a spec's files say what the reader does: which keys there are, and which of them
//! have to be there.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::spec_text::SpecText;
use support::{fixtures, knowledge, python_tool, root};
use toml::Table;
use xtask::schema;

/// Removes each key of a table, then of the tables in it, and says what the schema has of it.
fn each_key(table: &Table, schema: &Value, root: &Value, visit: &mut dyn FnMut(Table, &str, bool)) {
    let schema = resolved(schema, root);
    let further = &schema["additionalProperties"];
    for (key, value) in table {
        let property = &schema["properties"][key];
        // In a table of entries by name, and in Helm values, there is no list of the keys.
        let property = if property.is_null() {
            further
        } else {
            property
        };
        let is_value = schema["type"]
            .as_array()
            .is_some_and(|types| types.len() > 1);
        if is_value
            || further["type"]
                .as_array()
                .is_some_and(|types| types.len() > 1)
        {
            continue;
        }
        assert!(property.is_object(), "the schema has no `{key}`");
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

/// The two files of the format: the name of each in a folder of specs, and its schema.
fn schemas() -> [(&'static str, Value); 2] {
    ["product", "release"].map(|name| {
        let format = schema::tree();
        let text = &format.files[&format!("{name}.schema.json")].text;
        (name, serde_json::from_str(text).expect("JSON"))
    })
}

#[test]
fn the_schemas_require_what_the_reader_requires() {
    let example = SpecText::example();
    let mut seen = 0;
    for (name, schema) in schemas() {
        let text = match name {
            "product" => &example.product,
            _ => &example.release,
        };
        let table: Table = text.parse().expect("TOML");
        each_key(&table, &schema, &schema, &mut |table, key, required| {
            seen += 1;
            let text = toml::to_string(&table).expect("TOML");
            let changed = match name {
                "product" => SpecText {
                    product: text,
                    ..example.clone()
                },
                _ => SpecText {
                    release: text,
                    ..example.clone()
                },
            };
            let (_, findings) = changed.check(&knowledge());
            let missing = findings.iter().any(|finding| {
                let code = finding.rule.code;
                match code {
                    "missing-key" => finding.title.contains(&format!("`{key}`")),
                    "missing-package" => key == "file",
                    code => code == "missing-translation",
                }
            });
            assert_eq!(missing, required, "`{key}` of the {name}: {findings:?}");
        });
    }
    assert!(seen > 80, "only {seen} keys");
}

/// The folders with specs, whose files are all valid.
fn folders() -> [PathBuf; 2] {
    [root().join("spec"), fixtures().join("spec")]
}

/// The files of a folder of specs that have a schema.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).min_depth(2).into_iter();
    let files = files.map(|file| file.expect("readable").into_path());
    let files: Vec<_> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    assert!(files.len() >= 2);
    files
}

/// The name of the schema of a file.
fn schema_of(path: &Path) -> &'static str {
    if path.ends_with("product.toml") {
        "product"
    } else {
        "release"
    }
}

/// By its first line an editor finds the schema of a spec.
#[test]
fn every_spec_names_the_schema_that_is_generated() {
    let format = schema::tree();
    for path in files(&root().join("spec")) {
        let text = fs::read_to_string(&path).expect("readable");
        let line = text.lines().next().expect("a line");
        let named = line.strip_prefix("#:schema ");
        let named = named.unwrap_or_else(|| panic!("{} names no schema", path.display()));
        let folder = path.parent().expect("a folder");
        let named = folder.join(named).canonicalize().expect("a file");
        let name = format!("{}.schema.json", schema_of(&path));
        let wanted = root().join("generated").join(&format.folder).join(&name);
        assert_eq!(named, wanted.canonicalize().expect("a file"));
        let text = fs::read_to_string(named).expect("readable");
        assert_eq!(text, format.files[&name].text);
    }
}

/// Python's reader is of TOML 1.0, and many tools' only one.
#[test]
fn every_spec_is_plain_toml() {
    let read = "import json, sys, tomllib\n\
                for path in sys.argv[1:]:\n    \
                    print(json.dumps(tomllib.load(open(path, 'rb'))))\n";
    for folder in folders() {
        let files = files(&folder);
        let mut command = Command::new("python3");
        let command = command.args(["-c", read]).args(&files);
        let output = command.output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), files.len());
        for (line, path) in lines.into_iter().zip(files) {
            let theirs: Value = serde_json::from_str(line).expect("JSON");
            let text = fs::read_to_string(&path).expect("readable");
            let ours: Table = text.parse().expect("TOML");
            let ours = serde_json::to_value(ours).expect("JSON");
            assert_eq!(theirs, ours, "{}", path.display());
        }
    }
}

/// What the reader takes, an editor takes, by its own reading of the schemas; and not what has a slip.
#[test]
#[ignore = "needs check-jsonschema; tests/run brings it and runs this"]
fn the_schemas_take_every_spec() {
    let scratch = tempfile::tempdir().expect("a folder");
    for (name, schema) in schemas() {
        let path = scratch.path().join(format!("{name}.schema.json"));
        fs::write(path, schema.to_string()).expect("written");
    }
    let takes = |schema: &str, files: &[PathBuf]| {
        let file = scratch.path().join(format!("{schema}.schema.json"));
        let mut linter = Command::new(python_tool("check-jsonschema"));
        let linter = linter.arg("--schemafile").arg(file).args(files);
        let output = linter.output().expect("runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said)
    };
    for name in ["product", "release"] {
        let files = folders().into_iter().flat_map(|folder| files(&folder));
        let files: Vec<_> = files.filter(|path| schema_of(path) == name).collect();
        let (is_valid, said) = takes(name, &files);
        assert!(is_valid, "{said}");
        for (from, to) in [
            ("schema = 2", "schema = 1"),
            ("schema = 2", "schema = 2\nschemas = 2"),
        ] {
            let text = fs::read_to_string(&files[0]).expect("readable");
            let wrong = scratch.path().join("wrong.toml");
            fs::write(&wrong, text.replacen(from, to, 1)).expect("written");
            let (is_valid, said) = takes(name, &[wrong]);
            assert!(!is_valid && said.contains("schema"), "{to}: {said}");
        }
    }
}
