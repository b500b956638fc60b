//! Rows of chunks: what the points of a series lie in, read, written and removed.
//!
//! Parameters of a query are numbered as SQLite does it: in the order in which they first appear.
//!
//! A chunk whose `data` is empty is a copy: the chunk `copy_of` has its bytes, which is never a copy itself. This is the one
//! place that removes chunks, because the bytes of one that has copies must go to one of them first.

use neptune_format::Content;
use rusqlite::{Connection, OptionalExtension as _};

use super::variables::Key;
use crate::{
    chunk::{self, Chunk, Points, Statistics},
    error::{Error, Result},
};

/// The bytes of a chunk, wherever they are. For queries of `chunk` under that name.
///
/// The length of a blob is in the head of its row, so the column behind the bytes is read of copies only.
pub(crate) const BYTES: &str =
    "CASE WHEN length(data) = 0 THEN (SELECT o.data FROM chunk o WHERE o.id = chunk.copy_of) ELSE data END";

/// The brief of a chunk, wherever it is; as [`BYTES`].
pub(crate) const BRIEF: &str =
    "CASE WHEN length(data) = 0 THEN (SELECT o.blocks FROM chunk o WHERE o.id = chunk.copy_of) ELSE blocks END";

/// A chunk that is stored already.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) first_step: f64,
    pub(super) last_step: f64,
    pub(super) count: usize,
}

/// Chunks of a series, those that `condition` says of whatever is in `steps` ($3, $4).
pub(super) fn list<const N: usize>(
    connection: &Connection,
    variable: Key,
    condition: &str,
    steps: [f64; N],
) -> Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, first_step, last_step, count FROM chunk WHERE experiment_id = $1 AND path_id = $2 {condition}"
    ))?;
    statement.raw_bind_parameter(1, variable.experiment_id)?;
    statement.raw_bind_parameter(2, variable.path_id)?;
    for (parameter, step) in (3..).zip(steps) {
        statement.raw_bind_parameter(parameter, step)?;
    }
    let mut rows = statement.raw_query();
    let mut stored = Vec::new();
    while let Some(row) = rows.next()? {
        let count = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        stored.push(Stored { id: row.get(0)?, first_step: row.get(1)?, last_step: row.get(2)?, count });
    }
    Ok(stored)
}

/// The chunks of a series that meet a range of steps, in their order.
pub(super) fn meeting(connection: &Connection, variable: Key, first: f64, last: f64) -> Result<Vec<Stored>> {
    list(connection, variable, "AND last_step >= $3 AND first_step <= $4 ORDER BY first_step", [first, last])
}

/// The points of a chunk.
pub(super) fn points(connection: &Connection, content: Content, id: i64) -> Result<Points> {
    let mut points = none_of(content)?;
    decode_onto(connection, &mut points, id)?;
    Ok(points)
}

/// Takes chunks out of the table, in the order of their steps.
pub(super) fn take(connection: &Connection, content: Content, ids: Vec<i64>) -> Result<Points> {
    let mut points = none_of(content)?;
    for id in ids {
        decode_onto(connection, &mut points, id)?;
        remove(connection, id)?;
    }
    Ok(points)
}

fn decode_onto(connection: &Connection, points: &mut Points, id: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(&format!("SELECT {BYTES} FROM chunk WHERE id = $1"))?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| Error::corrupt("a chunk is gone; see neptune doctor"))?;
    let bytes = row.get_ref(0)?.as_blob();
    chunk::decode_onto(
        points,
        bytes.map_err(|error| Error::corrupt("a chunk has no bytes; see neptune doctor").because(error))?,
    )
}

fn none_of(content: Content) -> Result<Points> {
    Points::none_of(content).ok_or_else(|| Error::corrupt("a series of a content that no chunk can hold"))
}

/// Stores points: sealed as far as there are enough, what is left over in a plain chunk.
pub(super) fn insert_in_pieces(connection: &Connection, variable: Key, points: Points) -> Result<()> {
    for chunk in Chunk::cut(points) {
        insert(connection, variable, &chunk?)?;
    }
    Ok(())
}

pub(super) fn insert(connection: &Connection, variable: Key, chunk: &Chunk) -> Result<()> {
    let statistics = &chunk.statistics;
    connection
        .prepare_cached(
            "INSERT INTO chunk (experiment_id, path_id, first_step, last_step, count, sealed, nonfinite, minimum, maximum,
                                total, blocks, data)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )?
        .execute(rusqlite::params![
            variable.experiment_id,
            variable.path_id,
            chunk.first_step,
            chunk.last_step,
            statistics.count.cast_signed(),
            chunk.sealed,
            statistics.nonfinite.cast_signed(),
            statistics.minimum,
            statistics.maximum,
            statistics.total,
            chunk.blocks,
            chunk.data,
        ])?;
    Ok(())
}

/// Copies the chunks of a series that end at or before `last` to another, without their bytes.
pub(super) fn copy(connection: &Connection, from: Key, to: Key, last: f64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO chunk (experiment_id, path_id, first_step, last_step, count, sealed, nonfinite, minimum, maximum,
                                total, data, copy_of)
             SELECT $1, $2, first_step, last_step, count, sealed, nonfinite, minimum, maximum, total, x'',
                    CASE WHEN length(data) = 0 THEN copy_of ELSE id END
             FROM chunk WHERE experiment_id = $3 AND path_id = $4 AND last_step <= $5",
        )?
        .execute((to.experiment_id, to.path_id, from.experiment_id, from.path_id, last))?;
    Ok(())
}

/// Has a chunk belong to another experiment, or lie aside.
pub(super) fn give_to(connection: &Connection, id: i64, experiment_id: i64) -> Result<()> {
    connection.prepare_cached("UPDATE chunk SET experiment_id = $1 WHERE id = $2")?.execute((experiment_id, id))?;
    Ok(())
}

/// Removes the chunks of an experiment, or what lies aside of a revision.
pub(super) fn remove_of(connection: &Connection, experiment_id: i64) -> Result<()> {
    if !has_copies(connection)? {
        connection.prepare_cached("DELETE FROM chunk WHERE experiment_id = $1")?.execute([experiment_id])?;
        return Ok(());
    }
    let ids = connection
        .prepare_cached("SELECT id FROM chunk WHERE experiment_id = $1")?
        .query_map([experiment_id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    ids.into_iter().try_for_each(|id| remove(connection, id))
}

/// Whether any chunk shares the bytes of another.
fn has_copies(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM chunk WHERE copy_of IS NOT NULL LIMIT 1")?.exists([])?)
}

/// Removes the chunks of a series.
pub(super) fn remove_all(connection: &Connection, variable: Key) -> Result<()> {
    if has_copies(connection)? {
        for stored in list(connection, variable, "", [])? {
            remove(connection, stored.id)?;
        }
        return Ok(());
    }
    connection
        .prepare_cached("DELETE FROM chunk WHERE experiment_id = $1 AND path_id = $2")?
        .execute((variable.experiment_id, variable.path_id))?;
    Ok(())
}

/// Removes a chunk. Where others are copies of it, one of them gets the bytes, and the rest become copies of that.
pub(super) fn remove(connection: &Connection, id: i64) -> Result<()> {
    let heir: Option<i64> = connection
        .prepare_cached("SELECT id FROM chunk WHERE copy_of = $1 ORDER BY id LIMIT 1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if let Some(heir) = heir {
        connection
            .prepare_cached(
                "UPDATE chunk SET copy_of = NULL, data = (SELECT o.data FROM chunk o WHERE o.id = $1),
                                  blocks = (SELECT o.blocks FROM chunk o WHERE o.id = $1)
                 WHERE id = $2",
            )?
            .execute((id, heir))?;
        fail::fail_point!("chunk-inherited");
        connection.prepare_cached("UPDATE chunk SET copy_of = $1 WHERE copy_of = $2")?.execute((heir, id))?;
    }
    connection.prepare_cached("DELETE FROM chunk WHERE id = $1")?.execute([id])?;
    Ok(())
}

/// The statistics of a series, from those of its chunks, and its first and last step.
pub(super) fn sum(connection: &Connection, variable: Key) -> Result<(Statistics, Option<f64>, Option<f64>)> {
    let found = connection
        .prepare_cached(
            "SELECT COALESCE(SUM(count), 0), COALESCE(SUM(nonfinite), 0), MIN(minimum), MAX(maximum),
                    COALESCE(SUM(total), 0.0), MIN(first_step), MAX(last_step)
             FROM chunk WHERE experiment_id = $1 AND path_id = $2",
        )?
        .query_row((variable.experiment_id, variable.path_id), |row| {
            let statistics = Statistics {
                count: row.get::<_, i64>(0)?.cast_unsigned(),
                nonfinite: row.get::<_, i64>(1)?.cast_unsigned(),
                minimum: row.get(2)?,
                maximum: row.get(3)?,
                total: row.get(4)?,
            };
            Ok((statistics, row.get(5)?, row.get(6)?))
        })?;
    Ok(found)
}
