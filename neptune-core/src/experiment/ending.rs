//! How an experiment ends: stopped, failed, or dropped.

use std::{
    fmt::Display,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use neptune_format::{LostReport, Outcome, Record};

use super::{
    panics,
    state::{Experiment, ExperimentHandle, State},
};
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    signal,
};

impl ExperimentHandle {
    /// Waits until everything that was logged before this call is where readers find it: in the store or, offline, on the
    /// disk. Returns what was not kept so far.
    ///
    /// Not needed for safety: what was logged survives the death of the process without it.
    ///
    /// # Errors
    /// `Deadline` when it takes longer than `deadline`. Nothing is lost then; it goes on in the background.
    pub fn flush(&self, deadline: Duration) -> Result<LostReport> {
        self.state.write_held_back();
        self.state.flush(deadline)
    }

    /// Whether the experiment has ended: nothing that is logged now is kept.
    pub fn has_ended(&self) -> bool {
        self.state.ended.load(Ordering::Acquire)
    }

    /// Has `write` called at the beginning of each flush and of the end of the experiment, by the thread that flushes or
    /// ends it. For integrations that hold something back, such as statistics over a while: they log it there.
    ///
    /// `write` must not flush or end the experiment, nor panic.
    pub fn before_flush(&self, write: impl Fn() + Send + Sync + 'static) {
        self.state.held_back.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(write));
    }
}

impl Experiment {
    /// Ends the experiment as succeeded, and returns what was not kept.
    ///
    /// Waits until the store has everything, for the deadline of the builder at most; what is not drained by then stays in
    /// the journal, and the next session or `neptune sync` drains it.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be written. Nothing is lost then either.
    pub fn stop(self) -> Result<LostReport> {
        self.state.end(Outcome::Succeeded, None)
    }

    /// Ends the experiment as failed, with `error` as the reason, of which the first 16 KiB are kept. Otherwise as
    /// [`Experiment::stop`].
    ///
    /// # Errors
    /// As [`Experiment::stop`].
    pub fn fail(self, error: impl Display) -> Result<LostReport> {
        self.state.end(Outcome::Failed, Some(error.to_string()))
    }

    /// Ends the experiment as failed, with `error` as the reason, and keeps `traceback`, a stack trace or whatever else tells
    /// how it came to that, as a text of `monitoring/traceback`: its first 512 KiB. Otherwise as [`Experiment::stop`].
    ///
    /// # Errors
    /// As [`Experiment::stop`].
    pub fn fail_with_traceback(self, error: impl Display, traceback: impl AsRef<str>) -> Result<LostReport> {
        /// As much as is kept of it.
        const MOST: usize = 512 << 10;
        if let Some(tracebacks) = self.series_or_count::<String>("monitoring/traceback") {
            let traceback = traceback.as_ref();
            tracebacks.append(traceback.get(..traceback.floor_char_boundary(MOST)).unwrap_or_default());
        }
        self.state.end(Outcome::Failed, Some(error.to_string()))
    }

    /// Ends the experiment as aborted: somebody stopped it before its work was done. Otherwise as [`Experiment::stop`].
    ///
    /// # Errors
    /// As [`Experiment::stop`].
    pub fn abort(self, reason: impl Display) -> Result<LostReport> {
        self.state.end(Outcome::Aborted, Some(reason.to_string()))
    }

    /// Runs `train` and ends the experiment by what came of it: succeeded, failed with the error, or failed with the
    /// message of the panic, which then goes on. When `train` heard that the experiment is to be aborted, by
    /// [`ExperimentHandle::on_abort`] or [`ExperimentHandle::abort_requested`], and returned, it ends as aborted.
    ///
    /// # Errors
    /// What `train` returned. That the store could not be written at the end is said on standard error: nothing is lost,
    /// and the work is done.
    pub fn run<T, E: Display>(self, train: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let outcome = catch_unwind(AssertUnwindSafe(|| train(&self)));
        let ended = match (&outcome, self.state.journal.abort().heard()) {
            (Ok(_), Some(reason)) => self.state.end(Outcome::Aborted, Some(reason)),
            (Ok(Ok(_)), None) => self.state.end(Outcome::Succeeded, None),
            (Ok(Err(error)), None) => self.state.end(Outcome::Failed, Some(error.to_string())),
            (Err(panic), _) => self.state.end(Outcome::Failed, Some(panics::message(Some(&**panic)))),
        };
        match ended {
            Ok(lost) if !lost.is_empty() => say(&format!("neptune: {self}: not kept: {lost}")),
            Ok(_) => {}
            Err(error) => say(&format!("neptune: {self}: {error}")),
        }
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Experiment {
    fn drop(&mut self) {
        if self.state.ended.load(Ordering::Acquire) || !self.state.journal.is_ours() {
            signal::wait_for_death();
            return;
        }
        if self.state.edits || self.state.journal.keeps_nothing() {
            if let Err(error) = self.state.end(Outcome::Succeeded, None) {
                say(&format!("neptune: {self}: {error}"));
            }
            return;
        }
        let reason = if thread::panicking() {
            panics::message(None)
        } else {
            "dropped without `stop`: an early return, or a forgotten call".to_owned()
        };
        say(&format!("neptune: {self} is marked failed: {reason}"));
        if let Err(error) = self.state.end(Outcome::Failed, Some(reason)) {
            say(&format!("neptune: {self}: {error}"));
        }
    }
}

impl State {
    pub(super) fn flush(&self, deadline: Duration) -> Result<LostReport> {
        if !self.journal.is_ours() {
            // Nobody drains in a forked child, and nothing of it was taken.
            return Ok(self.journal.losses().report());
        }
        let Some(drain) = &self.drain else {
            self.journal
                .sync()
                .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot sync the journal").because(error))?;
            return Ok(self.journal.losses().report());
        };
        let drained = drain.wait_for(self.journal.logged(), deadline);
        if !drained.complete {
            let trouble = drained.trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Deadline,
                format!("the store did not have everything within {deadline:?}; it is safe in the journal{trouble}"),
            ));
        }
        Ok(self.lost(&drained.refused))
    }

    fn write_held_back(&self) {
        if !self.journal.is_ours() {
            return;
        }
        // Not called under the lock: who comes to hold something back meanwhile does not wait.
        let held_back = self.held_back.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for write in held_back {
            write();
        }
    }

    /// Ends the experiment, once; a second end changes nothing. In a process that was told to die it does not return.
    fn end(&self, outcome: Outcome, reason: Option<String>) -> Result<LostReport> {
        let ended = self.end_within(outcome, reason, self.stop_deadline);
        signal::wait_for_death();
        ended
    }

    /// Ends the experiment, once; a second end waits for the first and changes nothing.
    pub(super) fn end_within(
        &self,
        outcome: Outcome,
        reason: Option<String>,
        stop_deadline: Duration,
    ) -> Result<LostReport> {
        if !self.journal.is_ours() {
            return Ok(self.journal.losses().report());
        }
        let _ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.swap(true, Ordering::AcqRel) {
            return Ok(self.journal.losses().report());
        }
        self.write_held_back();
        let began = clock::monotonic();
        #[cfg(target_os = "linux")]
        self.finish_console(stop_deadline / 2);
        #[cfg(feature = "hardware")]
        if let Some(monitor) = self.monitor.get() {
            monitor.stop();
        }
        self.finish_recording_code(stop_deadline / 2);
        self.forget_callbacks();
        // Whatever it says, it must not keep the end from being recorded.
        let reason = reason.map(|reason| panics::shortened(&reason).to_owned());
        self.journal.record(&Record::Closed { time: clock::now(), outcome, reason });
        let end = self.journal.stop();
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).stop();
        let Some(drain) = &self.drain else {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
            self.finish_encoding(stop_deadline.saturating_sub(began.elapsed()));
            return Ok(self.journal.losses().report());
        };
        let drained = drain.finish(end, stop_deadline.saturating_sub(began.elapsed()));
        self.finish_encoding(stop_deadline.saturating_sub(began.elapsed()));
        self.finish_reclaiming(stop_deadline.saturating_sub(began.elapsed()));
        match drained.trouble {
            Some(trouble) if !drained.complete => Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the store could not be written; what was logged is safe in {} and `neptune sync` drains it: {trouble}",
                    self.journal.folder().path.display()
                ),
            )),
            _ => {
                if !drained.complete {
                    say(
                        "neptune: not everything is in the store yet; it is safe in the journal, and `neptune sync` drains it",
                    );
                }
                Ok(self.lost(&drained.refused))
            }
        }
    }

    /// What was given to this experiment to call may hold handles to it, which would keep it from ever going away.
    fn forget_callbacks(&self) {
        let held_back = std::mem::take(&mut *self.held_back.lock().unwrap_or_else(PoisonError::into_inner));
        drop(held_back);
        self.journal.abort().forget();
    }

    /// Waits until objects are removed that are not needed any more. What is not by then is left to `neptune gc`.
    fn finish_reclaiming(&self, patience: Duration) {
        #[cfg(feature = "embedded")]
        {
            let reclaimer = self.reclaimer.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(reclaimer) = reclaimer {
                reclaimer.finish(patience);
            }
        }
        #[cfg(not(feature = "embedded"))]
        let _: (&Self, Duration) = (self, patience);
    }

    /// Waits until images are encoded. What is not by then is kept as it is.
    #[cfg(feature = "images")]
    fn finish_encoding(&self, patience: Duration) {
        let encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(encoder) = encoder {
            encoder.finish(patience);
        }
    }

    #[cfg(not(feature = "images"))]
    #[expect(clippy::unused_self, reason = "the same shape as with an encoder")]
    const fn finish_encoding(&self, _patience: Duration) {}

    fn lost(&self, refused: &LostReport) -> LostReport {
        let mut lost = self.journal.losses().report();
        for (reason, count) in refused.iter() {
            lost.add(reason, count);
        }
        lost
    }
}

/// Says something on standard error; there is nobody to tell that it is closed.
pub(super) fn say(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}
