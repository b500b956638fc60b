//! A [`tracing`](https://docs.rs/tracing) layer that logs to neptune: events become metrics, spans become timings.
//!
#![doc = include_str!("../CONVENTIONS.md")]

mod builder;
mod context;
mod few;
mod flush;
mod layer;
mod line;
mod number;
mod panics;
mod plan;
mod printed;
mod route;
mod settings;
mod shared;
mod spans;
mod splits;
mod target;
mod thread;
mod timing;
mod values;

pub use builder::{Builder, builder, layer};
pub use flush::{FlushGuard, flush_on_drop};
pub use layer::{Interests, NeptuneLayer, Recorder};
pub use route::{Entered, InExperiment, Inside, enter, set_experiment};

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
