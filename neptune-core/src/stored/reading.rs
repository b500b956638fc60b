//! What an experiment holds, read back: logs, their values, parameters, properties, tags, and any variable.

use std::collections::BTreeMap;

use neptune_format::{AtomValue, Container, VariablePath, VariableType};
use neptune_store::{
    Table,
    read::{Log, NamespaceEntry, Variable, VariableValue},
};

use super::StoredExperiment;
use crate::{
    error::{Error, ErrorKind, Result},
    experiment::{ExperimentHandle, Point, SeriesValue},
    hardware::HardwareUtilization,
};

impl StoredExperiment {
    /// Every log of the experiment by its name, with its type, its last point and its statistics.
    ///
    /// A log is a series of numbers, text, images or histograms. That at `logs/loss` is called `loss`; any other is called by
    /// its path. Series that neptune logs by itself, of the hardware and of how long spans took, are left out.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// experiment.log_metric("loss", 0.5);
    /// experiment.log_metric("loss", 0.25);
    /// let logs = experiment.stored()?.logs()?;
    /// assert_eq!((logs["loss"].series.last_step, logs["loss"].series.last.as_f64()), (1.0, Some(0.25)));
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn logs(&self) -> Result<BTreeMap<String, Log>> {
        let (store, key) = self.open()?;
        Ok(store.logs(key)?)
    }

    /// The values of logs of numbers as a [`Table`]: the column `x` with every step that one of them has, in order, and a
    /// column for each of `names`. Where a log has no point at a step its value is missing, which reads as NaN.
    ///
    /// A name is one of [`StoredExperiment::logs`], or the path of any series of numbers. Each column is called as it was asked
    /// for, a name that comes twice once; a log that is named `x` is called by its path, `logs/x`. Nothing is interpolated and
    /// nothing is left out; all points are in memory at once, 8 bytes for each row and column.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// experiment.log_metrics(0, [("loss", 0.5), ("auc", 0.7)]);
    /// experiment.log_metric("loss", 0.25);
    /// let values = experiment.numeric_values(&["loss", "auc"])?;
    /// assert_eq!(values.column("x").and_then(|x| x.as_floats()), Some(&[0.0, 1.0][..]));
    /// assert_eq!(values.column("loss").and_then(|loss| loss.as_floats()), Some(&[0.5, 0.25][..]));
    /// assert!(values.column("auc").is_some_and(|auc| auc.is_missing(1)));
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log; `TypeConflict` when it is no series of numbers;
    /// `Invalid` when there are no names.
    pub fn numeric_values<S: AsRef<str>>(&self, names: &[S]) -> Result<Table> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let (store, key) = self.open()?;
        for name in &names {
            let log = store.log(key, name)?;
            if log.kind != VariableType::FLOAT_SERIES {
                return Err(other_type(&log, "a series of numbers"));
            }
        }
        Ok(store.values(key, &names)?)
    }

    /// The points of the log `name` as a [`Table`] with the columns `x`, `time` and `value`. Of images and histograms the value
    /// is the document that describes them.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log; `TypeConflict` when it is no series.
    pub fn series_table(&self, name: &str) -> Result<Table> {
        let (store, key) = self.open()?;
        let log = store.log(key, name)?;
        if log.kind.container != Container::Series {
            return Err(other_type(&log, "a series"));
        }
        Ok(store.series_table(key, name)?)
    }

    /// Every point of the log `name` in the order of steps: of numbers (`series::<f64>`, or any other number type), of text
    /// (`series::<String>`), of images (`series::<Image>`, which gives their entries) or of histograms (`series::<Histogram>`).
    ///
    /// A name is one of [`StoredExperiment::logs`], or the path of any series.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log; `TypeConflict` when it is no series of `T`.
    pub fn series<T: SeriesValue>(&self, name: &str) -> Result<Vec<Point<T::Read>>> {
        let (store, key) = self.open()?;
        let path = series_of::<T>(store.log(key, name)?)?;
        Ok(T::read(store.series(key, &path, f64::NEG_INFINITY..=f64::INFINITY)?))
    }

    /// The last `n` points of the log `name`, in the order of steps. Only they are read.
    ///
    /// # Errors
    /// As [`StoredExperiment::series`].
    pub fn series_tail<T: SeriesValue>(&self, name: &str, n: usize) -> Result<Vec<Point<T::Read>>> {
        let (store, key) = self.open()?;
        let path = series_of::<T>(store.log(key, name)?)?;
        Ok(T::read(store.series_tail(key, &path, n)?))
    }

    /// The parameters by their names, without `parameters/`, each with its type. Nested ones are called `optimizer/rate`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn parameters(&self) -> Result<BTreeMap<String, AtomValue>> {
        self.atoms("parameters/")
    }

    /// The properties that the program set, by their names, without `properties/`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn properties(&self) -> Result<BTreeMap<String, AtomValue>> {
        self.atoms("properties/")
    }

    /// The tags, sorted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tags(&self) -> Result<Vec<String>> {
        match self.set("sys/tags") {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            tags => tags,
        }
    }

    /// How busy the processor, the memory and the GPUs were, as
    /// [`ExperimentHandle::hardware_utilization`](ExperimentHandle::hardware_utilization) has it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn hardware_utilization(&self) -> Result<HardwareUtilization> {
        let (store, key) = self.open()?;
        HardwareUtilization::of(&store, key)
    }

    /// The value of the atom at `path`.
    ///
    /// # Errors
    /// `Invalid` for a bad path; `NotFound`, with the nearest paths, when nothing was assigned; `TypeConflict` when the
    /// variable is not an atom.
    pub fn atom(&self, path: &str) -> Result<AtomValue> {
        let variable = self.variable(path)?;
        match variable.value {
            VariableValue::Atom(value) => Ok(value),
            _ => Err(other_type(&variable, "an atom")),
        }
    }

    /// The members of the set at `path`, sorted.
    ///
    /// # Errors
    /// `Invalid` for a bad path; `NotFound`, with the nearest paths, when nothing was added; `TypeConflict` when the variable
    /// is not a set.
    pub fn set(&self, path: &str) -> Result<Vec<String>> {
        let variable = self.variable(path)?;
        match variable.value {
            VariableValue::Set(members) => Ok(members),
            _ => Err(other_type(&variable, "a set")),
        }
    }

    /// The type of the variable at `path`.
    ///
    /// # Errors
    /// `Invalid` for a bad path; `NotFound`, with the nearest paths, when nothing was written there.
    pub fn variable_type(&self, path: &str) -> Result<VariableType> {
        Ok(self.variable(path)?.kind)
    }

    /// What stands directly under the namespace `path` (the empty string for everything), by name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths, when nothing stands there.
    pub fn namespace_contents(&self, path: &str) -> Result<BTreeMap<String, NamespaceEntry>> {
        let (store, key) = self.open()?;
        Ok(store.namespace(key, path)?)
    }

    /// Every variable whose path begins with `prefix` (the empty string for all), by path: atoms with their values, sets with
    /// their members, series with their last point and their statistics.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn variables(&self, prefix: &str) -> Result<Vec<Variable>> {
        let (store, key) = self.open()?;
        Ok(store.variables(key, prefix)?)
    }

    fn variable(&self, path: &str) -> Result<Variable> {
        let path = VariablePath::new(path)?;
        let (store, key) = self.open()?;
        Ok(store.variable(key, path.as_str())?)
    }

    fn atoms(&self, namespace: &str) -> Result<BTreeMap<String, AtomValue>> {
        let atoms = self.variables(namespace)?.into_iter().filter_map(|variable| {
            let name = variable.path.strip_prefix(namespace)?.to_owned();
            if let VariableValue::Atom(value) = variable.value { Some((name, value)) } else { None }
        });
        Ok(atoms.collect())
    }
}

impl ExperimentHandle {
    /// Every log of the experiment by its name, once the store has what this process logged until now. See
    /// [`StoredExperiment::logs`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn logs(&self) -> Result<BTreeMap<String, Log>> {
        self.stored()?.logs()
    }

    /// The values of logs of numbers as a [`Table`], once the store has what this process logged until now. See
    /// [`StoredExperiment::numeric_values`].
    ///
    /// # Errors
    /// As [`StoredExperiment::numeric_values`]; `Unsupported` offline.
    pub fn numeric_values<S: AsRef<str>>(&self, names: &[S]) -> Result<Table> {
        self.stored()?.numeric_values(names)
    }

    /// The parameters by their names, each with its type. See [`StoredExperiment::parameters`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn parameters(&self) -> Result<BTreeMap<String, AtomValue>> {
        self.stored()?.parameters()
    }

    /// The properties by their names. See [`StoredExperiment::properties`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn properties(&self) -> Result<BTreeMap<String, AtomValue>> {
        self.stored()?.properties()
    }

    /// The tags, sorted.
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn tags(&self) -> Result<Vec<String>> {
        self.stored()?.tags()
    }
}

/// The path of a series of `T`.
fn series_of<T: SeriesValue>(log: Variable) -> Result<String> {
    let wanted = VariableType { container: Container::Series, content: T::CONTENT };
    if log.kind == wanted { Ok(log.path) } else { Err(other_type(&log, &wanted.to_string())) }
}

fn other_type(variable: &Variable, wanted: &str) -> Error {
    Error::new(ErrorKind::TypeConflict, format!("{} is {}, not {wanted}", variable.path, variable.kind))
}
