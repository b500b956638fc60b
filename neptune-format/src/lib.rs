//! The data model of neptune and its bytes: what a trainer can say ([`Record`], points, text), how it is framed in a
//! journal ([`frame`], [`segment`]) and which versions may be read ([`version`]).
//!
//! This crate does no I/O, reads no clock and starts no thread. Decoding never panics and never allocates from a length
//! that was not checked against the bytes at hand. FORMAT.md at the root of the repository is the specification.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod entry;
pub mod frame;
pub mod ids;
pub mod lost;
pub mod media;
pub mod object;
pub mod path;
pub mod record;
pub mod segment;
pub mod value;
pub mod version;

pub use entry::{Entry, EntryError};
pub use ids::{ExperimentId, IdError, ProjectName, RevisionId, WriterId};
pub use lost::{LostReason, LostReport};
pub use media::{Document, Histogram, HistogramError, LoggedImage};
pub use object::{File, ObjectId};
pub use path::{PathError, VariablePath};
pub use record::{Outcome, Record};
pub use segment::Position;
pub use value::{AtomValue, Container, Content, Step, Timestamp, VariableType};
