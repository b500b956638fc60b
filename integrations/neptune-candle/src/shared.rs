//! What a tracker, its clones and its optimizers share: the number of the step, the series, and the numbers that are held.
//!
//! Whoever is the last to let it go logs what is held; so does each flush and the end of the experiment. Nothing in here
//! flushes, so that the callback of a flush finds its locks free soon.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use candle_core::Tensor;
use neptune_core::{ExperimentHandle, LostReason, Series, stopwatch};

use crate::held::{self, Held};

/// How many numbers are held at most; more are read at once. As many steps of ten numbers as an accelerator may run ahead.
const MOST_HELD: usize = 4096;

/// How long numbers on an accelerator are held at most, in nanoseconds, unless the number of steps is set: nobody looks at
/// a curve more often, and a wait for the device once a second costs nothing that can be measured.
const LONGEST_HELD: u64 = 1_000_000_000;

/// When what is held is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEvery {
    /// At once on the CPU, where nothing is waited for; on other devices once a second.
    Automatic,
    /// Once in this many steps.
    Steps(u64),
}

/// See the module.
pub(crate) struct Shared {
    pub(crate) experiment: ExperimentHandle,
    /// The namespace of what is logged without being asked for.
    pub(crate) namespace: String,
    read_every: ReadEvery,
    /// The number of the step that begins next.
    next: AtomicU64,
    /// How many steps have begun and have not ended.
    open: AtomicU64,
    /// How often a device was waited for.
    reads: AtomicU64,
    /// By path.
    series: Mutex<HashMap<String, Series<f64>>>,
    /// Held while what was held is read, so that a flush waits for a read that another thread has begun. Taken before
    /// `waiting`.
    reading: Mutex<()>,
    waiting: Mutex<Waiting>,
}

/// What waits to be read and logged.
#[derive(Default)]
struct Waiting {
    held: Vec<Held>,
    /// When the oldest of them came, in ticks.
    since: Option<u64>,
    /// Some came from a device that has to be waited for.
    is_put_off: bool,
    /// Steps that ended since the last read.
    steps: u64,
    timed: Timed,
}

/// How long the steps took that ended since the last read.
#[derive(Debug, Clone, Copy, Default)]
struct Timed {
    steps: u64,
    ticks: u64,
    items: u64,
    /// The number of the last of them.
    last: u64,
}

impl Shared {
    /// Logs what it holds at each flush of `experiment`, too.
    pub(crate) fn new(experiment: ExperimentHandle, namespace: &str, read_every: ReadEvery) -> Arc<Self> {
        let namespace = claimed(&experiment, namespace);
        let shared = Arc::new(Self {
            experiment,
            namespace,
            read_every,
            next: AtomicU64::new(0),
            open: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            series: Mutex::default(),
            reading: Mutex::default(),
            waiting: Mutex::default(),
        });
        // Weak, because the experiment keeps its callbacks and this keeps the experiment.
        let weak = Arc::downgrade(&shared);
        shared.experiment.before_flush(move || {
            if let Some(shared) = weak.upgrade() {
                shared.read();
            }
        });
        shared
    }

    /// How many steps have ended: the number of the first step that has not.
    pub(crate) fn steps_done(&self) -> u64 {
        self.next.load(Ordering::Acquire).saturating_sub(self.open.load(Ordering::Acquire))
    }

    /// How many steps have begun.
    pub(crate) fn steps_begun(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    pub(crate) fn is_in_step(&self) -> bool {
        self.open.load(Ordering::Acquire) > 0
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Has the next step be number `step`.
    pub(crate) fn go_on_at(&self, step: u64) {
        self.next.store(step, Ordering::Release);
    }

    /// Begins a step and returns its number.
    pub(crate) fn begin_step(&self) -> u64 {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.next.fetch_add(1, Ordering::AcqRel)
    }

    /// Ends the step `number`, which began at `began` ticks, if it was timed. Reads what is held when it is time to.
    pub(crate) fn end_step(&self, number: u64, began: Option<u64>, items: u64) {
        let due = {
            let mut waiting = self.waiting();
            waiting.steps += 1;
            match self.read_every {
                ReadEvery::Steps(steps) => waiting.steps >= steps,
                // Without a read nobody knows how long the work of a step took that an accelerator does.
                ReadEvery::Automatic if waiting.is_put_off => waiting.since.is_some_and(is_long_ago),
                ReadEvery::Automatic => waiting.since.is_none_or(is_long_ago),
            }
        };
        if due {
            self.read_held();
        }
        if let Some(began) = began {
            // Measured after the read, which waits until the device has done the work of the step.
            let ticks = stopwatch::ticks().saturating_sub(began);
            let timed = &mut self.waiting().timed;
            timed.steps += 1;
            timed.ticks += ticks;
            timed.items += items;
            timed.last = number;
        }
        if due {
            self.log_times();
        }
        self.leave_step();
    }

    /// Ends a step that a panic left.
    pub(crate) fn leave_step(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Logs the number in `tensor` at `step`: now or, if it takes waiting for its device, later.
    pub(crate) fn log_tensor(&self, path: &str, step: u64, tensor: &Tensor) {
        if tensor.elem_count() != 1 {
            self.experiment.count_lost(LostReason::NotANumber, 1, || {
                format!(
                    "{path}: a tensor of shape {:?} is not one number; reduce it, as `mean_all` does",
                    tensor.dims()
                )
            });
            return;
        }
        let Some(series) = self.series(path) else { return };
        match held::scalar_copy(tensor) {
            Ok(values) => self.hold(step, vec![Some(series)], values),
            Err(error) => self.unread(1, &error),
        }
    }

    /// Logs a number at `step`.
    pub(crate) fn log_number(&self, path: &str, step: u64, number: f64) {
        if let Some(series) = self.series(path) {
            series.append_at(step, number);
        }
    }

    /// Logs `values`, a vector that nothing else changes, to as many series, at `step`.
    pub(crate) fn hold(&self, step: u64, series: Vec<Option<Series<f64>>>, values: Tensor) {
        let is_free = values.device().is_cpu() && self.read_every == ReadEvery::Automatic;
        let is_full = {
            let mut waiting = self.waiting();
            waiting.is_put_off |= !is_free;
            waiting.since.get_or_insert_with(stopwatch::ticks);
            waiting.held.push(Held { step, time: stopwatch::now(), series, values });
            waiting.held.len() >= MOST_HELD
        };
        if is_free || is_full {
            self.read_held();
        }
    }

    /// Logs everything that is held, and the times of the steps that ended.
    pub(crate) fn read(&self) {
        self.read_held();
        self.log_times();
    }

    fn read_held(&self) {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let held = {
            let mut waiting = self.waiting();
            waiting.steps = 0;
            waiting.since = None;
            std::mem::take(&mut waiting.held)
        };
        if held.is_empty() {
            return;
        }
        let count = held.iter().map(|held| held.series.len() as u64).sum();
        // This runs in destructors and at the end of the experiment, where a panic of candle would end the process.
        match catch_unwind(AssertUnwindSafe(|| held::log(held))) {
            Ok((reads, unread)) => {
                self.reads.fetch_add(reads, Ordering::Relaxed);
                for unread in unread {
                    self.unread(unread.count, &unread.error);
                }
            }
            Err(_) => self.unread(count, &"candle panicked"),
        }
    }

    fn log_times(&self) {
        let timed = std::mem::take(&mut self.waiting().timed);
        if timed.steps == 0 {
            return;
        }
        let seconds = stopwatch::nanos(timed.ticks) as f64 / 1e9;
        self.log_number(&self.within("step_time"), timed.last, seconds / timed.steps as f64);
        if timed.items > 0 && seconds > 0.0 {
            self.log_number(&self.within("items_per_second"), timed.last, timed.items as f64 / seconds);
        }
    }

    /// The path of `name` in the namespace.
    pub(crate) fn within(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace)
    }

    /// The series at `path`, or `None` when the path is refused: then the number for it is counted as lost.
    pub(crate) fn series(&self, path: &str) -> Option<Series<f64>> {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.get(path) {
            return Some(series.clone());
        }
        let series: Series<f64> = self.refusing(self.experiment.series(path))?;
        all.insert(path.to_owned(), series.clone());
        Some(series)
    }

    /// What is not refused. Otherwise counts one value as lost, for the reason of the error.
    pub(crate) fn refusing<T>(&self, result: neptune_core::Result<T>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.experiment.count_lost(error.kind().lost_reason(), 1, || error.to_string());
        None
    }

    /// Counts numbers that could not be read from their device.
    pub(crate) fn unread(&self, count: u64, error: &dyn std::fmt::Display) {
        self.experiment.count_lost(LostReason::NotANumber, count, || format!("cannot read a tensor: {error}"));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.read();
        self.experiment.unclaim(&self.namespace);
    }
}

/// The namespace that is asked for, or with a number while another tracker of this process has it.
fn claimed(experiment: &ExperimentHandle, wanted: &str) -> String {
    let wanted = wanted.trim_matches('/');
    if experiment.claim(wanted) {
        return wanted.to_owned();
    }
    let mut numbered = (2_u64..).map(|number| format!("{wanted}_{number}"));
    let given = numbered.find(|namespace| experiment.claim(namespace)).unwrap_or_default();
    experiment.notice(|| {
        format!("another tracker logs below {wanted}/, so this one does below {given}/; name it with TrackerBuilder::namespace")
    });
    given
}

fn is_long_ago(ticks: u64) -> bool {
    stopwatch::nanos(stopwatch::ticks().saturating_sub(ticks)) >= LONGEST_HELD
}
