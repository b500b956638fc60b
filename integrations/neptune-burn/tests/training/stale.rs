//! What another training left behind does not count for this one.

use std::path::Path;

use burn::train::{
    MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining,
    checkpoint::{
        CheckpointingAction, CheckpointingStrategy, ComposedCheckpointingStrategy, KeepLastNCheckpoints,
        MetricCheckpointingStrategy,
    },
    metric::{
        LossMetric,
        store::{Aggregate, Direction, EventStoreClient, Split},
    },
};
use neptune_burn::Hooks;
use neptune_core::Experiment;

use crate::setup::{Folder, Model, loader, mislabelled, new_learner, training, training_on, values};

const EPOCHS: usize = 12;

/// Saves every epoch, and has burn look for the best among all epochs.
fn all_of_them() -> impl CheckpointingStrategy + 'static {
    let best = MetricCheckpointingStrategy::new(&LossMetric::new(), Aggregate::Mean, Direction::Lowest, Split::Valid);
    ComposedCheckpointingStrategy::builder().add(KeepLastNCheckpoints::new(50)).add(best).build()
}

/// So few digits that validation soon gets worse, which ends it.
fn overfitting(directory: &Path) -> SupervisedTraining<Model> {
    training_on(loader(0, 24), directory, 40).early_stopping(MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 4 },
    ))
}

/// The epochs of the checkpoints, with their metrics.
fn rated(experiment: &Experiment) -> Vec<(u64, f64)> {
    let versions = experiment.checkpoints("checkpoints").unwrap().list();
    versions.iter().map(|version| (version.step, version.metric.unwrap())).collect()
}

#[test]
fn from_scratch_early_stopping_follows_the_new_curve() {
    let folder = Folder::new();
    let fresh = folder.experiment();
    let directory = folder.burn().join("fresh");
    let hooks = Hooks::new(&fresh, &directory).strategy(all_of_them());
    let expected = hooks.attach(overfitting(&directory)).unwrap().launch(new_learner());
    let (losses, versions) = (values(&fresh, "valid/epoch/loss"), rated(&fresh));
    assert!((6..40).contains(&losses.len()), "it stops early: {}", losses.len());

    // A curve that falls for longer, in the same directory.
    let experiment = folder.experiment();
    let directory = folder.burn().join("used");
    let hooks = Hooks::new(&experiment, &directory).strategy(all_of_them());
    hooks.attach(training(&directory, 40)).unwrap().launch(new_learner());
    let id = experiment.id().to_string();
    experiment.stop().unwrap();

    let experiment = folder.again(&id);
    let hooks = Hooks::new(&experiment, &directory).strategy(all_of_them()).from_scratch();
    let again = hooks.attach(overfitting(&directory)).unwrap();
    assert!(rated(&experiment).is_empty(), "the checkpoints of the other training are gone");
    let again = again.launch(new_learner());
    assert_eq!(rated(&experiment), versions);
    assert_eq!(again.model.weights(), expected.model.weights(), "it stopped in the same epoch");
    assert_eq!(values(&experiment, "valid/epoch/loss")[..losses.len()], losses);
    experiment.stop().unwrap();
    fresh.stop().unwrap();
}

/// Saves the first epoch alone.
struct First;

impl CheckpointingStrategy for First {
    fn checkpointing(&mut self, epoch: usize, _store: &EventStoreClient) -> Vec<CheckpointingAction> {
        if epoch == 1 { vec![CheckpointingAction::Save] } else { Vec::new() }
    }
}

#[test]
fn a_training_that_resumes_before_the_end_of_the_files_is_judged_by_its_own_metrics() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(First);
    hooks.attach(training(&folder.burn(), EPOCHS)).unwrap().launch(new_learner());
    let before = values(&experiment, "valid/epoch/loss");
    let id = experiment.id().to_string();
    experiment.stop().unwrap();

    let experiment = folder.again(&id);
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(all_of_them());
    hooks.attach(training_on(mislabelled(), &folder.burn(), EPOCHS)).unwrap().launch(new_learner());
    let after = values(&experiment, "valid/epoch/loss");
    assert!(after[2] > before[2], "it gets worse");
    let found: Vec<f64> = rated(&experiment).iter().map(|&(_, metric)| metric).collect();
    assert_eq!(found, after);
    assert_eq!(experiment.checkpoints("checkpoints").unwrap().find("best").unwrap().unwrap().step, 1);
    experiment.stop().unwrap();
}
