//! Scenarios that log, fork and rewind.

use std::{
    io,
    path::Path,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use neptune_core::{Experiment, RevisionId, Session, Timestamp};

use crate::{Outcome, kill_at, open, say};

const PATIENCE: Duration = Duration::from_mins(1);

/// Does the first `limit` steps of a story, and tells of each. Killed at a point of the code, when one is named.
pub(crate) fn story(folder: &str, limit: usize, killed: Option<(&str, u64)>) -> Outcome {
    let session = open(folder)?;
    if let Some((point, hits)) = killed {
        kill_at(point, hits)?;
    }
    let experiment = session.experiment().without_hardware().start()?;
    let mut revisions = Vec::new();
    for (number, step) in STEPS.iter().enumerate().take(limit) {
        step(&session, &experiment, &mut revisions)?;
        say(&format!("did {number}"))?;
        experiment.flush(PATIENCE)?;
    }
    experiment.stop()?;
    say("stopped")
}

type Step = fn(&Session, &Experiment, &mut Vec<RevisionId>) -> Outcome;

const STEPS: [Step; 9] = [
    |_, experiment, _| {
        for path in ["a", "b"] {
            let series = experiment.series::<f64>(path)?;
            (0..100_u32).for_each(|step| series.append_at(step, f64::from(step)));
        }
        Ok(())
    },
    |_, experiment, revisions| {
        revisions.push(experiment.rewind(49)?);
        Ok(())
    },
    |_, experiment, _| {
        let series = experiment.series::<f64>("a")?;
        (0..10_u32).for_each(|step| series.append(f64::from(step)));
        Ok(())
    },
    |_, experiment, revisions| {
        revisions.push(experiment.delete_points("a", 10.0..=20.0)?);
        Ok(())
    },
    |_, experiment, revisions| {
        revisions.push(experiment.rename("b", "c")?);
        Ok(())
    },
    |session, experiment, _| {
        let fork = session.fork(&experiment.id().to_string(), 30).without_hardware().start()?;
        fork.stop()?;
        Ok(())
    },
    |_, experiment, revisions| {
        let last = revisions.get(1).copied().ok_or("the points were deleted before")?;
        Ok(experiment.undo(last)?)
    },
    |_, experiment, _| {
        experiment.delete("a");
        Ok(())
    },
    |session, _, _| {
        let mut store =
            neptune_core::store::Store::open(session.folder(), neptune_core::store::StoreOptions::default())?;
        store.purge(false)?;
        Ok(())
    },
];

/// One of two processes at one experiment: `threads` threads log, fork, rewind and undo, and tell what they did.
///
/// Within the process a change and what is logged stand in one order, which is told; between processes there is none but
/// time.
pub(crate) fn crowd(folder: &str, id: &str, process: u32, threads: u32, rounds: u32) -> Outcome {
    let session = open(folder)?;
    let experiment = session.attach(id).without_hardware().start()?;
    say("ready")?;
    while !Path::new(folder).with_extension("go").exists() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let order = (RwLock::new(()), AtomicU64::new(0));
    let outcome: Result<Vec<()>, String> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|thread| {
                let (session, experiment, order) = (&session, &experiment, &order);
                scope.spawn(move || {
                    one_of(session, experiment, order, process * threads + thread, rounds)
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect()
    });
    outcome.map_err(io::Error::other)?;
    experiment.stop()?;
    say("stopped")
}

fn one_of(
    session: &Session,
    experiment: &Experiment,
    (lock, order): &(RwLock<()>, AtomicU64),
    me: u32,
    rounds: u32,
) -> Outcome {
    const SERIES: u32 = 3;
    const STEPS: u32 = 120;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(me) + 1) ^ u64::from(std::process::id());
    let mut below = |most: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % u64::from(most)).unwrap_or(0)
    };
    let series = (0..SERIES).map(|of| experiment.series::<f64>(&format!("t/{of}"))).collect::<Result<Vec<_>, _>>()?;
    let next = || order.fetch_add(1, Ordering::SeqCst);
    let mut last = 0;
    let mut revisions: Vec<RevisionId> = Vec::new();
    for _ in 0..rounds {
        match below(60) {
            0 | 1 => {
                let _alone = lock.write().unwrap_or_else(PoisonError::into_inner);
                let (to, place) = (below(STEPS), next());
                // The clocks of the system and of neptune agree to less than this.
                std::thread::park_timeout(Duration::from_millis(3));
                let revision = experiment.rewind(to)?;
                std::thread::park_timeout(Duration::from_millis(3));
                say(&format!("rewound {revision} {to} {place}"))?;
                revisions.push(revision);
            }
            2 if !revisions.is_empty() => {
                let revision = revisions.swap_remove(below(u32::try_from(revisions.len())?) as usize);
                let _alone = lock.write().unwrap_or_else(PoisonError::into_inner);
                experiment.undo(revision)?;
                say(&format!("undid {revision}"))?;
            }
            3 => {
                let (step, began) = (below(STEPS), now());
                let fork = session.fork(&experiment.id().to_string(), step).without_hardware().start()?;
                let ended = now();
                let id = fork.id();
                fork.stop()?;
                say(&format!("forked {id} {step} {began} {ended}"))?;
            }
            _ => {
                let _others = lock.read().unwrap_or_else(PoisonError::into_inner);
                let (of, step) = (below(SERIES), below(STEPS));
                // Each thread has times of its own, which ascend.
                last = ((now() >> 4 << 4) | i64::from(me)).max(last + 16);
                let place = next();
                say(&format!("logging {of} {step} {last} {place}"))?;
                series[of as usize].append_with(step, Timestamp::from_micros(last), last as f64);
                say(&format!("logged {last}"))?;
            }
        }
    }
    Ok(())
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the test compares times of several processes")]
    Timestamp::from(std::time::SystemTime::now()).as_micros()
}
