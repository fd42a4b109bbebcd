//! `cargo xtask explain-rule`: what a rule is for.

use super::{Failure, print};
use crate::cli::ExplainRule;
use crate::rules;
use crate::suggest::did_you_mean;

/// The width of the paragraph.
const WIDTH: usize = 80;

pub fn run(arguments: &ExplainRule) -> Result<(), Failure> {
    let Some(rule) = rules::find(&arguments.code) else {
        let codes = || rules::all().into_iter().map(|rule| rule.code.to_owned());
        let help = did_you_mean(&arguments.code, codes()).unwrap_or_else(|| {
            let mut codes: Vec<_> = codes().collect();
            codes.sort_unstable();
            format!("the rules are\n  {}", codes.join("\n  "))
        });
        return Err(format!(
            "there is no rule `{}`\nhelp: {help}",
            arguments.code
        ));
    };
    let (severity, code) = (rule.severity.name(), rule.code);
    let mut text = format!("{severity}[{code}]: {}\n", rule.summary);
    let mut column = 0;
    for word in rule.explanation.split_whitespace() {
        let width = word.chars().count();
        if column == 0 || column + 1 + width > WIDTH {
            text.push('\n');
            column = 0;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
    print(&text)
}
