//! A certificate authority of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Scratch, tool};

/// A server's certificate for 127.0.0.1, and what its clients need to trust it.
#[derive(Debug)]
pub(crate) struct Tls {
    folder: Scratch,
}

impl Tls {
    /// Makes an authority and has it sign a certificate, both valid for a day.
    pub fn new() -> Self {
        let folder = Scratch::new("tls");
        std::fs::create_dir(folder.join("trusted")).expect("a folder can be made");
        let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 1";
        openssl(
            &folder,
            &format!("{key} -keyout ca.key -out trusted/ca.crt -subj /CN=test-authority"),
        );
        openssl(
            &folder,
            &format!(
                "{key} -keyout server.key -out server.crt -subj /CN=test-registry \
                 -CA trusted/ca.crt -CAkey ca.key -addext subjectAltName=IP:127.0.0.1 \
                 -addext basicConstraints=critical,CA:FALSE"
            ),
        );
        Self { folder }
    }

    /// The server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    /// The server's private key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// A folder with the authority's `ca.crt` and nothing else.
    pub fn trusted(&self) -> PathBuf {
        self.folder.join("trusted")
    }
}

fn openssl(folder: &Path, args: &str) {
    let output = Command::new(tool("openssl"))
        .current_dir(folder)
        .args(args.split_whitespace())
        .output()
        .expect("openssl can be started");
    assert!(output.status.success(), "openssl {args}: {output:?}");
}
