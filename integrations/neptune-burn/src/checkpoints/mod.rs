//! Checkpoints: burn's files, kept in the experiment as well.

mod checkpointer;
mod resume;
mod strategy;
mod versions;

pub use checkpointer::NeptuneCheckpointer;
pub(crate) use resume::Best;
pub use resume::{NeptuneCheckpoints, load_model, resume_epoch};
pub use strategy::NeptuneCheckpointingStrategy;
