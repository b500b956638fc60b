//! Names of things: projects, experiments and writers.
//!
//! Experiment and writer ids are made by whoever starts them, with no server and no counter, so that an experiment that was
//! logged offline keeps its identity wherever it is sent.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::value::Timestamp;

/// The longest project name, in bytes. Long enough for any organisation, short enough for a column.
pub const MAX_PROJECT_NAME: usize = 128;

/// What is wrong with an id or a project name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The project is not `workspace/name`.
    #[error(
        "project name {0:?} is not of the form workspace/name, for example \"ada/mnist\" \
         (letters, digits, '-', '_' and '.', at most {MAX_PROJECT_NAME} bytes)"
    )]
    ProjectName(String),
    /// The experiment id is not a UUID.
    #[error("experiment id {0:?} is not a UUID, for example \"0197c2a4-7f3e-7cc0-9d1b-2f6a3e0c5b11\"")]
    ExperimentId(String),
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, ordered by the time it was made.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// When the id was made, to the millisecond; the epoch when the id does not say.
            pub fn created(&self) -> Timestamp {
                let micros = self.0.get_timestamp().map(|time| {
                    let (seconds, nanos) = time.to_unix();
                    i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000).saturating_add(i64::from(nanos / 1_000))
                });
                Timestamp::from_micros(micros.unwrap_or(0))
            }

            /// The 16 bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match Uuid::try_parse(text) {
                    Ok(uuid) => Ok(Self(uuid)),
                    Err(_) => Err(IdError::ExperimentId(text.to_owned())),
                }
            }
        }
    };
}

uuid_newtype! {
    /// The identity of an experiment, unique everywhere. People use its short id, such as `MNI-12`.
    ExperimentId
}

uuid_newtype! {
    /// The identity of one writer: one process that logs to one experiment, once.
    WriterId
}

impl WriterId {
    /// The last 8 digits, which are random: what the variables of one process are called by, as in `monitoring/1a2b3c4d/cpu`.
    pub fn short(&self) -> String {
        let id = self.to_string();
        id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_owned()
    }
}

uuid_newtype! {
    /// The identity of a change to an experiment that can be undone: points that were deleted, a variable that was renamed.
    RevisionId
}

/// The name of a project, `workspace/name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(Box<str>);

impl ProjectName {
    /// The whole name, `workspace/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The part before the slash.
    pub fn workspace(&self) -> &str {
        self.0.split_once('/').map_or("", |(workspace, _)| workspace)
    }
}

impl FromStr for ProjectName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let part_is_valid = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        match text.split_once('/') {
            Some((workspace, name))
                if text.len() <= MAX_PROJECT_NAME && part_is_valid(workspace) && part_is_valid(name) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(IdError::ProjectName(crate::path::shown(text))),
        }
    }
}

impl TryFrom<String> for ProjectName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_name_has_a_workspace_and_a_name() {
        let name: ProjectName = "ada/mnist-2".parse().unwrap();
        assert_eq!((name.workspace(), name.name()), ("ada", "mnist-2"));
        for bad in ["", "ada", "/x", "x/", "a/b/c", "a b/c", "../x", &"a/".repeat(100)] {
            assert!(bad.parse::<ProjectName>().is_err(), "{bad:?} was accepted");
        }
    }
}
