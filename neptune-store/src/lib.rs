//! Where experiments live: entries of journals are applied exactly once, series are kept as chunks, and everything is
//! found again by query.
//!
//! A store is a folder with one SQLite file. Any number of processes may write to it and read from it at once: a writer
//! waits for its turn, a reader never waits and never makes a writer wait. The way in is [`Store::apply`], and only that; the way
//! out is [`Store::delete_experiment`].

mod delete;
mod error;
mod migrate;
mod store;

pub mod apply;
pub mod chunk;
#[cfg(feature = "export")]
pub mod export;
pub mod objects;
pub mod query;
pub mod read;
pub mod table;

pub use apply::{Applied, Piece, Purged, WriterKey, has_own_steps};
pub use chunk::{Points, Values};
pub use error::{Error, ErrorKind, Result};
pub use query::{ExperimentQuery, ExperimentTable, Filter};
pub use store::{Store, StoreOptions};
pub use table::Table;
