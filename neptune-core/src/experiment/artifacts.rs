//! Artifacts: files and folders of an experiment.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use neptune_format::{AtomValue, File, LostReason, ObjectId, Record, VariablePath};

use super::state::{ExperimentHandle, State};
use crate::{
    error::{Error, ErrorKind, Result},
    objects::Held,
    quota::{LimitReached, Look},
};

/// The namespace of artifacts.
pub(super) const ARTIFACTS: &str = "artifacts";

/// How long a call waits for whoever gives room back, at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an artifact is made of.
pub enum ArtifactSource<'a> {
    /// A file, or a folder with all files in it.
    Path(&'a Path),
    /// What a reader gives until its end.
    Reader(&'a mut dyn Read),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl fmt::Debug for ArtifactSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Reader(_) => f.write_str("Reader"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

macro_rules! source_from {
    ($($from:ty => $variant:ident ( $value:ident => $convert:expr )),* $(,)?) => {$(
        impl<'a> From<&'a $from> for ArtifactSource<'a> {
            fn from($value: &'a $from) -> Self {
                Self::$variant($convert)
            }
        }
    )*};
}
source_from! {
    Path => Path(path => path),
    PathBuf => Path(path => path),
    str => Path(path => Path::new(path)),
    String => Path(path => Path::new(path)),
    [u8] => Bytes(bytes => bytes),
    Vec<u8> => Bytes(bytes => bytes),
}

impl ExperimentHandle {
    /// Keeps a file, a folder or bytes as the artifact `destination`, the atom `artifacts/DESTINATION`; without one under the name
    /// of the file. Of a folder each file, under its path in the folder. What had that name before is replaced.
    ///
    /// When this returns the content is kept, through SIGKILL too, and the file may be written over or deleted. It takes as
    /// long as reading the file: use another thread for large ones. Where the file system can share blocks between files
    /// (btrfs, XFS, bcachefs) nothing is copied; elsewhere the content is copied once. The same content is kept once,
    /// however often it is logged and by whichever experiment.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// # let report = folder.path().join("report.html");
    /// # std::fs::write(&report, "<p>fine</p>")?;
    /// experiment.log_artifact(&report, None)?; // artifacts/report.html
    /// experiment.log_artifact(&report, Some("reports/monday.html"))?;
    /// experiment.log_artifact(&b"0.93"[..], Some("accuracy.txt"))?;
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `FileNotFound`, with the path, when there is no such file; `Invalid` when `destination` is no path or missing for bytes
    /// and readers; `TypeConflict` when something else has that name; `StorageLimitReached` when it would take the objects of the
    /// session above their [limit](crate::SessionBuilder::storage_limit); `Unsupported` when the experiment has ended; `Unavailable` when the file cannot be read or the
    /// folder of the session cannot be written, because its disk is full for example. Of a folder, files before the one
    /// that failed are kept.
    pub fn log_artifact<'a>(&self, source: impl Into<ArtifactSource<'a>>, destination: Option<&str>) -> Result<()> {
        let source = source.into();
        let destination = match (&source, destination) {
            (_, Some(destination)) => destination.to_owned(),
            (ArtifactSource::Path(path), None) => file_name(path)?,
            (_, None) => {
                return Err(Error::new(ErrorKind::Invalid, "bytes and readers have no name; say the destination"));
            }
        };
        if let ArtifactSource::Path(path) = source
            && path.is_dir()
        {
            return self.log_folder(path, &destination).map(drop);
        }
        let path = VariablePath::within(ARTIFACTS, &destination)?;
        self.state.log_file(&path, source).map(drop)
    }
}

#[cfg(feature = "import")]
impl ExperimentHandle {
    /// Keeps a file as the atom `path`, of whatever namespace.
    pub(crate) fn log_file(&self, path: &VariablePath, file: &Path) -> Result<File> {
        self.state.log_file(path, ArtifactSource::Path(file))
    }

    /// Keeps bytes as the atom `path`, of whatever namespace.
    pub(crate) fn log_bytes(&self, path: &VariablePath, bytes: &[u8]) -> Result<File> {
        self.state.log_file(path, ArtifactSource::Bytes(bytes))
    }
}

impl State {
    /// Keeps a file and logs that `path` is it.
    pub(super) fn log_file(&self, path: &VariablePath, source: ArtifactSource<'_>) -> Result<File> {
        if !self.journal.is_ours() {
            return Err(Error::new(ErrorKind::Unsupported, "a forked process must attach to the experiment itself"));
        }
        if self.journal.keeps_nothing() {
            return not_kept(&source);
        }
        let held = self.objects.hold(PATIENCE).map_err(|error| self.cannot_keep(path, error))?;
        let file = self.keep(path, source, &held)?;
        let value = AtomValue::File(file);
        if let Some(value) = self.variables.atom(path, value)? {
            let record = Record::Assign { path: path.clone(), value };
            self.journal.try_record(&record).map_err(|reason| {
                let kind = if reason == LostReason::Stopped { ErrorKind::Unsupported } else { ErrorKind::Unavailable };
                Error::new(kind, format!("{path} cannot be logged: {}", reason.explanation()))
            })?;
        }
        // Only now may whoever removes what nobody needs look for this object.
        drop(held);
        Ok(file)
    }

    fn keep(&self, path: &VariablePath, source: ArtifactSource<'_>, held: &Held) -> Result<File> {
        match source {
            ArtifactSource::Path(file) => self.objects.keep_file(file, held).map_err(|error| match error.kind() {
                _ if !file.exists() => not_found(file),
                io::ErrorKind::InvalidInput if !file.is_file() => {
                    Error::new(ErrorKind::Invalid, format!("{} is no file", file.display()))
                }
                _ => self.cannot_keep(path, error),
            }),
            ArtifactSource::Reader(reader) => {
                self.objects.keep_reader(reader, held).map_err(|error| self.cannot_keep(path, error))
            }
            ArtifactSource::Bytes(bytes) => {
                self.objects.keep_bytes(bytes, Look::Now, held).map_err(|error| self.cannot_keep(path, error))
            }
        }
    }

    fn cannot_keep(&self, path: &VariablePath, error: io::Error) -> Error {
        if let Some(limit) = LimitReached::of(&error) {
            return Error::new(ErrorKind::StorageLimitReached, format!("{path} is not kept: {limit}"));
        }
        let folder = self.session.folder().display();
        Error::new(ErrorKind::Unavailable, format!("cannot keep {path} in {folder}")).because(error)
    }
}

/// What stands for a file where nothing is kept. One that is not there is still told of.
fn not_kept(source: &ArtifactSource<'_>) -> Result<File> {
    let size = match source {
        ArtifactSource::Path(file) => fs::metadata(file).map_err(|_error| not_found(file))?.len(),
        ArtifactSource::Bytes(bytes) => bytes.len() as u64,
        ArtifactSource::Reader(_) => 0,
    };
    Ok(File { object: ObjectId::from_bytes([0; 32]), size })
}

pub(super) fn not_found(path: &Path) -> Error {
    Error::new(ErrorKind::FileNotFound, format!("there is no file or folder {}", path.display()))
}

pub(super) fn not_text(path: &Path) -> Error {
    Error::new(ErrorKind::Invalid, format!("the name of {} is not UTF-8; say the destination", path.display()))
}

/// The last name in a path, also of `.` and `folder/..`.
pub(super) fn file_name(path: &Path) -> Result<String> {
    let whole = match path.file_name() {
        Some(_) => path.to_owned(),
        None => fs::canonicalize(path).map_err(|_error| not_found(path))?,
    };
    match whole.file_name() {
        Some(name) => Ok(name.to_str().ok_or_else(|| not_text(path))?.to_owned()),
        None => Err(Error::new(ErrorKind::Invalid, format!("{} has no name; say the destination", path.display()))),
    }
}
