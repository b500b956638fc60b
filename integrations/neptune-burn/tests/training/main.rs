//! Trainings of a small network on handwritten digits, with and without neptune.

#![expect(clippy::unwrap_used, reason = "a test whose setup fails has failed")]

mod checkpoints;
#[path = "../../../../examples/digits/dataset.rs"]
mod dataset;
mod ending;
mod evaluation;
mod gradients;
mod metrics;
mod parts;
mod resume;
mod same;
mod setup;
mod stale;
