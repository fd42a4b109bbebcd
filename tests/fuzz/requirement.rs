//! Any text as a requirement, a supported range and a version: no panic, and what is read is written
//! back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xtask::kubernetes::{Minor, Requirement, Supported};

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
    if let Ok(part) = Supported::parse_part(text) {
        assert!(part.is_sorted() && !part.is_empty() && part.len() <= 100);
        let closed = Requirement::parse(text).expect("a part is a closed requirement");
        let supported = Supported::of(part.clone()).expect("not empty");
        let minors: Vec<_> = supported.minors().collect();
        assert_eq!(minors, part);
        assert_eq!(supported.parts(), [(part[0], part[part.len() - 1])]);
        assert!(
            minors
                .iter()
                .all(|minor| closed.includes(*minor) && supported.contains(*minor))
        );
    }
    if let Ok(minor) = Minor::of_version(text) {
        assert_eq!(Minor::of_version(&minor.to_string()), Ok(minor));
    }
});
