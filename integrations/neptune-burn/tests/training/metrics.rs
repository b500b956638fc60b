//! What the metric logger and the progress logger write, and where.

use burn::{
    tensor::TensorReadError,
    train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry},
};
use neptune_burn::{Hooks, NeptuneTraining as _, launch};
use neptune_core::AtomValue;

use crate::setup::{Folder, TRAIN_BATCHES, VALID_BATCHES, files, has, new_learner, points, steps, training, values};

#[test]
fn every_batch_has_its_step_over_all_epochs_and_splits() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    let training = training(&folder.burn(), 3).with_neptune(&experiment, folder.burn()).unwrap();
    let result = training.launch(new_learner());
    assert!(result.error.is_none() && result.interrupted.is_none());

    for metric in ["loss", "accuracy", "learning_rate"] {
        let expected: Vec<usize> = (1..=3 * TRAIN_BATCHES).collect();
        assert_eq!(steps(&handle, &format!("train/{metric}")), expected, "{metric}");
    }
    assert_eq!(steps(&handle, "valid/loss"), (1..=3 * VALID_BATCHES).collect::<Vec<_>>());
    assert!(!has(&handle, "valid/learning_rate"), "validation has none");
    assert_eq!(steps(&handle, "valid/epoch/loss"), [1, 2, 3]);
    let ends = [1, 2, 3].map(|epoch| (epoch, (epoch * TRAIN_BATCHES) as f64));
    assert_eq!(points(&handle, "train/epoch/last_step"), ends);

    // The schedule falls from 0.2 to 0.02 in 200 steps.
    let rates = values(&handle, "train/learning_rate");
    assert!(rates.windows(2).all(|pair| pair[1] < pair[0]), "{rates:?}");
    assert!((rates[0] - 0.2).abs() < 1e-3, "{rates:?}");
    drop(experiment);
}

#[test]
fn the_numbers_are_those_that_burn_has() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    training(&folder.burn(), 2).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());

    for (split, batches) in [("train", TRAIN_BATCHES), ("valid", VALID_BATCHES)] {
        for epoch in [1, 2] {
            let file = folder.burn().join(split).join(format!("epoch-{epoch}")).join("Loss.log");
            let text = std::fs::read_to_string(file).unwrap();
            let lines: Vec<f64> = text.lines().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
            let logged = &values(&handle, &format!("{split}/loss"))[(epoch - 1) * batches..epoch * batches];
            assert_eq!(logged, &lines[..batches], "{split} {epoch}");
            let means = values(&handle, &format!("{split}/epoch/loss"));
            assert_eq!(means[epoch - 1].to_bits(), lines[batches].to_bits());
        }
    }
    assert!(
        !files(&folder.burn()).iter().any(|(name, _)| name.to_lowercase().contains("step")),
        "no file of our metric"
    );
    drop(experiment);
}

#[test]
fn metrics_are_defined_by_unit_and_direction() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    training(&folder.burn(), 1).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    let atom = |path: &str| experiment.atom(path).read().unwrap();
    assert_eq!(atom("metrics/accuracy/unit"), AtomValue::String("%".into()));
    assert_eq!(atom("metrics/accuracy/higher_is_better"), AtomValue::Bool(true));
    assert_eq!(atom("metrics/accuracy/name"), AtomValue::String("Accuracy".into()));
    assert_eq!(atom("metrics/loss/higher_is_better"), AtomValue::Bool(false));
    assert!(!has(&experiment, "metrics/loss/unit"));
    assert!(!has(&experiment, "metrics/neptune_step/name"), "ours is not one of theirs");
    experiment.stop().unwrap();
}

/// Says every other batch what the last one was.
#[derive(Debug, Clone)]
struct Remark;

impl Metric for Remark {
    type Input = ();

    fn name(&self) -> MetricName {
        "A Remark".to_owned().into()
    }

    fn update(&mut self, (): &(), metadata: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        let text = format!("pair {}", metadata.iteration.unwrap().div_ceil(2));
        Ok(SerializedEntry::new(text.clone(), text))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(SerializedEntry::new("the end".into(), "the end".into()))
    }

    fn clear(&mut self) {}
}

#[test]
fn texts_are_logged_when_they_change() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let training = training(&folder.burn(), 1).metric_train(Remark);
    training.with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    let remarks = experiment.series::<String>("train/a_remark").unwrap().all().unwrap();
    let said: Vec<(f64, &str)> = remarks.iter().map(|point| (point.step, point.value.as_str())).collect();
    assert_eq!(said[..3], [(1.0, "pair 1"), (3.0, "pair 2"), (5.0, "pair 3")]);
    assert_eq!(said.len(), TRAIN_BATCHES.div_ceil(2));
    experiment.stop().unwrap();
}

#[test]
fn the_progress_of_a_training_is_known() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let training = training(&folder.burn(), 2).label("a small network");
    training.with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    let atom = |name: &str| experiment.atom(&format!("progress/{name}")).read().unwrap();
    assert_eq!(atom("percent"), AtomValue::Float(100.0));
    assert_eq!(atom("eta_seconds"), AtomValue::Float(0.0));
    assert_eq!(atom("total_epochs"), AtomValue::Int(2));
    assert_eq!(atom("epoch"), AtomValue::Int(2));
    assert_eq!(atom("split"), AtomValue::String("valid".into()));
    assert_eq!(atom("label"), AtomValue::String("a small network".into()));
    assert_eq!(steps(&experiment, "progress/epoch_seconds"), [1, 2]);
    experiment.stop().unwrap();
}

#[test]
fn two_trainings_of_one_experiment_do_not_mix() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let handle = experiment.handle();
    for (stage, epochs) in [("pretraining", 1), ("finetuning", 2)] {
        let directory = folder.burn().join(stage);
        let hooks = Hooks::new(&experiment, &directory).namespace(stage);
        hooks.attach(training(&directory, epochs)).unwrap().launch(new_learner());
    }
    assert_eq!(steps(&handle, "pretraining/train/loss").len(), TRAIN_BATCHES);
    assert_eq!(steps(&handle, "finetuning/train/loss").len(), 2 * TRAIN_BATCHES);

    // Whoever forgets to name them does not lose points, nor go on from the checkpoint of another model.
    for (training_epochs, path) in [(2, "train/loss"), (1, "training_2/train/loss")] {
        let directory = folder.burn().join(path);
        let training = training(&directory, training_epochs).with_neptune(&experiment, &directory).unwrap();
        training.launch(new_learner());
        assert_eq!(steps(&handle, path).len(), training_epochs * TRAIN_BATCHES, "{path}");
    }
    experiment.stop().unwrap();
}

#[test]
fn nobody_takes_the_global_subscriber() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    // As burn makes it: with the logger that would take it.
    let training =
        burn::train::SupervisedTraining::new(folder.burn(), crate::setup::loader(0, 16), crate::setup::loader(16, 16));
    let training = training.renderer(Box::new(neptune_burn::QuietRenderer)).with_neptune(&experiment, folder.burn());
    launch(experiment, training.unwrap(), new_learner());
    assert!(!tracing::dispatcher::has_been_set());
    assert!(!folder.burn().join("experiment.log").exists());
}
