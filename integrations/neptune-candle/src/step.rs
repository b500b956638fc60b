//! [`StepGuard`]: one step of a training loop, from its beginning to its end.

use std::{cell::Cell, fmt, thread};

use candle_core::Tensor;
use neptune_core::{Number, stopwatch};

use crate::shared::Shared;

/// A step of a training loop, from [`Tracker::step`](crate::Tracker::step) until it is dropped.
///
/// Its end logs how long it took. A step that is left early, by `?` or `continue`, is a step like any other; one that
/// panics is not timed. What was logged in it is kept in each case.
#[must_use = "a step ends when it is dropped: bind it, for example with `let step = tracker.step();`"]
pub struct StepGuard<'a> {
    shared: &'a Shared,
    number: u64,
    /// In ticks; `None` for a step that is not timed.
    began: Option<u64>,
    items: Cell<u64>,
}

impl<'a> StepGuard<'a> {
    pub(crate) fn begin(shared: &'a Shared) -> Self {
        Self { shared, number: shared.begin_step(), began: Some(stopwatch::ticks()), items: Cell::new(0) }
    }

    /// A step of which only the end is seen.
    pub(crate) fn untimed(shared: &'a Shared) -> Self {
        Self { shared, number: shared.begin_step(), began: None, items: Cell::new(0) }
    }

    /// The number of the step. The first is 0; after [`Tracker::restore`](crate::Tracker::restore) it goes on behind the
    /// steps that the checkpoint has seen.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Logs the number in `tensor` at this step, to the series at `path`, such as `train/loss`.
    ///
    /// `tensor` has one element, of any shape and type; another one is counted as lost. Its value of this moment is
    /// logged, with the time of this moment, but on an accelerator it is read later: see
    /// [`TrackerBuilder::read_every`](crate::TrackerBuilder::read_every). NaN and infinities are kept.
    pub fn log(&self, path: &str, tensor: &Tensor) {
        self.shared.log_tensor(path, self.number, tensor);
    }

    /// Logs `value` at this step, to the series at `path`. NaN and infinities are kept.
    pub fn log_value(&self, path: &str, value: impl Number) {
        self.shared.log_number(path, self.number, value.to_f64());
    }

    /// Says that the step worked on `count` items, such as images or tokens: `train/items_per_second` is logged. Several
    /// calls in one step are added up.
    pub fn items(&self, count: usize) {
        self.items.set(self.items.get().saturating_add(count as u64));
    }
}

impl Drop for StepGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.leave_step();
        } else {
            self.shared.end_step(self.number, self.began, self.items.get());
        }
    }
}

impl fmt::Debug for StepGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepGuard").field("number", &self.number).finish_non_exhaustive()
    }
}
