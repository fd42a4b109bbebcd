//! Any text as either of a spec's two files, beside the real other one: it is refused with findings that
//! point into the files, or planned.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xtask::diagnostic::{self, Diagnostic, Source, Span};
use xtask::plan;
use xtask::spec::{Knowledge, Spec};
use xtask::validate;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    Knowledge::parse(include_str!("../../spec/knowledge.toml")).expect("well-formed")
});

const PRODUCT: &str = include_str!("../fixtures/spec/example/product.toml");
const RELEASE: &str = include_str!("../fixtures/spec/example/1.0.0.toml");

fuzz_target!(|text: &str| {
    check(text, RELEASE);
    check(PRODUCT, text);
});

fn check(product: &str, release: &str) {
    let product = Source::new("product.toml", product);
    let release = Source::new("1.0.0.toml", release);
    let mut specs = validate::check(("example", &product), &[("1.0.0", &release)], &KNOWLEDGE);
    let Some(Spec {
        source,
        outcome,
        findings,
        ..
    }) = specs.pop()
    else {
        panic!("there is no spec of the release");
    };
    assert_eq!(outcome.is_none(), findings.iter().any(Diagnostic::is_error));
    for finding in &findings {
        let others = finding.others.iter().map(|(span, _)| span);
        for span in others.chain([&finding.span]) {
            assert!(is_inside(&source, span), "{span:?} of {finding:?}");
        }
    }
    assert_eq!(
        diagnostic::render(&source, &findings).is_empty(),
        findings.is_empty()
    );
    assert_eq!(
        diagnostic::json(&source, &findings).lines().count(),
        findings.len()
    );
    if let Some(release) = outcome {
        for plan in plan::plan(&release).plans {
            assert_eq!(
                plan.components.len() + plan.holes.len(),
                release.components.len()
            );
        }
    }
}

/// Whether a place is in one of the files, between two characters.
fn is_inside(source: &Source, span: &Span) -> bool {
    [0, 1].iter().any(|file| {
        let (text, base) = (source.file(*file), source.base(*file));
        let place = span.start.checked_sub(base).zip(span.end.checked_sub(base));
        place.is_some_and(|(start, end)| text.get(start..end).is_some())
    })
}
