//! `cargo xtask new-release`: the table of a new release, to start from, and what is left to do.
//!
//! A table names its release by `{release}`, so the start is the other table with another heading.

use std::io::ErrorKind;
use std::path::Path;

use super::select::{self, Chosen};
use super::{Failure, folder, options, print};
use crate::beneath::Beneath;
use crate::cli::NewRelease;
use crate::quote::shell_word;
use crate::spec::{VERSION, is_version};
use crate::text::{places_of_version, version_order};
use crate::validate;

pub fn run(arguments: &NewRelease) -> Result<(), Failure> {
    let specs = folder(arguments.spec.as_ref(), "spec");
    let mut chosen = select::releases(
        validate::load(&specs)?,
        std::slice::from_ref(&arguments.from),
    )?;
    if chosen.len() > 1 {
        let names = chosen.iter().map(|Chosen { release, .. }| {
            let (product, version) = (&release.product, &release.version);
            format!("{product}/{version}")
        });
        return Err(format!(
            "several products have a release {}\nhelp: choose one: {}",
            arguments.from,
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    // A release that is not there was refused.
    let Chosen { release, source } = chosen.remove(0);
    let (product, from, to) = (&release.product, &release.version, &arguments.to);
    if !is_version(to) {
        return Err(format!(
            "{to:?} cannot be a release's version\nhelp: write {VERSION}; the product is that of {from}"
        ));
    }
    if version_order(to) <= version_order(from) {
        return Err(format!(
            "{to} is not newer than {from}\nhelp: start from a release before {to}; of two numbers the \
             greater one is newer, so 4.10.0 comes after 4.9.0"
        ));
    }
    create(
        &specs.join(product),
        to,
        &with_heading(source.text(), from, to),
    )?;
    let path = specs.join(product).join(format!("{to}.toml"));
    let of_specs = options("--spec", arguments.spec.iter().map(|path| path.display()));
    let one = shell_word(&format!("{product}/{to}"));
    print(&format!(
        "{}: written, a copy of {from}\n\
         next:\n\
         - hold every row, `kubernetes` and `architectures` against the vendor's table of {to}\n\
         - in {}, end what {to} no longer has by `before = \"{to}\"`, and begin what is new by `since = \"{to}\"`\n\
         - cargo xtask check --deny warnings{of_specs}\n\
         - cargo xtask check-chart PATH/TO/CHART --release {one}{of_specs}\n\
         - cargo xtask gen{of_specs}, and commit what it writes with the table\n",
        path.display(),
        path.with_file_name("product.toml").display(),
    ))
}

/// Writes the table of a release that is not there yet.
fn create(product: &Path, version: &str, text: &str) -> Result<(), Failure> {
    let name = format!("{version}.toml");
    let path = product.join(&name);
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let disk = Beneath::open(product).map_err(failed)?;
    // Beside its place first, so that there is never half of it.
    let staged = format!(".{name}.new");
    let created = disk.create(&staged, text.as_bytes(), 0o644);
    created.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let staged = product.join(&staged);
            return format!(
                "{} is in the way\nhelp: delete it; a run that was killed has left it",
                staged.display()
            );
        }
        let _ = disk.remove_file(&staged);
        failed(error)
    })?;
    disk.place(&staged, &name).map_err(|error| {
        let _ = disk.remove_file(&staged);
        if error.kind() == ErrorKind::AlreadyExists {
            return format!(
                "{} is already there\nhelp: edit it, or delete it first",
                path.display()
            );
        }
        failed(error)
    })
}

/// The text of a table with another version in the comments at its top. What is said further down of a
/// version stays true.
fn with_heading(text: &str, from: &str, to: &str) -> String {
    let is_heading = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let lines = text.split_inclusive('\n');
    let length = lines.take_while(is_heading).map(str::len).sum();
    let (heading, rest) = text.split_at(length);
    let mut out = String::new();
    let mut copied = 0;
    // 4.1.0-rc1 is another version.
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    let places = places_of_version(heading, from);
    for at in places.filter(|at| !heading[at + from.len()..].starts_with(goes_on)) {
        out.push_str(&heading[copied..at]);
        out.push_str(to);
        copied = at + from.len();
    }
    out.push_str(&heading[copied..]);
    out + rest
}
