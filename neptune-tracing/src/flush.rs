//! [`FlushGuard`]: what is held back is logged and drained when a scope is left, in whatever way.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use neptune_core::ExperimentHandle;

/// Flushes an experiment when it is dropped; see [`flush_on_drop`].
#[derive(Debug)]
#[must_use = "the experiment is flushed when the guard is dropped"]
pub struct FlushGuard {
    experiment: ExperimentHandle,
    deadline: Duration,
}

/// Has `experiment` flushed when the guard is dropped: at the end of a scope, at an early return, or by a panic. Waits for
/// `deadline` at most, and never panics.
///
/// Only timings need it, and only where the experiment is not stopped: they are gathered in memory for some seconds. Events
/// are safe when their call returns.
pub fn flush_on_drop(experiment: &ExperimentHandle, deadline: Duration) -> FlushGuard {
    FlushGuard { experiment: experiment.clone(), deadline }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        if self.experiment.has_ended() {
            return;
        }
        if let Err(error) = self.experiment.flush(self.deadline) {
            // There is nobody to tell that standard error is closed.
            drop(writeln!(io::stderr(), "neptune: {}: {error}", self.experiment));
        }
    }
}
