//! `cargo xtask check`: load every spec and show what is wrong with it, without rendering.

use super::{Failure, folder, print, report};
use crate::cli::{Check, Deny, MessageFormat};
use crate::diagnostic::count;
use crate::validate;

pub fn run(arguments: &Check) -> Result<(), Failure> {
    let mut specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    validate::say_once(&mut specs);
    let (mut errors, mut warnings) = (0, 0);
    for spec in &specs {
        report(arguments.message_format, &spec.source, &spec.findings)?;
        let of_spec = spec
            .findings
            .iter()
            .filter(|finding| finding.is_error())
            .count();
        errors += of_spec;
        warnings += spec.findings.len() - of_spec;
    }
    let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    if errors > 0 || (warnings > 0 && arguments.deny == Some(Deny::Warnings)) {
        return Err(format!(
            "{found}\nhelp: `cargo xtask explain-rule CODE` says what a code in brackets is for"
        ));
    }
    match arguments.message_format {
        MessageFormat::Human => print(&format!("{}: {found}\n", count(specs.len(), "spec"))),
        MessageFormat::Json => Ok(()),
    }
}
