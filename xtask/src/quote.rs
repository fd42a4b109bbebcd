//! How a value is written into each kind of file, so that it can be nothing but that value.
//!
//! The kind of file decides, never the author of a template: an expression is quoted whether or
//! not anybody thought of it.

use serde::Deserialize;
use serde_json::Value;

/// How an expression is quoted: the kind of file decides, not the template's author.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Quoting {
    /// Lines of validated text, nothing quoted.
    Text,
    /// A JSON string.
    Json,
    /// A double-quoted YAML scalar.
    Yaml,
    /// One word of a POSIX shell.
    Shell,
    /// Markdown text.
    Markdown,
}

/// Writes a text the way a plain `{{expression}}` of this kind of file does.
#[must_use]
pub fn quote(quoting: Quoting, text: &str) -> String {
    match quoting {
        Quoting::Text => text.to_owned(),
        // A JSON string is a double-quoted YAML scalar too: never a number, a boolean or a date.
        Quoting::Json | Quoting::Yaml => Value::from(text).to_string(),
        Quoting::Shell => shell(text),
        Quoting::Markdown => markdown(text),
    }
}

/// One word of a POSIX shell: between single quotes nothing is special but the single quote.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One word of a shell command that a person reads: quoted only where it has to be.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-=".contains(c);
    if !text.is_empty() && !text.starts_with(['-', '=']) && text.chars().all(plain) {
        text.to_owned()
    } else {
        shell(text)
    }
}

/// Running text of Markdown (`CommonMark` and GitHub's tables): what could start anything else is
/// escaped by a backslash.
fn markdown(text: &str) -> String {
    // Most texts are names and versions, in which nothing is special.
    let plain =
        |c: u8| c.is_ascii_alphanumeric() || matches!(c, b' ' | b'.' | b',' | b'-' | b'/' | b':');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && text.bytes().all(plain) && !text.contains("--") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside_word =
            previous.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        let active = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '&' | '~' | '{' | '}' | '$' => true,
            '_' => !inside_word,
            // At the start of a line these would open a heading, a list or a quotation.
            '#' | '+' | '=' => out.is_empty(),
            // And a site may make a dash of two hyphens, which are how an option starts.
            '-' => out.is_empty() || previous == '-',
            '.' | ')' => {
                let number = !out.is_empty() && out.chars().all(|c| c.is_ascii_digit());
                number && rest.peek().is_none_or(|next| next.is_whitespace())
            }
            _ => false,
        };
        if active {
            out.push('\\');
        }
        out.push(c);
        previous = c;
    }
    out
}

/// A code span of Markdown.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    // A brace could open what a site generator takes for its own, before it reads Markdown.
    if text.contains(['`', '|', '\\', '<', '&', '{'])
        || text.starts_with(' ')
        || text.ends_with(' ')
    {
        let mut out = String::from("<code>");
        for c in text.chars() {
            if c.is_ascii_punctuation() {
                out.push_str(&format!("&#{};", u32::from(c)));
            } else {
                out.push(c);
            }
        }
        out.push_str("</code>");
        out
    } else {
        format!("`{text}`")
    }
}

/// What YAML 1.1 reads as a boolean or as nothing.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A key of a YAML mapping: plain where it cannot be read as anything but a string.
#[must_use]
pub fn yaml_key(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if word && !RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quote(Quoting::Yaml, text)
    }
}

/// Text that cannot end the comment of one line that it stands in.
#[must_use]
pub fn comment(quoting: Quoting, text: &str) -> String {
    let line = text.replace(
        |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}',
        " ",
    );
    if quoting != Quoting::Markdown {
        return line;
    }
    // Two hyphens could end a comment of HTML. Elsewhere they are how an option starts.
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if c == '-' && out.ends_with('-') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Whole comment lines (`# ...`), wrapped at `width` columns behind the indent.
#[must_use]
pub fn comment_lines(quoting: Quoting, text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in comment(quoting, text).split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(&format!("{indent}# {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&format!("{indent}# {line}\n"));
    out
}
