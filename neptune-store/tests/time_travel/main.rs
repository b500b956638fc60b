//! Time travel against a model: points that are logged, come late, are deleted and brought back; variables that are renamed
//! and deleted; forks; gc. The store must say what a few maps say.

#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and compares what must be exact"
)]

mod chain;
mod clocks;
mod journals;
mod model;

use std::collections::BTreeMap;

use neptune_format::{Entry, ExperimentId, LostReason, Position, Record, RevisionId, Timestamp};
use neptune_store::{Piece, WriterKey, read::VariableValue};
use proptest::prelude::*;

use self::{
    journals::{ALL, Journals, assert_same, path},
    model::{Model, Points, Revision, What, at},
};

const PATHS: [&str; 4] = ["loss", "accuracy", "lr", "monitoring/cpu"];

fn step_of(step: u32) -> f64 {
    f64::from(step)
}

#[derive(Debug, Clone)]
enum Step {
    /// Points, at steps that are given from the first on, or behind the last.
    Log {
        writer: usize,
        path: usize,
        from: Option<u32>,
        count: u32,
        stride: u32,
    },
    /// Points that were logged before the `age`-th of the last changes and are drained now.
    Late {
        writer: usize,
        path: usize,
        from: u32,
        count: u32,
        age: usize,
    },
    Rewind {
        writer: usize,
        to: u32,
    },
    DeletePoints {
        writer: usize,
        path: usize,
        first: u32,
        width: u32,
    },
    Rename {
        writer: usize,
        from: usize,
        to: usize,
    },
    Undo {
        writer: usize,
        revision: prop::sample::Index,
    },
    Delete {
        writer: usize,
        path: usize,
    },
    Fork {
        from: prop::sample::Index,
        step: u32,
    },
    Purge,
    Seal,
}

fn steps(writers: usize) -> impl Strategy<Value = Vec<Step>> {
    let (writer, path) = (0..writers, 0..PATHS.len());
    let count = prop_oneof![6 => 1_u32..40, 1 => 3_000_u32..20_000];
    let log = (writer.clone(), path.clone(), prop::option::of(0_u32..200), count, 1_u32..4)
        .prop_map(|(writer, path, from, count, stride)| Step::Log { writer, path, from, count, stride });
    let late = (writer.clone(), path.clone(), 0_u32..200, 1_u32..40, 0_usize..4)
        .prop_map(|(writer, path, from, count, age)| Step::Late { writer, path, from, count, age });
    let delete = (writer.clone(), path.clone(), 0_u32..200, 0_u32..100)
        .prop_map(|(writer, path, first, width)| Step::DeletePoints { writer, path, first, width });
    let step = prop_oneof![
        6 => log,
        3 => late,
        3 => (writer.clone(), 0_u32..200).prop_map(|(writer, to)| Step::Rewind { writer, to }),
        2 => delete,
        2 => (writer.clone(), path.clone(), path.clone())
            .prop_map(|(writer, from, to)| Step::Rename { writer, from, to }),
        3 => (writer.clone(), any::<prop::sample::Index>())
            .prop_map(|(writer, revision)| Step::Undo { writer, revision }),
        1 => (writer, path).prop_map(|(writer, path)| Step::Delete { writer, path }),
        1 => (any::<prop::sample::Index>(), 0_u32..200).prop_map(|(from, step)| Step::Fork { from, step }),
        1 => Just(Step::Purge),
        1 => Just(Step::Seal),
    ];
    prop::collection::vec(step, 1..40)
}

/// Runs the steps on a store and on the model, and compares them.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of step, of the store and of the model")]
fn run(writers: usize, steps: Vec<Step>) {
    let mut journals = Journals::new();
    let keys: Vec<WriterKey> = (1..).take(writers).map(|writer| journals.open(1, writer, 0)).collect();
    // The first is the experiment that is written to; the others are its forks, which stay as they are.
    let mut models = vec![Model::default()];
    let mut ids: Vec<RevisionId> = Vec::new();
    let mut time = 1_000;
    let mut tell = 0;
    for step in steps {
        time += 1_000_000;
        let now = Timestamp::from_micros(time);
        let revision = RevisionId::from_bytes(u128::try_from(ids.len() + 1).unwrap().to_be_bytes());
        match step {
            Step::Log { writer, path, from, count, stride } => {
                let name = models[0].named(writer, PATHS[path]);
                let named: &'static str = PATHS.into_iter().find(|known| *known == name).unwrap();
                let mut points = Vec::new();
                for number in 0..count {
                    time += 1;
                    tell += 1;
                    let step = from.map(|from| step_of(from + number * stride));
                    points.push((step, time, f64::from(tell)));
                    models[0].log(writer, named, step, time, f64::from(tell));
                }
                // A number for each path that it has now, as handles that are made anew have.
                journals.series.retain(|(by, _), _| *by != *keys[writer].writer.as_bytes());
                journals.log(keys[writer], PATHS[path], &points);
            }
            Step::Late { writer, path, from, count, age } => {
                let name = models[0].named(writer, PATHS[path]);
                let before = models[0].revisions.iter().rev().nth(age).map_or(2_000, |revision| revision.time) - 500;
                let mut points = Vec::new();
                for number in 0..count {
                    tell += 1;
                    // No two points have the same time.
                    let time = before - i64::from(tell % 400);
                    let step = Some(step_of(from + number));
                    let is_new = models[0].variables.values().all(|variable| {
                        variable
                            .aside
                            .values()
                            .chain([&variable.seen])
                            .flat_map(BTreeMap::values)
                            .all(|point| point.0 != time)
                    });
                    if is_new && number < 20 {
                        points.push((step, time, f64::from(tell)));
                        models[0].log(writer, &name, step, time, f64::from(tell));
                    }
                }
                if !points.is_empty() {
                    journals.series.retain(|(by, _), _| *by != *keys[writer].writer.as_bytes());
                    journals.log(keys[writer], PATHS[path], &points);
                }
            }
            Step::Rewind { writer, to } => {
                let (first, last) = (step_of(to).next_up(), f64::INFINITY);
                let refused = journals
                    .record(keys[writer], Record::DeletePoints { revision, path: None, first, last, time: now });
                assert_eq!(refused, 0);
                let what = What::Deleted { path: None, first, last };
                models[0].delete_points(Revision { what, writer, time, undone: false, purged: false });
                ids.push(revision);
            }
            Step::DeletePoints { writer, path: of, first, width } => {
                let (first, last) = (step_of(first), step_of(first + width));
                let record = Record::DeletePoints { revision, path: Some(path(PATHS[of])), first, last, time: now };
                assert_eq!(journals.record(keys[writer], record), 0);
                let name = models[0].named(writer, PATHS[of]);
                let what = What::Deleted { path: Some(name), first, last };
                models[0].delete_points(Revision { what, writer, time, undone: false, purged: false });
                ids.push(revision);
            }
            Step::Rename { writer, from, to } => {
                let record = Record::Rename { revision, from: path(PATHS[from]), to: path(PATHS[to]), time: now };
                let refused = journals.record(keys[writer], record);
                let (from, to) = (models[0].named(writer, PATHS[from]), models[0].named(writer, PATHS[to]));
                let renamed = models[0].rename(&from, &to);
                assert_eq!(refused, u64::from(!renamed));
                if renamed {
                    let what = What::Renamed { from, to };
                    models[0].revisions.push(Revision { what, writer, time, undone: false, purged: false });
                    ids.push(revision);
                }
            }
            Step::Undo { writer, revision } => {
                if ids.is_empty() {
                    continue;
                }
                let number = revision.index(ids.len());
                let refused = journals.record(keys[writer], Record::Undo { revision: ids[number], time: now });
                assert_eq!(refused, u64::from(!models[0].undo(number)));
            }
            Step::Delete { writer, path: of } => {
                journals.record(keys[writer], Record::Delete { path: path(PATHS[of]) });
                let name = models[0].named(writer, PATHS[of]);
                models[0].variables.remove(&name);
            }
            Step::Fork { from, step } => {
                let from = from.index(models.len());
                let number = u8::try_from(models.len() + 1).unwrap();
                let child = journals.open(number, 100 + number, time);
                let parent = ExperimentId::from_bytes([u8::try_from(from + 1).unwrap(); 16]);
                let refused = journals.record(child, Record::Forked { parent, step: step_of(step), time: now });
                assert_eq!(refused, 0);
                let model = models[from].fork(step_of(step));
                models.push(model);
            }
            Step::Purge => {
                let counted = journals.store.purge(true).unwrap();
                assert_eq!(journals.store.purge(false).unwrap(), counted);
                models.iter_mut().for_each(Model::purge);
            }
            Step::Seal => drop(journals.store.seal_all(|_, _| ()).unwrap()),
        }
    }
    for (number, model) in (1..).zip(&models) {
        let key = journals.store.experiment(ExperimentId::from_bytes([number; 16])).unwrap();
        assert_same(&journals.store, &key, model);
    }
    assert_eq!(journals.store.check().unwrap(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_several_writers_change_is_what_the_model_says(steps in steps(3)) {
        run(3, steps);
    }

    #[test]
    fn what_one_writer_changes_is_what_the_model_says(steps in steps(1)) {
        let is_on_time = |step: &Step| !matches!(step, Step::Late { .. });
        run(1, steps.into_iter().filter(is_on_time).collect());
    }

    /// Each writer's journal is in order; which is drained when is not.
    #[test]
    fn the_order_of_draining_does_not_matter(
        logged in prop::collection::vec((0_usize..3, 0_usize..4, 0_u32..60, prop::bool::weighted(0.15)), 1..300),
        order in prop::collection::vec(0_usize..3, 0..300),
    ) {
        let mut journals = Journals::new();
        let keys: Vec<WriterKey> = (1..4).map(|writer| journals.open(1, writer, 0)).collect();
        let mut waiting = [const { std::collections::VecDeque::new() }; 3];
        for (time, &(writer, path, step, is_rewind)) in (1_i64..).zip(&logged) {
            waiting[writer].push_back((time, path, step_of(step), is_rewind));
        }
        let rest = (0..3).flat_map(|writer| std::iter::repeat_n(writer, logged.len()));
        for writer in order.into_iter().chain(rest) {
            let Some((time, path, step, is_rewind)) = waiting[writer].pop_front() else { continue };
            if is_rewind {
                let revision = RevisionId::from_bytes(u128::try_from(time).unwrap().to_be_bytes());
                let (first, last, time) = (step.next_up(), f64::INFINITY, Timestamp::from_micros(time));
                journals.record(keys[writer], Record::DeletePoints { revision, path: None, first, last, time });
            } else {
                journals.log(keys[writer], PATHS[path], &[(Some(step), time, f64::from(u32::try_from(time).unwrap()))]);
            }
        }
        // Of each step the latest point, unless somebody rewound to before it since.
        let mut wanted: BTreeMap<&str, Points> = BTreeMap::new();
        for (time, &(_, path, step, is_rewind)) in (1_i64..).zip(&logged) {
            if is_rewind {
                for (_, points) in wanted.iter_mut().filter(|(name, _)| !name.starts_with("monitoring/")) {
                    points.retain(|at, _| f64::from_bits(*at) <= step_of(step));
                }
            } else {
                let point = (time, f64::from(u32::try_from(time).unwrap()));
                wanted.entry(PATHS[path]).or_default().insert(at(step_of(step)), point);
            }
        }
        let key = journals.store.experiment(ExperimentId::from_bytes([1; 16])).unwrap();
        for (name, wanted) in wanted {
            let points = journals.store.series(&key, name, ALL).unwrap();
            let found: Points = points.steps.iter().zip(points.times.iter().zip(points.values.as_floats().unwrap()))
                .map(|(step, (time, value))| (at(*step), (*time, *value))).collect();
            prop_assert_eq!(found, wanted, "{}", name);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_by_its_reason_and_changes_nothing() {
    let mut journals = Journals::new();
    let key = journals.open(1, 1, 0);
    journals.log(key, "loss", &[(Some(0.0), 1, 1.0), (Some(1.0), 2, 2.0)]);
    journals.log(key, "lr", &[(Some(0.0), 3, 3.0)]);
    let time = Timestamp::from_micros(10);
    let revision = RevisionId::from_bytes([1; 16]);
    let assign = Record::Assign { path: path("note"), value: 1_i64.into() };
    assert_eq!(journals.record(key, assign), 0);
    let rename = |from: &str, to: &str| Record::Rename { revision, from: path(from), to: path(to), time };
    let delete = |of: &str, first, last| Record::DeletePoints { revision, path: Some(path(of)), first, last, time };
    let fork = |parent, step| Record::Forked { parent: ExperimentId::from_bytes([parent; 16]), step, time };
    for (record, reason) in [
        (rename("loss", "lr"), LostReason::Conflict),
        (rename("loss", "loss"), LostReason::Conflict),
        (rename("none", "new"), LostReason::Conflict),
        (rename("sys/state", "state"), LostReason::InvalidPath),
        (rename("loss", "sys/loss"), LostReason::InvalidPath),
        (delete("note", 0.0, 1.0), LostReason::TypeConflict),
        (delete("loss", f64::NAN, 1.0), LostReason::InvalidStep),
        (Record::Undo { revision, time }, LostReason::Conflict),
        (fork(9, 1.0), LostReason::Conflict),
        (fork(1, 1.0), LostReason::Conflict),
        (fork(9, f64::NAN), LostReason::InvalidStep),
    ] {
        let start = journals.store.position(key.writer).unwrap();
        let end = Position { segment: start.segment, offset: start.offset + 8 };
        let entries = [Entry::Record(Box::new(record.clone()))];
        let refused = journals.store.apply(key, Piece { start, end, damaged: 0 }, entries).unwrap().refused;
        assert_eq!((refused.count(reason), refused.total()), (1, 1), "{record:?}");
    }
    let experiment = journals.store.experiment(key.experiment).unwrap();
    assert_eq!(journals.store.revisions(&experiment).unwrap(), []);
    assert_eq!(journals.store.series(&experiment, "loss", ALL).unwrap().steps, [0.0, 1.0]);
    // Nothing between the bounds is nothing deleted.
    assert_eq!(journals.record(key, delete("loss", 5.0, 4.0)), 0);
    assert_eq!(journals.store.revisions(&experiment).unwrap()[0].points, 0);
}

#[test]
fn a_fork_shares_the_bytes_of_its_parent_and_outlives_it() {
    let mut journals = Journals::new();
    let parent = journals.open(1, 1, 0);
    let points: Vec<_> = (0..40_000_u32).map(|step| (Some(step_of(step)), i64::from(step), step_of(step))).collect();
    journals.log(parent, "loss", &points);
    let mut forks = Vec::new();
    for number in 2..5_u8 {
        let child = journals.open(number, number, 100_000);
        let forked = Record::Forked {
            parent: ExperimentId::from_bytes([number - 1; 16]),
            step: 39_000.0,
            time: Timestamp::from_micros(100_000),
        };
        assert_eq!(journals.record(child, forked), 0);
        forks.push(child);
    }
    let own = journals.store.revisions(&journals.store.experiment(parent.experiment).unwrap()).unwrap();
    assert_eq!(own, []);
    // One behind the other goes, and with it the bytes' owner.
    for gone in [parent, forks[1], forks[0]] {
        journals.record(gone, Record::Delete { path: path("loss") });
        for fork in forks.iter().filter(|fork| **fork != gone) {
            let key = journals.store.experiment(fork.experiment).unwrap();
            let Ok(points) = journals.store.series(&key, "loss", ALL) else { continue };
            assert_eq!(points.len(), 39_001);
            assert!(
                points.values.as_floats().unwrap().iter().zip(0_u32..).all(|(value, step)| *value == step_of(step))
            );
        }
    }
    let last = journals.store.experiment(forks[2].experiment).unwrap();
    assert_eq!(journals.store.series(&last, "loss", ALL).unwrap().len(), 39_001);
    assert_eq!(journals.store.overview(&last, "loss", ALL, 10).unwrap().len(), 10);
    let from = journals.store.variable(&last, "sys/forked_from").unwrap().value;
    assert_eq!(from, VariableValue::Atom("TRA-3".into()));
}
