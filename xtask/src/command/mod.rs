//! The subcommands: one thin file each, which puts the stages together.

mod check;
mod check_chart;
mod dist;
mod docs;
mod explain_rule;
mod r#gen;
mod images;
mod new_release;
mod select;
mod why;

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use crate::cli::{Cli, Command, MessageFormat};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::quote::shell_word;
use crate::suggest;
use crate::text;

/// Why a command failed: what it prints behind `error: `, with its fix. Ends in exit status 1.
pub type Failure = String;

/// Runs a command, or says what is wrong with the command line; says on stderr why it failed.
#[must_use]
pub fn run(cli: Result<Cli, clap::Error>) -> ExitCode {
    let outcome = match cli {
        Ok(cli) => act(&cli),
        Err(error) if error.use_stderr() => {
            // It fails, whether or not anybody reads why.
            let _ = complain(&with_suggestion(error).to_string());
            return ExitCode::from(2);
        }
        Err(help) => print(&help.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = complain(&format!("error: {}\n", text::visible(&failure)));
            ExitCode::FAILURE
        }
    }
}

fn act(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Gen(arguments) => r#gen::run(arguments),
        Command::Dist(arguments) => dist::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::CheckChart(arguments) => check_chart::run(arguments),
        Command::NewRelease(arguments) => new_release::run(arguments),
        Command::ExplainRule(arguments) => explain_rule::run(arguments),
        Command::Images(arguments) => images::run(arguments),
        Command::Why(arguments) => why::run(arguments),
        Command::Docs(arguments) => docs::run(arguments),
    }
}

/// A wrong command with the one that it may have been meant to be. What clap finds alike it has
/// offered already; of three letters, none that change places.
fn with_suggestion(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let cli = Cli::command();
        let known = cli
            .get_subcommands()
            .map(|known| known.get_name().to_owned());
        let near = suggest::near(wrong, known);
        if !near.is_empty() {
            error.insert(
                ContextKind::SuggestedSubcommand,
                ContextValue::Strings(near),
            );
        }
    }
    error
}

/// A command as somebody types it again, with the options that were given.
fn again(command: &str, options: &[String]) -> String {
    format!("cargo xtask {command}{}", options.concat())
}

/// An option with each of its values, as somebody types them.
fn options<T: ToString>(name: &str, values: impl IntoIterator<Item = T>) -> String {
    let values = values.into_iter();
    let words = values.map(|value| format!(" {name} {}", shell_word(&value.to_string())));
    words.collect()
}

/// Shows findings: to people on stderr, to programs as a result.
fn report(format: MessageFormat, source: &Source, findings: &[Diagnostic]) -> Result<(), Failure> {
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

/// Prints a result.
fn print(result: &str) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "this is the one way")]
    put(io::stdout().as_fd(), result)
        .map_err(|error| format!("cannot write to the standard output: {error}"))
}

/// Prints what is wrong, or doubtful.
fn complain(text: &str) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "this is the one way")]
    put(io::stderr().as_fd(), text)
        .map_err(|error| format!("cannot write to the standard error: {error}"))
}

/// Writes all of a text. The library's own streams keep a part of it to themselves, and do not mind
/// if they cannot be written to; who asked for the output does, and a pipeline would take an empty
/// file for the answer. A reader that has gone away (`| head`) has read enough.
fn put(stream: BorrowedFd<'_>, text: &str) -> io::Result<()> {
    let mut stream = File::from(stream.try_clone_to_owned()?);
    match stream.write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
