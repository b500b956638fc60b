//! Logs: the series that a program logged, by the names that people use for them.
//!
//! A log is any series but those that neptune makes itself. `logs/loss` is called `loss`, unless there is a series at that very
//! path; every other log is called by its path.

use std::collections::BTreeMap;

use neptune_format::{Container, VariableType};

use super::{ExperimentKey, SeriesSummary, Variable, VariableValue, nearest};
use crate::{
    error::{Error, ErrorKind, Result},
    store::Store,
};

/// Where metrics and texts are that were logged by name.
const LOGS: &str = "logs/";

/// What neptune logs by itself: the hardware, and how long spans took.
const MEASURED: [&str; 2] = ["monitoring/", "timing/"];

/// A series that a program logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Its path.
    pub path: String,
    /// Its type: numbers, text, images or histograms.
    pub kind: VariableType,
    /// Its last point and its statistics.
    pub series: SeriesSummary,
}

impl Store {
    /// The logs of an experiment by their names. See [`Log`]; series below `monitoring/` and `timing/`, which neptune logs
    /// by itself, are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn logs(&self, experiment: &ExperimentKey) -> Result<BTreeMap<String, Log>> {
        let series: BTreeMap<String, Log> = self
            .variables(experiment, "")?
            .into_iter()
            .filter(|variable| is_log(&variable.path, variable.kind))
            .filter_map(|Variable { path, kind, value }| match value {
                VariableValue::Series(series) => Some((path.clone(), Log { path, kind, series })),
                _ => None,
            })
            .collect();
        let named = series.values().map(|log| (name_of(&log.path, |other| series.contains_key(other)), log.clone()));
        Ok(named.collect())
    }

    /// The variable that the log `name` is: the series at this path, also one that neptune logs by itself, or that at
    /// `logs/NAME`; where there is no such series, whatever variable is there.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is none.
    pub fn log(&self, experiment: &ExperimentKey, name: &str) -> Result<Variable> {
        let mut other = None;
        for path in [name.to_owned(), format!("{LOGS}{name}")] {
            match self.variable(experiment, &path) {
                Ok(variable) if variable.kind.container == Container::Series => return Ok(variable),
                Ok(variable) => other = other.or(Some(variable)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(other) = other {
            return Ok(other);
        }
        let logs = self.logs(experiment)?;
        let known = logs.iter().flat_map(|(name, log)| [name.as_str(), log.path.as_str()]);
        let suggestion = nearest::suggestion(name, known);
        let id = &experiment.short_id;
        Err(Error::new(ErrorKind::NotFound, format!("experiment {id} has no log {name:?}{suggestion}")))
    }
}

/// Whether a variable at `path` is a log.
pub(crate) fn is_log(path: &str, kind: VariableType) -> bool {
    kind.container == Container::Series && !MEASURED.iter().any(|namespace| path.starts_with(namespace))
}

/// The name of the log at `path`, where `is_series` says whether there is a log at another.
pub(crate) fn name_of(path: &str, is_series: impl Fn(&str) -> bool) -> String {
    match path.strip_prefix(LOGS) {
        Some(name) if !is_series(name) => name.to_owned(),
        _ => path.to_owned(),
    }
}
