//! [`NeptuneCheckpointer`]: what burn saves is kept in the experiment too.

use std::{fmt, path::PathBuf, sync::Arc};

use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError, FileCheckpointer};

use super::versions::Versions;

/// A checkpointer of burn's that keeps each file in the experiment as well, once burn has saved it.
///
/// Errors are burn's own: what cannot be kept in the experiment is said on standard error, and the training goes on. It
/// works on burn's thread for checkpoints of this file, after burn's own work: the file is copied and its hash computed. The
/// training waits for this thread at the next thing that burn has for it, such as deleting an older file, and at the end.
pub struct NeptuneCheckpointer {
    inner: FileCheckpointer,
    directory: PathBuf,
    name: &'static str,
    versions: Arc<Versions>,
}

impl NeptuneCheckpointer {
    pub(super) fn new(directory: PathBuf, name: &'static str, versions: &Arc<Versions>) -> Self {
        let inner = FileCheckpointer::new(&directory, name);
        Self { inner, directory, name, versions: Arc::clone(versions) }
    }
}

/// How burn names the file `name` of an epoch.
pub(super) fn file_name(name: &str, epoch: usize) -> String {
    format!("{name}-{epoch}.bpk")
}

impl<R: Checkpoint> Checkpointer<R> for NeptuneCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        // An error of burn's ends the training; the version then stays without this file, and so is none.
        self.inner.save(epoch, record)?;
        let file = file_name(self.name, epoch);
        self.versions.keep_file(epoch, &file, &self.directory.join(&file));
        Ok(())
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        let deleted = Checkpointer::<R>::delete(&self.inner, epoch);
        self.versions.delete(epoch);
        deleted
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        self.inner.restore(epoch)
    }
}

impl fmt::Debug for NeptuneCheckpointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeptuneCheckpointer")
            .field("directory", &self.directory)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
