//! Variables of an experiment: what they are and what they hold.

use std::collections::BTreeMap;

use neptune_format::{AtomValue, Container, Content, Timestamp, VariableType};
use rusqlite::{OptionalExtension as _, Row};

use super::{ExperimentKey, nearest};
use crate::{
    apply,
    chunk::Statistics,
    error::{Error, ErrorKind, Result},
    query::NAMESPACES,
    store::Store,
};

/// A variable and what a table shows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its path.
    pub path: String,
    /// Its type.
    pub kind: VariableType,
    /// What it holds.
    pub value: VariableValue,
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq)]
pub enum VariableValue {
    /// The value of an atom.
    Atom(AtomValue),
    /// The last point and the statistics of a series.
    Series(SeriesSummary),
    /// The members of a set, sorted.
    Set(Vec<String>),
}

/// The last point and the statistics of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSummary {
    /// The value at the last step.
    pub last: AtomValue,
    /// The smallest step.
    pub first_step: f64,
    /// The greatest step.
    pub last_step: f64,
    /// When the last point was logged.
    pub last_time: Timestamp,
    /// Count, minimum, maximum and sum.
    pub statistics: Statistics,
}

/// What stands under a name of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceEntry {
    /// More names.
    Namespace,
    /// A variable of this type.
    Variable(VariableType),
}

const VARIABLE: &str = "SELECT p.name, v.type, v.number, v.integer, v.text, v.count, v.nonfinite, v.minimum, v.maximum,
                               v.total, v.first_step, v.last_step, v.last_us, v.path_id
                        FROM variable v JOIN path p ON p.id = v.path_id WHERE v.experiment_id = $1";

impl Store {
    /// Every variable of an experiment whose path begins with `prefix`, by path.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn variables(&self, experiment: &ExperimentKey, prefix: &str) -> Result<Vec<Variable>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{VARIABLE} AND substr(p.name, 1, length($2)) = $2 ORDER BY p.name"))?;
        let mut rows = statement.query((experiment.id, prefix))?;
        let mut variables = Vec::new();
        while let Some(row) = rows.next()? {
            variables.push(self.variable_of(experiment, row)?);
        }
        Ok(variables)
    }

    /// The variable at `path`.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths, when nothing was written there.
    pub fn variable(&self, experiment: &ExperimentKey, path: &str) -> Result<Variable> {
        let mut statement = self.connection.prepare_cached(&format!("{VARIABLE} AND p.name = $2"))?;
        let mut rows = statement.query((experiment.id, path))?;
        match rows.next()? {
            Some(row) => self.variable_of(experiment, row),
            None => Err(self.variable_not_found(experiment, path)),
        }
    }

    /// The type of the variable at `path`, if there is one that this version knows.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn kind_of(&self, experiment: &ExperimentKey, path: &str) -> Result<Option<VariableType>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT v.type FROM variable v JOIN path p ON p.id = v.path_id WHERE v.experiment_id = $1 AND p.name = $2",
        )?;
        let code: Option<u8> = statement.query_row((experiment.id, path), |row| row.get(0)).optional()?;
        Ok(code.and_then(VariableType::from_code))
    }

    /// Whether there is a file at a path that begins with `prefix`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_files(&self, experiment: &ExperimentKey, prefix: &str) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM variable v JOIN path p ON p.id = v.path_id
             WHERE v.experiment_id = $1 AND v.type = $2 AND substr(p.name, 1, length($3)) = $3)",
        )?;
        Ok(statement.query_row((experiment.id, VariableType::atom(Content::File).code(), prefix), |row| row.get(0))?)
    }

    /// What stands directly under `prefix` (the empty string for everything), by name.
    ///
    /// # Errors
    /// `NotFound` when nothing stands there.
    pub fn namespace(&self, experiment: &ExperimentKey, prefix: &str) -> Result<BTreeMap<String, NamespaceEntry>> {
        let within = if prefix.is_empty() { String::new() } else { format!("{}/", prefix.trim_end_matches('/')) };
        let mut contents = BTreeMap::new();
        for variable in self.variables(experiment, &within)? {
            let Some(rest) = variable.path.strip_prefix(&within) else { continue };
            let (name, entry) = match rest.split_once('/') {
                Some((name, _)) => (name, NamespaceEntry::Namespace),
                None => (rest, NamespaceEntry::Variable(variable.kind)),
            };
            // A path may be both a variable and a namespace; then the variable is shown.
            let shown = contents.entry(name.to_owned()).or_insert(entry);
            if *shown == NamespaceEntry::Namespace {
                *shown = entry;
            }
        }
        if contents.is_empty() && !prefix.is_empty() {
            let variable = self.variable(experiment, prefix.trim_end_matches('/'))?;
            let (path, kind) = (variable.path, variable.kind);
            return Err(Error::new(ErrorKind::NotFound, format!("{path:?} is {kind}, and no namespace")));
        }
        Ok(contents)
    }

    /// The path that `name` means: itself, or the log, parameter, property or system variable of that name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest paths.
    pub fn resolve(&self, experiment: &ExperimentKey, name: &str) -> Result<String> {
        let mut statement = self.connection.prepare_cached(&format!("{VARIABLE} AND p.name = $2"))?;
        let within = NAMESPACES.into_iter().map(|namespace| format!("{namespace}/{name}"));
        for candidate in std::iter::once(name.to_owned()).chain(within) {
            if statement.exists((experiment.id, &candidate))? {
                return Ok(candidate);
            }
        }
        Err(self.variable_not_found(experiment, name))
    }

    pub(crate) fn variable_not_found(&self, experiment: &ExperimentKey, path: &str) -> Error {
        let known = match self.variables(experiment, "") {
            Ok(known) => known,
            Err(error) => return error,
        };
        let within = format!("{}/", path.trim_end_matches('/'));
        if let Some(inner) = known.iter().find(|variable| variable.path.starts_with(&within)) {
            let (id, inner) = (&experiment.short_id, &inner.path);
            let message =
                format!("{path:?} of experiment {id} is a namespace; name a variable in it, such as {inner:?}");
            return Error::new(ErrorKind::NotFound, message);
        }
        let suggestion = nearest::suggestion(path, known.iter().map(|variable| variable.path.as_str()));
        Error::new(
            ErrorKind::NotFound,
            format!("nothing was written to {path:?} of experiment {}{suggestion}", experiment.short_id),
        )
    }

    fn variable_of(&self, experiment: &ExperimentKey, row: &Row<'_>) -> Result<Variable> {
        let path: String = row.get(0)?;
        let code: u8 = row.get(1)?;
        let kind = VariableType::from_code(code)
            .ok_or_else(|| Error::corrupt(format!("variable {path:?} has the unknown type {code:#04x}")))?;
        let value = match kind.container {
            Container::Set => VariableValue::Set(self.members(experiment, row.get(13)?)?),
            Container::Series => VariableValue::Series(series_summary(kind, row)?),
            _ => VariableValue::Atom(
                apply::atom_of(kind, row.get(2)?, row.get(3)?, row.get(4)?)
                    .ok_or_else(|| Error::corrupt(format!("variable {path:?} of type {kind} has no value")))?,
            ),
        };
        Ok(Variable { path, kind, value })
    }

    fn members(&self, experiment: &ExperimentKey, path_id: i64) -> Result<Vec<String>> {
        let members = self
            .connection
            .prepare_cached("SELECT member FROM member WHERE experiment_id = $1 AND path_id = $2 ORDER BY member")?
            .query_map((experiment.id, path_id), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(members)
    }
}

fn series_summary(kind: VariableType, row: &Row<'_>) -> Result<SeriesSummary> {
    let last = match kind.content {
        Content::String => AtomValue::String(row.get::<_, Option<String>>(4)?.unwrap_or_default()),
        Content::Image | Content::Histogram => AtomValue::Json(row.get::<_, Option<String>>(4)?.unwrap_or_default()),
        _ => AtomValue::Float(row.get::<_, Option<f64>>(2)?.unwrap_or(f64::NAN)),
    };
    let whole =
        |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.unwrap_or(0).cast_unsigned());
    Ok(SeriesSummary {
        last,
        first_step: row.get::<_, Option<f64>>(10)?.unwrap_or(f64::NAN),
        last_step: row.get::<_, Option<f64>>(11)?.unwrap_or(f64::NAN),
        last_time: Timestamp::from_micros(row.get::<_, Option<i64>>(12)?.unwrap_or(0)),
        statistics: Statistics {
            count: whole(5)?,
            nonfinite: whole(6)?,
            minimum: row.get(7)?,
            maximum: row.get(8)?,
            total: row.get::<_, Option<f64>>(9)?.unwrap_or(0.0),
        },
    })
}
