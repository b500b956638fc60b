//! Folders of files, and files by a pattern, as artifacts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use neptune_format::VariablePath;

use super::{
    artifacts::{ARTIFACTS, ArtifactSource, file_name, not_found, not_text},
    state::ExperimentHandle,
};
use crate::{
    code,
    error::{Error, ErrorKind, Result},
};

impl ExperimentHandle {
    /// Keeps every file that `glob` matches as an artifact, and returns how many there are. A glob is a path in which `*` is any
    /// part of a name, `**` any folders, `?` one character, `[a-z]` one of these and `[!a-z]` one of no such.
    ///
    /// The names are those from the last folder before the first such sign on, with `destination` in place of that folder:
    /// `out/*/loss.csv` matches `out/a/loss.csv`, which becomes `out/a/loss.csv`, or `DESTINATION/a/loss.csv`. Links to folders
    /// are not followed. A glob without a sign is a file or a folder, as for [`ExperimentHandle::log_artifact`], which says
    /// what is kept and how long that takes.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// # let out = folder.path().join("out");
    /// # std::fs::create_dir(&out)?;
    /// # std::fs::write(out.join("loss.csv"), "0.5")?;
    /// # let glob = out.join("**/*.csv").display().to_string();
    /// // let glob = "out/**/*.csv";
    /// assert_eq!(experiment.log_artifacts(&glob, None)?, 1); // artifacts/out/loss.csv
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `FileNotFound` when no file matches; `Invalid` when `glob` is none; otherwise as [`ExperimentHandle::log_artifact`].
    /// Files before the one that failed are kept.
    pub fn log_artifacts(&self, glob: &str, destination: Option<&str>) -> Result<u64> {
        let Some(first) = glob.find(['*', '?', '[']) else {
            let path = Path::new(glob);
            let destination = destination.map_or_else(|| file_name(path), |name| Ok(name.to_owned()))?;
            if path.is_dir() {
                return self.log_folder(path, &destination);
            }
            return self.log_artifact(path, Some(&destination)).map(|()| 1);
        };
        let (folder, pattern) = match glob.get(..first).and_then(|plain| plain.rfind('/')) {
            Some(0) => ("/", glob.get(1..)),
            Some(end) => (glob.get(..end).unwrap_or_default(), glob.get(end + 1..)),
            None => (".", Some(glob)),
        };
        let pattern = pattern.unwrap_or_default();
        let matches = code::glob(pattern)?;
        let depth = if pattern.contains("**") { usize::MAX } else { pattern.matches('/').count() };
        let destination = match destination {
            Some(destination) => Some(destination.to_owned()),
            None if folder == "." || folder == "/" => None,
            None => Some(file_name(Path::new(folder))?),
        };
        let folder = Path::new(folder);
        let found = files_below(folder, depth).map_err(|(path, error)| match error.kind() {
            io::ErrorKind::NotFound => not_found(&path),
            _ => unreadable(&path, error),
        })?;
        let mut kept = 0;
        for file in found {
            let within = file.strip_prefix(folder).unwrap_or(&file);
            if matches.is_match(&within.to_string_lossy()) {
                self.log_within(&file, within, destination.as_deref())?;
                kept += 1;
            }
        }
        if kept == 0 {
            return Err(Error::new(ErrorKind::FileNotFound, format!("there is no file that {glob:?} matches")));
        }
        Ok(kept)
    }

    /// Keeps each file in a folder; says how many there are.
    pub(super) fn log_folder(&self, folder: &Path, destination: &str) -> Result<u64> {
        let files = files_below(folder, usize::MAX).map_err(|(path, error)| unreadable(&path, error))?;
        for file in &files {
            self.log_within(file, file.strip_prefix(folder).unwrap_or(file), Some(destination))?;
        }
        Ok(files.len() as u64)
    }

    /// Keeps a file under its path within a folder.
    fn log_within(&self, file: &Path, within: &Path, destination: Option<&str>) -> Result<()> {
        let names: Option<Vec<_>> =
            destination.map(Some).into_iter().chain(within.iter().map(|name| name.to_str())).collect();
        let name = names.ok_or_else(|| not_text(file))?.join("/");
        let path = VariablePath::within(ARTIFACTS, &name)?;
        self.state.log_file(&path, ArtifactSource::Path(file)).map(drop)
    }
}

/// The files in a folder and at most `depth` folders deeper, in order; or what could not be read.
fn files_below(folder: &Path, depth: usize) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((next, at)) = folders.pop() {
        let unread = |error| (next.clone(), error);
        for entry in fs::read_dir(&next).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let kind = entry.file_type().map_err(unread)?;
            // A link to a folder may lead around in a circle; pipes and devices have no end.
            if kind.is_dir() {
                if at < depth {
                    folders.push((entry.path(), at + 1));
                }
            } else if entry.path().is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot read the folder {}", path.display())).because(error)
}
