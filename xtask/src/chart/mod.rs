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
use crate::read;
use crate::whole::at;

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
            about: source(&folder.join("Chart.yaml"))?,
            values: source(&folder.join("values.yaml"))?,
            folder: folder.to_owned(),
        })
    }

    /// The chart's name and the release that it installs, as `Chart.yaml` says them; none where it does
    /// not, or not until its build has filled them in.
    #[must_use]
    pub fn installs(&self) -> Option<(String, String)> {
        about::installs(self.about.text())
    }
}

fn source(path: &Path) -> Result<Source, String> {
    let text = read::text(path, read::WRITTEN).map_err(at("read", path))?;
    Ok(Source::new(path.display().to_string(), text))
}
