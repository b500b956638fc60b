//! Reading back what was logged to a running experiment.
//!
//! Every read first waits until the store has what this process logged before, so a program reads its own writes.

#![cfg(feature = "embedded")]

use std::{collections::BTreeMap, time::Duration};

use neptune_format::{AtomValue, Container, Document, Timestamp, VariablePath, VariableType};
use neptune_store::{
    Points, Store, Values,
    read::{ExperimentKey, NamespaceEntry, VariableValue},
};

use super::{
    atom::Atom,
    number::Number,
    series::{Point, Series, SeriesValue},
    set::Set,
    state::{ExperimentHandle, State},
};
use crate::{
    error::{Error, ErrorKind, Result},
    hardware::HardwareUtilization,
    session::Session,
    stored::Reader,
};

/// How long a read waits for what was logged before it.
const PATIENCE: Duration = Duration::from_secs(30);

impl State {
    pub(crate) fn read(&self) -> Result<(Reader, ExperimentKey)> {
        self.session.check_has_store()?;
        if !self.ended.load(std::sync::atomic::Ordering::Acquire) {
            self.flush(PATIENCE)?;
        }
        let store = self.session.reader()?;
        let key = store.experiment(self.id)?;
        Ok((store, key))
    }
}

impl ExperimentHandle {
    pub(crate) fn session_and_key(&self) -> Result<(Session, ExperimentKey)> {
        let (_store, key) = self.state.read()?;
        Ok((self.state.session.clone(), key))
    }

    /// The type of the variable at `path`.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths, when nothing was written there.
    pub fn variable_type(&self, path: &str) -> Result<VariableType> {
        let (store, key) = self.state.read()?;
        Ok(store.variable(&key, path)?.kind)
    }

    /// What stands directly under the namespace `path` (the empty string for everything), by name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths, when nothing stands there.
    pub fn namespace_contents(&self, path: &str) -> Result<BTreeMap<String, NamespaceEntry>> {
        let (store, key) = self.state.read()?;
        Ok(store.namespace(&key, path)?)
    }

    /// How busy the processor, the memory and the GPUs were while this experiment ran, as a table.
    ///
    /// Where several processes logged to the experiment, it is of one of them at a time: of the first that started for as
    /// long as it was read, and then of the next. So the processes of one run give the curves of one machine, and an
    /// experiment that was resumed gives all of its time. A process that attaches only to look adds no readings when it is
    /// built with [`without_hardware`](crate::ExperimentBuilder::without_hardware).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// let hardware = experiment.hardware_utilization()?;
    /// let names: Vec<&str> = hardware.columns().map(|(name, _)| name).collect();
    /// assert_eq!(names[..4], ["x_ram", "y_ram", "x_cpu", "y_cpu"]);
    /// let last = |column| hardware.column(column)?.last().copied();
    /// if let (Some(time), Some(ram)) = (last("x_ram"), last("y_ram")) {
    ///     println!("{time} ms after the start, {ram} GB were in use");
    /// }
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn hardware_utilization(&self) -> Result<HardwareUtilization> {
        let (store, key) = self.state.read()?;
        HardwareUtilization::of(&store, &key)
    }

    /// What was logged to this experiment by any of its writers and is not in the store, by reason.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn lost(&self) -> Result<neptune_format::LostReport> {
        let (store, key) = self.state.read()?;
        Ok(store.lost(&key)?)
    }
}

impl ExperimentHandle {
    /// A handle to a series that was written. Unlike [`series`](Self::series) it makes none.
    pub(super) fn existing<T: SeriesValue>(&self, path: &str) -> Result<Series<T>> {
        let path = VariablePath::new(path)?;
        let (wanted, kind) =
            (VariableType { container: Container::Series, content: T::CONTENT }, self.variable_type(path.as_str())?);
        if kind == wanted { self.series(path.as_str()) } else { Err(other_type(&path, kind, &wanted.to_string())) }
    }
}

impl Atom {
    /// The value.
    ///
    /// # Errors
    /// `Invalid` for a bad path; `NotFound`, with the nearest paths, when nothing was assigned; `TypeConflict` when the
    /// variable is not an atom.
    pub fn read(&self) -> Result<AtomValue> {
        let path = valid(&self.path)?;
        let (store, key) = self.state.read()?;
        let variable = store.variable(&key, path.as_str())?;
        match variable.value {
            VariableValue::Atom(value) => Ok(value),
            _ => Err(other_type(path, variable.kind, "an atom")),
        }
    }
}

impl Set {
    /// The members, sorted.
    ///
    /// # Errors
    /// `Invalid` for a bad path; `NotFound`, with the nearest paths, when nothing was added; `TypeConflict` when the
    /// variable is not a set.
    pub fn get(&self) -> Result<Vec<String>> {
        let path = valid(&self.path)?;
        let (store, key) = self.state.read()?;
        let variable = store.variable(&key, path.as_str())?;
        match variable.value {
            VariableValue::Set(members) => Ok(members),
            _ => Err(other_type(path, variable.kind, "a set")),
        }
    }
}

impl<T: SeriesValue> Series<T> {
    /// The last `n` points, in the order of their steps.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths, when nothing was logged.
    pub fn tail(&self, n: usize) -> Result<Vec<Point<T::Read>>> {
        Ok(T::read(self.state.tail(self.number(), &self.path, n)?))
    }

    /// Every point, in the order of their steps.
    ///
    /// # Errors
    /// As [`Series::tail`].
    pub fn all(&self) -> Result<Vec<Point<T::Read>>> {
        Ok(T::read(self.state.all(self.number(), &self.path)?))
    }

    /// The point with the greatest step.
    ///
    /// # Errors
    /// As [`Series::tail`].
    pub fn last(&self) -> Result<Point<T::Read>> {
        let nothing = || Error::new(ErrorKind::NotFound, format!("nothing was logged to {}", self.path));
        self.tail(1)?.pop().ok_or_else(nothing)
    }
}

impl State {
    pub(super) fn tail(&self, number: u32, path: &VariablePath, n: usize) -> Result<Points> {
        let (store, key) = self.read()?;
        Ok(store.series_tail(&key, &self.path_of(&store, number, path)?, n)?)
    }

    pub(super) fn all(&self, number: u32, path: &VariablePath) -> Result<Points> {
        let (store, key) = self.read()?;
        Ok(store.series(&key, &self.path_of(&store, number, path)?, f64::NEG_INFINITY..=f64::INFINITY)?)
    }

    /// What a series of this writer is called now: it may have been renamed, by this process or another.
    fn path_of(&self, store: &Store, number: u32, path: &VariablePath) -> Result<String> {
        let now = store.path_of_series(self.journal.folder().writer, number)?;
        Ok(now.unwrap_or_else(|| path.as_str().to_owned()))
    }
}

pub(super) fn numbers<T: Number>(points: Points) -> Vec<Point<T>> {
    match points.values {
        Values::Float(values) => together(points.steps, points.times, values, T::from_f64),
        Values::Text(_) => Vec::new(),
    }
}

pub(super) fn texts(points: Points) -> Vec<Point<String>> {
    match points.values {
        Values::Text(values) => together(points.steps, points.times, values, |text| text),
        Values::Float(_) => Vec::new(),
    }
}

/// Points that are text in the store. One that this version does not understand is left out.
pub(super) fn documents<T: Document>(points: Points) -> Vec<Point<T>> {
    let texts = together(
        points.steps,
        points.times,
        match points.values {
            Values::Text(values) => values,
            Values::Float(_) => Vec::new(),
        },
        |text| T::from_text(&text),
    );
    texts.into_iter().filter_map(|Point { step, value, time }| value.map(|value| Point { step, value, time })).collect()
}

fn together<V, T>(steps: Vec<f64>, times: Vec<i64>, values: Vec<V>, convert: impl Fn(V) -> T) -> Vec<Point<T>> {
    steps
        .into_iter()
        .zip(times)
        .zip(values)
        .map(|((step, time), value)| Point { step, value: convert(value), time: Timestamp::from_micros(time) })
        .collect()
}

fn valid(path: &std::result::Result<VariablePath, neptune_format::PathError>) -> Result<&VariablePath> {
    path.as_ref().map_err(|error| error.clone().into())
}

fn other_type(path: &VariablePath, kind: VariableType, wanted: &str) -> Error {
    Error::new(ErrorKind::TypeConflict, format!("{path} is {kind}, not {wanted}"))
}
