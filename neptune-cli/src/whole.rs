//! Files that appear under their names only when they are whole; a device or a pipe is written as it is.

use std::{
    fs::{File, OpenOptions},
    path::Path,
};

use neptune_core::download;

use crate::failure::Failure;

/// Makes `file` of what `write` writes. When that fails, whatever had this name before is still there.
pub(crate) fn write<T>(file: &Path, write: impl FnOnce(&File) -> Result<T, Failure>) -> Result<T, Failure> {
    if is_special(file) {
        let out = OpenOptions::new().write(true).open(file).map_err(|error| Failure::file("write", file, &error))?;
        return write(&out);
    }
    download::whole(file, write)
}

/// Whether `file` is there and no file: a device or a pipe must stay what it is.
pub(crate) fn is_special(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}
