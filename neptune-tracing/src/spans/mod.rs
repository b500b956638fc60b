//! Spans: which are open, where they stand among each other, and how long they were entered.

mod callbacks;
mod open;
mod position;

pub(crate) use callbacks::{closed, entered, exited, opened, recorded, release_held, trace};
pub(crate) use open::{OpenSpans, Place};
pub(crate) use position::{Child, Position, Positions};
