//! What a chart says of itself in `Chart.yaml`, held against Helm and against a release.

use semver::Prerelease;

use super::constraint::{Constraint, Partial};
use super::yaml::{Document, Id, Scalar};
use crate::diagnostic::{Diagnostic, Source};
use crate::rules::chart as rules;
use crate::spec::Release;

/// What is wrong with it.
pub fn check(document: &Document, release: &Release, spec: &Source) -> Vec<Diagnostic> {
    let about = About {
        document,
        release,
        spec,
    };
    let found = about.metadata().into_iter();
    found
        .chain(about.of_release())
        .chain(about.kubernetes())
        .collect()
}

/// The chart's name and the release that it installs, if the text of `Chart.yaml` says both.
pub fn installs(written: &str) -> Option<(String, String)> {
    let document = Document::parse(written).ok()?;
    let said = |key| Some(text(&document, key)?.1.text.clone());
    Some((said("name")?, bare(&said("appVersion")?).to_owned()))
}

/// The value of a key, if there is one and the chart's build has filled it in.
fn text<'d>(document: &'d Document, key: &str) -> Option<(Id, &'d Scalar)> {
    let entry = document.get(key).ok()?;
    let id = document.behind_alias(entry.value);
    let scalar = document.scalar(id)?;
    (!scalar.is_empty() && scalar.placeholders.is_empty()).then_some((id, scalar))
}

/// A version without the letter that some put in front.
fn bare(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

struct About<'a> {
    document: &'a Document,
    release: &'a Release,
    spec: &'a Source,
}

impl<'a> About<'a> {
    fn text(&self, key: &str) -> Option<(Id, &'a Scalar)> {
        text(self.document, key)
    }

    /// What Helm refuses a chart for.
    fn metadata(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut find = |id: Option<Id>, title: String, help: &str| {
            // What is not there is missing in the whole file.
            let span = id.map_or(0..0, |id| self.document.span(id));
            found.push(Diagnostic::new(&rules::METADATA, span, title, "here", help));
        };
        for key in ["name", "version"] {
            let value = self.document.get(key).ok().map(|entry| entry.value);
            let value = value.map(|value| self.document.behind_alias(value));
            let scalar = value.and_then(|value| self.document.scalar(value));
            if scalar.is_none_or(Scalar::is_empty) {
                let title = format!("the chart has no `{key}`");
                find(value, title, "add it; Helm installs no chart without it");
            }
        }
        for key in ["version", "appVersion", "kubeVersion"] {
            if let Some((id, scalar)) = self.text(key)
                && is_fraction(scalar)
            {
                let title = format!("`{key}` is the number {}", scalar.text);
                find(
                    Some(id),
                    title,
                    "write it in quotes; YAML drops the last zero of a number",
                );
            }
        }
        if let Some((id, version)) = self.text("version")
            && Partial::parse(&version.text).is_none_or(|version| version.is_open)
        {
            let title = format!("the version `{}` is no semantic version", version.text);
            find(
                Some(id),
                title,
                "write one, such as `1.0.0`; Helm refuses any other",
            );
        }
        if let Some((id, kind)) = self.text("type")
            && kind.text != "application"
        {
            let title = format!("the chart is of the type `{}`", kind.text);
            find(
                Some(id),
                title,
                "check the chart that is installed; Helm installs `application` alone",
            );
        }
        found
    }

    /// Whether it is the chart of the release.
    fn of_release(&self) -> Option<Diagnostic> {
        let (id, version) = self.text("appVersion")?;
        let other = bare(&version.text) != bare(&self.release.version);
        other.then(|| {
            Diagnostic::new(
                &rules::RELEASE,
                self.document.span(id),
                format!(
                    "the chart is of {}, the table of {}",
                    version.text, self.release.version
                ),
                "what the chart installs",
                "check the chart of the same release; `--release` chooses the table",
            )
            .about(&version.text, vec![])
        })
    }

    /// Whether Helm installs it on every Kubernetes version of the release.
    fn kubernetes(&self) -> Option<Diagnostic> {
        let (id, written) = self.text("kubeVersion")?;
        let find = |rule, title: String, label: &str, help: String| {
            let finding = Diagnostic::new(rule, self.document.span(id), title, label, help);
            Some(finding.about(&written.text, vec![]))
        };
        if is_fraction(written) {
            return None;
        }
        let Some(constraint) = Constraint::parse(&written.text) else {
            return find(
                &rules::KUBERNETES,
                format!(
                    "`{}` is no constraint that every version of Helm reads",
                    written.text
                ),
                "not compared with the table",
                "write comparisons with a space between them, such as `>=1.20.0-0 <1.31.0-0`"
                    .to_owned(),
            );
        };
        let (mut refused, mut of_vendors) = (Vec::new(), Vec::new());
        for minor in self.release.kubernetes.minors() {
            let versions = constraint.versions(minor);
            let mut admitted = versions.clone();
            admitted.retain(|version| constraint.admits(version));
            if admitted.is_empty() {
                refused.push(minor.to_string());
            } else {
                let others = versions
                    .iter()
                    .filter(|version| !admitted.contains(version));
                refused.extend(others.map(ToString::to_string));
            }
            of_vendors.extend(admitted.into_iter().filter_map(|mut version| {
                version.pre = Prerelease::new("gke.1").ok()?;
                (!constraint.admits(&version)).then(|| version.to_string())
            }));
        }
        if !refused.is_empty() {
            let (range, place) = (&self.release.kubernetes, self.spec.path());
            return find(
                &rules::KUBERNETES,
                format!("the chart refuses Kubernetes {}", refused.join(", ")),
                "Helm installs it on no other version",
                format!("the table says {range}; correct `kubernetes` in {place}, or the chart"),
            );
        }
        let first = of_vendors.first()?;
        find(
            &rules::VENDOR_VERSION,
            format!("Helm 3 refuses versions of vendors here, such as {first}"),
            "a suffix is a pre-release to it",
            "have the chart compare with pre-releases: `>=1.20.0-0` admits what `>=1.20.0` does not"
                .to_owned(),
        )
    }
}

/// Whether YAML reads a version as a number, so that 1.30 is 1.3.
fn is_fraction(version: &Scalar) -> bool {
    version.is_number() && version.text.contains('.')
}
