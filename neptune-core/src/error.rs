//! The error of this crate: its kind says what the caller should do.

use std::fmt;

use neptune_format::LostReason;

/// What to do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong: correct it. The message says where.
    Invalid,
    /// There is no such project, experiment or variable; the message names the nearest.
    NotFound,
    /// There is no such file or folder: on this machine, or among the files of the experiment. The message says which.
    FileNotFound,
    /// A folder is needed where something else is: name another.
    NotADirectory,
    /// The variable has another type: use another path.
    TypeConflict,
    /// A parameter is fixed once set.
    Immutable,
    /// The folder cannot be read or written: choose another, or see to its disk and its rights.
    Unavailable,
    /// A living process is at it: stop that first. The message says which.
    Busy,
    /// It did not finish in time. Nothing is lost: what was logged is in the journal.
    Deadline,
    /// The folder of objects holds as much as it may: delete artifacts and run `neptune gc`, or raise the limit.
    StorageLimitReached,
    /// What is stored is damaged: see `neptune doctor`.
    Corrupt,
    /// A newer version of neptune wrote it: use that version.
    TooNew,
    /// This mode cannot do it; the message says which can.
    Unsupported,
}

impl ErrorKind {
    /// The reason under which something is counted as lost that could not be logged because of an error of this kind.
    pub const fn lost_reason(self) -> LostReason {
        match self {
            Self::TypeConflict => LostReason::TypeConflict,
            Self::Immutable => LostReason::Immutable,
            Self::Unavailable => LostReason::DiskFull,
            Self::Deadline | Self::Busy => LostReason::Overrun,
            Self::StorageLimitReached => LostReason::StorageLimit,
            // Of a series: its writer has no number left for it.
            Self::Unsupported => LostReason::TooManySeries,
            Self::Invalid | Self::NotFound | Self::FileNotFound | Self::NotADirectory => LostReason::InvalidPath,
            Self::Corrupt | Self::TooNew => LostReason::Damaged,
        }
    }
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
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    #[must_use]
    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
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

impl From<neptune_format::PathError> for Error {
    fn from(error: neptune_format::PathError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}

impl From<neptune_format::IdError> for Error {
    fn from(error: neptune_format::IdError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}

#[cfg(feature = "embedded")]
impl From<neptune_store::Error> for Error {
    fn from(error: neptune_store::Error) -> Self {
        use neptune_store::ErrorKind as Store;
        let kind = match error.kind() {
            Store::Invalid => ErrorKind::Invalid,
            Store::NotFound => ErrorKind::NotFound,
            Store::Busy => ErrorKind::Deadline,
            Store::Corrupt => ErrorKind::Corrupt,
            Store::TooNew => ErrorKind::TooNew,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_logging_has_its_own_reason() {
        assert_eq!(ErrorKind::Invalid.lost_reason(), LostReason::InvalidPath);
        assert_eq!(ErrorKind::TypeConflict.lost_reason(), LostReason::TypeConflict);
        assert_eq!(ErrorKind::Unsupported.lost_reason(), LostReason::TooManySeries);
        assert_eq!(ErrorKind::StorageLimitReached.lost_reason(), LostReason::StorageLimit);
    }
}
