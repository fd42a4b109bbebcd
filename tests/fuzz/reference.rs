//! Any text as an image reference: what is accepted is what the published grammar accepts, in the
//! same parts.
#![no_main]

#[path = "../support/grammar.rs"]
mod grammar;

use libfuzzer_sys::fuzz_target;
use xtask::image::ImageRef;

fuzz_target!(|text: &str| {
    let wanted = grammar::parts(text);
    match ImageRef::parse(text) {
        Ok(reference) => {
            let parts = (
                reference.host(),
                reference.path(),
                reference.tag(),
                reference.digest(),
            );
            assert_eq!(Some(parts), wanted);
            assert_eq!(reference.to_string(), text);
            // The whole name is a reference too, and its own whole name.
            let whole = ImageRef::parse(&reference.whole_name()).expect("a whole name");
            assert_eq!(whole.whole_name(), whole.as_str());
        }
        Err(error) => assert_eq!(wanted, None, "refused, because it {error}"),
    }
});
