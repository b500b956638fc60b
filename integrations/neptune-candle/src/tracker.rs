//! [`Tracker`]: what a training loop with candle talks to, and its settings.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::Tensor;
use candle_nn::{Optimizer, VarMap};
use neptune_core::{Checkpoints, ExperimentHandle, Number};

use crate::{
    optimizer::TrackedOptimizer,
    shared::{ReadEvery, Shared},
    step::StepGuard,
};

/// The namespace of what is logged without being asked for, unless it is set.
const NAMESPACE: &str = "train";

/// In how many steps the norms of gradients are measured once, unless it is set. Measuring them reads every gradient
/// once, which is little beside a step, but not nothing.
const GRADIENTS_EVERY: NonZeroU64 = NonZeroU64::new(10).expect("10 is not 0");

/// The name of the checkpoints of a tracker that was given none; below its namespace, unless that is the usual one.
const CHECKPOINTS: &str = "checkpoints";

/// Follows the training of one model: numbers its steps, times them, logs what they give, and saves and restores the
/// model. Cheap to clone; every clone is the same tracker.
///
/// It logs into the experiment that it was made with, and has no say in the end of it. What it holds back is logged when
/// the last clone goes, at each flush, and at the end of the experiment.
#[derive(Clone)]
pub struct Tracker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) model: VarMap,
    pub(crate) gradients_every: Option<NonZeroU64>,
    pub(crate) histograms_every: Option<NonZeroU64>,
    /// `None` until they are asked for.
    checkpoints: Arc<Mutex<Option<Checkpoints>>>,
}

/// Settings of a [`Tracker`].
#[must_use = "a tracker begins with `build`"]
pub struct TrackerBuilder {
    experiment: ExperimentHandle,
    model: VarMap,
    namespace: String,
    read_every: ReadEvery,
    gradients_every: Option<NonZeroU64>,
    histograms_every: Option<NonZeroU64>,
    checkpoints: Option<Checkpoints>,
}

impl Tracker {
    /// A tracker with the default settings. `model` holds the variables that are trained; layers may be added to it later.
    pub fn new(experiment: &ExperimentHandle, model: &VarMap) -> Self {
        Self::builder(experiment, model).build()
    }

    /// Settings, to be changed before the tracker begins.
    pub fn builder(experiment: &ExperimentHandle, model: &VarMap) -> TrackerBuilder {
        TrackerBuilder {
            experiment: experiment.clone(),
            model: model.clone(),
            namespace: NAMESPACE.to_owned(),
            read_every: ReadEvery::Automatic,
            gradients_every: Some(GRADIENTS_EVERY),
            histograms_every: None,
            checkpoints: None,
        }
    }

    /// Begins the next step, which ends when the guard is dropped. Then it is logged how long it took, as
    /// `train/step_time` in seconds.
    ///
    /// Where reading is put off, the times are too: they are then the mean of the steps since the last read, because an
    /// accelerator works on after a call returned, and only a read waits for it.
    pub fn step(&self) -> StepGuard<'_> {
        StepGuard::begin(&self.shared)
    }

    /// How many steps are done, in this process or before the checkpoint that was restored. In a step it is the number of
    /// that step.
    pub fn steps_done(&self) -> u64 {
        self.shared.steps_done()
    }

    /// Has the next step be number `step`: for loops that keep their own checkpoints. [`Tracker::restore`] does it by
    /// itself.
    pub fn resume_at(&self, step: u64) {
        self.shared.go_on_at(step);
    }

    /// Logs the number in `tensor` to the series at `path`, such as `validation/loss`, at [`Tracker::steps_done`]. As
    /// [`StepGuard::log`], which belongs to a step.
    pub fn log(&self, path: &str, tensor: &Tensor) {
        self.shared.log_tensor(path, self.steps_done(), tensor);
    }

    /// Logs `value` to the series at `path`, at [`Tracker::steps_done`].
    pub fn log_value(&self, path: &str, value: impl Number) {
        self.shared.log_number(path, self.steps_done(), value.to_f64());
    }

    /// Wraps an optimizer, so that it logs its learning rate and the norms of the gradients that it is given.
    pub fn optimizer<O: Optimizer>(&self, optimizer: O) -> TrackedOptimizer<O> {
        TrackedOptimizer::of(optimizer, self.clone())
    }

    /// The reason, when somebody asked the experiment to end before its work is done: with `neptune abort`, or by
    /// [`ExperimentHandle::request_abort`]. Costs a nanosecond or so while nobody did: ask in every step.
    pub fn abort_requested(&self) -> Option<String> {
        self.shared.experiment.abort_requested()
    }

    /// Waits for the device and logs what is held, now. Not needed before a flush or the end of the experiment.
    pub fn read(&self) {
        self.shared.read();
    }

    /// How often the tracker has read held numbers, each of which waited for a device.
    pub fn reads(&self) -> u64 {
        self.shared.reads()
    }

    /// The experiment that it logs into.
    pub fn experiment(&self) -> &ExperimentHandle {
        &self.shared.experiment
    }

    /// The versions that [`Tracker::checkpoint`] saves and [`Tracker::restore`] finds.
    ///
    /// # Errors
    /// `Neptune` when the checkpoints of the experiment cannot be read.
    pub fn checkpoints(&self) -> crate::Result<Checkpoints> {
        let mut known = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(checkpoints) = &*known {
            return Ok(checkpoints.clone());
        }
        let name = match self.shared.namespace.as_str() {
            NAMESPACE => CHECKPOINTS.to_owned(),
            namespace => format!("{namespace}/{CHECKPOINTS}"),
        };
        Ok(known.insert(self.shared.experiment.checkpoints(&name)?).clone())
    }
}

impl TrackerBuilder {
    /// The namespace of what is logged without being asked for, such as `train/step_time`; `train` when it is not said. A
    /// second tracker of a process with the same gets a number, `train_2`, and that is said on standard error.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Holds tensors that are logged for this many steps (0 is 1), then reads all with one wait for the device.
    ///
    /// When it is not said, tensors on the CPU are read at once, and those on other devices at the end of the first step
    /// a second after the first. Each value is logged at its own step and with its own time, whenever it is read. What is
    /// held dies with the process, unlike all else that is logged; a panic or an error does not harm it.
    pub fn read_every(mut self, steps: u64) -> Self {
        self.read_every = ReadEvery::Steps(steps.max(1));
        self
    }

    /// Measures the norms of the gradients in every step whose number is a multiple of `steps`; 10 when it is not said,
    /// and 0 for never. Their reading is put off like that of other tensors.
    pub fn gradients_every(mut self, steps: u64) -> Self {
        self.gradients_every = NonZeroU64::new(steps);
        self
    }

    /// Logs histograms of all weights and gradients in every step whose number is a multiple of `steps`; 0, and when it is
    /// not said, for never. Each of these steps waits for the device and reads the model once, so choose a large number.
    pub fn histograms_every(mut self, steps: u64) -> Self {
        self.histograms_every = NonZeroU64::new(steps);
        self
    }

    /// Where checkpoints are saved, and how many are kept. When it is not said all are kept: under `checkpoints`, or
    /// `NAMESPACE/checkpoints` for a tracker with a namespace of its own.
    pub fn checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// The tracker.
    pub fn build(self) -> Tracker {
        Tracker {
            shared: Shared::new(self.experiment, &self.namespace, self.read_every),
            model: self.model,
            gradients_every: self.gradients_every,
            histograms_every: self.histograms_every,
            checkpoints: Arc::new(Mutex::new(self.checkpoints)),
        }
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker")
            .field("experiment", &self.shared.experiment)
            .field("namespace", &self.shared.namespace)
            .field("steps_done", &self.steps_done())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TrackerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerBuilder")
            .field("experiment", &self.experiment)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
