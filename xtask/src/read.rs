//! A file on disk -> its bytes. Whatever this tool reads, it reads here: regular files alone, none
//! larger than its reader expects. So nothing waits for a pipe, and nothing fills the memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// The most bytes of a file that people write: many times as many as a real one has.
pub const WRITTEN: u64 = 1 << 20;
/// The most bytes of a file that this tool writes.
pub const MADE: u64 = 1 << 24;

/// Opens a regular file, or a link to one.
///
/// # Errors
/// When it cannot be opened, or is something else, such as a pipe or a device.
pub fn open(path: &Path) -> io::Result<File> {
    // Without waiting for the other end, should it be a pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file",
        ))
    }
}

/// The bytes of a regular file.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes; then of the kind `FileTooLarge`.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    // It may have grown, or be of the kind that does not know its size.
    if size > most || file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        let size = size.max(bytes.len() as u64);
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has {size} bytes, and no more than {most} are read"),
        ));
    }
    Ok(bytes)
}

/// The text of a regular file.
///
/// # Errors
/// When it cannot be read, has more than `most` bytes, or is not UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(
            ErrorKind::InvalidData,
            format!("it is not UTF-8 at byte {at}; save it as UTF-8"),
        )
    })
}

/// Whether a file's name says that it is for people or their editor: beside specs and templates,
/// which are all read, such files may be.
#[must_use]
pub fn is_note(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.ends_with(".md")
}
