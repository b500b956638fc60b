//! A small convolutional network learns to read handwritten digits with candle, and neptune keeps what happened: losses,
//! gradients, histograms, checkpoints, and the digits that are misread. Run it from any folder:
//! `cargo run --release -p neptune-candle --example candle_digits`. It keeps what it logs under `NEPTUNE_DIR`, by default
//! `./.neptune`.
//!
//! Give it the id of an experiment to resume: `... --example candle_digits -- DIG-1`. Killed at any moment, it goes on from
//! its latest checkpoint, on the same curves. `neptune abort DIG-1` ends it early.

#[path = "candle_digits/confusion.rs"]
mod confusion;
#[path = "digits/dataset.rs"]
mod dataset;
#[path = "candle_digits/network.rs"]
mod network;
#[path = "digits/random.rs"]
mod random;

use std::{
    env,
    error::Error,
    io::{self, Write as _},
};

use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, Optimizer as _, ParamsAdamW, VarBuilder, VarMap, loss::cross_entropy};
use neptune_candle::{PixelRange, Tracker, image_grid};
use neptune_core::{AtomValue, Experiment, Goal, Image, Session};
use serde::Serialize;

use crate::{confusion::Confusion, dataset::Digits, network::Network, random::Random};

/// Everything that a run depends on: the same values give the same run.
#[derive(Debug, Serialize)]
struct Params {
    epochs: u64,
    batch_size: usize,
    learning_rate: f64,
    weight_decay: f64,
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let params = Params { epochs: 12, batch_size: 32, learning_rate: 0.003, weight_decay: 0.01, seed: 1 };

    let session = Session::from_env()?;
    let experiment = match env::args().nth(1) {
        Some(id) => session.attach(&id),
        None => session.experiment(),
    };
    let experiment = experiment
        .project("examples/digits")
        .name("8x8 digits, two convolutions")
        .description("a convolutional network on the UCI handwritten digits, in candle")
        .params(&params)
        .property("dataset/source", "UCI optical digits")
        .tags(["example", "candle", "cnn"])
        .start()?;
    let short_id = experiment.short_id().map(str::to_owned);

    // Whether `train` returns, fails, panics or is asked to end, the experiment ends in the state that tells which.
    let best = experiment.run(|experiment| train(experiment, &params))?;

    let mut out = io::stdout().lock();
    if let Some(best) = best {
        writeln!(out, "best validation accuracy: {:.1} %", 100.0 * best)?;
    }
    match short_id {
        Some(id) => writeln!(out, "look at it: cargo run --release -p neptune-cli -- show {id}")?,
        None => writeln!(out, "recorded offline; store it: cargo run --release -p neptune-cli -- sync")?,
    }
    Ok(())
}

/// Trains for all epochs, or goes on with those that are left. Returns the best validation accuracy after an epoch.
fn train(experiment: &Experiment, params: &Params) -> Result<Option<f64>, Box<dyn Error>> {
    let digits = Digits::load();
    let device = Device::Cpu;

    let model = VarMap::new();
    let network = Network::new(&VarBuilder::from_varmap(&model, DType::F32, &device))?;
    network::initialise(&model, &mut Random::new(params.seed))?;

    let checkpoints = experiment.checkpoints("checkpoints")?.keep_last(2).keep_best(1, Goal::Maximize);
    let tracker = Tracker::builder(experiment, &model).histograms_every(90).checkpoints(checkpoints.clone()).build();
    let adam = ParamsAdamW { lr: params.learning_rate, weight_decay: params.weight_decay, ..ParamsAdamW::default() };
    let mut optimizer = tracker.optimizer(AdamW::new(model.all_vars(), adam)?);

    // There is a checkpoint after each epoch. On the first start there is none.
    let batches = digits.train.len().div_ceil(params.batch_size) as u64;
    let epochs_done = match tracker.restore("latest")? {
        Some(restored) => restored.step / batches,
        None => 0,
    };

    for epoch in epochs_done..params.epochs {
        // A random state of each epoch: a run that was resumed sees the same batches.
        let mut images = digits.train.clone();
        Random::new(params.seed + epoch).shuffle(&mut images);
        // The learning rate falls to a tenth, along a line.
        let progress = epoch as f64 / params.epochs as f64;
        optimizer.set_learning_rate(params.learning_rate * (1.0 - 0.9 * progress));

        for batch in images.chunks(params.batch_size) {
            let step = tracker.step();
            let (pixels, labels) = network::tensors(batch, &device)?;
            let loss = cross_entropy(&network.forward(&pixels)?, &labels)?;
            optimizer.backward_step(&loss)?;
            step.log("train/loss", &loss);
            step.items(batch.len());
            if tracker.abort_requested().is_some() {
                return best(&checkpoints);
            }
        }

        let (loss, accuracy) = validate(experiment, &tracker, &network, &digits)?;
        tracker.checkpoint(accuracy)?;
        writeln!(io::stdout(), "epoch {:2}  held out: loss {loss:.4}  accuracy {:5.1} %", epoch + 1, 100.0 * accuracy)?;
    }
    best(&checkpoints)
}

/// Reads the images that are held out, and logs how well. Returns the mean loss and the share that was read correctly.
fn validate(
    experiment: &Experiment,
    tracker: &Tracker,
    network: &Network,
    digits: &Digits,
) -> Result<(f64, f64), Box<dyn Error>> {
    let (pixels, labels) = network::tensors(&digits.validation, &Device::Cpu)?;
    let logits = network.forward(&pixels)?;
    let loss = f64::from(cross_entropy(&logits, &labels)?.to_scalar::<f32>()?);
    let confusion = Confusion::new(&labels.to_vec1()?, &logits.argmax(1)?.to_vec1()?);
    tracker.log_value("validation/loss", loss);
    tracker.log_value("validation/accuracy", confusion.accuracy());

    let step = tracker.steps_done();
    experiment.atom("validation/confusion").assign(AtomValue::Json(confusion.to_json()));
    experiment.series::<Image>("validation/confusion_image")?.append_at(step, confusion.to_image()?);
    if !confusion.misread.is_empty() {
        let (indices, description) = confusion.misread(48);
        // Each pixel is drawn as four by four; ink is black.
        let misread = pixels.index_select(&Tensor::new(indices, &Device::Cpu)?, 0)?.upsample_nearest2d(32, 32)?;
        let grid = image_grid(&misread.affine(-1.0, 1.0)?, 8, PixelRange::Unit)?.description(description);
        experiment.series::<Image>("validation/misread")?.append_at(step, grid);
    }
    Ok((loss, confusion.accuracy()))
}

/// The accuracy of the best checkpoint.
fn best(checkpoints: &neptune_core::Checkpoints) -> Result<Option<f64>, Box<dyn Error>> {
    Ok(checkpoints.find("best")?.and_then(|checkpoint| checkpoint.metric))
}
