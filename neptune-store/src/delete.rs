//! Deleting an experiment: every row of it goes in one transaction, which also remembers that it was deleted.
//!
//! Invariant: a deleted experiment never comes back. Whatever is applied for it later is refused.

use neptune_format::{ExperimentId, ObjectId, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use crate::{
    apply,
    error::{Error, ErrorKind, Result},
    read::ExperimentKey,
    store::Store,
};

/// What to run for the rows of an experiment `$1`, in an order that the references between tables allow. A test finds tables
/// that are missing here.
const ROWS: [&str; 8] = [
    "DELETE FROM object_use WHERE experiment_id = $1",
    "DELETE FROM member WHERE experiment_id = $1",
    "DELETE FROM variable WHERE experiment_id = $1",
    "DELETE FROM lost WHERE experiment_id = $1",
    "DELETE FROM revision WHERE experiment_id = $1",
    "DELETE FROM writer_series WHERE writer_id IN (SELECT id FROM writer WHERE experiment_id = $1)",
    "DELETE FROM writer WHERE experiment_id = $1",
    "DELETE FROM experiment WHERE id = $1",
];

impl Store {
    /// Removes every row of an experiment, and remembers that it was deleted: its identity is not used again, nor is its
    /// short id. Returns the objects that it needed; others may need them too.
    ///
    /// `check` is called when no other writer can come in between, and may refuse.
    ///
    /// # Errors
    /// What `check` returned; `NotFound` when it is deleted already; when the store cannot be written. Then nothing is
    /// changed.
    pub fn delete_experiment<E: From<Error>>(
        &mut self,
        experiment: &ExperimentKey,
        time: Timestamp,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Vec<ObjectId>, E> {
        // Numbers of rows may be given again.
        self.interned.forget();
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(Error::from)?;
        check()?;
        fail::fail_point!("delete-begun");
        let objects = remove(&transaction, experiment, time)?;
        fail::fail_point!("delete-removed");
        transaction.commit().map_err(Error::from)?;
        fail::fail_point!("delete-committed");
        Ok(objects)
    }

    /// Whether an experiment of this identity was deleted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_deleted(&self, experiment: ExperimentId) -> Result<bool> {
        is_deleted(&self.connection, experiment)
    }
}

fn remove(connection: &Connection, experiment: &ExperimentKey, time: Timestamp) -> Result<Vec<ObjectId>> {
    let objects = connection
        .prepare_cached("SELECT DISTINCT object FROM object_use WHERE experiment_id = $1")?
        .query_map([experiment.id], |row| row.get::<_, [u8; 32]>(0).map(ObjectId::from_bytes))?
        .collect::<rusqlite::Result<_>>()?;
    apply::remove_chunks(connection, experiment.id)?;
    let mut gone = 0;
    for statement in ROWS {
        gone = connection.execute(statement, [experiment.id])?;
    }
    if gone == 0 {
        return Err(Error::new(ErrorKind::NotFound, format!("{} was deleted already", experiment.short_id)));
    }
    connection.execute(
        "INSERT INTO deleted (uuid, deleted_us) VALUES ($1, $2)",
        (experiment.uuid.as_bytes(), time.as_micros()),
    )?;
    Ok(objects)
}

pub(crate) fn is_deleted(connection: &Connection, experiment: ExperimentId) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM deleted WHERE uuid = $1")?;
    Ok(statement.exists([experiment.as_bytes()])?)
}

/// Refuses to write to an experiment that was deleted.
pub(crate) fn refuse_deleted(connection: &Connection, experiment: ExperimentId) -> Result<()> {
    if is_deleted(connection, experiment)? {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the experiment {experiment} was deleted; its identity cannot be used again"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use neptune_format::{
        AtomValue, Content, Entry, File, LostReason, LostReport, ObjectId, Position, Record, RevisionId, WriterId,
    };

    use super::*;
    use crate::{Piece, WriterKey};

    /// Puts something into every table for an experiment.
    fn fill(store: &mut Store) -> WriterKey {
        let key = WriterKey { experiment: ExperimentId::new(), writer: WriterId::new() };
        let time = Timestamp::from_micros(1);
        let record = |record| Entry::Record(Box::new(record));
        let file = File { object: ObjectId::from_bytes([7; 32]), size: 3 };
        let end = Position { segment: 1, offset: 4096 };
        let entries = vec![
            record(Record::Opened {
                project: "ada/mnist".parse().unwrap(),
                time,
                host: "h".into(),
                pid: 1,
                owner: "o".into(),
            }),
            record(Record::Define { series: 0, path: "loss".parse().unwrap(), content: Content::Float }),
            Entry::Float { series: 0, time, step: Some(1.0), value: 0.5 },
            record(Record::DeletePoints {
                revision: RevisionId::new(),
                path: None,
                first: 0.5,
                last: 2.0,
                time: Timestamp::from_micros(2),
            }),
            Entry::Float { series: 0, time, step: Some(0.0), value: 0.5 },
            record(Record::AddMembers { path: "sys/tags".parse().unwrap(), members: vec!["t".into()] }),
            record(Record::Assign { path: "artifacts/a".parse().unwrap(), value: AtomValue::File(file) }),
        ];
        store.apply(key, Piece { start: Position::START, end, damaged: 0 }, entries).unwrap();
        let mut lost = LostReport::default();
        lost.add(LostReason::NotFinite, 1);
        store.record_losses(key.writer, &lost).unwrap();
        key
    }

    /// The tables with rows of an experiment or of a writer, each with how many.
    fn rows(store: &Store) -> Vec<(String, i64)> {
        let tables = "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
                      WHERE m.type = 'table' AND (c.name IN ('experiment_id', 'writer_id') OR m.name = 'experiment')";
        let mut statement = store.connection.prepare(tables).unwrap();
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        let count = |name: &String| {
            store.connection.query_row(&format!("SELECT COUNT(*) FROM {name}"), [], |row| row.get(0)).unwrap()
        };
        names.iter().map(|name| (name.clone(), count(name))).collect()
    }

    #[test]
    fn every_row_of_a_deleted_experiment_goes_and_none_of_another() {
        let mut store = Store::in_memory().unwrap();
        let kept = fill(&mut store);
        let before = rows(&store);
        assert!(before.iter().all(|(_, rows)| *rows > 0), "a table is not filled here: {before:?}");
        let deleted = fill(&mut store);
        let key = store.experiment(deleted.experiment).unwrap();
        let objects = store.delete_experiment(&key, Timestamp::from_micros(2), || Ok::<_, Error>(())).unwrap();
        assert_eq!(objects, [ObjectId::from_bytes([7; 32])]);
        assert_eq!(rows(&store), before);
        assert!(store.is_object_in_use(objects[0]).unwrap(), "the other experiment needs it too");
        assert!(store.is_deleted(deleted.experiment).unwrap() && !store.is_deleted(kept.experiment).unwrap());
        let again = store.delete_experiment(&key, Timestamp::from_micros(2), || Ok::<_, Error>(()));
        assert_eq!(again.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_deleted_experiment_takes_nothing_more_and_its_number_is_not_given_again() {
        let mut store = Store::in_memory().unwrap();
        let deleted = fill(&mut store);
        let key = store.experiment(deleted.experiment).unwrap();
        let refused: Result<_, Error> = store.delete_experiment(&key, Timestamp::from_micros(2), || {
            Err(Error::new(ErrorKind::Busy, "somebody logs to it"))
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Busy);
        assert!(!store.is_deleted(deleted.experiment).unwrap(), "what was refused changes nothing");
        store.delete_experiment(&key, Timestamp::from_micros(2), || Ok::<_, Error>(())).unwrap();
        let late = WriterKey { writer: WriterId::new(), ..deleted };
        let piece = Piece { start: Position::START, end: Position { segment: 1, offset: 4096 }, damaged: 0 };
        let error = store.apply(late, piece, []).unwrap_err();
        assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("was deleted"), "{error}");
        let next = fill(&mut store);
        assert_eq!(store.experiment(next.experiment).unwrap().short_id, "MNI-2");
    }
}
