//! `gen` under fire: killed between any two of its calls to the system, on a disk that refuses any
//! one of them, that is full or read-only; with other runs at the same time, and with links, pipes
//! and files of somebody's own in its folder. Whatever happens, a file is wholly the old one or
//! wholly the new one, what is not ours stays as it is, nothing outside is touched, and the next run
//! makes all of it right.

#[path = "support/project.rs"]
mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, TryRecvError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use harness::SmallDisk;
use project::{Project, copy};

/// What stands at a path: a file with its mode, the target of a link, or something else.
#[derive(Clone, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>, u32),
    Link(String),
    Pipe,
}

/// Short, for messages.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(bytes, mode) => {
                let start: String = String::from_utf8_lossy(bytes).chars().take(20).collect();
                write!(f, "{mode:o} {start:?}, {} bytes", bytes.len())
            }
            Self::Link(target) => write!(f, "-> {target}"),
            Self::Pipe => write!(f, "a pipe"),
        }
    }
}

type State = BTreeMap<String, Entry>;

/// Every entry below a folder that is no folder; what a dead run has left is not looked at.
fn state(folder: &Path) -> State {
    let mut state = State::new();
    let entries = walkdir::WalkDir::new(folder).into_iter();
    for entry in entries.filter_entry(|entry| entry.file_name() != ".gen-staging") {
        let entry = entry.expect("readable");
        let (kind, path) = (entry.file_type(), entry.path());
        let found = if kind.is_dir() {
            continue;
        } else if kind.is_symlink() {
            Entry::Link(fs::read_link(path).expect("a link").display().to_string())
        } else if kind.is_fifo() {
            Entry::Pipe
        } else {
            let mode = entry.metadata().expect("there").permissions().mode();
            Entry::File(fs::read(path).expect("readable"), mode)
        };
        let path = path.strip_prefix(folder).expect("below");
        state.insert(path.display().to_string(), found);
    }
    state
}

/// A small product.
fn product(title: &str) -> String {
    // More than a page of memory and a block of a disk.
    let title = title.repeat(900 / title.len()).trim_end().to_owned();
    format!(
        r#"
schema = 2
title.en = "{title}"
title.zh-CN = "{title}版"
chart = {{ name = "chart", folder = "chart", release-name = "example", namespace = "example" }}

[workload.node]
kind = "DaemonSet"
service-account = "node"

[component.driver]
workloads = ["node"]
helm = "images.driver"
description.en = "The driver."
description.zh-CN = "驱动。"
"#
    )
}

/// A small table.
fn table(minors: &str) -> String {
    format!(
        r#"
schema = 2
kubernetes = ["{minors}"]
architectures = ["amd64", "arm64"]
images.driver."{minors}" = "registry.example/driver:{{release}}"
"#
    )
}

/// A target with a program, a deep folder, and a file of several pages for the whole release.
const TARGET: &str = r#"
[[file]]
template = "all.txt"
path = "all.txt"
per = "release"
quoting = "text"

[[file]]
template = "tool.sh"
path = "k8s-{kubernetes}/tool.sh"
per = "minor"
quoting = "shell"
executable = true

[[file]]
template = "images.json"
path = "k8s-{kubernetes}/by/architecture/{architecture}.json"
per = "architecture"
quoting = "json"
"#;

fn project() -> Project {
    let project = Project::empty();
    project.write("templates/small/target.toml", TARGET);
    let titles = "{{#each plans}}{{../release.title.en}}\n{{/each}}";
    for (template, text) in [
        ("all.txt", &*titles.repeat(8)),
        ("tool.sh", "#!/bin/sh\n: {{release.title.en}}\n"),
        (
            "images.json",
            "[{{release.title.en}}, {{architecture.name}}]\n",
        ),
    ] {
        project.write(&format!("templates/small/{template}.hbs"), text);
    }
    project
}

/// The releases as they were: one of them will go, and one minor of the other.
fn old_specs(project: &Project) {
    let _ = fs::remove_dir_all(project.path("spec"));
    project.write("spec/example/product.toml", product("old "));
    project.write("spec/example/1.0.0.toml", table("v1.19-v1.21"));
    project.write("spec/example/1.1.0.toml", table("v1.19-v1.20"));
}

/// The releases as they are to be: other texts, a later minor, and a new release.
fn new_specs(project: &Project) {
    let _ = fs::remove_dir_all(project.path("spec"));
    project.write("spec/example/product.toml", product("new "));
    project.write("spec/example/1.0.0.toml", table("v1.20-v1.22"));
    project.write("spec/example/1.2.0.toml", table("v1.19-v1.20"));
}

/// Files of somebody's own, also beside files and in folders that are going to be deleted.
const MINE: [&str; 5] = [
    "notes.txt",
    "example/1.0.0/k8s-1.20/notes.txt",
    "example/1.0.0/k8s-1.19/by/notes.txt",
    "example/1.1.0/mine/notes.txt",
    "another/notes.txt",
];

/// What is there before, and what is to be there after.
struct Change {
    /// What the new state is made in.
    project: Project,
    /// The old state, to copy.
    before: Project,
    old: State,
    new: State,
}

impl Change {
    fn new() -> Self {
        let (project, before) = (project(), Project::empty());
        old_specs(&project);
        project.expect(0, &[]);
        for path in MINE {
            project.write(&format!("generated/{path}"), "mine\n");
        }
        let out = project.path("generated");
        symlink("/nowhere", out.join("example/link")).expect("linked");
        let old = state(&out);
        copy(&out, &before.path("generated"));
        new_specs(&project);
        project.expect(0, &[]);
        let new = state(&out);
        let changed = |path: &&String| old.get(*path) != new.get(*path);
        let common = new
            .keys()
            .filter(changed)
            .filter(|path| old.contains_key(*path));
        assert!(common.count() > 5, "files that change");
        assert!(
            new.keys().any(|path| !old.contains_key(path)),
            "files that come"
        );
        assert!(
            old.keys().any(|path| !new.contains_key(path)),
            "files that go"
        );
        // With this state a check is content, the files of somebody's own aside.
        let said = project.expect(1, &["--check"]);
        let foreign = MINE.len() + 1;
        let counted = format!("generated is not what the spec says: {foreign} foreign\n");
        assert!(said.contains(&counted), "{said}");
        Self {
            project,
            before,
            old,
            new,
        }
    }

    /// Puts the old state back.
    fn rewind(&self) {
        let out = self.project.path("generated");
        fs::remove_dir_all(&out).expect("removed");
        copy(&self.before.path("generated"), &out);
    }

    fn state(&self) -> State {
        state(&self.project.path("generated"))
    }

    /// Looks at what a run has left that was stopped on its way. Says whether some of the files are
    /// old and some are new.
    #[track_caller]
    fn assert_whole(&self, what: &str) -> bool {
        let now = self.state();
        let paths: BTreeSet<_> = [&now, &self.old, &self.new]
            .into_iter()
            .flat_map(State::keys)
            .collect();
        for path in paths {
            let [now, old, new] = [&now, &self.old, &self.new].map(|state| state.get(path));
            if path.ends_with(".files") {
                self.assert_index(path, now, what);
            } else {
                assert!(
                    now == old || now == new,
                    "{what}: {path} is neither old nor new: {now:?}"
                );
            }
        }
        now != self.old && now != self.new
    }

    /// On its way, an index lists old and new files. It never misses one that is there.
    #[track_caller]
    fn assert_index(&self, path: &str, now: Option<&Entry>, what: &str) {
        let folder = path.trim_end_matches(".files");
        let known = |state: &State| -> BTreeSet<String> {
            state
                .keys()
                .filter_map(|path| path.strip_prefix(folder))
                .map(str::to_owned)
                .collect()
        };
        let Some(Entry::File(text, _)) = now else {
            let ours = known(&self.state())
                .into_iter()
                .find(|path| !path.contains("notes.txt"));
            return assert_eq!(ours, None, "{what}: {path} is not there");
        };
        let text = String::from_utf8(text.clone()).expect("UTF-8");
        assert!(
            text.starts_with('#') && text.ends_with('\n'),
            "{what}: {path}: {text}"
        );
        let listed: BTreeSet<_> = text.lines().skip(1).map(str::to_owned).collect();
        let ours: BTreeSet<_> = known(&self.old).union(&known(&self.new)).cloned().collect();
        assert!(listed.is_subset(&ours), "{what}: {path}: {text}");
        let missed = known(&self.state())
            .into_iter()
            .find(|path| !listed.contains(path) && path != ".files" && !path.contains("notes.txt"));
        assert_eq!(missed, None, "{what}: {path} does not list it");
    }

    /// A run with nothing in its way makes all of it right.
    #[track_caller]
    fn assert_repairs(&self, what: &str) {
        self.project.expect(0, &[]);
        let (now, new) = (self.state(), &self.new);
        let wrong: Vec<_> = now
            .keys()
            .chain(new.keys())
            .filter(|path| now.get(*path) != new.get(*path))
            .collect();
        assert_eq!(wrong, Vec::<&String>::new(), "{what}");
        assert!(
            !self.project.path("generated/.gen-staging").exists(),
            "{what}"
        );
    }
}

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

#[test]
fn a_run_that_is_killed_leaves_old_and_new_files_and_the_next_one_repairs() {
    let change = Change::new();
    change.rewind();
    let began = Instant::now();
    change.project.expect(0, &[]);
    let whole = u64::try_from(began.elapsed().as_micros()).expect("not long");
    let staging = change.project.path("generated/.gen-staging");
    let mut dice = Dice(4);
    let (mut killed, mut staged, mut between) = (0, 0, 0);
    for round in 0..200 {
        change.rewind();
        let mut run = change.project.command(&[], "generated");
        let mut run = run
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("runs");
        if round % 3 == 0 {
            // At any moment.
            sleep(Duration::from_micros(dice.below(whole)));
        } else {
            // In the short time in which it writes.
            while !staging.exists() && run.try_wait().expect("a child").is_none() {}
            // How short depends on the disk.
            let longest = whole >> (round % 4);
            let until = Instant::now() + Duration::from_micros(dice.below(longest));
            while Instant::now() < until {}
        }
        run.kill().expect("killed, or ended already");
        killed += usize::from(run.wait().expect("a child").signal() == Some(9));
        staged += usize::from(staging.exists());
        between += usize::from(change.assert_whole(&format!("round {round}")));
        change.assert_repairs(&format!("round {round}"));
    }
    println!(
        "{killed} killed, {staged} of them while it wrote, {between} of those between two files"
    );
    assert!(
        staged > 20 && between > 0,
        "too few kills hit: {staged}, {between}"
    );
}

/// The calls by which a run changes something on disk.
const CHANGES: [&str; 6] = [
    "mkdirat",
    "write",
    "fchmod",
    "renameat",
    "renameat2",
    "unlinkat",
];

/// Runs `gen` with what strace puts in its way, be it at one path alone. Says whether it came to that.
fn tampered(project: &Project, call: &str, tamper: &str, path: Option<&str>) -> (Output, bool) {
    let log = project.path("log");
    let options = [
        format!("--output={}", log.display()),
        format!("--trace={call}"),
        format!("--inject={call}:{tamper}"),
    ];
    let path = path.map(|path| format!("--trace-path={path}"));
    let options = options.iter().chain(&path).map(String::as_str);
    let mut runner = vec!["strace"];
    if tamper.starts_with("error") {
        // With the kernel's filter no other call stops for strace; signals do not get through it.
        runner.extend(["--follow-forks", "--seccomp-bpf"]);
    }
    runner.extend(options);
    let output = project.command(&runner, "generated").output();
    let output = output.expect("strace is there; run tests/run");
    let log = fs::read_to_string(log).expect("written");
    let tampered = log.contains("(INJECTED)") || output.status.signal().is_some();
    (output, tampered)
}

#[test]
#[ignore = "needs strace: run tests/run"]
fn a_run_that_is_killed_before_any_one_of_its_calls_leaves_old_and_new_files() {
    let change = Change::new();
    let (mut kills, mut between) = (0, 0);
    for call in CHANGES {
        for number in 1.. {
            change.rewind();
            let tamper = format!("signal=KILL:when={number}");
            let (output, tampered) = tampered(&change.project, call, &tamper, None);
            if !tampered {
                break;
            }
            assert_eq!(output.status.signal(), Some(9), "{output:?}");
            kills += 1;
            let what = format!("killed before {call} number {number}");
            between += usize::from(change.assert_whole(&what));
            change.assert_repairs(&what);
        }
    }
    println!("{kills} kills, {between} of them between two files");
    assert!(
        kills > 100 && between > 20,
        "{kills} kills, {between} between two files"
    );
}

#[test]
#[ignore = "needs strace: run tests/run"]
fn a_disk_that_refuses_any_one_call_loses_nothing() {
    let change = Change::new();
    let (mut refusals, mut between) = (0, 0);
    for (call, error) in [
        ("mkdirat", "ENOSPC"),
        ("write", "ENOSPC"),
        ("fchmod", "EIO"),
        ("renameat", "ENOSPC"),
        ("renameat2", "EACCES"),
        // A file system that cannot look and move in one.
        ("renameat2", "EINVAL"),
        ("unlinkat", "EROFS"),
        ("openat", "EMFILE"),
    ] {
        // Files are opened often, and mostly to be read.
        let step = if call == "openat" { 7 } else { 1 };
        for number in (1..).step_by(step) {
            change.rewind();
            let tamper = format!("error={error}:when={number}");
            let (output, tampered) = tampered(&change.project, call, &tamper, None);
            if !tampered {
                break;
            }
            let what = format!("{error} from {call} number {number}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // Some calls are those of the system's loader, which gives up in its own way.
            if !output.status.success() && output.status.code() != Some(127) {
                assert_eq!(output.status.code(), Some(1), "{what}: {said}");
                assert!(said.contains("error: cannot"), "{what}: {said}");
                refusals += 1;
            }
            let mixed = change.assert_whole(&what);
            between += usize::from(mixed);
            // What is staged is not in place: a disk that is full changes nothing.
            let stages = ["mkdirat", "write", "fchmod"].contains(&call);
            assert!(!(mixed && stages), "{what}: {said}");
            change.assert_repairs(&what);
        }
    }
    println!("{refusals} refusals, {between} of them between two files");
    assert!(
        refusals > 100 && between > 20,
        "{refusals} refusals, {between} between two files"
    );
}

/// Without its index a folder's files would be foreign, and stay so.
#[test]
#[ignore = "needs strace: run tests/run"]
fn an_index_that_cannot_be_read_is_there_all_the_same() {
    let change = Change::new();
    let mut refusals = 0;
    for release in ["1.0.0", "1.1.0"] {
        let index = format!("generated/example/{release}/.files");
        for number in 1.. {
            change.rewind();
            let tamper = format!("error=EMFILE:when={number}");
            let path = Some(index.as_str());
            let (output, tampered) = tampered(&change.project, "openat", &tamper, path);
            if !tampered {
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(&format!("cannot read {index}: ")), "{said}");
            assert_eq!(change.state(), change.old, "{said}");
            change.assert_repairs(&said);
            refusals += 1;
        }
    }
    assert!(refusals > 3, "{refusals}");
}

/// What may not be looked into is somebody else's.
#[test]
#[ignore = "needs strace: run tests/run"]
fn a_folder_of_others_that_is_closed_stops_no_run() {
    let change = Change::new();
    for path in ["theirs/file", "example/notes/file"] {
        change
            .project
            .write(&format!("generated/{path}"), "theirs\n");
    }
    for (call, path, named) in [
        ("openat", "generated/theirs", "generated/theirs"),
        (
            "openat",
            "generated/example/notes",
            "generated/example/notes",
        ),
        (
            "statx",
            "generated/example/notes/.files",
            "generated/example/notes",
        ),
    ] {
        let (output, tampered) =
            tampered(&change.project, call, "error=EACCES:when=1+", Some(path));
        assert!(tampered, "{call} {path}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert_eq!(output.status.code(), Some(0), "{call} {path}: {said}");
        let wanted = format!("left alone, not generated: {named}\n");
        assert!(said.contains(&wanted), "{call} {path}: {said}");
    }
}

#[test]
#[ignore = "needs root: run tests/run"]
fn a_full_disk_changes_nothing_and_with_room_the_next_run_goes_on() {
    let change = Change::new();
    let disk = SmallDisk::new(2);
    let out = disk.path().join("generated");
    let gen_there = |arguments: &[&str]| {
        let mut command = change.project.command(&[], &out);
        let output = command.args(arguments).output().expect("runs");
        (
            output.status.code(),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    };
    let filler = disk.path().join("filler");
    let (mut refused, mut done) = (0, 0);
    // Ever more room, from none at all.
    for room in (0..200).step_by(4) {
        let _ = fs::remove_dir_all(&out);
        let _ = fs::remove_file(&filler);
        copy(&change.before.path("generated"), &out);
        let mut free = fs::File::create(&filler).expect("created");
        while std::io::Write::write(&mut free, &[0; 4096]).is_ok() {}
        let full = free.metadata().expect("there").len();
        free.set_len(full.saturating_sub(room * 1024)).expect("cut");
        let (code, said) = gen_there(&[]);
        if code == Some(0) {
            done += 1;
            assert_eq!(state(&out), change.new, "{room} KiB");
        } else {
            refused += 1;
            assert!(said.contains("No space left"), "{room} KiB: {said}");
            assert_eq!(state(&out), change.old, "{room} KiB");
            assert!(!out.join(".gen-staging").exists(), "{room} KiB: {said}");
        }
    }
    assert!(refused > 10 && done > 2, "{refused} refused, {done} done");
    fs::remove_file(&filler).expect("removed");
    assert_eq!(gen_there(&[]), (Some(0), String::new()));
    assert_eq!(state(&out), change.new);
}

#[test]
#[ignore = "needs root: run tests/run"]
fn a_read_only_folder_is_left_as_it_is() {
    let change = Change::new();
    let disk = SmallDisk::new(2);
    let out = disk.path().join("generated");
    let gen_there = |arguments: &[&str]| {
        let mut command = change.project.command(&[], &out);
        let output = command.args(arguments).output().expect("runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8(said).expect("UTF-8"),
        )
    };
    copy(&change.before.path("generated"), &out);
    disk.read_only(true);
    let (code, said) = gen_there(&[]);
    assert!(
        code == Some(1) && said.contains("Read-only file system"),
        "{said}"
    );
    assert!(said.contains(&out.display().to_string()), "{said}");
    assert_eq!(state(&out), change.old);
    disk.read_only(false);
    assert_eq!(gen_there(&[]).0, Some(0));
    assert_eq!(state(&out), change.new);
    // Where nothing differs there is nothing to write.
    disk.read_only(true);
    let (code, said) = gen_there(&[]);
    assert!(
        code == Some(0) && said.contains("0 written, 0 deleted"),
        "{said}"
    );
    let (code, said) = gen_there(&["--check"]);
    assert!(
        code == Some(1) && said.contains(" foreign\n") && !said.contains("stale"),
        "{said}"
    );
}

#[test]
fn runs_at_the_same_time_take_turns() {
    let change = Change::new();
    let (other, out) = (project(), change.project.path("generated"));
    old_specs(&other);
    let start = |project: &Project, arguments: &[&str]| {
        let mut command = project.command(&[], &out);
        let command = command.args(arguments);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs")
    };
    for round in 0..12 {
        change.rewind();
        let mut runs = Vec::new();
        for _ in 0..3 {
            // The same at once, the opposite at once, and a look at the same time.
            runs.push((start(&change.project, &[]), "new"));
            runs.push((
                start(
                    if round % 2 == 0 {
                        &change.project
                    } else {
                        &other
                    },
                    &[],
                ),
                "other",
            ));
            runs.push((start(&change.project, &["--check"]), "check"));
        }
        for (run, what) in runs {
            let output = run.wait_with_output().expect("ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if what == "check" {
                assert_eq!(
                    output.status.code(),
                    Some(1),
                    "there are always foreign files"
                );
                assert!(
                    said.contains("is not what the spec says"),
                    "round {round}: {said}"
                );
                // It sees the one state or the other, never one on its way.
                let stale = said.contains("stale");
                assert_eq!(stale, said.contains("orphan"), "round {round}: {said}");
            } else {
                assert!(output.status.success(), "round {round}, {what}: {said}");
            }
        }
        let (now, old) = (change.state(), &change.old);
        assert!(
            now == change.new || round % 2 == 1 && now == *old,
            "round {round}"
        );
        assert!(!out.join(".gen-staging").exists(), "round {round}");
        change.assert_repairs(&format!("round {round}"));
    }
}

#[test]
#[ignore = "needs strace: run tests/run"]
fn a_file_that_somebody_writes_during_a_run_is_not_lost() {
    let change = Change::new();
    for path in ["example/1.0.0/k8s-1.22", "example/1.2.0/all.txt"] {
        change.rewind();
        // Time enough for somebody between the look and the move, each time.
        let runner = ["strace", "--output=/dev/null", "-e", "trace=renameat2"];
        let inject = ["-e", "inject=renameat2:delay_enter=200000"];
        let mut command = change
            .project
            .command(&[&runner[..], &inject[..]].concat(), "generated");
        let run = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        while !change.project.path("generated/.gen-staging").exists() {}
        sleep(Duration::from_millis(100));
        change
            .project
            .write(&format!("generated/{path}"), "mine too\n");
        let output = run.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("File exists"),
            "{path}: {said}"
        );
        let found = fs::read_to_string(change.project.path("generated").join(path));
        assert_eq!(found.expect("still there"), "mine too\n");
        fs::remove_file(change.project.path("generated").join(path)).expect("removed");
        change.assert_repairs(path);
    }
}

#[test]
fn a_link_that_comes_and_goes_leads_no_run_outside() {
    let change = Change::new();
    let out = change.project.path("generated");
    // The outside looks the same, so that whatever a run would do there would work.
    let outside = change.project.path("outside");
    copy(&out.join("example/1.0.0"), &outside.join("1.0.0"));
    let before = state(&outside);
    let swaps = [
        "example/1.0.0",
        "example/1.0.0/k8s-1.20",
        "example/1.0.0/k8s-1.20/by",
    ];
    thread::scope(|scope| {
        // Dropped at the end, also by a panic.
        let (_running, ended) = mpsc::channel::<()>();
        let (out, outside) = (&out, &outside);
        scope.spawn(move || {
            // Somebody puts a link into the place of a folder, and the folder back, all the time.
            for place in swaps.iter().cycle() {
                let (folder, aside) = (out.join(place), out.join("example/aside"));
                let target = outside.join(place.trim_start_matches("example/"));
                if fs::rename(&folder, &aside).is_ok() {
                    symlink(&target, &folder).expect("linked");
                    sleep(Duration::from_micros(500));
                    fs::remove_file(&folder).expect("removed");
                    fs::rename(&aside, &folder).expect("put back");
                }
                if ended.try_recv() == Err(TryRecvError::Disconnected) {
                    break;
                }
            }
        });
        for round in 0..60 {
            if round % 2 == 0 {
                old_specs(&change.project);
            } else {
                new_specs(&change.project);
            }
            let _ = change.project.run(&[]);
            assert_eq!(state(outside), before, "round {round}");
        }
    });
    new_specs(&change.project);
    change.rewind();
    change.assert_repairs("without the links");
}

#[test]
fn whatever_stands_in_the_way_stays_and_nothing_outside_is_touched() {
    let change = Change::new();
    let outside = change.project.path("outside");
    let folders_of = |path: &str| -> Vec<String> {
        path.match_indices('/')
            .map(|(slash, _)| path[..slash].to_owned())
            .collect()
    };
    let ours = change
        .old
        .keys()
        .chain(change.new.keys())
        .filter(|path| !path.contains("notes.txt") && !path.ends_with("link"));
    let places: BTreeSet<String> = ours
        .flat_map(|path| {
            let mut places = folders_of(path);
            places.push(path.clone());
            places
        })
        .collect();
    let (mut stopped, mut done) = (0, 0);
    for place in &places {
        for kind in ["link", "dangling link", "folder", "pipe"] {
            change.rewind();
            let out = change.project.path("generated");
            let _ = fs::remove_dir_all(&outside);
            fs::create_dir(&outside).expect("created");
            let (here, there) = (out.join(place), outside.join("it"));
            // What was here is outside, so that what a run would do there would work.
            if here.exists() {
                fs::rename(&here, &there).expect("moved");
            }
            fs::create_dir_all(here.parent().expect("a folder")).expect("created");
            match kind {
                "link" => symlink(&there, &here).expect("linked"),
                "dangling link" => symlink(outside.join("nothing"), &here).expect("linked"),
                "folder" => {
                    fs::create_dir(&here).expect("created");
                    fs::write(here.join("notes.txt"), "mine\n").expect("written");
                }
                _ => {
                    let made = Command::new("mkfifo")
                        .arg(&here)
                        .status()
                        .expect("mkfifo is there");
                    assert!(made.success());
                }
            }
            let what = format!("{kind} at {place}");
            let (before, theirs) = (state(&out), state(&outside));
            let output = change.project.run(&[]);
            let now = state(&out);
            assert_eq!(state(&outside), theirs, "{what}");
            if output.status.success() {
                done += 1;
            } else {
                stopped += 1;
                assert_eq!(now, before, "{what}: a run that is refused changes nothing");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(said.contains(place.as_str()), "{what}: {said}");
            }
            let mine = |state: &State| -> State {
                let is_mine = |path: &String| {
                    path.starts_with(place.as_str()) && !change.new.contains_key(path)
                        || path.contains("notes.txt")
                };
                state
                    .iter()
                    .filter(|(path, _)| is_mine(path))
                    .map(|(path, entry)| (path.clone(), entry.clone()))
                    .collect()
            };
            assert_eq!(mine(&now), mine(&before), "{what}");
            // Somebody takes it away again.
            if here.is_dir() && !here.is_symlink() {
                let _ = fs::remove_file(here.join("notes.txt"));
                let _ = fs::remove_dir(&here);
            } else if fs::symlink_metadata(&here).is_ok_and(|meta| !meta.is_file()) {
                fs::remove_file(&here).expect("removed");
            }
            if place.ends_with(".files") {
                // Without it nothing says that the old files are ours, and they stay too.
                continue;
            }
            change.project.expect(0, &[]);
            let now = change.state();
            let differs = |path: &&String| {
                now.get(*path) != change.new.get(*path)
                    && !path.contains("notes.txt")
                    && !path.ends_with("link")
            };
            assert_eq!(change.new.keys().find(differs), None, "{what}");
        }
    }
    println!("{stopped} stopped, {done} done");
    assert!(stopped > 50 && done > 10, "{stopped} stopped, {done} done");
}

#[test]
fn a_staging_folder_that_is_a_link_is_removed_as_a_link() {
    let change = Change::new();
    change.rewind();
    let outside = change.project.path("outside");
    change.project.write("outside/files/notes.txt", "mine\n");
    symlink(&outside, change.project.path("generated/.gen-staging")).expect("linked");
    change.assert_repairs("a link");
    assert_eq!(
        fs::read_to_string(outside.join("files/notes.txt")).expect("kept"),
        "mine\n"
    );
}

#[test]
fn a_name_that_cannot_be_told_stops_a_run_before_it_writes() {
    let project = project();
    old_specs(&project);
    project.expect(0, &[]);
    let odd = OsStr::from_bytes(b"generated/\xff");
    fs::write(project.root().join(odd), "mine\n").expect("written");
    new_specs(&project);
    let before = fs::read(project.path("generated/example/1.0.0/.files")).expect("the index");
    let said = project.expect(1, &[]);
    assert!(said.contains("is not UTF-8; move or rename it"), "{said}");
    let after = fs::read(project.path("generated/example/1.0.0/.files")).expect("the index");
    assert_eq!(before, after);
    assert!(!project.path("generated/example/1.2.0").exists());
    assert!(!project.path("generated/.gen-staging").exists());
}

/// An index says of files that they are ours. Somebody's file of that name says nothing.
#[test]
fn a_file_of_the_indexs_name_is_not_an_index() {
    let project = project();
    old_specs(&project);
    project.expect(0, &[]);
    project.write("generated/another/1.0.0/.files", "mine\n");
    project.write("generated/another/1.0.0/mine", "mine\n");
    let said = project.expect(0, &[]);
    let left = "left alone, not generated: generated/another\n";
    assert!(said.contains(left), "{said}");
    let said = project.expect(1, &["--check"]);
    assert!(said.contains(": 1 foreign\n"), "{said}");

    // Where an index belongs it stops the run.
    project.write("generated/example/1.0.0/.files", "notes.txt\n");
    project.write("generated/example/1.0.0/notes.txt", "mine\n");
    let before = state(&project.path("generated"));
    let said = project.expect(1, &[]);
    assert!(said.contains("generated/example/1.0.0/.files"), "{said}");
    assert_eq!(state(&project.path("generated")), before);
}
