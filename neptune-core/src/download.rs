//! Writing the content of objects out: each file appears whole, checked against what was logged, or not at all, and never
//! outside of the folder that it is to go to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Component, Path, PathBuf},
};

use neptune_format::{ObjectId, VariablePath};
use rustix::fs::OFlags;
use uuid::Uuid;

use crate::{
    error::{Error, ErrorKind, Result},
    objects::{Part, copied},
};

/// The path of `name` in `folder`. Names come from stores that anybody may have written, so they are not trusted.
///
/// ```
/// use std::path::Path;
/// use neptune_core::download::within;
/// assert_eq!(within(Path::new("out"), "data/a.txt")?, Path::new("out/data/a.txt"));
/// assert!(within(Path::new("out"), "../a.txt").is_err());
/// # Ok::<(), neptune_core::Error>(())
/// ```
///
/// # Errors
/// `Corrupt` when `name` leads out of the folder or cannot be a name; `NotADirectory` when a folder on the way is a link, which
/// may lead anywhere.
pub fn within(folder: &Path, name: &str) -> Result<PathBuf> {
    check_name(name)?;
    let mut path = folder.to_owned();
    let mut components = Path::new(name).components().peekable();
    while let Some(component) = components.next() {
        let Component::Normal(part) = component else { return Err(no_name(name)) };
        path.push(part);
        // What is at the end is replaced and not followed.
        if components.peek().is_some() && path.is_symlink() {
            let link = path.display();
            return Err(Error::new(
                ErrorKind::NotADirectory,
                format!("{link} is a link, which may lead out of the folder; choose another folder"),
            ));
        }
    }
    Ok(path)
}

/// Whether `name` can be the path of a file.
///
/// # Errors
/// `Corrupt` when not: nothing of that name was ever logged.
pub(crate) fn check_name(name: &str) -> Result<()> {
    VariablePath::new(name).map(drop).map_err(|_error| no_name(name))
}

fn no_name(name: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{name:?} is no name for a file, so nothing was written for it"))
}

/// The folder that a download goes to, made when it is not there; without one the current one.
///
/// # Errors
/// `NotADirectory` when something else is there, or on the way; `Unavailable` when it cannot be made.
pub(crate) fn folder(destination: Option<&Path>) -> Result<PathBuf> {
    let Some(folder) = destination.filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(PathBuf::new()) };
    fs::create_dir_all(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            let shown = folder.display();
            Error::new(ErrorKind::NotADirectory, format!("{shown} is not a folder; name another")).because(error)
        }
        _ => Error::new(ErrorKind::Unavailable, format!("cannot make the folder {}", folder.display())).because(error),
    })?;
    Ok(folder.to_owned())
}

/// Writes the content in the file `source` to `target`, which appears when it is whole, in place of what has this name. Shares
/// blocks where the file system can. `what` names the content in messages; `object` is what its hash must be; `progress` is
/// told how many bytes were done since the last time. Returns how many there are.
///
/// A process that is killed may leave a hidden file `.neptune-ID.part` beside `target`. A device or a pipe is never replaced.
///
/// # Errors
/// `FileNotFound` when `source` is not there; `Corrupt` when its content is not what was logged; `Unavailable` when it cannot
/// be read or `target` cannot be written. What had the name of `target` is still there then.
pub fn write_out(
    what: &str,
    source: &Path,
    object: Option<ObjectId>,
    target: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    let from = open(what, source)?;
    let part = begin(target).map_err(|error| cannot_write(target, error))?;
    let (found, size) = copy(from, &part.file, progress).map_err(|error| cannot_write(target, error))?;
    if object.is_some_and(|object| object != found) {
        return Err(not_what_was_logged(what));
    }
    fail::fail_point!("download-written");
    finish(part, target).map_err(|error| cannot_write(target, error))?;
    Ok(size)
}

/// Writes the content in the file `source` to `to`, which is told only at the end whether that was what was logged: for a pipe or a
/// device, which has no name to appear under. What the arguments are, and what is returned, says [`write_out`].
///
/// # Errors
/// As [`write_out`], of what has been written by then.
pub fn stream_out(
    what: &str,
    source: &Path,
    object: Option<ObjectId>,
    to: &mut impl Write,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    let mut from = open(what, source)?;
    let (found, size) = copied(&mut from, to, progress)
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("cannot write {what}")).because(error))?;
    if object.is_some_and(|object| object != found) {
        return Err(not_what_was_logged(what));
    }
    Ok(size)
}

/// Makes `target` of what `write` writes to the file that it is given. It appears when that is done, in place of what has this
/// name.
///
/// # Errors
/// What `write` says; `Unavailable` when `target` cannot be written. What had its name is still there then.
pub fn whole<T, E: From<Error>>(
    target: &Path,
    write: impl FnOnce(&File) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let part = begin(target).map_err(|error| cannot_write(target, error))?;
    let written = write(&part.file)?;
    finish(part, target).map_err(|error| cannot_write(target, error))?;
    Ok(written)
}

/// Whether the content in the file `source` is what was logged as `object`. `progress` is told how many bytes were read since the
/// last time.
///
/// # Errors
/// When it cannot be read.
pub fn is_whole(source: &Path, object: ObjectId, progress: &mut dyn FnMut(u64)) -> io::Result<bool> {
    let (found, _) = copied(&mut open_file(source)?, &mut io::sink(), progress)?;
    Ok(found == object)
}

/// The content in the file `source`; an error when its hash is not `object`.
pub(crate) fn read_whole(what: &str, source: &Path, object: ObjectId) -> Result<Vec<u8>> {
    let mut from = open(what, source)?;
    let mut bytes = Vec::new();
    let (found, _) = copied(&mut from, &mut bytes, &mut |_| ()).map_err(|error| cannot_read(what, error))?;
    if found == object { Ok(bytes) } else { Err(not_what_was_logged(what)) }
}

/// The PNG file of the pixels in a file that logged pixels are kept in until they are encoded.
///
/// # Errors
/// When these are no pixels.
#[cfg(feature = "images")]
pub fn png(pixels: &[u8]) -> io::Result<Vec<u8>> {
    crate::encoder::png(pixels)
}

/// Opens the file `source` that holds content, and nothing else: a link could lead to any file of this machine, and whoever opens
/// a pipe waits until somebody writes to it. Folders come from machines and people that need not be trusted.
///
/// # Errors
/// `NotFound` when nothing is there, `InvalidData` when it is no file, and those of the disk.
pub fn open_file(source: &Path) -> io::Result<File> {
    let is_none = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{} is {what}", source.display()));
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(source).map_err(|error| {
        let is_link = fs::symlink_metadata(source).is_ok_and(|there| there.is_symlink());
        if is_link { is_none("a link, not the file itself") } else { error }
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(is_none("a folder, a pipe or a device, not a file")) }
}

/// Opens the content of `what`.
pub(crate) fn open(what: &str, source: &Path) -> Result<File> {
    open_file(source).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let source = source.display();
            let message = format!("the content of {what} is missing: {source} is not there; see `neptune doctor`");
            Error::new(ErrorKind::FileNotFound, message)
        }
        _ => cannot_read(what, error),
    })
}

/// A file beside `target` that is to become it.
pub(crate) fn begin(target: &Path) -> io::Result<Part> {
    if let Ok(there) = fs::symlink_metadata(target)
        && !there.is_file()
        && !there.is_symlink()
    {
        // Root could give the name of a device or a pipe to a file, and nobody would find the device again.
        let what = if there.is_dir() { "a folder" } else { "a device or a pipe" };
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("it is {what}")));
    }
    let path = target.with_file_name(format!(".neptune-{}.part", Uuid::now_v7()));
    let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
    Ok(Part::new(path, file))
}

/// Gives what was begun its name.
pub(crate) fn finish(mut part: Part, target: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "it can be written again, so it need not survive the loss of power")]
    fs::rename(&part.path, target)?;
    part.is_named = true;
    Ok(())
}

fn copy(mut from: File, mut to: &File, progress: &mut dyn FnMut(u64)) -> io::Result<(ObjectId, u64)> {
    if rustix::fs::ioctl_ficlone(to, &from).is_ok() {
        // What it shares is read through the new file: that is what is there then.
        return copied(&mut to, &mut io::sink(), progress);
    }
    copied(&mut from, &mut to, progress)
}

pub(crate) fn cannot_write(target: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot write {}", target.display())).because(error)
}

pub(crate) fn cannot_read(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot read the content of {what}")).because(error)
}

pub(crate) fn not_what_was_logged(what: &str) -> Error {
    let message = format!("the content of {what} is not what was logged; see `neptune doctor`");
    Error::new(ErrorKind::Corrupt, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        for name in ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "", "a\u{1b}b", "a\0b"] {
            assert_eq!(within(Path::new("out"), name).unwrap_err().kind(), ErrorKind::Corrupt, "{name}");
        }
        assert_eq!(within(Path::new("out"), "a/b").unwrap(), Path::new("out/a/b"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        assert_eq!(within(folder.path(), "link/tmp").unwrap_err().kind(), ErrorKind::NotADirectory);
        assert!(within(folder.path(), "link").is_ok(), "the link itself is replaced");
    }
}
