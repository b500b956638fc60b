//! A program that speaks `tracing` becomes an experiment by one layer: `cargo run --release --example tracing_layer`.
//!
//! The trainer, `tracing_layer/trainer.rs`, knows nothing of neptune. Its numbers become metrics, its spans timings, its
//! warnings lines of a log; what it prints on the terminal stays as it was.

#[path = "digits/dataset.rs"]
mod dataset;
#[path = "digits/network.rs"]
mod network;
#[path = "digits/random.rs"]
mod random;
#[path = "tracing_layer/trainer.rs"]
mod trainer;

use std::error::Error;
use std::io::{self, Write as _};

use neptune_core::Session;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let session = Session::from_env()?;
    let experiment = session.experiment().project("examples/tracing").name("8x8 digits, traced").start()?;
    let id = experiment.short_id().unwrap_or("ID").to_owned();

    let layer = neptune_tracing::builder()
        .experiment(&experiment)
        // The trainer names its numbers plainly: `loss`, not `metric.loss`.
        .metrics_from("tracing_layer::trainer")
        // It marks its steps at DEBUG, and they are to be timed too.
        .timings(Targets::new().with_target("tracing_layer", LevelFilter::DEBUG))
        .layer();
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().without_time().with_filter(LevelFilter::INFO))
        .with(layer)
        .init();

    let descent = network::Descent { learning_rate: 0.1, momentum: 0.5 };
    tracing::info!(param.learning_rate = descent.learning_rate, param.momentum = descent.momentum, tag = "example");
    let accuracy = trainer::train(&descent);
    experiment.stop()?;

    let mut out = io::stdout().lock();
    writeln!(out, "\n{:.1} % of held-out images are read correctly; look at it:", 100.0 * accuracy)?;
    for command in [format!("show {id}"), format!("timings {id}"), format!("trace {id} --slowest -o step.json")] {
        writeln!(out, "  cargo run --release -p neptune-cli -- {command}")?;
    }
    Ok(())
}
