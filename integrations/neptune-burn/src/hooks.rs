//! [`Hooks`]: everything that is logged of a training, attached at once.

use std::{fmt, path::PathBuf};

use burn::train::{
    LearnerModel, SupervisedTraining,
    checkpoint::{
        CheckpointingStrategy, ComposedCheckpointingStrategy, KeepLastNCheckpoints, MetricCheckpointingStrategy,
    },
    metric::{
        LossMetric, Metric,
        store::{Aggregate, Direction, Split},
    },
};
use neptune_core::{ExperimentHandle, Result};

use crate::{
    GradientMonitor, NeptuneCheckpoints, NeptuneMetricLogger, NeptuneProgressLogger, StepMetric, attached,
    checkpoints::Best,
    monitor::CurrentAtLaunch,
    names::Namespace,
    resumed::{self, Resumed},
    split_log::OPTIMIZER_STEPS,
    stale,
};

/// What is logged of a training, and how. [`attach`](Self::attach) fills the slots of the training:
///
/// | slot of the training | what comes there | to leave it out |
/// |---|---|---|
/// | metric logger | [`NeptuneMetricLogger`], which writes burn's files as well, and [`StepMetric`] | |
/// | progress logger | [`NeptuneProgressLogger`] | call `with_progress_logger` behind it |
/// | checkpointers and their strategy | [`NeptuneCheckpoints`] | [`without_checkpoints`](Self::without_checkpoints) |
/// | the checkpoint to resume from | the latest of the experiment | [`from_scratch`](Self::from_scratch) |
/// | interrupter | the one that the training has is told when the experiment is to be aborted | |
/// | application logger | none of burn's, see below | call `with_application_logger` behind it |
///
/// What is set on the training behind it wins; give another interrupter before it.
///
/// # What burn does not do then
/// **burn's application logger is not installed.** By default burn takes the global `tracing` subscriber for itself, when a
/// training is launched and none is set, writes what it says to `experiment.log` in the directory of the training, and sets a
/// panic hook that names this file. Attached, there is no `experiment.log` and no such hook: your subscriber and your panic
/// hook stay as you set them, and neptune notes panics in the experiment. To have burn's logger all the same, call
/// `.with_application_logger(Some(Box::new(FileApplicationLoggerInstaller::new(directory.join("experiment.log")))))` behind
/// it. Of several trainings that one thread attached, [`log_gradients`](crate::log_gradients) then takes the last one
/// attached for the one that runs.
///
/// # Files of earlier trainings
/// burn reads the metrics of an epoch from `train/epoch-N` and `valid/epoch-N` in its directory, also those of epochs that
/// are still to come, when another training has left them there. Early stopping and the choice of checkpoints would go by
/// them. So [`attach`](Self::attach) removes these folders for all epochs behind the one that it resumes from: for all
/// epochs, when it does not resume. With [`without_checkpoints`](Self::without_checkpoints) they stay, because the training
/// may resume from files of burn's own.
///
/// # Resuming
/// When the experiment has a whole checkpoint, the files of the latest are written to where burn reads them, and the
/// training goes on behind its epoch: with the same steps that it would have had, so that what was logged behind the
/// checkpoint is replaced as it is trained again. So a program that attaches its experiment by id goes on where it was
/// killed.
///
/// The model must be made on `device.autodiff()`, as for burn without neptune: that is where the parameters of a checkpoint
/// are loaded to.
///
/// burn does not keep the state of early stopping, nor that of the shuffling of its loaders, nor which older checkpoints it
/// was going to delete: those stay. A run that ends before the epoch that an earlier one had reached leaves the points of
/// that behind its own.
///
/// # Several trainings in one experiment
/// Each needs a [`namespace`](Self::namespace) of its own. One that has the same as another of this process gets a number:
/// `training_2`, `training_3`, in the order in which they attach.
pub struct Hooks {
    handle: ExperimentHandle,
    directory: PathBuf,
    namespace: String,
    /// `None` when there are to be no checkpoints.
    strategy: Option<Box<dyn CheckpointingStrategy>>,
    best: Best,
    from_scratch: bool,
    monitor: GradientMonitor,
}

impl Hooks {
    /// Hooks to the top of the experiment. `directory` is the one that the training was made with: where burn keeps its
    /// files. Give each experiment its own: burn reads what it finds there.
    pub fn new(experiment: &ExperimentHandle, directory: impl Into<PathBuf>) -> Self {
        Self {
            handle: experiment.clone(),
            directory: directory.into(),
            namespace: String::new(),
            strategy: Some(Box::new(default_strategy())),
            best: Best::default(),
            from_scratch: false,
            monitor: GradientMonitor::new(experiment),
        }
    }

    /// Logs below `namespace`, which may have several segments: `pretraining/train/loss`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// When burn saves and deletes checkpoints; by default as burn does: the last two and the one with the least mean loss
    /// of validation. Say it here, not on the training, so that [`best`](Self::best) has its metric.
    #[must_use]
    pub fn strategy(mut self, strategy: impl CheckpointingStrategy + 'static) -> Self {
        self.strategy = Some(Box::new(strategy));
        self
    }

    /// By what the alias `best` is chosen among the checkpoints: the mean of `metric` over the `split` of the epoch. By
    /// default the least loss of validation. It does not change what burn saves.
    #[must_use]
    pub fn best<M: Metric>(mut self, metric: &M, split: &Split, direction: Direction) -> Self {
        self.best = self.best.judged_by(metric, split, direction);
        self
    }

    /// How many of the best checkpoints stay in the experiment when burn deletes its files; 1 when it is not said.
    #[must_use]
    pub fn keep_best(mut self, count: usize) -> Self {
        self.best = self.best.keeping(count);
        self
    }

    /// Saves no checkpoints, leaves those slots of the training and the files in its directory as they are, and does not
    /// resume.
    #[must_use]
    pub fn without_checkpoints(mut self) -> Self {
        self.strategy = None;
        self
    }

    /// Trains from the first epoch. The checkpoints that the experiment has below this namespace are **removed**: they are
    /// of another training, and would be its `latest` and `best`.
    #[must_use]
    pub const fn from_scratch(mut self) -> Self {
        self.from_scratch = true;
        self
    }

    /// How often [`log_gradients`](crate::log_gradients) logs norms, in steps of the optimizer; 50 when it is not said.
    #[must_use]
    pub fn gradients_every(mut self, steps: u64) -> Self {
        self.monitor = self.monitor.every(steps);
        self
    }

    /// How often [`log_gradients`](crate::log_gradients) logs histograms; never when it is not said.
    #[must_use]
    pub fn histograms_every(mut self, steps: u64) -> Self {
        self.monitor = self.monitor.histograms_every(steps);
        self
    }

    /// Attaches everything to `training`. Waits for the store when the experiment was logged to before.
    ///
    /// # Errors
    /// When the experiment cannot be read, or the files of its latest checkpoint cannot be written to the directory. Nothing
    /// is attached then, and the namespace is free again.
    pub fn attach<M: LearnerModel>(self, training: SupervisedTraining<M>) -> Result<SupervisedTraining<M>> {
        let Self { handle, directory, namespace, strategy, best, from_scratch, monitor } = self;
        let claim = attached::claim(&handle, &namespace);
        let namespace = claim.namespace().clone();

        let mut logger = NeptuneMetricLogger::new(&handle, &directory).within(namespace.clone());
        let mut monitor = monitor.within(namespace.clone());
        let mut training = training;
        if let Some(strategy) = strategy {
            let checkpoints = NeptuneCheckpoints::within(&handle, &namespace, &directory, &best)?;
            let latest = if from_scratch {
                checkpoints.remove_all()?;
                None
            } else {
                checkpoints.restore_latest()?
            };
            if let Some(epoch) = latest {
                let resumed = Resumed::read(&handle, &namespace, epoch)?;
                let steps = resumed.values(&Split::Train, OPTIMIZER_STEPS).and_then(|steps| steps.get(&epoch));
                monitor = monitor.resuming(steps.map_or(0, |&steps| resumed::whole(steps)));
                logger = logger.resuming(resumed);
                training = training.checkpoint(epoch);
            }
            if let Err(error) = stale::remove_epochs_behind(latest.unwrap_or_default(), &directory) {
                let directory = directory.display();
                handle.notice(|| {
                    format!("burn may take files of another training in {directory} for this one's: {error}")
                });
            }
            let [model, optim, scheduler] = checkpoints.checkpointers();
            let steps = log_optimizer_steps(&handle, &namespace, &monitor);
            training = training
                .with_custom_checkpointers(model, optim, scheduler)
                .with_checkpointing_strategy(checkpoints.strategy_with(strategy, Some(steps)));
        }
        claim.keep();
        monitor.make_current();
        let interrupter = training.interrupter();
        handle.on_abort(move |reason| interrupter.stop(Some(reason)));
        Ok(training
            .metric_train(StepMetric::new())
            .metric_valid(StepMetric::new())
            .with_metric_logger(logger.keeping(monitor.clone()))
            .with_progress_logger(NeptuneProgressLogger::new(&handle).within(namespace))
            .with_application_logger(Some(Box::new(CurrentAtLaunch(monitor)))))
    }
}

/// Trainings that log themselves.
pub trait NeptuneTraining: Sized {
    /// Attaches `experiment` to a training in `directory`, with the defaults of [`Hooks`]. Call it behind the settings of
    /// the training.
    ///
    /// # Errors
    /// As [`Hooks::attach`].
    fn with_neptune(self, experiment: &ExperimentHandle, directory: impl Into<PathBuf>) -> Result<Self>;
}

impl<M: LearnerModel> NeptuneTraining for SupervisedTraining<M> {
    fn with_neptune(self, experiment: &ExperimentHandle, directory: impl Into<PathBuf>) -> Result<Self> {
        Hooks::new(experiment, directory).attach(self)
    }
}

/// burn's default, which a training does not give away.
fn default_strategy() -> ComposedCheckpointingStrategy {
    let best = MetricCheckpointingStrategy::new(&LossMetric::new(), Aggregate::Mean, Direction::Lowest, Split::Valid);
    ComposedCheckpointingStrategy::builder().add(KeepLastNCheckpoints::new(2)).add(best).build()
}

/// Logs how many steps the optimizer had made at the end of an epoch, if its gradients are logged.
fn log_optimizer_steps(
    handle: &ExperimentHandle,
    namespace: &Namespace,
    monitor: &GradientMonitor,
) -> Box<dyn Fn(usize) + Send> {
    let (handle, monitor) = (handle.clone(), monitor.clone());
    let path = namespace.path(&format!("train/epoch/{OPTIMIZER_STEPS}"));
    Box::new(move |epoch| {
        if monitor.steps() > 0
            && let Ok(series) = crate::split_log::series::<f64>(&handle, &path)
        {
            series.append_at(epoch, monitor.steps() as f64);
        }
    })
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("handle", &self.handle)
            .field("directory", &self.directory)
            .field("namespace", &self.namespace)
            .field("best", &self.best)
            .field("from_scratch", &self.from_scratch)
            .field("monitor", &self.monitor)
            .finish_non_exhaustive()
    }
}
