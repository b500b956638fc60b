//! [`Classic`]: the names and the contract of neptune-client 0.x, for people and programs that come from there.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use neptune_format::{LostReason, RevisionId, Step, VariablePath};

use super::{
    artifacts::ArtifactSource,
    number::{IntoStep, Number},
    series::Series,
    state::{ExperimentHandle, State},
    view::{Loggable, Place},
};
use crate::{error::Result, image::Image};

/// The methods of the 0.x client's `Experiment` that have other names here, under the names they had. What is not listed has
/// the same name: `log_metric`, `log_text`, `log_image`, `log_artifact`, `set_property`, `remove_property`,
/// `delete_artifacts`, `stop`.
///
/// The `send_` methods with an x hold to its contract: **x is strictly increasing**. An entry whose x is not behind the last
/// one of its log is left out and counted as [`LostReason::InvalidStep`]. (`log_metric_at` takes steps in any order, and the
/// last value of a step stays.)
///
/// Where Python looks at types while it runs, Rust does before: `InvalidChannelValue` and `NoChannelValue` cannot come up.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
/// # let experiment = session.experiment().start()?;
/// use neptune_core::Classic as _;
/// experiment.send_metric_at("loss", 1, 0.7);
/// experiment.append_tag("baseline");
/// # experiment.stop()?;
/// # Ok(())
/// # }
/// ```
pub trait Classic: sealed::Sealed {
    /// As [`ExperimentHandle::log_metric`].
    fn send_metric(&self, channel_name: &str, y: impl Number);

    /// Logs `y` at `x`, which must lie behind the last x of this log.
    fn send_metric_at(&self, channel_name: &str, x: impl IntoStep, y: impl Number);

    /// As [`ExperimentHandle::log_text`].
    fn send_text(&self, channel_name: &str, y: impl AsRef<str>);

    /// Logs `y` at `x`, which must lie behind the last x of this log. An x that is NaN or infinite is as good as none.
    fn send_text_at(&self, channel_name: &str, x: impl IntoStep, y: impl AsRef<str>);

    /// As [`ExperimentHandle::log_image`].
    fn send_image(&self, channel_name: &str, y: impl Into<Image>);

    /// Logs `y` at `x`, which must lie behind the last x of this log. An x that is NaN or infinite is as good as none.
    fn send_image_at(&self, channel_name: &str, x: impl IntoStep, y: impl Into<Image>);

    /// As [`ExperimentHandle::log_artifact`].
    ///
    /// # Errors
    /// As [`ExperimentHandle::log_artifact`].
    fn send_artifact<'a>(&self, artifact: impl Into<ArtifactSource<'a>>, destination: Option<&str>) -> Result<()>;

    /// Adds one tag. For several, [`append_tags`](Self::append_tags).
    fn append_tag(&self, tag: &str);

    /// As [`ExperimentHandle::add_tags`].
    fn append_tags<S: Into<String>>(&self, tags: impl IntoIterator<Item = S>);

    /// Removes one tag; one that it does not have is ignored.
    fn remove_tag(&self, tag: &str);

    /// Removes everything from a log, so that it can be used from scratch.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log (`ChannelDoesNotExist` of old); `Unsupported` when the
    /// experiment has ended.
    #[cfg(feature = "embedded")]
    fn reset_log(&self, log_name: &str) -> Result<()>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ExperimentHandle {}
}

/// The last x of each log that was given an x by a `send_` method.
#[derive(Debug, Default)]
pub(super) struct LastX(Mutex<Xs>);

#[derive(Debug, Default)]
struct Xs {
    last: HashMap<VariablePath, f64>,
    /// What this process deleted and did not undo, in order. The store may not know of it yet.
    deleted: Vec<Deleted>,
}

/// Points that this process deleted: of which series, and from and to which x.
#[derive(Debug)]
struct Deleted {
    revision: RevisionId,
    path: Option<VariablePath>,
    first: f64,
    last: f64,
    /// The last x, before it, of the logs that it took back.
    before: Vec<(VariablePath, f64)>,
}

impl Deleted {
    /// The last x of the series `of` that is left.
    fn left(&self, of: &VariablePath, x: f64) -> f64 {
        let is_deleted = self.path.as_ref().is_none_or(|path| path == of) && self.first <= x && x <= self.last;
        if is_deleted { self.first.next_down() } else { x }
    }

    /// The same; remembers what it was.
    fn take_back(&mut self, of: &VariablePath, x: f64) -> f64 {
        let left = self.left(of, x);
        if left < x {
            match self.before.iter_mut().find(|(path, _)| path == of) {
                Some((_, before)) => *before = before.max(x),
                None => self.before.push((of.clone(), x)),
            }
        }
        left
    }
}

impl LastX {
    fn lock(&self) -> MutexGuard<'_, Xs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a log that is deleted, with what was deleted of it before: it begins anew.
    pub(super) fn forget(&self, path: &VariablePath) {
        let mut xs = self.lock();
        xs.last.remove(path);
        for deleted in &mut xs.deleted {
            deleted.before.retain(|(of, _)| of != path);
        }
    }

    /// Hears that points were deleted: what stood behind them may be logged anew.
    pub(super) fn delete(&self, revision: RevisionId, path: Option<VariablePath>, first: f64, last: f64) {
        let mut xs = self.lock();
        let mut deleted = Deleted { revision, path, first, last, before: Vec::new() };
        #[expect(clippy::iter_over_hash_type, reason = "each by itself")]
        for (of, x) in &mut xs.last {
            *x = deleted.take_back(of, *x);
        }
        xs.deleted.push(deleted);
    }

    /// Hears that a deletion was undone: the logs stand where they stood, unless a later deletion is about that too.
    pub(super) fn undo(&self, revision: RevisionId) {
        let mut xs = self.lock();
        let Xs { last, deleted } = &mut *xs;
        let Some(at) = deleted.iter().position(|deleted| deleted.revision == revision) else { return };
        for (of, x) in deleted.remove(at).before {
            let x = deleted.iter_mut().skip(at).fold(x, |x, later| later.take_back(&of, x));
            last.entry(of).and_modify(|last| *last = last.max(x));
        }
    }

    /// Hears that a variable has another path.
    pub(super) fn rename(&self, from: &VariablePath, to: &VariablePath) {
        let mut xs = self.lock();
        if let Some(x) = xs.last.remove(from) {
            xs.last.insert(to.clone(), x);
        }
        for deleted in &mut xs.deleted {
            let before = deleted.before.iter_mut().map(|(of, _)| of);
            deleted.path.iter_mut().chain(before).filter(|path| *path == from).for_each(|path| path.clone_from(to));
        }
    }

    /// Hears where the store has the logs, where that is behind what this process knows of.
    #[cfg(feature = "embedded")]
    pub(super) fn raise(&self, stored: impl Fn(&VariablePath) -> Option<f64>) {
        let known: Vec<VariablePath> = self.lock().last.keys().cloned().collect();
        for path in known {
            if let Some(stored) = stored(&path) {
                self.lock().last.entry(path).and_modify(|last| *last = last.max(stored));
            }
        }
    }
}

impl Classic for ExperimentHandle {
    fn send_metric(&self, channel_name: &str, y: impl Number) {
        self.log_metric(channel_name, y);
    }

    fn send_metric_at(&self, channel_name: &str, x: impl IntoStep, y: impl Number) {
        let y = y.to_f64();
        if y.is_finite() {
            self.log_behind(channel_name, x.into_step(), y);
        } else {
            self.log_metric(channel_name, y);
        }
    }

    fn send_text(&self, channel_name: &str, y: impl AsRef<str>) {
        self.log_text(channel_name, y);
    }

    fn send_text_at(&self, channel_name: &str, x: impl IntoStep, y: impl AsRef<str>) {
        match x.into_step() {
            Some(x) => self.log_behind(channel_name, Some(x), y.as_ref()),
            None => self.log_text(channel_name, y),
        }
    }

    fn send_image(&self, channel_name: &str, y: impl Into<Image>) {
        self.log_image(channel_name, y);
    }

    fn send_image_at(&self, channel_name: &str, x: impl IntoStep, y: impl Into<Image>) {
        match x.into_step() {
            Some(x) => self.log_behind(channel_name, Some(x), y.into()),
            None => self.log_image(channel_name, y),
        }
    }

    fn send_artifact<'a>(&self, artifact: impl Into<ArtifactSource<'a>>, destination: Option<&str>) -> Result<()> {
        self.log_artifact(artifact, destination)
    }

    fn append_tag(&self, tag: &str) {
        self.add_tags([tag]);
    }

    fn append_tags<S: Into<String>>(&self, tags: impl IntoIterator<Item = S>) {
        self.add_tags(tags);
    }

    fn remove_tag(&self, tag: &str) {
        self.remove_tags([tag]);
    }

    #[cfg(feature = "embedded")]
    fn reset_log(&self, log_name: &str) -> Result<()> {
        let path = VariablePath::within("logs", log_name)?;
        self.state.expect_open()?;
        self.variable_type(path.as_str())?;
        self.delete(path.as_str());
        Ok(())
    }
}

impl ExperimentHandle {
    /// Logs `y` at `x` when that lies behind the last x of the log, and counts it otherwise.
    fn log_behind<V: Loggable>(&self, name: &str, x: Option<Step>, y: V) {
        let Some(series) = self.logged::<V::Of>(name) else { return };
        if let Some(x) = x.filter(|x| self.is_behind(&series, x.get())) {
            y.log(&series, Place::At(x));
        } else {
            let losses = self.state.journal.losses();
            losses.explain(LostReason::InvalidStep, 1, || format!("an x of {}", series.path()));
        }
    }

    /// Whether `x` lies behind the last x of the series; if so it is the last one from here on.
    fn is_behind<T>(&self, series: &Series<T>, x: f64) -> bool {
        self.state.look_for_last_x(&series.path);
        let mut xs = self.state.last_x.lock();
        let last = xs.last.entry(series.path.clone()).or_insert(f64::NEG_INFINITY);
        let is_behind = x > *last;
        if is_behind {
            *last = x;
        }
        is_behind
    }
}

impl State {
    /// Sees to it that the last x is known that the log of an attached experiment had before this process.
    pub(super) fn look_for_last_x(&self, path: &VariablePath) {
        if self.last_x.lock().last.contains_key(path) {
            return;
        }
        let Some(stored) = self.stored_last_x(path) else { return };
        let mut xs = self.last_x.lock();
        let Xs { last, deleted } = &mut *xs;
        // What this process deleted may still be in the store.
        last.entry(path.clone())
            .or_insert_with(|| deleted.iter_mut().fold(stored, |x, deleted| deleted.take_back(path, x)));
    }

    #[cfg(feature = "embedded")]
    fn stored_last_x(&self, path: &VariablePath) -> Option<f64> {
        if !self.variables.was_there_before(path) {
            return None;
        }
        let store = self.session.store().ok()?;
        let key = store.experiment(self.id).ok()?;
        store.series_tail(&key, path.as_str(), 1).ok()?.steps.last().copied()
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    const fn stored_last_x(&self, _path: &VariablePath) -> Option<f64> {
        None
    }
}
