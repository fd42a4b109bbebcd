//! A podman whose storage is a test's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::image::text;
use crate::{Digest, Outcome, Scratch, Script, tool};

/// Podman with its storage, and all that it would keep in `/run` and `/dev/shm`,
/// in a temporary folder. There is no daemon.
#[derive(Debug)]
pub struct Podman {
    env: Vec<(&'static str, PathBuf)>,
    _scratch: Scratch,
}

impl Podman {
    /// Prepares an empty storage.
    pub fn start() -> Self {
        let scratch = Scratch::new("podman");
        let containers = format!(
            "[engine]\ntmp_dir = {:?}\nlock_type = \"file\"\nevents_logger = \"none\"\n\
             cgroup_manager = \"cgroupfs\"\n[network]\nnetwork_config_dir = {:?}\n",
            scratch.join("tmp"),
            scratch.join("networks"),
        );
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            scratch.join("root"),
            scratch.join("run"),
        );
        let env = vec![
            (
                "CONTAINERS_CONF",
                scratch.write("containers.conf", containers),
            ),
            (
                "CONTAINERS_STORAGE_CONF",
                scratch.write("storage.conf", storage),
            ),
        ];
        Self {
            env,
            _scratch: scratch,
        }
    }

    /// The environment in which any `podman` command uses this storage.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        self.env.clone()
    }

    /// `podman load`.
    #[track_caller]
    pub fn load(&self, archive: &Path) -> Outcome {
        self.script().args(["load", "-i"]).arg(archive).run()
    }

    /// The images by name, each with the digest of its config.
    #[track_caller]
    pub fn images(&self) -> BTreeMap<String, Digest> {
        let listed = self
            .script()
            .args(["images", "--format", "json"])
            .run()
            .expect_success();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("podman prints JSON");
        let mut images = BTreeMap::new();
        for image in listed.as_array().into_iter().flatten() {
            let id = Digest::from(&*format!("sha256:{}", text(&image["Id"])));
            for name in image["Names"].as_array().into_iter().flatten() {
                images.insert(text(name).to_owned(), id.clone());
            }
        }
        images
    }

    fn script(&self) -> Script {
        Script::new(tool("podman")).envs(self.env())
    }
}
