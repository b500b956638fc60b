//! Changing what was logged before: rewinding, deleting points, renaming, and undoing that.
//!
//! Each is one small record in the journal. The points move, or come back, when it is drained.

use std::{
    ops::{Bound, RangeBounds},
    sync::atomic::Ordering,
};

use neptune_format::{Record, RevisionId, Timestamp, VariablePath};

use super::{
    number::IntoStep,
    state::{ExperimentHandle, State},
};
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    session::Mode,
};

impl ExperimentHandle {
    /// Deletes the points behind `step` of every series, so that the experiment goes on from there: for a training that is
    /// taken up again from a checkpoint. Series below `monitoring/` and `timing/` are on steps of their own and stay;
    /// so does everything that is no series. The next point without a step goes behind the last that is left.
    ///
    /// The call writes one record, however many points there are. It is about all points that were logged before, by any
    /// process, those included that are not in the store yet; and about none that this process logs after it returned. Of
    /// other processes that log at the same time, and of points with [times of their own](crate::Series::append_with), the
    /// time of the point decides: those not later than the call are deleted. So it does not matter whose journal is drained
    /// first; the clocks of machines that share an experiment have to agree.
    ///
    /// The points are kept aside and brought back by [`ExperimentHandle::undo`], until `neptune gc` removes them.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// let loss = experiment.series::<f64>("train/loss")?;
    /// for step in 0..1000 {
    ///     loss.append_at(step, 1.0);
    /// }
    /// let revision = experiment.rewind(499)?;
    /// loss.append(0.5);
    /// assert_eq!(loss.last()?.step, 500.0);
    /// experiment.undo(revision)?;
    /// assert_eq!(loss.last()?.step, 999.0);
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Invalid` when `step` is no finite number; `Unsupported` when the experiment has ended ([`Session::edit`](crate::Session::edit)
    /// opens it again); `Unavailable` when the journal could not take the record.
    pub fn rewind(&self, step: impl IntoStep) -> Result<RevisionId> {
        let step = step.into_step().ok_or_else(|| invalid("a step must be a finite number"))?.get();
        // Adding zero makes -0.0 and 0.0 one step.
        self.state.delete_points(None, (step + 0.0).next_up(), f64::INFINITY)
    }

    /// Deletes the points of the series at `path` whose steps are in `steps`, such as `10.0..20.0` or `..`; nothing where
    /// there are none. Otherwise as [`ExperimentHandle::rewind`]. A series that has no points left stays, without any.
    ///
    /// # Errors
    /// `Invalid` when `path` is no path or a bound is NaN; `TypeConflict` when the variable is no series; `Unsupported` when
    /// the experiment has ended; `Unavailable` when the journal could not take the record.
    pub fn delete_points(&self, path: &str, steps: impl RangeBounds<f64>) -> Result<RevisionId> {
        let path = VariablePath::new(path)?;
        let first = match steps.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(first) => (*first + 0.0).next_up(),
            Bound::Unbounded => f64::NEG_INFINITY,
        };
        let last = match steps.end_bound() {
            Bound::Included(last) => *last,
            Bound::Excluded(last) => (*last + 0.0).next_down(),
            Bound::Unbounded => f64::INFINITY,
        };
        if first.is_nan() || last.is_nan() {
            return Err(invalid("a step must be a number"));
        }
        if let Some(kind) = self.state.variables.kind(&path)
            && kind.container != neptune_format::Container::Series
        {
            return Err(Error::new(ErrorKind::TypeConflict, format!("{path} is {kind}; only a series has points")));
        }
        self.state.delete_points(Some(path), first, last)
    }

    /// Gives the variable at `from` the path `to`. Handles and other processes that know it by the old path go on to write to
    /// it; what this process writes to the old path after the call is a new variable. Undone by
    /// [`ExperimentHandle::undo`].
    ///
    /// Waits until the store has what was logged before, to look whether `to` is free; in the other modes it looks
    /// at what this process knows. When another process takes the path at the same moment, nothing is renamed, and that is counted as
    /// `conflict`.
    ///
    /// # Errors
    /// `Invalid` when one is no path or belongs to `sys/`, or when there is a variable at `to`; `NotFound`, with the nearest
    /// paths, when there is none at `from`; `Unsupported` when the experiment has ended; `Unavailable` when the journal
    /// could not take the record.
    pub fn rename(&self, from: &str, to: &str) -> Result<RevisionId> {
        let (from, to) = (VariablePath::new(from)?, VariablePath::new(to)?);
        for path in [&from, &to] {
            if path.as_str().starts_with("sys/") {
                return Err(invalid(format!("{path} belongs to neptune and keeps its name")));
            }
        }
        let state = &self.state;
        state.expect_open()?;
        state.expect_free(&from, &to)?;
        state.look_for_last_x(&from);
        let record =
            || state.change(|revision, time| Record::Rename { revision, from: from.clone(), to: to.clone(), time });
        let revision = state.variables.rename(&from, &to, record)?.ok_or_else(|| taken(&to))?;
        state.last_x.rename(&from, &to);
        Ok(revision)
    }

    /// Undoes a change: points that were deleted come back, a variable gets its old path again. Where a step was written
    /// again since, the later point stays; points that a later change deletes as well stay deleted. Undoing twice does
    /// nothing. Waits until the store has it; not in the other modes.
    ///
    /// # Errors
    /// `NotFound` when there is no such change in this experiment, or the renamed variable is not there any more; `Invalid`
    /// when `neptune gc` has removed the points, or the old path was taken since; `Unsupported` when the experiment has ended; `Unavailable` when the journal could not take the record.
    pub fn undo(&self, revision: RevisionId) -> Result<()> {
        let state = &self.state;
        state.expect_open()?;
        let renamed = state.expect_undoable(revision)?;
        let record = || state.change(|_, time| Record::Undo { revision, time });
        if let Some((from, to)) = renamed {
            state.look_for_last_x(&to);
            state.variables.rename(&to, &from, record)?.ok_or_else(|| taken(&from))?;
            state.last_x.rename(&to, &from);
        } else {
            record()?;
            state.last_x.undo(revision);
            state.raise_last_x();
        }
        Ok(())
    }
}

impl State {
    fn delete_points(&self, path: Option<VariablePath>, first: f64, last: f64) -> Result<RevisionId> {
        let of = path.clone();
        let revision = self.change(|revision, time| Record::DeletePoints { revision, path, first, last, time })?;
        self.last_x.delete(revision, of, first, last);
        Ok(revision)
    }

    /// Publishes a change. What this process logged before has no later time, and what it logs afterwards has a later one.
    fn change(&self, record: impl FnOnce(RevisionId, Timestamp) -> Record) -> Result<RevisionId> {
        self.expect_open()?;
        let (revision, time) = (RevisionId::new(), clock::now_behind_all());
        self.journal.try_record(&record(revision, time)).map_err(|reason| {
            Error::new(ErrorKind::Unavailable, format!("the change was not kept: {}", reason.explanation()))
        })?;
        clock::wait_until_over(time);
        Ok(revision)
    }

    pub(super) fn expect_open(&self) -> Result<()> {
        if !self.journal.is_ours() {
            return Err(Error::new(ErrorKind::Unsupported, "a forked process must attach to the experiment itself"));
        }
        if self.ended.load(Ordering::Acquire) {
            let message = "the experiment has ended; open it with `Session::edit` to change it";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(())
    }

    #[cfg(feature = "embedded")]
    fn expect_free(&self, from: &VariablePath, to: &VariablePath) -> Result<()> {
        if self.session.mode() != Mode::Embedded {
            return Ok(());
        }
        let (store, key) = self.read()?;
        store.variable(&key, from.as_str())?;
        match store.variable(&key, to.as_str()) {
            Ok(_) => Err(taken(to)),
            Err(error) if error.kind() == neptune_store::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same shape as with a store")]
    const fn expect_free(&self, _from: &VariablePath, _to: &VariablePath) -> Result<()> {
        Ok(())
    }

    /// Whether a change can be undone; of a variable that was renamed, its path before and behind it.
    #[cfg(feature = "embedded")]
    fn expect_undoable(&self, revision: RevisionId) -> Result<Option<(VariablePath, VariablePath)>> {
        use neptune_store::read::Change;
        if self.session.mode() != Mode::Embedded {
            return Ok(None);
        }
        let (store, key) = self.read()?;
        let revisions = store.revisions(&key)?;
        let Some(found) = revisions.into_iter().find(|found| found.id == revision) else {
            let message = format!("experiment {} has no change {revision}; see `neptune revisions`", key.short_id);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if found.undone {
            return Ok(None);
        }
        if found.purged {
            return Err(invalid(format!("`neptune gc` has removed what change {} deleted", found.number)));
        }
        let Change::Renamed { from, to } = found.change else { return Ok(None) };
        let (from, to) = (VariablePath::new(&from)?, VariablePath::new(&to)?);
        self.expect_free(&to, &from)?;
        Ok(Some((from, to)))
    }

    /// Looks where the logs stand whose x must increase, once the store has what was undone: another process may have deleted it.
    #[cfg(feature = "embedded")]
    fn raise_last_x(&self) {
        if self.session.mode() == Mode::Embedded
            && let Ok((store, key)) = self.read()
        {
            self.last_x.raise(|path| store.series_tail(&key, path.as_str(), 1).ok()?.steps.last().copied());
        }
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    const fn raise_last_x(&self) {}

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same shape as with a store")]
    const fn expect_undoable(&self, _revision: RevisionId) -> Result<Option<(VariablePath, VariablePath)>> {
        Ok(None)
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

fn taken(path: &VariablePath) -> Error {
    invalid(format!("there is a variable at {path} already; use another path, or delete it first"))
}
