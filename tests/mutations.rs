//! A wrong table is noticed: every change of a single value of a real product, or of the table of a release
//! of it, is either refused or doubted by a rule, or visible in the diff of `generated/`.

mod support;
#[path = "support/values.rs"]
mod values;

use rayon::prelude::*;
use support::spec_text::SpecText;
use support::{knowledge, targets};
use toml::de::{DeTable, DeValue};
use xtask::plan::{self, ReleasePlan};
use xtask::render::Renderer;
use xtask::spec::{Knowledge, Release};
use xtask::tree::Artifact;
use xtask::tree::Form;

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
        ("{release}", "4.4.0"),
        ("{release}", "{relase}"),
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

/// The keys in quotes, and where they are.
fn quoted_keys(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    fn visit(table: &DeTable<'_>, text: &str, found: &mut Vec<(std::ops::Range<usize>, String)>) {
        for (key, value) in table {
            if text[key.span()].starts_with('"') {
                found.push((key.span(), key.get_ref().to_string()));
            }
            if let DeValue::Table(inner) = value.get_ref() {
                visit(inner, text, found);
            }
        }
    }
    let mut found = Vec::new();
    visit(
        DeTable::parse(text).expect("TOML").get_ref(),
        text,
        &mut found,
    );
    found
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
    // In a table, requirements are keys.
    for (place, key) in quoted_keys(text) {
        for slip in slips(&key) {
            mutations.push(Mutation {
                name: format!("the key {key:?} becomes {slip:?}"),
                at: place.clone(),
                by: format!("{slip:?}"),
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

/// The releases; none if there is a finding in any.
fn releases(text: &SpecText, knowledge: &Knowledge) -> Option<Vec<Release>> {
    let specs = text.check_all(knowledge);
    if specs.iter().any(|spec| !spec.findings.is_empty()) {
        return None;
    }
    specs.into_iter().map(|spec| spec.outcome).collect()
}

/// All that a release's files are made of; to write them takes ten times as long.
fn context(plan: &ReleasePlan) -> Vec<u8> {
    let parts = (&plan.release, &plan.plans, &plan.table);
    serde_json::to_vec(&parts).expect("a plan is data")
}

/// The mutations of a text that pass unseen. `changed` puts the mutated text in its place.
/// Of many, every `step`th is looked at.
fn unseen(
    text: &str,
    changed: impl Fn(String) -> SpecText + Sync,
    step: usize,
    least: usize,
) -> Vec<String> {
    let knowledge = knowledge();
    let targets = targets();
    let renderer = Renderer::new(&targets).expect("the templates are well-formed");
    let files = |plan: &ReleasePlan| -> Files {
        let tree = renderer.render(plan, None, Form::Kit);
        tree.expect("a valid release renders").files
    };
    let real = releases(&changed(text.to_owned()), &knowledge);
    let real = real.expect("the real table has no finding");
    let real: Vec<_> = real
        .iter()
        .map(plan::plan)
        .map(|plan| (context(&plan), files(&plan)))
        .collect();
    let mutations: Vec<_> = mutations(text).into_iter().step_by(step).collect();
    println!("{} mutations", mutations.len());
    assert!(
        mutations.len() > least,
        "only {} mutations",
        mutations.len()
    );
    let is_unseen = |mutation: &&Mutation| {
        let mut mutated = text.to_owned();
        mutated.replace_range(mutation.at.clone(), &mutation.by);
        let Some(releases) = releases(&changed(mutated), &knowledge) else {
            return false;
        };
        let mut pairs = releases.iter().zip(&real);
        releases.len() == real.len()
            && pairs.all(|(release, (real, rendered))| {
                let plan = plan::plan(release);
                context(&plan) == *real || files(&plan) == *rendered
            })
    };
    let unseen = mutations.par_iter().filter(is_unseen);
    unseen.map(|mutation| mutation.name.clone()).collect()
}

#[test]
fn every_mutation_of_a_real_table_is_caught_or_seen() {
    let real = SpecText::huawei();
    let changed = |release| SpecText {
        release,
        ..real.clone()
    };
    expect_none(&unseen(&real.release, changed, 1, 150));
}

#[test]
fn every_mutation_of_the_real_product_is_caught_or_seen() {
    let real = SpecText::huawei();
    let changed = |product| SpecText {
        product,
        ..real.clone()
    };
    // Each is held against sixteen releases, which takes its time.
    expect_none(&unseen(&real.product, changed, 17, 60));
}

fn expect_none(unseen: &[String]) {
    assert!(
        unseen.is_empty(),
        "{} pass unseen:\n{}",
        unseen.len(),
        unseen.join("\n")
    );
}
