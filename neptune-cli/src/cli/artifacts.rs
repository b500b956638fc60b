//! The command line of `neptune artifacts` and `neptune delete-artifacts`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Artifacts {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Only those at or below this path
    #[arg(value_name = "PATH", default_value = "", hide_default_value = true)]
    pub(crate) path: String,
    /// List source files, not artifacts
    #[arg(long)]
    pub(crate) sources: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArtifacts {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Files, and folders with everything in them
    #[arg(value_name = "PATH", required_unless_present = "all")]
    pub(crate) paths: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "paths")]
    pub(crate) all: bool,
}
