//! A training that was killed goes on where its last checkpoint is, and its curves show nothing of it.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use burn::train::{
    checkpoint::MetricCheckpointingStrategy,
    metric::{
        LossMetric,
        store::{Aggregate, Direction, Split},
    },
};
use neptune_burn::{Hooks, NeptuneTraining as _, launch, resume_epoch};
use neptune_core::Session;

use crate::setup::{
    Folder, Model, TRAIN_BATCHES, VALID_BATCHES, device, learner, loader, mislabelled, new_learner, points, steps,
    training, training_on, values,
};

const EPOCHS: usize = 4;

/// Trains until a panic in the fifth batch of the third epoch, and returns the id of the experiment.
fn interrupted(folder: &Folder) -> String {
    let experiment = folder.experiment();
    let id = experiment.id().to_string();
    let training = training(&folder.burn(), EPOCHS).with_neptune(&experiment, folder.burn()).unwrap();
    let model = Model::new(&device()).with_mischief(|step| assert!(step < 2 * TRAIN_BATCHES + 5, "out of memory"));
    assert!(catch_unwind(AssertUnwindSafe(|| launch(experiment, training, learner(model)))).is_err());
    id
}

#[test]
fn the_program_started_again_goes_on_behind_the_last_checkpoint() {
    let folder = Folder::new();
    let id = interrupted(&folder);
    // The other machine that it goes on has nothing of burn's.
    fs::remove_dir_all(folder.burn()).unwrap();

    let experiment = folder.again(&id);
    let handle = experiment.handle();
    assert_eq!(resume_epoch(&experiment, "").unwrap(), Some(2));
    let training = training(&folder.burn(), EPOCHS).with_neptune(&experiment, folder.burn()).unwrap();
    let result = launch(experiment, training, new_learner());
    assert!(result.error.is_none());

    assert_eq!(steps(&handle, "train/loss"), (1..=EPOCHS * TRAIN_BATCHES).collect::<Vec<_>>());
    assert_eq!(steps(&handle, "valid/loss"), (1..=EPOCHS * VALID_BATCHES).collect::<Vec<_>>());
    assert_eq!(steps(&handle, "valid/epoch/loss"), [1, 2, 3, 4]);
    assert_eq!(steps(&handle, "gradients/total_norm").len(), 2, "of steps 1 and 51");
    // The schedule went on where it was: no jump in the learning rate.
    let rates = values(&handle, "train/learning_rate");
    let fall = rates[0] - rates[1];
    assert!(rates.windows(2).all(|pair| (pair[0] - pair[1] - fall).abs() < 1e-9), "{rates:?}");
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn burn_is_given_the_means_of_epochs_whose_files_are_gone() {
    let folder = Folder::new();
    let id = interrupted(&folder);
    fs::remove_dir_all(folder.burn()).unwrap();
    let experiment = folder.again(&id);
    // From wrong labels it gets worse at once. With nothing to compare with, burn would take the third epoch for the best.
    let best = MetricCheckpointingStrategy::new(&LossMetric::new(), Aggregate::Mean, Direction::Lowest, Split::Valid);
    let hooks = Hooks::new(&experiment, folder.burn()).strategy(best);
    hooks.attach(training_on(mislabelled(), &folder.burn(), 3)).unwrap().launch(new_learner());
    let losses = values(&experiment, "valid/epoch/loss");
    assert!(losses[2] > losses[1], "{losses:?}");
    assert!(!folder.burn().join("checkpoint/model-3.bpk").exists());
    assert_eq!(resume_epoch(&experiment, "").unwrap(), Some(2));
    experiment.stop().unwrap();
}

#[test]
fn steps_go_on_even_if_batches_have_another_size() {
    let folder = Folder::new();
    let id = interrupted(&folder);
    let experiment = folder.again(&id);
    // 6 batches an epoch instead of 13.
    let training = training_on(loader(0, 48), &folder.burn(), 3).with_neptune(&experiment, folder.burn()).unwrap();
    training.launch(new_learner());
    let ends = points(&experiment, "train/epoch/last_step");
    assert_eq!(ends, [(1, 13.0), (2, 26.0), (3, 32.0)]);
    experiment.stop().unwrap();
}

#[test]
fn a_new_experiment_in_the_same_directory_starts_anew() {
    let folder = Folder::new();
    interrupted(&folder);
    let experiment = folder.experiment();
    training(&folder.burn(), 1).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    assert_eq!(steps(&experiment, "train/loss"), (1..=TRAIN_BATCHES).collect::<Vec<_>>());
    experiment.stop().unwrap();
}

#[test]
fn the_weights_come_from_the_experiment_and_not_from_what_lies_in_the_directory() {
    let folder = Folder::new();
    let id = interrupted(&folder);
    let here = folder.burn().join("checkpoint");
    for name in ["model", "optim", "scheduler"] {
        fs::write(here.join(format!("{name}-2.bpk")), "of another experiment").unwrap();
    }
    let experiment = folder.again(&id);
    let hooks = Hooks::new(&experiment, folder.burn());
    let result = launch(experiment, hooks.attach(training(&folder.burn(), 3)).unwrap(), new_learner());
    assert!(result.error.is_none());
}

#[test]
fn from_scratch_replaces_what_was_there() {
    let folder = Folder::new();
    let id = interrupted(&folder);
    let experiment = folder.again(&id);
    let hooks = Hooks::new(&experiment, folder.burn()).from_scratch();
    hooks.attach(training(&folder.burn(), 1)).unwrap().launch(new_learner());
    assert_eq!(points(&experiment, "train/epoch/last_step")[0], (1, 13.0));
    let latest = experiment.checkpoints("checkpoints").unwrap().find("1").unwrap().unwrap();
    assert_eq!(latest.files.len(), 3);
    experiment.stop().unwrap();
}

/// The folders of the child, when this test is it.
const CHILD: &str = "NEPTUNE_BURN_TEST_CHILD";

/// Not a test of its own: the process that the next one kills.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_is_killed() {
    let Some(folder) = env::var_os(CHILD) else { return };
    let folder = Path::new(&folder);
    let session =
        Session::builder().folder(folder.join("neptune")).project("tests/burn").without_code().open().unwrap();
    let experiment = session.experiment().start().unwrap();
    let training = training(&folder.join("burn"), EPOCHS).with_neptune(&experiment, folder.join("burn")).unwrap();
    let marker = folder.join("marker");
    let id = experiment.id().to_string();
    let model = Model::new(&device()).with_mischief(move |step| {
        if step == 3 * TRAIN_BATCHES + 5 {
            fs::write(&marker, &id).unwrap();
            // Until it is killed; a test that forgets to ends all the same.
            thread::park_timeout(Duration::from_mins(1));
        }
    });
    launch(experiment, training, learner(model));
}

#[test]
fn a_process_that_was_killed_leaves_curves_without_a_seam() {
    let folder = Folder::new();
    let root = folder.burn();
    fs::create_dir_all(&root).unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "resume::child_that_is_killed", "--ignored", "--nocapture"])
        .env(CHILD, &root)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let marker = root.join("marker");
    let id = loop {
        match fs::read_to_string(&marker) {
            Ok(id) if !id.is_empty() => break id,
            _ => thread::park_timeout(Duration::from_millis(5)),
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
    };
    child.kill().unwrap();
    child.wait().unwrap();

    let session = Session::builder().folder(root.join("neptune")).project("tests/burn").without_code().open().unwrap();
    let experiment = session.experiment().id(&id).start().unwrap();
    let handle = experiment.handle();
    assert_eq!(resume_epoch(&experiment, "").unwrap(), Some(3));
    let training = training(&root.join("burn"), EPOCHS).with_neptune(&experiment, root.join("burn")).unwrap();
    launch(experiment, training, new_learner());

    assert_eq!(steps(&handle, "train/loss"), (1..=EPOCHS * TRAIN_BATCHES).collect::<Vec<_>>());
    let rates = values(&handle, "train/learning_rate");
    let fall = rates[0] - rates[1];
    assert!(rates.windows(2).all(|pair| (pair[0] - pair[1] - fall).abs() < 1e-9), "{rates:?}");
    // What was logged of the first epochs is what an undisturbed training has.
    let undisturbed = folder.experiment();
    let directory = folder.burn().join("undisturbed");
    let training = crate::setup::training(&directory, 3).with_neptune(&undisturbed, &directory).unwrap();
    training.launch(new_learner());
    assert_eq!(values(&handle, "train/loss")[..3 * TRAIN_BATCHES], values(&undisturbed, "train/loss"));
    undisturbed.stop().unwrap();
}
