//! [`Classic`]: the names and the contract of neptune-client 0.x, for people and programs that come from there.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use neptune_format::{LostReason, Step, VariablePath};

use super::{
    artifacts::ArtifactSource,
    number::{IntoStep, Number},
    series::Series,
    state::ExperimentHandle,
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
    /// `NotFound`, with the nearest names, when there is no such log (`ChannelDoesNotExist` of old).
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
    /// Points that this process deleted: of which series, and from and to which x. The store may not know yet.
    deleted: Vec<(Option<VariablePath>, f64, f64)>,
}

impl LastX {
    fn lock(&self) -> MutexGuard<'_, Xs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a log that is deleted: it begins anew.
    pub(super) fn forget(&self, path: &VariablePath) {
        self.lock().last.remove(path);
    }

    /// Hears that points were deleted: what stood behind them may be logged anew.
    pub(super) fn delete(&self, path: Option<&VariablePath>, first: f64, last: f64) {
        let mut xs = self.lock();
        #[expect(clippy::iter_over_hash_type, reason = "each by itself")]
        for (of, x) in &mut xs.last {
            *x = without(*x, of, path, first, last);
        }
        xs.deleted.push((path.cloned(), first, last));
    }

    /// Hears that a variable has another path.
    pub(super) fn rename(&self, from: &VariablePath, to: &VariablePath) {
        let mut xs = self.lock();
        if let Some(x) = xs.last.remove(from) {
            xs.last.insert(to.clone(), x);
        }
    }
}

/// The last x of the series `of`, when points from `first` to `last` were deleted.
fn without(x: f64, of: &VariablePath, path: Option<&VariablePath>, first: f64, last: f64) -> f64 {
    let is_deleted = path.is_none_or(|path| path == of) && first <= x && x <= last;
    if is_deleted { first.next_down() } else { x }
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
        self.variable_type(path.as_str())?;
        self.delete(path.as_str());
        Ok(())
    }
}

impl ExperimentHandle {
    /// Logs `y` at `x` when that lies behind the last x of the log, and counts it otherwise.
    fn log_behind<V: Loggable>(&self, name: &str, x: Option<Step>, y: V) {
        let Some(series) = self.logged::<V::Of>(name) else { return };
        match x.filter(|x| self.is_behind(&series, x.get())) {
            Some(x) => y.log(&series, Place::At(x)),
            None => self.state.journal.losses().explain(LostReason::InvalidStep, 1, || {
                format!("the x of {} must be a number, and greater with each entry", series.path())
            }),
        }
    }

    /// Whether `x` lies behind the last x of the series; if so it is the last one from here on.
    fn is_behind<T>(&self, series: &Series<T>, x: f64) -> bool {
        let known = self.state.last_x.lock().last.get(&series.path).copied();
        let stored = if known.is_none() { self.stored_last_x(series) } else { None };
        let mut xs = self.state.last_x.lock();
        // What this process deleted may still be in the store.
        let stored = xs.deleted.iter().fold(stored.unwrap_or(f64::NEG_INFINITY), |x, (path, first, last)| {
            without(x, &series.path, path.as_ref(), *first, *last)
        });
        let last = xs.last.entry(series.path.clone()).or_insert(stored);
        let is_behind = x > *last;
        if is_behind {
            *last = x;
        }
        is_behind
    }

    /// The last x that the log of an attached experiment had before this process.
    #[cfg(feature = "embedded")]
    fn stored_last_x<T>(&self, series: &Series<T>) -> Option<f64> {
        if !self.state.variables.was_there_before(&series.path) {
            return None;
        }
        let store = self.state.session.store().ok()?;
        let key = store.experiment(self.state.id).ok()?;
        store.series_tail(&key, series.path.as_str(), 1).ok()?.steps.last().copied()
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    const fn stored_last_x<T>(&self, _series: &Series<T>) -> Option<f64> {
        None
    }
}
