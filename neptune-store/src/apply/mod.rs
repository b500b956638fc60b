//! Applying entries of a journal to the tables: the only way into a store.
//!
//! Everything of one call happens in one transaction, and the position of the writer is advanced in it: whatever dies
//! and whatever is tried again, each entry counts exactly once (guarantee G3).

mod transaction;

mod batch;
mod interned;
mod late;
mod lifecycle;
mod points;
mod rows;
mod variables;

#[cfg(test)]
mod cut;

mod aside;
mod changing;
mod forking;
mod purging;
mod revisions;

pub(crate) use interned::Interned;
pub(crate) use points::seal_some_tails;
pub use purging::Purged;
pub(crate) use revisions::RENAMED;
pub use revisions::has_own_steps;
pub(crate) use revisions::remove_chunks;
pub(crate) use rows::{BRIEF, BYTES};
pub use transaction::{Applied, Piece, WriterKey};
pub(crate) use variables::atom_of;
