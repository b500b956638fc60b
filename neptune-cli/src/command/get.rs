//! `neptune get`: files of an experiment: artifacts, checkpoints, images.
//!
//! Names come from a store that anybody may have written: a file is made within the target folder only, through no link, and
//! replaces nothing unless `--force` says so. Its content is checked against what was logged.

mod found;
mod zip;

use std::{
    fs,
    path::{Path, PathBuf},
};

use neptune_core::{
    ObjectId,
    download::{self, within},
};
use serde::Serialize;

use self::found::Found;
use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number,
    progress::Progress,
    reading,
    screen::Screen,
    whole,
};

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
struct WrittenFile {
    what: String,
    file: String,
    bytes: u64,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, get: &cli::Get) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &get.id)?;
    let mut written = Written::default();
    let mut bar = Progress::bytes("writing");
    if get.zip {
        written.files.push(zip::write(folder, &key, get)?);
    } else {
        match found::find(&store, folder, &key, get)? {
            Found::One(wanted) => {
                let (target, is_named) = target_of_one(&wanted.name, get.out.as_deref())?;
                bar.expect_bytes(size(&wanted));
                if is_named && whole::is_special(&target) {
                    written.stream(wanted, &target, &mut bar)?;
                } else {
                    written.write(wanted, &unoccupied(target, get.force || is_named)?, &mut bar)?;
                }
            }
            Found::Several { files, folder } => {
                let folder = get.out.clone().map_or_else(|| within(Path::new(""), &folder), Ok)?;
                // All names before the first file: either all of them are fine, or nothing is written.
                let targets = files.iter().map(|wanted| unoccupied(within(&folder, &wanted.name)?, get.force));
                let targets = targets.collect::<Result<Vec<_>, Failure>>()?;
                bar.expect_bytes(files.iter().map(size).sum());
                for (wanted, target) in files.into_iter().zip(targets) {
                    if let Some(parent) = target.parent() {
                        fs::create_dir_all(parent).map_err(|error| Failure::file("make the folder", parent, &error))?;
                    }
                    written.write(wanted, &target, &mut bar)?;
                }
            }
        }
    }
    drop(bar);
    let written = written.files;
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

/// The length of what is to be written; nothing when it is missing, which is said when its turn comes.
fn size(wanted: &Wanted) -> u64 {
    wanted.source.metadata().map_or(0, |file| file.len())
}

/// Where one file of the name `name` goes, and whether the user named it.
fn target_of_one(name: &str, out: Option<&Path>) -> Result<(PathBuf, bool), Failure> {
    match out {
        None => Ok((within(Path::new(""), name)?, false)),
        Some(out) if out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/') => {
            fs::create_dir_all(out).map_err(|error| Failure::file("make the folder", out, &error))?;
            Ok((within(out, name)?, false))
        }
        Some(out) => Ok((out.to_owned(), true)),
    }
}

/// A target where nothing is yet, or that may be replaced.
fn unoccupied(target: PathBuf, may_replace: bool) -> Result<PathBuf, Failure> {
    if !may_replace && fs::symlink_metadata(&target).is_ok() {
        let target = target.display();
        return Err(Failure::failed(format!("{target} is there already; --force replaces it, --out names another")));
    }
    Ok(target)
}

/// What was written in this run, by device and inode: two names may be one where the file system folds them.
#[derive(Debug, Default)]
struct Written {
    files: Vec<WrittenFile>,
    #[cfg(unix)]
    places: std::collections::HashSet<(u64, u64)>,
}

impl Written {
    /// Writes a file to `target`, which appears when it is whole.
    fn write(&mut self, wanted: Wanted, target: &Path, bar: &mut Progress) -> Result<(), Failure> {
        self.check_is_other(&wanted, target)?;
        let mut progress = |bytes| bar.bytes_done(bytes);
        let bytes = download::write_out(&wanted.what, &wanted.source, wanted.object, target, &mut progress)
            // What was found and cannot be written is another thing than what there is not.
            .map_err(|error| Failure::failed(error.to_string()))?;
        #[cfg(unix)]
        if let Ok(file) = fs::symlink_metadata(target) {
            use std::os::unix::fs::MetadataExt as _;
            self.places.insert((file.dev(), file.ino()));
        }
        self.files.push(WrittenFile { what: wanted.what, file: target.display().to_string(), bytes });
        Ok(())
    }

    /// Writes a file to a device or a pipe.
    fn stream(&mut self, wanted: Wanted, target: &Path, bar: &mut Progress) -> Result<(), Failure> {
        let mut progress = |bytes| bar.bytes_done(bytes);
        let Wanted { what, source, object, .. } = wanted;
        let bytes = whole::write(target, |mut out| {
            download::stream_out(&what, &source, object, &mut out, &mut progress)
                .map_err(|error| Failure::failed(error.to_string()))
        })?;
        self.files.push(WrittenFile { what, file: target.display().to_string(), bytes });
        Ok(())
    }

    /// That no file of this run is at `target`.
    fn check_is_other(&self, wanted: &Wanted, target: &Path) -> Result<(), Failure> {
        #[cfg(unix)]
        if let Ok(file) = fs::symlink_metadata(target) {
            use std::os::unix::fs::MetadataExt as _;
            if self.places.contains(&(file.dev(), file.ino())) {
                let (what, target) = (&wanted.what, target.display());
                return Err(Failure::failed(format!(
                    "{what} has the name of another file here, {target}; get it alone, or all of them with --zip"
                )));
            }
        }
        #[cfg(not(unix))]
        let _: (&Self, &Wanted, &Path) = (self, wanted, target);
        Ok(())
    }
}
