//! A small network learns to read handwritten digits, and neptune keeps what happened. Run it from any folder:
//! `cargo run --release --example digits`. It keeps what it logs under `NEPTUNE_DIR`, by default `./.neptune`. Behind `--` a learning
//! rate may follow, so that there is something to compare: `cargo run --release --example digits -- 0.3`.
//!
//! The training itself knows nothing of neptune: only this file does.

#[path = "digits/dataset.rs"]
mod dataset;
#[path = "digits/network.rs"]
mod network;
#[path = "digits/random.rs"]
mod random;

use std::env;
use std::error::Error;
use std::io::{self, Write as _};

use neptune_core::{Experiment, Session};
use serde::Serialize;

use crate::dataset::Digits;
use crate::network::{Descent, Network};
use crate::random::Random;

/// Everything that a run depends on: the same values give the same run.
#[derive(Debug, Serialize)]
struct Params {
    hidden: usize,
    epochs: usize,
    batch_size: usize,
    seed: u64,
    descent: Descent,
}

fn main() -> Result<(), Box<dyn Error>> {
    let learning_rate = match env::args().nth(1) {
        Some(rate) => rate.parse().map_err(|error| format!("the learning rate {rate:?}: {error}"))?,
        None => 0.1,
    };
    let params =
        Params { hidden: 32, epochs: 30, batch_size: 16, seed: 1, descent: Descent { learning_rate, momentum: 0.5 } };

    let session = Session::from_env()?;
    let experiment = session
        .experiment()
        .project("examples/digits")
        .name("8x8 digits, 64-32-10")
        .description("a two-layer perceptron on the UCI handwritten digits, in plain Rust")
        .params(&params)
        .property("dataset/source", "UCI optical digits")
        .tags(["example", "mlp"])
        .start()?;
    let short_id = experiment.short_id().map(str::to_owned);

    // Whether `train` returns, fails or panics, the experiment ends in the state that tells which.
    let best = experiment.run(|experiment| train(experiment, &params))?;

    let mut out = io::stdout().lock();
    writeln!(out, "best validation accuracy: {:.1} %", 100.0 * best)?;
    match short_id {
        Some(id) => writeln!(out, "look at it: cargo run --release -p neptune-cli -- show {id}")?,
        None => writeln!(out, "recorded offline; store it: cargo run --release -p neptune-cli -- sync")?,
    }
    Ok(())
}

/// Trains for all epochs, and returns the best share of held-out images that were read correctly after an epoch.
fn train(experiment: &Experiment, params: &Params) -> Result<f64, Box<dyn Error>> {
    let mut digits = Digits::load();
    let mut random = Random::new(params.seed);
    let mut network = Network::new(params.hidden, &mut random);

    // The handle is made once: appending to it looks nothing up.
    let loss = experiment.series::<f64>("train/loss")?;
    let mut step = 0_usize;
    let mut best = 0.0;

    for epoch in 1..=params.epochs {
        random.shuffle(&mut digits.train);
        for batch in digits.train.chunks(params.batch_size) {
            loss.append_at(step, network.learn(batch, &params.descent));
            step += 1;
        }

        let train = network.evaluate(&digits.train);
        let validation = network.evaluate(&digits.validation);
        experiment.log_metrics(
            epoch,
            [
                ("train/accuracy", train.accuracy),
                ("validation/accuracy", validation.accuracy),
                ("validation/loss", validation.loss),
            ],
        );
        if validation.accuracy > best {
            best = validation.accuracy;
            experiment.log_text("notes", format!("epoch {epoch} is the best so far"));
            experiment.atom("best/validation_accuracy").assign(best);
            experiment.atom("best/epoch").assign(epoch);
        }
        if epoch == 1 || epoch % 5 == 0 {
            writeln!(
                io::stdout(),
                "epoch {epoch:2}  loss {:.4}  accuracy {:5.1} %  held out: loss {:.4}  accuracy {:5.1} %",
                train.loss,
                100.0 * train.accuracy,
                validation.loss,
                100.0 * validation.accuracy,
            )?;
        }
    }
    Ok(best)
}
