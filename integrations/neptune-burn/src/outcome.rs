//! How a training ends: what came of it is the state of its experiment.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use burn::train::{Learner, LearnerModel, LearningResult, SupervisedTraining};
use neptune_core::Experiment;

/// Launches `training` and ends the experiment by what came of it, as [`end`] does. A panic of the training ends it failed,
/// with the message of the panic, which then goes on.
///
/// For programs that have nothing more to log once the training is over. Others launch as ever, log on, and call [`end`]
/// then; the experiment is failed, with the message, by a panic in between, because it is dropped.
pub fn launch<M: LearnerModel>(
    experiment: Experiment,
    training: SupervisedTraining<M>,
    learner: Learner<M>,
) -> LearningResult<M> {
    // Dropped by a panic, the experiment is marked failed with the message.
    let result = training.launch(learner);
    end(experiment, &result);
    result
}

/// Ends the experiment by what came of a training:
///
/// - all epochs done, or stopped early by a strategy: succeeded;
/// - stopped through the [`Interrupter`](burn::train::Interrupter): aborted, with its reason;
/// - an error: failed, with the error.
///
/// Waits for the store as [`Experiment::stop`] does. What it has to say, that the store could not be written or that
/// something was not kept, it says on standard error: the training is done all the same.
pub fn end<M>(experiment: Experiment, result: &LearningResult<M>) {
    let name = experiment.to_string();
    let ended = match (&result.error, &result.interrupted) {
        (Some(error), _) => experiment.fail(Arc::clone(error)),
        (None, Some(interruption)) => experiment.abort(interruption.reason.as_deref().unwrap_or("interrupted")),
        (None, None) => experiment.stop(),
    };
    match ended {
        Ok(lost) if lost.is_empty() => {}
        Ok(lost) => say(&format!("neptune: {name}: not kept: {lost}")),
        Err(error) => say(&format!("neptune: {name}: {error}")),
    }
}

/// Says something on standard error; there is nobody to tell that it is closed.
fn say(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}
