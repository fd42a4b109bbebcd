//! Which Kubernetes versions a chart's `kubeVersion` admits.
//!
//! Helm reads it with [Masterminds/semver](https://github.com/Masterminds/semver), whose constraints
//! are not those of the `semver` crate: that has no `||`, no `1.16 - 1.30`, and another notion of
//! pre-releases. A form that not every version of Helm takes is not read here either.

use std::collections::BTreeSet;

use semver::{BuildMetadata, Prerelease, Version};

use crate::kubernetes::Minor;

/// A constraint: alternatives of comparisons that all have to hold.
#[derive(Clone, Debug)]
pub struct Constraint(Vec<Vec<Comparison>>);

#[derive(Clone, Debug)]
struct Comparison {
    operator: &'static str,
    with: Partial,
}

/// A version that may lack its last parts, as `1.16`, `1.16.x` and `*` do.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    /// With zeros for the parts that it lacks.
    version: Version,
    /// How many of its three parts it has.
    parts: usize,
    /// Whether a part is open, as `x` is.
    pub(super) is_open: bool,
}

/// The operators, each with what it is the same as; a longer one before its beginning.
const OPERATORS: [(&str, &str); 12] = [
    (">=", ">="),
    ("=>", ">="),
    ("<=", "<="),
    ("=<", "<="),
    ("!=", "!="),
    ("~>", "~"),
    ("~", "~"),
    ("^", "^"),
    (">", ">"),
    ("<", "<"),
    ("=", "="),
    ("", "="),
];

impl Constraint {
    /// Reads a constraint; none if the text has another form than all versions of Helm take.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let alternatives = text.split("||").map(comparisons);
        alternatives.collect::<Option<_>>().map(Self)
    }

    /// Whether Helm 3 installs the chart on this version of Kubernetes.
    #[must_use]
    pub fn admits(&self, version: &Version) -> bool {
        let holds = |all: &Vec<Comparison>| all.iter().all(|one| one.holds(version));
        self.0.iter().any(holds)
    }

    /// The versions of a minor by which one sees of all its patch versions whether they are
    /// admitted: the first one, those that the constraint names, and the one behind each.
    #[must_use]
    pub fn versions(&self, minor: Minor) -> Vec<Version> {
        let first = minor.version(0);
        let named = self.0.iter().flatten().map(|one| &one.with.version);
        let named = named.filter(|it| (it.major, it.minor) == (first.major, first.minor));
        let patches = named.flat_map(|it| [it.patch, it.patch.saturating_add(1)]);
        let patches: BTreeSet<_> = patches.chain([0]).collect();
        patches
            .into_iter()
            .map(|patch| minor.version(patch))
            .collect()
    }
}

/// Reads `>=1.16.0-0 <1.31.0-0`, `>= 1.16, < 1.31` or `1.16 - 1.30`.
fn comparisons(text: &str) -> Option<Vec<Comparison>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace().peekable();
        words.peek()?;
        while let Some(word) = words.next() {
            let mut signs = OPERATORS.into_iter();
            let (sign, operator, behind) = signs
                .find_map(|(sign, operator)| Some((sign, operator, word.strip_prefix(sign)?)))?;
            let with = Partial::parse(if behind.is_empty() {
                words.next()?
            } else {
                behind
            })?;
            if sign.is_empty() && words.next_if_eq(&"-").is_some() {
                let last = Partial::parse(words.next()?)?;
                all.push(Comparison {
                    operator: ">=",
                    with,
                });
                all.push(Comparison {
                    operator: "<=",
                    with: last,
                });
            } else if with.parts == 0 && !sign.is_empty()
                || operator == "!=" && with.parts < 3 && !with.version.pre.is_empty()
            {
                // What is more than anything? And to the second, versions of Helm say different things.
                return None;
            } else {
                all.push(Comparison { operator, with });
            }
        }
    }
    Some(all)
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        let (with, parts) = (&self.with.version, self.with.parts);
        // A pre-release is for those alone who name one.
        let is_left_out = !version.pre.is_empty() && with.pre.is_empty();
        if is_left_out && !(self.operator == "!=" && parts == 3) {
            return false;
        }
        let order = version.cmp_precedence(with);
        // The parts that a partial version has: of `1.16` the first two.
        let core = |version: &Version| [version.major, version.minor, version.patch];
        let (mine, its) = (core(version), core(with));
        let is_within = mine[..parts] == its[..parts];
        match self.operator {
            "=" if parts == 3 => order.is_eq(),
            "=" => is_within && order.is_ge(),
            "!=" if parts == 3 => order.is_ne(),
            "!=" => !is_within,
            ">" if parts == 3 => order.is_gt(),
            ">" => mine[..parts] > its[..parts],
            ">=" => order.is_ge(),
            "<" => order.is_lt(),
            "<=" if parts == 3 => order.is_le(),
            "<=" => mine[..parts] <= its[..parts],
            "~" => order.is_ge() && mine[..parts.min(2)] == its[..parts.min(2)],
            // "^": the first part that is not zero stays.
            _ => {
                let first = its[..parts].iter().position(|part| *part > 0);
                let fixed = first.map_or(parts, |first| first + 1);
                order.is_ge() && mine[..fixed] == its[..fixed]
            }
        }
    }
}

impl Partial {
    /// Reads `v1.16`, `1.16.0-0`, `1.x`, `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (bare, build) = bare.split_once('+').unwrap_or((bare, "0"));
        let (core, pre) = bare.split_once('-').unwrap_or((bare, "0"));
        if build.is_empty() || pre.is_empty() {
            return None;
        }
        BuildMetadata::new(build).ok()?;
        let mut numbers = [0; 3];
        let mut parts = 0;
        let mut is_open = false;
        for (index, part) in core.split('.').enumerate() {
            let number = numbers.get_mut(index)?;
            if matches!(part, "x" | "X" | "*") {
                is_open = true;
            } else {
                // A number behind an open part has no meaning.
                let is_plain =
                    part == "0" || part.starts_with(|c: char| c.is_ascii_digit() && c != '0');
                *number = part.parse().ok().filter(|_| is_plain && !is_open)?;
                parts += 1;
            }
        }
        let [major, minor, patch] = numbers;
        let mut version = Version::new(major, minor, patch);
        if bare.len() > core.len() {
            version.pre = Prerelease::new(pre).ok()?;
        }
        Some(Self {
            version,
            parts,
            is_open,
        })
    }
}
