//! Points that were deleted lie aside until gc: in chunks of their own, whose experiment is minus the number of the
//! revision. From there they can be brought back.
//!
//! A point lies aside of the first deletion, in the order of applying, that covers it and is not undone.

use neptune_format::VariableType;
use rusqlite::Connection;

use super::{
    points::{insert_between, refresh},
    revisions::{self, Deletion},
    rows,
    variables::{self, Key},
};
use crate::{
    chunk::{Chunk, Points, Stays},
    error::Result,
};

/// Where the points of a series lie that a revision deleted.
pub(super) const fn key(revision: i64, path_id: i64) -> Key {
    Key { experiment_id: -revision, path_id }
}

/// Sets the points of a series aside that a deletion covers; those that are later than `horizon` are not covered. Without
/// one whole chunks are moved without looking into them.
pub(super) fn set_aside(
    connection: &Connection,
    variable: Key,
    kind: VariableType,
    deletion: &Deletion,
    horizon: Option<i64>,
) -> Result<()> {
    let mut has_moved = false;
    for stored in rows::meeting(connection, variable, deletion.first, deletion.last)? {
        let is_whole = deletion.first <= stored.first_step && stored.last_step <= deletion.last;
        if is_whole && horizon.is_none() {
            rows::give_to(connection, stored.id, -deletion.id)?;
            has_moved = true;
            continue;
        }
        let points = rows::points(connection, kind.content, stored.id)?;
        let (covered, left) = points.partition(|step, time_us| {
            horizon.is_none_or(|horizon| time_us <= horizon) && deletion.first <= step && step <= deletion.last
        });
        if covered.is_empty() {
            continue;
        }
        has_moved = true;
        if left.is_empty() {
            rows::give_to(connection, stored.id, -deletion.id)?;
            continue;
        }
        rows::remove(connection, stored.id)?;
        rows::insert_in_pieces(connection, variable, left)?;
        fail::fail_point!("aside-cut");
        for chunk in Chunk::seal(covered) {
            rows::insert(connection, key(deletion.id, variable.path_id), &chunk?)?;
        }
    }
    if has_moved {
        refresh(connection, variable, kind)?;
    }
    fail::fail_point!("aside-moved");
    Ok(())
}

/// Stores points aside that were covered when they came; `false` when the variable has another type.
pub(super) fn add(
    connection: &Connection,
    variable: Key,
    kind: VariableType,
    revision: i64,
    mut points: Points,
) -> Result<bool> {
    match variables::kind(connection, variable.experiment_id, variable.path_id)? {
        Some(existing) if existing != kind => return Ok(false),
        Some(_) => {}
        // Without a point that is seen it is a variable all the same: of its type, for when they are brought back.
        None => refresh(connection, variable, kind)?,
    }
    points.sort_and_dedup(Stays::Latest);
    insert_between(connection, key(revision, variable.path_id), points, Stays::Latest)?;
    Ok(true)
}

/// Brings the points back that a revision deleted. Those that a later deletion covers as well go aside of that; where a
/// step was written again since, the later point stays.
pub(super) fn bring_back(connection: &Connection, experiment_id: i64, revision: i64) -> Result<()> {
    let later = revisions::deletions_after(connection, experiment_id, revision)?;
    let paths = connection
        .prepare_cached("SELECT DISTINCT path_id FROM chunk WHERE experiment_id = $1")?
        .query_map([-revision], |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for path_id in paths {
        let variable = Key { experiment_id, path_id };
        let Some(kind) = variables::kind(connection, experiment_id, path_id)? else { continue };
        let later = revisions::of_series(connection, &later, path_id)?;
        for stored in rows::list(connection, key(revision, path_id), "ORDER BY first_step", [])? {
            let is_met_by =
                |deletion: &Deletion| deletion.first <= stored.last_step && stored.first_step <= deletion.last;
            let is_free = rows::meeting(connection, variable, stored.first_step, stored.last_step)?.is_empty();
            if is_free && !later.iter().any(is_met_by) {
                rows::give_to(connection, stored.id, experiment_id)?;
                continue;
            }
            let mut points = rows::take(connection, kind.content, vec![stored.id])?;
            for deletion in &later {
                let (covered, left) = points.partition(|step, time_us| deletion.covers(step, time_us));
                insert_between(connection, key(deletion.id, path_id), covered, Stays::Latest)?;
                points = left;
            }
            insert_between(connection, variable, points, Stays::Latest)?;
        }
        refresh(connection, variable, kind)?;
        fail::fail_point!("aside-returned");
    }
    Ok(())
}
