//! Machines whose clocks do not agree take turns at one experiment.

use std::time::Duration;

use neptune_core::store::{Store, StoreOptions, Values};
use neptune_format::{Content, Entry, ExperimentId, Outcome, Position, Record, RevisionId, Timestamp, WriterId};
use neptune_store::{Piece, WriterKey};
use neptune_tests::Folder;

const HOUR: i64 = 3_600_000_000;

fn record(record: Record) -> Entry<'static> {
    Entry::Record(Box::new(record))
}

/// An experiment that a machine logged to whose clock is an hour ahead: the steps 0 to 9, then a rewind to step 5 and the
/// steps 6 and 7 again. Returns its id.
fn logged_ahead(folder: &Folder) -> String {
    drop(folder.session());
    let mut store = Store::open(folder.path(), StoreOptions::default()).unwrap();
    let key = WriterKey { experiment: ExperimentId::new(), writer: WriterId::new() };
    let ahead = key.writer.created().as_micros() + HOUR;
    let time = Timestamp::from_micros;
    let point = |step: u32, at: i64, value: f64| Entry::Float {
        series: 0,
        time: time(ahead + at),
        step: Some(step.into()),
        value,
    };
    let mut entries = vec![
        record(Record::Opened {
            project: "tests/e2e".parse().unwrap(),
            time: time(ahead),
            host: "ahead".into(),
            pid: 1,
            owner: "o".into(),
        }),
        record(Record::Define { series: 0, path: "logs/loss".parse().unwrap(), content: Content::Float }),
    ];
    entries.extend((0..10).map(|step| point(step, 10 + i64::from(step), step.into())));
    entries.push(record(Record::DeletePoints {
        revision: RevisionId::new(),
        path: None,
        first: 5_f64.next_up(),
        last: f64::INFINITY,
        time: time(ahead + 1_000),
    }));
    entries.extend([point(6, 2_000, 60.0), point(7, 2_001, 70.0)]);
    entries.push(record(Record::Closed { time: time(ahead + 3_000), outcome: Outcome::Failed, reason: None }));
    let end = Position { segment: 1, offset: 4096 };
    store.apply(key, Piece { start: Position::START, end, damaged: 0 }, entries).unwrap();
    key.experiment.to_string()
}

#[test]
fn what_is_logged_behind_a_rewind_of_a_clock_that_was_ahead_is_seen() {
    let folder = Folder::new();
    let id = logged_ahead(&folder);
    let experiment = folder.session().attach(&id).without_hardware().start().unwrap();
    // Step 7 once more: who comes later counts, whatever its clock shows.
    experiment.log_metric_at("loss", 7, -7.0);
    experiment.log_metric_at("loss", 8, -8.0);
    experiment.flush(Duration::from_secs(20)).unwrap();
    let wanted = vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 60.0, -7.0, -8.0];
    assert_eq!(folder.series("logs/loss").values, Values::Float(wanted));
    assert_eq!(experiment.revisions().unwrap()[0].points, 4, "what it deleted, and nothing that came later");
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn what_a_clock_that_was_ahead_logged_is_rewound() {
    let folder = Folder::new();
    let id = logged_ahead(&folder);
    let experiment = folder.session().attach(&id).without_hardware().start().unwrap();
    experiment.rewind(3).unwrap();
    experiment.log_metric_at("loss", 4, -4.0);
    assert!(experiment.stop().unwrap().is_empty());
    assert_eq!(folder.series("logs/loss").values, Values::Float(vec![0.0, 1.0, 2.0, 3.0, -4.0]));
}
