//! Aborting from outside: a request that the trainer hears of and follows when it can.

use std::sync::Arc;

use super::state::ExperimentHandle;
use crate::{
    error::{Error, ErrorKind, Result},
    journal::{Lock, Process, WriterFolder, leave_abort_request},
    session::Session,
};

impl ExperimentHandle {
    /// Has `callback` called once somebody asks for the experiment to be aborted: `neptune abort ID`,
    /// [`Session::request_abort`](crate::Session::request_abort), or [`ExperimentHandle::request_abort`]. It is given the
    /// reason.
    ///
    /// It is called once, by a thread of its own, within about half a second; at once when it was asked for already. It is
    /// for the program to stop and to end with [`Experiment::abort`](crate::Experiment::abort); nothing is stopped by
    /// itself.
    pub fn on_abort(&self, callback: impl Fn(&str) + Send + Sync + 'static) {
        self.state.journal.abort().on_request(Arc::new(callback));
    }

    /// Asks for the experiment to be aborted, in this process. The first reason counts.
    pub fn request_abort(&self, reason: &str) {
        self.state.journal.abort().make(reason);
    }

    /// The reason for which the experiment is to be aborted, once somebody asked for that. For training loops that look
    /// between two steps: as long as nobody asks it costs a nanosecond.
    pub fn abort_requested(&self) -> Option<String> {
        self.state.journal.abort().reason()
    }
}

impl Session {
    /// Asks the processes that log to an experiment, by short id or UUID, to abort it; returns how many were asked. They
    /// hear of it within a second through [`ExperimentHandle::on_abort`](crate::ExperimentHandle::on_abort), and follow
    /// when they can, if they listen.
    ///
    /// # Errors
    /// `NotFound` when there is no such experiment; `Unavailable` when the folder cannot be written.
    pub fn request_abort(&self, id: &str, reason: &str) -> Result<usize> {
        self.check_may_change()?;
        let (experiment, _) = self.resolve(id)?;
        let cannot =
            |error| Error::new(ErrorKind::Unavailable, format!("cannot ask for {id} to be aborted")).because(error);
        let mut asked = 0;
        for writer in self.inner.folder.writers().map_err(cannot)? {
            if writer.experiment == experiment
                && !is_editor(&writer)
                && Lock::is_held(&writer.lock()).map_err(cannot)?
            {
                leave_abort_request(&writer, reason).map_err(cannot)?;
                asked += 1;
            }
        }
        Ok(asked)
    }
}

/// Whether a writer only edits, as the relay of the console does: it is no part of the run.
fn is_editor(writer: &WriterFolder) -> bool {
    Process::read(&writer.process()).is_some_and(|process| process.edits)
}
