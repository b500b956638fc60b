//! The command line of `neptune console`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::milliseconds;

#[derive(Debug, Args)]
pub(crate) struct Console {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Only what was printed there: stdout or stderr
    #[arg(long, value_name = "STREAM", hide_possible_values = true)]
    pub(crate) only: Option<Stream>,
    /// Only the last N lines
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    /// Only the lines themselves, without their times
    #[arg(long)]
    pub(crate) text: bool,
    /// Go on with new lines until the experiment ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How often to look for new lines
    #[arg(long, value_name = "MS", default_value = "500", value_parser = milliseconds)]
    pub(crate) interval: Duration,
}

/// Where a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}
