//! A program that trains and says what it does through `tracing`, as it did before anybody thought of an experiment tracker.

use tracing::{debug, debug_span, info, info_span, instrument, warn};

use crate::{
    dataset::{Digits, Image},
    network::{Descent, Evaluation, Network},
    random::Random,
};

const EPOCHS: u32 = 30;
const BATCH: usize = 16;

/// Trains, and returns the share of held-out images that are read correctly in the end.
#[instrument(skip_all)]
pub(crate) fn train(descent: &Descent) -> f64 {
    let mut random = Random::new(1);
    let mut digits = load();
    let mut network = Network::new(32, &mut random);
    let mut step = 0_u32;
    let mut best = 0.0;
    let mut accuracy = 0.0;
    for epoch in 1..=EPOCHS {
        let _epoch = info_span!("epoch", epoch).entered();
        random.shuffle(&mut digits.train);
        for batch in digits.train.chunks(BATCH) {
            let _step = debug_span!("step", step).entered();
            let loss = learn(&mut network, batch, descent);
            debug!(loss, batch.size = batch.len(), split = "train");
            step += 1;
        }
        let held_out = evaluate(&network, &digits.validation);
        accuracy = held_out.accuracy;
        if epoch % 5 == 0 {
            info!(accuracy, loss = held_out.loss, split = "validation", "epoch done");
        } else {
            debug!(accuracy, loss = held_out.loss, split = "validation", "epoch done");
        }
        if accuracy < best - 0.01 {
            warn!(best, "held-out accuracy fell");
        }
        best = f64::max(best, accuracy);
    }
    accuracy
}

#[instrument(skip_all)]
fn load() -> Digits {
    Digits::load()
}

#[instrument(skip_all)]
fn learn(network: &mut Network, batch: &[Image], descent: &Descent) -> f64 {
    network.learn(batch, descent)
}

#[instrument(skip_all)]
fn evaluate(network: &Network, images: &[Image]) -> Evaluation {
    network.evaluate(images)
}
