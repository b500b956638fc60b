//! The parts that can be used alone.

use std::sync::Arc;

use burn::{
    config::Config,
    tensor::Tensor,
    train::{
        checkpoint::KeepLastNCheckpoints,
        logger::MetricLogger as _,
        metric::{MetricAttributes, MetricDefinition, MetricId},
    },
};
use neptune_burn::{
    Channels, Hooks, NeptuneCheckpoints, NeptuneMetricLogger, NeptuneTraining as _, StepMetric, load_model, log_config,
    log_model, resume_epoch, tensor_to_image,
};
use neptune_core::{ArtifactSource, AtomValue, ErrorKind, LostReason, PixelRange};

use crate::setup::{Folder, Model, TRAIN_BATCHES, device, has, new_learner, steps, training};

#[derive(Config, Debug)]
struct Settings {
    #[config(default = 0.1)]
    rate: f64,
    optimizer: Optimizer,
}

#[derive(Config, Debug)]
struct Optimizer {
    momentum: f64,
}

#[test]
fn a_config_becomes_parameters_that_stay() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let settings = Settings::new(Optimizer::new(0.9));
    log_config(&experiment, &settings).unwrap();
    assert_eq!(experiment.atom("parameters/rate").read().unwrap(), AtomValue::Float(0.1));
    assert_eq!(experiment.atom("parameters/optimizer/momentum").read().unwrap(), AtomValue::Float(0.9));
    log_config(&experiment, &settings).unwrap();
    let other = log_config(&experiment, &settings.with_rate(0.2)).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Immutable);
    drop(experiment);
}

#[test]
fn a_model_is_described() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    log_model(&experiment, &Model::new(&device()));
    let parameters = 64 * 12 + 12 + 12 * 10 + 10;
    assert_eq!(experiment.atom("model/parameters").read().unwrap(), AtomValue::Int(parameters));
    let AtomValue::String(structure) = experiment.atom("model/structure").read().unwrap() else { panic!() };
    assert!(structure.contains("hidden: Linear"), "{structure}");
    assert!(has(&experiment, "model/devices"));
    experiment.stop().unwrap();
}

#[test]
fn the_metric_logger_works_alone() {
    for with_step_metric in [false, true] {
        let folder = Folder::new();
        let experiment = folder.experiment();
        let mut training = training(&folder.burn(), 2);
        if with_step_metric {
            training = training.metric_train(StepMetric::new()).metric_valid(StepMetric::new());
        }
        let logger = NeptuneMetricLogger::new(&experiment, folder.burn()).namespace("alone");
        training.with_metric_logger(logger).launch(new_learner());
        assert_eq!(steps(&experiment, "alone/train/loss"), (1..=2 * TRAIN_BATCHES).collect::<Vec<_>>());
        assert_eq!(steps(&experiment, "alone/valid/epoch/loss"), [1, 2]);
        assert_eq!(has(&experiment, "alone/train/learning_rate"), with_step_metric);
        experiment.stop().unwrap();
    }
}

#[test]
fn checkpoints_work_alone() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let checkpoints = NeptuneCheckpoints::new(&experiment, folder.burn()).unwrap();
    assert_eq!(checkpoints.restore_latest().unwrap(), None);
    let [model, optim, scheduler] = checkpoints.checkpointers();
    let training = training(&folder.burn(), 2)
        .with_custom_checkpointers(model, optim, scheduler)
        .with_checkpointing_strategy(checkpoints.strategy(KeepLastNCheckpoints::new(2)));
    training.launch(new_learner());
    assert_eq!(checkpoints.latest_epoch().unwrap(), Some(2));
    experiment.stop().unwrap();
}

#[test]
fn tensors_become_images_if_they_have_the_shape_of_one() {
    let image =
        |shape: [usize; 3], channels| tensor_to_image(Tensor::<3>::zeros(shape, &device()), channels, PixelRange::Unit);
    assert!(image([3, 4, 5], Channels::First).is_ok());
    assert!(image([4, 5, 1], Channels::Last).is_ok());
    let error = image([5, 4, 1], Channels::First).unwrap_err();
    assert!(error.to_string().starts_with("the tensor is no image: "), "{error}");
}

#[test]
fn a_metric_never_gets_the_path_of_something_of_ours() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let mut logger = NeptuneMetricLogger::new(&experiment, folder.burn());
    for name in ["Last Step", "Optimizer Steps", "Epoch"] {
        let name = Arc::new(name.to_owned());
        let attributes = MetricAttributes::None;
        let metric_id = MetricId::new(Arc::clone(&name));
        logger.log_metric_definition(MetricDefinition { metric_id, name, description: None, attributes });
    }
    for segment in ["last_step_2", "optimizer_steps_2", "epoch_2"] {
        assert!(has(&experiment, &format!("metrics/{segment}/name")), "{segment}");
    }
    experiment.stop().unwrap();
}

#[test]
fn what_is_not_kept_is_counted_for_its_own_reason() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let logger = NeptuneMetricLogger::new(&experiment, folder.burn()).namespace("not\u{7}a\u{7}path");
    training(&folder.burn(), 1).with_metric_logger(logger).launch(new_learner());
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 0, "{lost}");
    assert!(lost.count(LostReason::InvalidPath) > 2 * TRAIN_BATCHES as u64, "{lost}");
}

#[test]
fn a_version_without_the_files_of_burn_is_not_resumed_from() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let weights = ArtifactSource::Bytes(b"weights");
    experiment.checkpoints("checkpoints").unwrap().save(3, None, &mut [("weights.bin", weights)]).unwrap();
    let checkpoints = NeptuneCheckpoints::new(&experiment, folder.burn()).unwrap();
    assert_eq!(checkpoints.restore_latest().unwrap(), None);
    assert_eq!(checkpoints.latest_epoch().unwrap(), None);
    assert_eq!(resume_epoch(&experiment, "").unwrap(), None);
    experiment.stop().unwrap();
}

#[test]
fn the_model_of_a_checkpoint_is_loaded_by_its_alias() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let load = |which| load_model(&experiment, "", which, Model::new(&device()));
    assert!(load("best").unwrap().is_none(), "there is none yet");
    let trained = training(&folder.burn(), 2).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    assert_eq!(load("latest").unwrap().unwrap().weights(), trained.model.weights());
    assert_eq!(load("2").unwrap().unwrap().weights(), trained.model.weights());
    assert_ne!(load("1").unwrap().unwrap().weights(), trained.model.weights());
    assert!(load("newest").is_err());
    experiment.stop().unwrap();
}

#[test]
fn an_attempt_to_attach_that_fails_leaves_the_namespace_free() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    training(&folder.burn(), 1).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    let id = experiment.id().to_string();
    experiment.stop().unwrap();

    let experiment = folder.again(&id);
    let handle = experiment.handle();
    // The checkpoint cannot be written where burn reads it.
    let checkpoint = folder.burn().join("checkpoint");
    std::fs::remove_dir_all(&checkpoint).unwrap();
    std::fs::write(&checkpoint, "a file").unwrap();
    assert!(training(&folder.burn(), 2).with_neptune(&experiment, folder.burn()).is_err());
    std::fs::remove_file(&checkpoint).unwrap();
    training(&folder.burn(), 2).with_neptune(&experiment, folder.burn()).unwrap().launch(new_learner());
    assert!(!has(&handle, "training_2/train/loss"));
    assert_eq!(steps(&handle, "valid/epoch/loss"), [1, 2]);
    // Names that mean the same are the same.
    for (wanted, given) in [("stage/two", "stage/two"), ("stage//two/", "stage/two_2")] {
        let directory = folder.burn().join(given);
        let hooks = Hooks::new(&experiment, &directory).namespace(wanted);
        hooks.attach(training(&directory, 1)).unwrap().launch(new_learner());
        assert_eq!(steps(&handle, &format!("{given}/valid/epoch/loss")), [1]);
    }
    experiment.stop().unwrap();
}
