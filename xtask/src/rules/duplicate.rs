//! `duplicate-name`: two components of one name. `conflicting-setting`: two settings that give one
//! key a value on the same minor. `conflicting-image`: two rows of one reference that disagree on
//! where the image comes from or what it is built for.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::spec::Release;

pub fn check(release: &Release, found: &mut Vec<Diagnostic>) {
    let mut names = HashMap::new();
    for component in &release.components {
        let name = &component.name;
        if let Some(first) = names.insert(&name.value, &name.span) {
            found.push(
                Diagnostic::new(
                    "duplicate-name",
                    name.span.clone(),
                    format!("two components are named `{}`", name.value),
                    "again here",
                    "rename one, or move its rows to the other as `[[component.image]]`",
                )
                .with_other(first.clone(), "first here"),
            );
        }
    }
    let mut images = HashMap::new();
    for image in release
        .components
        .iter()
        .flat_map(|component| &component.images)
    {
        let first = *images.entry(&image.reference.value).or_insert(image);
        if first.source != image.source || first.architectures != image.architectures {
            found.push(
                Diagnostic::new(
                    "conflicting-image",
                    image.reference.span.clone(),
                    format!(
                        "two rows describe the image `{}` differently",
                        image.reference.value
                    ),
                    "again here",
                    "give both rows the same `architectures` and `archives`",
                )
                .with_other(first.reference.span.clone(), "first here"),
            );
        }
    }
    for (index, setting) in release.settings.iter().enumerate() {
        for earlier in &release.settings[..index] {
            let both = |minor| {
                setting.kubernetes.value.includes(minor) && earlier.kubernetes.value.includes(minor)
            };
            if setting.key.value != earlier.key.value {
                continue;
            }
            if let Some(minor) = release.kubernetes.minors().find(|minor| both(*minor)) {
                found.push(
                    Diagnostic::new(
                        "conflicting-setting",
                        setting.key.span.clone(),
                        format!(
                            "two settings of `{}` on Kubernetes {minor}",
                            setting.key.value.as_str()
                        ),
                        format!("again here, for {}", setting.kubernetes.value),
                        "narrow the `kubernetes` of one of the two",
                    )
                    .with_other(
                        earlier.key.span.clone(),
                        format!("first here, for {}", earlier.kubernetes.value),
                    ),
                );
            }
        }
    }
}
