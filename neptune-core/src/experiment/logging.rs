//! Logging by name: metrics, text, parameters, properties, tags.

use std::fmt::Display;

use neptune_format::{AtomValue, Content, LostReason, Record, Step, Timestamp, VariablePath};
use serde::Serialize;

use super::{
    flatten,
    number::{IntoStep, Number},
    series::Series,
    state::{ExperimentHandle, State},
    variables::{Named, Names, Refusal},
};
use crate::{clock, error::Result};

/// The namespace of metrics and texts that are logged by name.
const LOGS: &str = "logs";

impl ExperimentHandle {
    /// Logs a value of the metric `name`, the series `logs/NAME`, at the step behind its last.
    ///
    /// NaN and infinities are skipped and counted; [`ExperimentHandle::series`] keeps them. A handle from there is also faster.
    #[inline]
    pub fn log_metric(&self, name: &str, value: impl Number) {
        let value = value.to_f64();
        if !value.is_finite() {
            self.state.skip_not_finite(name, value);
            return;
        }
        let named = self.state.variables.metrics.read().get(name);
        if let Some(series) = self.state.metric(name, named) {
            self.state.journal.float_next(series, value);
        }
    }

    /// Logs a value of the metric `name` at `step`. Steps may come in any order; the last value of a step stays.
    #[inline]
    pub fn log_metric_at(&self, name: &str, step: impl IntoStep, value: impl Number) {
        self.log_metrics(step, [(name, value)]);
    }

    /// Logs the values of several metrics at one step, at one time. NaN and infinities are skipped and counted.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// experiment.log_metrics(3, [("train/loss", 0.31), ("train/accuracy", 0.92)]);
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_metrics<'a, N: Number>(&self, step: impl IntoStep, metrics: impl IntoIterator<Item = (&'a str, N)>) {
        let state = &*self.state;
        let Some(step) = step.into_step() else {
            for (name, _) in metrics {
                state.refuse_step(name);
            }
            return;
        };
        let time = clock::now();
        let mut points = Gathered::new(state.journal.most_points());
        let mut names = state.variables.metrics.read();
        for (name, value) in metrics {
            let value = value.to_f64();
            if !value.is_finite() {
                state.skip_not_finite(name, value);
                continue;
            }
            let series = match names.get(name) {
                Named::Series(series) => Some(series),
                Named::Refused => state.metric(name, Named::Refused),
                Named::Unknown => {
                    // Naming a series takes the lock for writing.
                    drop(names);
                    let series = state.metric(name, Named::Unknown);
                    names = state.variables.metrics.read();
                    series
                }
            };
            if let Some(series) = series
                && points.push(series, value)
            {
                drop(names);
                state.log_points(time, step, points.all());
                points.clear();
                names = state.variables.metrics.read();
            }
        }
        drop(names);
        if !points.all().is_empty() {
            state.log_points(time, step, points.all());
        }
    }

    /// Logs a value of each of several series at one time: all at `step`, or each at the step behind its last.
    ///
    /// Takes room in the journal once, so it costs less than one call for each. For integrations, which hold the handles.
    #[inline]
    pub fn append_points<'a, P>(&self, step: Option<Step>, points: P)
    where
        P: IntoIterator<Item = (&'a Series<f64>, f64)>,
        P::IntoIter: ExactSizeIterator + Clone,
    {
        let journal = &*self.state.journal;
        let mut points = points.into_iter();
        if points.clone().any(|(series, _)| !series.is_logged_to(journal)) {
            for (series, value) in points {
                match step {
                    Some(step) => series.append_at(step, value),
                    None => series.append(value),
                }
            }
            return;
        }
        let time = clock::now();
        let step = step.map(Step::get);
        let mut left = points.len();
        while left > 0 {
            let count = left.min(journal.most_points());
            let numbered = points.by_ref().take(count).map(|(series, value)| (series.number(), value));
            journal.floats(time, step, count, numbered);
            left -= count;
        }
    }

    /// Logs a line of the text `name`, the series `logs/NAME`, at the step behind its last. At most 1 MiB.
    pub fn log_text(&self, name: &str, text: impl AsRef<str>) {
        if let Some(series) = self.state.text(name) {
            self.state.journal.text(series, clock::now(), None, text.as_ref());
        }
    }

    /// Logs a line of the text `name` at `step`.
    pub fn log_text_at(&self, name: &str, step: impl IntoStep, text: impl AsRef<str>) {
        let Some(step) = step.into_step() else {
            self.state.refuse_step(name);
            return;
        };
        if let Some(series) = self.state.text(name) {
            self.state.journal.text(series, clock::now(), Some(step.get()), text.as_ref());
        }
    }

    /// Sets parameters from anything that serialises to a map or a struct: nested fields become `parameters/a/b`.
    ///
    /// Numbers stay as they are, NaN and infinities too; a whole number beyond 64 signed bits is kept as JSON, and so are lists
    /// (in which JSON has null for what is not finite) and what is null. Parameters never change: setting one again to the same
    /// value does nothing.
    ///
    /// # Errors
    /// `Invalid` when `params` is not a map or a struct, a name is no path, or a value takes more than 1 MiB; `Immutable` when a
    /// parameter has another value already; `Unsupported` when the experiment has ended; `Unavailable` when the journal could
    /// not take one. The others are set all the same, unless `params` or a name is wrong.
    pub fn log_params<T: Serialize + ?Sized>(&self, params: &T) -> Result<()> {
        let mut refused = None;
        for (path, value) in flatten::parameters(params)? {
            if let Err(refusal) = self.state.try_assign(&path, value) {
                self.state.refuse(&refusal, 1);
                refused.get_or_insert(refusal);
            }
        }
        refused.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Sets the property `key`, the atom `properties/KEY`, to any value as its text: `set_property("magic-number", 7)`.
    /// Properties may change.
    pub fn set_property(&self, key: &str, value: impl Display) {
        match VariablePath::within("properties", key) {
            Ok(path) => self.state.assign(&path, AtomValue::String(value.to_string())),
            Err(error) => self.state.refuse_path(&error),
        }
    }

    /// Removes the property `key`; nothing when there is none.
    pub fn remove_property(&self, key: &str) {
        match VariablePath::within("properties", key) {
            Ok(path) => self.state.delete(&path),
            Err(error) => self.state.refuse_path(&error),
        }
    }

    /// Gives it another name, for people: the atom `sys/name`.
    pub fn set_name(&self, name: impl Into<String>) {
        self.atom("sys/name").assign(name.into());
    }

    /// Says anew what it is about: the atom `sys/description`.
    pub fn set_description(&self, description: impl Into<String>) {
        self.atom("sys/description").assign(description.into());
    }

    /// Adds tags.
    pub fn add_tags<S: Into<String>>(&self, tags: impl IntoIterator<Item = S>) {
        self.set("sys/tags").add(tags);
    }

    /// Removes tags; those that it does not have are ignored.
    pub fn remove_tags<S: Into<String>>(&self, tags: impl IntoIterator<Item = S>) {
        self.set("sys/tags").remove(tags);
    }

    /// Counts something that was not kept, as logging calls do; `detail` is asked for the first time of each reason, for the
    /// warning. For integrations, which refuse what they are given before it comes here.
    pub fn count_lost(&self, reason: LostReason, count: u64, detail: impl FnOnce() -> String) {
        self.state.journal.losses().explain(reason, count, detail);
    }

    /// Has a background thread say something on standard error; for integrations, on the way of a logging call. What comes
    /// faster than it can be said is left out.
    pub fn notice(&self, notice: impl FnOnce() -> String) {
        self.state.journal.losses().notice(notice);
    }

    /// Deletes the variable at `path` and everything it held. Its path may then take another type.
    pub fn delete(&self, path: &str) {
        match VariablePath::new(path) {
            Ok(path) => self.state.delete(&path),
            Err(error) => self.state.refuse_path(&error),
        }
    }
}

impl State {
    fn log_points(&self, time: Timestamp, step: Step, points: &[(u32, f64)]) {
        self.journal.floats(time, Some(step.get()), points.len(), points.iter().copied());
    }

    /// The number of a metric; names it when it is new.
    #[inline]
    fn metric(&self, name: &str, named: Named) -> Option<u32> {
        self.numbered(&self.variables.metrics, Content::Float, name, named)
    }

    /// The number of a text; names it when it is new.
    fn text(&self, name: &str) -> Option<u32> {
        let named = self.variables.texts.read().get(name);
        self.numbered(&self.variables.texts, Content::String, name, named)
    }

    #[inline]
    fn numbered(&self, names: &Names, content: Content, name: &str, named: Named) -> Option<u32> {
        match named {
            Named::Series(series) => Some(series),
            Named::Refused => {
                self.journal.losses().add(LostReason::TypeConflict, 1);
                None
            }
            Named::Unknown => {
                let times_forgotten = names.times_forgotten();
                let series = self.log_series(name, content)?;
                names.remember(name, series, times_forgotten);
                series
            }
        }
    }

    /// The series `logs/NAME`: its number, or that it is refused; or nothing when the name is no path.
    #[cold]
    #[expect(clippy::option_option, reason = "a refusal is remembered, a bad path is not: it may be long")]
    fn log_series(&self, name: &str, content: Content) -> Option<Option<u32>> {
        // A forked child must not touch locks that a thread of its parent may have held.
        if !self.journal.is_ours() {
            self.journal.losses().add(LostReason::Forked, 1);
            return None;
        }
        let path = match VariablePath::within(LOGS, name) {
            Ok(path) => path,
            Err(error) => {
                self.refuse_path(&error);
                return None;
            }
        };
        match self.variables.series(&self.journal, &path, content) {
            Ok(series) => Some(Some(series)),
            Err(refusal) => {
                self.refuse(&refusal, 1);
                Some(None)
            }
        }
    }

    #[cold]
    fn skip_not_finite(&self, name: &str, value: f64) {
        self.journal.losses().explain(LostReason::NotFinite, 1, || format!("metric {name:?} was {value}"));
    }

    #[cold]
    fn refuse_step(&self, name: &str) {
        self.journal.losses().explain(LostReason::InvalidStep, 1, || format!("a step of {name:?}"));
    }

    pub(super) fn refuse_path(&self, error: &neptune_format::PathError) {
        self.journal.losses().explain(LostReason::InvalidPath, 1, || error.to_string());
    }

    pub(super) fn assign(&self, path: &VariablePath, value: AtomValue) {
        if let Err(refusal) = self.try_assign(path, value) {
            self.refuse(&refusal, 1);
        }
    }

    pub(super) fn try_assign(&self, path: &VariablePath, value: AtomValue) -> Result<(), Refusal> {
        if let Some(value) = self.variables.atom(path, value)? {
            self.journal.try_record(&Record::Assign { path: path.clone(), value }).map_err(|reason| {
                self.variables.unfix(path);
                Refusal::NotKept { path: path.clone(), reason }
            })?;
        }
        Ok(())
    }

    pub(super) fn delete(&self, path: &VariablePath) {
        self.variables.delete(path);
        self.last_x.forget(path);
        self.journal.record(&Record::Delete { path: path.clone() });
    }
}

/// Points that go into the journal together; on the stack, because logging does not allocate.
struct Gathered {
    points: [(u32, f64); Self::MOST],
    count: usize,
    most: usize,
}

impl Gathered {
    const MOST: usize = 128;

    const fn new(fit: usize) -> Self {
        Self { points: [(0, 0.0); Self::MOST], count: 0, most: if fit < Self::MOST { fit } else { Self::MOST } }
    }

    /// Adds a point; says whether there is no room for another.
    fn push(&mut self, series: u32, value: f64) -> bool {
        if let Some(point) = self.points.get_mut(self.count) {
            *point = (series, value);
            self.count += 1;
        }
        self.count >= self.most
    }

    fn all(&self) -> &[(u32, f64)] {
        self.points.get(..self.count).unwrap_or_default()
    }

    const fn clear(&mut self) {
        self.count = 0;
    }
}
