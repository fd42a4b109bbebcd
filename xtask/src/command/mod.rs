//! The subcommands: one thin file each, which puts the stages together.

mod r#gen;

use std::io::Write;
use std::process::ExitCode;

use crate::cli::{Cli, Command};

/// Why a command failed: what it prints behind `error: `, with its mend. Ends in exit status 1.
pub type Failure = String;

/// Runs a command; says on stderr why it failed.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let outcome = match &cli.command {
        Command::Gen(arguments) => r#gen::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a result. A reader that has gone away (`| head`) is no failure of the command's.
fn print(result: &str) {
    let _ = std::io::stdout().write_all(result.as_bytes());
}
