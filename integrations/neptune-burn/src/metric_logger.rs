//! [`NeptuneMetricLogger`]: what burn's metrics say becomes series.
//!
//! Invariant: burn reads its metrics back from the files of its own logger, which gets everything that it would get without
//! neptune. Early stopping and the choice of checkpoints see the same numbers.

use std::{collections::HashMap, fmt, path::Path, sync::Arc};

use burn::train::{
    logger::{FileMetricLogger, MetricLogger},
    metric::{
        MetricAttributes, MetricDefinition, MetricId, NumericEntry,
        store::{EpochSummary, MetricsUpdate, Split},
    },
};
use neptune_core::{ExperimentHandle, Result};

use crate::{
    GradientMonitor,
    names::{Names, Namespace},
    resumed::Resumed,
    split_log::{LAST_STEP, LEARNING_RATE, OPTIMIZER_STEPS, SplitLog},
    step_metric::{self, Batch},
};

/// Segments that are not for metrics: the epoch's values stand below `epoch`, some of them ours.
const RESERVED: [&str; 3] = ["epoch", LAST_STEP, OPTIMIZER_STEPS];

/// Logs every metric of a training to an experiment, and to the files that burn itself reads.
///
/// | what | where | step |
/// |---|---|---|
/// | a number, of each batch | `train/loss`, `valid/accuracy`: the split, then the name of the metric in lower case | the batch, counted from 1 over all epochs of the split |
/// | a number, of the whole epoch | `train/epoch/loss` | the epoch |
/// | a text that changed | `train/NAME` | the batch |
/// | the learning rate | `train/learning_rate` | the batch |
/// | the step at which an epoch ended | `train/epoch/last_step` | the epoch |
/// | unit, direction, description, name | the atoms `metrics/NAME/unit`, `.../higher_is_better`, `.../description`, `.../name` | |
///
/// Blanks and slashes in names become `_`. Of two metrics with the same name in lower case, the second becomes `NAME_2`.
/// A number that a metric only knows at the end of an epoch has no points per batch. NaN is kept.
///
/// With [`StepMetric`](crate::StepMetric) registered, the learning rate is logged; without it, a training that has text
/// metrics alone counts the end of an epoch as a batch.
///
/// It is called by a thread of burn's, not by the one that trains.
pub struct NeptuneMetricLogger {
    files: FileMetricLogger,
    handle: ExperimentHandle,
    namespace: Namespace,
    names: Names,
    /// Where each metric stands: its segment.
    segments: HashMap<MetricId, String>,
    /// The metric that brings the learning rate, when it is registered.
    step_metric: Option<MetricId>,
    splits: HashMap<Split, SplitLog>,
    resumed: Option<Resumed>,
    /// Kept for as long as the training runs, for those who only know of it.
    monitor: Option<GradientMonitor>,
}

impl NeptuneMetricLogger {
    /// A logger to the top of the experiment, and to burn's files in `directory`, as `FileMetricLogger::new(directory)`.
    pub fn new(handle: &ExperimentHandle, directory: impl AsRef<Path>) -> Self {
        Self {
            files: FileMetricLogger::new(directory),
            handle: handle.clone(),
            namespace: Namespace::default(),
            names: Names::new(&RESERVED),
            segments: HashMap::new(),
            step_metric: None,
            splits: HashMap::new(),
            resumed: None,
            monitor: None,
        }
    }

    /// Logs below `namespace`, which may have several segments: `pretraining/train/loss`.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.within(Namespace::new(namespace))
    }

    pub(crate) fn within(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Goes on behind `epoch`, from whose checkpoint the training resumes: steps continue where that epoch ended, and what
    /// was logged behind it is replaced as it is trained again. Where burn's files of earlier epochs are gone, burn is given
    /// their means from the experiment.
    ///
    /// Waits until the store has what was logged before. Call it behind [`namespace`](Self::namespace).
    ///
    /// # Errors
    /// When the experiment cannot be read. Offline it never can be: steps are then estimated from the first batch.
    pub fn resume_after(mut self, epoch: usize) -> Result<Self> {
        self.resumed = Some(Resumed::read(&self.handle, &self.namespace, epoch)?);
        Ok(self)
    }

    pub(crate) fn resuming(mut self, resumed: Resumed) -> Self {
        self.resumed = Some(resumed);
        self
    }

    /// Keeps `monitor` until the training is over.
    pub(crate) fn keeping(mut self, monitor: GradientMonitor) -> Self {
        self.monitor = Some(monitor);
        self
    }

    fn define(&self, definition: &MetricDefinition, segment: &str) {
        let atom = |field: &str| self.handle.atom(&self.namespace.path(&format!("metrics/{segment}/{field}")));
        atom("name").assign(definition.name.as_str());
        if let Some(description) = &definition.description {
            atom("description").assign(description.as_str());
        }
        if let MetricAttributes::Numeric(numeric) = &definition.attributes {
            atom("higher_is_better").assign(numeric.higher_is_better);
            if let Some(unit) = &numeric.unit {
                atom("unit").assign(unit.as_str());
            }
        }
    }

    fn record(&mut self, update: &MetricsUpdate, told: Told, epoch: usize, split: &Split) {
        let log = self.splits.entry(split.clone()).or_insert_with(|| {
            let last_steps = self.resumed.as_ref().map(|resumed| resumed.last_steps(split)).unwrap_or_default();
            SplitLog::new(&self.handle, &self.namespace, split, last_steps)
        });
        let segments = &self.segments;
        let segment = |id: &MetricId| segments.get(id).map(String::as_str);
        let numbers = update.entries_numeric.iter();
        let numbers =
            numbers.filter_map(|number| Some((segment(&number.entry.metric_id)?, number.numeric_entry.as_ref()?)));
        let values = numbers.clone().map(|(segment, number)| (segment, number.current()));
        let batch = match told {
            Told::Batch(batch) => Some(batch),
            Told::End => return log.epoch_values(epoch, values),
            Told::Nothing => {
                if numbers.clone().any(|(_, number)| matches!(number, NumericEntry::Final(_))) {
                    return log.epoch_values(epoch, values);
                }
                None
            }
        };
        let step = log.next_step(epoch, || batch.map_or(0, |batch| batch.batches_per_epoch()));
        // A metric of that name has the same numbers already.
        let rate = batch.and_then(|batch| batch.learning_rate);
        let rate = rate.filter(|_| !numbers.clone().any(|(segment, _)| segment == LEARNING_RATE));
        log.batch_values(step, values.chain(rate.map(|rate| (LEARNING_RATE, rate))));
        for entry in &update.entries {
            if let Some(segment) = segment(&entry.metric_id)
                && !entry.serialized_entry.is_not_available()
            {
                log.text(step, segment, &entry.serialized_entry.serialized);
            }
        }
    }

    /// The mean of an epoch before the resumed one, as the experiment has it.
    fn mean_before(&self, name: &str, epoch: usize, split: &Split) -> Option<f64> {
        let segment = self.segments.get(&MetricId::new(Arc::new(name.to_owned())))?;
        self.resumed.as_ref()?.values(split, segment)?.get(&epoch).copied()
    }
}

/// What the step metric told of an update.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// It is of this batch.
    Batch(Batch),
    /// It is of a whole epoch.
    End,
    /// The metric is not registered.
    Nothing,
}

impl MetricLogger for NeptuneMetricLogger {
    fn log(&mut self, mut update: MetricsUpdate, epoch: usize, split: &Split) {
        let mut told = Told::Nothing;
        if let Some(id) = &self.step_metric {
            update.entries.retain(|entry| {
                let is_step = entry.metric_id == *id;
                if is_step {
                    told = Batch::parse(&entry.serialized_entry.serialized).map_or(Told::End, Told::Batch);
                }
                !is_step
            });
        }
        self.record(&update, told, epoch, split);
        self.files.log(update, epoch, split);
    }

    fn read_numeric(&mut self, name: &str, epoch: usize, split: &Split) -> Result<Vec<NumericEntry>, String> {
        let numbers = self.files.read_numeric(name, epoch, split)?;
        if !numbers.is_empty() {
            return Ok(numbers);
        }
        Ok(self.mean_before(name, epoch, split).map(NumericEntry::Final).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        if definition.name.as_str() == step_metric::NAME {
            self.step_metric = Some(definition.metric_id);
            return;
        }
        if !self.segments.contains_key(&definition.metric_id) {
            let segment = self.names.take(&definition.name);
            self.define(&definition, &segment);
            self.segments.insert(definition.metric_id.clone(), segment);
        }
        self.files.log_metric_definition(definition);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        if let Some(log) = self.splits.get_mut(&summary.split) {
            log.end_epoch(summary.epoch_number);
        }
        self.files.log_epoch_summary(summary);
    }
}

impl fmt::Debug for NeptuneMetricLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeptuneMetricLogger")
            .field("handle", &self.handle)
            .field("namespace", &self.namespace)
            .field("monitor", &self.monitor)
            .finish_non_exhaustive()
    }
}
