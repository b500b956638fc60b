//! `neptune get`: files of an experiment: artifacts, checkpoints, images.
//!
//! Names come from a store that anybody may have written: a file is made within the target folder only, through no link, and
//! replaces nothing unless `--force` says so. Its content is checked against what was logged.

mod found;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Component, Path, PathBuf},
};

use neptune_core::{ObjectId, VariablePath};
use serde::Serialize;

use self::found::Found;
use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::Screen,
};

/// Bytes that are copied at once.
const PIECE: usize = 1 << 18;

/// A file to be written.
#[derive(Debug)]
struct Wanted {
    /// What it is, for people.
    what: String,
    /// The file of its content.
    source: PathBuf,
    /// What its content must be; `None` of pixels that were encoded, whose content was not logged.
    object: Option<ObjectId>,
    /// Its path in the target folder. Not to be trusted.
    name: String,
}

/// A file that was written, in JSON.
#[derive(Debug, Serialize)]
struct Written {
    what: String,
    file: String,
    bytes: u64,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, get: &cli::Get) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &get.id)?;
    let found = found::find(&store, folder, &key, get)?;
    let mut written = Vec::new();
    match found {
        Found::One(wanted) => {
            let (target, is_named) = target_of_one(&wanted, get.out.as_deref())?;
            written.push(write(wanted, &unoccupied(target, get.force || is_named)?)?);
        }
        Found::Several { files, folder } => {
            let folder = get.out.clone().map_or_else(|| within(Path::new(""), &folder), Ok)?;
            // All names before the first file: either all of them are fine, or nothing is written.
            let targets = files.iter().map(|wanted| unoccupied(within(&folder, &wanted.name)?, get.force));
            let targets = targets.collect::<Result<Vec<_>, Failure>>()?;
            for (wanted, target) in files.into_iter().zip(targets) {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent).map_err(|error| Failure::file("make the folder", parent, &error))?;
                }
                written.push(write(wanted, &target)?);
            }
        }
    }
    if screen.json {
        screen.document(&serde_json::json!({ "experiment": key.short_id, "files": written }))?;
    } else {
        for file in &written {
            let size = number::bytes(file.bytes);
            screen.line(format_args!("{}  {size}", inert(&file.file)))?;
        }
        let bytes = number::bytes(written.iter().fold(0, |sum, file| sum.saturating_add(file.bytes)));
        let files = number::counted(written.len() as u64, "file", "files");
        screen.note(format_args!("{files} of {}, {bytes}", key.short_id))?;
        if written.iter().any(|file| Path::new(&file.file).extension().is_some_and(|ending| ending == "pam")) {
            screen.note("an image was not encoded yet, so it is a PAM file; `neptune gc` encodes it as PNG")?;
        }
    }
    Ok(Exit::Fine)
}

/// Where one file goes, and whether the user named it.
fn target_of_one(wanted: &Wanted, out: Option<&Path>) -> Result<(PathBuf, bool), Failure> {
    match out {
        None => Ok((within(Path::new(""), &wanted.name)?, false)),
        Some(out) if out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/') => {
            fs::create_dir_all(out).map_err(|error| Failure::file("make the folder", out, &error))?;
            Ok((within(out, &wanted.name)?, false))
        }
        Some(out) => Ok((out.to_owned(), true)),
    }
}

/// The path of `name` in `folder`; an error when it is not within it, or leads through a link.
fn within(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let refused = || Failure::failed(format!("{name:?} is no name for a file, so nothing was written for it"));
    VariablePath::new(name).map_err(|_error| refused())?;
    let mut path = folder.to_owned();
    let mut components = Path::new(name).components().peekable();
    while let Some(component) = components.next() {
        let Component::Normal(part) = component else { return Err(refused()) };
        path.push(part);
        // What is at the end is replaced and not followed.
        if components.peek().is_some() && path.is_symlink() {
            return Err(Failure::failed(format!(
                "{} is a link, which may lead out of the folder; choose another with --out",
                path.display()
            )));
        }
    }
    Ok(path)
}

/// A target where nothing is yet, or that may be replaced.
fn unoccupied(target: PathBuf, may_replace: bool) -> Result<PathBuf, Failure> {
    if !may_replace && fs::symlink_metadata(&target).is_ok() {
        let target = target.display();
        return Err(Failure::failed(format!("{target} is there already; --force replaces it, --out names another")));
    }
    Ok(target)
}

/// Copies a file to `target`, which appears when it is whole.
fn write(wanted: Wanted, target: &Path) -> Result<Written, Failure> {
    let source = File::open(&wanted.source).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::failed(format!(
            "the content of {} is missing: {} is not there; see `neptune doctor`",
            wanted.what,
            wanted.source.display()
        )),
        _ => Failure::file("read", &wanted.source, &error),
    })?;
    let (part, out) = begin(target).map_err(|error| Failure::file("write", target, &error))?;
    let finished = copy(source, out).map_err(|error| Failure::file("write", target, &error)).and_then(|(id, bytes)| {
        if wanted.object.is_some_and(|object| object != id) {
            let what = &wanted.what;
            return Err(Failure::failed(format!("the content of {what} is not what was logged; see `neptune doctor`")));
        }
        #[expect(clippy::disallowed_methods, reason = "it can be written again, so it need not survive a power loss")]
        fs::rename(&part, target).map_err(|error| Failure::file("write", target, &error))?;
        Ok(bytes)
    });
    if finished.is_err() {
        drop(fs::remove_file(&part));
    }
    Ok(Written { what: wanted.what, file: target.display().to_string(), bytes: finished? })
}

/// A new file beside `target` that follows no link, and that no other program has.
fn begin(target: &Path) -> io::Result<(PathBuf, File)> {
    const TRIES: u32 = 100;
    let mut last = None;
    for attempt in 0..TRIES {
        let part = target.with_file_name(format!(".neptune-{}-{attempt}.part", std::process::id()));
        match OpenOptions::new().create_new(true).write(true).open(&part) {
            Ok(out) => return Ok((part, out)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
}

/// Copies everything; returns its hash and its length.
fn copy(mut from: File, mut to: File) -> io::Result<(ObjectId, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut bytes = 0;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = piece.get(..read).unwrap_or_default();
        hasher.update(piece);
        to.write_all(piece)?;
        bytes += piece.len() as u64;
    }
    Ok((ObjectId::from_bytes(*hasher.finalize().as_bytes()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        for name in ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "", "a\u{1b}b"] {
            let refused = within(Path::new("out"), name);
            assert!(matches!(refused, Err(Failure::Said { exit: Exit::Failed, .. })), "{name}");
        }
        assert_eq!(within(Path::new("out"), "a/b").unwrap(), Path::new("out/a/b"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        assert!(within(folder.path(), "link/tmp").is_err());
        assert!(within(folder.path(), "link").is_ok(), "the link itself is replaced");
    }
}
