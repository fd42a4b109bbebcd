//! `cargo xtask images`: what a release needs on a Kubernetes version, for programs and shells.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Failure, folder, print, select};
use crate::cli::{Format, Images};
use crate::plan::{self, Plan};
use crate::validate;

/// The form of `images.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'p> {
    product: &'p str,
    release: &'p str,
    image_sets: Vec<ImageSet<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageSet<'p> {
    k8s_version: &'p str,
    images: Vec<&'p str>,
}

pub fn run(arguments: &Images) -> Result<(), Failure> {
    let specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let chosen = select::release(specs, arguments.release.as_ref())?;
    select::supported(std::slice::from_ref(&chosen), &arguments.kubernetes)?;
    let plan = plan::plan(&chosen.release);
    let wanted: Vec<_> = arguments
        .kubernetes
        .iter()
        .map(ToString::to_string)
        .collect();
    let image_sets = plan
        .plans
        .iter()
        .filter(|plan| wanted.contains(&plan.kubernetes))
        .map(image_set)
        .collect();
    let document = Document {
        product: &plan.release.product,
        release: &plan.release.version,
        image_sets,
    };
    print(&match arguments.format {
        Format::Text => text(&document),
        // Strings and lists, all of which JSON has.
        Format::Json => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
    })
}

fn image_set(plan: &Plan) -> ImageSet<'_> {
    ImageSet {
        k8s_version: &plan.kubernetes,
        images: plan
            .images
            .iter()
            .map(|image| image.reference.as_str())
            .collect(),
    }
}

/// What `images.txt` holds; of several versions, every image that any of them needs.
fn text(document: &Document<'_>) -> String {
    let images = document.image_sets.iter().flat_map(|set| &set.images);
    let sorted: BTreeSet<_> = images.collect();
    sorted.into_iter().flat_map(|image| [image, "\n"]).collect()
}
