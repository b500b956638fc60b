//! [`Part`]: what an export is made of, a variable or some points of one at a time.
//!
//! No transaction stays open while a part is taken, so whoever reads the export slowly, such as a pager, makes no writer
//! wait. Each step of a series comes at most once and in order, whatever is logged meanwhile.

use neptune_format::{AtomValue, Content, Timestamp, VariableType};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    apply::BYTES,
    chunk::{Points, Values, decode_onto},
    error::{Error, ErrorKind, Result},
    read::{ExperimentKey, VariableValue},
    store::Store,
};

/// The columns of every export, in their order.
pub(super) const COLUMNS: [&str; 12] = [
    "project_id",
    "run_id",
    "attribute_path",
    "attribute_type",
    "step",
    "timestamp",
    "int_value",
    "float_value",
    "string_value",
    "bool_value",
    "datetime_value",
    "string_set_value",
];

/// An atom, a set, or some points of a series that follow each other.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: String,
    pub(super) kind: VariableType,
    pub(super) cells: Cells,
}

/// What a [`Part`] holds, by the column that it goes to.
#[derive(Debug)]
pub(super) enum Cells {
    Float(f64),
    Int(i64),
    Bool(bool),
    Text(String),
    Datetime(Timestamp),
    Set(Vec<String>),
    /// At least one.
    Points(Points),
}

impl Part {
    /// What stands in the column of types.
    pub(super) const fn type_name(&self) -> &'static str {
        match (&self.cells, self.kind.content) {
            (Cells::Float(_), _) => "float",
            (Cells::Int(_), _) => "int",
            (Cells::Bool(_), _) => "bool",
            (Cells::Text(_), Content::File) => "file",
            (Cells::Text(_), _) => "string",
            (Cells::Datetime(_), _) => "datetime",
            (Cells::Set(_), _) => "string_set",
            (Cells::Points(_), Content::Image) => "image_series",
            (Cells::Points(_), Content::Histogram) => "histogram_series",
            (Cells::Points(Points { values: Values::Float(_), .. }), _) => "float_series",
            (Cells::Points(Points { values: Values::Text(_), .. }), _) => "string_series",
        }
    }

    /// How many rows it is.
    pub(super) const fn rows(&self) -> usize {
        match &self.cells {
            Cells::Points(points) => points.len(),
            _ => 1,
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = |texts: &[String]| texts.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
        let cells = match &self.cells {
            Cells::Text(text) => text.len(),
            Cells::Set(members) => texts(members),
            Cells::Points(points) => {
                let values = points.values.as_texts().map_or(size_of::<f64>() * points.len(), texts);
                values + (size_of::<f64>() + size_of::<i64>()) * points.len()
            }
            _ => 0,
        };
        size_of::<Self>() + self.path.len() + cells
    }

    /// Takes the points from the one at place `at` on away; `None` when there are none.
    pub(super) fn split_off(&mut self, at: usize) -> Option<Self> {
        match &mut self.cells {
            Cells::Points(points) if points.len() > at => {
                Some(Self { path: self.path.clone(), kind: self.kind, cells: Cells::Points(points.split_off(at)) })
            }
            _ => None,
        }
    }
}

/// The paths to export: those that are asked for, each of which must be there, or all.
pub(super) fn paths(store: &Store, experiment: &ExperimentKey, wanted: &[String]) -> Result<Vec<String>> {
    if wanted.is_empty() {
        let mut statement = store.connection.prepare_cached(
            "SELECT p.name FROM variable v JOIN path p ON p.id = v.path_id WHERE v.experiment_id = $1 ORDER BY p.name",
        )?;
        return Ok(statement.query_map([experiment.id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?);
    }
    for path in wanted {
        store.variable(experiment, path)?;
    }
    Ok(wanted.to_vec())
}

/// Gives the parts of the variables at `paths` to `take`, one behind the other.
pub(super) fn each_part(
    store: &Store,
    experiment: &ExperimentKey,
    paths: &[String],
    mut take: impl FnMut(Part) -> Result<()>,
) -> Result<()> {
    for path in paths {
        let variable = match store.variable(experiment, path) {
            Ok(variable) => variable,
            // It was there when the export began and was deleted since.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let cells = match variable.value {
            VariableValue::Atom(value) => atom(value)?,
            VariableValue::Set(members) => Cells::Set(members),
            VariableValue::Series(_) => {
                let mut after = f64::NEG_INFINITY;
                while let Some(points) = points_behind(store, experiment, path, variable.kind.content, after)? {
                    after = points.steps.last().copied().unwrap_or(f64::INFINITY);
                    take(Part { path: path.clone(), kind: variable.kind, cells: Cells::Points(points) })?;
                }
                continue;
            }
        };
        take(Part { path: path.clone(), kind: variable.kind, cells })?;
    }
    Ok(())
}

fn atom(value: AtomValue) -> Result<Cells> {
    match value {
        AtomValue::Float(value) => Ok(Cells::Float(value)),
        AtomValue::Int(value) => Ok(Cells::Int(value)),
        AtomValue::Bool(value) => Ok(Cells::Bool(value)),
        AtomValue::String(text) | AtomValue::Json(text) => Ok(Cells::Text(text)),
        AtomValue::Datetime(time) => Ok(Cells::Datetime(time)),
        AtomValue::File(file) => Ok(Cells::Text(file.object.to_string())),
        _ => Err(Error::corrupt("an atom has an unknown content")),
    }
}

/// The points of the next chunk of a series that has some with a step greater than `after`, these only.
fn points_behind(
    store: &Store,
    experiment: &ExperimentKey,
    path: &str,
    content: Content,
    after: f64,
) -> Result<Option<Points>> {
    // Chunks do not overlap, so only the last one that begins at or before `after` can reach behind it; without that bound
    // every chunk before it would be looked at again.
    let mut statement = store.connection.prepare_cached(&format!(
        "WITH series (id) AS (SELECT id FROM path WHERE name = $1)
         SELECT {BYTES} FROM chunk
         WHERE path_id = (SELECT id FROM series) AND experiment_id = $2 AND last_step > $3 AND count > 0
           AND first_step >= COALESCE((SELECT MAX(first_step) FROM chunk
                                       WHERE path_id = (SELECT id FROM series) AND experiment_id = $2
                                         AND first_step <= $3), $3)
         ORDER BY first_step LIMIT 1"
    ))?;
    let data = statement.query_row(params![path, experiment.id, after], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    let Some(data) = data else { return Ok(None) };
    let mut points = Points::none_of(content)
        .ok_or_else(|| Error::corrupt(format!("{path} is a series of what a series cannot hold")))?;
    decode_onto(&mut points, &data)?;
    points.keep_steps(after.next_up(), f64::INFINITY);
    if points.is_empty() {
        return Err(Error::corrupt(format!("a chunk of {path} ends before the step that its row says")));
    }
    Ok(Some(points))
}
