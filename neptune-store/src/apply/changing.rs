//! Records that change what was logged before: deleting points, renaming, undoing either.
//!
//! A change that does not fit what is stored changes nothing and says so.

use neptune_format::{LostReason, RevisionId, Timestamp, VariablePath};
use rusqlite::Connection;

use super::{
    aside,
    batch::Owner,
    interned::Interned,
    revisions::{self, Change, DELETED, Deletion, RENAMED},
    variables::{self, Key},
};
use crate::error::Result;

/// The variables of the system: their names mean something to neptune itself.
const SYSTEM: &str = "sys/";

/// Sets points aside, of one series or of all that are on the steps of the experiment.
pub(super) fn delete_points(
    connection: &Connection,
    owner: Owner,
    revision: RevisionId,
    path_id: Option<i64>,
    steps: (f64, f64),
    time: Timestamp,
) -> Result<Option<LostReason>> {
    let (first, last) = steps;
    if first.is_nan() || last.is_nan() {
        return Ok(Some(LostReason::InvalidStep));
    }
    if revisions::find(connection, owner.experiment_id, revision)?.is_some() {
        return Ok(None);
    }
    let mut series = series_of(connection, owner.experiment_id, first)?;
    match path_id {
        Some(path_id) => {
            let kind = variables::kind(connection, owner.experiment_id, path_id)?;
            if kind.is_some_and(|kind| kind.container != neptune_format::Container::Series) {
                return Ok(Some(LostReason::TypeConflict));
            }
            series.retain(|(series, _)| *series == path_id);
        }
        None => series.retain(|(_, name)| !revisions::has_own_steps(name)),
    }
    let change = Change { revision, kind: DELETED, path_id, to_path_id: None, steps: Some((first, last)), time };
    let id = revisions::insert(connection, owner, &change)?;
    let horizon = revisions::horizon(connection, owner, time)?;
    let deletion = Deletion { id, path_id, first, last, time_us: time.as_micros() };
    for (path_id, _) in series {
        let variable = Key { experiment_id: owner.experiment_id, path_id };
        if let Some(kind) = variables::kind(connection, owner.experiment_id, path_id)? {
            aside::set_aside(connection, variable, kind, &deletion, horizon.of(path_id))?;
        }
    }
    Ok(None)
}

/// The series of an experiment that reach to a step, by number and name.
fn series_of(connection: &Connection, experiment_id: i64, step: f64) -> Result<Vec<(i64, String)>> {
    let series = connection
        .prepare_cached(
            "SELECT v.path_id, p.name FROM variable v JOIN path p ON p.id = v.path_id
             WHERE v.experiment_id = $1 AND v.last_step >= $2 ORDER BY v.path_id",
        )?
        .query_map((experiment_id, step), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(series)
}

/// Gives a variable another path, where there is none.
pub(super) fn rename(
    connection: &Connection,
    interned: &mut Interned,
    owner: Owner,
    revision: RevisionId,
    paths: [(&VariablePath, i64); 2],
    time: Timestamp,
) -> Result<Option<LostReason>> {
    let [(from, from_id), (to, to_id)] = paths;
    if [from, to].iter().any(|path| path.as_str().starts_with(SYSTEM)) {
        return Ok(Some(LostReason::InvalidPath));
    }
    if revisions::find(connection, owner.experiment_id, revision)?.is_some() {
        return Ok(None);
    }
    if !is_free_to_move(connection, owner.experiment_id, from_id, to_id)? {
        return Ok(Some(LostReason::Conflict));
    }
    let change = Change { revision, kind: RENAMED, path_id: Some(from_id), to_path_id: Some(to_id), steps: None, time };
    revisions::insert(connection, owner, &change)?;
    revisions::move_variable(connection, interned, owner.experiment_id, from_id, to_id)?;
    Ok(None)
}

/// Whether there is a variable at the one path and none at the other.
fn is_free_to_move(connection: &Connection, experiment_id: i64, from: i64, to: i64) -> Result<bool> {
    let is_there = |path_id| Ok::<_, crate::Error>(variables::kind(connection, experiment_id, path_id)?.is_some());
    Ok(is_there(from)? && !is_there(to)?)
}

/// Undoes a change. Undoing it twice changes nothing.
pub(super) fn undo(
    connection: &Connection,
    interned: &mut Interned,
    owner: Owner,
    revision: RevisionId,
) -> Result<Option<LostReason>> {
    let Some(found) = revisions::find(connection, owner.experiment_id, revision)? else {
        return Ok(Some(LostReason::Conflict));
    };
    if found.undone {
        return Ok(None);
    }
    match (found.kind, found.path_id, found.to_path_id) {
        (DELETED, ..) if found.purged => return Ok(Some(LostReason::Conflict)),
        (DELETED, ..) => {
            revisions::mark_undone(connection, found.id)?;
            aside::bring_back(connection, owner.experiment_id, found.id)?;
        }
        (RENAMED, Some(from), Some(to)) if is_free_to_move(connection, owner.experiment_id, to, from)? => {
            revisions::mark_undone(connection, found.id)?;
            revisions::move_variable(connection, interned, owner.experiment_id, to, from)?;
        }
        _ => return Ok(Some(LostReason::Conflict)),
    }
    Ok(None)
}
