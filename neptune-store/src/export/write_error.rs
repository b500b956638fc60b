//! Errors of the file or the pipe that an export goes to.
//!
//! A full disk is told apart from the rest: there the caller can do something.

use std::io;

use crate::error::{Error, ErrorKind};

/// What to say when `error` ended an export.
pub(super) fn unwritten(error: io::Error) -> Error {
    let (kind, message) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            (ErrorKind::Full, "there is no room for the export; write it to another disk")
        }
        _ => (ErrorKind::Unavailable, "the export cannot be written"),
    };
    Error::new(kind, message).because(error)
}
