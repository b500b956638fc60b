//! [`Fault`]: one thing that is wrong with a file, with its place.

use std::{fmt, io};

use crate::error::Error;

/// Where something stands in a file: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The JSON path, such as `$.log_metric["train/loss"].y[3]`.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
    /// What is wrong, and the way out.
    pub message: String,
    /// Whether it is that a file is missing which this one names.
    pub is_missing_file: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.path, self.message)
    }
}

/// Why reading cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is no JSON from here on.
    Syntax { place: Place, message: String },
    /// The file cannot be read.
    Unreadable(io::Error),
    /// What was read cannot be kept.
    Refused(Error),
}

impl Stop {
    pub(super) fn syntax(place: Place, message: impl Into<String>) -> Self {
        Self::Syntax { place, message: message.into() }
    }
}
