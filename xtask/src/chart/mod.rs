//! A Helm chart's folder: what its authors say of it and its default values, with places.
//!
//! [`yaml`] reads, [`check()`] holds a chart against a release by the rules of
//! [`crate::rules::chart`]. The templates of a chart are not read.

mod about;
mod check;
mod constraint;
mod images;
mod yaml;

use std::path::{Path, PathBuf};

pub use check::check;
pub use constraint::Constraint;

use crate::diagnostic::Source;

/// A chart, as far as it is looked at.
#[derive(Debug)]
pub struct Chart {
    /// Its folder.
    pub folder: PathBuf,
    /// `Chart.yaml`.
    pub about: Source,
    /// `values.yaml`.
    pub values: Source,
}

impl Chart {
    /// Reads the two files of a chart.
    ///
    /// # Errors
    /// When the folder is no chart's, or a file of it cannot be read or is not UTF-8.
    pub fn load(folder: &Path) -> Result<Self, String> {
        if !folder.join("Chart.yaml").exists() {
            return Err(format!(
                "{} is no Helm chart: it has no Chart.yaml\nhelp: name the folder of an unpacked \
                 chart",
                folder.display()
            ));
        }
        Ok(Self {
            about: read(&folder.join("Chart.yaml"))?,
            values: read(&folder.join("values.yaml"))?,
            folder: folder.to_owned(),
        })
    }
}

fn read(path: &Path) -> Result<Source, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read {shown}: {error}");
    // A device or a pipe may never end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(format!("cannot read {shown}: it is no file"));
    }
    let text = String::from_utf8(std::fs::read(path).map_err(failed)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{shown} is not UTF-8 at byte {at}; save it as UTF-8")
    })?;
    Ok(Source {
        path: shown.to_string(),
        text,
    })
}
