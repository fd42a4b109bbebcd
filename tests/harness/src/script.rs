//! Running the generated scripts, or any program, as an operator would.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Process, wait_for};
use crate::{Scratch, tool};

/// The arguments with which `unshare` runs a program on the `/run` of `RUN_FOLDER`.
pub const ISOLATE: [&str; 5] = [
    "--mount",
    "sh",
    "-c",
    "mount --bind \"$RUN_FOLDER\" /run && exec \"$@\"",
    "sh",
];

/// A program to be run, in an environment that holds nothing but `PATH` and a
/// UTF-8 locale, and with one empty folder as `HOME`, `TMPDIR` and the folder
/// where it runs: what the caller's shell has set can change no test.
#[derive(Debug)]
#[must_use = "it does nothing before `run` or `spawn`"]
pub struct Script {
    command: Command,
    scratch: Scratch,
    limit: Duration,
}

impl Script {
    /// Runs `program`: an absolute path, or a name to be looked up on `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let scratch = Scratch::new("script");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", &*scratch)
            .env("TMPDIR", &*scratch)
            .current_dir(&scratch);
        Self {
            command,
            scratch,
            limit: Duration::from_mins(3),
        }
    }

    /// Runs `program` with a `/run` that nobody else sees: the folder in `RUN_FOLDER`, as an engine's
    /// `env()` sets it, or else an empty one. What writes a lock there leaves nothing on this
    /// machine, and many machines can be played at once. It takes root.
    pub fn isolated(program: impl AsRef<OsStr>) -> Self {
        let script = Self::new(tool("unshare"));
        let folder = script.scratch.join("run");
        fs::create_dir(&folder).expect("a folder can be made");
        script.env("RUN_FOLDER", folder).args(ISOLATE).arg(program)
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Sets environment variables, such as an engine's `env()`.
    pub fn envs<'a, V: AsRef<OsStr>>(
        mut self,
        vars: impl IntoIterator<Item = (&'a str, V)>,
    ) -> Self {
        self.command.envs(vars);
        self
    }

    /// Runs it in `folder`, in place of an empty one.
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Allows it this long, in place of three minutes.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it and returns at once.
    #[track_caller]
    pub fn spawn(mut self) -> Running {
        let process = Process::spawn("script", &mut self.command, &self.scratch);
        Running {
            shown: format!("{:?}", self.command),
            process,
            deadline: Instant::now() + self.limit,
            _scratch: self.scratch,
        }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Outcome {
        self.spawn().finish()
    }
}

/// A program that is running. Drop kills it, and all that it started.
#[derive(Debug)]
pub struct Running {
    shown: String,
    process: Process,
    deadline: Instant,
    // After the process, which writes into it.
    _scratch: Scratch,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that drops it has failed: whoever cannot be interrupted need not be asked.
        self.kill();
    }
}

impl Running {
    /// Waits until `text` is in its output, on either stream, or it has ended.
    /// Says whether the text came.
    #[track_caller]
    pub fn wait_for_output(&self, text: &str) -> bool {
        wait_for(&format!("{text:?} in the output of {}", self.shown), || {
            let ended = self.process.has_ended();
            let shown =
                self.process.stdout().contains(text) || self.process.stderr().contains(text);
            (shown || ended).then_some(shown)
        })
    }

    /// Interrupts it and all that it started, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Hangs up on it and all that it started, as a terminal does that is closed or cut off.
    pub fn hang_up(&self) {
        self.process.signal(Signal::HUP);
    }

    /// Asks it to end, as a service manager or `kill` does: what it started is its own affair.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Kills it and all that it started, as a machine that loses power does.
    pub fn kill(&self) {
        self.process.signal(Signal::KILL);
    }

    /// Waits for its end. What it may have left running in its group is killed.
    ///
    /// # Panics
    /// If it takes longer than its limit, with all that it printed.
    #[track_caller]
    pub fn finish(mut self) -> Outcome {
        while !self.process.has_ended() {
            if Instant::now() > self.deadline {
                let (out, err) = (self.process.stdout(), self.process.stderr());
                panic!(
                    "too slow: {}\n--- stdout\n{out}--- stderr\n{err}",
                    self.shown
                );
            }
            sleep(Duration::from_millis(5));
        }
        Outcome {
            status: self.process.reap(),
            stdout: self.process.stdout(),
            stderr: self.process.stderr(),
            shown: self.shown.clone(),
        }
    }
}

/// How a program ended. Its `Display` shows everything, for messages of assertions.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status.
    pub status: ExitStatus,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
    shown: String,
}

impl Outcome {
    /// Requires this exit code.
    ///
    /// # Panics
    /// If it is another, with the command and all that it printed.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(
            self.status.code() == Some(code),
            "expected exit code {code}\n{self}"
        );
        self
    }

    /// Requires exit code 0, like [`Outcome::expect_code`].
    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_code(0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
            shown,
        } = self;
        write!(
            f,
            "{shown}\n{status}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        )
    }
}
