//! A way to have a script stand still between two calls of a tool.

use std::path::PathBuf;

use harness::{Scratch, tool, wait_for};

/// A `ctr` that stops in front of one of its calls until it may go on.
pub struct Gate {
    folder: Scratch,
}

impl Gate {
    /// Stops before the calls that have these words in them.
    pub fn before(words: &str) -> Self {
        let folder = Scratch::new("gate");
        let script = format!(
            "cd '{}'\ncase $* in\n    *'{words}'*)\n        : >reached\n        \
             until [ -e open ]; do sleep 0.02; done ;;\nesac\nexec '{}' \"$@\"",
            folder.display(),
            tool("ctr").display()
        );
        folder.program("ctr", &script);
        Self { folder }
    }

    pub fn ctr(&self) -> PathBuf {
        self.folder.join("ctr")
    }

    #[track_caller]
    pub fn wait(&self) {
        let reached = || self.folder.join("reached").exists().then_some(());
        wait_for("a call of ctr", reached);
    }

    pub fn open(&self) {
        self.folder.write("open", "");
    }
}
