//! Any text as a requirement, a supported range and a version: no panic, and what is read is written
//! back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xtask::kubernetes::{Minor, Range, Requirement};

fuzz_target!(|text: &str| {
    if let Ok(requirement) = Requirement::parse(text) {
        // Each requirement has one spelling, which is no near miss of another.
        assert_eq!(requirement.to_string(), text);
        assert_eq!(Requirement::mended(text), Some(requirement));
    }
    if let Some(requirement) = Requirement::mended(text) {
        assert_eq!(
            Requirement::parse(&requirement.to_string()),
            Ok(requirement)
        );
    }
    if let Ok(range) = Range::parse(text) {
        let minors: Vec<_> = range.minors().collect();
        assert!(minors.is_sorted() && !minors.is_empty() && minors.len() <= 100);
        assert_eq!(
            (minors[0], minors[minors.len() - 1]),
            (range.first(), range.last())
        );
        let closed = Requirement::parse(text).expect("a range is a closed requirement");
        assert!(
            minors
                .iter()
                .all(|minor| closed.includes(*minor) && range.contains(*minor))
        );
    }
    if let Ok(minor) = Minor::of_version(text) {
        assert_eq!(Minor::of_version(&minor.to_string()), Ok(minor));
    }
});
