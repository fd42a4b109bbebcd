//! The command line: what can be said, and nothing of what is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::kubernetes::{self, Minor};

/// One table of container images, and everything that is generated from it.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write the generated files of every release, or see whether they are what the spec says
    ///
    /// Exit status: 0 done; 1 drift, a refused spec, a version outside the supported range or a
    /// failed step; 2 wrong usage.
    Gen(Gen),
}

/// The arguments of `gen`.
#[derive(Args, Debug)]
pub struct Gen {
    /// Write nothing; list what is stale, missing, orphaned or foreign, and fail if anything is
    #[arg(long)]
    pub check: bool,
    /// Only this release; may be repeated [default: all]
    #[arg(long = "release", value_name = "[PRODUCT/]RELEASE")]
    pub releases: Vec<String>,
    /// Only the folders of this Kubernetes version, as `kubectl version` prints it (v1.28.5+k3s1,
    /// 1.28); may be repeated [default: all supported ones]
    #[arg(long = "kubernetes", value_name = "VERSION", value_parser = minor)]
    pub kubernetes: Vec<Minor>,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
    /// The folder of the targets [default: templates]
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
    /// The folder to write to [default: generated]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn minor(text: &str) -> Result<Minor, kubernetes::ParseError> {
    Minor::of_version(text)
}
