//! Spans: which are open, where they stand among each other, and how long they were entered.

mod callbacks;
mod open;
mod position;

pub(crate) use callbacks::{Around, closed, dropped, entered, exited, opened, recorded, release_all, trace};
pub(crate) use open::{OpenSpan, OpenSpans, Place};
pub(crate) use position::{Child, Position, Positions};
