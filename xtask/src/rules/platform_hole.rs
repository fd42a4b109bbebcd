//! `platform-hole`.

use super::met;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::spec::{Knowledge, Release};

pub const RULE: Rule = Rule {
    code: "platform-hole",
    severity: Severity::Warning,
    summary: "an image that is not built for every architecture of the release",
    explanation: "The release is built for an architecture for which this image is not. On the image's minors, \
                  nodes of that architecture cannot run the driver, and the scripts refuse to prepare it for \
                  them.",
};

pub fn check(release: &Release, _: &Knowledge, found: &mut Vec<Diagnostic>) {
    for (_, image) in release.rows() {
        let lacking: Vec<_> = release
            .architectures
            .iter()
            .filter(|name| !image.architectures.contains(name))
            .cloned()
            .collect();
        if !lacking.is_empty() {
            let reference = image.reference.value.as_str();
            found.push(
                Diagnostic::new(
                    &RULE,
                    image.reference.span.clone(),
                    format!("`{reference}` is not built for {}", lacking.join(", ")),
                    if image.architectures.is_empty() {
                        "built for none of the release's architectures".to_owned()
                    } else {
                        format!("built for {}", image.architectures.join(", "))
                    },
                    "take an image that is built for every architecture of the release",
                )
                .about(
                    format!("{reference} without {}", lacking.join(", ")),
                    met(release, [image]),
                ),
            );
        }
    }
}
