//! Success, an error, an abort and a panic: each ends in its own state, and keeps what was held.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use candle_core::Result;
use neptune_candle::Tracker;
use neptune_core::Experiment;

use crate::{Folder, Tiny, scalar};

/// Runs ten steps, of which step 7 does `what`. All numbers are held.
fn train(experiment: &Experiment, what: impl Fn(&Experiment) -> Result<()>) -> Result<u64> {
    let tracker = Tracker::builder(experiment, &Tiny::new().variables).read_every(1000).build();
    for number in 0..10_u8 {
        let step = tracker.step();
        step.log("train/loss", &scalar(f32::from(number)));
        if number == 7 {
            what(experiment)?;
        }
        if tracker.abort_requested().is_some() {
            break;
        }
    }
    Ok(tracker.steps_done())
}

fn losses(folder: &Folder) -> usize {
    folder.numbers("train/loss").len()
}

#[test]
fn a_training_that_is_done_has_succeeded() {
    let folder = Folder::new();
    assert_eq!(folder.start().run(|experiment| train(experiment, |_| Ok(()))).unwrap(), 10);
    assert_eq!((folder.text("sys/state").as_str(), losses(&folder)), ("succeeded", 10));
}

#[test]
fn a_training_that_is_asked_to_end_is_aborted_with_the_reason() {
    let folder = Folder::new();
    let ask = |experiment: &Experiment| {
        experiment.request_abort("the loss is flat");
        Ok(())
    };
    assert_eq!(folder.start().run(|experiment| train(experiment, ask)).unwrap(), 8);
    assert_eq!((folder.text("sys/state").as_str(), losses(&folder)), ("aborted", 8));
    assert_eq!(folder.text("sys/failure"), "the loss is flat");
}

#[test]
fn an_error_in_a_step_fails_and_loses_nothing_that_was_logged() {
    let folder = Folder::new();
    let error = folder.start().run(|experiment| train(experiment, |_| candle_core::bail!("out of memory")));
    // With RUST_BACKTRACE, candle's messages have one.
    assert!(error.unwrap_err().to_string().starts_with("out of memory"));
    assert_eq!((folder.text("sys/state").as_str(), losses(&folder)), ("failed", 8));
    assert!(folder.text("sys/failure").starts_with("out of memory"));
    assert!(folder.has("train/step_time"));
}

#[test]
fn a_panic_in_a_step_fails_with_its_message_and_loses_nothing_that_was_logged() {
    let folder = Folder::new();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        folder.start().run(|experiment| train(experiment, |_| panic!("index out of range")))
    }));
    assert!(panic.is_err(), "the panic goes on");
    assert_eq!((folder.text("sys/state").as_str(), losses(&folder)), ("failed", 8));
    assert!(folder.text("sys/failure").starts_with("panicked: index out of range at "));
}

#[test]
fn numbers_are_kept_when_the_experiment_is_dropped_before_its_tracker() {
    let folder = Folder::new();
    let tracker;
    {
        let experiment = folder.start();
        tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(1000).build();
        tracker.step().log("train/loss", &scalar(1.0));
        experiment.stop().unwrap();
    }
    assert_eq!(losses(&folder), 1);
    // Later ones have nowhere to go, and say nothing.
    tracker.step().log("train/loss", &scalar(2.0));
    drop(tracker);
    assert_eq!(losses(&folder), 1);
}

#[test]
fn a_step_that_panics_is_over_when_the_panic_is_caught() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _step = tracker.step();
        panic!("caught");
    }));
    assert!(panic.is_err());
    assert_eq!(tracker.steps_done(), 1);
    assert_eq!(tracker.step().number(), 1);
    experiment.stop().unwrap();
    assert_eq!(folder.numbers("train/step_time").len(), 1, "a step that panicked is not timed");
}

#[test]
fn a_training_is_aborted_from_outside() {
    let folder = Folder::new();
    let steps = folder.start().run(|experiment| {
        let tracker = Tracker::new(experiment, &Tiny::new().variables);
        // As `neptune abort` does, in another session of the folder.
        assert_eq!(folder.session().request_abort("TIN-1", "too slow").unwrap(), 1);
        let mut steps = 0;
        while tracker.abort_requested().is_none() && steps < 3000 {
            let _step = tracker.step();
            std::thread::park_timeout(Duration::from_millis(10));
            steps += 1;
        }
        Ok::<_, candle_core::Error>(steps)
    });
    assert!(steps.unwrap() < 3000, "it hears of it");
    assert_eq!(folder.text("sys/state"), "aborted");
    assert_eq!(folder.text("sys/failure"), "too slow");
}
