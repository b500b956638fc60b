//! An experiment as its trainer sees it: variables to write and read, and its end.

mod aborting;
mod artifacts;
mod atom;
mod builder;
mod checkpoints;
mod classic;
mod code;
mod console;
mod deleting;
mod ending;
mod flatten;
mod interrupted;
mod limits;
mod logging;
mod media;
mod number;
mod panics;
mod reading;
mod running;
mod series;
mod set;
mod state;
mod variables;
mod view;

pub use artifacts::ArtifactSource;
pub use atom::Atom;
pub use builder::ExperimentBuilder;
pub use checkpoints::{Checkpoint, Checkpoints, Goal};
pub use classic::Classic;
pub use limits::Limits;
pub use number::{IntoStep, Number};
pub use series::{Point, Series, SeriesValue};
pub use set::Set;
pub(crate) use state::WeakHandle;
pub use state::{Experiment, ExperimentHandle};
pub use view::{Loggable, View};
