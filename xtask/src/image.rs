//! Container image references, by the grammar of the distribution project's `reference` package
//! in its strict form: <https://pkg.go.dev/github.com/distribution/reference>.
//!
//! Strict means that a reference with a host is written the one way in which every engine stores
//! it. In two places this module is stricter than the package: the length of a name counts its
//! host, as engines in the field still count it; and what stands where a host does has to be one.
//!
//! This module knows nothing of the table: whether a reference may be short, or needs a tag, is
//! for the spec and its rules to say.

use std::fmt;

use crate::parse_error::ParseError;

/// The longest whole name (host and path together) that every engine admits.
const NAME_MOST: usize = 255;
/// The longest tag that the grammar admits.
const TAG_MOST: usize = 128;
/// The registry that a short name belongs to, and its folder for one without a folder.
const DEFAULT_HOST: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library";

/// A valid image reference: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`. Displays as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    text: String,
    /// Where the path starts: 0 when no host is named.
    path_start: usize,
    path_end: usize,
    /// Where the tag starts, which ends where the digest's `@` is.
    tag_start: Option<usize>,
    tag_end: usize,
}

fn refuse<T>(wrong: impl Into<String>, help: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::new(wrong, help))
}

impl ImageRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// When the text does not follow the grammar; the message names the offending part.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return refuse("is empty", "write `HOST/PATH:TAG`");
        }
        if let Some(scheme) = text.find("://") {
            return refuse(
                format!(
                    "starts with the scheme `{}`, which an image reference does not have",
                    &text[..scheme + 3]
                ),
                format!("write `{}`", &text[scheme + 3..]),
            );
        }
        // Only what is behind the last slash can be a digest or a tag; another colon is a port's.
        let last_slash = text.rfind('/').map_or(0, |slash| slash + 1);
        let tag_end = text[last_slash..]
            .find('@')
            .map_or(text.len(), |at| last_slash + at);
        if tag_end < text.len() {
            check_digest(&text[tag_end + 1..])?;
        }
        let named = &text[..tag_end];
        let tag_colon = named[last_slash..]
            .find(':')
            .map(|colon| last_slash + colon);
        let path_end = tag_colon.unwrap_or(tag_end);
        if let Some(colon) = tag_colon {
            check_tag(&named[colon + 1..])?;
        }
        let name = &named[..path_end];
        let path_start = match name.split_once('/') {
            Some((first, _)) if names_a_host(first) => {
                check_host(first)?;
                first.len() + 1
            }
            _ => 0,
        };
        for component in name[path_start..].split('/') {
            check_path_component(component, name, &text[path_end..])?;
        }
        let reference = Self {
            text: text.to_owned(),
            path_start,
            path_end,
            tag_start: tag_colon.map(|colon| colon + 1),
            tag_end,
        };
        reference.check_canonical()?;
        let length = reference.whole_name().len() - (text.len() - path_end);
        if length > NAME_MOST {
            return refuse(
                format!("has a name of {length} bytes with its host"),
                format!("write at most {NAME_MOST}"),
            );
        }
        Ok(reference)
    }

    /// What follows the grammar and is still not the one way to write it.
    fn check_canonical(&self) -> Result<(), ParseError> {
        if self.text.len() == 64 && self.text.bytes().all(is_lower_hex) {
            return refuse("is what an image's ID looks like", "write `HOST/PATH:TAG`");
        }
        let rest = &self.text[self.path_start..];
        let folder = if self.path().contains('/') {
            String::new()
        } else {
            format!("{DEFAULT_FOLDER}/")
        };
        match self.host() {
            Some("index.docker.io") => refuse(
                format!("names the old host of {DEFAULT_HOST}"),
                format!("write `{DEFAULT_HOST}/{folder}{rest}`"),
            ),
            Some(DEFAULT_HOST) if !folder.is_empty() => refuse(
                "leaves out a folder that every engine puts in",
                format!("write `{DEFAULT_HOST}/{folder}{rest}`"),
            ),
            _ => Ok(()),
        }
    }

    /// The parts that a pattern has in braces.
    pub const PARTS: [&str; 3] = ["registry", "path", "tag"];

    /// A pattern with the [parts](Self::PARTS) of this reference in it, of a short name as every engine
    /// completes it: `{registry}/{path}` is `docker.io/library/example`.
    #[must_use]
    pub fn put_into(&self, pattern: &str) -> String {
        let name = self.whole_name();
        let tag = self.tag().unwrap_or_default();
        let (registry, rest) = name.split_once('/').unwrap_or(("", &name));
        let path = rest.strip_suffix(tag).unwrap_or(rest).trim_end_matches(':');
        let parts = Self::PARTS.into_iter().zip([registry, path, tag]);
        parts.fold(pattern.to_owned(), |filled, (name, part)| {
            filled.replace(&format!("{{{name}}}"), part)
        })
    }

    /// The whole reference as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The registry's host, with its port if it has one; none in a short name.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.path_start.checked_sub(1).map(|end| &self.text[..end])
    }

    /// The repository's path in the registry: `sig-storage/csi-attacher`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.path_start..self.path_end]
    }

    /// The path's last element: `csi-attacher`.
    #[must_use]
    pub fn base_name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// What stands in front of the tag: `k8s.gcr.io/sig-storage/csi-attacher`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.text[..self.path_end]
    }

    /// The tag: `v3.4.0`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag_start.map(|start| &self.text[start..self.tag_end])
    }

    /// The digest: `sha256:...`.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.text.get(self.tag_end + 1..)
    }

    /// The whole name under which a container engine stores the image. A short name belongs to
    /// `docker.io`, and one without a folder to its `library`: `huawei-csi:4.5.0` is
    /// `docker.io/library/huawei-csi:4.5.0`.
    #[must_use]
    pub fn whole_name(&self) -> String {
        match self.host() {
            Some(_) => self.text.clone(),
            None if self.path().contains('/') => format!("{DEFAULT_HOST}/{}", self.text),
            None => format!("{DEFAULT_HOST}/{DEFAULT_FOLDER}/{}", self.text),
        }
    }

    /// The package URL of type `oci`, by which scanners and bills of materials name an image. A
    /// short name has no repository that it could be fetched from.
    #[must_use]
    pub fn purl(&self) -> String {
        let repository = match self.host() {
            // What is special in a query, which of a reference are the brackets of an IPv6 address.
            Some(_) => {
                let repository = self.repository().replace('[', "%5B").replace(']', "%5D");
                format!("repository_url={repository}&")
            }
            None => String::new(),
        };
        let tag = self.tag().unwrap_or_default();
        format!("pkg:oci/{}?{repository}tag={tag}", self.base_name())
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether the first of several path components is a host, by the rule that every engine follows.
fn names_a_host(component: &str) -> bool {
    component == "localhost"
        || component.contains(['.', ':'])
        || component.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn check_host(text: &str) -> Result<(), ParseError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                if address.is_empty()
                    || !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
                {
                    return refuse(
                        format!("has a malformed IPv6 address `[{address}]`"),
                        "write hex digits and colons in the brackets",
                    );
                }
                match port {
                    "" => return Ok(()),
                    _ => match port.strip_prefix(':') {
                        Some(port) => return check_port(port),
                        None => {
                            return refuse(
                                format!("has `{port}` behind its IPv6 address"),
                                format!("write a port as `[{address}]:5000`"),
                            );
                        }
                    },
                }
            }
            None => return refuse("has an IPv6 address without its closing `]`", "add it"),
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    for label in host.split('.') {
        let bytes = label.as_bytes();
        let inner = bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if !inner || !alphanumeric(bytes.first()) || !alphanumeric(bytes.last()) {
            return refuse(
                format!("has a malformed registry host `{host}`"),
                "write labels of letters, digits and inner hyphens, joined by dots",
            );
        }
    }
    port.map_or(Ok(()), check_port)
}

fn check_port(port: &str) -> Result<(), ParseError> {
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(
            format!("has a malformed port `{port}`"),
            "write digits, such as `:5000`",
        );
    }
    Ok(())
}

/// `[a-z0-9]+` runs, joined by one dot, one or two underscores, or any number of hyphens.
/// `name` is the whole name that it is in, and `behind` what follows that.
fn check_path_component(component: &str, name: &str, behind: &str) -> Result<(), ParseError> {
    if component.is_empty() {
        return refuse(
            format!("has an empty element in its path `{name}`"),
            "write one `/` only",
        );
    }
    if component.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return refuse(
            "has an upper-case letter in its path, which must be lower-case",
            format!("write `{}{behind}`", name.to_ascii_lowercase()),
        );
    }
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if let Some(odd) = component
        .chars()
        .find(|c| !(c.is_ascii() && (word(*c as u8) || "._-".contains(*c))))
    {
        return refuse(
            format!("has {odd:?} in its path"),
            "a path is of lower-case letters, digits, `.`, `_`, `-` and `/`",
        );
    }
    let separators = component.split(|c: char| word(c as u8));
    let sound = separators
        .clone()
        .all(|run| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|byte| byte == b'-'));
    let ends_in_words = component.bytes().next().is_some_and(word)
        && component.bytes().next_back().is_some_and(word);
    if !sound || !ends_in_words {
        return refuse(
            format!("has a malformed path element `{component}`"),
            "it starts and ends with a letter or digit, and between two of them stand one `.`, one or two `_`, or hyphens",
        );
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), ParseError> {
    if tag.is_empty() {
        return refuse(
            "ends in `:` without a tag",
            "write the image's version behind it",
        );
    }
    if tag.len() > TAG_MOST {
        return refuse(
            format!("has a tag of {} bytes", tag.len()),
            format!("write at most {TAG_MOST}"),
        );
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(odd) = tag.chars().find(|c| !(word(*c) || *c == '.' || *c == '-')) {
        return refuse(
            format!("has {odd:?} in its tag `{tag}`"),
            "a tag is of letters, digits, `_`, `.` and `-`",
        );
    }
    if !tag.starts_with(word) {
        return refuse(
            format!("has a tag `{tag}` that starts with `.` or `-`"),
            "start it with a letter, a digit or `_`",
        );
    }
    Ok(())
}

/// `ALGORITHM:HEX`, with the length that the two registered algorithms have.
fn check_digest(digest: &str) -> Result<(), ParseError> {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return refuse(
            format!("has a malformed digest `{digest}`"),
            "write `sha256:` and 64 hex digits",
        );
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => {
            return refuse(
                format!(
                    "has a digest by `{algorithm}`, which is not one of the algorithms `sha256`, `sha384`, `sha512`"
                ),
                "write one of these",
            );
        }
    };
    if hex.len() != length || !hex.bytes().all(is_lower_hex) {
        return refuse(
            format!(
                "has a digest that is not {length} lower-case hex digits behind `{algorithm}:`"
            ),
            "copy it whole",
        );
    }
    Ok(())
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
