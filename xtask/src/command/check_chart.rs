//! `cargo xtask check-chart`: holds a Helm chart against the table.

use super::select::{self, Chosen};
use super::{Failure, folder, print, report};
use crate::chart::{self, Chart};
use crate::cli::{CheckChart, MessageFormat};
use crate::diagnostic;
use crate::validate;

pub fn run(arguments: &CheckChart) -> Result<(), Failure> {
    let chart = Chart::load(&arguments.path)?;
    let specs = validate::load(&folder(arguments.spec.as_ref(), "spec"))?;
    let Chosen { release, source } = select::of_chart(specs, arguments.release.as_ref(), &chart)?;
    let mut found = 0;
    for (source, findings) in chart::check(&chart, &release, &source) {
        report(arguments.message_format, source, &findings)?;
        found += findings.len();
    }
    let (path, product, version) = (chart.folder.display(), &release.product, &release.version);
    if found > 0 {
        let findings = diagnostic::count(found, "finding");
        return Err(format!(
            "{path} does not fit the table of {product}/{version}: {findings}\nhelp: `cargo xtask \
             explain-rule CODE` says what a code in brackets is for"
        ));
    }
    match arguments.message_format {
        MessageFormat::Human => print(&format!("{path} fits the table of {product}/{version}\n")),
        MessageFormat::Json => Ok(()),
    }
}
