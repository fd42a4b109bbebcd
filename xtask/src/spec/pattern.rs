//! Texts with parts in braces that each release, image or architecture fills in: `huawei-csi:{release}`.

use crate::parse_error::ParseError;

/// Fills in the parts of a pattern, of which it knows the names and the values.
///
/// # Errors
/// When the pattern has another part, or a brace alone.
pub fn fill(pattern: &str, parts: &[(&str, &str)]) -> Result<String, ParseError> {
    let known = || {
        let names: Vec<_> = parts
            .iter()
            .map(|(name, _)| format!("`{{{name}}}`"))
            .collect();
        names.join(", ")
    };
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(brace);
        filled.push_str(before);
        let end = behind.find('}').filter(|_| behind.starts_with('{'));
        let Some(end) = end else {
            return Err(ParseError::new(
                "has a brace that belongs to no part",
                format!("write a part as one of {}", known()),
            ));
        };
        let name = &behind[1..end];
        let Some((_, value)) = parts.iter().find(|(known, _)| *known == name) else {
            return Err(ParseError::new(
                format!("has the unknown part `{{{name}}}`"),
                format!("write one of {}", known()),
            ));
        };
        filled.push_str(value);
        rest = &behind[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}
