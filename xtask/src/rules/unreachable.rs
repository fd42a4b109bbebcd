//! `unreachable`: a requirement that no supported minor meets, so that what it says never applies.

use crate::diagnostic::Diagnostic;
use crate::kubernetes::Requirement;
use crate::spec::Release;
use crate::spec::model::Located;

pub fn check(release: &Release, found: &mut Vec<Diagnostic>) {
    let components = release.components.iter().flat_map(|component| {
        let images = component.images.iter().map(|image| &image.kubernetes);
        images.chain(component.holes.iter().map(|hole| &hole.kubernetes))
    });
    let settings = release.settings.iter().map(|setting| &setting.kubernetes);
    let steps = release.steps.iter().map(|step| &step.kubernetes);
    let applies = |requirement: &&Located<Requirement>| {
        release
            .kubernetes
            .minors()
            .any(|minor| requirement.value.includes(minor))
    };
    for requirement in components
        .chain(settings)
        .chain(steps)
        .filter(|r| !applies(r))
    {
        found.push(Diagnostic::new(
            "unreachable",
            requirement.span.clone(),
            format!("`{}` is for no supported version", requirement.value),
            format!("the release supports {}", release.kubernetes),
            "correct the requirement, or remove what it is on",
        ));
    }
}
