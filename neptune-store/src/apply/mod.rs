//! Applying entries of a journal to the tables: the only way into a store.
//!
//! Everything of one call happens in one transaction, and the position of the writer is advanced in it: whatever dies
//! and whatever is tried again, each entry counts exactly once (guarantee G3).

mod transaction;

mod batch;
mod interned;
mod lifecycle;
mod points;
mod variables;

pub(crate) use interned::Interned;
pub(crate) use points::seal_some_tails;
pub use transaction::{Applied, Piece, WriterKey};
pub(crate) use variables::atom_of;
