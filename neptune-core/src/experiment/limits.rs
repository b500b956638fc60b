//! [`Limits`]: how much an experiment may hold.

use super::state::ExperimentHandle;
use crate::image::MOST_BYTES;

/// How much an experiment may hold; `None` where there is no limit but the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Series of numbers.
    pub numeric: Option<u64>,
    /// Series of text.
    pub text: Option<u64>,
    /// Series of images.
    pub image: Option<u64>,
    /// Bytes of one image that was encoded before; of a larger one the point is kept, and not the bytes.
    pub image_bytes: u64,
}

impl ExperimentHandle {
    /// How much an experiment may hold. Neptune's servers allowed 1,000 series of numbers and 100 of text and of images; here
    /// there is no such limit.
    pub const fn limits(&self) -> Limits {
        Limits { numeric: None, text: None, image: None, image_bytes: MOST_BYTES }
    }
}
