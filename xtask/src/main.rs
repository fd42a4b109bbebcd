//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    xtask::command::run(xtask::cli::Cli::try_parse())
}
