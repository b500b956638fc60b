//! [`SplitLog`]: the series of one split of a training.
//!
//! Invariant: every number that is not kept is counted, with its path.

use std::collections::{BTreeMap, HashMap};

use burn::train::metric::store::Split;
use neptune_core::{ExperimentHandle, LostReason, Series, SeriesValue, Step};

use crate::{
    names::{self, Namespace},
    steps::Steps,
};

/// The segment of the learning rate.
pub(crate) const LEARNING_RATE: &str = "learning_rate";

/// The segment, below `epoch`, of the step of an epoch's last batch.
pub(crate) const LAST_STEP: &str = "last_step";

/// The segment, below `train/epoch`, of the steps of the optimizer at the end of an epoch.
pub(crate) const OPTIMIZER_STEPS: &str = "optimizer_steps";

/// Where the numbers of a metric go, or why they go nowhere.
type Number = Result<Series<f64>, LostReason>;

/// What is logged of one split.
#[derive(Debug)]
pub(crate) struct SplitLog {
    handle: ExperimentHandle,
    /// The path of the split, such as `train`.
    path: String,
    steps: Steps,
    batches: HashMap<String, Number>,
    epochs: HashMap<String, Number>,
    texts: HashMap<String, Result<Text, LostReason>>,
}

/// A series of text, and what it said last.
#[derive(Debug)]
struct Text {
    series: Series<String>,
    last: String,
}

impl SplitLog {
    /// Goes on behind the epochs whose last steps are `last_steps`.
    pub(crate) fn new(
        handle: &ExperimentHandle,
        namespace: &Namespace,
        split: &Split,
        last_steps: BTreeMap<usize, u64>,
    ) -> Self {
        Self {
            handle: handle.clone(),
            path: namespace.path(&names::split(split)),
            steps: Steps::resuming(last_steps),
            batches: HashMap::new(),
            epochs: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    /// The step of the next batch; see [`Steps::next`].
    pub(crate) fn next_step(&mut self, epoch: usize, estimate: impl FnOnce() -> u64) -> u64 {
        self.steps.next(epoch, estimate)
    }

    /// Logs the numbers of a batch, by segment, in one record.
    pub(crate) fn batch_values<'a>(&mut self, step: u64, values: impl Iterator<Item = (&'a str, f64)> + Clone) {
        let Self { handle, path, batches, .. } = self;
        append(handle, batches, step, values, |segment| format!("{path}/{segment}"));
    }

    /// Logs the numbers of an epoch, by segment.
    pub(crate) fn epoch_values<'a>(&mut self, epoch: usize, values: impl Iterator<Item = (&'a str, f64)> + Clone) {
        let Self { handle, path, epochs, .. } = self;
        append(handle, epochs, epoch as u64, values, |segment| format!("{path}/epoch/{segment}"));
    }

    /// Logs at which step `epoch` ended.
    pub(crate) fn end_epoch(&mut self, epoch: usize) {
        if let Some(last) = self.steps.end(epoch) {
            self.epoch_values(epoch, std::iter::once((LAST_STEP, last as f64)));
        }
    }

    /// Logs a text, unless it says what it said before.
    pub(crate) fn text(&mut self, step: u64, segment: &str, said: &str) {
        let text = self.texts.entry(segment.to_owned()).or_insert_with(|| {
            let series = series(&self.handle, &format!("{}/{segment}", self.path))?;
            Ok(Text { series, last: String::new() })
        });
        match text {
            Ok(text) if text.last == said => {}
            Ok(text) => {
                text.series.append_at(step, said);
                said.clone_into(&mut text.last);
            }
            Err(reason) => self.handle.count_lost(*reason, 1, String::new),
        }
    }
}

/// Logs `values` at `step`, making the series that are new.
fn append<'a>(
    handle: &ExperimentHandle,
    all: &mut HashMap<String, Number>,
    step: u64,
    values: impl Iterator<Item = (&'a str, f64)> + Clone,
    path: impl Fn(&str) -> String,
) {
    for (segment, _) in values.clone() {
        if !all.contains_key(segment) {
            all.insert(segment.to_owned(), series(handle, &path(segment)));
        }
    }
    let mut points: Vec<(&Series<f64>, f64)> = Vec::new();
    for (segment, value) in values {
        match all.get(segment) {
            Some(Ok(series)) => points.push((series, value)),
            Some(Err(reason)) => handle.count_lost(*reason, 1, String::new),
            None => {}
        }
    }
    handle.append_points(Some(Step::from(step)), points.iter().copied());
}

/// A handle to the series at `path`, or the reason why there is none, which is said once. Points that find no series are
/// counted by who has them.
pub(crate) fn series<T: SeriesValue>(handle: &ExperimentHandle, path: &str) -> Result<Series<T>, LostReason> {
    handle.series(path).map_err(|error| {
        let reason = error.kind().lost_reason();
        handle.count_lost(reason, 0, || error.to_string());
        reason
    })
}
