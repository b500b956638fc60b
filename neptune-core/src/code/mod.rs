//! What program made an experiment: its code, how it was built and how it was run.
//!
//! What can be had at once is taken by `start`; a thread of its own asks git, reads files and logs what it found. Nothing here
//! fails a trainer: what cannot be had is left out, and said.

mod settings;

mod secrets;

mod circumstances;

mod build;
mod build_id;

mod cargo;

mod command;
mod git;
mod status;

mod pattern;
mod snapshot;
mod walk;

mod names;
mod placement;
mod recorder;

pub(crate) use circumstances::Circumstances;
pub use circumstances::Package;
pub(crate) use pattern::{Pattern, glob};
pub(crate) use recorder::{Recorder, Task};
pub(crate) use settings::{CodeSettings, Sources};
#[cfg(feature = "import")]
pub(crate) use walk::is_aside;
