//! The command line: what can be said, and nothing of what is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::kubernetes::Minor;
use crate::parse_error::ParseError;

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
    /// Write what a release publishes: kits for operators, lists, checksums; or see whether a
    /// published folder is whole and right
    ///
    /// Exit status: 0 done; 1 a published folder that is not what the spec says, a refused spec, a
    /// version outside the supported range or a failed step; 2 wrong usage.
    Dist(Dist),
    /// Look for what is wrong with the specs, and write nothing
    ///
    /// Exit status: 0 nothing is wrong; 1 a spec is refused, or with --deny warnings doubted; 2
    /// wrong usage.
    Check(Check),
    /// Hold a Helm chart's folder against the table: its keys, its images and its defaults
    ///
    /// Exit status: 0 the chart fits; 1 it does not, or could not be read, a refused spec or a
    /// release that is not there; 2 wrong usage.
    CheckChart(CheckChart),
    /// Start the table of a new release, as a copy of another one's
    ///
    /// Exit status: 0 done; 1 the new release is there already or is not newer, a refused spec, a
    /// release that is not there or a failed step; 2 wrong usage.
    NewRelease(NewRelease),
    /// Say what a rule is for, by the code that a finding shows in brackets
    ///
    /// Exit status: 0 done; 1 there is no such rule; 2 wrong usage.
    ExplainRule(ExplainRule),
    /// Print the images that a release needs on a Kubernetes version
    ///
    /// Exit status: 0 done; 1 a refused spec, a release that is not there or a version outside the
    /// supported range; 2 wrong usage.
    Images(Images),
    /// Say why an image or a component is there, or is not: its rows, versions and files
    ///
    /// Exit status: 0 done; 1 nothing of that name, a refused spec, a release that is not there or
    /// a version outside the supported range; 2 wrong usage.
    Why(Why),
    /// Build the pages as a static site, with Hugo
    ///
    /// The site opens from a web server and from a folder alike, and asks nothing of any other
    /// host. Exit status: 0 done; 1 a spec is refused, or a failed step; 2 wrong usage.
    Docs(Docs),
}

/// The arguments of `docs`.
#[derive(Args, Debug)]
pub struct Docs {
    /// The folder to write the site to, anew [default: target/site]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the pages to DIR/content too, as a Hugo site of one's own takes them
    #[arg(long, value_name = "DIR")]
    pub stage: Option<PathBuf>,
    /// Only this release; may be repeated [default: all]
    #[arg(long = "release", value_name = "[PRODUCT/]RELEASE")]
    pub releases: Vec<String>,
    /// Hugo, 0.158 or later
    #[arg(long, value_name = "PROGRAM", default_value = "hugo")]
    pub hugo: PathBuf,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
    /// The folder of the targets [default: templates]
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

/// The arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Fail on warnings too, unless the spec acknowledges them
    #[arg(long, value_name = "WHAT")]
    pub deny: Option<Deny>,
    /// Findings for people on stderr, or for programs on stdout, a JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
}

/// What is no longer accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Warnings.
    Warnings,
}

/// For whom findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// The arguments of `new-release`.
#[derive(Args, Debug)]
pub struct NewRelease {
    /// The release to start from, mostly the one before
    #[arg(value_name = "[PRODUCT/]FROM")]
    pub from: String,
    /// The new release's version
    #[arg(value_name = "TO")]
    pub to: String,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
}

/// The arguments of `explain-rule`.
#[derive(Args, Debug)]
pub struct ExplainRule {
    /// The rule's code, such as `overlap`
    #[arg(value_name = "CODE")]
    pub code: String,
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

/// The arguments of `images`.
#[derive(Args, Debug)]
pub struct Images {
    /// The release [default: the newest, where there is one product]
    #[arg(long, value_name = "[PRODUCT/]RELEASE")]
    pub release: Option<String>,
    /// The Kubernetes version, as `kubectl version` prints it (v1.28.5+k3s1, 1.28); may be
    /// repeated
    #[arg(long = "kubernetes", value_name = "VERSION", required = true, value_parser = minor)]
    pub kubernetes: Vec<Minor>,
    /// What to print: one reference a line, or an object of the form of images.json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
}

/// How `images` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// One reference a line, sorted, each once
    Text,
    /// The images of each version, in the form of images.json
    Json,
}

/// The arguments of `why`.
#[derive(Args, Debug)]
pub struct Why {
    /// A component, a container or an image; an image may lack its host, its folders and its tag
    #[arg(value_name = "IMAGE-OR-COMPONENT")]
    pub name: String,
    /// The release [default: the newest, where there is one product]
    #[arg(long, value_name = "[PRODUCT/]RELEASE")]
    pub release: Option<String>,
    /// On this Kubernetes version alone, as `kubectl version` prints it (v1.28.5+k3s1, 1.28)
    /// [default: all supported ones]
    #[arg(long, value_name = "VERSION", value_parser = minor)]
    pub kubernetes: Option<Minor>,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
    /// The folder of the targets [default: templates]
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

/// The arguments of `dist`.
#[derive(Args, Debug)]
pub struct Dist {
    /// Write nothing; list what of this folder is missing, foreign, damaged or stale, and fail if
    /// anything is
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub check: Option<PathBuf>,
    /// Only this release; may be repeated [default: all]
    #[arg(long = "release", value_name = "[PRODUCT/]RELEASE")]
    pub releases: Vec<String>,
    /// Only the kit of this Kubernetes version, as `kubectl version` prints it (v1.28.5+k3s1,
    /// 1.28), without the one of all versions; may be repeated [default: all supported ones]
    #[arg(long = "kubernetes", value_name = "VERSION", value_parser = minor)]
    pub kubernetes: Vec<Minor>,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
    /// The folder of the targets [default: templates]
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
    /// The folder to write, which is replaced as a whole [default: dist]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The arguments of `check-chart`.
#[derive(Args, Debug)]
pub struct CheckChart {
    /// The chart's folder, which holds Chart.yaml and values.yaml
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The release [default: the one that the chart's `name` and `appVersion` say]
    #[arg(long, value_name = "[PRODUCT/]RELEASE")]
    pub release: Option<String>,
    /// Findings for people on stderr, or for programs on stdout, a JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// The folder of the specs [default: spec]
    #[arg(long, value_name = "DIR")]
    pub spec: Option<PathBuf>,
}

fn minor(text: &str) -> Result<Minor, ParseError> {
    Minor::of_version(text)
}
