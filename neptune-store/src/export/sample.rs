//! Experiments in a real store for the tests of export.
//!
//! They come in through [`Store::apply`], as everything does.

use neptune_format::{AtomValue, Content, Entry, ExperimentId, Position, Record, Timestamp, VariablePath, WriterId};
use tempfile::TempDir;

use crate::{
    apply::{Piece, WriterKey},
    read::ExperimentKey,
    store::{Store, StoreOptions},
};

/// 2023-11-14T22:13:20Z
const BEGIN: i64 = 1_700_000_000_000_000;

/// An experiment, and the store that it is in.
pub(super) struct Sample {
    pub(super) store: Store,
    pub(super) experiment: ExperimentKey,
    key: WriterKey,
    folder: TempDir,
}

/// A process that logs to the experiment as well.
pub(super) struct Other {
    store: Store,
    key: WriterKey,
}

fn path(text: &str) -> VariablePath {
    text.parse().unwrap()
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(BEGIN + micros)
}

fn record(record: Record) -> Entry<'static> {
    Entry::Record(Box::new(record))
}

fn opened() -> Entry<'static> {
    let (host, owner) = (String::from("host"), String::from("ada"));
    record(Record::Opened { project: "ada/mnist".parse().unwrap(), time: time(0), host, pid: 7, owner })
}

fn float(time: Timestamp, step: f64, value: f64) -> Entry<'static> {
    Entry::Float { series: 1, time, step: Some(step), value }
}

fn apply(store: &mut Store, key: WriterKey, entries: Vec<Entry<'_>>) {
    let start = store.position(key.writer).unwrap();
    let end = Position { offset: start.offset + 8, ..start };
    let applied = store.apply(key, Piece { start, end, damaged: 0 }, entries).unwrap();
    assert!(applied.refused.is_empty());
}

impl Sample {
    fn of(entries: Vec<Entry<'_>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let key = WriterKey { experiment: ExperimentId::new(), writer: WriterId::new() };
        let define = |series, name, content| record(Record::Define { series, path: path(name), content });
        let head = vec![opened(), define(1, "logs/loss", Content::Float), define(2, "logs/text", Content::String)];
        apply(&mut store, key, head.into_iter().chain(entries).collect());
        let experiment = store.experiment(key.experiment).unwrap();
        Self { store, experiment, key, folder }
    }

    /// One variable of each type, with what is hard to write.
    pub(super) fn small() -> Self {
        let assign = |name, value| record(Record::Assign { path: path(name), value });
        let add = |name, members: &[&str]| {
            let members = members.iter().copied().map(String::from).collect();
            record(Record::AddMembers { path: path(name), members })
        };
        let text = |text| Entry::Text { series: 2, time: time(0), step: None, text };
        Self::of(vec![
            assign("parameters/batch", AtomValue::Int(-7)),
            assign("parameters/config", AtomValue::Json(String::from("{\"a\": [1]}"))),
            assign("parameters/lr", AtomValue::Float(f64::INFINITY)),
            assign("parameters/name", AtomValue::String(String::from("h\u{e4}h"))),
            assign("parameters/start", AtomValue::Datetime(time(123_456))),
            assign("parameters/train", AtomValue::Bool(true)),
            add("tags", &["c\n\\", "a,\"b\""]),
            add("no_tags", &["x"]),
            record(Record::RemoveMembers { path: path("no_tags"), members: vec![String::from("x")] }),
            float(Timestamp::from_micros(-1), -1.5, 0.1),
            float(time(0), 0.0, f64::NAN),
            float(time(1), 1.0, f64::NEG_INFINITY),
            float(time(1_000_000), 2.000_000_1, 1e-300),
            text("=1+1, \"two\"\nlines"),
            text(""),
        ])
    }

    /// A series `logs/loss` with `n` points, at the steps from 0 on.
    pub(super) fn with_series(n: usize) -> Self {
        Self::of((0..n).zip(0..).map(|(at, micros)| float(time(micros), at as f64, Self::value(at))).collect())
    }

    /// The value of a point of [`Sample::with_series`].
    pub(super) fn value(at: usize) -> f64 {
        (at as f64 / 100.0).sin()
    }

    /// A series `logs/loss` with points at these steps.
    pub(super) fn with_steps(steps: &[f64]) -> Self {
        Self::of(steps.iter().map(|&step| float(time(0), step, 0.5)).collect())
    }

    /// A series `logs/text` with these texts, in a chunk for every ten.
    pub(super) fn with_texts(texts: &[String]) -> Self {
        let mut sample = Self::of(Vec::new());
        for texts in texts.chunks(10) {
            let texts = texts.iter().map(|text| Entry::Text { series: 2, time: time(0), step: None, text });
            apply(&mut sample.store, sample.key, texts.collect());
        }
        sample
    }

    /// Another process that logs to `logs/loss`.
    pub(super) fn another(&self) -> Other {
        let store = Store::open(self.folder.path(), StoreOptions::default()).unwrap();
        Other { store, key: WriterKey { experiment: self.experiment.uuid, writer: WriterId::new() } }
    }
}

impl Other {
    /// Logs points at these steps.
    pub(super) fn log(&mut self, steps: &[f64]) {
        let define = record(Record::Define { series: 1, path: path("logs/loss"), content: Content::Float });
        let points = steps.iter().map(|&step| float(time(0), step, 0.5));
        apply(&mut self.store, self.key, [opened(), define].into_iter().chain(points).collect());
    }
}
