//! A folder that nothing leaves. Every path is walked from the folder's own handle, name by name,
//! and a link on the way is an error. So whatever somebody puts into the place of a folder, also
//! while a run is on, nothing outside is written or deleted.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, mkdirat, openat, renameat, renameat_with,
    statat, unlinkat,
};
use rustix::io::Errno;

/// A folder on disk. Its paths are relative, of names joined by `/`.
#[derive(Debug)]
pub struct Beneath(File);

impl Beneath {
    /// Opens a folder. Its own path may lead through links.
    ///
    /// # Errors
    /// When it is no folder, or cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = openat(CWD, path, folder_flags(), Mode::empty())?;
        Ok(Self(File::from(folder)))
    }

    /// Waits until no other run has the folder, and keeps it as long as this value lives.
    ///
    /// # Errors
    /// When the file system has no locks.
    pub fn lock(&self) -> io::Result<()> {
        self.0.lock()
    }

    /// The folder that a path's last name is in, and the name.
    fn walk<'p>(&self, path: &'p str) -> io::Result<(OwnedFd, &'p str)> {
        let mut folder = OwnedFd::from(self.0.try_clone()?);
        let mut rest = path;
        while let Some((name, below)) = rest.split_once('/') {
            let flags = folder_flags() | OFlags::NOFOLLOW;
            folder = openat(&folder, named(name)?, flags, Mode::empty())?;
            rest = below;
        }
        Ok((folder, named(rest)?))
    }

    /// Whether there is a folder, and no link to one.
    #[must_use]
    pub fn is_folder(&self, path: &str) -> bool {
        self.walk(path)
            .and_then(|(folder, name)| Ok(statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?))
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
    }

    /// Creates a folder and the ones above it, as far as they are not there.
    ///
    /// # Errors
    /// When the disk refuses, or something else stands there.
    pub fn create_folders(&self, path: &str) -> io::Result<()> {
        let above = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        for path in above.chain([path]) {
            let (folder, name) = self.walk(path)?;
            match mkdirat(&folder, name, Mode::from_raw_mode(0o777)) {
                Err(Errno::EXIST) if self.is_folder(path) => {}
                made => made?,
            }
        }
        Ok(())
    }

    /// Creates a file of these bytes and this mode.
    ///
    /// # Errors
    /// When the disk refuses, or something stands there.
    pub fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let (folder, name) = self.walk(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&folder, name, flags, Mode::from_raw_mode(0o600))?);
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Moves a file over the one that is there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let ((source, from), (target, to)) = (self.walk(from)?, self.walk(to)?);
        Ok(renameat(&source, from, &target, to)?)
    }

    /// Moves a file or folder to a place where nothing is.
    ///
    /// # Errors
    /// When the disk refuses, or something stands there.
    pub fn place(&self, from: &str, to: &str) -> io::Result<()> {
        let ((source, from), (target, to)) = (self.walk(from)?, self.walk(to)?);
        match renameat_with(&source, from, &target, to, RenameFlags::NOREPLACE) {
            // A file system that cannot do both in one: look first, then move.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match statat(&target, to, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => Ok(renameat(&source, from, &target, to)?),
                    Err(error) => Err(error.into()),
                    Ok(_) => Err(Errno::EXIST.into()),
                }
            }
            moved => Ok(moved?),
        }
    }

    /// Deletes a file, or a link itself.
    ///
    /// # Errors
    /// When the disk refuses, or it is not there.
    pub fn remove_file(&self, path: &str) -> io::Result<()> {
        let (folder, name) = self.walk(path)?;
        Ok(unlinkat(&folder, name, AtFlags::empty())?)
    }

    /// Deletes a folder that is empty.
    ///
    /// # Errors
    /// When it is not empty or not there, or the disk refuses.
    pub fn remove_folder(&self, path: &str) -> io::Result<()> {
        let (folder, name) = self.walk(path)?;
        Ok(unlinkat(&folder, name, AtFlags::REMOVEDIR)?)
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// A name that stays in its folder.
fn named(name: &str) -> io::Result<&str> {
    match name {
        "" | "." | ".." => Err(Errno::INVAL.into()),
        name => Ok(name),
    }
}
