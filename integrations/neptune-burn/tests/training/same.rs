//! neptune does not change a training.

use std::path::Path;

use burn::train::{
    LearningResult, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining,
    checkpoint::{
        CheckpointingStrategy, ComposedCheckpointingStrategy, KeepLastNCheckpoints, MetricCheckpointingStrategy,
    },
    metric::{
        LossMetric,
        store::{Aggregate, Direction, Split},
    },
};
use neptune_burn::{Hooks, QuietRenderer};

use crate::setup::{Folder, Model, files, loader, new_learner};

const EPOCHS: usize = 40;

/// So few digits that the network soon knows them by heart, and validation gets worse.
fn overfitting(directory: &Path) -> SupervisedTraining<Model> {
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 4 },
    );
    SupervisedTraining::new(directory, loader(0, 24), loader(24, 40))
        .metrics((LossMetric::new(),))
        .early_stopping(stopping)
        .renderer(Box::new(QuietRenderer))
        .with_application_logger(None)
        .num_epochs(EPOCHS)
}

fn strategy() -> impl CheckpointingStrategy + 'static {
    let best = MetricCheckpointingStrategy::new(&LossMetric::new(), Aggregate::Mean, Direction::Lowest, Split::Valid);
    ComposedCheckpointingStrategy::builder().add(KeepLastNCheckpoints::new(1)).add(best).build()
}

fn epochs(result: &LearningResult<Model>, directory: &Path) -> usize {
    assert!(result.error.is_none(), "{:?}", result.error);
    std::fs::read_dir(directory.join("valid")).unwrap().count()
}

#[test]
fn losses_checkpoints_and_the_epoch_of_stopping_are_the_same_with_and_without() {
    let folder = Folder::new();
    let without = folder.burn().join("without");
    let training = overfitting(&without).with_default_checkpointers().with_checkpointing_strategy(strategy());
    let plain = training.launch(new_learner());

    let with = folder.burn().join("with");
    let experiment = folder.experiment();
    let hooks = Hooks::new(&experiment, &with).strategy(strategy()).gradients_every(1).histograms_every(7);
    let tracked = hooks.attach(overfitting(&with)).unwrap().launch(new_learner());

    let stopped = epochs(&plain, &without);
    assert!((6..EPOCHS).contains(&stopped), "it stops early, at {stopped}");
    assert_eq!(epochs(&tracked, &with), stopped);
    assert_eq!(tracked.model.weights(), plain.model.weights(), "bit by bit");
    let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (files_with, files_without) = (files(&with), files(&without));
    assert_eq!(names(&files_with), names(&files_without));
    let logs = |all: &[(String, Vec<u8>)]| {
        all.iter()
            .filter(|(name, _)| Path::new(name).extension().is_some_and(|ending| ending == "log"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(logs(&files_with), logs(&files_without), "every number, as burn writes it");

    // The best epoch is the one that burn kept, besides the last.
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    let best = checkpoints.find("best").unwrap().unwrap();
    assert!(with.join(format!("checkpoint/model-{}.bpk", best.step)).exists());
    let losses = crate::setup::values(&experiment, "valid/epoch/loss");
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(best.metric, Some(least));
    assert_eq!(losses.len(), stopped);
    experiment.stop().unwrap();
}
