//! Points on their way into chunks.
//!
//! The chunks of a series never overlap in steps. Recent points sit in plain chunks at the end of the series until there
//! are enough for a sealed one; points that belong between older ones are merged into the chunks they fall into.

use neptune_format::{Step, VariableType};
use rusqlite::Connection;

use super::{
    rows::{self, Stored},
    variables::{self, Key, LastPoint, LastValue, SeriesRow},
};
use crate::{
    chunk::{Chunk, Points, SEALED_POINTS, Statistics, Stays, Values},
    error::Result,
};

/// How many plain chunks a series may have before they are made one. Each drain of a slow series adds one; 32 keeps both
/// the rows that a reader visits and the points that are written again few.
const PLAIN_CHUNKS: usize = 32;

/// How many series are sealed when a writer closes, so that `stop` stays short; the rest is sealed by `gc`.
const SEALED_ON_CLOSE: usize = 64;

/// The step of a point that was given none, behind the greatest step of its series.
pub(super) fn step_behind(greatest: Option<f64>) -> f64 {
    // Those that are stored are finite.
    greatest.map_or(0.0, |greatest| Step::new(greatest).map_or(greatest, |greatest| greatest.next().get()))
}

/// Stores points; `false` when the variable has another type and nothing was stored.
pub(super) fn write(
    connection: &Connection,
    variable: Key,
    kind: VariableType,
    mut points: Points,
    stays: Stays,
) -> Result<bool> {
    let existing = variables::series_row(connection, variable)?;
    if existing.is_some_and(|row| row.kind != kind) {
        return Ok(false);
    }
    points.sort_and_dedup(stays);
    let (Some(first), Some(last)) = (points.steps.first().copied(), points.steps.last().copied()) else {
        return Ok(true);
    };
    let row =
        existing.unwrap_or(SeriesRow { kind, statistics: Statistics::default(), first_step: None, last_step: None });
    if row.last_step.is_some_and(|stored| first <= stored) {
        insert_between(connection, variable, points, stays)?;
        refresh(connection, variable, kind)?;
        return Ok(true);
    }
    let mut statistics = row.statistics;
    statistics.add(&Statistics::of(&points.values));
    let newest = points.last_point();
    append(connection, variable, points)?;
    let row = SeriesRow { kind, statistics, first_step: Some(row.first_step.unwrap_or(first)), last_step: Some(last) };
    put_row(connection, variable, &row, &newest)?;
    Ok(true)
}

/// Writes the row of a series from what its chunks say. One that has no points left stays, and keeps its type.
pub(super) fn refresh(connection: &Connection, variable: Key, kind: VariableType) -> Result<()> {
    let (statistics, first_step, last_step) = rows::sum(connection, variable)?;
    let row = SeriesRow { kind, statistics, first_step, last_step };
    match rows::list(connection, variable, "ORDER BY first_step DESC LIMIT 1", [])?.first() {
        Some(last) => {
            let newest = rows::points(connection, kind.content, last.id)?.last_point();
            put_row(connection, variable, &row, &newest)
        }
        None => variables::put_series(connection, variable, &row, None),
    }
}

/// Writes the row of a series whose last point is the last of `newest`.
fn put_row(connection: &Connection, variable: Key, row: &SeriesRow, newest: &Points) -> Result<()> {
    let value = match &newest.values {
        Values::Float(values) => values.last().map(|value| LastValue::Float(*value)),
        Values::Text(values) => values.last().map(|value| LastValue::Text(value)),
    };
    if let (Some(step), Some(time_us), Some(value)) =
        (newest.steps.last().copied(), newest.times.last().copied(), value)
    {
        variables::put_series(connection, variable, row, Some(&LastPoint { step, time_us, value }))?;
    }
    Ok(())
}

/// Appends points that lie behind every stored one.
fn append(connection: &Connection, variable: Key, points: Points) -> Result<()> {
    let (tail, waiting) = plain_tail(connection, variable)?;
    let enough = waiting + points.len() >= SEALED_POINTS;
    if !enough && tail.len() < PLAIN_CHUNKS {
        return rows::insert(connection, variable, &Chunk::plain(&points));
    }
    let mut all = rows::take(connection, points.content(), tail)?;
    all.extend(points);
    rows::insert_in_pieces(connection, variable, all)
}

/// Merges points into the chunks whose steps they meet.
pub(super) fn insert_between(connection: &Connection, variable: Key, points: Points, stays: Stays) -> Result<()> {
    let (Some(first), Some(last)) = (points.steps.first().copied(), points.steps.last().copied()) else {
        return Ok(());
    };
    let met = rows::meeting(connection, variable, first, last)?;
    let older = rows::take(connection, points.content(), met.into_iter().map(|stored| stored.id).collect())?;
    rows::insert_in_pieces(connection, variable, Points::merge(older, points, stays))
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
        let plain = rows::list(connection, variable, "AND sealed = 0 ORDER BY first_step", [])?;
        // Plain chunks with sealed ones between them are left by points that came late; each run is sealed by itself.
        for stored in plain_runs(connection, variable, plain)? {
            let points = rows::take(connection, kind.content, stored)?;
            for chunk in Chunk::seal(points) {
                rows::insert(connection, variable, &chunk?)?;
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
