//! A wrong table is noticed: every change of a single value of the real table is either refused or
//! doubted by a rule, or visible in the diff of `generated/`.

mod support;
#[path = "support/values.rs"]
mod values;

use rayon::prelude::*;
use support::{knowledge, root, targets};
use toml::de::{DeTable, DeValue};
use xtask::plan;
use xtask::render::Renderer;
use xtask::tree::Artifact;
use xtask::validate;

use std::collections::BTreeMap;

type Files = BTreeMap<String, Artifact>;

/// A change of the text: what to say of it, the bytes to replace, and by what.
struct Mutation {
    name: String,
    at: std::ops::Range<usize>,
    by: String,
}

/// What a slip of the hand could make of a string.
fn slips(text: &str) -> Vec<String> {
    let mut slips = vec![format!("{text}x"), text.to_uppercase(), String::new()];
    slips.extend(text.strip_suffix(|_: char| true).map(str::to_owned));
    // A requirement that is widened, narrowed or moved.
    if let Some(bare) = text.strip_prefix('v') {
        let first = bare.trim_end_matches(['+', 'x', '.']).split('-').next();
        let minor = first.and_then(|first| first.strip_prefix("1."));
        if let Some(minor) = minor.and_then(|minor| minor.parse::<u8>().ok()) {
            for minor in [minor - 1, minor, minor + 1] {
                slips.push(format!("v1.{minor}+"));
                slips.push(format!("v1.{minor}.x"));
                slips.push(format!("v1.{minor}-v1.{}", minor + 3));
            }
        }
    }
    // A version of another release.
    for (from, to) in [
        ("4.5.0", "4.4.0"),
        ("v2.", "v3."),
        (".0", ".1"),
        (".1", ".2"),
    ] {
        slips.push(text.replacen(from, to, 1));
    }
    slips.retain(|slip| slip != text);
    slips.sort();
    slips.dedup();
    slips
}

/// The blocks of a spec: a `[table]` or `[[table]]` with what follows it.
fn blocks(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn mutations(text: &str) -> Vec<Mutation> {
    let table = DeTable::parse(text).expect("the real table is TOML");
    let found = values::values(table.get_ref());
    let mut mutations = Vec::new();
    for (path, span, value) in &found {
        let written = match value {
            DeValue::String(text) => slips(text).iter().map(|slip| format!("{slip:?}")).collect(),
            DeValue::Boolean(value) => vec![(!value).to_string()],
            _ => vec!["7".to_owned()],
        };
        for by in written {
            let name = format!("{path} = {} becomes {by}", &text[span.clone()]);
            mutations.push(Mutation {
                name,
                at: span.clone(),
                by,
            });
        }
    }
    // A value that another place has: a tag, a key or a name that was pasted where it is not due.
    for pair in found.windows(2) {
        for (one, other) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            let by = text[other.1.clone()].to_owned();
            if text[one.1.clone()] != by {
                let name = format!("{} = {} becomes {by}", one.0, &text[one.1.clone()]);
                mutations.push(Mutation {
                    name,
                    at: one.1.clone(),
                    by,
                });
            }
        }
    }
    for block in blocks(text) {
        let head = text[block.clone()].lines().next().unwrap_or_default();
        let line = text[..block.start].lines().count() + 1;
        let twice = text[block.clone()].repeat(2);
        mutations.push(Mutation {
            name: format!("{head} of line {line} is dropped"),
            at: block.clone(),
            by: String::new(),
        });
        mutations.push(Mutation {
            name: format!("{head} of line {line} is there twice"),
            at: block,
            by: twice,
        });
    }
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_value = !line.trim().is_empty() && !line.starts_with('#');
        if is_value {
            let name = format!("line {} is dropped: {}", number + 1, line.trim());
            mutations.push(Mutation {
                name,
                at: at..at + line.len(),
                by: String::new(),
            });
        }
        at += line.len();
    }
    mutations
}

#[test]
fn every_mutation_of_the_real_table_is_caught_or_seen() {
    let text = std::fs::read_to_string(root().join("spec/huawei-csi/4.5.0.toml"));
    let text = text.expect("the real table");
    let knowledge = knowledge();
    let targets = targets();
    let renderer = Renderer::new(&targets).expect("the templates are well-formed");
    let files = |text: &str| -> Option<Files> {
        let (release, findings) = validate::check(text, "huawei-csi", "4.5.0", &knowledge);
        let release = release.filter(|_| findings.is_empty())?;
        let tree = renderer.render(&plan::plan(&release), None);
        Some(tree.expect("a valid release renders").files)
    };
    let real = files(&text).expect("the real table has no finding");
    let mutations = mutations(&text);
    let unseen: Vec<&str> = mutations
        .par_iter()
        .filter(|mutation| {
            let mut mutated = text.clone();
            mutated.replace_range(mutation.at.clone(), &mutation.by);
            files(&mutated).is_some_and(|files| files == real)
        })
        .map(|mutation| mutation.name.as_str())
        .collect();
    println!("{} mutations", mutations.len());
    assert!(mutations.len() > 500, "only {} mutations", mutations.len());
    assert!(
        unseen.is_empty(),
        "{} pass unseen:\n{}",
        unseen.len(),
        unseen.join("\n")
    );
}
