//! Behaviour of neptune from outside, each test a sentence, with real folders and real processes.

#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and compares what must be exact"
)]

mod aborting;
mod artifacts;
mod bad_input;
mod checkpoints;
mod clocks;
mod code;
mod console;
mod crash;
mod crowd;
mod damage;
mod deaths;
mod downloads;
mod echo;
mod ending;
mod fetching;
mod fixtures;
mod hardware;
mod images;
mod json_protocol;
mod layer;
mod modes;
mod processes;
mod quota;
mod reading;
mod recording;
mod removal;
mod seeds;
mod signals;
mod tidy;
mod time_travel;
