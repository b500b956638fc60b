//! Forks of forks: each keeps its points, whatever becomes of those that it comes from.

use std::collections::BTreeMap;

use neptune_format::{ExperimentId, Record, RevisionId, Timestamp};
use neptune_store::{Error, Values, WriterKey};

use crate::journals::{ALL, Journals, path};

/// How long the chain is.
const LENGTH: u8 = 50;

/// Where a fork of the chain begins: each a bit before the one that it comes from, within chunks and at their ends.
fn fork_step(number: u8) -> f64 {
    40_000.0 - 700.0 * f64::from(number)
}

/// Numbers that look like chance and are the same each time.
fn shuffled(numbers: impl Iterator<Item = u8>, mut seed: u64) -> Vec<u8> {
    let mut left: Vec<u8> = numbers.collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(seed >> 33).unwrap() % left.len();
        order.push(left.swap_remove(place));
    }
    order
}

struct Chain {
    journals: Journals,
    keys: Vec<WriterKey>,
    /// What each has at each step, as it must stay.
    wanted: BTreeMap<u8, Vec<(f64, f64)>>,
    now: i64,
}

impl Chain {
    /// A parent with 40,000 points, and forks of which each comes from the one before and has two points of its own.
    fn new() -> Self {
        let mut journals = Journals::new();
        let root = journals.open(1, 1, 0);
        let points: Vec<_> = (0..40_000_u32).map(|step| (Some(f64::from(step)), i64::from(step), 0.5)).collect();
        journals.log(root, "loss", &points);
        let mut wanted: BTreeMap<u8, Vec<(f64, f64)>> = BTreeMap::new();
        wanted.insert(1, points.iter().map(|(step, _, value)| (step.unwrap(), *value)).collect());
        let (mut keys, mut now) = (vec![root], 100_000);
        for number in 2..=LENGTH {
            now += 10;
            let key = journals.open(number, number, now);
            let parent = ExperimentId::from_bytes([number - 1; 16]);
            let step = fork_step(number);
            assert_eq!(journals.record(key, Record::Forked { parent, step, time: Timestamp::from_micros(now) }), 0);
            let own = [(step + 1.0, f64::from(number)), (step - 10.0, -f64::from(number))];
            let logged: Vec<_> = own.iter().map(|(step, value)| (Some(*step), now + 1, *value)).collect();
            journals.log(key, "loss", &logged);
            let mut points: Vec<(f64, f64)> =
                wanted[&(number - 1)].iter().copied().filter(|(at, _)| *at <= step && *at != own[1].0).collect();
            points.extend(own);
            points.sort_by(|left, right| left.0.total_cmp(&right.0));
            wanted.insert(number, points);
            keys.push(key);
        }
        Self { journals, keys, wanted, now }
    }

    fn assert_whole(&self, behind: &str) {
        for (number, wanted) in &self.wanted {
            let key = self.journals.store.experiment(ExperimentId::from_bytes([*number; 16])).unwrap();
            let points = self.journals.store.series(&key, "loss", ALL).unwrap();
            let Values::Float(values) = &points.values else { panic!("not numbers") };
            let found: Vec<(f64, f64)> = points.steps.iter().copied().zip(values.iter().copied()).collect();
            assert!(found == *wanted, "{behind}: fork {number} has {} points, not {}", found.len(), wanted.len());
        }
    }

    fn record(&mut self, number: u8, record: impl FnOnce(RevisionId, Timestamp) -> Record) {
        self.now += 10;
        let revision = RevisionId::from_bytes(u128::try_from(self.now).unwrap().to_be_bytes());
        let key = self.keys[usize::from(number) - 1];
        assert_eq!(self.journals.record(key, record(revision, Timestamp::from_micros(self.now))), 0);
    }

    /// Rewinds one far below where others forked from it.
    fn rewind(&mut self, number: u8, to: f64) {
        let (first, last) = (to.next_up(), f64::INFINITY);
        self.record(number, |revision, time| Record::DeletePoints { revision, path: None, first, last, time });
        self.wanted.get_mut(&number).unwrap().retain(|(step, _)| *step <= to);
    }

    /// Something happens to one of the chain.
    fn happen(&mut self, number: u8) -> &'static str {
        match number % 5 {
            0 => {
                let key = self.journals.store.experiment(ExperimentId::from_bytes([number; 16])).unwrap();
                let time = Timestamp::from_micros(self.now);
                self.journals.store.delete_experiment(&key, time, || Ok::<_, Error>(())).unwrap();
                self.wanted.remove(&number);
                "deleted"
            }
            1 => {
                self.rewind(number, 100.5);
                "rewound"
            }
            2 => {
                self.rewind(number, 3_000.0);
                self.journals.store.purge(false).unwrap();
                "rewound and purged"
            }
            3 => {
                self.record(number, |_, _| Record::Delete { path: path("loss") });
                self.wanted.remove(&number);
                "its variable deleted"
            }
            _ => {
                let key = self.keys[usize::from(number) - 1];
                let merged: Vec<_> = (0..200_u32).map(|step| (Some(f64::from(step * 100)), self.now, 7.0)).collect();
                self.journals.log(key, "loss", &merged);
                let points = self.wanted.get_mut(&number).unwrap();
                for (step, _, value) in merged {
                    match points.binary_search_by(|point| point.0.total_cmp(&step.unwrap())) {
                        Ok(at) => points[at].1 = value,
                        Err(at) => points.insert(at, (step.unwrap(), value)),
                    }
                }
                "logged to between"
            }
        }
    }
}

#[test]
fn a_chain_of_forks_outlives_whatever_becomes_of_its_links() {
    for seed in [1, 2] {
        let mut chain = Chain::new();
        chain.assert_whole("made");
        for (place, number) in shuffled(1..=LENGTH, seed).into_iter().enumerate() {
            let what = chain.happen(number);
            if place % 10 == 9 {
                chain.journals.store.seal_all(|_, _| ()).unwrap();
            }
            if place % 5 == 4 || place < 5 {
                chain.assert_whole(&format!("seed {seed}, {number} was {what}"));
            }
        }
        chain.journals.store.purge(false).unwrap();
        chain.assert_whole("purged");
        assert_eq!(chain.journals.store.check().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_fork_that_was_taken_back_itself_is_undone_though_its_parent_is_gone() {
    let mut chain = Chain::new();
    let whole = chain.wanted[&7].clone();
    chain.rewind(7, 50.0);
    let key = chain.journals.store.experiment(ExperimentId::from_bytes([7; 16])).unwrap();
    let revision = chain.journals.store.revisions(&key).unwrap()[0].id;
    for gone in [6, 1, 8, 2] {
        let key = chain.journals.store.experiment(ExperimentId::from_bytes([gone; 16])).unwrap();
        let time = Timestamp::from_micros(chain.now);
        chain.journals.store.delete_experiment(&key, time, || Ok::<_, Error>(())).unwrap();
        chain.wanted.remove(&gone);
    }
    chain.assert_whole("rewound, and those around it deleted");
    chain.record(7, |_, time| Record::Undo { revision, time });
    chain.wanted.insert(7, whole);
    chain.assert_whole("undone");
}
