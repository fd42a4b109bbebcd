//! The subcommands: one thin file each, which puts the stages together.

mod check;
mod check_chart;
mod dist;
mod docs;
mod explain_rule;
mod r#gen;
mod images;
mod select;
mod why;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::{Cli, Command, MessageFormat};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::text;

/// Why a command failed: what it prints behind `error: `, with its mend. Ends in exit status 1.
pub type Failure = String;

/// Runs a command; says on stderr why it failed.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let outcome = match &cli.command {
        Command::Gen(arguments) => r#gen::run(arguments),
        Command::Dist(arguments) => dist::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::CheckChart(arguments) => check_chart::run(arguments),
        Command::ExplainRule(arguments) => explain_rule::run(arguments),
        Command::Images(arguments) => images::run(arguments),
        Command::Why(arguments) => why::run(arguments),
        Command::Docs(arguments) => docs::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("error: {}\n", text::visible(&failure)));
            ExitCode::FAILURE
        }
    }
}

/// Shows findings: to people on stderr, to programs as a result.
fn report(format: MessageFormat, source: &Source, findings: &[Diagnostic]) {
    match format {
        MessageFormat::Human => complain(&diagnostic::render(source, findings)),
        MessageFormat::Json => print(&diagnostic::json(source, findings)),
    }
}

/// The folder that an argument gives, or else the repository's own of this name.
fn folder(given: Option<&PathBuf>, name: &str) -> PathBuf {
    given.cloned().unwrap_or_else(|| root().join(name))
}

/// The repository that cargo runs this in, or else the current folder.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    manifest
        .as_deref()
        .and_then(Path::parent)
        .map_or_else(PathBuf::new, |root| {
            // A path from here reads better in messages.
            let here = std::env::current_dir().unwrap_or_default();
            root.strip_prefix(here).unwrap_or(root).to_owned()
        })
}

/// Prints a result. A reader that has gone away (`| head`) is no failure of the command's.
fn print(result: &str) {
    let _ = std::io::stdout().write_all(result.as_bytes());
}

/// Prints what is wrong, and like a result does not mind if nobody can read it.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
