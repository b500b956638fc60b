//! A program that panics or is killed leaves what it had logged, and why it ended.

use std::path::Path;

use neptune_core::store::Values;
use neptune_tests::{Folder, Trainer, pause};

#[test]
fn a_panic_leaves_its_message_its_spans_and_its_backtrace() {
    let folder = Folder::new();
    let trainer = Trainer::start("traced-panic", [folder.path()]);
    assert!(!trainer.wait().success());
    folder.session().recover(|_| ()).unwrap();
    assert_eq!(folder.text("sys/state"), "failed");
    assert!(folder.text("sys/failure").contains("the gradient exploded"), "{}", folder.text("sys/failure"));
    let Values::Text(tracebacks) = folder.series("monitoring/traceback").values else { panic!("not text") };
    assert_eq!(tracebacks.len(), 1);
    let traceback = &tracebacks[0];
    for part in ["thread 'main' panicked: the gradient exploded", "main.rs:", "train/step step=3 epoch=1", "backtrace:"]
    {
        assert!(traceback.contains(part), "{part:?} is not in {traceback}");
    }
    let inner = traceback.find("train/step step=3").unwrap();
    assert!(inner < traceback.find("\n  train epoch=1").unwrap(), "the innermost span comes first: {traceback}");
    let Values::Float(counts) = folder.series("timing/train/step/count").values else { panic!("not numbers") };
    assert_eq!(counts.iter().sum::<f64>(), 4.0, "timings are flushed on the way out");
}

#[test]
fn every_event_that_returned_is_there_after_sigkill() {
    const THREADS: usize = 4;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut kept = 0;
    for round in 0..crate::crash::rounds() {
        let folder = Folder::new();
        let mut trainer = Trainer::start("traced-burst", [folder.path().to_str().unwrap(), &THREADS.to_string()]);
        assert_eq!(trainer.line(), "ready");
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        pause(std::time::Duration::from_micros(500 + (random >> 33) % 60_000));
        trainer.kill();
        folder.session().recover(|_| ()).unwrap();
        for (thread, returned) in returned(folder.path(), THREADS).into_iter().enumerate() {
            if returned == 0 {
                continue;
            }
            for metric in ["loss", "half"] {
                let points = folder.series(&format!("t{thread}/{metric}"));
                let stored = points.len() as u64;
                assert!(
                    stored == returned || stored == returned + 1,
                    "round {round}: thread {thread} logged {returned} and {stored} of {metric} are stored"
                );
                let Values::Float(values) = &points.values else { panic!("not numbers") };
                let scale = if metric == "loss" { 1.0 } else { 0.5 };
                for (number, (step, value)) in points.steps.iter().zip(values).enumerate() {
                    assert!(*step == number as f64 && *value == number as f64 * scale, "round {round}: {number}");
                }
                kept += stored;
            }
        }
        assert!(folder.store().lost(&folder.only_experiment()).unwrap().is_empty());
    }
    assert!(kept > u64::from(crate::crash::rounds()) * 1_000, "only {kept} points were logged in all");
}

fn returned(folder: &Path, threads: usize) -> Vec<u64> {
    let bytes = std::fs::read(folder.with_extension("returned")).unwrap();
    (0..threads).map(|thread| u64::from_le_bytes(bytes[thread * 64..][..8].try_into().unwrap())).collect()
}

#[test]
fn a_guard_flushes_timings_when_a_scope_is_left_by_a_panic() {
    let traced = super::Traced::new();
    let handle = traced.experiment.handle();
    let outcome = std::panic::catch_unwind(|| {
        let _guard = neptune_tracing::flush_on_drop(&handle, std::time::Duration::from_secs(10));
        let _step = tracing::info_span!("step").entered();
        assert!(std::hint::black_box(false), "left by a panic");
    });
    assert!(outcome.is_err());
    assert_eq!(traced.points("timing/step/count"), [(0.0, 1.0)]);
    traced.stop();
}
