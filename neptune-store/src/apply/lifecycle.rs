//! The life of projects, experiments and writers.
//!
//! An experiment runs while one of its writers is open. When the last one closes, the worst outcome of the writers since
//! it last began to run decides how it ended: so a resumed experiment forgets an earlier death, and one failed rank of
//! many is enough to fail.

use neptune_format::{
    AtomValue, ExperimentId, LostReason, Outcome, Position, ProjectName, Timestamp, VariablePath, WriterId,
};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Interned, WriterKey, batch::Owner, variables};
use crate::error::{Error, ErrorKind, Result};

/// Who counted a loss. Kept apart so that each can be written again without adding up.
#[derive(Debug, Clone, Copy)]
pub(super) enum LossSource {
    Writer = 0,
    Store = 1,
    Damage = 2,
}

/// What the first record of a writer says.
pub(super) struct Opening<'a> {
    pub(super) project: &'a ProjectName,
    pub(super) time: Timestamp,
    pub(super) host: &'a str,
    pub(super) pid: u32,
    pub(super) owner: &'a str,
    /// Whether the writer only edits: then the experiment does not begin to run.
    pub(super) edits: bool,
}

/// The rows of a writer that is known already.
pub(super) fn owner(connection: &Connection, key: WriterKey) -> Result<Option<Owner>> {
    let found = connection
        .prepare_cached("SELECT id, experiment_id, opened_us FROM writer WHERE uuid = $1")?
        .query_row([key.writer.as_bytes()], |row| {
            Ok(Owner { writer_id: row.get(0)?, experiment_id: row.get(1)?, opened_us: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}

/// Opens a writer; makes its project and its experiment when they are new.
pub(super) fn open(
    connection: &Connection,
    interned: &mut Interned,
    key: WriterKey,
    opening: &Opening<'_>,
) -> Result<Owner> {
    if let Some(owner) = owner(connection, key)? {
        return Ok(owner);
    }
    let experiment_id = match experiment(connection, key.experiment)? {
        Some(id) => id,
        None => create_experiment(connection, interned, key.experiment, opening)?,
    };
    if !opening.edits && open_writers(connection, experiment_id)? == 0 {
        connection.execute("UPDATE experiment SET outcome = 0 WHERE id = $1", [experiment_id])?;
        let mut system = System { connection, interned: &mut *interned, experiment_id };
        system.put("state", "running")?;
        system.put("failed", false)?;
        system.delete("failure")?;
        system.delete("completion_time")?;
    }
    let writer_id = connection.query_row(
        "INSERT INTO writer (uuid, experiment_id, segment, position, opened_us, host, pid, edits)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        rusqlite::params![
            key.writer.as_bytes(),
            experiment_id,
            Position::START.segment.cast_signed(),
            Position::START.offset.cast_signed(),
            opening.time.as_micros(),
            opening.host,
            opening.pid,
            opening.edits,
        ],
        |row| row.get(0),
    )?;
    Ok(Owner { experiment_id, writer_id, opened_us: opening.time.as_micros() })
}

/// Closes a writer, and the experiment with its last one. Does nothing when it is closed or unknown.
pub(super) fn close(
    connection: &Connection,
    interned: &mut Interned,
    writer: WriterId,
    time: Timestamp,
    outcome: Outcome,
    reason: Option<&str>,
) -> Result<()> {
    let closed: Option<(i64, bool)> = connection
        .query_row(
            "UPDATE writer SET closed_us = $1 WHERE uuid = $2 AND closed_us IS NULL RETURNING experiment_id, edits",
            (time.as_micros(), writer.as_bytes()),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((experiment_id, false)) = closed else {
        return Ok(());
    };
    let rank = match outcome {
        Outcome::Succeeded => 0,
        Outcome::Aborted => 1,
        _ => 2,
    };
    let worst: i64 = connection.query_row(
        "UPDATE experiment SET outcome = MAX(outcome, $1) WHERE id = $2 RETURNING outcome",
        (rank, experiment_id),
        |row| row.get(0),
    )?;
    let still_open = open_writers(connection, experiment_id)?;
    let mut system = System { connection, interned, experiment_id };
    if let Some(reason) = reason {
        system.put("failure", reason)?;
    }
    if still_open == 0 {
        system.put("state", ["succeeded", "aborted", "failed"][usize::try_from(worst.clamp(0, 2)).unwrap_or(2)])?;
        system.put("failed", worst == 2)?;
        system.put("completion_time", time)?;
    }
    Ok(())
}

/// Remembers that a thread of the writer panicked.
pub(super) fn panicked(connection: &Connection, owner: Owner, message: &str) -> Result<()> {
    connection.execute("UPDATE writer SET panic = $1 WHERE id = $2", (message, owner.writer_id))?;
    Ok(())
}

/// Adds to a count of lost records.
pub(super) fn add_loss(
    connection: &Connection,
    owner: Owner,
    source: LossSource,
    reason: LostReason,
    count: u64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO lost (experiment_id, writer_id, source, reason, count) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (experiment_id, writer_id, source, reason) DO UPDATE SET count = count + excluded.count",
        )?
        .execute((owner.experiment_id, owner.writer_id, source as i64, reason.name(), count.cast_signed()))?;
    Ok(())
}

/// Sets a count of the writer itself, which is a total.
pub(super) fn set_loss(connection: &Connection, writer: WriterId, reason: LostReason, count: u64) -> Result<()> {
    let source = LossSource::Writer;
    connection
        .prepare_cached(
            "INSERT INTO lost (experiment_id, writer_id, source, reason, count)
             SELECT experiment_id, id, $1, $2, $3 FROM writer WHERE uuid = $4
             ON CONFLICT (experiment_id, writer_id, source, reason) DO UPDATE SET count = MAX(count, excluded.count)",
        )?
        .execute((source as i64, reason.name(), count.cast_signed(), writer.as_bytes()))?;
    Ok(())
}

/// Remembers which experiment this one goes on from, and from where.
pub(super) fn forked(
    connection: &Connection,
    interned: &mut Interned,
    experiment_id: i64,
    parent_id: i64,
    step: f64,
) -> Result<()> {
    let short_id: String = connection.query_row(
        "SELECT p.short_key || '-' || e.number FROM experiment e JOIN project p ON p.id = e.project_id WHERE e.id = $1",
        [parent_id],
        |row| row.get(0),
    )?;
    let mut system = System { connection, interned, experiment_id };
    system.put("forked_from", short_id)?;
    system.put("fork_step", step)
}

fn open_writers(connection: &Connection, experiment_id: i64) -> Result<i64> {
    let open = connection
        .prepare_cached("SELECT COUNT(*) FROM writer WHERE experiment_id = $1 AND closed_us IS NULL AND edits = 0")?
        .query_row([experiment_id], |row| row.get(0))?;
    Ok(open)
}

/// The row of an experiment.
pub(super) fn experiment(connection: &Connection, experiment: ExperimentId) -> Result<Option<i64>> {
    let found = connection
        .query_row("SELECT id FROM experiment WHERE uuid = $1", [experiment.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(found)
}

fn create_experiment(
    connection: &Connection,
    interned: &mut Interned,
    experiment: ExperimentId,
    opening: &Opening<'_>,
) -> Result<i64> {
    let project_id = project(connection, opening.project)?;
    let experiment_id = connection.query_row(
        "INSERT INTO experiment (uuid, project_id, number, outcome)
         SELECT $1, id, next_number, 0 FROM project WHERE id = $2 RETURNING id",
        (experiment.as_bytes(), project_id),
        |row| row.get(0),
    )?;
    connection.execute("UPDATE project SET next_number = next_number + 1 WHERE id = $1", [project_id])?;
    let mut system = System { connection, interned, experiment_id };
    system.put("creation_time", opening.time)?;
    system.put("owner", opening.owner)?;
    system.put("hostname", opening.host)?;
    Ok(experiment_id)
}

fn project(connection: &Connection, name: &ProjectName) -> Result<i64> {
    let found =
        connection.query_row("SELECT id FROM project WHERE name = $1", [name.as_str()], |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    let key = free_key(connection, name)?;
    let id = connection.query_row(
        "INSERT INTO project (name, short_key, next_number) VALUES ($1, $2, 1) RETURNING id",
        (name.as_str(), key),
        |row| row.get(0),
    )?;
    Ok(id)
}

/// A short key for a project: the first letters of its name, numbered when another project has them already.
fn free_key(connection: &Connection, name: &ProjectName) -> Result<String> {
    const LETTERS: usize = 3;
    let mut stem: String =
        name.name().chars().filter(char::is_ascii_alphanumeric).take(LETTERS).collect::<String>().to_uppercase();
    if !stem.starts_with(|first: char| first.is_ascii_uppercase()) {
        stem.insert(0, 'P');
    }
    let mut taken = connection.prepare("SELECT 1 FROM project WHERE short_key = $1")?;
    for number in 1_u32.. {
        let key = if number == 1 { stem.clone() } else { format!("{stem}{number}") };
        if !taken.exists([&key])? {
            return Ok(key);
        }
    }
    Err(Error::new(ErrorKind::Invalid, format!("no free key for project {name}")))
}

/// Writes the `sys/` variables of an experiment.
struct System<'a> {
    connection: &'a Connection,
    interned: &'a mut Interned,
    experiment_id: i64,
}

impl System<'_> {
    fn variable(&mut self, name: &str) -> Result<variables::Key> {
        let path = VariablePath::within("sys", name).expect("the names of system variables are valid");
        let path_id = self.interned.path(self.connection, &path)?;
        Ok(variables::Key { experiment_id: self.experiment_id, path_id })
    }

    fn put(&mut self, name: &str, value: impl Into<AtomValue>) -> Result<()> {
        let variable = self.variable(name)?;
        variables::put_atom(self.connection, variable, &value.into())
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        let variable = self.variable(name)?;
        variables::delete(self.connection, variable)
    }
}
