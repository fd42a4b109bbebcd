//! A containerd of a test's own, with the CRI that a kubelet would ask.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cri::{Cri, CriImage};
use crate::process::Process;
use crate::{Digest, Outcome, Scratch, Script, SmallDisk, tool};

/// A containerd that stands in for one worker node. Each has its own root,
/// state and socket, so several run on one machine.
#[derive(Debug)]
pub struct Containerd {
    cri: Cri,
    address: PathBuf,
    config: PathBuf,
    snapshotter: &'static str,
    process: Option<Process>,
    // After the process, which writes into it.
    scratch: Scratch,
}

/// What differs between the nodes of different clusters.
#[derive(Clone, Copy, Debug)]
pub struct ContainerdConfig<'c> {
    /// The snapshotter that the CRI uses.
    pub snapshotter: &'static str,
    /// Plugins that are not loaded.
    pub disabled: &'c [&'c str],
    /// Whether layers that the CRI has unpacked are removed.
    pub discard_layers: bool,
    /// The folder that says where the CRI finds registries.
    pub certs: &'c str,
}

impl ContainerdConfig<'static> {
    /// As it is out of the box.
    pub const STOCK: Self = Self {
        snapshotter: "overlayfs",
        disabled: &[],
        discard_layers: false,
        certs: "",
    };
}

/// What containerd knows of one image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// The digest of the index or manifest that the name points to.
    pub digest: Digest,
    /// The platforms in it whose config is here, such as `linux/amd64`.
    pub platforms: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether all its content is here.
    pub complete: bool,
    /// Whether its layers are unpacked for the CRI, so that a container could start at once.
    pub unpacked: bool,
}

impl Containerd {
    /// Starts one and waits until its CRI answers.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&ContainerdConfig::STOCK)
    }

    /// Starts one that is configured otherwise.
    #[track_caller]
    pub fn start_with(config: &ContainerdConfig<'_>) -> Self {
        let scratch = Scratch::new("containerd");
        let root = scratch.join("root");
        Self::start_in(scratch, &root, config)
    }

    /// Starts one that keeps its images on a disk that may fill up.
    #[track_caller]
    pub fn start_on(disk: &SmallDisk) -> Self {
        let root = disk.path().join("containerd");
        Self::start_in(Scratch::new("containerd"), &root, &ContainerdConfig::STOCK)
    }

    #[track_caller]
    fn start_in(scratch: Scratch, root: &Path, configured: &ContainerdConfig<'_>) -> Self {
        let address = scratch.join("containerd.sock");
        let ContainerdConfig {
            snapshotter,
            disabled,
            discard_layers,
            certs,
        } = configured;
        // The CRI is on by default. It warns that there is no CNI, which only
        // pods would need; its stream server takes any free port.
        let config = format!(
            r#"version = 2
root = {root:?}
disabled_plugins = {disabled:?}
state = {state:?}

[debug]
level = "warn"

[grpc]
address = {address:?}

[plugins."io.containerd.grpc.v1.cri"]
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".cni]
conf_dir = {cni:?}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = {snapshotter:?}
discard_unpacked_layers = {discard_layers}

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = {certs:?}

[plugins."io.containerd.internal.v1.opt"]
path = {opt:?}
"#,
            state = scratch.join("state"),
            cni = scratch.join("cni"),
            opt = scratch.join("opt"),
        );
        let mut containerd = Self {
            cri: Cri::new(&address),
            address,
            config: scratch.write("config.toml", config),
            snapshotter: configured.snapshotter,
            process: None,
            scratch,
        };
        fs::create_dir(containerd.run()).expect("a folder can be made");
        containerd.restart();
        containerd
    }

    /// Stops it. Its images stay.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again, with the same address and images.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(tool("containerd"));
        command.arg("--config").arg(&self.config);
        let process = Process::spawn("containerd", &mut command, &self.scratch);
        process.wait_ready(|| self.cri.list_images().ok());
        self.process = Some(process);
    }

    /// Its socket, for `CONTAINERD_ADDRESS`.
    pub fn address(&self) -> &Path {
        &self.address
    }

    /// The environment of its machine, in which `ctr` talks to it: see [`Script::isolated`].
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("CONTAINERD_ADDRESS", self.address.clone()),
            ("RUN_FOLDER", self.run()),
        ]
    }

    /// The `/run` of its machine.
    pub fn run(&self) -> PathBuf {
        self.scratch.join("run")
    }

    /// Runs `ctr` on the kubelet's namespace, `k8s.io`.
    #[track_caller]
    pub fn ctr(&self, args: &[&str]) -> Outcome {
        let ctr = Script::new(tool("ctr")).envs(self.env());
        ctr.args(["--namespace", "k8s.io"]).args(args).run()
    }

    /// The images in `k8s.io` by name, without the `sha256:...` names that the
    /// CRI adds by itself.
    #[track_caller]
    pub fn images(&self) -> BTreeMap<String, ImageRow> {
        let mut images = BTreeMap::new();
        // REF TYPE DIGEST SIZE UNIT PLATFORM[,PLATFORM] LABEL[,LABEL]
        for row in self.rows(&["images", "ls"]) {
            let listed = |cell: Option<&String>| -> Vec<String> {
                let cell = cell.filter(|cell| *cell != "-");
                cell.into_iter()
                    .flat_map(|cell| cell.split(','))
                    .map(str::to_owned)
                    .collect()
            };
            let label = |label: String| {
                let (key, value) = label.split_once('=').expect("a label has a value");
                (key.to_owned(), value.to_owned())
            };
            let image = ImageRow {
                digest: Digest::from(&*row[2]),
                platforms: listed(row.get(5)),
                labels: listed(row.get(6)).into_iter().map(label).collect(),
                complete: false,
                unpacked: false,
            };
            images.insert(row[0].clone(), image);
        }
        // REF TYPE DIGEST STATUS (n/m) SIZE UNIT/SIZE UNIT UNPACKED
        for row in self.rows(&["images", "check", "--snapshotter", self.snapshotter]) {
            if let Some(image) = images.get_mut(&row[0]) {
                image.complete = row[3] == "complete";
                image.unpacked = row.last().is_some_and(|cell| cell == "true");
            }
        }
        images.retain(|name, _| !name.starts_with("sha256:"));
        images
    }

    /// The cells of a table that `ctr` prints, without its heading.
    #[track_caller]
    fn rows(&self, args: &[&str]) -> Vec<Vec<String>> {
        let outcome = self.ctr(args);
        // `images check` fails with its table printed if an image is broken, and
        // prints nothing if there is none.
        let answered = outcome.status.success() || outcome.stdout.starts_with("REF ");
        assert!(answered, "{outcome}");
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        outcome.stdout.lines().skip(1).map(cells).collect()
    }

    /// What the CRI answers to the kubelet's `ImageStatus` for a reference.
    #[track_caller]
    pub fn cri_image_status(&self, reference: &str) -> Option<CriImage> {
        self.cri.image_status(reference).expect("the CRI answers")
    }

    /// Has the CRI pull an image, as the kubelet does.
    #[track_caller]
    pub fn cri_pull(&self, reference: &str) {
        self.cri.pull_image(reference).expect("the CRI pulls");
    }

    /// What the CRI lists.
    #[track_caller]
    pub fn cri_list_images(&self) -> Vec<CriImage> {
        self.cri.list_images().expect("the CRI answers")
    }
}
