//! Rows of revisions: changes of an experiment that can be undone, and which points they cover.
//!
//! What is visible does not depend on which journal is drained first. Of several points at one step, of different writers,
//! the latest counts; and it is visible unless a deletion covers it. A deletion covers by the time of the point, so where
//! the latest point of a step is not covered, what lies at the step besides it does not matter, and where it is covered all
//! the others are as well.

use std::collections::HashSet;

use neptune_format::{RevisionId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use super::{aside, batch::Owner, interned::Interned, rows, variables::Key};
use crate::{chunk::Stays, error::Result};

/// Namespaces whose series are not on the steps of the experiment: windows of time, lines, readings. They are left alone
/// where all series are rewound or taken over.
const OWN_STEPS: [&str; 2] = ["monitoring/", "timing/"];

/// `revision.kind` of points that were deleted, and of a variable that was renamed.
pub(crate) const DELETED: i64 = 0;
pub(crate) const RENAMED: i64 = 1;

/// A deletion of points that is not undone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deletion {
    pub(super) id: i64,
    /// `None` of every series that is on the steps of the experiment.
    pub(super) path_id: Option<i64>,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) time_us: i64,
}

impl Deletion {
    /// Whether it is about the series at all.
    fn is_of(&self, series: &Series) -> bool {
        self.path_id.map_or(!series.has_own_steps, |path_id| path_id == series.path_id)
    }

    pub(super) fn covers(&self, step: f64, time_us: i64) -> bool {
        time_us <= self.time_us && self.first <= step && step <= self.last
    }
}

/// Whose steps a series is on.
struct Series {
    path_id: i64,
    has_own_steps: bool,
}

/// Those of `deletions` that are about the series at `path_id`.
pub(super) fn of_series(connection: &Connection, deletions: &[Deletion], path_id: i64) -> Result<Vec<Deletion>> {
    if deletions.is_empty() {
        return Ok(Vec::new());
    }
    let name: String =
        connection.prepare_cached("SELECT name FROM path WHERE id = $1")?.query_row([path_id], |row| row.get(0))?;
    let series = Series { path_id, has_own_steps: has_own_steps(&name) };
    Ok(deletions.iter().copied().filter(|deletion| deletion.is_of(&series)).collect())
}

/// Whether a series is not on the steps of its experiment: it is below `monitoring/` or `timing/`, and is left alone where all
/// series are rewound or taken over.
pub fn has_own_steps(path: &str) -> bool {
    OWN_STEPS.iter().any(|namespace| path.starts_with(namespace))
}

/// What the other writers of an experiment did while a writer was open: it bears on what that writer logged, however late
/// it comes.
#[derive(Debug)]
pub(super) struct Others {
    /// In the order in which they were applied.
    pub(super) deletions: Vec<Deletion>,
    renamed: Vec<(i64, i64)>,
    /// Which of two points at one step stays.
    pub(super) stays: Stays,
}

impl Others {
    pub(super) fn of(connection: &Connection, owner: Owner) -> Result<Self> {
        let Owner { experiment_id, writer_id, opened_us } = owner;
        let mut statement = connection.prepare_cached(
            "SELECT id, kind, path_id, to_path_id, first_step, last_step, time_us FROM revision
             WHERE experiment_id = $1 AND writer_id <> $2 AND time_us >= $3 AND undone = 0 ORDER BY id",
        )?;
        let mut rows = statement.query((experiment_id, writer_id, opened_us))?;
        let is_at_once = connection
            .prepare_cached(
                "SELECT 1 FROM writer WHERE experiment_id = $1 AND id <> $2 AND (closed_us IS NULL OR closed_us > $3)",
            )?
            .exists((experiment_id, writer_id, opened_us))?;
        let stays = if is_at_once { Stays::Latest } else { Stays::LastLogged };
        let mut others = Self { deletions: Vec::new(), renamed: Vec::new(), stays };
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? == RENAMED {
                others.renamed.push((row.get(2)?, row.get(3)?));
            } else {
                others.deletions.push(Deletion {
                    id: row.get(0)?,
                    path_id: row.get(2)?,
                    first: row.get(4)?,
                    last: row.get(5)?,
                    time_us: row.get(6)?,
                });
            }
        }
        Ok(others)
    }

    /// What a path of the writer stands for: it does not know of the renaming.
    pub(super) fn path_of(&self, path_id: i64) -> i64 {
        self.renamed.iter().fold(path_id, |path_id, &(from, to)| if from == path_id { to } else { path_id })
    }
}

/// A change, as its record has it.
pub(super) struct Change {
    pub(super) revision: RevisionId,
    pub(super) kind: i64,
    pub(super) path_id: Option<i64>,
    pub(super) to_path_id: Option<i64>,
    pub(super) steps: Option<(f64, f64)>,
    pub(super) time: Timestamp,
}

/// Writes the row of a change; returns its number in the table.
pub(super) fn insert(connection: &Connection, owner: Owner, change: &Change) -> Result<i64> {
    let (first, last) = change.steps.unzip();
    let id = connection
        .prepare_cached(
            "INSERT INTO revision (uuid, experiment_id, writer_id, number, kind, path_id, to_path_id, first_step, last_step,
                                   time_us)
             VALUES ($1, $2, $3, (SELECT COALESCE(MAX(number), 0) + 1 FROM revision WHERE experiment_id = $2),
                     $4, $5, $6, $7, $8, $9) RETURNING id",
        )?
        .query_row(
            rusqlite::params![
                change.revision.as_bytes(),
                owner.experiment_id,
                owner.writer_id,
                change.kind,
                change.path_id,
                change.to_path_id,
                first,
                last,
                change.time.as_micros(),
            ],
            |row| row.get(0),
        )?;
    fail::fail_point!("revision-recorded");
    Ok(id)
}

/// A revision that is to be undone.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) kind: i64,
    pub(super) path_id: Option<i64>,
    pub(super) to_path_id: Option<i64>,
    pub(super) undone: bool,
    pub(super) purged: bool,
}

pub(super) fn find(connection: &Connection, experiment_id: i64, revision: RevisionId) -> Result<Option<Found>> {
    let found = connection
        .prepare_cached(
            "SELECT id, kind, path_id, to_path_id, undone, purged FROM revision WHERE uuid = $1 AND experiment_id = $2",
        )?
        .query_row((revision.as_bytes(), experiment_id), |row| {
            Ok(Found {
                id: row.get(0)?,
                kind: row.get(1)?,
                path_id: row.get(2)?,
                to_path_id: row.get(3)?,
                undone: row.get(4)?,
                purged: row.get(5)?,
            })
        })
        .optional()?;
    Ok(found)
}

pub(super) fn mark_undone(connection: &Connection, id: i64) -> Result<()> {
    connection.prepare_cached("UPDATE revision SET undone = 1 WHERE id = $1")?.execute([id])?;
    Ok(())
}

/// The deletions of an experiment that are not undone and were applied after the one with number `id`.
pub(super) fn deletions_after(connection: &Connection, experiment_id: i64, id: i64) -> Result<Vec<Deletion>> {
    let deletions = connection
        .prepare_cached(
            "SELECT id, path_id, first_step, last_step, time_us FROM revision
             WHERE experiment_id = $1 AND id > $2 AND kind = 0 AND undone = 0 ORDER BY id",
        )?
        .query_map((experiment_id, id), |row| {
            Ok(Deletion {
                id: row.get(0)?,
                path_id: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
                time_us: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(deletions)
}

/// Up to which time a change of a writer is about points that are stored.
pub(super) struct Horizon {
    time_us: i64,
    /// The series to which another writer can have logged later.
    shared: HashSet<i64>,
}

impl Horizon {
    /// Of the points of a series. `None` when no other writer can have logged to it later: then the change is about all that
    /// is there, and no time has to be looked at.
    pub(super) fn of(&self, path_id: i64) -> Option<i64> {
        self.shared.contains(&path_id).then_some(self.time_us)
    }
}

/// Who closed before this writer was opened was before it, whatever the clocks say.
pub(super) fn horizon(connection: &Connection, owner: Owner, time: Timestamp) -> Result<Horizon> {
    let time_us = time.as_micros();
    let shared = connection
        .prepare_cached(
            "SELECT DISTINCT s.path_id FROM writer w JOIN writer_series s ON s.writer_id = w.id
             WHERE w.experiment_id = $1 AND w.id <> $2 AND (w.closed_us IS NULL OR w.closed_us > $3)
               AND s.path_id IS NOT NULL",
        )?
        .query_map((owner.experiment_id, owner.writer_id, time_us.max(owner.opened_us)), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Horizon { time_us, shared })
}

/// Removes what was deleted of a variable, which is deleted itself now.
pub(super) fn forget_aside(connection: &Connection, variable: Key) -> Result<()> {
    for id in deletions_of(connection, variable.experiment_id)? {
        rows::remove_all(connection, aside::key(id, variable.path_id))?;
    }
    Ok(())
}

/// Removes every chunk of an experiment that is deleted, those that lie aside too.
pub(crate) fn remove_chunks(connection: &Connection, experiment_id: i64) -> Result<()> {
    rows::remove_of(connection, experiment_id)?;
    deletions_of(connection, experiment_id)?.into_iter().try_for_each(|id| rows::remove_of(connection, -id))
}

fn deletions_of(connection: &Connection, experiment_id: i64) -> Result<Vec<i64>> {
    let ids = connection
        .prepare_cached("SELECT id FROM revision WHERE experiment_id = $1 AND kind = 0")?
        .query_map([experiment_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

/// Has a variable take another path, with everything it holds and held, for every writer. No variable may be there.
pub(super) fn move_variable(
    connection: &Connection,
    interned: &mut Interned,
    experiment_id: i64,
    from: i64,
    to: i64,
) -> Result<()> {
    for table in ["variable", "member", "object_use", "chunk"] {
        connection
            .prepare_cached(&format!("UPDATE {table} SET path_id = $1 WHERE experiment_id = $2 AND path_id = $3"))?
            .execute((to, experiment_id, from))?;
    }
    fail::fail_point!("variable-renamed");
    for id in deletions_of(connection, experiment_id)? {
        connection
            .prepare_cached("UPDATE chunk SET path_id = $1 WHERE experiment_id = $2 AND path_id = $3")?
            .execute((to, -id, from))?;
    }
    for of_experiment in [
        "UPDATE revision SET path_id = $1 WHERE experiment_id = $2 AND path_id = $3 AND kind = 0",
        "UPDATE writer_series SET path_id = $1
         WHERE writer_id IN (SELECT id FROM writer WHERE experiment_id = $2) AND path_id = $3",
    ] {
        connection.prepare_cached(of_experiment)?.execute((to, experiment_id, from))?;
    }
    connection.prepare_cached("UPDATE experiment SET renamed = renamed + 1 WHERE id = $1")?.execute([experiment_id])?;
    interned.forget_series();
    fail::fail_point!("writers-renamed");
    Ok(())
}
