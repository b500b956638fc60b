//! [`Series`]: a handle to a sequence of points.

use std::{fmt, marker::PhantomData, sync::Arc};

use neptune_format::{Content, Histogram, LostReason, Step, Timestamp, VariablePath};

use super::{
    number::{IntoStep, Number},
    state::{ExperimentHandle, State},
};
use crate::{clock, error::Result, image::Image, journal::Journal};

/// What a series may hold: numbers, text, images or histograms. Sealed.
pub trait SeriesValue: private::Sealed + Sized {
    #[doc(hidden)]
    const CONTENT: Content;

    /// What a point is read back as: the same, except that an image comes as its entry, [`LoggedImage`](crate::LoggedImage).
    type Read;

    #[doc(hidden)]
    #[cfg(feature = "embedded")]
    fn read(points: neptune_store::Points) -> Vec<Point<Self::Read>>;
}

mod private {
    pub trait Sealed {}
    impl<N: super::Number> Sealed for N {}
    impl Sealed for String {}
    impl Sealed for super::Image {}
    impl Sealed for neptune_format::Histogram {}
}

impl<N: Number> SeriesValue for N {
    const CONTENT: Content = Content::Float;
    type Read = N;

    #[cfg(feature = "embedded")]
    fn read(points: neptune_store::Points) -> Vec<Point<N>> {
        super::reading::numbers(points)
    }
}

impl SeriesValue for String {
    const CONTENT: Content = Content::String;
    type Read = Self;

    #[cfg(feature = "embedded")]
    fn read(points: neptune_store::Points) -> Vec<Point<Self>> {
        super::reading::texts(points)
    }
}

impl SeriesValue for Image {
    const CONTENT: Content = Content::Image;
    type Read = neptune_format::LoggedImage;

    #[cfg(feature = "embedded")]
    fn read(points: neptune_store::Points) -> Vec<Point<Self::Read>> {
        super::reading::documents(points)
    }
}

impl SeriesValue for Histogram {
    const CONTENT: Content = Content::Histogram;
    type Read = Self;

    #[cfg(feature = "embedded")]
    fn read(points: neptune_store::Points) -> Vec<Point<Self>> {
        super::reading::documents(points)
    }
}

/// A point that was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<T> {
    /// Where it stands on the x axis.
    pub step: f64,
    /// Its value.
    pub value: T,
    /// When it was logged.
    pub time: Timestamp,
}

/// A handle to a series of an experiment. Cheap to clone; any number of threads may log to it at once.
///
/// Logging to a handle looks nothing up: it is the fastest way to log. Points may come in any order of steps, are read in
/// the order of steps, and the last value logged at a step stays. NaN and infinities are kept.
pub struct Series<T> {
    journal: Arc<Journal>,
    number: u32,
    pub(super) state: Arc<State>,
    pub(super) path: VariablePath,
    value: PhantomData<fn(T) -> T>,
}

impl ExperimentHandle {
    /// A handle to the series at `path`: of numbers (`series::<f64>`, or any other number type), of text
    /// (`series::<String>`), of images (`series::<Image>`) or of histograms (`series::<Histogram>`).
    ///
    /// # Errors
    /// `Invalid` when `path` is no path; `TypeConflict` when the variable there has another type.
    pub fn series<T: SeriesValue>(&self, path: &str) -> Result<Series<T>> {
        let path = VariablePath::new(path)?;
        let number = self.state.variables.series(&self.state.journal, &path, T::CONTENT)?;
        Ok(Series {
            journal: Arc::clone(&self.state.journal),
            number,
            state: Arc::clone(&self.state),
            path,
            value: PhantomData,
        })
    }
}

impl<T: Number> Series<T> {
    /// Logs a value at the step behind the last; the first step is 0.
    #[inline]
    pub fn append(&self, value: T) {
        self.journal.float_next(self.number, value.to_f64());
    }

    /// Logs a value at `step`.
    #[inline]
    pub fn append_at(&self, step: impl IntoStep, value: T) {
        match step.into_step() {
            Some(step) => self.journal.float_at(self.number, clock::now(), value.to_f64(), step.get()),
            None => self.refuse_step(),
        }
    }

    /// Logs a value at the step behind the last, as of `time`.
    #[inline]
    pub fn append_as_of(&self, time: impl Into<Timestamp>, value: T) {
        self.journal.floats(time.into(), None, 1, std::iter::once((self.number, value.to_f64())));
    }

    /// Logs a value at `step`, as of `time`: for points that were measured elsewhere or before.
    #[inline]
    pub fn append_with(&self, step: impl IntoStep, time: impl Into<Timestamp>, value: T) {
        match step.into_step() {
            Some(step) => self.journal.float_at(self.number, time.into(), value.to_f64(), step.get()),
            None => self.refuse_step(),
        }
    }
}

impl Series<String> {
    /// Logs a text, of at most 1 MiB, at the step behind the last.
    pub fn append(&self, text: impl AsRef<str>) {
        self.journal.text(self.number, clock::now(), None, text.as_ref());
    }

    /// Logs a text at the step behind the last, as of `time`.
    pub fn append_as_of(&self, time: impl Into<Timestamp>, text: impl AsRef<str>) {
        self.journal.text(self.number, time.into(), None, text.as_ref());
    }

    /// Logs a text at `step`.
    pub fn append_at(&self, step: impl IntoStep, text: impl AsRef<str>) {
        self.append_with(step, clock::now(), text);
    }

    /// Logs a text at `step`, as of `time`.
    pub fn append_with(&self, step: impl IntoStep, time: impl Into<Timestamp>, text: impl AsRef<str>) {
        match step.into_step().map(Step::get) {
            Some(step) => self.journal.text(self.number, time.into(), Some(step), text.as_ref()),
            None => self.refuse_step(),
        }
    }
}

impl<T> Series<T> {
    #[inline]
    pub(super) fn is_logged_to(&self, journal: &Journal) -> bool {
        std::ptr::eq(&raw const *self.journal, journal)
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// The path under which the handle was made. When the series is [renamed](ExperimentHandle::rename) the handle goes on
    /// to log to it and to read it.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Logs a point that is text in the journal.
    pub(crate) fn log_document(&self, step: Option<Step>, time: Timestamp, text: &str) {
        self.journal.text(self.number, time, step.map(Step::get), text);
    }

    /// Counts points that were lost before they came here.
    #[cfg(target_os = "linux")]
    pub(crate) fn count_lost(&self, reason: LostReason, count: u64, detail: impl FnOnce() -> String) {
        self.journal.losses().explain(reason, count, detail);
    }

    #[cold]
    pub(super) fn refuse_step(&self) {
        self.journal.losses().explain(LostReason::InvalidStep, 1, || format!("a step of {}", self.path));
    }
}

impl<T> Clone for Series<T> {
    fn clone(&self) -> Self {
        Self {
            journal: Arc::clone(&self.journal),
            number: self.number,
            state: Arc::clone(&self.state),
            path: self.path.clone(),
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Series<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("path", &self.path).finish_non_exhaustive()
    }
}
