//! [`Failure`]: why a command ends early, and [`Exit`]: what it then tells the shell.
//!
//! A reader that closed the pipe is no error: `neptune ls | head -1` ends quietly.

use std::{io, path::Path, process::ExitCode};

/// The exit code of the program. `neptune --help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Fine = 0,
    /// The disk, the store or the output failed.
    Failed = 1,
    /// The command line or the query is wrong.
    Wrong = 2,
    /// There is no such store, project, experiment, variable, file or kept step.
    NotFound = 3,
    /// `doctor` found damage, or work that waits.
    Unwell = 4,
    /// `abort`: the experiment still runs, or it did not run.
    NotAborted = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read the output has closed it.
    Closed,
    /// Something for the user to read.
    Said {
        /// What the shell is told.
        exit: Exit,
        /// What is wrong and the way out.
        message: String,
    },
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Said { exit: Exit::Failed, message: message.into() }
    }

    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self::Said { exit: Exit::Wrong, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::Said { exit: Exit::NotFound, message: message.into() }
    }

    /// That a file could not be used.
    pub(crate) fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        Self::failed(format!("cannot {what} {}: {error}", path.display()))
    }
}

/// An error of the output; errors of files are made by [`Failure::file`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::failed(format!("cannot write the output: {error}")),
        }
    }
}

impl From<neptune_store::Error> for Failure {
    fn from(error: neptune_store::Error) -> Self {
        use neptune_store::ErrorKind;
        let exit = match error.kind() {
            ErrorKind::Invalid => Exit::Wrong,
            ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Self::Said { exit, message: error.to_string() }
    }
}

impl From<neptune_core::Error> for Failure {
    fn from(error: neptune_core::Error) -> Self {
        use neptune_core::ErrorKind;
        let exit = match error.kind() {
            ErrorKind::Invalid => Exit::Wrong,
            ErrorKind::NotFound | ErrorKind::FileNotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Self::Said { exit, message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_apart_from_a_disk_that_is_full() {
        assert!(matches!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)), Failure::Closed));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, Failure::Said { exit: Exit::Failed, .. }), "{full:?}");
    }

    #[test]
    fn the_kind_of_an_error_decides_the_exit() {
        let exit = |kind| match Failure::from(neptune_store::Error::new(kind, "x")) {
            Failure::Said { exit, .. } => exit,
            Failure::Closed => Exit::Fine,
        };
        assert_eq!(exit(neptune_store::ErrorKind::Invalid), Exit::Wrong);
        assert_eq!(exit(neptune_store::ErrorKind::NotFound), Exit::NotFound);
        assert_eq!(exit(neptune_store::ErrorKind::Corrupt), Exit::Failed);
    }
}
