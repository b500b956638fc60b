//! Points on their way into chunks.
//!
//! The chunks of a series never overlap in steps. Recent points sit in plain chunks at the end of the series until there
//! are enough for a sealed one; points that belong between older ones are merged into the chunks they fall into.

use neptune_format::{Content, VariableType};
use rusqlite::Connection;

use super::variables::{self, Key, LastPoint, LastValue, SeriesRow};
use crate::{
    chunk::{self, Chunk, Points, SEALED_POINTS, Statistics, Values},
    error::{Error, Result},
};

/// How many plain chunks a series may have before they are made one. Each drain of a slow series adds one; 32 keeps both
/// the rows that a reader visits and the points that are written again few.
const PLAIN_CHUNKS: usize = 32;

/// How many series are sealed when a writer closes, so that `stop` stays short; the rest is sealed by `gc`.
const SEALED_ON_CLOSE: usize = 64;

/// A chunk that is stored already.
struct Stored {
    id: i64,
    count: usize,
    data: Vec<u8>,
}

/// Stores points; `false` when the variable has another type and nothing was stored.
pub(super) fn write(connection: &Connection, variable: Key, kind: VariableType, mut points: Points) -> Result<bool> {
    let existing = variables::series_row(connection, variable)?;
    if existing.is_some_and(|row| row.kind != kind) {
        return Ok(false);
    }
    points.sort_and_dedup();
    let (Some(first), Some(last)) = (points.steps.first().copied(), points.steps.last().copied()) else {
        return Ok(true);
    };
    let row =
        existing.unwrap_or(SeriesRow { kind, statistics: Statistics::default(), first_step: None, last_step: None });
    let behind = row.last_step.is_none_or(|stored| first > stored);
    let added = Statistics::of(&points.values);
    let newest = newest_point(connection, variable, &points, behind, row.last_step)?;
    let mut statistics = row.statistics;
    if behind {
        append(connection, variable, points)?;
        statistics.add(&added);
    } else {
        insert_between(connection, variable, points)?;
        statistics = sum_of_chunks(connection, variable)?;
    }
    let row = SeriesRow {
        kind,
        statistics,
        first_step: Some(row.first_step.map_or(first, |stored| stored.min(first))),
        last_step: Some(row.last_step.map_or(last, |stored| stored.max(last))),
    };
    let value = match &newest.values {
        Values::Float(values) => values.last().map(|value| LastValue::Float(*value)),
        Values::Text(values) => values.last().map(|value| LastValue::Text(value)),
    };
    if let (Some(step), Some(time_us), Some(value)) =
        (newest.steps.last().copied(), newest.times.last().copied(), value)
    {
        variables::put_series(connection, variable, &row, &LastPoint { step, time_us, value })?;
    }
    Ok(true)
}

/// The points that the last point of the series is the last of, once `points` are stored.
fn newest_point(
    connection: &Connection,
    variable: Key,
    points: &Points,
    behind: bool,
    stored_last: Option<f64>,
) -> Result<Points> {
    let last = points.steps.last().copied();
    if behind || last >= stored_last {
        return Ok(points.last_point());
    }
    let stored = read_chunks(connection, variable, "ORDER BY first_step DESC LIMIT 1", [])?;
    match stored.first() {
        Some(stored) => chunk::decode(&stored.data).map(|points| points.last_point()),
        None => Ok(points.last_point()),
    }
}

/// Appends points that lie behind every stored one.
fn append(connection: &Connection, variable: Key, points: Points) -> Result<()> {
    let (tail, waiting) = plain_tail(connection, variable)?;
    let enough = waiting + points.len() >= SEALED_POINTS;
    if !enough && tail.len() < PLAIN_CHUNKS {
        return insert(connection, variable, &Chunk::plain(&points));
    }
    let mut all = take_chunks(connection, points.content(), tail)?;
    all.extend(points);
    insert_in_pieces(connection, variable, all)
}

/// Merges points into the chunks whose steps they meet.
fn insert_between(connection: &Connection, variable: Key, points: Points) -> Result<()> {
    let (Some(first), Some(last)) = (points.steps.first().copied(), points.steps.last().copied()) else {
        return Ok(());
    };
    let met = read_chunks(
        connection,
        variable,
        "AND last_step >= $3 AND first_step <= $4 ORDER BY first_step",
        [first, last],
    )?;
    let older = take_chunks(connection, points.content(), met.into_iter().map(|stored| stored.id).collect())?;
    insert_in_pieces(connection, variable, Points::merge(older, points))
}

/// Stores points: sealed as far as there are enough, what is left over in a plain chunk.
fn insert_in_pieces(connection: &Connection, variable: Key, points: Points) -> Result<()> {
    for chunk in Chunk::cut(points) {
        insert(connection, variable, &chunk?)?;
    }
    Ok(())
}

/// Seals the plain ends of series of an experiment, of a bounded number of them; returns how many were sealed.
pub(super) fn seal_tails(connection: &Connection, experiment_id: i64) -> Result<usize> {
    seal_some_tails(connection, experiment_id, SEALED_ON_CLOSE)
}

/// Seals the plain ends of at most `most` series of an experiment; returns how many were sealed.
pub(crate) fn seal_some_tails(connection: &Connection, experiment_id: i64, most: usize) -> Result<usize> {
    let waiting = connection
        .prepare_cached(
            "SELECT path_id FROM chunk WHERE experiment_id = $1 AND sealed = 0 GROUP BY path_id ORDER BY path_id LIMIT $2",
        )?
        .query_map((experiment_id, i64::try_from(most).unwrap_or(i64::MAX)), |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for path_id in &waiting {
        let variable = Key { experiment_id, path_id: *path_id };
        let Some(kind) = variables::kind(connection, experiment_id, *path_id)? else { continue };
        let plain = read_chunks(connection, variable, "AND sealed = 0 ORDER BY first_step", [])?;
        // Plain chunks with sealed ones between them are left by points that came late; each run is sealed by itself.
        for stored in plain_runs(connection, variable, plain)? {
            let points = take_chunks(connection, kind.content, stored)?;
            for chunk in Chunk::seal(points) {
                insert(connection, variable, &chunk?)?;
            }
        }
    }
    Ok(waiting.len())
}

/// Groups plain chunks into runs that have no sealed chunk between them and together fit into one.
fn plain_runs(connection: &Connection, variable: Key, plain: Vec<Stored>) -> Result<Vec<Vec<i64>>> {
    let order = connection
        .prepare_cached("SELECT id FROM chunk WHERE experiment_id = $1 AND path_id = $2 ORDER BY first_step")?
        .query_map((variable.experiment_id, variable.path_id), |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut runs: Vec<Vec<i64>> = Vec::new();
    let mut points_in_run = 0;
    let mut plain = plain.into_iter().peekable();
    let mut broken = true;
    for id in order {
        let Some(stored) = plain.next_if(|stored| stored.id == id) else {
            broken = true;
            continue;
        };
        match runs.last_mut() {
            Some(run) if !broken && points_in_run + stored.count <= SEALED_POINTS => run.push(id),
            _ => {
                runs.push(vec![id]);
                points_in_run = 0;
            }
        }
        points_in_run += stored.count;
        broken = false;
    }
    Ok(runs)
}

/// The plain chunks at the end of a series, oldest first, and how many points they hold.
fn plain_tail(connection: &Connection, variable: Key) -> Result<(Vec<i64>, usize)> {
    let mut statement = connection.prepare_cached(
        "SELECT id, sealed, count FROM chunk WHERE experiment_id = $1 AND path_id = $2 ORDER BY first_step DESC",
    )?;
    let mut rows = statement.query((variable.experiment_id, variable.path_id))?;
    let mut tail = Vec::new();
    let mut waiting = 0;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? != 0 {
            break;
        }
        tail.push(row.get(0)?);
        waiting += usize::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
    }
    tail.reverse();
    Ok((tail, waiting))
}

fn read_chunks<const N: usize>(
    connection: &Connection,
    variable: Key,
    condition: &str,
    steps: [f64; N],
) -> Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, count, data FROM chunk WHERE experiment_id = $1 AND path_id = $2 {condition}"
    ))?;
    statement.raw_bind_parameter(1, variable.experiment_id)?;
    statement.raw_bind_parameter(2, variable.path_id)?;
    for (parameter, step) in (3..).zip(steps) {
        statement.raw_bind_parameter(parameter, step)?;
    }
    let mut rows = statement.raw_query();
    let mut stored = Vec::new();
    while let Some(row) = rows.next()? {
        let count = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        stored.push(Stored { id: row.get(0)?, count, data: row.get(2)? });
    }
    Ok(stored)
}

/// Takes chunks out of the table, in the order of their steps.
fn take_chunks(connection: &Connection, content: Content, ids: Vec<i64>) -> Result<Points> {
    let mut points =
        Points::none_of(content).ok_or_else(|| Error::corrupt("a series of a content that no chunk can hold"))?;
    for id in ids {
        let data: Vec<u8> = connection
            .prepare_cached("DELETE FROM chunk WHERE id = $1 RETURNING data")?
            .query_row([id], |row| row.get(0))?;
        chunk::decode_onto(&mut points, &data)?;
    }
    Ok(points)
}

fn insert(connection: &Connection, variable: Key, chunk: &Chunk) -> Result<()> {
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

/// The statistics of a series, from those of its chunks.
fn sum_of_chunks(connection: &Connection, variable: Key) -> Result<Statistics> {
    let statistics = connection
        .prepare_cached(
            "SELECT COALESCE(SUM(count), 0), COALESCE(SUM(nonfinite), 0), MIN(minimum), MAX(maximum), COALESCE(SUM(total), 0.0)
             FROM chunk WHERE experiment_id = $1 AND path_id = $2",
        )?
        .query_row((variable.experiment_id, variable.path_id), |row| {
            Ok(Statistics {
                count: row.get::<_, i64>(0)?.cast_unsigned(),
                nonfinite: row.get::<_, i64>(1)?.cast_unsigned(),
                minimum: row.get(2)?,
                maximum: row.get(3)?,
                total: row.get(4)?,
            })
        })?;
    Ok(statistics)
}
