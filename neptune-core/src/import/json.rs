//! [`JsonFile`]: from a file that somebody wrote to an experiment.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use neptune_format::{ExperimentId, ProjectName, VariableType};
use serde_json::Value as Json;

use super::{
    columns::{Kind, Value},
    document::{self, Contents, Entry, Wrong},
    fault::{Fault, Stop},
    files::Files,
};
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    experiment::{Experiment, ExperimentHandle, Series},
    image::Image,
    session::{Mode, Session},
};

/// The JSON Schema (2020-12) of the file. It cannot say that lists are of one length, or that files are there.
pub const SCHEMA: &str = include_str!("experiment.schema.json");

/// How long the store may take for what was logged last.
const PATIENCE: Duration = Duration::from_mins(10);

/// Bytes that are logged before the store is waited for: well below what the journal takes without waiting.
const AT_ONCE: usize = 1 << 20;

/// What a point takes besides its text; about what it takes in the journal.
const POINT: usize = 32;

/// A file with an experiment, not read yet.
#[derive(Debug, Clone)]
#[must_use = "it is read by `check`"]
pub struct JsonFile {
    path: PathBuf,
    allowed: Vec<PathBuf>,
}

/// An experiment in a file that was read and is right.
#[derive(Debug)]
#[must_use = "it becomes an experiment by `import`"]
pub struct JsonExperiment {
    path: PathBuf,
    version: Version,
    files: Files,
    found: Contents,
    project: Option<ProjectName>,
}

/// By which a file is known again. It is not held open: thousands may be checked before the first is imported.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    length: u64,
    modified: Option<SystemTime>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The identity of the experiment.
    pub id: ExperimentId,
    /// The short id that people use; `None` offline.
    pub short_id: Option<String>,
    /// The project of the experiment.
    pub project: ProjectName,
    /// Whether the file was imported before: an experiment had its `id`, and was written again.
    pub was_there: bool,
    /// How many entries were logged.
    pub entries: u64,
}

/// Why a file was not imported.
#[derive(Debug)]
pub struct ImportError {
    error: Error,
    faults: Vec<Fault>,
    more_faults: u64,
}

impl JsonFile {
    /// The file at `path`. Files that it names lie in its folder, from which their paths begin.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), allowed: Vec::new() }
    }

    /// Allows that files which it names lie in `folder` too. `/` allows all.
    pub fn files_from(mut self, folder: impl Into<PathBuf>) -> Self {
        self.allowed.push(folder.into());
        self
    }

    /// Reads the file, and sees that everything in it is right and that the files are there which it names.
    ///
    /// Takes memory for the entries of one channel, of lists of entries for one entry.
    ///
    /// # Errors
    /// All that is wrong, up to twenty places. `NotFound` when there is no such file, or all that is wrong is that files are missing
    /// which it names; `Unavailable` when it cannot be read; otherwise `Invalid`.
    pub fn check(self) -> Result<JsonExperiment, ImportError> {
        let (file, version) = open(&self.path)?;
        let files = Files::beside(&self.path, &self.allowed);
        match document::read(&file, &files, &mut |_entry| Ok(())) {
            Ok(found) => Ok(JsonExperiment { path: self.path, version, files, found, project: None }),
            Err(wrong) => Err(ImportError::of(&self.path, wrong)),
        }
    }

    /// As [`JsonFile::check`], of bytes that are no file; for the fuzzer.
    ///
    /// # Errors
    /// All that is wrong.
    #[doc(hidden)]
    pub fn check_bytes(&self, bytes: impl Read) -> Result<u64, ImportError> {
        let files = Files::beside(&self.path, &self.allowed);
        let read = document::read(bytes, &files, &mut |_entry| Ok(()));
        read.map(|found| found.entries).map_err(|wrong| ImportError::of(&self.path, wrong))
    }
}

fn open(path: &Path) -> Result<(File, Version), Error> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no file {}", path.display())),
        _ => Error::new(ErrorKind::Unavailable, format!("cannot read {}", path.display())).because(error),
    };
    // Opening a pipe would wait for somebody to write to it.
    if !path.metadata().map_err(unreadable)?.is_file() {
        let message = format!("{} is no file; it is read twice, so a pipe is written to a file first", path.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    Ok((file, Version { length: metadata.len(), modified: metadata.modified().ok() }))
}

impl JsonExperiment {
    /// The project, `workspace/name`; the session's when it is not said. An experiment that is there keeps its own.
    ///
    /// # Errors
    /// `Invalid` when `name` is not `workspace/name`.
    pub fn project(mut self, name: &str) -> Result<Self> {
        self.project = Some(name.parse()?);
        Ok(self)
    }

    /// How many entries it has in all its channels.
    pub const fn entries(&self) -> u64 {
        self.found.entries
    }

    /// How many channels it has.
    pub fn channels(&self) -> u64 {
        self.found.channels.len() as u64
    }

    /// How many files it has: artifacts, then sources.
    pub fn files(&self) -> (u64, u64) {
        let artifacts = self.found.artifacts;
        (artifacts, (self.found.files.len() as u64).saturating_sub(artifacts))
    }

    /// How many values of metrics are NaN, infinite or `null`, and the path of the first. They are left out, as
    /// [`log_metric`](ExperimentHandle::log_metric) does.
    pub fn not_finite(&self) -> Option<(u64, &str)> {
        self.found.not_finite.as_ref().map(|(count, path)| (*count, path.as_str()))
    }

    /// Makes the experiment, and waits until the store has it. `progress` is told now and then how many entries are done.
    ///
    /// A file that says an `id` may be imported again: its entries have steps, so they replace each other. Without an `id` each
    /// import makes another experiment. A process that dies here leaves an experiment that is marked as failed.
    ///
    /// # Errors
    /// `TypeConflict` or `Immutable` when the experiment is there and holds something else; `Unavailable` when the folder cannot be
    /// written, or the file changed since it was checked. The experiment is then marked as failed, with the reason.
    pub fn import(&self, session: &Session, progress: impl FnMut(u64)) -> Result<Imported> {
        let id = self.found.id.unwrap_or_default();
        let was_there = self.fits_what_is_there(session, id)?;
        let mut builder = session.attach(&id.to_string()).stop_deadline(PATIENCE).of_another_program();
        if let Some(project) = &self.project {
            builder = builder.project(project.as_str());
        }
        if let Some(name) = &self.found.name {
            builder = builder.name(name);
        }
        if let Some(description) = &self.found.description {
            builder = builder.description(description);
        }
        for (key, value) in &self.found.properties {
            builder = builder.property(key, value);
        }
        let params = Json::Object(self.found.params.clone());
        let experiment = builder.params(&params).tags(self.found.tags.clone()).start()?;
        match self.log(&experiment, progress) {
            Ok(()) => {}
            Err(error) => {
                experiment.fail(format!("import of {}: {error}", self.path.display())).map(drop)?;
                return Err(error);
            }
        }
        let imported = Imported {
            id,
            short_id: experiment.short_id().map(str::to_owned),
            project: experiment.project().clone(),
            was_there,
            entries: self.found.entries,
        };
        finish(experiment)?;
        Ok(imported)
    }

    /// Whether the experiment is there, and holds nothing that is in the way.
    fn fits_what_is_there(&self, session: &Session, id: ExperimentId) -> Result<bool> {
        if self.found.id.is_none() || session.mode() == Mode::Offline {
            return Ok(false);
        }
        let stored = match session.get(&id.to_string()) {
            Ok(stored) => stored,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let (store, key) = stored.open()?;
        let existing = store.variables(key, "")?;
        let channels = self.found.channels.iter().map(|channel| (&channel.path, type_of(channel.kind)));
        let file = VariableType::atom(neptune_format::Content::File);
        let files = self.found.files.iter().map(|(path, _)| (path, file));
        let wanted: std::collections::HashMap<&str, VariableType> =
            channels.chain(files).map(|(path, kind)| (path.as_str(), kind)).collect();
        for variable in existing {
            if let Some(wanted) = wanted.get(variable.path.as_str())
                && *wanted != variable.kind
            {
                let message = format!(
                    "{} of {} is {} and cannot take {wanted}; choose another name or another id",
                    variable.path, key.short_id, variable.kind
                );
                return Err(Error::new(ErrorKind::TypeConflict, message));
            }
        }
        Ok(true)
    }

    fn log(&self, experiment: &Experiment, mut progress: impl FnMut(u64)) -> Result<()> {
        for (path, file) in &self.found.files {
            experiment.log_file(path, file)?;
        }
        let mut log = Log { experiment, channels: Vec::new(), bytes: 0 };
        let mut done = 0;
        let files = self.files.without_a_look();
        let (file, version) = open(&self.path)?;
        if version != self.version {
            return Err(self.changed());
        }
        let read = document::read(&file, &files, &mut |entry| {
            if log.entry(&entry).map_err(Stop::Refused)? {
                progress(done);
            }
            done += 1;
            Ok(())
        });
        match read {
            Ok(_) if done == self.found.entries => Ok(()),
            Err(Wrong::Stopped(Stop::Refused(error))) => Err(error),
            Err(Wrong::Stopped(Stop::Unreadable(error))) => Err(self.unreadable(error)),
            _ => Err(self.changed()),
        }
    }

    fn changed(&self) -> Error {
        let message = format!("{} or a file that it names changed while it was imported", self.path.display());
        Error::new(ErrorKind::Unavailable, message)
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::Unavailable, format!("cannot read {}", self.path.display())).because(error)
    }
}

/// Ends the experiment. That something was not kept is an error: nobody is there who could log it again.
fn finish(experiment: Experiment) -> Result<()> {
    let shown = experiment.to_string();
    let lost = experiment.flush(PATIENCE)?;
    if lost.is_empty() {
        experiment.stop()?;
        return Ok(());
    }
    let message = format!("not all of {shown} was kept: {lost}");
    experiment.fail(&message)?;
    Err(Error::new(ErrorKind::Unavailable, message))
}

const fn type_of(kind: Kind) -> VariableType {
    match kind {
        Kind::Metric => VariableType::FLOAT_SERIES,
        Kind::Text => VariableType::STRING_SERIES,
        Kind::Image => VariableType::IMAGE_SERIES,
    }
}

/// Logs entries.
struct Log<'a> {
    experiment: &'a ExperimentHandle,
    /// The series of the channels, as they come.
    channels: Vec<Option<Handle>>,
    /// What was logged since the store was waited for.
    bytes: usize,
}

enum Handle {
    Metric(Series<f64>),
    Text(Series<String>),
    Image(Series<Image>),
}

impl Log<'_> {
    /// Logs one entry; says whether the store was waited for.
    fn entry(&mut self, entry: &Entry<'_>) -> Result<bool> {
        if self.channels.len() <= entry.channel {
            self.channels.resize_with(entry.channel + 1, || None);
        }
        let slot = &mut self.channels[entry.channel];
        let handle = if let Some(handle) = slot {
            handle
        } else {
            let path = entry.path.as_str();
            slot.insert(match entry.kind {
                Kind::Metric => Handle::Metric(self.experiment.series(path)?),
                Kind::Text => Handle::Text(self.experiment.series(path)?),
                Kind::Image => Handle::Image(self.experiment.series(path)?),
            })
        };
        let time = entry.time.unwrap_or_else(clock::now);
        self.bytes += POINT;
        match (handle, &entry.value) {
            (Handle::Metric(series), Value::Number(value)) => series.append_with(entry.step, time, *value),
            (Handle::Text(series), Value::Text(text)) => {
                self.bytes += text.len();
                series.append_with(entry.step, time, text);
            }
            (Handle::Image(series), Value::Image { file, name, description }) => {
                let mut image = Image::open(file)?;
                image.name = name.map(str::to_owned);
                image.description = description.map(str::to_owned);
                // Beside it, its point takes a kilobyte at most, and its texts.
                self.bytes += POINT * POINT + name.map_or(0, str::len) + description.map_or(0, str::len);
                series.append_with(entry.step, time, image);
            }
            _ => {}
        }
        if self.bytes < AT_ONCE {
            return Ok(false);
        }
        self.bytes = 0;
        self.experiment.flush(PATIENCE)?;
        Ok(true)
    }
}

impl ImportError {
    fn of(path: &Path, wrong: Wrong) -> Self {
        let shown = path.display();
        match wrong {
            Wrong::Faults(faults, more_faults) => {
                let is_missing = more_faults == 0 && faults.iter().all(|fault| fault.is_missing_file);
                let kind = if is_missing { ErrorKind::NotFound } else { ErrorKind::Invalid };
                Self { error: Error::new(kind, format!("{shown} cannot be imported")), faults, more_faults }
            }
            Wrong::Stopped(Stop::Refused(error)) => error.into(),
            Wrong::Stopped(Stop::Unreadable(error)) => {
                Error::new(ErrorKind::Unavailable, format!("cannot read {shown}")).because(error).into()
            }
            Wrong::Stopped(Stop::Syntax { message, .. }) => Error::new(ErrorKind::Invalid, message).into(),
        }
    }

    /// What to do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// What is wrong with the file, in its order; empty when it could not be read.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How much more is wrong.
    pub const fn more_faults(&self) -> u64 {
        self.more_faults
    }
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self { error, faults: Vec::new(), more_faults: 0 }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        match self.more_faults {
            0 => Ok(()),
            1 => f.write_str("\n  and one more"),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for ImportError {}
