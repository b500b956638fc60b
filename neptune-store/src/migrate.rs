//! Migrations: embedded, forward only, each run once, all under one write lock.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::error::{Error, ErrorKind, Result};

/// Every migration, in order; the number of a migration is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_experiments.sql"),
    include_str!("migrations/0002_objects.sql"),
    include_str!("migrations/0003_editing.sql"),
    include_str!("migrations/0004_deleted.sql"),
    include_str!("migrations/0005_revisions.sql"),
];

/// The version of the schema that this crate writes.
pub(crate) const VERSION: i64 = 5;

/// The version of the schema in the file; 0 for a new one.
pub(crate) fn version(connection: &Connection) -> Result<i64> {
    let known = connection
        .query_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'neptune_schema'", [], |_| Ok(()))
        .optional()?;
    if known.is_none() {
        return Ok(0);
    }
    let version: Option<i64> = connection.query_row("SELECT MAX(version) FROM neptune_schema", [], |row| row.get(0))?;
    Ok(version.unwrap_or(0))
}

/// Refuses a schema that a newer version of neptune made.
pub(crate) fn refuse_newer(version: i64) -> Result<()> {
    if version > VERSION {
        return Err(Error::new(
            ErrorKind::TooNew,
            format!(
                "the store has schema version {version} and this program knows up to {VERSION}; use a newer neptune"
            ),
        ));
    }
    Ok(())
}

/// What stands in for a migration where a store cannot be written: the tables and columns that it adds, empty.
const STAND_INS: [(i64, &str); 4] = [
    (2, "CREATE TEMP TABLE object_use (object, experiment_id, path_id);"),
    (3, "CREATE TEMP VIEW writer AS SELECT *, 0 AS edits FROM main.writer;"),
    (4, "CREATE TEMP TABLE deleted (uuid, deleted_us);"),
    (
        5,
        "CREATE TEMP VIEW experiment AS SELECT *, 0 AS renamed FROM main.experiment;
         CREATE TEMP VIEW chunk AS SELECT *, NULL AS copy_of FROM main.chunk;
         CREATE TEMP TABLE revision (id, uuid, experiment_id, writer_id, number, kind, path_id, to_path_id, first_step,
                                     last_step, time_us, undone, purged);",
    ),
];

/// Has a store that cannot be written look as if its schema were up to date, to this connection: what came later is empty.
pub(crate) fn stand_in(connection: &Connection, version: i64) -> Result<()> {
    if version < VERSION {
        // Where nothing can be written there may be no room for a temporary file either.
        connection.execute_batch("PRAGMA temp_store = MEMORY")?;
    }
    for (_, sql) in STAND_INS.iter().filter(|(number, _)| *number > version) {
        connection.execute_batch(sql)?;
    }
    Ok(())
}

/// Brings the schema up to date. Several processes may do this at once: one does the work, the others find it done.
pub(crate) fn migrate(connection: &mut Connection) -> Result<()> {
    let found = version(connection)?;
    refuse_newer(found)?;
    if found == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS neptune_schema (version BIGINT NOT NULL PRIMARY KEY)")?;
    let found = version(&transaction)?;
    refuse_newer(found)?;
    for (number, sql) in (1..=VERSION).zip(MIGRATIONS.iter().copied()) {
        if number > found {
            transaction.execute_batch(sql)?;
            transaction.execute("INSERT INTO neptune_schema (version) VALUES ($1)", [number])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store as it was made before migration `version + 1`.
    fn store_of(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for sql in MIGRATIONS.iter().take(version) {
            connection.execute_batch(sql).unwrap();
        }
        connection
    }

    /// The tables, each with its columns.
    fn columns(connection: &Connection, tables: &[String]) -> Vec<(String, Vec<String>)> {
        let columns = |table: &String| {
            let statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let mut names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            names.sort();
            names
        };
        tables.iter().map(|table| (table.clone(), columns(table))).collect()
    }

    #[test]
    fn a_store_of_every_version_before_looks_up_to_date_where_it_cannot_be_written() {
        let newest = store_of(MIGRATIONS.len());
        let mut statement = newest.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
        let tables: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        let wanted = columns(&newest, &tables);
        assert_eq!(usize::try_from(VERSION).unwrap(), MIGRATIONS.len());
        for version in 1..=MIGRATIONS.len() {
            let older = store_of(version);
            stand_in(&older, i64::try_from(version).unwrap()).unwrap();
            assert_eq!(columns(&older, &tables), wanted, "version {version}");
        }
    }
}
