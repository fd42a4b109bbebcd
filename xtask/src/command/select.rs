//! What a command is about: the releases and minors that its options name. The same for all
//! commands, so that an option means the same everywhere.

use super::{Failure, complain};
use crate::diagnostic::{self, Source};
use crate::kubernetes::Minor;
use crate::spec::{Release, Spec};
use crate::suggest::did_you_mean;

/// A valid release, and the spec that says it.
pub struct Chosen {
    pub release: Release,
    pub source: Source,
}

/// The releases that the filters name, or all where there is none. Prints what is wrong with them.
pub fn releases(specs: Vec<Spec>, filters: &[String]) -> Result<Vec<Chosen>, Failure> {
    valid(named(specs, filters)?)
}

/// The one release that a command is about: the only one there is, or the one that the filter
/// names.
pub fn release(specs: Vec<Spec>, filter: Option<&String>) -> Result<Chosen, Failure> {
    let specs = named(specs, filter.map(std::slice::from_ref).unwrap_or_default())?;
    if specs.len() > 1 {
        return Err(format!(
            "there are several releases\nhelp: choose one with `--release`: {}",
            names(&specs)
        ));
    }
    // A folder without a spec is refused where it is read.
    Ok(valid(specs)?.remove(0))
}

fn named(mut specs: Vec<Spec>, filters: &[String]) -> Result<Vec<Spec>, Failure> {
    if let Some(unknown) = filters
        .iter()
        .find(|filter| !specs.iter().any(|spec| matches(spec, filter)))
    {
        let known = specs
            .iter()
            .flat_map(|spec| [spec.release.clone(), name(spec)]);
        // Every version is like its neighbours, which does not make it a slip.
        let near = match semver::Version::parse(unknown) {
            Ok(_) => None,
            Err(_) => did_you_mean(unknown, known).map(|question| question + " "),
        };
        return Err(format!(
            "there is no spec of the release `{unknown}`\nhelp: {}the releases are {}",
            near.unwrap_or_default(),
            names(&specs)
        ));
    }
    if !filters.is_empty() {
        specs.retain(|spec| filters.iter().any(|filter| matches(spec, filter)));
    }
    Ok(specs)
}

fn valid(specs: Vec<Spec>) -> Result<Vec<Chosen>, Failure> {
    let mut releases = Vec::new();
    let mut refused = 0;
    for spec in specs {
        complain(&diagnostic::render(&spec.source, &spec.findings))?;
        match spec.outcome {
            Some(release) => releases.push(Chosen {
                release,
                source: spec.source,
            }),
            None => refused += spec.findings.iter().filter(|f| f.is_error()).count(),
        }
    }
    if refused > 0 {
        let errors = diagnostic::count(refused, "error");
        return Err(format!("{errors} in the spec; nothing was done"));
    }
    Ok(releases)
}

fn matches(spec: &Spec, filter: &str) -> bool {
    match filter.split_once('/') {
        Some((product, release)) => spec.product == product && spec.release == release,
        None => spec.release == filter,
    }
}

fn name(spec: &Spec) -> String {
    format!("{}/{}", spec.product, spec.release)
}

fn names(specs: &[Spec]) -> String {
    let names: Vec<_> = specs.iter().map(name).collect();
    names.join(", ")
}

/// Refuses a version that none of the releases supports, and names the supported ranges.
pub fn supported(releases: &[Chosen], minors: &[Minor]) -> Result<(), Failure> {
    let supports = |minor: &Minor| {
        releases
            .iter()
            .any(|chosen| chosen.release.kubernetes.contains(*minor))
    };
    let Some(minor) = minors.iter().find(|minor| !supports(minor)) else {
        return Ok(());
    };
    let ranges: Vec<_> = releases
        .iter()
        .map(|Chosen { release, .. }| {
            format!(
                "{}/{} supports {}",
                release.product, release.version, release.kubernetes
            )
        })
        .collect();
    Err(format!(
        "Kubernetes {minor} is not supported\nhelp: {}",
        ranges.join("; ")
    ))
}
