//! Rows of variables: atoms and sets whole, and of series what a table shows.
//!
//! The first write fixes the type of a variable; a write of another type changes nothing and says so.

use std::borrow::Cow;

use neptune_format::{AtomValue, Container, Content, File, LostReason, ObjectId, VariablePath, VariableType};
use rusqlite::{Connection, OptionalExtension as _, types::Null};

use super::{revisions, rows};
use crate::{
    chunk::Statistics,
    error::{Error, Result},
};

/// Which variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) experiment_id: i64,
    pub(super) path_id: i64,
}

/// What the row of a series says.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesRow {
    pub(super) kind: VariableType,
    pub(super) statistics: Statistics,
    pub(super) first_step: Option<f64>,
    pub(super) last_step: Option<f64>,
}

/// The last point of a series.
pub(super) struct LastPoint<'a> {
    pub(super) step: f64,
    pub(super) time_us: i64,
    pub(super) value: LastValue<'a>,
}

pub(super) enum LastValue<'a> {
    Float(f64),
    Text(&'a str),
}

fn decode_kind(code: u8) -> Result<VariableType> {
    VariableType::from_code(code).ok_or_else(|| Error::corrupt(format!("a variable has the unknown type {code:#04x}")))
}

pub(super) fn kind(connection: &Connection, experiment_id: i64, path_id: i64) -> Result<Option<VariableType>> {
    connection
        .prepare_cached("SELECT type FROM variable WHERE experiment_id = $1 AND path_id = $2")?
        .query_row((experiment_id, path_id), |row| row.get::<_, u8>(0))
        .optional()?
        .map(decode_kind)
        .transpose()
}

pub(super) fn last_step(connection: &Connection, experiment_id: i64, path_id: i64) -> Result<Option<f64>> {
    let found: Option<Option<f64>> = connection
        .prepare_cached("SELECT last_step FROM variable WHERE experiment_id = $1 AND path_id = $2")?
        .query_row((experiment_id, path_id), |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

pub(super) fn series_row(connection: &Connection, variable: Key) -> Result<Option<SeriesRow>> {
    let found = connection
        .prepare_cached(
            "SELECT type, count, nonfinite, minimum, maximum, total, first_step, last_step
             FROM variable WHERE experiment_id = $1 AND path_id = $2",
        )?
        .query_row((variable.experiment_id, variable.path_id), |row| {
            let statistics = Statistics {
                count: row.get::<_, Option<i64>>(1)?.unwrap_or(0).cast_unsigned(),
                nonfinite: row.get::<_, Option<i64>>(2)?.unwrap_or(0).cast_unsigned(),
                minimum: row.get(3)?,
                maximum: row.get(4)?,
                total: row.get::<_, Option<f64>>(5)?.unwrap_or(0.0),
            };
            Ok((row.get::<_, u8>(0)?, statistics, row.get(6)?, row.get(7)?))
        })
        .optional()?;
    found
        .map(|(code, statistics, first_step, last_step)| {
            Ok(SeriesRow { kind: decode_kind(code)?, statistics, first_step, last_step })
        })
        .transpose()
}

/// Writes the row of a series: its statistics and its last point, if there is one.
pub(super) fn put_series(
    connection: &Connection,
    variable: Key,
    row: &SeriesRow,
    last: Option<&LastPoint<'_>>,
) -> Result<()> {
    let (number, text) = match last.map(|last| &last.value) {
        Some(LastValue::Float(value)) if value.is_nan() => (None, Some("NaN")),
        Some(LastValue::Float(value)) => (Some(*value), None),
        Some(LastValue::Text(text)) => (None, Some(*text)),
        None => (None, None),
    };
    let statistics = &row.statistics;
    connection
        .prepare_cached(
            "INSERT INTO variable (experiment_id, path_id, type, number, integer, text, count, nonfinite, minimum,
                                   maximum, total, first_step, last_step, last_us)
             VALUES ($1, $2, $3, $4, NULL, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (experiment_id, path_id) DO UPDATE SET
                 number = excluded.number, text = excluded.text, count = excluded.count,
                 nonfinite = excluded.nonfinite, minimum = excluded.minimum, maximum = excluded.maximum,
                 total = excluded.total, first_step = excluded.first_step, last_step = excluded.last_step,
                 last_us = excluded.last_us",
        )?
        .execute(rusqlite::params![
            variable.experiment_id,
            variable.path_id,
            row.kind.code(),
            number,
            text,
            statistics.count.cast_signed(),
            statistics.nonfinite.cast_signed(),
            statistics.minimum,
            statistics.maximum,
            statistics.total,
            row.first_step,
            last.map(|last| last.step),
            last.map(|last| last.time_us),
        ])?;
    Ok(())
}

/// Sets an atom; says why when it must not be.
pub(super) fn assign(
    connection: &Connection,
    variable: Key,
    path: &VariablePath,
    value: &AtomValue,
) -> Result<Option<LostReason>> {
    let existing = kind(connection, variable.experiment_id, variable.path_id)?;
    let mut value = value.clone();
    if let Some(existing) = existing {
        // A whole number fits where floats are kept: `assign(1)` behind `assign(0.5)` is what people write.
        if let (Content::Float, AtomValue::Int(whole)) = (existing.content, &value) {
            value = AtomValue::Float(*whole as f64);
        }
        if existing != VariableType::atom(value.content()) {
            return Ok(Some(LostReason::TypeConflict));
        }
        if path.as_str().starts_with("parameters/") {
            let same = read_atom(connection, variable)?.is_some_and(|fixed| same_bits(&fixed, &value));
            return Ok((!same).then_some(LostReason::Immutable));
        }
    }
    put_atom(connection, variable, &value)?;
    if let AtomValue::File(file) = value {
        // What the file was before is not needed any more, not by this variable.
        connection
            .prepare_cached("DELETE FROM object_use WHERE experiment_id = $1 AND path_id = $2")?
            .execute((variable.experiment_id, variable.path_id))?;
        use_objects(connection, variable, &[file.object])?;
    }
    Ok(None)
}

fn same_bits(left: &AtomValue, right: &AtomValue) -> bool {
    match (left, right) {
        (AtomValue::Float(left), AtomValue::Float(right)) if left.is_nan() => right.is_nan(),
        _ => left == right,
    }
}

/// Writes an atom, whatever was there.
pub(super) fn put_atom(connection: &Connection, variable: Key, value: &AtomValue) -> Result<()> {
    let (number, integer, text) = match value {
        AtomValue::Float(value) if value.is_nan() => (None, None, Some(Cow::Borrowed("NaN"))),
        AtomValue::Float(value) => (Some(*value), None, None),
        AtomValue::Int(value) => (Some(*value as f64), Some(*value), None),
        AtomValue::Bool(value) => (Some(f64::from(u8::from(*value))), Some(i64::from(*value)), None),
        AtomValue::Datetime(time) => (Some(time.as_micros() as f64), Some(time.as_micros()), None),
        AtomValue::String(text) | AtomValue::Json(text) => (None, None, Some(Cow::Borrowed(text.as_str()))),
        AtomValue::File(file) => {
            (Some(file.size as f64), Some(file.size.cast_signed()), Some(file.object.to_string().into()))
        }
        _ => return Err(Error::corrupt("an atom of an unknown content")),
    };
    let code = VariableType::atom(value.content()).code();
    connection
        .prepare_cached(
            "INSERT INTO variable (experiment_id, path_id, type, number, integer, text) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (experiment_id, path_id) DO UPDATE SET
                 type = excluded.type, number = excluded.number, integer = excluded.integer, text = excluded.text",
        )?
        .execute((variable.experiment_id, variable.path_id, code, number, integer, text))?;
    Ok(())
}

/// The value of an atom; `None` when there is none.
pub(crate) fn read_atom(connection: &Connection, variable: Key) -> Result<Option<AtomValue>> {
    let found = connection
        .prepare_cached("SELECT type, number, integer, text FROM variable WHERE experiment_id = $1 AND path_id = $2")?
        .query_row((variable.experiment_id, variable.path_id), |row| {
            Ok((
                row.get::<_, u8>(0)?,
                row.get::<_, Option<f64>>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<String>>(3)?,
            ))
        })
        .optional()?;
    let Some((code, number, integer, text)) = found else {
        return Ok(None);
    };
    let kind = decode_kind(code)?;
    Ok(atom_of(kind, number, integer, text))
}

/// The value that the columns of an atom's row stand for.
pub(crate) fn atom_of(
    kind: VariableType,
    number: Option<f64>,
    integer: Option<i64>,
    text: Option<String>,
) -> Option<AtomValue> {
    if kind.container != Container::Atom {
        return None;
    }
    match kind.content {
        Content::Float => Some(AtomValue::Float(number.unwrap_or(f64::NAN))),
        Content::Int => integer.map(AtomValue::Int),
        Content::Bool => integer.map(|value| AtomValue::Bool(value != 0)),
        Content::Datetime => integer.map(|micros| AtomValue::Datetime(neptune_format::Timestamp::from_micros(micros))),
        Content::String => text.map(AtomValue::String),
        Content::Json => text.map(AtomValue::Json),
        Content::File => {
            let object = text?.parse().ok()?;
            Some(AtomValue::File(File { object, size: integer?.cast_unsigned() }))
        }
        _ => None,
    }
}

/// Remembers that a variable needs objects.
pub(super) fn use_objects(connection: &Connection, variable: Key, objects: &[ObjectId]) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO object_use (object, experiment_id, path_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )?;
    for object in objects {
        statement.execute((object.as_bytes(), variable.experiment_id, variable.path_id))?;
    }
    Ok(())
}

/// How a set changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetChange {
    Add,
    Remove,
    Reset,
}

/// Changes a set; says why when it must not be.
pub(super) fn change_set(
    connection: &Connection,
    variable: Key,
    change: SetChange,
    members: &[String],
) -> Result<Option<LostReason>> {
    let Key { experiment_id, path_id } = variable;
    match kind(connection, experiment_id, path_id)? {
        Some(VariableType::STRING_SET) => {}
        Some(_) => return Ok(Some(LostReason::TypeConflict)),
        None if change == SetChange::Remove => return Ok(None),
        None => {}
    }
    if change == SetChange::Reset {
        connection
            .prepare_cached("DELETE FROM member WHERE experiment_id = $1 AND path_id = $2")?
            .execute((experiment_id, path_id))?;
    }
    let mut statement = connection.prepare_cached(if change == SetChange::Remove {
        "DELETE FROM member WHERE experiment_id = $1 AND path_id = $2 AND member = $3"
    } else {
        "INSERT INTO member (experiment_id, path_id, member) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    })?;
    for member in members {
        statement.execute((experiment_id, path_id, member))?;
    }
    connection
        .prepare_cached(
            "INSERT INTO variable (experiment_id, path_id, type, text, count)
             VALUES ($1, $2, $3, $4, (SELECT COUNT(*) FROM member WHERE experiment_id = $1 AND path_id = $2))
             ON CONFLICT (experiment_id, path_id) DO UPDATE SET count = excluded.count",
        )?
        .execute((experiment_id, path_id, VariableType::STRING_SET.code(), Null))?;
    Ok(None)
}

/// Deletes a variable and everything it held; nothing when there is none.
pub(super) fn delete(connection: &Connection, variable: Key) -> Result<()> {
    rows::remove_all(connection, variable)?;
    revisions::forget_aside(connection, variable)?;
    for table in ["member", "object_use", "variable"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE experiment_id = $1 AND path_id = $2"))?
            .execute((variable.experiment_id, variable.path_id))?;
    }
    Ok(())
}
