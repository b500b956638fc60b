//! Checkpoints are kept as burn saves them, and burn never feels it.

use std::{env, fs, path::Path, process::Command};

use burn::train::{
    checkpoint::{CheckpointingAction, CheckpointingStrategy, KeepLastNCheckpoints},
    metric::{
        AccuracyMetric, Metric as _, TopKAccuracyMetric,
        store::{Direction, EventStoreClient, Split},
    },
};
use neptune_burn::{Hooks, NeptuneTraining as _, launch};

use crate::setup::{Folder, Model, TRAIN_BATCHES, device, learner, new_learner, points, training};

fn epochs(experiment: &neptune_core::ExperimentHandle) -> Vec<u64> {
    let mut steps: Vec<u64> =
        experiment.checkpoints("checkpoints").unwrap().list().iter().map(|version| version.step).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn a_version_has_the_files_that_burn_saved() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    training(&folder.burn(), 2).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());

    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    let latest = checkpoints.find("latest").unwrap().unwrap();
    assert_eq!(latest.step, 2);
    let names: Vec<&String> = latest.files.keys().collect();
    assert_eq!(names, ["model-2.bpk", "optim-2.bpk", "scheduler-2.bpk"]);
    let restored = folder.burn().join("restored");
    checkpoints.restore(&latest, &restored).unwrap();
    for name in names {
        let saved = fs::read(folder.burn().join("checkpoint").join(name)).unwrap();
        assert_eq!(fs::read(restored.join(name)).unwrap(), saved, "{name}");
    }
    experiment.stop().unwrap();
}

#[test]
fn the_best_is_chosen_by_the_metric_that_was_said() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(KeepLastNCheckpoints::new(50)).best(
        &AccuracyMetric::new(),
        &Split::Valid,
        Direction::Highest,
    );
    hooks.attach(training(&folder.burn(), 6)).unwrap().launch(new_learner());
    let accuracies = points(&experiment, "valid/epoch/accuracy");
    let best = experiment.checkpoints("checkpoints").unwrap().find("best").unwrap().unwrap();
    let greatest = accuracies.iter().map(|&(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(best.metric, Some(greatest));
    let first = accuracies.iter().find(|&&(_, value)| value >= greatest).unwrap().0;
    assert_eq!(best.step, first as u64, "of equals, the earlier");
    experiment.stop().unwrap();
}

#[test]
fn what_burn_deletes_goes_but_for_the_best() {
    /// A loss that can only rise: after the first epoch nothing is learned.
    fn rising(folder: &Folder, keep_best: usize) -> Vec<u64> {
        let experiment = folder.experiment();
        let hooks = Hooks::new(&experiment, folder.burn()).strategy(KeepLastNCheckpoints::new(1)).keep_best(keep_best);
        // Trained too fast, it gets worse from some epoch on.
        hooks.attach(training(&folder.burn(), 5)).unwrap().launch(new_learner());
        let kept = epochs(&experiment);
        experiment.stop().unwrap();
        kept
    }
    let folder = Folder::new();
    assert_eq!(rising(&folder, 0), [5], "as burn has it");
    let folder = Folder::new();
    let kept = rising(&folder, 50);
    assert_eq!(kept, [1, 2, 3, 4, 5], "all of them are among the best fifty");
    assert!(!folder.burn().join("checkpoint/model-1.bpk").exists(), "burn deleted its own");
}

#[test]
fn a_best_that_burn_deleted_goes_when_a_better_comes() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(KeepLastNCheckpoints::new(1)).keep_best(1);
    hooks.attach(training(&folder.burn(), 5)).unwrap().launch(new_learner());
    let losses = points(&experiment, "valid/epoch/loss");
    let best = losses.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0 as u64;
    let mut expected = vec![best, 5];
    expected.dedup();
    assert_eq!(epochs(&experiment), expected);
    experiment.stop().unwrap();
}

/// Saves every epoch, and ruins something first.
struct Ruin<F>(F);

impl<F: FnMut(usize) + Send> CheckpointingStrategy for Ruin<F> {
    fn checkpointing(&mut self, epoch: usize, _store: &EventStoreClient) -> Vec<CheckpointingAction> {
        (self.0)(epoch);
        vec![CheckpointingAction::Save]
    }
}

#[test]
fn a_checkpoint_folder_that_vanishes_is_an_error_of_burns_as_ever() {
    fn vanish(directory: &Path) -> impl CheckpointingStrategy + 'static {
        let folder = directory.join("checkpoint");
        Ruin(move |epoch| {
            // The first is saved by then; the second may be on its way.
            if epoch == 3 {
                // A file that comes meanwhile keeps it from going.
                while folder.exists() {
                    drop(fs::remove_dir_all(&folder));
                }
            }
        })
    }
    let folder = Folder::new();
    let without = folder.burn().join("without");
    let plain = training(&without, 9).with_default_checkpointers().with_checkpointing_strategy(vanish(&without));
    // Which of the three files it tells of, and what of it, is for the threads to decide.
    let kind = |error: &dyn std::fmt::Display| error.to_string().split("cannot").next().unwrap().to_owned();
    let expected = kind(&plain.launch(new_learner()).error.unwrap());
    assert!(expected.starts_with("Checkpoint error: "), "{expected}");

    let with = folder.burn().join("with");
    let experiment = folder.experiment();
    let handle = experiment.handle();
    let hooks = Hooks::new(&experiment, &with).strategy(vanish(&with));
    let result = launch(experiment, hooks.attach(training(&with, 9)).unwrap(), new_learner());
    assert_eq!(kind(&result.error.unwrap()), expected);
    assert_eq!(folder.text("sys/state"), "failed");
    let kept = handle.checkpoints("checkpoints").unwrap().list();
    assert_eq!(kept[0].step, 1);
    assert!(kept.iter().all(|version| version.step <= 2 && version.files.len() == 3), "no version that is not whole");
}

#[test]
fn what_cannot_be_kept_in_the_experiment_does_not_stop_the_training() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let objects = folder.neptune();
    // Nothing new can be written where neptune keeps files.
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(Ruin(move |epoch| {
        // The first is kept by then; the second may be on its way.
        if epoch == 3 {
            make_unwritable(&objects);
        }
    }));
    let result = hooks.attach(training(&folder.burn(), 4)).unwrap().launch(new_learner());
    assert!(result.error.is_none() && result.interrupted.is_none(), "{:?}", result.error);
    assert!(folder.burn().join("checkpoint/model-4.bpk").exists(), "burn has all of its own");
    let kept = epochs(&experiment);
    assert!(kept == [1] || kept == [1, 2], "{kept:?}");
    drop(experiment);
}

/// Puts a file where neptune has its folder of files.
#[expect(clippy::disallowed_methods, reason = "a folder that vanishes need not do so durably")]
fn make_unwritable(folder: &Path) {
    let objects = folder.join("objects");
    fs::rename(&objects, folder.join("gone")).unwrap();
    fs::write(&objects, "not a folder").unwrap();
}

#[test]
fn a_strategy_set_on_the_training_itself_still_has_its_checkpoints_kept() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let training = training(&folder.burn(), 3).with_neptune(&experiment, folder.burn()).unwrap();
    let training = training.with_checkpointing_strategy(KeepLastNCheckpoints::new(9));
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&seen);
    let model = Model::new(&device()).with_mischief(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    training.launch(learner(model));
    assert_eq!(seen.load(std::sync::atomic::Ordering::SeqCst), 3 * TRAIN_BATCHES);
    assert_eq!(epochs(&experiment), [1, 2, 3]);
    assert!(experiment.checkpoints("checkpoints").unwrap().find("best").unwrap().is_none(), "nobody said which");
    experiment.stop().unwrap();
}

/// Tells the process that it is the child of the next test.
const CHILD: &str = "NEPTUNE_BURN_TEST_BEST_CHILD";

/// Not a test of its own: the process whose standard error the next one reads.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_without_the_metric_of_the_best() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let folder = Folder::new();
    let experiment = folder.experiment();
    let hooks =
        Hooks::new(&experiment, folder.burn()).best(&TopKAccuracyMetric::new(3), &Split::Valid, Direction::Lowest);
    hooks.attach(training(&folder.burn(), 3)).unwrap().launch(new_learner());
    experiment.stop().unwrap();
}

#[test]
fn a_best_without_its_metric_is_said_once() {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "checkpoints::child_without_the_metric_of_the_best", "--ignored", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    assert_eq!(said.matches("no checkpoint becomes the best").count(), 1, "{said}");
    assert!(said.contains("Hooks::best") && said.contains(TopKAccuracyMetric::new(3).name().as_str()), "{said}");
}
