//! [`Checkpoints`]: versions of a set of files, with the names `latest` and `best`.
//!
//! The files of version 12 of `checkpoints` are the artifacts `checkpoints/12/NAME`. The atom `checkpoints/12` makes it a
//! version: it is written behind them, so a version is whole or not there, wherever the process dies.

mod known;
mod resumed;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use neptune_format::{AtomValue, File, LostReason, Record, VariablePath};
use serde::{Deserialize, Serialize};

use self::known::Known;
use super::{
    artifacts::{ARTIFACTS, ArtifactSource},
    state::ExperimentHandle,
};
use crate::{
    clock, download,
    error::{Error, ErrorKind, Result},
};

const LATEST: &str = "latest";
const BEST: &str = "best";

/// Which value of a metric is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Goal {
    /// The lower, as of a loss.
    Minimize,
    /// The higher, as of an accuracy.
    Maximize,
}

/// A version: what the atom `FAMILY/STEP` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The step or epoch, which is also its name.
    pub step: u64,
    /// The value of the metric that decides which version is the best, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<f64>,
    /// Its files, by name.
    pub files: BTreeMap<String, File>,
    /// When it was completed, in microseconds: what says which one is the latest.
    completed: i64,
}

#[cfg(feature = "embedded")]
impl Checkpoint {
    /// The version `step` that an atom holds; `None` when it holds something else.
    pub(in crate::experiment) fn from_document(document: &str, step: u64) -> Option<Self> {
        serde_json::from_str(document).ok().filter(|checkpoint: &Self| checkpoint.step == step)
    }
}

/// Checkpoints of a training: versions of a set of files. See [`ExperimentHandle::checkpoints`].
///
/// Cheap to clone; every clone, and every handle of one name of one experiment, is the same. Any number of threads may use it.
#[derive(Clone)]
pub struct Checkpoints {
    experiment: ExperimentHandle,
    family: Arc<Family>,
}

/// The families of checkpoints of an experiment, by their names.
pub(super) type Families = Mutex<HashMap<String, Arc<Family>>>;

#[derive(Debug)]
pub(in crate::experiment) struct Family {
    /// The path of everything that is not a file.
    path: VariablePath,
    known: Mutex<Known>,
}

impl ExperimentHandle {
    /// The checkpoints that are kept under `name`, such as `checkpoints`: those that are there already, and those to come.
    ///
    /// A checkpoint is a version of a set of files. It is kept when [`Checkpoints::save`] returns, or
    /// [`Checkpoints::complete`]; where the process dies before, there is no such version. An experiment that was killed
    /// and is attached to again finds its checkpoints here.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// use neptune_core::Goal;
    /// let checkpoints = experiment.checkpoints("checkpoints")?.keep_last(2).keep_best(1, Goal::Minimize);
    /// for (epoch, loss) in [(1, 0.9), (2, 0.4), (3, 0.5), (4, 0.6)] {
    ///     checkpoints.save(epoch, Some(loss), &mut [("model.bin", (&b"weights"[..]).into())])?;
    /// }
    /// let steps: Vec<u64> = checkpoints.list().into_iter().map(|checkpoint| checkpoint.step).collect();
    /// assert_eq!(steps, [2, 3, 4]); // the best one, and the last two
    /// let best = checkpoints.find("best")?.expect("there are some");
    /// checkpoints.restore(&best, &folder.path().join("restored"))?;
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Invalid` when `name` is no path; otherwise when the store cannot be read.
    pub fn checkpoints(&self, name: &str) -> Result<Checkpoints> {
        let path = VariablePath::new(name)?;
        // Held while the store is read: what is known of a family is made once.
        let mut families = self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let family = if let Some(family) = families.get(name) {
            Arc::clone(family)
        } else {
            let known = Mutex::new(self.state.known_checkpoints(&path)?);
            let family = Arc::new(Family { path, known });
            families.insert(name.to_owned(), Arc::clone(&family));
            family
        };
        drop(families);
        Ok(Checkpoints { experiment: self.clone(), family })
    }
}

#[cfg(feature = "embedded")]
impl Checkpoints {
    pub(in crate::experiment) fn of(experiment: &ExperimentHandle, family: &Arc<Family>) -> Self {
        Self { experiment: experiment.clone(), family: Arc::clone(family) }
    }
}

impl Checkpoints {
    /// Keeps the last `n` versions, at least one. Older ones are removed when a new one is complete, but for the best. When
    /// neither this nor [`Checkpoints::keep_best`] is said, all are kept.
    #[must_use]
    pub fn keep_last(self, n: usize) -> Self {
        self.known().keep_last = Some(n.max(1));
        self
    }

    /// Keeps the `n` versions, at least one, with the best metric. Others are removed when a new one is complete, but for
    /// the latest, and for those that [`Checkpoints::keep_last`] keeps.
    #[must_use]
    pub fn keep_best(self, n: usize, goal: Goal) -> Self {
        {
            let mut known = self.known();
            known.keep_best = Some(n.max(1));
            known.decide_by(goal);
        }
        self
    }

    /// Says which value of the metric is better, without removing versions: `best` is the one with the best metric, until
    /// [`Checkpoints::mark_best`] names another.
    #[must_use]
    pub fn goal(self, goal: Goal) -> Self {
        self.known().decide_by(goal);
        self
    }

    /// Keeps files as the version `step`. All of them or, on an error, none.
    ///
    /// Takes as long as writing the files. A version of this step that is there already is replaced.
    ///
    /// # Errors
    /// As [`ExperimentHandle::log_artifact`].
    pub fn save(&self, step: u64, metric: Option<f64>, files: &mut [(&str, ArtifactSource<'_>)]) -> Result<()> {
        self.check_process()?;
        self.discard_unfinished(step);
        for (name, source) in files {
            let source = std::mem::replace(source, ArtifactSource::Bytes(&[]));
            if let Err(error) = self.add_file(step, name, source) {
                self.discard_unfinished(step);
                return Err(error);
            }
        }
        self.complete(step, metric).inspect_err(|_error| self.discard_unfinished(step))
    }

    /// Keeps a file of the version `step`, which exists once it is [complete](Checkpoints::complete). For trainers that
    /// write the files of a checkpoint one by one, from several threads.
    ///
    /// # Errors
    /// As [`ExperimentHandle::log_artifact`]; `Invalid` when `name` is no path.
    pub fn add_file<'a>(&self, step: u64, name: &str, source: impl Into<ArtifactSource<'a>>) -> Result<()> {
        self.check_process()?;
        // What a version needs must not be replaced before the new version is there.
        let is_replaced = self.known().replaces(step);
        let path = if is_replaced { self.waiting_path(step, name)? } else { self.file_path(step, name)? };
        let file = self.experiment.state.log_file(&path, source.into())?;
        self.known().unfinished.entry(step).or_default().insert(name.to_owned(), file);
        Ok(())
    }

    /// Makes the files that were added for `step` a version, the latest one, and removes versions that are not to be kept.
    /// A metric that is NaN or infinite counts as none.
    ///
    /// The room of those is given back by a thread, once the store has caught up.
    ///
    /// # Errors
    /// `Invalid` when no file was added, or there are too many to be described in 1 MiB; `Unavailable` when it cannot be
    /// logged. There is no new version then, and none is removed.
    pub fn complete(&self, step: u64, metric: Option<f64>) -> Result<()> {
        self.check_process()?;
        let mut known = self.known();
        let Some(files) = known.unfinished.get(&step).cloned() else {
            return Err(Error::new(ErrorKind::Invalid, format!("checkpoint {step} has no files")));
        };
        let metric = metric.filter(|metric| metric.is_finite());
        let latest = known.latest().map_or(i64::MIN, |latest| latest.completed);
        let completed = clock::now().as_micros().max(latest.saturating_add(1));
        let checkpoint = Checkpoint { step, metric, files, completed };
        self.log_version(&checkpoint)?;
        known.unfinished.remove(&step);
        let is_waiting = known.waiting.remove(&step);
        let replaced = known.versions.insert(step, checkpoint.clone());
        let mut unneeded = Vec::new();
        if is_waiting || replaced.is_some() {
            self.put_in_place(&checkpoint);
        }
        if let Some(replaced) = replaced {
            unneeded.extend(replaced.files.values().copied());
            known.orphans.entry(step).or_default().extend(replaced.files.into_keys());
        }
        for name in known.orphans.remove(&step).unwrap_or_default() {
            if !checkpoint.files.contains_key(&name) {
                self.delete_file(step, &name);
            }
        }
        let dropped = known.dropped();
        unneeded.extend(dropped.into_iter().flat_map(|step| self.forget(&mut known, step)));
        self.say_which(&known);
        drop(known);
        self.reclaim(&unneeded);
        Ok(())
    }

    /// Logs the atom that makes files a version.
    fn log_version(&self, checkpoint: &Checkpoint) -> Result<()> {
        let state = &self.experiment.state;
        let document = serde_json::to_string(checkpoint)
            .map_err(|error| Error::new(ErrorKind::Invalid, "a checkpoint cannot be described").because(error))?;
        let path = VariablePath::new(&self.version_path(checkpoint.step))?;
        let Some(value) = state.variables.atom(&path, AtomValue::Json(document))? else { return Ok(()) };
        state.journal.try_record(&Record::Assign { path: path.clone(), value }).map_err(|reason| {
            let kind = if reason == LostReason::TooLarge { ErrorKind::Invalid } else { ErrorKind::Unavailable };
            Error::new(kind, format!("{path} cannot be logged: {}", reason.explanation()))
        })
    }

    /// Gives the files of a version that replaces another their paths.
    fn put_in_place(&self, checkpoint: &Checkpoint) {
        for (name, file) in &checkpoint.files {
            if let (Ok(path), Ok(waiting)) =
                (self.file_path(checkpoint.step, name), self.waiting_path(checkpoint.step, name))
            {
                self.experiment.state.assign(&path, AtomValue::File(*file));
                self.experiment.state.delete(&waiting);
            }
        }
    }

    /// Says that the version `step` is the best, for trainers that decide that themselves. It is kept from now on.
    ///
    /// # Errors
    /// `NotFound` when there is no such version.
    pub fn mark_best(&self, step: u64) -> Result<()> {
        self.check_process()?;
        let mut known = self.known();
        if !known.versions.contains_key(&step) {
            return Err(self.no_version(&step.to_string()));
        }
        known.marked = Some(step);
        self.say_which(&known);
        Ok(())
    }

    /// Removes the version `step`, whatever is to be kept; nothing when there is none.
    ///
    /// # Errors
    /// `Unsupported` in a forked process. What cannot be removed from the disk now is removed by `neptune gc`.
    pub fn remove(&self, step: u64) -> Result<()> {
        self.check_process()?;
        let mut known = self.known();
        let files = self.forget(&mut known, step);
        self.say_which(&known);
        drop(known);
        self.reclaim(&files);
        Ok(())
    }

    /// The versions, in the order of their steps.
    pub fn list(&self) -> Vec<Checkpoint> {
        self.known().versions.values().cloned().collect()
    }

    /// The version that `name` means: `latest`, `best`, or a step. `None` when there is none.
    ///
    /// # Errors
    /// `Invalid` when `name` is nothing of that.
    pub fn find(&self, name: &str) -> Result<Option<Checkpoint>> {
        let known = self.known();
        match name {
            LATEST => Ok(known.latest().cloned()),
            BEST => Ok(known.best().and_then(|step| known.versions.get(&step)).cloned()),
            _ => match name.parse() {
                Ok(step) => Ok(known.versions.get(&step).cloned()),
                Err(error) => {
                    let wanted = format!("{name:?} names no checkpoint; it is \"latest\", \"best\" or a step");
                    Err(Error::new(ErrorKind::Invalid, wanted).because(error))
                }
            },
        }
    }

    /// Writes the files of a version into `folder`, which is made when it is not there. Each file appears when it is whole,
    /// in place of one of its name. Returns where they are.
    ///
    /// # Errors
    /// `FileNotFound` when a file is not in the folder of the session any more; `Corrupt` when it is not what was logged;
    /// `NotADirectory` when a link stands in the way; `Unavailable` when it cannot be read or written.
    pub fn restore(&self, checkpoint: &Checkpoint, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for (name, file) in &checkpoint.files {
            let target = download::within(folder, name)?;
            let source = self.experiment.state.objects.file_of(file.object, "");
            let folder = target.parent().unwrap_or(folder);
            fs::create_dir_all(folder).map_err(|error| download::cannot_write(folder, error))?;
            let what = self.what(checkpoint, name);
            download::write_out(&what, &source, Some(file.object), &target, &mut |_| ())?;
            written.push(target);
        }
        Ok(written)
    }

    /// The content of a file of a version.
    ///
    /// # Errors
    /// As [`Checkpoints::restore`]; `NotFound` when the version has no such file.
    pub fn read(&self, checkpoint: &Checkpoint, name: &str) -> Result<Vec<u8>> {
        let Some(file) = checkpoint.files.get(name) else {
            let names = checkpoint.files.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let step = checkpoint.step;
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("checkpoint {step} has no file {name:?}; it has {names}"),
            ));
        };
        let source = self.experiment.state.objects.file_of(file.object, "");
        download::read_whole(&self.what(checkpoint, name), &source, file.object)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.family.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn version_path(&self, step: u64) -> String {
        format!("{}/{step}", self.family.path)
    }

    fn file_path(&self, step: u64, name: &str) -> Result<VariablePath> {
        Ok(VariablePath::within(ARTIFACTS, &format!("{}/{step}/{name}", self.family.path))?)
    }

    /// Where a file waits that is to replace one of a version.
    fn waiting_path(&self, step: u64, name: &str) -> Result<VariablePath> {
        self.file_path(step, &format!("replacing/{name}"))
    }

    /// A forked child must not touch locks that a thread of its parent may have held.
    fn check_process(&self) -> Result<()> {
        if self.experiment.state.journal.is_ours() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported, LostReason::Forked.explanation()))
    }

    /// Removes what was added for a version that is not complete.
    fn discard_unfinished(&self, step: u64) {
        let mut known = self.known();
        let files = known.unfinished.remove(&step).unwrap_or_default();
        let is_replaced = known.replaces(step);
        known.waiting.remove(&step);
        drop(known);
        for name in files.keys() {
            let path = if is_replaced { self.waiting_path(step, name) } else { self.file_path(step, name) };
            if let Ok(path) = path {
                self.experiment.state.delete(&path);
            }
        }
    }

    /// Takes a version out of the experiment; returns the files that were its.
    fn forget(&self, known: &mut Known, step: u64) -> Vec<File> {
        let Some(version) = known.versions.remove(&step) else { return Vec::new() };
        if known.marked == Some(step) {
            known.marked = None;
        }
        // The version goes first, so that none is left without its files.
        self.delete(&self.version_path(step));
        for name in version.files.keys() {
            self.delete_file(step, name);
            // Left by a process that died while it replaced the version.
            if let Ok(waiting) = self.waiting_path(step, name) {
                self.experiment.state.delete(&waiting);
            }
        }
        version.files.into_values().collect()
    }

    fn delete_file(&self, step: u64, name: &str) {
        if let Ok(path) = self.file_path(step, name) {
            self.experiment.state.delete(&path);
        }
    }

    fn delete(&self, path: &str) {
        if let Ok(path) = VariablePath::new(path) {
            self.experiment.state.delete(&path);
        }
    }

    /// Writes which version is the latest and which the best.
    fn say_which(&self, known: &Known) {
        for (name, step) in [(LATEST, known.latest().map(|latest| latest.step)), (BEST, known.best())] {
            let path = format!("{}/{name}", self.family.path);
            match step {
                Some(step) => self.experiment.atom(&path).assign(step),
                None => self.delete(&path),
            }
        }
    }

    /// Gives the room of files back to the disk, where nothing else needs them.
    fn reclaim(&self, files: &[File]) {
        if !files.is_empty() {
            self.experiment.state.reclaim(files.iter().map(|file| file.object).collect());
        }
    }

    fn no_version(&self, name: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("{} has no version {name}", self.family.path))
    }

    /// What a file of a version is, for messages.
    fn what(&self, checkpoint: &Checkpoint, name: &str) -> String {
        format!("{name} of {} {}", self.family.path, checkpoint.step)
    }
}

impl std::fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoints").field("path", &self.family.path).finish_non_exhaustive()
    }
}
