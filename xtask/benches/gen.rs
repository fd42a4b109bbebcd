//! How long `gen` takes and how much memory, by comparison: `cargo bench --bench gen`.
//!
//! Two commands take turns, and a figure is the median of the ratios of their times, so that it
//! says little about the machine. Nothing fails for being slow: the target stands beside the
//! figure. It takes under a minute on two cores.

mod figures;

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use figures::{heading, median, report};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Pairs of runs behind a figure of the real table, and of a synthetic one.
const REAL_PAIRS: usize = 21;
const SYNTHETIC_PAIRS: usize = 7;
/// Kubernetes minors of the synthetic tables.
const MINORS: usize = 40;

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("left out: `cargo bench` measures");
        return Ok(());
    }
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-gen");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = |name: &str, spec: PathBuf| Table {
        spec,
        templates: repository.join("templates"),
        folder: scratch.join(name),
    };
    let real = table("real", repository.join("spec"));
    let small = table("100", synthetic(&scratch.join("spec-100"), 100)?);
    let large = table("1000", synthetic(&scratch.join("spec-1000"), 1000)?);
    for table in [&real, &small, &large] {
        table.prepare()?;
    }

    heading();
    for (title, table, pairs, gen_target, check_target) in [
        ("real table", &real, REAL_PAIRS, "1.5", "2.0"),
        (
            "1,000 components x 40",
            &large,
            SYNTHETIC_PAIRS,
            "5.0",
            "4.0",
        ),
    ] {
        let written = pairs_of(pairs, || table.timed_gen(), || table.timed_copy())?;
        report(&format!("{title}: gen / cp -r"), &written, gen_target);
        let checked = pairs_of(
            pairs,
            || timed(&mut table.check()),
            || timed(&mut table.diff()),
        )?;
        report(
            &format!("{title}: gen --check / diff -r"),
            &checked,
            check_target,
        );
    }
    let mut per_byte = pairs_of(SYNTHETIC_PAIRS, || large.timed_gen(), || small.timed_gen())?;
    let (large_bytes, small_bytes) = (bytes(&large.output())?, bytes(&small.output())?);
    for (of_large, of_small) in &mut per_byte {
        *of_large /= large_bytes;
        *of_small /= small_bytes;
    }
    let title = "time per output byte: 1,000 x 40 / 100 x 40";
    let (first, second) = (median(&per_byte, |p| p.0), median(&per_byte, |p| p.1));
    let ratio = median(&per_byte, |(first, second)| first / second);
    println!(
        "{title:50} {ratio:5.2}   <= 1.0 {:7.2} ns {:7.2} ns",
        first * 1e9,
        second * 1e9
    );
    let title = "memory per output byte: 1,000 x 40 / 100 x 40";
    let (first, second) = (large.peak()? / large_bytes, small.peak()? / small_bytes);
    println!(
        "{title:50} {:5.2}   <= 1.0 {first:8.2} B {second:8.2} B",
        first / second
    );
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// A spec, and a folder for what is made of it.
struct Table {
    spec: PathBuf,
    templates: PathBuf,
    folder: PathBuf,
}

impl Table {
    fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    fn copy(&self) -> PathBuf {
        self.folder.join("copy")
    }

    fn generate(&self, out: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("gen").arg("--spec").arg(&self.spec);
        command.arg("--templates").arg(&self.templates);
        command.arg("--out").arg(out);
        command
    }

    fn check(&self) -> Command {
        let mut command = self.generate(&self.output());
        command.arg("--check");
        command
    }

    fn copy_to(&self, to: &Path) -> Command {
        let mut command = Command::new("cp");
        command.arg("-r").arg(self.output()).arg(to);
        command
    }

    fn diff(&self) -> Command {
        let mut command = Command::new("diff");
        command.arg("-r").arg(self.output()).arg(self.copy());
        command
    }

    /// Makes the output and a copy of it, which is the warm-up too.
    fn prepare(&self) -> Outcome<()> {
        fs::create_dir_all(&self.folder)?;
        timed(&mut self.generate(&self.output()))?;
        timed(&mut self.copy_to(&self.copy()))?;
        timed(&mut self.check())?;
        timed(&mut self.diff())?;
        Ok(())
    }

    /// The time of a whole `gen` into an empty folder.
    fn timed_gen(&self) -> Outcome<f64> {
        let out = self.folder.join("new");
        let time = timed(&mut self.generate(&out))?;
        fs::remove_dir_all(&out)?;
        Ok(time)
    }

    fn timed_copy(&self) -> Outcome<f64> {
        let out = self.folder.join("new");
        let time = timed(&mut self.copy_to(&out))?;
        fs::remove_dir_all(&out)?;
        Ok(time)
    }

    /// The most memory that a whole `gen` has had, in bytes, as the kernel counts it.
    fn peak(&self) -> Outcome<f64> {
        let out = self.folder.join("new");
        let mut child = self.generate(&out).stdout(Stdio::null()).spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait()?.is_none() {
            let text = fs::read_to_string(&status)?;
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            // None once it has ended and is not waited for.
            if let Some(line) = line {
                peak = line.trim().trim_end_matches(" kB").parse::<u32>()?;
            }
            thread::sleep(Duration::from_millis(1));
        }
        fs::remove_dir_all(&out)?;
        Ok(f64::from(peak) * 1024.0)
    }
}

/// How many seconds a command takes, which has to succeed.
fn timed(command: &mut Command) -> Outcome<f64> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let time = start.elapsed().as_secs_f64();
    if status.success() {
        Ok(time)
    } else {
        Err(format!("{command:?} failed: {status}").into())
    }
}

/// The times of two commands that take turns.
fn pairs_of(
    pairs: usize,
    first: impl Fn() -> Outcome<f64>,
    second: impl Fn() -> Outcome<f64>,
) -> Outcome<Vec<(f64, f64)>> {
    (0..pairs).map(|_| Ok((first()?, second()?))).collect()
}

/// The bytes of all files below a folder.
fn bytes(folder: &Path) -> Outcome<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() {
            self::bytes(&entry.path())?
        } else {
            f64::from(u32::try_from(meta.len())?)
        };
    }
    Ok(bytes)
}

/// Writes a table of so many components, half of which change their image at some minor.
fn synthetic(folder: &Path, components: usize) -> Outcome<PathBuf> {
    let mut product = r#"schema = 2
title.en = "Synthetic"
title.zh-CN = "合成"

[chart]
name = "synthetic"
folder = "helm/synthetic"
release-name = "synthetic"
namespace = "synthetic"

[workload.synthetic-controller]
kind = "Deployment"
service-account = "synthetic"
"#
    .to_owned();
    let mut release = format!(
        "schema = 2\nkubernetes = [\"v1.1-v1.{MINORS}\"]\narchitectures = [\"amd64\", \"arm64\"]\n\n[images]\n"
    );
    for number in 0..components {
        let group = number % 10;
        let name = format!("component-{number:04}");
        write!(
            product,
            r#"
[component.{name}]
workloads = ["synthetic-controller"]
helm = "images.group{group}.component{number:04}"
description.en = "Component {number} of a synthetic table, described at about the length that a real one has in its table."
description.zh-CN = "合成表中的第{number}个组件，描述的长度与真实表格中的组件大致相同。"
"#
        )?;
        let reference = format!("registry.example/group-{group}/{name}");
        let mut row = |tag: &str, kubernetes: &str| {
            writeln!(release, "{name}.\"{kubernetes}\" = \"{reference}:{tag}\"")
        };
        if number % 2 == 0 {
            row("v1.0.0", "v1.1+")?;
        } else {
            let change = 2 + number % (MINORS - 1);
            row("v1.0.0", &format!("v1.1-v1.{}", change - 1))?;
            row("v2.0.0", &format!("v1.{change}+"))?;
        }
    }
    let files = folder.join("synthetic");
    fs::create_dir_all(&files)?;
    fs::write(files.join("product.toml"), product)?;
    fs::write(files.join("1.0.0.toml"), release)?;
    Ok(folder.to_owned())
}
