//! Why a text that somebody wrote is not what it should be, and what to write instead.

use std::fmt;

/// What is wrong with a text and how to correct it, which stay apart until somebody prints them: either
/// may quote the text, whatever that says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// A sentence without its subject: "is not a Kubernetes version".
    pub wrong: String,
    /// What to write: "write `v1.28`".
    pub help: String,
}

impl ParseError {
    /// An error of these two parts.
    pub fn new(wrong: impl Into<String>, help: impl Into<String>) -> Self {
        let (wrong, help) = (wrong.into(), help.into());
        Self { wrong, help }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.wrong, self.help)
    }
}

impl std::error::Error for ParseError {}
