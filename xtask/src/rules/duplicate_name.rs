//! `duplicate-name` in the knowledge.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::Knowledge;

pub use crate::spec::rules::DUPLICATE_NAME as RULE;

/// The entries about what another entry says something of already: which of two counts, nobody
/// could know.
#[must_use]
pub fn in_knowledge(knowledge: &Knowledge) -> Vec<Diagnostic> {
    let registries = knowledge.registries.iter().map(|registry| &registry.host);
    let registries = registries.map(|host| (host.get_ref().clone(), host.span()));
    let images = knowledge.images.iter();
    let images = images.map(|image| {
        let tag = &image.tag;
        (
            format!("{}:{}", image.repository, tag.get_ref()),
            tag.span(),
        )
    });
    [again(registries), again(images)].concat()
}

fn again(entries: impl Iterator<Item = (String, Span)>) -> Vec<Diagnostic> {
    let mut known = HashMap::new();
    let mut found = Vec::new();
    for (name, span) in entries {
        let title = format!("there are two entries about `{name}`");
        if let Some(first) = known.insert(name, span.clone()) {
            let help = "keep one, with its source";
            let again = Diagnostic::new(&RULE, span, title, "again here", help);
            found.push(again.with_other(first, "first here"));
        }
    }
    found
}
