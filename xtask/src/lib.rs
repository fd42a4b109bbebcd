//! image-table: one table of container images, and everything that is generated from it.
//!
//! ```text
//! spec/*/*.toml --load--> raw --validate--> model --plan--> plans --render--> tree --emit--> generated/
//! ```
//!
//! One direction, one stage a module, and a module imports only what is to its left: [`spec`] reads,
//! [`rules`] judge, [`validate`] puts the two together, [`plan`] decides, [`render`] writes down what was
//! decided with the [`target`]s' templates and [`quote`]s it, into a [`tree`] in memory; [`emit`] alone
//! writes that to the disk, [`beneath`] the output folder and nowhere else. What a release publishes is a
//! tree too: [`kit`] packs it, [`publish`] writes the packed files, and [`whole`] replaces a folder as a
//! whole. [`schema`] is the format of a spec for editors and people, [`site`] the source of the published
//! pages.
//!
//! The words that all of them share: [`kubernetes`], [`image`], [`layout`], [`text`] (what a person can see
//! of one), [`read`] (how any file is read), [`diagnostic`] (how a spec's errors look) and [`suggest`]
//! (what a misspelt name may have meant), [`parse_error`] (why a text is none of a grammar). [`cli`] and [`command`] are the way in. Beside the line of
//! stages, [`chart`] holds a Helm chart against a release.

#![warn(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

pub mod beneath;
pub mod chart;
pub mod cli;
pub mod command;
pub mod diagnostic;
pub mod emit;
pub mod image;
pub mod kit;
pub mod kubernetes;
pub mod layout;
pub mod parse_error;
pub mod plan;
pub mod publish;
pub mod quote;
pub mod read;
pub mod render;
pub mod rules;
pub mod schema;
pub mod site;
pub mod spec;
pub mod suggest;
pub mod target;
pub mod text;
pub mod tree;
pub mod validate;
pub mod whole;
