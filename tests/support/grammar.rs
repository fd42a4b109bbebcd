//! The published grammar of image references, once more and in another way: as one regular
//! expression. What `xtask::image` makes of a text is held against it.
//! <https://pkg.go.dev/github.com/distribution/reference>

use std::sync::LazyLock;

use regex_lite::Regex;

/// A reference's host, path, tag and digest.
pub type Parts<'t> = (Option<&'t str>, &'t str, Option<&'t str>, Option<&'t str>);

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?");
    let element = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    // Of all digests that the grammar has, the algorithms that are registered.
    let digest = "sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}";
    let text = format!("^({host})/({element}(?:/{element})*)(?::({tag}))?(?:@({digest}))?$");
    Regex::new(&text).expect("a regular expression")
});

/// The parts of a text that is a reference in its strict form, or a short name.
pub fn parts(text: &str) -> Option<Parts<'_>> {
    let names_a_host = |first: &str| {
        first == "localhost" || first.contains(['.', ':']) || first != first.to_lowercase()
    };
    let (host, rest) = match text.split_once('/') {
        Some((first, rest)) if names_a_host(first) => (Some(first), rest),
        _ => (None, text),
    };
    let folder = if rest.contains('/') { "" } else { "library/" };
    let whole = match host {
        None | Some("docker.io" | "index.docker.io") => format!("docker.io/{folder}{rest}"),
        Some(host) => format!("{host}/{rest}"),
    };
    let found = REFERENCE.captures(&whole)?;
    let part = |number| found.get(number).map(|part| part.as_str());
    let name = part(1)?.len() + 1 + part(2)?.len();
    let is_id = text.len() == 64 && !text.contains(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
    if name > 255 || is_id || host.is_some() && whole != text {
        return None;
    }
    // The same parts, of the text as it was written.
    let digest = part(4).map(|part| &text[text.len() - part.len()..]);
    let named = &text[..text.len() - digest.map_or(0, |digest| digest.len() + 1)];
    let tag = part(3).map(|part| &named[named.len() - part.len()..]);
    let name = &named[..named.len() - tag.map_or(0, |tag| tag.len() + 1)];
    let path = &name[host.map_or(0, |host| host.len() + 1)..];
    Some((host, path, tag, digest))
}
