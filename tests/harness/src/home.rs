//! A home folder whose owner reaches the upstream registries somewhere else.

use std::fmt::Write as _;

use crate::Scratch;

/// A folder to be used as `HOME`: skopeo and podman then find each upstream
/// host of `remap` at the given registry, below the host's own name, over plain
/// HTTP. `("k8s.gcr.io", "127.0.0.1:5000")` sends `k8s.gcr.io/NAME` to
/// `127.0.0.1:5000/k8s.gcr.io/NAME`. A path has no colon, so there a host's port
/// follows a dash. A host that is not in `remap` is left as it is, and on a test
/// machine out of reach.
pub fn home<'a>(remap: impl IntoIterator<Item = (&'a str, &'a str)>) -> Scratch {
    let home = Scratch::new("home");
    // Two settings for Debian and for distributions with other defaults: no
    // signature is asked for, and a short name means no registry at all.
    home.write(
        ".config/containers/policy.json",
        r#"{"default": [{"type": "insecureAcceptAnything"}]}"#,
    );
    let mut conf = String::from("unqualified-search-registries = []\n");
    for (host, registry) in remap {
        let path = host.replace(':', "-");
        write!(
            conf,
            "\n[[registry]]\nprefix = \"{host}\"\nlocation = \"{registry}/{path}\"\ninsecure = true\n"
        )
        .expect("a string can be written to");
    }
    home.write(".config/containers/registries.conf", conf);
    home
}
