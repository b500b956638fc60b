//! The error of this crate: its kind says what the caller should do.

use std::fmt;

/// What to do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong: correct it. The message says where.
    Invalid,
    /// There is no such project, experiment or variable; the message names the nearest.
    NotFound,
    /// Somebody else is writing, or is at another place than the caller thought: try again.
    Busy,
    /// The disk is full: make room and try again.
    Full,
    /// The folder or its files cannot be read or written: see the message for which.
    Unavailable,
    /// What is stored is damaged: see `neptune doctor`.
    Corrupt,
    /// A newer version of neptune wrote the store: use that version.
    TooNew,
}

/// What went wrong, in words, with the kind that says what to do.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause of its own.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The cause is part of the message already; giving it here too would show it twice.
        self.source.as_ref().and_then(|source| source.source())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (ErrorKind::Busy, "the store is busy with another writer")
            }
            Some(ErrorCode::DiskFull) => (ErrorKind::Full, "the disk of the store is full"),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                (ErrorKind::Corrupt, "the store is damaged; see neptune doctor")
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                (ErrorKind::Unavailable, "the store cannot be opened or written")
            }
            _ => (ErrorKind::Unavailable, "the store did not answer"),
        };
        Self::new(kind, message).because(error)
    }
}
