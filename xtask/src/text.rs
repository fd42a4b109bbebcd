//! Text as people see it: which characters make it show other than it is.
//!
//! A spec that has one is refused, because a review would not see what it says
//! (<https://trojansource.codes>). Where this tool quotes a text that may have one, it shows the
//! character's number instead.

/// Control characters, line and paragraph separators, what Unicode says may be ignored in display
/// (marks that change the direction of writing or take no room), and what is no character at all.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    let in_no_plane = u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c);
    c.is_control()
        || in_no_plane
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The places of a file's characters that nobody sees; line ends and tabs aside.
pub fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(at, c)| match c {
        '\n' | '\t' => false,
        '\r' => !text[at + 1..].starts_with('\n'),
        _ => is_invisible(*c),
    })
}

/// Whether a text has a Chinese character.
#[must_use]
pub fn has_han(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'))
}

/// What a version, or a path that has versions in it, sorts by: numbers as numbers, and a
/// pre-release before its release.
#[must_use]
pub fn version_order(text: &str) -> Vec<(u8, u64, &str)> {
    let mut order = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number);
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        order.push(match first {
            '-' => (0, 0, part),
            _ if is_number => (3, part.parse().unwrap_or(u64::MAX), part),
            _ => (2, 0, part),
        });
        rest = behind;
    }
    // The end: behind what starts with a hyphen, and before everything else.
    order.push((1, 0, ""));
    order
}

/// Where a text has a version: `4.5.0`, but not within `14.5.0` or `4.5.0.1`.
pub fn places_of_version<'t>(text: &'t str, version: &'t str) -> impl Iterator<Item = usize> + 't {
    let places = text.match_indices(version).map(|(start, _)| start);
    places.filter(move |start| {
        let (before, behind) = (&text[..*start], &text[start + version.len()..]);
        let is_digit = |c: char| c.is_ascii_digit();
        let longer_before = before.trim_end_matches('.').ends_with(is_digit);
        let longer_behind = behind.trim_start_matches('.').starts_with(is_digit);
        !longer_before && !longer_behind
    })
}

/// The text with a number for every character that is not to be seen; line feeds and tabs stay.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) && !matches!(c, '\n' | '\t') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The most bytes of a text that a message quotes.
const MOST_QUOTED: usize = 500;

/// A long text without its middle.
#[must_use]
pub fn shortened(text: String) -> String {
    if text.len() <= MOST_QUOTED {
        return text;
    }
    let start = text.floor_char_boundary(MOST_QUOTED / 2);
    let end = text.ceil_char_boundary(text.len() - MOST_QUOTED / 2);
    format!("{} … {}", &text[..start], &text[end..])
}
