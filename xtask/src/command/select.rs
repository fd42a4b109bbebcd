//! What a command is about: the releases and minors that its options name. The same for all
//! commands, so that an option means the same everywhere.

use super::{Failure, complain};
use crate::chart::Chart;
use crate::diagnostic::{self, Source};
use crate::kubernetes::{Minor, Supported};
use crate::spec::{Release, Spec};
use crate::suggest::did_you_mean;
use crate::validate;

/// A valid release, and the spec that says it.
pub struct Chosen {
    pub release: Release,
    pub source: Source,
}

/// The releases that the filters name, or all where there is none. Prints what is wrong with them.
pub fn releases(specs: Vec<Spec>, filters: &[String]) -> Result<Vec<Chosen>, Failure> {
    valid(named(specs, filters)?)
}

/// The one release that a command is about: the one that the filter names, or else the newest of the
/// only product there is, which is said.
pub fn release(specs: Vec<Spec>, filter: Option<&String>) -> Result<Chosen, Failure> {
    let mut specs = named(specs, filter.map(std::slice::from_ref).unwrap_or_default())?;
    // A folder without a spec is refused where it is read.
    let product = specs[0].product.clone();
    if specs.iter().any(|spec| spec.product != product) {
        return Err(format!(
            "there are releases of several products\nhelp: choose one with `--release`: {}",
            names(&specs)
        ));
    }
    if specs.len() > 1 {
        // They are sorted.
        specs.drain(..specs.len() - 1);
        let newest = name(&specs[0]);
        complain(&format!(
            "note: of {newest}, the newest; choose another with --release\n"
        ))?;
    }
    Ok(valid(specs)?.remove(0))
}

/// The release that a chart is held against: the one that the filter names, or else the one that the
/// chart says it installs.
pub fn of_chart(
    specs: Vec<Spec>,
    filter: Option<&String>,
    chart: &Chart,
) -> Result<Chosen, Failure> {
    if filter.is_some() {
        return release(specs, filter);
    }
    let known = names(&specs);
    let choose = |why: &str| {
        Err(format!(
            "{} {why}\nhelp: choose the table with `--release`: {known}",
            chart.about.path()
        ))
    };
    let Some((chart_name, version)) = chart.installs() else {
        return choose("does not say by `name` and `appVersion` which release it installs");
    };
    let mut specs = specs;
    // Of a release that is refused the chart's name may not be known, and what is wrong is shown.
    specs.retain(|spec| {
        let mut releases = spec.outcome.iter();
        spec.release == version && releases.all(|release| release.chart.name == chart_name)
    });
    match specs.len() {
        0 => choose(&format!(
            "is of the chart `{chart_name}` and the release {version}, of which there is no table"
        )),
        1 => Ok(valid(specs)?.remove(0)),
        _ => choose(&format!(
            "is of the chart `{chart_name}` and the release {version}, of which several products have a table"
        )),
    }
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

fn valid(mut specs: Vec<Spec>) -> Result<Vec<Chosen>, Failure> {
    validate::say_once(&mut specs);
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

/// `example/1.0.0, 1.1.0; other/2.0.0`
fn names(specs: &[Spec]) -> String {
    let of_product = |specs: &[Spec]| {
        let releases: Vec<_> = specs.iter().map(|spec| spec.release.as_str()).collect();
        format!("{}/{}", specs[0].product, releases.join(", "))
    };
    let products = specs.chunk_by(|a, b| a.product == b.product);
    products.map(of_product).collect::<Vec<_>>().join("; ")
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
    let products = releases.chunk_by(|a, b| a.release.product == b.release.product);
    let ranges: Vec<_> = products.map(range).collect();
    Err(format!(
        "Kubernetes {minor} is not supported\nhelp: {}",
        ranges.join("; ")
    ))
}

/// `example/1.0.0 supports 1.19 to 1.22`, or of several releases of a product what any of them does.
fn range(releases: &[Chosen]) -> String {
    let Release {
        product,
        version,
        kubernetes,
        ..
    } = &releases[0].release;
    if releases.len() == 1 {
        return format!("{product}/{version} supports {kubernetes}");
    }
    let minors = releases
        .iter()
        .flat_map(|chosen| chosen.release.kubernetes.minors());
    // Each of them supports a minor.
    let any = Supported::of(minors).map_or_else(String::new, |any| any.to_string());
    format!("the releases of {product} support {any}")
}
