//! Chunks: the points of a series in pieces, each a blob with its statistics beside it.
//!
//! A chunk holds points in the order of their steps, each step once, and the chunks of one series never overlap in steps.
//! `codec` has the bytes of a chunk and `blocks` those of the brief that lies beside it.

mod blocks;
mod bucket;
mod codec;
mod column;
mod cursor;
mod packed;
mod points;
mod seal;
mod statistics;
mod text;

pub use bucket::Bucket;
pub use codec::decode;
pub(crate) use points::Stays;
pub use points::{Points, Values};
pub use statistics::Statistics;

pub(crate) use blocks::decode_blocks;
pub(crate) use codec::{MAX_POINTS, decode_onto};
pub(crate) use seal::{Chunk, SEALED_POINTS};
