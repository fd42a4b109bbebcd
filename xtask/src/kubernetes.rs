//! Kubernetes minor versions and the requirements that a table puts on them.
//!
//! Everything here compares parsed numbers. A version is never compared as text (`1.9` would
//! sort after `1.16`) nor as a float (`1.30` would read as `1.3`).

use std::fmt;

/// A Kubernetes minor version, such as 1.16. Displays as `1.16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor {
    major: u16,
    minor: u16,
}

/// Text that is no Kubernetes version, or no requirement. Displays as a sentence without its
/// subject: "is not a Kubernetes version ...".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

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
            ParseError(format!(
                "is not a Kubernetes version; {}write what `kubectl version` prints for the \
                 server, such as `v1.28.5` or `1.28`",
                near.unwrap_or_default()
            ))
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
                return ParseError(format!(
                    "is a range that ends before it starts; write `{last}-{first}`"
                ));
            }
            ParseError(
                "is not a Kubernetes requirement; write `v1.17+` (this minor and later ones), \
                 `v1.16.x` (this minor alone) or `v1.17-v1.19` (a closed range)"
                    .to_owned(),
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

/// The minors that a release supports: the upper bound of every `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: Minor,
    last: Minor,
}

impl Range {
    /// The most minors that one release may support; a bound on what a typo can make the tool do.
    const MOST: u16 = 100;

    /// Reads `v1.16-v1.30`.
    ///
    /// # Errors
    /// When the text is no closed range, spans two majors, or more than 100 minors.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let example = "write its first and its last minor, such as `v1.16-v1.30`";
        match Requirement::read(text) {
            Some(Requirement::Between(first, last))
                if first.major == last.major && last.minor - first.minor < Self::MOST =>
            {
                Ok(Self { first, last })
            }
            Some(Requirement::Between(..)) => Err(ParseError(format!(
                "is too wide; a release supports minors of one major version, at most {} of them",
                Self::MOST
            ))),
            Some(Requirement::From(_)) => Err(ParseError(format!(
                "leaves the supported range open; {example}"
            ))),
            Some(Requirement::Only(_)) | None => Err(ParseError(format!(
                "is not a range of Kubernetes minors; {example}"
            ))),
        }
    }

    /// The first minor supported.
    #[must_use]
    pub fn first(self) -> Minor {
        self.first
    }

    /// The last minor supported.
    #[must_use]
    pub fn last(self) -> Minor {
        self.last
    }

    /// Whether the release supports `minor`.
    #[must_use]
    pub fn contains(self, minor: Minor) -> bool {
        self.first <= minor && minor <= self.last
    }

    /// Every minor of the range, ascending.
    pub fn minors(self) -> impl Iterator<Item = Minor> {
        (self.first.minor..=self.last.minor).map(move |minor| Minor::new(self.first.major, minor))
    }
}

/// Displays as `1.16 to 1.30`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}
