//! The house itself: a module imports only what is to its left in the way of the data, so there is no
//! circle among them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex_lite::Regex;

/// The modules of the crate, each with those that it names as `crate::other`.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let source = support::root().join("xtask/src");
    // `use crate::a`, `crate::a::b` in the middle of a line, and each name of `use crate::{a, b::c}`.
    let one = Regex::new(r"\bcrate::([a-z_]+)").expect("an expression");
    let several = Regex::new(r"\bcrate::\{([^;]*)\}").expect("an expression");
    let first = Regex::new(r"(?:^|,)\s*([a-z_]+)").expect("an expression");
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in walkdir::WalkDir::new(&source) {
        let file = file.expect("readable");
        let path = file.path().strip_prefix(&source).expect("inside");
        let module = path.iter().next().and_then(|name| name.to_str());
        let module = module
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned();
        if !file.file_type().is_file() || ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let text = fs::read_to_string(file.path()).expect("readable");
        let code: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let code = code.join("\n");
        let direct = one.captures_iter(&code).map(|found| found[1].to_owned());
        let braces = several
            .captures_iter(&code)
            .map(|found| found[1].to_owned());
        // What is in inner braces belongs to the name before them.
        let inner = Regex::new(r"\{[^{}]*\}").expect("an expression");
        let listed = braces.flat_map(|list| {
            let list = inner.replace_all(&list, "").into_owned();
            let names = first.captures_iter(&list).map(|found| found[1].to_owned());
            names.collect::<Vec<_>>()
        });
        let others = graph.entry(module.clone()).or_default();
        others.extend(direct.chain(listed).filter(|other| *other != module));
    }
    graph
}

/// A circle in a graph, if there is one.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut rest = graph.clone();
    // Whoever imports nothing that is left is in no circle.
    while let Some(done) = rest
        .iter()
        .find(|(_, others)| others.iter().all(|other| !rest.contains_key(other)))
        .map(|(module, _)| module.clone())
    {
        rest.remove(&done);
    }
    let mut way = vec![rest.keys().next()?.clone()];
    loop {
        let next = rest[way.last()?]
            .iter()
            .find(|other| rest.contains_key(*other))?;
        if let Some(start) = way.iter().position(|module| module == next) {
            way.drain(..start);
            return Some(way);
        }
        way.push(next.clone());
    }
}

#[test]
fn modules_are_in_no_circle() {
    let graph = imports();
    assert!(graph["command"].contains("validate"), "{graph:?}");
    assert!(graph["validate"].contains("rules"), "{graph:?}");
    assert_eq!(circle(&graph), None);
    // It can fail: a rule that asks for the command that applies it closes one.
    let mut closed = graph;
    closed
        .get_mut("rules")
        .expect("there")
        .insert("command".to_owned());
    assert!(circle(&closed).is_some());
}
