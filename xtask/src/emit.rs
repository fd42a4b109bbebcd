//! Trees -> disk. The only module that writes: compare, write, prune.
//!
//! `gen` owns exactly the files that a release's index lists. Anything else is foreign: it is
//! reported and never touched. Files are staged beside their place and renamed into it, so that a
//! file is either the old one or the new one, also when the run is killed; whatever is left behind
//! is put right by the next run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rayon::prelude::*;
use walkdir::WalkDir;

use crate::beneath::Beneath;
use crate::read;
use crate::text::version_order;
use crate::tree::{Artifact, Selection, Tree};
use crate::whole::at;

/// The index of a release's folder: the files that `gen` owns.
const INDEX: &str = ".files";
/// Where files are staged, in the output folder; only ever a dead run's when it is found.
const STAGING: &str = ".gen-staging";
/// What belongs in the folder of a release that has no spec any more.
static NOTHING: BTreeMap<String, Artifact> = BTreeMap::new();
const INDEX_HEADER: &str =
    "# The files that `cargo xtask gen` owns in this folder, this one aside. Do not edit.\n";

/// How a path on disk differs from what the spec says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The file has another text or mode.
    Stale,
    /// The file is not there.
    Missing,
    /// The index lists the file, and it no longer belongs.
    Orphan,
    /// Something that no index lists.
    Foreign,
}

/// One path that differs.
#[derive(Debug)]
pub struct Difference {
    /// The path below the output folder.
    pub path: String,
    /// How it differs.
    pub drift: Drift,
    /// Whether a generated file belongs at this path.
    pub expected: bool,
}

/// What a run wrote and deleted.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files that were written.
    pub written: usize,
    /// Orphans that were deleted.
    pub deleted: usize,
    /// Files that were right already.
    pub unchanged: usize,
    /// Paths below the output folder that no index lists, left as they are.
    pub foreign: Vec<String>,
}

/// The expected state of one release's folder, and what is on disk.
struct Folder<'t> {
    /// `huawei-csi/4.5.0`
    name: String,
    expected: BTreeMap<String, &'t Artifact>,
    /// The index that belongs there; empty where no file does.
    index: Artifact,
    listed: BTreeSet<String>,
    has_index: bool,
    differences: Vec<Difference>,
}

/// All differences between trees and the output folder, by path. `whole` says that the trees are
/// all that belongs there; else only their selections are looked at.
///
/// # Errors
/// When the folder cannot be read, or an index lists a path outside its folder.
pub fn compare(out: &Path, trees: &[Tree], whole: bool) -> Result<Vec<Difference>, String> {
    // Held until the end: a run that writes is waited for, where the file system has locks.
    #[expect(clippy::disallowed_methods, reason = "a folder, to lock it")]
    let lock = File::open(out);
    let _lock = lock.and_then(|out| out.lock_shared().map(|()| out));
    let mut differences: Vec<_> = folders(out, trees, whole)?
        .into_iter()
        .flat_map(|folder| folder.differences)
        .collect();
    if whole {
        differences.extend(strays(out, trees)?);
    }
    differences.sort_by(|a, b| version_order(&a.path).cmp(&version_order(&b.path)));
    Ok(differences)
}

/// Makes the output folder what the trees say, touching only what differs.
///
/// # Errors
/// When a foreign file stands where a generated one belongs, or the disk refuses; what was there
/// is then still there, and the next run goes on.
pub fn write(out: &Path, trees: &[Tree], whole: bool) -> Result<Outcome, String> {
    fs::create_dir_all(out).map_err(at("create", out))?;
    let disk = Beneath::open(out).map_err(at("open", out))?;
    // Held until the end: two runs at once take turns.
    disk.lock().map_err(at("lock", out))?;
    let staging = out.join(STAGING);
    remove_if_there(fs::remove_dir_all(&staging)).map_err(at("delete", &staging))?;

    let folders = folders(out, trees, whole)?;
    let blocked: Vec<_> = folders
        .iter()
        .flat_map(|folder| &folder.differences)
        .filter(|difference| difference.drift == Drift::Foreign && difference.expected)
        .map(|difference| format!("\n  {}", out.join(&difference.path).display()))
        .collect();
    if !blocked.is_empty() {
        return Err(format!(
            "something that `gen` did not write stands where generated files belong; move or \
             delete:{}",
            blocked.concat()
        ));
    }
    let strays = if whole {
        strays(out, trees)?
    } else {
        Vec::new()
    };
    let outcome = stage_and_move(out, &disk, &folders);
    let cleared = remove_if_there(fs::remove_dir_all(&staging)).map_err(at("delete", &staging));
    let mut outcome = outcome?;
    cleared?;
    let left = folders.into_iter().flat_map(|folder| folder.differences);
    let foreign = left
        .chain(strays)
        .filter(|difference| difference.drift == Drift::Foreign);
    outcome.foreign = foreign.map(|difference| difference.path).collect();
    outcome
        .foreign
        .sort_by(|a, b| version_order(a).cmp(&version_order(b)));
    Ok(outcome)
}

fn stage_and_move(out: &Path, disk: &Beneath, folders: &[Folder<'_>]) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    let mut first = Staged::new(out, disk, "files");
    let mut last = Staged::new(out, disk, "indexes");

    // Everything is staged before anything is moved, so that a full disk changes nothing.
    for folder in folders {
        let writes = folder.writes();
        // The index is one of the files that `gen` owns.
        let index = usize::from(!folder.index.text.is_empty());
        let changed = writes.len() + index.min(usize::from(folder.index_differs()));
        outcome.unchanged += folder.expected.len() + index - changed;
        outcome.written += changed;
        // The index lists a file before the file is there, and until it is gone: a run that dies
        // in between has left nothing that the next one takes for foreign.
        let both = folder
            .listed
            .iter()
            .chain(folder.expected.keys())
            .map(String::as_str);
        let interim = index_of(both.collect::<BTreeSet<_>>().into_iter());
        let index_path = format!("{}/{INDEX}", folder.name);
        let prunes = interim.text != folder.index.text;
        if prunes || folder.index_differs() {
            first.stage(&index_path, &interim, folder.has_index)?;
        }
        for (path, is_there) in writes {
            let artifact = folder.expected[path];
            first.stage(&format!("{}/{path}", folder.name), artifact, is_there)?;
        }
        if prunes && !folder.index.text.is_empty() {
            last.stage(&index_path, &folder.index, true)?;
        }
    }
    first.put()?;
    let orphans = folders.iter().flat_map(|folder| &folder.differences);
    let orphans = orphans.filter(|difference| difference.drift == Drift::Orphan);
    // An index goes last: it is what says that the other files are ours.
    let (indexes, files): (Vec<_>, Vec<_>) =
        orphans.partition(|orphan| orphan.path.ends_with("/.files"));
    for orphan in files.into_iter().chain(indexes) {
        let removed = remove_if_there(disk.remove_file(&orphan.path));
        removed.map_err(at("delete", &out.join(&orphan.path)))?;
        outcome.deleted += 1;
        remove_empty_folders(disk, &orphan.path);
    }
    last.put()?;
    Ok(outcome)
}

/// Files that wait in the output folder, under the paths that they will have in it.
struct Staged<'a> {
    out: &'a Path,
    disk: &'a Beneath,
    /// The folder that they wait in.
    root: String,
    /// Their paths, and whether each takes the place of an old file.
    files: Vec<(String, bool)>,
    /// Folders known to be in the output folder, or not.
    there: HashMap<String, bool>,
}

impl<'a> Staged<'a> {
    fn new(out: &'a Path, disk: &'a Beneath, name: &str) -> Self {
        Self {
            out,
            disk,
            root: format!("{STAGING}/{name}"),
            files: Vec::new(),
            there: HashMap::new(),
        }
    }

    fn stage(&mut self, path: &str, artifact: &Artifact, replaces: bool) -> Result<(), String> {
        let staged = format!("{}/{path}", self.root);
        if self
            .files
            .last()
            .is_none_or(|(last, _)| folder_of(last) != folder_of(path))
        {
            let folder = folder_of(&staged);
            let created = self.disk.create_folders(folder);
            created.map_err(at("create", &self.out.join(folder)))?;
        }
        let mode = if artifact.executable { 0o755 } else { 0o644 };
        let created = self.disk.create(&staged, artifact.text.as_bytes(), mode);
        created.map_err(at("write", &self.out.join(staged)))?;
        self.files.push((path.to_owned(), replaces));
        Ok(())
    }

    /// Moves everything into place: a folder that is not there yet as a whole, else file by file.
    fn put(&mut self) -> Result<(), String> {
        let mut moved: Option<String> = None;
        for (path, replaces) in std::mem::take(&mut self.files) {
            if moved
                .as_ref()
                .is_some_and(|folder| path.starts_with(folder.as_str()))
            {
                continue;
            }
            let folders = path.match_indices('/').map(|(slash, _)| &path[..slash]);
            let absent = folders
                .into_iter()
                .find(|folder| !self.is_there(folder))
                .map(str::to_owned);
            let unit = absent.as_deref().unwrap_or(&path);
            let staged = format!("{}/{unit}", self.root);
            // Where nothing was, somebody may have put something meanwhile.
            let put = if replaces {
                self.disk.replace(&staged, unit)
            } else {
                self.disk.place(&staged, unit)
            };
            put.map_err(at("write", &self.out.join(unit)))?;
            moved = absent.map(|folder| format!("{folder}/"));
        }
        Ok(())
    }

    fn is_there(&mut self, folder: &str) -> bool {
        if let Some(there) = self.there.get(folder) {
            return *there;
        }
        let there = self.disk.is_folder(folder);
        self.there.insert(folder.to_owned(), there);
        there
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Folder<'_> {
    /// The expected files that are missing or stale, and whether there is an old one.
    fn writes(&self) -> Vec<(&str, bool)> {
        let own = |difference: &Difference| {
            let path = difference
                .path
                .strip_prefix(&self.name)?
                .strip_prefix('/')?;
            let (path, _) = self.expected.get_key_value(path)?;
            match difference.drift {
                Drift::Stale => Some((path.as_str(), true)),
                Drift::Missing => Some((path.as_str(), false)),
                Drift::Orphan | Drift::Foreign => None,
            }
        };
        self.differences.iter().filter_map(own).collect()
    }

    fn index_differs(&self) -> bool {
        self.differences
            .iter()
            .any(|difference| difference.expected && difference.path.ends_with("/.files"))
    }
}

fn folders<'t>(out: &Path, trees: &'t [Tree], whole: bool) -> Result<Vec<Folder<'t>>, String> {
    let mut folders = Vec::new();
    for tree in trees {
        folders.push(folder(out, &tree.folder, &tree.files, &tree.selection)?);
    }
    if whole {
        for name in indexed_folders(out)? {
            if trees.iter().all(|tree| tree.folder != name) {
                folders.push(folder(out, &name, &NOTHING, &Selection::Everything)?);
            }
        }
    }
    Ok(folders)
}

/// Compares one release's folder.
fn folder<'t>(
    out: &Path,
    name: &str,
    files: &'t BTreeMap<String, Artifact>,
    selection: &Selection,
) -> Result<Folder<'t>, String> {
    let root = out.join(name);
    let link = linked_ancestor(out, name);
    let known = match link {
        None => read_index(&root.join(INDEX))?,
        Some(_) => None,
    };
    let has_index = known.is_some();
    let listed = known.unwrap_or_default();
    let outside = listed
        .iter()
        .filter(|path| !selection.includes(path))
        .map(String::as_str);
    let index = index_of(
        outside
            .chain(files.keys().map(String::as_str))
            .collect::<BTreeSet<_>>()
            .into_iter(),
    );
    let mut folder = Folder {
        name: name.to_owned(),
        expected: files
            .iter()
            .map(|(path, artifact)| (path.clone(), artifact))
            .collect(),
        index,
        listed,
        has_index,
        differences: Vec::new(),
    };

    // A link in the place of the folder would have us write where it points.
    if let Some(link) = link {
        folder.differences.push(Difference {
            path: link,
            drift: Drift::Foreign,
            expected: true,
        });
        return Ok(folder);
    }
    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    if root.try_exists().map_err(at("read", &root))? {
        for entry in WalkDir::new(&root).min_depth(1) {
            let entry = entry.map_err(|error| format!("cannot read the output: {error}"))?;
            if !entry.file_type().is_dir() {
                let path = relative(&root, entry.path())?;
                found.insert(path, entry.file_type().is_file());
            }
        }
    }
    let in_the_way = |path: &str| {
        let mut above = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        above
            .find(|folder| found.contains_key(*folder))
            .map(str::to_owned)
    };
    let mut differ = |path: &str, drift, expected| {
        let path = format!("{name}/{path}");
        if folder
            .differences
            .iter()
            .rev()
            .take(1)
            .all(|last| last.path != path)
        {
            folder.differences.push(Difference {
                path,
                drift,
                expected,
            });
        }
    };
    let is_own = |path: &str| folder.listed.contains(path) || (path == INDEX && folder.has_index);
    let index_path = (!folder.index.text.is_empty()).then_some((INDEX, &folder.index));
    let expected: Vec<(&str, &Artifact)> = files
        .iter()
        .map(|(path, artifact)| (path.as_str(), artifact))
        .chain(index_path)
        .collect();
    let states: Vec<State> = expected
        .par_iter()
        .map(|(path, artifact)| match found.get(*path) {
            Some(true) => state(&root.join(path), artifact),
            Some(false) => Ok(State::NoFile),
            None => Ok(State::Missing),
        })
        .collect::<Result<_, _>>()?;
    for ((path, _), state) in expected.into_iter().zip(states) {
        if let Some(other) = in_the_way(path) {
            differ(&other, Drift::Foreign, true);
            continue;
        }
        match state {
            State::Same => {}
            State::Missing if root.join(path).is_dir() => differ(path, Drift::Foreign, true),
            State::Missing => differ(path, Drift::Missing, true),
            State::OtherText if is_own(path) => differ(path, Drift::Stale, true),
            State::NoFile | State::OtherText => differ(path, Drift::Foreign, true),
            State::OtherMode => differ(path, Drift::Stale, true),
        }
    }
    for (path, is_file) in &found {
        if files.contains_key(path)
            || !selection.includes(path)
            || index_path.is_some_and(|(index, _)| path == index)
        {
            continue;
        }
        let own = *is_file && is_own(path);
        differ(
            path,
            if own { Drift::Orphan } else { Drift::Foreign },
            false,
        );
    }
    Ok(folder)
}

/// What is in the output folder and in no release's folder. Of a folder that is not ours, its name
/// is enough: others' folders are not walked.
fn strays(out: &Path, trees: &[Tree]) -> Result<Vec<Difference>, String> {
    let folders: BTreeSet<String> = indexed_folders(out)?
        .into_iter()
        .chain(trees.iter().map(|tree| tree.folder.clone()))
        .collect();
    let products: BTreeSet<&str> = folders.iter().map(|folder| folder_of(folder)).collect();
    let mut strays = Vec::new();
    let mut entries = two_levels(out);
    while let Some(entry) = entries.next() {
        // What cannot be looked at is not ours either; only the output folder itself has to be read.
        let (path, is_folder) = match &entry {
            Ok(entry) => (entry.path(), entry.file_type().is_dir()),
            Err(error) if error.io_error().is_some_and(|io| io.kind() == NotFound) => continue,
            Err(error) if error.depth() == 0 => {
                return Err(format!("cannot read the output: {error}"));
            }
            Err(error) => (error.path().unwrap_or(out), false),
        };
        let path = relative(out, path)?;
        if is_folder && products.contains(path.as_str()) {
            continue;
        }
        if is_folder {
            entries.skip_current_dir();
            let is_empty = fs::read_dir(out.join(&path)).is_ok_and(|all| all.count() == 0);
            if path == STAGING || folders.contains(&path) || is_empty {
                continue;
            }
        }
        strays.push(Difference {
            path,
            drift: Drift::Foreign,
            expected: false,
        });
    }
    Ok(strays)
}

/// The folders two levels down that have an index.
fn indexed_folders(out: &Path) -> Result<BTreeSet<String>, String> {
    let mut folders = BTreeSet::new();
    for entry in two_levels(out).filter_map(Result::ok) {
        if entry.depth() < 2 || !entry.file_type().is_dir() {
            continue;
        }
        let index = entry.path().join(INDEX);
        let found = match is_index(&index) {
            // A folder that is closed to us is somebody else's.
            Err(error) if error.kind() == PermissionDenied && !index.exists() => false,
            found => found.map_err(at("read", &index))?,
        };
        if found {
            folders.insert(relative(out, entry.path())?);
        }
    }
    Ok(folders)
}

/// The folders of products and of releases in the output folder, and what is beside them.
fn two_levels(out: &Path) -> walkdir::IntoIter {
    WalkDir::new(out).min_depth(1).max_depth(2).into_iter()
}

/// Whether there is an index of ours, by its first line: a file of that name may be anybody's, that
/// line is not. A link or a pipe in its place is nothing to read. An index that cannot be read is not
/// an index that is not there: without it our own files would be foreign.
fn is_index(path: &Path) -> io::Result<bool> {
    let meta = match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(false),
        meta => meta?,
    };
    if !meta.is_file() {
        return Ok(false);
    }
    let file = read::open(path)?;
    let mut head = Vec::new();
    let length = INDEX_HEADER.len() as u64;
    file.take(length).read_to_end(&mut head)?;
    Ok(head == INDEX_HEADER.as_bytes())
}

/// The paths that an index lists, where there is one.
fn read_index(path: &Path) -> Result<Option<BTreeSet<String>>, String> {
    if !is_index(path).map_err(at("read", path))? {
        return Ok(None);
    }
    let text = read::text(path, read::MADE).map_err(at("read", path))?;
    let mut listed = BTreeSet::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let sound = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !line.split('/').all(sound) {
            return Err(format!(
                "the index {} lists {line:?}, which is not a path inside its folder; restore the \
                 index",
                path.display()
            ));
        }
        listed.insert(line.to_owned());
    }
    Ok(Some(listed))
}

fn index_of<'p>(paths: impl Iterator<Item = &'p str>) -> Artifact {
    let mut lines = String::new();
    for path in paths.filter(|path| *path != INDEX) {
        lines.push_str(path);
        lines.push('\n');
    }
    let text = if lines.is_empty() {
        lines
    } else {
        format!("{INDEX_HEADER}{lines}")
    };
    Artifact {
        text,
        executable: false,
        body: None,
        loose: false,
    }
}

/// What is on disk where a file belongs.
enum State {
    Missing,
    /// A link, a socket or the like.
    NoFile,
    Same,
    OtherText,
    OtherMode,
}

fn state(path: &Path, artifact: &Artifact) -> Result<State, String> {
    let mut file = read::open(path).map_err(at("read", path))?;
    let meta = file.metadata().map_err(at("read", path))?;
    if meta.len() != artifact.text.len() as u64 {
        return Ok(State::OtherText);
    }
    // Part by part: a whole file would go through the memory twice.
    let mut buffer = [0; 1 << 14];
    for part in artifact.text.as_bytes().chunks(buffer.len()) {
        let found = &mut buffer[..part.len()];
        file.read_exact(found).map_err(at("read", path))?;
        if found != part {
            return Ok(State::OtherText);
        }
    }
    // Only the owner's right to execute is the file's own; the rest is the umask's.
    let executable = meta.permissions().mode() & 0o100 != 0;
    Ok(if executable == artifact.executable {
        State::Same
    } else {
        State::OtherMode
    })
}

/// The first part of `name` below `out` that is a link or no folder.
fn linked_ancestor(out: &Path, name: &str) -> Option<String> {
    let ends = name
        .match_indices('/')
        .map(|(slash, _)| slash)
        .chain([name.len()]);
    ends.map(|end| &name[..end])
        .find(|part| {
            out.join(part)
                .symlink_metadata()
                .is_ok_and(|meta| !meta.is_dir())
        })
        .map(str::to_owned)
}

/// Removes the folders above a path in the output folder, as far as they are empty.
fn remove_empty_folders(disk: &Beneath, path: &str) {
    let above = path.rmatch_indices('/').map(|(slash, _)| &path[..slash]);
    for folder in above {
        if disk.remove_folder(folder).is_err() {
            break;
        }
    }
}

fn relative(root: &Path, path: &Path) -> Result<String, String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_str().map(str::to_owned).ok_or_else(|| {
        format!(
            "the path {} is not UTF-8; move or rename it",
            path.display()
        )
    })
}

fn remove_if_there(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == NotFound => Ok(()),
        other => other,
    }
}
