//! A process in a group of its own, ended as a whole.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use crate::scratch::groups;

/// How long a part may take to become ready: far more than it needs, because
/// a busy machine is no reason to fail.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Asks `probe` again and again until it answers.
///
/// # Panics
/// If there is no answer after 90 seconds; `what` says what was waited for.
#[track_caller]
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} in vain for {what}"
        );
        sleep(Duration::from_millis(20));
    }
}

/// A running process and all that it starts. Drop ends them and waits.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    /// Its file in the keeper's list.
    entry: PathBuf,
    reaped: bool,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to files in `folder`, where it can be
    /// read at any time and never blocks anyone.
    #[track_caller]
    pub fn spawn(name: &str, command: &mut Command, folder: &Path) -> Self {
        let stdout = folder.join(format!("{name}.stdout"));
        let stderr = folder.join(format!("{name}.stderr"));
        let file = |path: &Path| File::create(path).expect("a log file can be made");
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file(&stdout))
            .stderr(file(&stderr));
        // A script that a test has just written is busy for as long as a process
        // that another thread is starting still holds its copy of the open file.
        let started = wait_for(&format!("{name} to start"), || match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            started => Some(started),
        });
        let child = started.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let entry = groups().join(child.id().to_string());
        File::create(&entry).expect("the keeper's list can be written");
        Self {
            name: name.to_owned(),
            child,
            entry,
            reaped: false,
            stdout,
            stderr,
        }
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// The process group's number, which is its leader's.
    pub fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Asks `probe` until the process is ready, and panics with its log if it ends first.
    #[track_caller]
    pub fn wait_ready<T>(&self, mut probe: impl FnMut() -> Option<T>) -> T {
        wait_for(&format!("{} to be ready", self.name), || {
            let answer = probe();
            assert!(
                answer.is_some() || !self.has_ended(),
                "{} ended instead of getting ready:\n{}",
                self.name,
                self.stderr()
            );
            answer
        })
    }

    /// Whether the leader has ended. It stays a zombie until [`Process::reap`], so
    /// that its number still means this group and no other.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.group()), options), Ok(None))
    }

    /// Sends a signal to the whole group, unless it is over.
    pub fn signal(&self, signal: Signal) {
        if !self.reaped {
            // The only possible error is that nobody is left.
            let _ = kill_process_group(self.group(), signal);
        }
    }

    /// Asks the leader alone to end, unless it is over.
    pub fn terminate(&self) {
        if !self.reaped {
            let _ = kill_process(self.group(), Signal::TERM);
        }
    }

    /// Ends whatever is left of the group, and gives the leader's exit status.
    pub fn reap(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        let status = self.child.wait().expect("a child can be waited for");
        self.reaped = true;
        let _ = fs::remove_file(&self.entry);
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        if thread::panicking() {
            let log = self.stderr();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(20)..];
            eprintln!(
                "--- the last of what {} logged\n{}",
                self.name,
                tail.join("\n")
            );
        }
        self.signal(Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        self.reap();
    }
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}
