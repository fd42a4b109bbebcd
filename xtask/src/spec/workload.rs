//! `[workload.NAME]`: the Kubernetes objects that run the containers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::chart::LABEL;
use super::reader::{MOST_LABEL, Reader};
use super::spanned::{Key, Located, Spanned};

/// A Kubernetes object that runs containers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Workload")]
pub struct RawWorkload {
    /// Its kind: `Deployment`, `DaemonSet`.
    #[schemars(required)]
    pub kind: Key<String>,
    /// The service account that its Pods run under, which a private registry's pull secret is put
    /// on where the chart has no value for it.
    #[schemars(required, regex(pattern = LABEL))]
    pub service_account: Key<String>,
}

/// A Kubernetes object that runs containers.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: Located<String>,
    /// Its kind.
    pub kind: String,
    /// The service account that its Pods run under.
    pub service_account: String,
}

impl Reader {
    /// The workloads of the product, in the file's order.
    pub(super) fn workloads(
        &mut self,
        raw: &BTreeMap<Spanned<String>, Spanned<RawWorkload>>,
    ) -> Vec<Workload> {
        let mut raw: Vec<_> = raw.iter().collect();
        raw.sort_by_key(|(name, _)| name.span().start);
        let read = raw.into_iter().map(|(name, raw)| self.workload(name, raw));
        read.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn workload(&mut self, name: &Spanned<String>, raw: &Spanned<RawWorkload>) -> Option<Workload> {
        let (span, raw) = (raw.span(), raw.get_ref());
        let name = self.located_label(name, "workload name");
        let is_kind = |text: &str| {
            text.len() <= MOST_LABEL
                && text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.chars().all(|c| c.is_ascii_alphanumeric())
        };
        let kind = self
            .require(&raw.kind, "kind", &span, "\"Deployment\"")
            .and_then(|kind| self.named(kind, "kind", is_kind, "letters, such as `DaemonSet`"));
        let example = "\"example-controller\"";
        let service_account = self
            .require(&raw.service_account, "service-account", &span, example)
            .and_then(|name| self.label(name, "service account"));
        Some(Workload {
            name: name?,
            kind: kind?,
            service_account: service_account?,
        })
    }
}
