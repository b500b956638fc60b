//! Clocks that do not agree: who closed before a writer was opened was before it, whatever it took for the time.

use neptune_format::{Outcome, Record, RevisionId, Timestamp};

use crate::journals::{ALL, Journals};

fn rewound(number: u8, to: f64, time: i64) -> Record {
    let revision = RevisionId::from_bytes([number; 16]);
    Record::DeletePoints {
        revision,
        path: None,
        first: to.next_up(),
        last: f64::INFINITY,
        time: Timestamp::from_micros(time),
    }
}

fn closed(time: i64) -> Record {
    Record::Closed { time: Timestamp::from_micros(time), outcome: Outcome::Succeeded, reason: None }
}

#[test]
fn who_goes_on_with_a_slow_clock_rewinds_what_one_with_a_fast_clock_logged() {
    let mut journals = Journals::new();
    let fast = journals.open(1, 1, 10_000);
    journals.log(fast, "loss", &[(Some(1.0), 10_001, 1.0), (Some(2.0), 10_002, 2.0), (Some(3.0), 10_003, 3.0)]);
    journals.record(fast, closed(10_004));
    // It knows of that end, and so is opened behind it; its clock shows less.
    let slow = journals.open(1, 2, 10_005);
    // What reads along has series of its own.
    let beside = journals.open(1, 3, 10_005);
    journals.log(beside, "monitoring/lines", &[(Some(9.0), 5_000, 9.0)]);
    journals.record(slow, rewound(1, 1.0, 5_001));
    let key = journals.store.experiment(slow.experiment).unwrap();
    assert_eq!(journals.store.series(&key, "loss", ALL).unwrap().steps, [1.0]);
    assert_eq!(journals.store.series(&key, "monitoring/lines", ALL).unwrap().steps, [9.0]);
    journals.log(slow, "loss", &[(Some(2.0), 5_002, -2.0)]);
    assert_eq!(journals.store.series(&key, "loss", ALL).unwrap().values.as_floats().unwrap(), [1.0, -2.0]);
}

#[test]
fn of_a_series_that_two_log_to_at_once_the_time_decides() {
    let mut journals = Journals::new();
    let (one, two) = (journals.open(1, 1, 0), journals.open(1, 2, 0));
    journals.log(one, "loss", &[(Some(5.0), 1_000, 1.0)]);
    journals.log(one, "own", &[(Some(5.0), 9_000, 1.0)]);
    journals.log(two, "loss", &[(Some(6.0), 3_000, 2.0), (Some(7.0), 1_500, 2.0)]);
    assert_eq!(journals.record(one, rewound(1, 1.0, 2_000)), 0);
    let key = journals.store.experiment(one.experiment).unwrap();
    assert_eq!(journals.store.series(&key, "loss", ALL).unwrap().steps, [6.0], "it was logged behind the rewind");
    let own = journals.store.series(&key, "own", ALL).unwrap().steps;
    assert_eq!(own, [0.0; 0], "to a series that nobody else logs to, what was logged before is before");
}
