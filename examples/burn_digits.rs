//! A small convolutional network learns to read handwritten digits with burn, and neptune keeps what happened. Run it from
//! any folder: `cargo run --release -p neptune-burn --example burn_digits`. It keeps what it logs under `NEPTUNE_DIR`, by
//! default `./.neptune`.
//!
//! Killed, it goes on from its last checkpoint when it is given the id of its experiment: `burn_digits BUR-1`. It trains for
//! longer with `--epochs 40`.

#[path = "digits/dataset.rs"]
mod dataset;
#[path = "burn_digits/mistakes.rs"]
mod mistakes;
#[path = "burn_digits/model.rs"]
mod model;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use burn::config::Config;
use burn::data::dataloader::DataLoader;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{EvaluatorBuilder, Learner, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining};
use neptune_burn::{Hooks, NeptuneRenderer, QuietRenderer, load_model, log_config, log_model};
use neptune_core::{ExperimentHandle, Session};

use crate::dataset::{Digits, Image};
use crate::model::{Batch, Model, loader};

/// Everything that a run depends on but for its length: the same values give the same run.
#[derive(Config, Debug)]
struct Settings {
    #[config(default = 32)]
    batch_size: usize,
    #[config(default = 0.002)]
    learning_rate: f64,
    /// How many epochs without a lower loss of validation are enough.
    #[config(default = 4)]
    patience: usize,
    #[config(default = 1)]
    seed: u64,
    optimizer: AdamConfig,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let settings = Settings::new(AdamConfig::new());

    let session = Session::from_env()?;
    let mut experiment = session
        .experiment()
        .project("examples/burn")
        .name("8x8 digits, small CNN")
        .description("a small convolutional network on the UCI handwritten digits, in burn")
        .property("dataset/source", "UCI optical digits")
        .tags(["example", "burn", "cnn"]);
    if let Some(id) = &arguments.id {
        experiment = experiment.id(id);
    }
    let experiment = experiment.start()?;
    log_config(&experiment, &settings)?;

    // Where burn keeps its own files: a folder for each experiment. What it needs to go on, neptune gives it back.
    let directory = std::env::temp_dir().join(format!("burn_digits-{}", experiment.id()));
    let device = Device::flex();
    device.seed(settings.seed);
    let model = Model::new(&device.clone().autodiff());
    log_model(&experiment, &model);

    let digits = Digits::load();
    let training = SupervisedTraining::new(
        &directory,
        loader(digits.train, settings.batch_size, Some(settings.seed), &device),
        loader(digits.validation.clone(), settings.batch_size, None, &device),
    )
    .metrics((LossMetric::new(), AccuracyMetric::new()))
    .early_stopping(MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: settings.patience },
    ))
    // burn's own renderer prints a line with every batch.
    .renderer(Box::new(QuietRenderer))
    .num_epochs(arguments.epochs);

    // Everything is attached here: metrics, progress, checkpoints and going on from them, aborting, norms and histograms.
    let training = Hooks::new(&experiment, &directory).gradients_every(10).histograms_every(100).attach(training)?;
    let result = training.launch(Learner::new(model, settings.optimizer.init(), settings.learning_rate));

    // A panic fails the experiment, here as in the training. So does an error, with what it says.
    let held_out = loader(digits.validation.clone(), settings.batch_size, None, &device);
    let correct = evaluate(&experiment, &directory, result.model.clone(), held_out, &digits.validation, &device);
    let correct = match correct {
        Ok(correct) => correct,
        Err(error) => {
            experiment.fail(&error)?;
            return Err(error);
        }
    };
    let short_id = experiment.short_id().map(str::to_owned);
    neptune_burn::end(experiment, &result);

    let mut out = io::stdout().lock();
    writeln!(out, "the best checkpoint reads {:.1} % of the held-out digits", 100.0 * correct)?;
    match short_id {
        Some(id) => writeln!(out, "look at it: cargo run --release -p neptune-cli -- show {id}")?,
        None => writeln!(out, "recorded offline; store it: cargo run --release -p neptune-cli -- sync")?,
    }
    Ok(())
}

/// Logs how the model of the best checkpoint does on held-out digits, `last` when there is none, and what it misreads. Returns
/// the share that it reads correctly.
fn evaluate(
    experiment: &ExperimentHandle,
    directory: &Path,
    last: Model,
    held_out: Arc<dyn DataLoader<Batch>>,
    images: &[Image],
    device: &Device,
) -> Result<f64, Box<dyn Error>> {
    let best = load_model(experiment, "", "best", last.clone())?.unwrap_or(last);
    EvaluatorBuilder::new(directory)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .renderer(Box::new(NeptuneRenderer::new(experiment, Box::new(QuietRenderer))))
        .with_application_logger(None)
        .build(best.clone())
        .eval("best", held_out);
    mistakes::log(experiment, &best, images, device)
}

/// What was said on the command line.
struct Arguments {
    /// The experiment to go on with.
    id: Option<String>,
    epochs: usize,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut parsed = Self { id: None, epochs: 20 };
        while let Some(argument) = arguments.next() {
            if argument == "--epochs" {
                parsed.epochs = arguments.next().ok_or("--epochs needs a number")?.parse()?;
            } else {
                parsed.id = Some(argument);
            }
        }
        Ok(parsed)
    }
}
