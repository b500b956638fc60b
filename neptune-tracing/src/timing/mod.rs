//! Timings: from a span that was left to statistics in the experiment.
//!
//! The thread that leaves a span puts a sample into a ring of its own ([`ring`]). A background thread ([`collector`]) takes
//! the samples of all threads into histograms ([`statistics`]), logs those every [`collector::WINDOW`], and keeps the spans
//! of some steps whole ([`timeline`]). A thread whose ring is full empties it into its own histograms itself.

mod collector;
mod ring;
mod statistics;
mod steps;
mod timeline;

pub(crate) use collector::{Collector, LOOK, Log, seconds};
pub(crate) use ring::{Kind, Sample, ThreadTimings};
