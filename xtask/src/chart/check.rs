//! Holds a chart against a release: what one of the two has, and the other lacks or has otherwise.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde_json::Value;

use super::yaml::{Document, Id, Missing};
use super::{Chart, about, images};
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::rules::chart as rules;
use crate::spec::Release;
use crate::spec::{HelmKey, PullSecrets};
use crate::suggest::did_you_mean;
use crate::validate;

/// Findings of one kind that are looked for in a file; whoever has more has another problem.
pub const MOST: usize = 100;

/// All findings about a chart, by the file that they point into: its two, and the spec.
#[must_use]
pub fn check<'f>(
    chart: &'f Chart,
    release: &Release,
    spec: &'f Source,
) -> [(&'f Source, Vec<Diagnostic>); 3] {
    let looked_at = |source: &Source, look: &dyn Fn(&Document) -> Vec<Diagnostic>| {
        Document::parse(source.text()).map_or_else(
            |malformed| vec![*malformed],
            |document| [look(&document), keys(&document)].concat(),
        )
    };
    let mut about = looked_at(&chart.about, &|document| {
        let left = placeholders(&chart.about, document, &HashMap::new());
        [left, about::check(document, release, spec)].concat()
    });
    let mut values = looked_at(&chart.values, &|document| {
        let values = Values {
            release,
            spec,
            source: &chart.values,
            document,
            used: HashSet::new(),
        };
        values.check()
    });
    let mut of_spec = paths(&chart.folder, release);
    let stale = validate::acknowledge_chart(release, &mut [&mut about, &mut values, &mut of_spec]);
    // In a file that cannot be read nothing else was found.
    let is_read = |found: &[Diagnostic]| found.iter().all(|one| one.rule.code != rules::YAML.code);
    if is_read(&about) && is_read(&values) {
        of_spec.extend(stale);
    }
    [
        (&chart.about, about),
        (&chart.values, values),
        (spec, of_spec),
    ]
}

/// Keys that stand twice, and such as Helm refuses.
fn keys(document: &Document) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for map in document.ids() {
        let mut first: HashMap<&str, Id> = HashMap::new();
        for (key, _) in document.entries(map) {
            if found.len() == MOST {
                return found;
            }
            let span = document.span(*key);
            let Some(name) = document.name(*key) else {
                found.push(Diagnostic::new(
                    &rules::YAML,
                    span,
                    "a key is a list or a map",
                    "this key",
                    "give it a name; Helm takes no other keys",
                ));
                continue;
            };
            if let Some(before) = first.insert(name, *key) {
                let title = format!("the key `{name}` stands twice");
                let help = "delete one of the two; Helm takes the last";
                found.push(
                    Diagnostic::new(&rules::DUPLICATE_KEY, span, title, "again", help)
                        .about(name, vec![])
                        .with_other(document.span(before), "first"),
                );
            }
        }
    }
    found
}

/// What an installation may delete from the chart, and the chart does not have.
fn paths(folder: &Path, release: &Release) -> Vec<Diagnostic> {
    let crds = release.chart.crds.iter().map(|crds| &crds.path);
    crds.filter(|path| folder.join(&path.value).symlink_metadata().is_err())
        .map(|path| {
            Diagnostic::new(
                &rules::MISSING_PATH,
                path.span.clone(),
                format!("the chart has no `{}`", path.value),
                "said to be in the chart",
                "correct the path, or remove the entry",
            )
            .about(&path.value, vec![])
        })
        .collect()
}

/// Values with a placeholder that the chart's build has left. `images` are the values that hold an
/// image, each with what the table has there: in those, everything in braces is one. Elsewhere
/// `{{ .Values.x }}` in quotes is for a template of the chart.
fn placeholders(
    source: &Source,
    document: &Document,
    images: &HashMap<Id, String>,
) -> Vec<Diagnostic> {
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let of_value = |id: Id| {
        let scalar = document.scalar(id)?;
        let wanted = images.get(&id);
        let is_left = |span: &&Span| {
            let name = source.text()[(*span).clone()].trim_matches(['{', '}', ' ']);
            let opens = scalar.plain && span.start == document.span(id).start;
            opens || wanted.is_some() || name.chars().all(is_name)
        };
        let mut left = scalar.placeholders.iter().filter(is_left);
        let first = left.next()?;
        let wanted = wanted.map_or("", String::as_str);
        let mut finding = Diagnostic::new(
            &rules::PLACEHOLDER,
            first.clone(),
            format!(
                "the placeholder `{}` is not replaced",
                &source.text()[first.clone()]
            ),
            "for the chart's build to fill in",
            format!("{wanted}check the chart as its build leaves it"),
        )
        .about(&source.text()[first.clone()], vec![]);
        for another in left.take(MOST) {
            finding = finding.with_other(another.clone(), "and this");
        }
        Some(finding)
    };
    document.ids().filter_map(of_value).take(MOST).collect()
}

/// A reason for which the table names a Helm key, and where.
struct Use {
    why: String,
    place: String,
}

/// The chart's default values, and the release that they are held against.
struct Values<'c> {
    release: &'c Release,
    spec: &'c Source,
    source: &'c Source,
    document: &'c Document,
    /// The values that the table writes or asks.
    used: HashSet<Id>,
}

impl Values<'_> {
    fn check(mut self) -> Vec<Diagnostic> {
        let helm_keys = self.helm_keys();
        let images = images::check(self.release, self.spec, self.document, &self.used);
        let placeholders = placeholders(self.source, self.document, &images.wanted);
        [
            helm_keys,
            images.found,
            self.defaults(),
            self.types(),
            placeholders,
        ]
        .concat()
    }

    /// Every Helm key that the table names, with what for.
    fn uses(&self) -> BTreeMap<String, Vec<Use>> {
        let Release {
            components,
            settings,
            chart,
            ..
        } = self.release;
        let mut all: Vec<(HelmKey, String, String)> = Vec::new();
        for component in components {
            let name = &component.name;
            for (key, _) in component.parts(chart) {
                let place = component.helm.as_ref().map_or(&name.span, |key| &key.span);
                let why = format!("the image of `{}`", name.value);
                all.push((key, why, self.spec.place(place)));
            }
            // A default counts only in the releases whose components ask for it.
            for condition in component.ways.iter().flatten() {
                let why = format!("the switch of `{}`", name.value);
                all.push((condition.key.clone(), why, self.spec.place(&name.span)));
            }
        }
        for setting in settings {
            let why = format!("the setting on {}", setting.kubernetes.value);
            let place = self.spec.place(&setting.key.span);
            all.push((setting.key.value.clone(), why, place));
        }
        if let Some(secrets) = &chart.pull_secrets {
            let place = self.spec.place(&secrets.key.span);
            all.push((
                secrets.key.value.clone(),
                "the pull secrets".to_owned(),
                place,
            ));
        }
        let mut uses: BTreeMap<String, Vec<Use>> = BTreeMap::new();
        for (key, why, place) in all {
            uses.entry(key.as_str().to_owned())
                .or_default()
                .push(Use { why, place });
        }
        uses
    }

    /// Keys of the table that the chart does not have, or has as a group.
    fn helm_keys(&mut self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        // By the first part of a key that is not there.
        let mut lost: BTreeMap<&str, (Missing, Vec<&str>, Vec<&Use>)> = BTreeMap::new();
        let all_uses = self.uses();
        for (key, uses) in &all_uses {
            let key = key.as_str();
            let uses: Vec<_> = uses.iter().collect();
            let entry = match self.document.get(key) {
                Ok(entry) => entry,
                Err(missing) => {
                    let mut dots = key.match_indices('.');
                    let part = dots.nth(missing.depth).map_or(key, |(dot, _)| &key[..dot]);
                    let (_, keys, all) = lost.entry(part).or_insert((missing, vec![], vec![]));
                    keys.push(key);
                    all.extend(uses);
                    continue;
                }
            };
            self.used.insert(entry.value);
            let value = self.document.behind_alias(entry.value);
            let is_secrets = |secrets: &PullSecrets| secrets.key.value.as_str() == key;
            if self
                .release
                .chart
                .pull_secrets
                .as_ref()
                .is_some_and(is_secrets)
            {
                continue;
            }
            if self.document.scalar(value).is_none() {
                found.push(Diagnostic::new(
                    &rules::GROUP,
                    self.document.span(entry.key),
                    format!("the chart has a group or a list at `{key}`, the table one value"),
                    "this key",
                    format!("the table has it for {}", told(&uses)),
                ));
            }
        }
        found.extend(lost.into_iter().map(|(part, (missing, keys, uses))| {
            let name = part.rsplit('.').next().unwrap_or_default();
            let near = did_you_mean(name, missing.there);
            let near = near.map_or_else(String::new, |question| question + " ");
            let (subject, title) = if let [key] = keys[..] {
                (key, format!("the chart has no value `{key}`"))
            } else {
                let count = keys.len();
                let title = format!("the chart has no `{part}`, the table {count} values in there");
                (part, title)
            };
            // Where not even the first part is there, the whole file lacks it.
            let span = missing.last.map_or(0..0, |last| self.document.span(last));
            let help = format!("{near}the table has it for {}", told(&uses));
            Diagnostic::new(
                &rules::MISSING_KEY,
                span,
                title,
                format!("no `{name}` in here"),
                help,
            )
            .about(subject, vec![])
        }));
        found
    }

    /// What the chart sets otherwise than the table says.
    fn defaults(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let asked = self.release.components.iter();
        let asked = asked.flat_map(|component| component.ways.iter().flatten());
        let asked: HashSet<_> = asked.map(|condition| &condition.key).collect();
        let defaults = self.release.chart.defaults.iter();
        for (key, wanted) in defaults.filter(|(key, _)| asked.contains(key)) {
            let Ok(entry) = self.document.get(key.as_str()) else {
                continue;
            };
            let id = self.document.behind_alias(entry.value);
            let Some(scalar) = self.document.scalar(id) else {
                continue;
            };
            let is = scalar.boolean();
            let is_so = match wanted {
                Value::Bool(wanted) => is == Some(*wanted),
                Value::String(wanted) => scalar.kind() == "a text" && scalar.text == *wanted,
                wanted => *wanted == scalar.text.as_str(),
            };
            if is_so || !scalar.placeholders.is_empty() {
                continue;
            }
            let span = self.document.span(id);
            let key = key.as_str();
            let title = if scalar.is_empty() {
                format!("the chart leaves `{key}` empty, the table says `{wanted}`")
            } else {
                let written = self.source.at(&span);
                format!("the chart sets `{key}` to `{written}`, the table says `{wanted}`")
            };
            let counts = if wanted.is_boolean() && is.is_none() && !scalar.is_empty() {
                "what is no boolean counts as true whatever it says; "
            } else {
                ""
            };
            let help = format!(
                "{counts}correct `chart.defaults` in {}, or the chart",
                self.spec.path()
            );
            found.push(
                Diagnostic::new(
                    &rules::OTHER_DEFAULT,
                    span,
                    title,
                    "the chart's default",
                    help,
                )
                .about(key, vec![]),
            );
        }
        found
    }

    /// Settings of another type than the chart's default, those aside whose default the table has.
    fn types(&self) -> Vec<Diagnostic> {
        let Release {
            settings, chart, ..
        } = self.release;
        let mut found = Vec::new();
        for setting in settings {
            if chart.defaults.contains_key(&setting.key.value) {
                continue;
            }
            let key = setting.key.value.as_str();
            let Ok(entry) = self.document.get(key) else {
                continue;
            };
            let id = self.document.behind_alias(entry.value);
            let Some(scalar) = self.document.scalar(id) else {
                continue;
            };
            let (is, written) = match &setting.value {
                Value::Bool(value) => ("a boolean", value.to_string()),
                Value::Number(value) => ("a number", value.to_string()),
                Value::String(value) => ("a text", format!("{value:?}")),
                // A list or a group replaces whatever is there, and null removes it.
                Value::Null | Value::Array(_) | Value::Object(_) => continue,
            };
            if is == scalar.kind() || scalar.is_empty() || !scalar.placeholders.is_empty() {
                continue;
            }
            let default = scalar.kind();
            let place = self.spec.place(&setting.key.span);
            found.push(
                Diagnostic::new(
                    &rules::OTHER_TYPE,
                    self.document.span(id),
                    format!("`{key}` is {default} in the chart, {is} in the table"),
                    "the chart's default",
                    format!(
                        "the table sets {written} on {} ({place})",
                        setting.kubernetes.value
                    ),
                )
                .about(key, vec![]),
            );
        }
        found
    }
}

/// `the image of `a` (FILE:1), the setting on v1.16.x (FILE:9)`
fn told(uses: &[&Use]) -> String {
    const SHOWN: usize = 3;
    let shown = uses.iter().take(SHOWN);
    let mut told: Vec<_> = shown
        .map(|Use { why, place }| format!("{why} ({place})"))
        .collect();
    if uses.len() > SHOWN {
        told.push(format!("{} more", uses.len() - SHOWN));
    }
    told.join(", ")
}
