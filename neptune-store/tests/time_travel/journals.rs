//! A store that journals are drained into, and what it must say.

use std::collections::BTreeMap;

use neptune_format::{Content, Entry, ExperimentId, Position, Record, Timestamp, VariablePath, VariableType, WriterId};
use neptune_store::{
    Piece, Store, Values, WriterKey,
    read::{ExperimentKey, VariableValue},
};

use crate::model::{Model, Points, at};

pub(crate) const ALL: std::ops::RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

pub(crate) fn path(name: &str) -> VariablePath {
    VariablePath::new(name).unwrap()
}

/// A store and the writers of its experiments.
pub(crate) struct Journals {
    pub(crate) store: Store,
    /// The numbers that each writer gave to paths.
    pub(crate) series: BTreeMap<(WriterKeyBytes, &'static str), u32>,
}

type WriterKeyBytes = [u8; 16];

impl Journals {
    pub(crate) fn new() -> Self {
        Self { store: Store::in_memory().unwrap(), series: BTreeMap::new() }
    }

    pub(crate) fn apply(&mut self, key: WriterKey, entries: Vec<Entry<'_>>) -> u64 {
        let start = self.store.position(key.writer).unwrap();
        let end = Position { segment: start.segment, offset: start.offset + 8 };
        self.store.apply(key, Piece { start, end, damaged: 0 }, entries).unwrap().refused.total()
    }

    pub(crate) fn record(&mut self, key: WriterKey, record: Record) -> u64 {
        self.apply(key, vec![Entry::Record(Box::new(record))])
    }

    pub(crate) fn open(&mut self, experiment: u8, writer: u8, time: i64) -> WriterKey {
        let key = WriterKey {
            experiment: ExperimentId::from_bytes([experiment; 16]),
            writer: WriterId::from_bytes([writer; 16]),
        };
        self.record(key, opened(time));
        key
    }

    pub(crate) fn log(&mut self, key: WriterKey, name: &'static str, points: &[(Option<f64>, i64, f64)]) -> u64 {
        let next = u32::try_from(self.series.len()).unwrap();
        let mut entries = Vec::new();
        let series = *self.series.entry((*key.writer.as_bytes(), name)).or_insert_with(|| {
            let define = Record::Define { series: next, path: path(name), content: Content::Float };
            entries.push(Entry::Record(Box::new(define)));
            next
        });
        entries.extend(points.iter().map(|&(step, time, value)| Entry::Float {
            series,
            time: Timestamp::from_micros(time),
            step,
            value,
        }));
        self.apply(key, entries)
    }
}

pub(crate) fn opened(time: i64) -> Record {
    Record::Opened {
        project: "tests/travel".parse().unwrap(),
        time: Timestamp::from_micros(time),
        host: String::new(),
        pid: 1,
        owner: String::new(),
    }
}

pub(crate) fn assert_same(store: &Store, experiment: &ExperimentKey, model: &Model) {
    let stored: Vec<_> = store.variables(experiment, "").unwrap();
    let stored: Vec<_> = stored.iter().filter(|variable| variable.kind == VariableType::FLOAT_SERIES).collect();
    let names: Vec<&str> = stored.iter().map(|variable| variable.path.as_str()).collect();
    assert_eq!(names, model.variables.keys().map(String::as_str).collect::<Vec<_>>());
    for variable in stored {
        let wanted = &model.variables[&variable.path].seen;
        let points = store.series(experiment, &variable.path, ALL).unwrap();
        let Values::Float(values) = &points.values else { panic!("not numbers") };
        let found: Points = points
            .steps
            .iter()
            .zip(points.times.iter().zip(values))
            .map(|(step, (time, value))| (at(*step), (*time, *value)))
            .collect();
        assert_eq!(found.len(), points.len(), "a step of {} is there twice", variable.path);
        assert!(found == *wanted, "{}: {found:?} is not {wanted:?}", variable.path);
        let VariableValue::Series(summary) = &variable.value else { panic!("no series") };
        assert_eq!(summary.statistics.count, wanted.len() as u64);
        let least = wanted.values().map(|(_, value)| *value).reduce(f64::min);
        let greatest = wanted.values().map(|(_, value)| *value).reduce(f64::max);
        assert_eq!((summary.statistics.minimum, summary.statistics.maximum), (least, greatest));
        let sum: f64 = wanted.values().map(|(_, value)| *value).sum();
        assert!((summary.statistics.total - sum).abs() < 1e-6 * (1.0 + sum.abs()));
        if let (Some((first, _)), Some((last, (time, value)))) = (wanted.first_key_value(), wanted.last_key_value()) {
            assert_eq!((at(summary.first_step), at(summary.last_step)), (*first, *last));
            assert_eq!((summary.last_time.as_micros(), summary.last.as_f64().unwrap()), (*time, *value));
        } else {
            assert!(summary.last_step.is_nan());
        }
        let buckets = store.overview(experiment, &variable.path, ALL, 3).unwrap();
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), wanted.len() as u64);
        let tail = store.series_tail(experiment, &variable.path, 2).unwrap();
        let ends: Vec<u64> = wanted.keys().rev().take(2).rev().copied().collect();
        assert_eq!(tail.steps.iter().map(|step| at(*step)).collect::<Vec<_>>(), ends);
    }
    let revisions = store.revisions(experiment).unwrap();
    assert_eq!(revisions.len(), model.revisions.len());
    for (number, (found, wanted)) in revisions.iter().zip(&model.revisions).enumerate() {
        let aside = model.variables.values().filter_map(|variable| variable.aside.get(&number));
        assert_eq!(found.points, aside.map(|points| points.len() as u64).sum::<u64>(), "aside of {number}");
        assert_eq!((found.undone, found.purged), (wanted.undone, wanted.purged), "revision {number}");
    }
}
