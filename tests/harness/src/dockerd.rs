//! A docker daemon of a test's own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::process::Process;
use crate::{Digest, Outcome, Scratch, Script, tool};

/// A `dockerd`, without networks, with its images in a temporary folder.
#[derive(Debug)]
pub struct Dockerd {
    host: String,
    process: Process,
    // After the process, which writes into it.
    _scratch: Scratch,
}

impl Dockerd {
    /// Starts one and waits until it answers. It takes root.
    #[track_caller]
    pub fn start() -> Self {
        let scratch = Scratch::new("dockerd");
        let host = format!("unix://{}", scratch.join("docker.sock").display());
        // A file of its own, and not that of the machine's docker.
        let config = json!({"deprecated-key-path": scratch.join("key.json")});
        let config = scratch.write("daemon.json", config.to_string());
        // With a `/run` and mounts that nobody else sees, it neither finds the
        // machine's own containerd nor leaves anything there.
        let mut command = Command::new(tool("unshare"));
        command
            .args([
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs tmpfs /run && exec \"$@\"",
                "sh",
            ])
            .arg(tool("dockerd"))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--ip-forward=false", "--ip-masq=false"])
            .args(["--host", &host])
            .arg("--config-file")
            .arg(config)
            .arg("--data-root")
            .arg(scratch.join("data"))
            .arg("--exec-root")
            .arg(scratch.join("exec"))
            .arg("--pidfile")
            .arg(scratch.join("docker.pid"));
        let process = Process::spawn("dockerd", &mut command, &scratch);
        let dockerd = Self {
            host,
            process,
            _scratch: scratch,
        };
        dockerd.process.wait_ready(|| {
            dockerd
                .script()
                .arg("version")
                .run()
                .status
                .success()
                .then_some(())
        });
        dockerd
    }

    /// The environment in which any `docker` command talks to it.
    pub fn env(&self) -> Vec<(&'static str, &str)> {
        vec![("DOCKER_HOST", &self.host)]
    }

    /// `docker load`.
    #[track_caller]
    pub fn load(&self, archive: &Path) -> Outcome {
        self.script().args(["load", "-i"]).arg(archive).run()
    }

    /// The images by name, each with the digest of its config.
    #[track_caller]
    pub fn images(&self) -> BTreeMap<String, Digest> {
        let format = "{{.Repository}}:{{.Tag}} {{.ID}}";
        let list = self
            .script()
            .args(["images", "--no-trunc", "--format", format]);
        let listed = list.run().expect_success().stdout;
        let image = |line: &str| {
            let (name, id) = line.split_once(' ').expect("docker prints both");
            (name.to_owned(), Digest::from(id))
        };
        listed.lines().map(image).collect()
    }

    fn script(&self) -> Script {
        Script::new(tool("docker")).envs(self.env())
    }
}
