//! [`NeptuneCheckpoints`]: the checkpoints of a training, and going on from the latest.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::train::{
    checkpoint::CheckpointingStrategy,
    metric::{
        LossMetric, Metric, MetricName,
        store::{Direction, Split},
    },
};
use neptune_core::{ExperimentHandle, Goal, Result};

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
/// When burn deletes its files, the version goes as well, unless it is among the best.
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
        }
    }

    /// The epoch of the latest whole checkpoint.
    ///
    /// # Errors
    /// When the experiment cannot be read.
    pub fn latest_epoch(&self) -> Result<Option<usize>> {
        Ok(self.versions.checkpoints.find("latest")?.as_ref().map(epoch_of))
    }

    /// Writes the files of the latest whole checkpoint to where burn reads them, over those that are there, and returns its
    /// epoch, to be given to `checkpoint` of the training. Nothing when there is none.
    ///
    /// # Errors
    /// When the experiment cannot be read or the files cannot be written.
    pub fn restore_latest(&self) -> Result<Option<usize>> {
        let Some(version) = self.versions.checkpoints.find("latest")? else { return Ok(None) };
        let epoch = epoch_of(&version);
        let is_ours = FILES.iter().all(|name| version.files.contains_key(&file_name(name, epoch)));
        if !is_ours {
            return Ok(None);
        }
        // Over those that are there: another experiment may have left them in the same directory.
        self.versions.checkpoints.restore(&version, &self.folder)?;
        Ok(Some(epoch))
    }
}

/// The epoch from which a training of this experiment would resume: that of its latest whole checkpoint. `namespace` is
/// that of its [`Hooks`](crate::Hooks), or the empty string.
///
/// # Errors
/// When the experiment cannot be read.
pub fn resume_epoch(handle: &ExperimentHandle, namespace: &str) -> Result<Option<usize>> {
    let checkpoints = handle.checkpoints(&Namespace::new(namespace).path(FAMILY))?;
    Ok(checkpoints.find("latest")?.as_ref().map(epoch_of))
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
