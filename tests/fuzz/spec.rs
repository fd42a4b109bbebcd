//! Any bytes as a spec: it is refused with findings that point into it, or planned.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xtask::diagnostic::{self, Diagnostic, Source};
use xtask::plan;
use xtask::spec::Knowledge;
use xtask::validate;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    Knowledge::parse(include_str!("../../spec/knowledge.toml")).expect("well-formed")
});

fuzz_target!(|text: &str| {
    let (release, findings) = validate::check(text, "huawei-csi", "4.5.0", &KNOWLEDGE);
    assert_eq!(release.is_none(), findings.iter().any(Diagnostic::is_error));
    for finding in &findings {
        let others = finding.others.iter().map(|(span, _)| span);
        for span in others.chain([&finding.span]) {
            assert!(text.get(span.clone()).is_some(), "{span:?} of {finding:?}");
        }
    }
    let source = Source {
        path: "spec/huawei-csi/4.5.0.toml".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        diagnostic::render(&source, &findings).is_empty(),
        findings.is_empty()
    );
    assert_eq!(
        diagnostic::json(&source, &findings).lines().count(),
        findings.len()
    );
    if let Some(release) = release {
        for plan in plan::plan(&release).plans {
            assert_eq!(
                plan.components.len() + plan.holes.len(),
                release.components.len()
            );
        }
    }
});
