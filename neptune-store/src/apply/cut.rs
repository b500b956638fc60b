//! What is cut off at any row that it writes, by a full disk or by a death, changes nothing, and gives the same rows when it is
//! tried again.

use neptune_format::{
    AtomValue, Content, Document as _, Entry, ExperimentId, File, LoggedImage, ObjectId, Position, Record, RevisionId,
    Timestamp, WriterId,
};
use rusqlite::{Connection, types::Value};

use super::{Piece, WriterKey};
use crate::{error::Result, store::Store};

/// Every row of every table, as text.
fn dump(connection: &Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables(connection) {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| (0..columns).map(|at| row.get::<_, Value>(at)).collect());
        let mut found: Vec<String> =
            found.unwrap().map(|row: rusqlite::Result<Vec<Value>>| format!("{table} {:?}", row.unwrap())).collect();
        found.sort();
        rows.extend(found);
    }
    rows
}

fn tables(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// Has every change of a row burn a fuse, and fail where there is none left.
fn put_fuse(connection: &Connection) {
    connection.execute_batch("CREATE TEMP TABLE fuse (rows); INSERT INTO fuse VALUES (1e9);").unwrap();
    for table in tables(connection) {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let burn = format!(
                "CREATE TEMP TRIGGER burn_{table}_{change} BEFORE {change} ON main.{table} BEGIN
                     UPDATE fuse SET rows = rows - 1;
                     SELECT RAISE(ABORT, 'cut') FROM fuse WHERE rows < 0;
                 END;"
            );
            connection.execute_batch(&burn).unwrap();
        }
    }
}

fn set_fuse(store: &Store, rows: u32) {
    store.connection.execute("UPDATE fuse SET rows = $1", [rows]).unwrap();
}

/// Does it, cut off at the first row it writes, at the second, and so on, until it comes to its end; returns how often.
fn cut_at_every_row<T>(store: &mut Store, mut work: impl FnMut(&mut Store) -> Result<T>) -> u32 {
    for rows in 0.. {
        let before = dump(&store.connection);
        set_fuse(store, rows);
        let done = work(store);
        set_fuse(store, 1_000_000_000);
        match done {
            Ok(_) => return rows,
            Err(error) => assert!(error.to_string().contains("cut"), "{error}"),
        }
        // Of a purge the revisions stay that were removed before; of everything else nothing does.
        let after = dump(&store.connection);
        let removed = |rows: &[String]| rows.iter().filter(|row| row.starts_with("chunk")).count();
        assert!(after == before || removed(&after) < removed(&before), "it was cut at row {rows} and is not as it was");
    }
    unreachable!("it comes to its end")
}

fn record(record: Record) -> Entry<'static> {
    Entry::Record(Box::new(record))
}

const fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn opened(at: i64) -> Entry<'static> {
    let project = "tests/cut".parse().unwrap();
    record(Record::Opened { project, time: time(at), host: "h".into(), pid: 1, owner: "o".into() })
}

fn define(series: u32, path: &str, content: Content) -> Entry<'static> {
    record(Record::Define { series, path: path.parse().unwrap(), content })
}

fn image(object: u8) -> String {
    LoggedImage {
        object: Some(ObjectId::from_bytes([object; 32])),
        size: 4,
        format: "pixels".into(),
        width: 2,
        height: 2,
        name: None,
        description: None,
    }
    .to_text()
}

/// One step: the entries of a journal, or what is done to the store itself.
enum Step {
    Apply(WriterKey, Vec<Entry<'static>>),
    Purge,
    Seal,
    Delete(ExperimentId),
}

/// Everything that time travel does, by two writers of an experiment and by one that goes on from it.
fn story(images: &'static [String]) -> Vec<Step> {
    let (parent, child) = (ExperimentId::from_bytes([1; 16]), ExperimentId::from_bytes([2; 16]));
    let key = |experiment, writer| WriterKey { experiment, writer: WriterId::from_bytes([writer; 16]) };
    let (first, second, forked) = (key(parent, 1), key(parent, 2), key(child, 3));
    let revision = |number| RevisionId::from_bytes([number; 16]);
    let points = |series, steps: std::ops::Range<u32>, at: i64| {
        steps.map(move |step| Entry::Float {
            series,
            time: time(at + i64::from(step)),
            step: Some(step.into()),
            value: 0.5,
        })
    };
    let rewind = |number, to: f64, at| {
        let (first, last) = (to.next_up(), f64::INFINITY);
        record(Record::DeletePoints { revision: revision(number), path: None, first, last, time: time(at) })
    };
    let undo = |number| record(Record::Undo { revision: revision(number), time: time(9_000) });
    let rename = |number, from: &str, to: &str| {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        record(Record::Rename { revision: revision(number), from, to, time: time(6_000) })
    };
    let shots = (0_u8..).zip(images).map(|(step, text)| Entry::Text {
        series: 1,
        time: time(1_000 + i64::from(step)),
        step: Some(step.into()),
        text,
    });
    let file = AtomValue::File(File { object: ObjectId::from_bytes([9; 32]), size: 3 });
    let mut begun = vec![opened(0), define(0, "loss", Content::Float), define(1, "shots", Content::Image)];
    begun.extend(points(0, 0..60, 1_000));
    begun.extend(shots);
    begun.push(record(Record::Assign { path: "artifacts/a".parse().unwrap(), value: file }));
    let mut with = vec![opened(5), define(0, "loss", Content::Float)];
    with.extend(points(0, 30..40, 1_100));
    let fork = record(Record::Forked { parent, step: 45.0, time: time(2_000) });
    let mut forks = vec![opened(2_000), fork, define(7, "loss", Content::Float)];
    forks.extend(points(7, 46..50, 2_000));
    vec![
        Step::Apply(first, begun),
        Step::Apply(second, with),
        Step::Apply(forked, forks),
        Step::Apply(first, vec![rewind(1, 20.0, 3_000)]),
        // Drained late: some are covered, some are not.
        Step::Apply(second, points(0, 35..45, 1_200).chain(points(0, 50..55, 4_000)).collect()),
        Step::Apply(second, vec![rewind(2, 10.0, 5_000), rename(3, "loss", "train/loss")]),
        Step::Apply(first, points(0, 58..62, 7_000).collect()),
        Step::Apply(first, vec![undo(1), undo(3)]),
        Step::Seal,
        Step::Apply(second, vec![undo(2), rewind(4, 2.0, 8_000)]),
        Step::Purge,
        Step::Apply(first, vec![record(Record::Delete { path: "loss".parse().unwrap() })]),
        Step::Delete(parent),
        Step::Apply(forked, vec![rewind(5, 5.0, 9_500), undo(5)]),
    ]
}

fn do_step(store: &mut Store, step: &Step) -> Result<()> {
    match step {
        Step::Apply(key, entries) => {
            let start = store.position(key.writer)?;
            let end = Position { segment: start.segment, offset: start.offset + 8 };
            store.apply(*key, Piece { start, end, damaged: 0 }, entries.iter().cloned())?;
        }
        Step::Purge => {
            store.purge(false)?;
        }
        Step::Seal => {
            store.seal_all(|_, _| ())?;
        }
        Step::Delete(experiment) => {
            let key = store.experiment(*experiment)?;
            drop(store.delete_experiment(&key, time(9_400), || Ok::<_, crate::Error>(()))?);
        }
    }
    Ok(())
}

#[test]
fn a_change_that_is_cut_off_at_any_row_changes_nothing_and_comes_to_the_same_rows_later() {
    let images: &'static [String] = Box::leak((0..6).map(image).collect());
    let (mut whole, mut cut) = (Store::in_memory().unwrap(), Store::in_memory().unwrap());
    put_fuse(&cut.connection);
    let mut cuts = 0;
    for (number, step) in story(images).iter().enumerate() {
        do_step(&mut whole, step).unwrap();
        cuts += cut_at_every_row(&mut cut, |store| do_step(store, step));
        assert_eq!(dump(&cut.connection), dump(&whole.connection), "step {number}");
    }
    assert!(cuts > 150, "{cuts}");
}
