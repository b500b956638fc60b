//! Behaviour of neptune from outside, each test a sentence, with real folders and real processes.

#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and compares what must be exact"
)]

mod bad_input;
mod crash;
mod damage;
mod ending;
mod fixtures;
mod layer;
mod processes;
mod recording;
mod tidy;
