//! The command line of what changes what was logged before.

use clap::Args;

use super::step;

/// A new experiment that goes on from another.
#[derive(Debug, Args)]
pub(crate) struct Fork {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The greatest step that the new experiment begins with
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = step)]
    pub(crate) step: f64,
    /// The name of the new experiment
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
}

/// To a step.
#[derive(Debug, Args)]
pub(crate) struct Rewind {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The greatest step that stays
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = step)]
    pub(crate) step: f64,
}

/// A variable, to another path.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The path that the variable has
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The path that it gets
    #[arg(value_name = "TO")]
    pub(crate) to: String,
}

/// Of a series.
#[derive(Debug, Args)]
pub(crate) struct DeletePoints {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The series
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// The least step that is deleted; without it, from the first on
    #[arg(long, value_name = "A", allow_negative_numbers = true, value_parser = step)]
    pub(crate) from: Option<f64>,
    /// The greatest step that is deleted; without it, to the last
    #[arg(long, value_name = "B", allow_negative_numbers = true, value_parser = step)]
    pub(crate) to: Option<f64>,
}

/// Of an experiment.
#[derive(Debug, Args)]
pub(crate) struct Revisions {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// One change.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The number of the change, as `neptune revisions` has it; without it, the last that can be undone
    #[arg(value_name = "REVISION")]
    pub(crate) revision: Option<u64>,
}
