//! The parts that can be used alone.

use burn::{config::Config, tensor::Tensor, train::checkpoint::KeepLastNCheckpoints};
use neptune_burn::{
    Channels, NeptuneCheckpoints, NeptuneMetricLogger, StepMetric, log_config, log_model, tensor_to_image,
};
use neptune_core::{AtomValue, ErrorKind, PixelRange};

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
