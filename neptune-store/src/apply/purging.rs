//! Removing for good what was deleted.

use std::collections::HashSet;

use neptune_format::{Content, Document as _, LoggedImage, ObjectId};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    rows,
    variables::{self, Key},
};
use crate::{chunk::Values, error::Result, store::Store};

/// What lies aside because it was deleted, and was removed or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Purged {
    /// Deletions that cannot be undone any more.
    pub revisions: u64,
    /// Points of those.
    pub points: u64,
    /// Bytes of those in the store; bytes that another experiment shares stay.
    pub bytes: u64,
}

impl Store {
    /// Removes the points that were deleted, of every experiment, for good; with `dry_run` it only counts them. Each
    /// revision is a transaction of its own, so writers get their turns.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn purge(&mut self, dry_run: bool) -> Result<Purged> {
        // What lies aside has minus the number of its revision for an experiment.
        let aside = self
            .connection
            .prepare(
                "SELECT -experiment_id, SUM(count), SUM(length(data) + COALESCE(length(blocks), 0)) FROM chunk
                 WHERE experiment_id < 0 GROUP BY experiment_id ORDER BY experiment_id",
            )?
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut purged = Purged::default();
        for (revision, points, bytes) in aside {
            if !dry_run {
                let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let is_there = purge(&transaction, revision)?;
                fail::fail_point!("purge-removed");
                transaction.commit()?;
                if !is_there {
                    continue;
                }
            }
            purged.revisions += 1;
            purged.points += points.cast_unsigned();
            purged.bytes += bytes.cast_unsigned();
        }
        Ok(purged)
    }
}

/// Removes what lies aside of a revision; `false` when nothing does any more: it was undone meanwhile, or its experiment deleted.
fn purge(connection: &Connection, revision: i64) -> Result<bool> {
    let paths = connection
        .prepare_cached("SELECT DISTINCT path_id FROM chunk WHERE experiment_id = $1")?
        .query_map([-revision], |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if paths.is_empty() {
        return Ok(false);
    }
    let experiment_id: i64 = connection
        .prepare_cached("UPDATE revision SET purged = 1 WHERE id = $1 RETURNING experiment_id")?
        .query_row([revision], |row| row.get(0))?;
    for path_id in paths {
        rows::remove_all(connection, Key { experiment_id: -revision, path_id })?;
        let variable = Key { experiment_id, path_id };
        if variables::kind(connection, experiment_id, path_id)?.is_some_and(|kind| kind.content == Content::Image) {
            forget_objects(connection, variable)?;
        }
    }
    Ok(true)
}

/// Forgets the objects that none of the images of a series needs any more, neither those that are seen nor those aside.
fn forget_objects(connection: &Connection, variable: Key) -> Result<()> {
    let mut places = vec![variable.experiment_id];
    let mut statement = connection.prepare_cached("SELECT -id FROM revision WHERE experiment_id = $1 AND kind = 0")?;
    for aside in statement.query_map([variable.experiment_id], |row| row.get(0))? {
        places.push(aside?);
    }
    let mut needed: HashSet<ObjectId> = HashSet::new();
    for experiment_id in places {
        for stored in rows::list(connection, Key { experiment_id, ..variable }, "", [])? {
            if let Values::Text(texts) = rows::points(connection, Content::Image, stored.id)?.values {
                needed.extend(texts.iter().filter_map(|text| LoggedImage::from_text(text)?.object));
            }
        }
    }
    let used = connection
        .prepare_cached("SELECT object FROM object_use WHERE experiment_id = $1 AND path_id = $2")?
        .query_map((variable.experiment_id, variable.path_id), |row| row.get::<_, [u8; 32]>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut forget = connection
        .prepare_cached("DELETE FROM object_use WHERE object = $1 AND experiment_id = $2 AND path_id = $3")?;
    for object in used.into_iter().map(ObjectId::from_bytes).filter(|object| !needed.contains(object)) {
        forget.execute((object.as_bytes(), variable.experiment_id, variable.path_id))?;
    }
    Ok(())
}
