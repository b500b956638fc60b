//! Processes that die at any moment: what was logged is kept, once, in order.

use std::{path::Path, time::Duration};

use neptune_core::store::Values;
use neptune_tests::{Folder, Trainer, pause};

const THREADS: usize = 4;

/// How many processes are killed; 20 unless `NEPTUNE_CRASH_ROUNDS` says otherwise.
pub(crate) fn rounds() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a knob of this test alone")]
    std::env::var("NEPTUNE_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20)
}

/// How many calls of each thread had returned.
fn returned(folder: &Path) -> Vec<u64> {
    let bytes = std::fs::read(folder.with_extension("returned")).unwrap();
    (0..THREADS).map(|thread| u64::from_le_bytes(bytes[thread * 64..][..8].try_into().unwrap())).collect()
}

#[test]
fn every_append_that_returned_is_read_back_after_sigkill_at_a_random_moment() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut kept = 0;
    for round in 0..rounds() {
        let folder = Folder::new();
        let mut trainer = Trainer::start("burst", [folder.path().to_str().unwrap(), &THREADS.to_string()]);
        assert_eq!(trainer.line(), "ready");
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let moment = Duration::from_micros(500 + (random >> 33) % 60_000);
        pause(moment);
        trainer.kill();
        let returned = returned(folder.path());

        let session = folder.session();
        session.recover(|_| ()).unwrap();
        for (thread, returned) in returned.iter().enumerate() {
            // On a small machine a thread may not have had its turn yet.
            if *returned == 0 {
                continue;
            }
            let points = folder.series(&format!("t/{thread}"));
            let stored = points.len() as u64;
            // One call may have been on its way: its record can be there before it returned.
            assert!(
                stored == *returned || stored == returned + 1,
                "round {round}, killed after {moment:?}: thread {thread} logged {returned} and {stored} are stored"
            );
            let Values::Float(values) = &points.values else { panic!("not numbers") };
            for (number, (step, value)) in points.steps.iter().zip(values).enumerate() {
                assert!(
                    *step == number as f64 && *value == number as f64,
                    "round {round}: thread {thread}: point {number} is {value} at step {step}"
                );
            }
            kept += stored;
        }
        assert_eq!(folder.text("sys/state"), "failed");
        assert!(folder.text("sys/failure").contains("killed"), "{}", folder.text("sys/failure"));
        assert!(folder.store().lost(&folder.only_experiment()).unwrap().is_empty());
        assert_eq!(folder.files(".jnl"), Vec::<std::path::PathBuf>::new(), "the journal is removed once drained");
    }
    assert!(kept > u64::from(rounds()) * 1_000, "only {kept} points were logged in all: nothing was tested");
}

/// What the scenario `killed-at` has logged, when `points` points are there.
fn assert_whole(folder: &Folder, point: &str, hits: u32, logged: usize) {
    let points = folder.series("train/loss");
    assert!(points.len() >= logged, "{point} #{hits}: {logged} were logged and {} are stored", points.len());
    let Values::Float(values) = &points.values else { panic!("not numbers") };
    for (number, (step, value)) in points.steps.iter().zip(values).enumerate() {
        assert!(
            *step == number as f64 && *value == number as f64,
            "{point} #{hits}: point {number} is {value} at {step}"
        );
    }
    let store = folder.store();
    let statistics = match store.variable(&folder.only_experiment(), "train/loss").unwrap().value {
        neptune_core::store::read::VariableValue::Series(series) => series.statistics,
        other => panic!("{other:?}"),
    };
    assert_eq!(statistics.count, points.len() as u64, "{point} #{hits}: counted twice or not at all");
    let sum: f64 = values.iter().sum();
    assert!((statistics.total - sum).abs() < 1e-6, "{point} #{hits}: {} is not {sum}", statistics.total);
}

#[test]
fn a_kill_at_every_step_of_draining_loses_and_doubles_nothing() {
    let steps = [
        "drain-read",
        "apply-begun",
        "apply-pushed",
        "apply-written",
        "apply-positioned",
        "apply-committed",
        "drain-taken",
        "drain-removed",
        "drain-finished",
    ];
    for point in steps {
        for hits in [1_u32, 2, 5] {
            if point == "drain-finished" && hits > 1 {
                continue;
            }
            let folder = Folder::new();
            let mut trainer = Trainer::start("killed-at", [folder.path().to_str().unwrap(), point, &hits.to_string()]);
            let mut logged = 0;
            loop {
                let line = trainer.line();
                let Some(count) = line.strip_prefix("logged ") else {
                    assert_eq!(line, "", "{point} #{hits} was never reached");
                    break;
                };
                logged = count.parse().unwrap();
            }
            assert!(!trainer.wait().success());
            folder.session().recover(|_| ()).unwrap();
            if logged > 0 {
                assert_whole(&folder, point, hits, logged);
            }
            let state = folder.text("sys/state");
            let expected = if point == "drain-finished" { "succeeded" } else { "failed" };
            assert_eq!(state, expected, "{point} #{hits}");
        }
    }
}

#[test]
fn a_kill_at_every_step_of_recovery_loses_and_doubles_nothing() {
    for point in
        ["recover-read", "apply-written", "apply-committed", "recover-taken", "recover-closed", "recover-removed"]
    {
        let folder = Folder::new();
        // Dies before anything is drained but the first record.
        let mut trainer = Trainer::start("killed-at", [folder.path().to_str().unwrap(), "apply-begun", "2"]);
        let logged = trainer.line().strip_prefix("logged ").map_or(0, |count| count.parse::<usize>().unwrap());
        assert!(!trainer.wait().success());
        for hits in [1_u32, 1, 2] {
            let arguments = [folder.path().to_str().unwrap(), point, &hits.to_string()];
            let mut recovery = Trainer::start("recover-killed-at", arguments);
            recovery.line();
            recovery.wait();
        }
        folder.session().recover(|_| ()).unwrap();
        assert_whole(&folder, point, 1, logged);
        assert_eq!(folder.text("sys/state"), "failed");
    }
}

#[test]
fn a_paced_trainer_loses_no_returned_point() {
    for mode in ["embedded", "offline"] {
        let folder = Folder::new();
        let mut trainer = Trainer::start("paced", [folder.path().to_str().unwrap(), mode]);
        let mut last = 0_u32;
        while last < 700 {
            last = trainer.line().parse().unwrap();
        }
        trainer.kill();
        folder.session().recover(|_| ()).unwrap();
        let points = folder.series("train/loss");
        assert!(points.len() > last as usize, "{mode}: {last} returned, {} are stored", points.len());
        assert_eq!(folder.text("sys/state"), "failed", "{mode}");
        assert_eq!(folder.text("sys/name"), "paced");
    }
}
