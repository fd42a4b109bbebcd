//! `cargo xtask explain-rule`: what a rule is for.

use super::{Failure, print};
use crate::cli::ExplainRule;
use crate::{chart, rules};

/// The width of the paragraph.
const WIDTH: usize = 80;

pub fn run(arguments: &ExplainRule) -> Result<(), Failure> {
    let known = rules::RULES.iter().chain(chart::RULES);
    let Some(rule) = known.clone().find(|rule| rule.code == arguments.code) else {
        let codes: Vec<_> = known.map(|rule| rule.code).collect();
        return Err(format!(
            "there is no rule `{}`\nhelp: the rules are {}",
            arguments.code,
            codes.join(", ")
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
    print(&text);
    Ok(())
}
