//! The subcommands: one thin file each, which puts the stages together.

mod r#gen;

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
