//! An experiment as its trainer sees it: variables to write and read, and its end.

mod atom;
mod builder;
mod ending;
mod flatten;
mod logging;
mod number;
mod panics;
mod reading;
mod series;
mod set;
mod state;
mod variables;

pub use atom::Atom;
pub use builder::ExperimentBuilder;
pub use number::{IntoStep, Number};
pub use series::{Point, Series, SeriesValue};
pub use set::Set;
pub use state::{Experiment, ExperimentHandle};
