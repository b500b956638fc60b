//! [`NeptuneCheckpoints`]: the checkpoints of a training, and going on from the latest.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::{
    module::Module,
    store::ModuleRecord,
    tensor::Bytes,
    train::{
        checkpoint::{CheckpointerError, CheckpointingStrategy},
        metric::{
            LossMetric, Metric, MetricName,
            store::{Direction, Split},
        },
    },
};
use neptune_core::{Checkpoint, Checkpoints, Error, ExperimentHandle, Goal, Result};

use super::{
    NeptuneCheckpointer, NeptuneCheckpointingStrategy,
    checkpointer::file_name,
    versions::{Versions, epoch_of},
};
use crate::names::Namespace;

/// The name of the checkpoints of a training, in its namespace.
const FAMILY: &str = "checkpoints";

/// burn's names of the three files.
const FILES: [&str; 3] = ["model", "optim", "scheduler"];

/// Keeps the checkpoints of a training in its experiment: each epoch that burn saves is a version of the three files
/// `model-EPOCH.bpk`, `optim-EPOCH.bpk` and `scheduler-EPOCH.bpk`, and the aliases `latest` and `best` point to two of them.
///
/// When burn deletes its files, the version goes as well, unless it is among the best or the latest. The latest goes once
/// there is a later one.
///
/// [`Hooks`](crate::Hooks) uses it; alone it gives checkpointers and a strategy:
///
/// ```no_run
/// # use burn::train::{LearnerModel, SupervisedTraining, checkpoint::KeepLastNCheckpoints};
/// # fn attach<M: LearnerModel>(training: SupervisedTraining<M>, experiment: &neptune_core::ExperimentHandle) -> neptune_core::Result<SupervisedTraining<M>> {
/// let checkpoints = neptune_burn::NeptuneCheckpoints::new(experiment, "burn_files")?;
/// let [model, optim, scheduler] = checkpoints.checkpointers();
/// let mut training = training
///     .with_custom_checkpointers(model, optim, scheduler)
///     .with_checkpointing_strategy(checkpoints.strategy(KeepLastNCheckpoints::new(2)));
/// if let Some(epoch) = checkpoints.restore_latest()? {
///     training = training.checkpoint(epoch);
/// }
/// # Ok(training)
/// # }
/// ```
pub struct NeptuneCheckpoints {
    versions: Arc<Versions>,
    folder: PathBuf,
    metric: MetricName,
    split: Split,
}

/// What the best checkpoint is.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    metric: MetricName,
    split: Split,
    goal: Goal,
    keep: usize,
}

impl Default for Best {
    /// The least mean loss of validation, as burn's own default strategy has it.
    fn default() -> Self {
        Self { metric: LossMetric::new().name(), split: Split::Valid, goal: Goal::Minimize, keep: 1 }
    }
}

impl Best {
    /// By the mean of `metric` over the split.
    pub(crate) fn judged_by<M: Metric>(self, metric: &M, split: &Split, direction: Direction) -> Self {
        let goal = match direction {
            Direction::Lowest => Goal::Minimize,
            Direction::Highest => Goal::Maximize,
        };
        Self { metric: metric.name(), split: split.clone(), goal, keep: self.keep }
    }

    /// How many of the best stay when burn deletes its files.
    pub(crate) const fn keeping(mut self, count: usize) -> Self {
        self.keep = count;
        self
    }
}

impl NeptuneCheckpoints {
    /// The checkpoints at the top of the experiment, of a training in `directory`. The best is the one with the least mean
    /// loss of validation; it stays when burn deletes its files.
    ///
    /// # Errors
    /// When the experiment cannot be read.
    pub fn new(handle: &ExperimentHandle, directory: impl AsRef<Path>) -> Result<Self> {
        Self::within(handle, &Namespace::default(), directory.as_ref(), &Best::default())
    }

    pub(crate) fn within(
        handle: &ExperimentHandle,
        namespace: &Namespace,
        directory: &Path,
        best: &Best,
    ) -> Result<Self> {
        let checkpoints = handle.checkpoints(&namespace.path(FAMILY))?;
        Ok(Self {
            versions: Arc::new(Versions::new(handle, checkpoints, best.goal, best.keep)),
            folder: directory.join("checkpoint"),
            metric: Arc::clone(&best.metric),
            split: best.split.clone(),
        })
    }

    /// Checkpointers of the model, the optimizer and the scheduler, for `with_custom_checkpointers`.
    pub fn checkpointers(&self) -> [NeptuneCheckpointer; 3] {
        FILES.map(|name| NeptuneCheckpointer::new(self.folder.clone(), name, &self.versions))
    }

    /// A strategy that does what `strategy` does, for `with_checkpointing_strategy`. Without it no checkpoint is the best.
    pub fn strategy<S: CheckpointingStrategy>(&self, strategy: S) -> NeptuneCheckpointingStrategy<S> {
        self.strategy_with(strategy, None)
    }

    pub(crate) fn strategy_with<S>(
        &self,
        strategy: S,
        at_epoch: Option<Box<dyn Fn(usize) + Send>>,
    ) -> NeptuneCheckpointingStrategy<S> {
        NeptuneCheckpointingStrategy {
            inner: strategy,
            metric: Arc::clone(&self.metric),
            split: self.split.clone(),
            versions: Arc::clone(&self.versions),
            at_epoch,
            is_missing_said: false,
        }
    }

    /// The epoch of the latest whole checkpoint; nothing when that has not the files that burn resumes from.
    ///
    /// # Errors
    /// When the experiment cannot be read.
    pub fn latest_epoch(&self) -> Result<Option<usize>> {
        Ok(latest_of_burn(&self.versions.checkpoints)?.as_ref().map(epoch_of))
    }

    /// Removes all versions.
    pub(crate) fn remove_all(&self) -> Result<()> {
        let checkpoints = &self.versions.checkpoints;
        checkpoints.list().iter().try_for_each(|version| checkpoints.remove(version.step))
    }

    /// Writes the files of the latest whole checkpoint to where burn reads them, over those that are there, and returns its
    /// epoch, to be given to `checkpoint` of the training. Nothing when there is none.
    ///
    /// # Errors
    /// When the experiment cannot be read or the files cannot be written.
    pub fn restore_latest(&self) -> Result<Option<usize>> {
        let Some(version) = latest_of_burn(&self.versions.checkpoints)? else { return Ok(None) };
        // Over those that are there: another experiment may have left them in the same directory.
        self.versions.checkpoints.restore(&version, &self.folder)?;
        Ok(Some(epoch_of(&version)))
    }
}

/// The epoch from which a training of this experiment would resume: that of its latest whole checkpoint. `namespace` is
/// that of its [`Hooks`](crate::Hooks), or the empty string.
///
/// # Errors
/// When the experiment cannot be read.
pub fn resume_epoch(handle: &ExperimentHandle, namespace: &str) -> Result<Option<usize>> {
    let checkpoints = handle.checkpoints(&Namespace::new(namespace).path(FAMILY))?;
    Ok(latest_of_burn(&checkpoints)?.as_ref().map(epoch_of))
}

/// The latest version; nothing when it has not the files that burn resumes from.
fn latest_of_burn(checkpoints: &Checkpoints) -> Result<Option<Checkpoint>> {
    let has_files =
        |version: &Checkpoint| FILES.iter().all(|name| version.files.contains_key(&file_name(name, epoch_of(version))));
    Ok(checkpoints.find("latest")?.filter(has_files))
}

/// `model` with the parameters of a checkpoint of this experiment: of the `best`, of the `latest`, or of an epoch.
/// `namespace` is that of its [`Hooks`](crate::Hooks), or the empty string. Nothing when there is no such checkpoint.
///
/// ```no_run
/// # fn load<M: burn::module::Module>(experiment: &neptune_core::ExperimentHandle, last: M) -> Result<M, Box<dyn std::error::Error>> {
/// let best = neptune_burn::load_model(experiment, "", "best", last.clone())?.unwrap_or(last);
/// # Ok(best)
/// # }
/// ```
///
/// # Errors
/// burn's: `IOError` when the experiment or the file cannot be read, or `which` names nothing; `Record` when the parameters
/// are not those of such a model.
pub fn load_model<M: Module>(
    handle: &ExperimentHandle,
    namespace: &str,
    which: &str,
    model: M,
) -> Result<Option<M>, CheckpointerError> {
    let read = || {
        let checkpoints = handle.checkpoints(&Namespace::new(namespace).path(FAMILY))?;
        let Some(version) = checkpoints.find(which)? else { return Ok(None) };
        checkpoints.read(&version, &file_name(FILES[0], epoch_of(&version))).map(Some)
    };
    let Some(bytes) = read().map_err(|error: Error| CheckpointerError::IOError(io::Error::other(error)))? else {
        return Ok(None);
    };
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(CheckpointerError::Record)?;
    model.try_load_record(record).map(Some).map_err(CheckpointerError::Record)
}

impl fmt::Debug for NeptuneCheckpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeptuneCheckpoints")
            .field("folder", &self.folder)
            .field("metric", &self.metric)
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}
