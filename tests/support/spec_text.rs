//! A spec as text, so that a test can change it.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::BTreeMap;
use std::fs;

use xtask::diagnostic::{Diagnostic, Source};
use xtask::spec::{Knowledge, Release, Spec};
use xtask::validate;

use super::root;

/// The texts of a product's file and of its releases' files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecText {
    /// `example`
    pub name: String,
    /// The release that a test is about: `1.0.0`.
    pub version: String,
    /// Its file.
    pub release: String,
    /// `product.toml`
    pub product: String,
    /// The other releases, which need what this one does not.
    pub others: Vec<(String, String)>,
}

impl SpecText {
    /// The small table that shows every feature.
    pub fn example() -> Self {
        Self::read("tests/fixtures/spec", "example", "1.0.0")
    }

    /// A real table.
    pub fn huawei() -> Self {
        Self::read("spec", "huawei-csi", "4.5.0")
    }

    fn read(folder: &str, name: &str, version: &str) -> Self {
        let folder = root().join(folder).join(name);
        let mut texts = BTreeMap::new();
        for file in fs::read_dir(folder).expect("the product") {
            let path = file.expect("readable").path();
            let name = path.file_stem().and_then(|name| name.to_str());
            let name = name.expect("UTF-8").to_owned();
            texts.insert(name, fs::read_to_string(path).expect("readable"));
        }
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            product: texts.remove("product").expect("the product's file"),
            release: texts.remove(version).expect("the release"),
            others: texts.into_iter().collect(),
        }
    }

    fn path(&self, file: &str) -> String {
        format!("spec/{}/{file}.toml", self.name)
    }

    /// The product's file and the release's, by the paths that they have in a repository.
    pub fn source(&self) -> Source {
        let product = Source::new(self.path("product"), &*self.product);
        product.with(Source::new(self.path(&self.version), &*self.release))
    }

    /// What validation makes of the release.
    pub fn check(&self, knowledge: &Knowledge) -> (Option<Release>, Vec<Diagnostic>) {
        let mut specs = self.check_all(knowledge).into_iter();
        let spec = specs.find(|spec| spec.release == self.version);
        let spec = spec.expect("a spec for each release");
        (spec.outcome, spec.findings)
    }

    /// What validation makes of every release.
    pub fn check_all(&self, knowledge: &Knowledge) -> Vec<Spec> {
        let product = Source::new(self.path("product"), &*self.product);
        let mut releases = vec![(&self.version, &self.release)];
        releases.extend(self.others.iter().map(|(version, text)| (version, text)));
        let sources: Vec<_> = releases
            .into_iter()
            .map(|(version, text)| (version.as_str(), Source::new(self.path(version), &**text)))
            .collect();
        let sources: Vec<_> = sources
            .iter()
            .map(|(name, source)| (*name, source))
            .collect();
        validate::check((&self.name, &product), &sources, knowledge)
    }

    /// It with something else in the place of what is in one of the files once.
    #[track_caller]
    pub fn with(&self, from: &str, to: &str) -> Self {
        let found = [&self.product, &self.release].map(|text| text.matches(from).count());
        assert_eq!(found.iter().sum::<usize>(), 1, "{from:?} is there once");
        Self {
            product: self.product.replace(from, to),
            release: self.release.replace(from, to),
            ..self.clone()
        }
    }

    /// It with more at the end of the product's file.
    pub fn with_entry(&self, entry: &str) -> Self {
        Self {
            product: format!("{}\n{entry}", self.product),
            ..self.clone()
        }
    }
}
