//! What it costs to log a training with burn: `cargo bench --profile release -p neptune-burn`.
//!
//! With neptune: everything of [`neptune_burn::Hooks`] with norms and histograms, and hardware. Without: the same training
//! with burn's own log files and checkpoints.

#[path = "../../../examples/digits/dataset.rs"]
#[expect(unused_imports, reason = "its tests are run with the example")]
mod dataset;
#[path = "../../../examples/burn_digits/model.rs"]
mod model;

use std::error::Error;

use burn::{
    optim::AdamConfig,
    tensor::Device,
    train::{
        Learner, SupervisedTraining,
        metric::{AccuracyMetric, LossMetric},
    },
};
use neptune_burn::{Hooks, QuietRenderer, launch};
use neptune_tests::{Folder, cost};

use crate::{
    dataset::Digits,
    model::{Model, loader},
};

const EPOCHS: usize = 20;
const BATCH: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    cost::main(train)
}

fn train(with_neptune: bool) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new();
    let directory = folder.path().join("burn");
    let device = Device::flex();
    device.seed(1);
    let model = Model::new(&device.clone().autodiff());
    let digits = Digits::load();
    let training = SupervisedTraining::new(
        &directory,
        loader(digits.train, BATCH, Some(1), &device),
        loader(digits.validation, BATCH, None, &device),
    )
    .metrics((LossMetric::new(), AccuracyMetric::new()))
    .renderer(Box::new(QuietRenderer))
    .num_epochs(EPOCHS);
    let learner = Learner::new(model, AdamConfig::new().init(), 0.002);
    let result = if with_neptune {
        let experiment = folder.session().experiment().start()?;
        let training =
            Hooks::new(&experiment, &directory).gradients_every(10).histograms_every(100).attach(training)?;
        launch(experiment, training, learner)
    } else {
        training.with_default_checkpointers().with_application_logger(None).launch(learner)
    };
    result.error.map_or(Ok(()), |error| Err(error.to_string().into()))
}
