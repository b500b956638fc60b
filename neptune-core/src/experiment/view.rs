//! [`View`]: an experiment and a path, whatever stands there.

use neptune_format::{AtomValue, Histogram, Step, Timestamp};

use super::{
    number::{IntoStep, Number},
    series::{Series, SeriesValue},
    state::ExperimentHandle,
};
use crate::image::Image;

/// An experiment and a path. Writing to it makes a variable there when there is none: [`log`](View::log) a series,
/// [`assign`](View::assign) an atom, [`add`](View::add) a set. Reading what was never written is an error that names the
/// nearest paths.
///
/// | container | made and written by | read by |
/// |---|---|---|
/// | Series | `log`, `log_at`, `log_with`, `log_as_of`, `extend` | `tail`, `all` |
/// | Atom | `assign` | `read` |
/// | Set | `add`, `remove`, `reset` | `get` |
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
/// # let experiment = session.experiment().start()?;
/// let batch = experiment.at("training/batch");
/// batch.at("accuracy").log(0.95);
/// batch.at("accuracy").log(0.96);
/// assert_eq!(batch.at("accuracy").tail::<f64>(1)?[0].value, 0.96);
/// experiment.at("author").assign("Ada");
/// assert_eq!(experiment.at("author").read()?, "Ada".into());
/// assert_eq!(experiment.at("training").namespace_contents()?.len(), 1);
/// # experiment.stop()?;
/// # Ok(())
/// # }
/// ```
///
/// Each call looks its variable up, a hundred nanoseconds or so. For a training loop keep a [`Series`], which does not.
#[derive(Debug, Clone)]
pub struct View {
    experiment: ExperimentHandle,
    path: String,
}

/// What [`View::log`] takes: a number, a text, an [`Image`] or a [`Histogram`]. Sealed.
pub trait Loggable: sealed::Sealed {
    #[doc(hidden)]
    type Of: SeriesValue;

    #[doc(hidden)]
    fn log(self, series: &Series<Self::Of>, place: Place);
}

/// Where a value goes: behind the last, at a step, or either as of a time.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Place {
    Next,
    AsOf(Timestamp),
    At(Step),
    With(Step, Timestamp),
}

mod sealed {
    pub trait Sealed {}
}

impl ExperimentHandle {
    /// A view of what stands, or will stand, at `path`: a variable or a namespace. Nothing is checked until it is used.
    pub fn at(&self, path: &str) -> View {
        View { experiment: self.clone(), path: path.trim_matches('/').to_owned() }
    }
}

impl View {
    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A view of what stands below this one.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let path = path.trim_matches('/');
        let path = if self.path.is_empty() { path.to_owned() } else { format!("{}/{path}", self.path) };
        Self { experiment: self.experiment.clone(), path }
    }

    /// Logs a value to the series here, at the step behind its last. A value of another type, and a bad path, is counted as
    /// lost.
    pub fn log<V: Loggable>(&self, value: V) {
        if let Some(series) = self.experiment.series_or_count(&self.path) {
            value.log(&series, Place::Next);
        }
    }

    /// Logs a value to the series here at `step`. Steps may come in any order; the last value of a step stays.
    pub fn log_at<V: Loggable>(&self, step: impl IntoStep, value: V) {
        self.log_to(step.into_step().map(Place::At), value);
    }

    /// Logs a value to the series here at `step`, as of `time`: for what was measured elsewhere or before.
    pub fn log_with<V: Loggable>(&self, step: impl IntoStep, time: impl Into<Timestamp>, value: V) {
        self.log_to(step.into_step().map(|step| Place::With(step, time.into())), value);
    }

    /// Logs a value to the series here at the step behind its last, as of `time`.
    pub fn log_as_of<V: Loggable>(&self, time: impl Into<Timestamp>, value: V) {
        self.log_to(Some(Place::AsOf(time.into())), value);
    }

    fn log_to<V: Loggable>(&self, place: Option<Place>, value: V) {
        if let Some(series) = self.experiment.series_or_count(&self.path) {
            match place {
                Some(place) => value.log(&series, place),
                None => series.refuse_step(),
            }
        }
    }

    /// Logs values to the series here, each behind the other.
    pub fn extend<V: Loggable>(&self, values: impl IntoIterator<Item = V>) {
        if let Some(series) = self.experiment.series_or_count(&self.path) {
            for value in values {
                value.log(&series, Place::Next);
            }
        }
    }

    /// Sets the atom here. See [`Atom::assign`](crate::Atom::assign).
    pub fn assign(&self, value: impl Into<AtomValue>) {
        self.experiment.atom(&self.path).assign(value);
    }

    /// Adds members to the set here.
    pub fn add<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.experiment.set(&self.path).add(members);
    }

    /// Removes members from the set here; those that are not in it are ignored.
    pub fn remove<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.experiment.set(&self.path).remove(members);
    }

    /// Replaces the members of the set here.
    pub fn reset<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.experiment.set(&self.path).reset(members);
    }

    /// Deletes the variable here and everything it held. The path may then take another type.
    pub fn delete(&self) {
        self.experiment.delete(&self.path);
    }
}

#[cfg(feature = "embedded")]
mod reading {
    use std::collections::BTreeMap;

    use neptune_format::{AtomValue, VariableType};
    use neptune_store::read::NamespaceEntry;

    use super::{SeriesValue, View};
    use crate::{error::Result, experiment::Point};

    impl View {
        /// The last `n` points of the series here, in the order of their steps.
        ///
        /// # Errors
        /// `NotFound`, with the nearest paths, when nothing was logged; `TypeConflict` when the variable is no such series.
        pub fn tail<T: SeriesValue>(&self, n: usize) -> Result<Vec<Point<T::Read>>> {
            self.experiment.existing::<T>(&self.path)?.tail(n)
        }

        /// Every point of the series here, in the order of their steps.
        ///
        /// # Errors
        /// As [`View::tail`].
        pub fn all<T: SeriesValue>(&self) -> Result<Vec<Point<T::Read>>> {
            self.experiment.existing::<T>(&self.path)?.all()
        }

        /// The value of the atom here.
        ///
        /// # Errors
        /// `NotFound`, with the nearest paths, when nothing was assigned; `TypeConflict` when the variable is no atom.
        pub fn read(&self) -> Result<AtomValue> {
            self.experiment.atom(&self.path).read()
        }

        /// The members of the set here, sorted.
        ///
        /// # Errors
        /// `NotFound`, with the nearest paths, when nothing was added; `TypeConflict` when the variable is no set.
        pub fn get(&self) -> Result<Vec<String>> {
            self.experiment.set(&self.path).get()
        }

        /// The type of the variable here.
        ///
        /// # Errors
        /// `NotFound`, with the nearest paths, when nothing was written.
        pub fn variable_type(&self) -> Result<VariableType> {
            self.experiment.variable_type(&self.path)
        }

        /// What stands directly under this path, by name.
        ///
        /// # Errors
        /// `NotFound`, with the nearest paths, when nothing stands here.
        pub fn namespace_contents(&self) -> Result<BTreeMap<String, NamespaceEntry>> {
            self.experiment.namespace_contents(&self.path)
        }
    }
}

impl<N: Number> sealed::Sealed for N {}
impl<N: Number> Loggable for N {
    type Of = N;

    fn log(self, series: &Series<N>, place: Place) {
        match place {
            Place::Next => series.append(self),
            Place::AsOf(time) => series.append_as_of(time, self),
            Place::At(step) => series.append_at(step, self),
            Place::With(step, time) => series.append_with(step, time, self),
        }
    }
}

macro_rules! loggable {
    ($($value:ty => $series:ty),*) => {$(
        impl sealed::Sealed for $value {}
        impl Loggable for $value {
            type Of = $series;

            fn log(self, series: &Series<$series>, place: Place) {
                match place {
                    Place::Next => series.append(self),
                    Place::AsOf(time) => series.append_as_of(time, self),
                    Place::At(step) => series.append_at(step, self),
                    Place::With(step, time) => series.append_with(step, time, self),
                }
            }
        }
    )*};
}
loggable!(&str => String, String => String, &String => String, Image => Image, &Histogram => Histogram);
