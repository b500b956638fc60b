//! An experiment that begins with the series of another: rows of its own, and the bytes of the other.
//!
//! What later becomes of the parent does not change it: bytes whose first owner goes are handed on (see `rows`).

use neptune_format::{Content, ExperimentId, LostReason, VariableType};
use rusqlite::Connection;

use super::{interned::Interned, lifecycle, points, revisions, rows, variables::Key};
use crate::error::{Error, Result};

/// A series of the parent.
struct Series {
    path_id: i64,
    kind: VariableType,
    last_step: f64,
}

/// Takes over the points of the series of `parent` up to `step`. A series that the experiment has already is left alone.
/// Says why when it does nothing.
pub(super) fn fork(
    connection: &Connection,
    interned: &mut Interned,
    experiment_id: i64,
    parent: ExperimentId,
    step: f64,
) -> Result<Option<LostReason>> {
    if step.is_nan() {
        return Ok(Some(LostReason::InvalidStep));
    }
    let Some(parent_id) = lifecycle::experiment(connection, parent)?.filter(|parent_id| *parent_id != experiment_id)
    else {
        return Ok(Some(LostReason::Conflict));
    };
    for series in series_of(connection, parent_id, experiment_id, step)? {
        let from = Key { experiment_id: parent_id, path_id: series.path_id };
        let to = Key { experiment_id, path_id: series.path_id };
        take_over(connection, from, to, &series, step)?;
    }
    fail::fail_point!("fork-copied");
    lifecycle::forked(connection, interned, experiment_id, parent_id, step)?;
    Ok(None)
}

/// The series of the parent that have points up to `step` and that the experiment lacks.
fn series_of(connection: &Connection, parent_id: i64, experiment_id: i64, step: f64) -> Result<Vec<Series>> {
    let mut statement = connection.prepare_cached(
        "SELECT v.path_id, v.type, v.last_step, p.name FROM variable v JOIN path p ON p.id = v.path_id
         WHERE v.experiment_id = $1 AND v.first_step <= $2
           AND NOT EXISTS (SELECT 1 FROM variable o WHERE o.experiment_id = $3 AND o.path_id = v.path_id)
         ORDER BY v.path_id",
    )?;
    let mut rows = statement.query((parent_id, step, experiment_id))?;
    let mut series = Vec::new();
    while let Some(row) = rows.next()? {
        if revisions::has_own_steps(&row.get::<_, String>(3)?) {
            continue;
        }
        let code: u8 = row.get(1)?;
        let kind = VariableType::from_code(code)
            .ok_or_else(|| Error::corrupt(format!("a variable has the unknown type {code:#04x}")))?;
        series.push(Series { path_id: row.get(0)?, kind, last_step: row.get(2)? });
    }
    Ok(series)
}

fn take_over(connection: &Connection, from: Key, to: Key, series: &Series, step: f64) -> Result<()> {
    rows::copy(connection, from, to, step)?;
    if series.last_step <= step {
        connection
            .prepare_cached(
                "INSERT INTO variable (experiment_id, path_id, type, number, integer, text, count, nonfinite, minimum, maximum,
                                       total, first_step, last_step, last_us)
                 SELECT $1, path_id, type, number, integer, text, count, nonfinite, minimum, maximum, total, first_step,
                        last_step, last_us
                 FROM variable WHERE experiment_id = $2 AND path_id = $3",
            )?
            .execute((to.experiment_id, from.experiment_id, to.path_id))?;
    } else {
        // Chunks do not overlap: at most one reaches over the step.
        for stored in rows::meeting(connection, from, step, step)? {
            if stored.last_step > step {
                let mut cut = rows::points(connection, series.kind.content, stored.id)?;
                cut.keep_steps(f64::NEG_INFINITY, step);
                rows::insert_in_pieces(connection, to, cut)?;
            }
        }
        points::refresh(connection, to, series.kind)?;
    }
    if series.kind.content == Content::Image {
        connection
            .prepare_cached(
                "INSERT INTO object_use (object, experiment_id, path_id)
                 SELECT object, $1, path_id FROM object_use WHERE experiment_id = $2 AND path_id = $3
                 ON CONFLICT DO NOTHING",
            )?
            .execute((to.experiment_id, from.experiment_id, to.path_id))?;
    }
    Ok(())
}
