//! Two processes and four threads log, fork, rewind and undo at one experiment, and some are killed: what is stored is what
//! the records say, in whatever order they were drained.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use neptune_core::{
    Change, Session,
    store::{Points, Store, read::ExperimentKey},
};
use neptune_tests::{Folder, Trainer};

use crate::crash::rounds;

/// A point that a process told of.
#[derive(Debug, Clone, Copy)]
struct Logged {
    series: u32,
    step: f64,
    time: i64,
    process: usize,
    /// Where it stands among what its process did.
    place: u64,
    /// Whether the call returned; a process that was killed may have died in it.
    returned: bool,
}

/// A rewind, as the store has it.
#[derive(Debug, Clone, Copy)]
struct Rewound {
    to: f64,
    time: i64,
    /// Who told of it, and where it stands among what that process did; nobody when it was killed in the call.
    told: Option<(usize, u64)>,
}

impl Rewound {
    fn covers(&self, point: &Logged) -> bool {
        let is_behind = self.told.is_some_and(|(process, place)| process == point.process && point.place > place);
        point.step > self.to && point.time <= self.time && !is_behind
    }
}

/// What a process told until it ended or was killed.
#[derive(Debug, Default)]
struct Told {
    points: HashMap<i64, Logged>,
    rewound: HashMap<String, (usize, u64)>,
    undone: HashSet<String>,
    forks: Vec<Fork>,
    stopped: bool,
}

#[derive(Debug)]
struct Fork {
    id: String,
    step: f64,
    began: i64,
    ended: i64,
}

/// Hears a process to its end; kills it once it told of so much.
fn hear(trainer: &mut Trainer, process: usize, killed_after: Option<usize>) -> Told {
    let mut told = Told::default();
    for heard in 0.. {
        if killed_after == Some(heard) {
            trainer.signal_kill();
        }
        let line = trainer.line();
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["logging", series, step, time, place] => {
                let time = time.parse().unwrap();
                let (series, step) = (series.parse().unwrap(), step.parse().unwrap());
                let place = place.parse().unwrap();
                told.points.insert(time, Logged { series, step, time, process, place, returned: false });
            }
            ["logged", time] => told.points.get_mut(&time.parse().unwrap()).unwrap().returned = true,
            ["rewound", id, _, place] => drop(told.rewound.insert((*id).to_owned(), (process, place.parse().unwrap()))),
            ["undid", id] => drop(told.undone.insert((*id).to_owned())),
            ["forked", id, step, began, ended] => told.forks.push(Fork {
                id: (*id).to_owned(),
                step: step.parse().unwrap(),
                began: began.parse().unwrap(),
                ended: ended.parse().unwrap(),
            }),
            ["stopped"] => told.stopped = true,
            // What was being said when it was killed.
            _ if line.is_empty() || killed_after.is_some() => {
                if line.is_empty() {
                    return told;
                }
            }
            _ => panic!("process {process} said {line:?}"),
        }
    }
    told
}

/// What the store has at each step: the time of the point, which is its value too.
fn stored(store: &Store, key: &ExperimentKey, series: u32) -> BTreeMap<u64, i64> {
    let path = format!("t/{series}");
    let points: Points = store.series(key, &path, f64::NEG_INFINITY..=f64::INFINITY).unwrap_or_default();
    let values = points.values.as_floats().unwrap();
    for (time, value) in points.times.iter().zip(values) {
        assert!(*time as f64 == *value, "the value of another point stands at {time}");
    }
    points.steps.iter().map(|step| step.to_bits()).zip(points.times.iter().copied()).collect()
}

/// The times that may stand at a step: that of the latest point that no rewind covers, for every way in which the calls that
/// were cut off can have gone.
fn allowed(points: &[Logged], rewound: &[Rewound]) -> HashSet<Option<i64>> {
    let mut allowed = HashSet::new();
    let mut seen: Vec<&Logged> =
        points.iter().filter(|point| !rewound.iter().any(|rewound| rewound.covers(point))).collect();
    seen.sort_by_key(|point| std::cmp::Reverse(point.time));
    for point in seen {
        allowed.insert(Some(point.time));
        if point.returned {
            return allowed;
        }
    }
    allowed.insert(None);
    allowed
}

fn at_step(told: &[Told], series: u32, step: u32) -> Vec<Logged> {
    let points = told.iter().flat_map(|told| told.points.values().copied());
    points.filter(|point| point.series == series && point.step == f64::from(step)).collect()
}

/// A fork has all that was logged before it was asked for, but what was rewound by then, and nothing that was logged behind.
fn assert_fork(session: &Session, fork: &Fork, told: &[Told], rewound: &[Rewound]) {
    // The clocks of two processes agree to less than this.
    const SLACK: i64 = 20_000;
    let store = Store::open(session.folder(), neptune_core::store::StoreOptions::default()).unwrap();
    let key = store.find(&fork.id).unwrap();
    let may: Vec<Rewound> = rewound.iter().filter(|rewound| rewound.time <= fork.ended + SLACK).copied().collect();
    let waited_too_long = fork.ended - fork.began > 4_500_000;
    for series in 0..3 {
        let stored = stored(&store, &key, series);
        assert!(stored.keys().all(|step| f64::from_bits(*step) <= fork.step), "a step behind the fork");
        for step in 0..120_u32 {
            if f64::from(step) > fork.step {
                break;
            }
            let found = stored.get(&f64::from(step).to_bits()).copied();
            let points = at_step(told, series, step);
            if let Some(time) = found {
                assert!(points.iter().any(|point| point.time == time), "a point that nobody logged");
                assert!(time <= fork.ended + SLACK, "a point that was logged behind the fork");
            }
            let must = points.iter().filter(|point| {
                point.returned && point.time < fork.began - SLACK && !may.iter().any(|rewound| rewound.covers(point))
            });
            let latest = must.map(|point| point.time).max();
            assert!(
                waited_too_long || found >= latest,
                "fork of {:?} at {step} of {series}: {found:?} stands there and {latest:?} was logged before",
                fork.began
            );
        }
    }
}

/// Every step has what it may have; returns how many have something.
fn assert_allowed(store: &Store, key: &ExperimentKey, told: &[Told], rewound: &[Rewound]) -> u32 {
    let mut kept = 0;
    for series in 0..3 {
        let stored = stored(store, key, series);
        for step in 0..120_u32 {
            let points = at_step(told, series, step);
            let found = stored.get(&f64::from(step).to_bits()).copied();
            let allowed = allowed(&points, rewound);
            assert!(
                allowed.contains(&found),
                "step {step} of t/{series} has {found:?} and should have {allowed:?}: {points:?} {rewound:?}"
            );
            kept += u32::from(found.is_some());
        }
    }
    kept
}

#[test]
fn two_processes_and_four_threads_leave_what_the_records_say() {
    let (mut rewinds, mut forks, mut kept) = (0, 0, 0);
    let rounds = rounds().div_ceil(3).max(3);
    for round in 0..rounds {
        let folder = Folder::new();
        let session = folder.session();
        let experiment = session.experiment().without_hardware().start().unwrap();
        let id = experiment.id().to_string();
        experiment.stop().unwrap();
        let at = folder.path().to_str().unwrap();
        let mut processes: Vec<Trainer> =
            (0..2).map(|process| Trainer::start("crowd", [at, &id, &format!("{process}"), "2", "400"])).collect();
        for process in &mut processes {
            assert_eq!(process.line(), "ready");
        }
        std::fs::write(Path::new(at).with_extension("go"), []).unwrap();
        // One of them, both, or none is killed.
        let after = |process: usize| (round as usize + process) % 3;
        let told: Vec<Told> = std::thread::scope(|scope| {
            let heard: Vec<_> = processes
                .iter_mut()
                .enumerate()
                .map(|(process, trainer)| {
                    let killed_after = (after(process) == 1).then_some(100 + 173 * (round as usize % 5));
                    scope.spawn(move || hear(trainer, process, killed_after))
                })
                .collect();
            heard.into_iter().map(|heard| heard.join().unwrap()).collect()
        });
        for (process, told) in told.iter().enumerate() {
            assert!(told.stopped || after(process) == 1, "round {round}: process {process} ended by itself");
        }
        drop(processes.into_iter().map(Trainer::wait).collect::<Vec<_>>());
        session.recover(|_| ()).unwrap();

        let store = folder.store();
        let key = store.find(&id).unwrap();
        let mut seen = HashSet::new();
        let revisions = store.revisions(&key).unwrap();
        let rewound_all: Vec<(Rewound, bool)> = revisions
            .iter()
            .map(|revision| {
                let Change::Rewound { to } = revision.change else { panic!("{revision:?}") };
                let name = revision.id.to_string();
                let by = told.iter().find_map(|told| told.rewound.get(&name).copied());
                assert!(
                    revision.undone || !told.iter().any(|told| told.undone.contains(&name)),
                    "round {round}: {name} was undone"
                );
                seen.insert(name);
                (Rewound { to, time: revision.time.as_micros(), told: by }, revision.undone)
            })
            .collect();
        for name in told.iter().flat_map(|told| told.rewound.keys()) {
            assert!(seen.contains(name), "round {round}: the rewind {name} is not in the store");
        }
        let rewound: Vec<Rewound> =
            rewound_all.iter().filter(|(_, undone)| !undone).map(|(rewound, _)| *rewound).collect();
        kept += assert_allowed(&store, &key, &told, &rewound);
        let every: Vec<Rewound> = rewound_all.iter().map(|(rewound, _)| *rewound).collect();
        for fork in told.iter().flat_map(|told| &told.forks) {
            assert_fork(&session, fork, &told, &every);
            forks += 1;
        }
        rewinds += rewound_all.len();
        assert!(store.lost(&key).unwrap().is_empty());
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
    }
    assert!(
        kept > 100 && rewinds > 10 && forks > 2,
        "{kept} points, {rewinds} rewinds, {forks} forks: too few to tell"
    );
}
