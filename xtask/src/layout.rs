//! The layouts of a mirror: where an image lands in it, behind the mirror's own address. Decided here
//! alone; scripts, values and pages put the address in front.

use crate::image::ImageRef;

/// An image's destination in the layout scoped: what `skopeo sync --scoped` makes of it. The vendor's
/// guide puts its own images, which name no registry, at the top.
#[must_use]
pub fn scoped(reference: &ImageRef) -> String {
    match reference.host() {
        Some(_) => reference.to_string(),
        None => flat(reference),
    }
}

/// An image's destination in the layout flat: what `skopeo sync` makes of it.
#[must_use]
pub fn flat(reference: &ImageRef) -> String {
    let tag = reference.tag().unwrap_or_default();
    format!("{}:{tag}", reference.base_name())
}
