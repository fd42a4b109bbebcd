//! `cargo xtask dist`: load, plan and render as `gen` does, pack, and then write or compare.

use std::path::Path;

use super::{Failure, again, folder, options, print, select};
use crate::cli::Dist;
use crate::kit::{self, Assets};
use crate::plan;
use crate::publish::{self, Fault};
use crate::render::Renderer;
use crate::target;
use crate::text::visible;
use crate::tree::Form;
use crate::validate;

pub fn run(arguments: &Dist) -> Result<(), Failure> {
    let targets = target::load(&folder(arguments.templates.as_ref(), "templates"))?;
    let specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let releases = select::releases(specs, &arguments.releases)?;
    select::supported(&releases, &arguments.kubernetes)?;
    let wanted: Vec<_> = arguments
        .kubernetes
        .iter()
        .map(ToString::to_string)
        .collect();
    let wanted = (!wanted.is_empty()).then_some(wanted.as_slice());
    let renderer = Renderer::new(&targets)?;
    let mut trees = Vec::new();
    for release in &releases {
        trees.push(renderer.render(&plan::plan(&release.release), wanted, Form::Kit)?);
    }
    let assets = kit::assets(&trees)?;
    match &arguments.check {
        Some(folder) => check(folder, &assets, arguments),
        None => write(&folder(arguments.out.as_ref(), "dist"), &assets),
    }
}

fn write(out: &Path, assets: &Assets) -> Result<(), Failure> {
    publish::write(out, assets)?;
    print(&format!("{}: {} files\n", out.display(), assets.len()))
}

fn check(folder: &Path, assets: &Assets, arguments: &Dist) -> Result<(), Failure> {
    let faults = publish::compare(folder, assets)?;
    if faults.is_empty() {
        let (folder, count) = (folder.display(), assets.len());
        return print(&format!("{folder}: {count} files are what the spec says\n"));
    }
    for (name, fault) in &faults {
        let word = match fault {
            Fault::Missing => "missing",
            Fault::Foreign => "foreign",
            Fault::Damaged => "damaged",
            Fault::Stale => "stale",
        };
        let line = format!("{word}: {}\n", folder.join(name).display());
        print(&visible(&line))?;
    }
    let again = again(
        "dist",
        &[
            options("--release", &arguments.releases),
            options("--kubernetes", &arguments.kubernetes),
            options("--spec", arguments.spec.iter().map(|path| path.display())),
            options(
                "--templates",
                arguments.templates.iter().map(|path| path.display()),
            ),
        ],
    );
    Err(format!(
        "{} is not what the spec says\nhelp: publish what `{again}` writes, from the same commit and \
         with the same `--release` and `--kubernetes`",
        folder.display()
    ))
}
