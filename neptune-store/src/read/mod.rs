//! Reading one experiment: its variables, its series at any resolution, its writers and what they lost; and how two differ.
//!
//! Nothing here writes.

mod experiment;
mod logs;
mod nearest;
mod paths;
mod revisions;
mod running;
mod sizes;
mod timings;
mod values;
mod variable;

pub mod aligned;
pub mod difference;
pub mod overview;
pub mod series;

pub use aligned::Aligned;
pub use difference::Difference;
pub use experiment::{ExperimentKey, ProjectSummary, WriterSummary};
pub use logs::Log;
pub use nearest::suggestion;
pub use overview::Bucket;
pub use paths::KnownPath;
pub use revisions::{Change, Revision};
pub use sizes::Sizes;
pub use timings::{Spans, Timing};
pub use variable::{NamespaceEntry, SeriesSummary, Variable, VariableValue};

pub(crate) use experiment::by_id;
pub(crate) use logs::{is_log, name_of};
pub(crate) use running::{running_micros, running_sql};
