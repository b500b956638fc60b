//! [`NeptuneProgressLogger`]: how far a training is, and when it will be done.
//!
//! Invariant: burn calls it with every batch, between two batches; most calls read a counter and compare it.

use burn::train::logger::TrainingProgressLogger;
use neptune_core::{ExperimentHandle, Series, stopwatch};

use crate::names::Namespace;

/// How often the progress within an epoch is logged, at most: often enough to watch.
const EVERY_NANOS: u64 = 1_000_000_000;

/// Logs the progress of a training, at most once a second and at each change of split and epoch:
///
/// | what | where |
/// |---|---|
/// | the epoch that is trained, and how many there are | the atoms `progress/epoch`, `progress/total_epochs` |
/// | the split, its items so far, and how many it has | the atoms `progress/split`, `progress/items`, `progress/total_items` |
/// | the share of the whole training that is done, 0 to 100 | the atom `progress/percent` |
/// | the seconds that are left at the speed so far | the atom `progress/eta_seconds` |
/// | the label of the training, if it has one | the atom `progress/label` |
/// | the seconds that each epoch took | the series `progress/epoch_seconds`, at the epoch |
///
/// A training that resumes counts the epochs before as done. Early stopping is not foreseen.
#[derive(Debug)]
pub struct NeptuneProgressLogger {
    handle: ExperimentHandle,
    namespace: Namespace,
    epoch_seconds: Option<Series<f64>>,
    epoch: usize,
    total_epochs: usize,
    /// The epochs that were done when this process began.
    done_before: usize,
    items: usize,
    total_items: usize,
    split: Split,
    began: u64,
    epoch_began: u64,
    split_began: u64,
    logged: u64,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Split {
    Train,
    Other,
}

/// How the time of an epoch falls on its splits.
#[derive(Debug, Clone, Copy)]
struct Pace {
    train_nanos: u64,
    other_nanos: u64,
}

impl Pace {
    /// What share of an epoch is done when `share` of `split` is.
    fn done(self, split: Split, share: f64) -> f64 {
        let train = if self.other_nanos == 0 {
            1.0
        } else {
            self.train_nanos as f64 / (self.train_nanos + self.other_nanos) as f64
        };
        match split {
            Split::Train => train * share,
            Split::Other => train + (1.0 - train) * share,
        }
    }
}

impl NeptuneProgressLogger {
    /// Logs to the top of the experiment.
    pub fn new(handle: &ExperimentHandle) -> Self {
        let now = stopwatch::ticks();
        Self {
            handle: handle.clone(),
            namespace: Namespace::default(),
            epoch_seconds: None,
            epoch: 1,
            total_epochs: 0,
            done_before: 0,
            items: 0,
            total_items: 0,
            split: Split::Train,
            began: now,
            epoch_began: now,
            split_began: now,
            logged: now,
            pace: Pace { train_nanos: 0, other_nanos: 0 },
        }
    }

    /// Logs below `namespace`, which may have several segments.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.within(Namespace::new(namespace))
    }

    pub(crate) fn within(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    fn atom(&self, name: &str) -> neptune_core::Atom {
        self.handle.atom(&self.namespace.path(&format!("progress/{name}")))
    }

    /// The epochs that are done, with the share of the current one.
    fn epochs_done(&self) -> f64 {
        let share = if self.total_items == 0 { 0.0 } else { self.items as f64 / self.total_items as f64 };
        self.epoch.saturating_sub(1) as f64 + self.pace.done(self.split, share.min(1.0))
    }

    fn log(&mut self) {
        self.logged = stopwatch::ticks();
        self.atom("items").assign(whole(self.items));
        let done = self.epochs_done();
        let total = self.total_epochs as f64;
        if self.total_epochs > 0 {
            self.atom("percent").assign((100.0 * done / total).min(100.0));
        }
        let done_here = done - self.done_before as f64;
        if done_here > 0.0 {
            let left = (total - done).max(0.0);
            self.atom("eta_seconds").assign(seconds_since(self.began) * left / done_here);
        }
    }
}

impl TrainingProgressLogger for NeptuneProgressLogger {
    fn start(&mut self, total_epochs: usize, starting_epoch: usize, _total_items: Option<usize>, label: Option<&str>) {
        let now = stopwatch::ticks();
        (self.began, self.epoch_began) = (now, now);
        self.total_epochs = total_epochs;
        self.epoch = starting_epoch;
        self.done_before = starting_epoch.saturating_sub(1);
        self.epoch_seconds = self.handle.series(&self.namespace.path("progress/epoch_seconds")).ok();
        self.atom("total_epochs").assign(whole(total_epochs));
        if let Some(label) = label {
            self.atom("label").assign(label);
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        if let Some(series) = &self.epoch_seconds {
            series.append_at(epoch, seconds_since(self.epoch_began));
        }
        self.epoch_began = stopwatch::ticks();
        // All of it is done, and none of the next.
        (self.epoch, self.items, self.split) = (epoch + 1, 0, Split::Train);
        self.log();
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.split = if split == "train" { Split::Train } else { Split::Other };
        self.split_began = stopwatch::ticks();
        (self.items, self.total_items) = (0, total_items);
        self.atom("epoch").assign(whole(self.epoch));
        self.atom("split").assign(split);
        self.atom("total_items").assign(whole(total_items));
        self.log();
    }

    fn update_split(&mut self, items_processed: usize) {
        self.items = items_processed;
        if stopwatch::nanos(stopwatch::ticks().saturating_sub(self.logged)) >= EVERY_NANOS {
            self.log();
        }
    }

    fn end_split(&mut self) {
        let took = stopwatch::nanos(stopwatch::ticks().saturating_sub(self.split_began));
        match self.split {
            Split::Train => self.pace.train_nanos = took,
            Split::Other => self.pace.other_nanos = took,
        }
        self.log();
    }

    fn end(&mut self) {
        self.log();
    }

    fn log_event_training(&mut self, event: String) {
        // Said with every batch, by burn itself.
        if event != "Iteration"
            && let Ok(events) = self.handle.series::<String>(&self.namespace.path("progress/events"))
        {
            events.append(event);
        }
    }
}

fn seconds_since(ticks: u64) -> f64 {
    stopwatch::nanos(stopwatch::ticks().saturating_sub(ticks)) as f64 / 1e9
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_an_epoch_follows_the_time_of_its_splits() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let unknown = Pace { train_nanos: 5, other_nanos: 0 };
        near(unknown.done(Split::Train, 0.5), 0.5);
        near(unknown.done(Split::Other, 0.5), 1.0);
        let known = Pace { train_nanos: 30, other_nanos: 10 };
        near(known.done(Split::Train, 0.5), 0.375);
        near(known.done(Split::Other, 0.5), 0.875);
    }
}
