//! How experiments end by what came of their training.

use std::panic::{AssertUnwindSafe, catch_unwind};

use neptune_burn::{NeptuneTraining as _, launch};

use crate::setup::{
    Folder, Model, TRAIN_BATCHES, device, learner, new_learner, steps, training, training_on, unreadable,
};

#[test]
fn a_training_that_is_done_has_succeeded() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let training = training(&folder.burn(), 1).with_neptune(&experiment, folder.burn()).unwrap();
    let result = launch(experiment, training, new_learner());
    assert!(result.error.is_none() && result.interrupted.is_none());
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn a_training_that_is_interrupted_is_aborted_with_the_reason() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    let training = training(&folder.burn(), 50).with_neptune(&experiment, folder.burn()).unwrap();
    let interrupter = training.interrupter();
    let model = Model::new(&device()).with_mischief(move |step| {
        if step == 20 {
            interrupter.stop(Some("enough seen"));
        }
    });
    let result = launch(experiment, training, learner(model));
    assert_eq!(result.interrupted.unwrap().reason.as_deref(), Some("enough seen"));
    assert_eq!(folder.text("sys/state"), "aborted");
    assert_eq!(folder.text("sys/failure"), "enough seen");
    assert_eq!(steps(&handle, "train/loss"), (1..=20).collect::<Vec<_>>(), "what was seen is kept");
}

#[test]
fn an_experiment_that_is_to_be_aborted_stops_its_training() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    let training = training(&folder.burn(), 100_000).with_neptune(&experiment, folder.burn()).unwrap();
    let model = Model::new(&device()).with_mischief(move |step| {
        if step == TRAIN_BATCHES {
            handle.request_abort("somebody wants the machine");
        }
    });
    let result = launch(experiment, training, learner(model));
    assert_eq!(result.interrupted.unwrap().reason.as_deref(), Some("somebody wants the machine"));
    assert_eq!(folder.text("sys/state"), "aborted");
}

#[test]
fn a_panic_in_a_step_fails_the_experiment_and_goes_on() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    let training = training(&folder.burn(), 5).with_neptune(&experiment, folder.burn()).unwrap();
    let model = Model::new(&device()).with_mischief(|step| assert!(step < 20, "the loss is not a number"));
    let panic = catch_unwind(AssertUnwindSafe(|| launch(experiment, training, learner(model))));
    assert!(panic.is_err(), "it goes on");
    assert_eq!(folder.text("sys/state"), "failed");
    let failure = folder.text("sys/failure");
    assert!(failure.starts_with("panicked: the loss is not a number at "), "{failure}");
    assert!(steps(&handle, "train/loss").len() >= TRAIN_BATCHES, "what was logged before is kept");
}

#[test]
fn an_error_fails_the_experiment() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let training = training_on(unreadable(150), &folder.burn(), 5);
    let training = training.with_neptune(&experiment, folder.burn()).unwrap();
    let result = launch(experiment, training, new_learner());
    assert!(result.error.is_some());
    assert_eq!(folder.text("sys/state"), "failed");
    let failure = folder.text("sys/failure");
    assert!(failure.contains("the disk with the digits is gone"), "{failure}");
}
