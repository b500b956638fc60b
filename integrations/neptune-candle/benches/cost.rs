//! What it costs to log a training with candle: `cargo bench --profile release -p neptune-candle`.
//!
//! With neptune: steps, losses, learning rate, gradient norms, histograms, hardware, and a checkpoint after each epoch.
//! Without: the same training, which reads its losses, as everybody does, and saves the model after each epoch.

#[path = "../../../examples/digits/dataset.rs"]
#[expect(unused_imports, reason = "its tests are run with the example")]
mod dataset;
#[path = "../../../examples/candle_digits/network.rs"]
mod network;
#[path = "../../../examples/digits/random.rs"]
#[expect(unused_imports, reason = "its tests are run with the example")]
mod random;

use std::error::Error;

use candle_core::{DType, Device};
use candle_nn::{AdamW, Optimizer as _, VarBuilder, VarMap, loss::cross_entropy};
use neptune_candle::Tracker;
use neptune_core::Goal;
use neptune_tests::{Folder, cost};

use crate::{dataset::Digits, network::Network, random::Random};

const EPOCHS: u64 = 40;
const BATCH: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    cost::main(|with_neptune| {
        let folder = Folder::new();
        if with_neptune { with(&folder) } else { without(&folder) }
    })
}

fn with(folder: &Folder) -> Result<(), Box<dyn Error>> {
    let experiment = folder.session().experiment().start()?;
    experiment.run(|experiment| -> Result<(), Box<dyn Error>> {
        let digits = Digits::load();
        let model = VarMap::new();
        let network = Network::new(&VarBuilder::from_varmap(&model, DType::F32, &Device::Cpu))?;
        network::initialise(&model, &mut Random::new(1))?;
        let checkpoints = experiment.checkpoints("checkpoints")?.keep_last(2).keep_best(1, Goal::Minimize);
        let tracker = Tracker::builder(experiment, &model).histograms_every(90).checkpoints(checkpoints).build();
        let mut optimizer = tracker.optimizer(AdamW::new_lr(model.all_vars(), 0.003)?);
        for epoch in 0..EPOCHS {
            let mut images = digits.train.clone();
            Random::new(epoch).shuffle(&mut images);
            for batch in images.chunks(BATCH) {
                let step = tracker.step();
                let (pixels, labels) = network::tensors(batch, &Device::Cpu)?;
                let loss = cross_entropy(&network.forward(&pixels)?, &labels)?;
                optimizer.backward_step(&loss)?;
                step.log("train/loss", &loss);
                step.items(batch.len());
            }
            tracker.checkpoint(None)?;
        }
        Ok(())
    })
}

fn without(folder: &Folder) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder.path())?;
    let digits = Digits::load();
    let model = VarMap::new();
    let network = Network::new(&VarBuilder::from_varmap(&model, DType::F32, &Device::Cpu))?;
    network::initialise(&model, &mut Random::new(1))?;
    let mut optimizer = AdamW::new_lr(model.all_vars(), 0.003)?;
    let mut sum = 0.0;
    for epoch in 0..EPOCHS {
        let mut images = digits.train.clone();
        Random::new(epoch).shuffle(&mut images);
        for batch in images.chunks(BATCH) {
            let (pixels, labels) = network::tensors(batch, &Device::Cpu)?;
            let loss = cross_entropy(&network.forward(&pixels)?, &labels)?;
            optimizer.backward_step(&loss)?;
            sum += loss.to_scalar::<f32>()?;
        }
        model.save(folder.path().join(format!("{}.safetensors", epoch % 3)))?;
    }
    if sum.is_nan() { Err("the loss is NaN".into()) } else { Ok(()) }
}
