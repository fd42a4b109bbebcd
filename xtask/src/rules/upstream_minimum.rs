//! `upstream-minimum`.

use super::list;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "upstream-minimum",
    severity: Severity::Warning,
    summary: "an image on minors older than its own project supports",
    explanation: "The table has the image on minors that are older than the oldest one which the image's own \
                  project names; `spec/knowledge.toml` has that version with its source. The vendor may have \
                  tested it there, so the table wins, but somebody should have looked: raise the requirement, \
                  or acknowledge it with what the reader of the page should know.",
};

pub fn check(release: &Release, knowledge: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (_, image) in release.rows() {
        let reference = &image.reference.value;
        let known = knowledge.images.iter().find(|known| {
            known.repository == reference.path()
                && Some(known.tag.get_ref().as_str()) == reference.tag()
        });
        let Some(known) = known else {
            continue;
        };
        let older: Vec<_> = release
            .kubernetes
            .minors()
            .filter(|minor| image.kubernetes.value.includes(*minor) && *minor < known.minimum)
            .collect();
        if !older.is_empty() {
            found.push(
                Diagnostic::new(
                    &RULE,
                    image.kubernetes.span.clone(),
                    format!(
                        "`{reference}` is listed for Kubernetes {}, and its project supports {} and later",
                        list(&older),
                        known.minimum
                    ),
                    format!("the row is for {}", image.kubernetes.value),
                    format!("write a requirement from v{} on ({})", known.minimum, known.source),
                )
                .with_other(image.reference.span.clone(), "this image")
                .about(format!("{reference} from {}", older[0]), older.clone()),
            );
        }
    }
}
