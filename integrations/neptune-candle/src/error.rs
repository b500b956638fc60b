//! The error of this crate: its kind says what the caller should do.

use std::fmt;

/// What to do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong: correct it. The message says what was expected and what was given.
    Invalid,
    /// The checkpoint is of another model: build the model that it was saved from, or restore another checkpoint.
    Mismatch,
    /// The checkpoint is damaged: restore another one.
    Corrupt,
    /// A newer version of this crate saved the checkpoint: use that version.
    TooNew,
    /// candle failed, for example because the memory of the device was full. The message is candle's.
    Candle,
    /// neptune failed, for example because the disk was full. The message is that of the `neptune_core::Error`.
    Neptune,
}

/// What went wrong, in words, with the kind that says what to do. In functions that return `candle_core::Result`, `?` makes
/// it candle's error.
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

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::new(ErrorKind::Candle, "candle failed").because(error)
    }
}

impl From<neptune_core::Error> for Error {
    fn from(error: neptune_core::Error) -> Self {
        Self::new(ErrorKind::Neptune, "neptune failed").because(error)
    }
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        Self::wrap(error)
    }
}
