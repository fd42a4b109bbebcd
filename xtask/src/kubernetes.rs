//! Kubernetes minor versions and the requirements that a table puts on them.
//!
//! Everything here compares parsed numbers. A version is never compared as text (`1.9` would
//! sort after `1.16`) nor as a float (`1.30` would read as `1.3`).

use std::collections::BTreeSet;
use std::fmt;
use std::iter;

use crate::parse_error::ParseError;

/// A Kubernetes minor version, such as 1.16. Displays as `1.16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor {
    major: u16,
    minor: u16,
}

impl Minor {
    /// The minor version `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads what `kubectl version` prints for a server: `v1.28.5`, `1.28`, and the forms that
    /// vendors build (`v1.28.5-gke.1`, `v1.28.5+k3s1`, `v1.30.0-rc.1`). The patch level, the
    /// pre-release and the build of a [semantic version](https://semver.org) are dropped: a
    /// release candidate of 1.30 runs the images of 1.30.
    ///
    /// # Errors
    /// When the text is no such version.
    pub fn of_version(text: &str) -> Result<Self, ParseError> {
        let error = || {
            let near = Self::within(text).map(|minor| format!("did you mean `{minor}`? "));
            ParseError::new(
                "is not a Kubernetes version",
                format!(
                    "{}write what `kubectl version` prints for the server, such as `v1.28.5` or \
                     `1.28`",
                    near.unwrap_or_default()
                ),
            )
        };
        let bare = text.strip_prefix('v').unwrap_or(text);
        let core_end = bare.find(['-', '+']).unwrap_or(bare.len());
        let (core, suffix) = bare.split_at(core_end);
        let padding = if core.matches('.').count() == 1 {
            ".0"
        } else {
            ""
        };
        let version =
            semver::Version::parse(&format!("{core}{padding}{suffix}")).map_err(|_| error())?;
        let part = |number: u64| u16::try_from(number).map_err(|_| error());
        Ok(Self::new(part(version.major)?, part(version.minor)?))
    }

    /// A version of this minor: 1.16.3.
    #[must_use]
    pub fn version(self, patch: u64) -> semver::Version {
        semver::Version::new(self.major.into(), self.minor.into(), patch)
    }

    /// The first version in a text that is none as a whole: `V1.28`, `v.1.16.x`.
    fn within(text: &str) -> Option<Self> {
        let mut parts = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        parts.find_map(|part| {
            let mut numbers = part.split('.').filter(|number| !number.is_empty());
            let (major, minor) = (numbers.next()?, numbers.next()?);
            Some(Self::new(number(major)?, number(minor)?))
        })
    }

    /// Reads `1.16`, the form without a `v` in which a requirement holds its minors.
    fn bare(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self::new(number(major)?, number(minor)?))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A decimal number without sign or leading zero.
fn number(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

/// Which minors a row of the table is for, as the vendors write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// `v1.17+`: this minor and every later one that the release supports.
    From(Minor),
    /// `v1.16.x`: this minor alone.
    Only(Minor),
    /// `v1.17-v1.19`: both ends included.
    Between(Minor, Minor),
}

impl Requirement {
    /// Reads one of the three forms.
    ///
    /// # Errors
    /// When the text has another form, or a range that ends before it starts.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text).ok_or_else(|| {
            if let Some((first, last)) = text.split_once('-')
                && Self::read(&format!("{last}-{first}")).is_some()
            {
                return ParseError::new(
                    "is a range that ends before it starts",
                    format!("write `{last}-{first}`"),
                );
            }
            ParseError::new(
                "is not a Kubernetes requirement",
                "write `v1.17+` (this minor and later ones), `v1.16.x` (this minor alone) or \
                 `v1.17-v1.19` (a closed range)",
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('v')?;
        if let Some(minor) = bare.strip_suffix('+') {
            return Minor::bare(minor).map(Self::From);
        }
        if let Some(minor) = bare.strip_suffix(".x") {
            return Minor::bare(minor).map(Self::Only);
        }
        let (first, last) = bare.split_once("-v")?;
        let (first, last) = (Minor::bare(first)?, Minor::bare(last)?);
        (first <= last).then_some(Self::Between(first, last))
    }

    /// The requirement that a near miss was meant to be: a stray dot after the `v` (the vendor's
    /// published tables have `v.1.16.x`), a missing `v`, blanks around a part, an upper-case letter.
    #[must_use]
    pub fn mended(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let parts = lower.split('-').map(|part| {
            let part = part.trim();
            let bare = part.strip_prefix('v').unwrap_or(part);
            let bare = bare.strip_prefix('.').unwrap_or(bare);
            // A blank in front of the last sign, as in `v1.17 +`.
            match bare.strip_suffix('+') {
                Some(minor) => format!("v{}+", minor.trim_end()),
                None => format!("v{bare}"),
            }
        });
        Self::read(&parts.collect::<Vec<_>>().join("-"))
    }

    /// Whether a row with this requirement is for `minor`.
    #[must_use]
    pub fn includes(self, minor: Minor) -> bool {
        match self {
            Self::From(first) => first <= minor,
            Self::Only(only) => only == minor,
            Self::Between(first, last) => first <= minor && minor <= last,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(first) => write!(f, "v{first}+"),
            Self::Only(only) => write!(f, "v{only}.x"),
            Self::Between(first, last) => write!(f, "v{first}-v{last}"),
        }
    }
}

/// The minors that a release supports, ascending: the upper bound of every `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supported {
    first: Minor,
    /// The minors behind the first one.
    others: Vec<Minor>,
}

impl Supported {
    /// The most minors that one release may support; a bound on what a typo can make the tool do.
    const MOST: u16 = 100;

    /// Reads one part of the list that a release names its minors by: `v1.16-v1.30`, or `v1.16.x` for
    /// a minor that stands alone.
    ///
    /// # Errors
    /// When the text is open or no range at all, spans two majors, or more than 100 minors.
    pub fn parse_part(text: &str) -> Result<Vec<Minor>, ParseError> {
        let example = "write its first and its last minor, such as `v1.16-v1.30`, or one minor, \
                       such as `v1.16.x`";
        match Requirement::read(text) {
            Some(Requirement::Only(minor)) => Ok(vec![minor]),
            Some(Requirement::Between(first, last))
                if first.major == last.major && last.minor - first.minor < Self::MOST =>
            {
                let minors = first.minor..=last.minor;
                Ok(minors.map(|minor| Minor::new(first.major, minor)).collect())
            }
            Some(Requirement::Between(..)) => Err(ParseError::new(
                "is too wide",
                format!(
                    "a release supports minors of one major version, at most {} of them",
                    Self::MOST
                ),
            )),
            Some(Requirement::From(_)) => {
                Err(ParseError::new("leaves the supported range open", example))
            }
            None => Err(ParseError::new(
                "is not a range of Kubernetes minors",
                example,
            )),
        }
    }

    /// The minors of all parts; none if there is no part.
    #[must_use]
    pub fn of(minors: impl IntoIterator<Item = Minor>) -> Option<Self> {
        let mut minors = BTreeSet::from_iter(minors).into_iter();
        let first = minors.next()?;
        let others = minors.collect();
        Some(Self { first, others })
    }

    /// The first minor supported.
    #[must_use]
    pub fn first(&self) -> Minor {
        self.first
    }

    /// The last minor supported.
    #[must_use]
    pub fn last(&self) -> Minor {
        self.others.last().copied().unwrap_or(self.first)
    }

    /// Whether the release supports `minor`.
    #[must_use]
    pub fn contains(&self, minor: Minor) -> bool {
        self.minors().any(|supported| supported == minor)
    }

    /// Every minor, ascending.
    pub fn minors(&self) -> impl Iterator<Item = Minor> {
        iter::once(self.first).chain(self.others.iter().copied())
    }

    /// The parts without a hole in them, each as its first and its last minor.
    #[must_use]
    pub fn parts(&self) -> Vec<(Minor, Minor)> {
        let mut parts: Vec<(Minor, Minor)> = Vec::new();
        for minor in self.minors() {
            match parts.last_mut() {
                Some((_, last)) if last.major == minor.major && last.minor + 1 == minor.minor => {
                    *last = minor;
                }
                _ => parts.push((minor, minor)),
            }
        }
        parts
    }
}

/// Displays as `1.16 to 1.30`, and with a hole as `1.16, 1.18 to 1.27`.
impl fmt::Display for Supported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.parts().into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first} to {last}")?;
            }
        }
        Ok(())
    }
}
