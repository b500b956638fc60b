//! Names of files: the only place that makes one or takes one apart.
//!
//! ```text
//! .neptune/
//!   store.db                            the store
//!   recovery.lock                       held by whoever drains the journals of the dead
//!   objects/ab/abcd...                  files and images that were logged, by the hash of their content
//!   journals/EXPERIMENT/WRITER/
//!     lock                              held while the writer lives
//!     lost                              what it could not keep, counted
//!     process                           of which process, and how its machine was
//!     abort                             somebody wants it aborted, and why
//!     000001.jnl ...                    segments
//!   journals/EXPERIMENT/.WRITER/        a writer that is being made
//!   quarantine/EXPERIMENT.WRITER.000003.jnl   segments with damage, set aside
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use neptune_format::{ExperimentId, WriterId};

use crate::error::{Error, ErrorKind, Result};

/// A neptune folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder(PathBuf);

/// The folder of one writer's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriterFolder {
    pub(crate) path: PathBuf,
    pub(crate) experiment: ExperimentId,
    pub(crate) writer: WriterId,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder that a person named.
    pub(crate) fn named(path: &Path) -> Result<Self> {
        if path.as_os_str().is_empty() {
            let message = "the folder is an empty path; name one, such as \".neptune\", or say none for NEPTUNE_DIR";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(Self::new(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn journals(&self) -> PathBuf {
        self.0.join("journals")
    }

    pub(crate) fn writer(&self, experiment: ExperimentId, writer: WriterId) -> WriterFolder {
        let path = self.journals().join(experiment.to_string()).join(writer.to_string());
        WriterFolder { path, experiment, writer }
    }

    pub(crate) fn quarantined(&self, writer: &WriterFolder, segment: u64) -> PathBuf {
        let name = format!("{}.{}.{segment:06}.jnl", writer.experiment, writer.writer);
        self.0.join("quarantine").join(name)
    }

    /// The folder of files and images. The same as in `neptune_store::objects`.
    pub(crate) fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    /// The lock that whoever recovers this folder holds.
    pub(crate) fn recovery_lock(&self) -> PathBuf {
        self.0.join("recovery.lock")
    }

    /// Every journal in this folder, by experiment and writer: in the order in which they were begun.
    pub(crate) fn writers(&self) -> io::Result<Vec<WriterFolder>> {
        let mut writers = Vec::new();
        for experiment in entries(&self.journals())? {
            let Some(id) = name_of(&experiment).and_then(|name| name.parse().ok()) else { continue };
            for folder in entries(&experiment)? {
                if let Some(writer) = name_of(&folder).and_then(|name| name.parse().ok()) {
                    writers.push(WriterFolder { path: folder, experiment: id, writer });
                }
            }
        }
        writers.sort_by_key(|writer| writer.writer);
        Ok(writers)
    }

    /// Journals that were being made when their process died: nothing was ever logged to them.
    pub(crate) fn unfinished(&self) -> io::Result<Vec<PathBuf>> {
        let mut unfinished = Vec::new();
        for experiment in entries(&self.journals())? {
            unfinished.extend(
                entries(&experiment)?
                    .into_iter()
                    .filter(|folder| name_of(folder).is_some_and(|name| name.starts_with('.'))),
            );
        }
        Ok(unfinished)
    }

    /// Segments that were set aside because of damage.
    pub(crate) fn quarantine(&self) -> io::Result<Vec<PathBuf>> {
        entries(&self.0.join("quarantine"))
    }
}

impl WriterFolder {
    /// Where the folder is made before it takes its name.
    pub(crate) fn unfinished(&self) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        Self { path: self.path.with_file_name(name), ..self.clone() }
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub(crate) fn lost(&self) -> PathBuf {
        self.path.join("lost")
    }

    pub(crate) fn process(&self) -> PathBuf {
        self.path.join("process")
    }

    pub(crate) fn abort(&self) -> PathBuf {
        self.path.join("abort")
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:06}.jnl"))
    }

    /// The numbers of the segments that are there, in order.
    pub(crate) fn segments(&self) -> io::Result<Vec<u64>> {
        let mut numbers: Vec<u64> =
            entries(&self.path)?.iter().filter_map(|file| name_of(file)?.strip_suffix(".jnl")?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes the folder of a journal that is drained, and that of its experiment when it was the last one.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(experiment) = self.path.parent() {
            // Fails while another writer has a journal there, and that is the point.
            drop(fs::remove_dir(experiment));
        }
        Ok(())
    }
}

/// What is in a folder, sorted; nothing when there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
