//! The lock of a journal: held while its writer lives, and freed by the kernel however it dies.
//!
//! It is a POSIX record lock, because that is not inherited by a forked child: a child that outlives its parent does not
//! make the parent look alive. Such a lock has one trap: a process loses it when it closes any handle of the file. So this
//! file alone opens lock files, and never one that this process holds.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::fs::{FlockOperation, fcntl_lock};

/// The locks that this process holds, by file. Taken before any lock file is opened.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A lock that this process holds until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Option<File>,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, or returns `None` when a living process, this one included, holds it.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut held = held();
        let path = std::path::absolute(path)?;
        if held.contains(&path) {
            return Ok(None);
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                held.insert(path.clone());
                Ok(Some(Self { file: Some(file), path }))
            }
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a living process, this one included, holds the lock. Changes nothing, and needs no right to write.
    pub(crate) fn is_held(path: &Path) -> io::Result<bool> {
        let held = held();
        let path = std::path::absolute(path)?;
        if held.contains(&path) {
            return Ok(true);
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        // A shared lock can be had beside others of its kind, but not beside that of a writer.
        match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames the folder `from` that the lock file lies in to `to`. Under both names, nobody in this process takes the
    /// lock meanwhile: the kernel would let them.
    pub(crate) fn rename_folder(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut held = held();
        #[expect(clippy::disallowed_methods, reason = "a rename that is lost with the power loses an empty journal")]
        fs::rename(from, to)?;
        let name = self.path.file_name().unwrap_or_default();
        let path = std::path::absolute(to)?.join(name);
        held.remove(&self.path);
        held.insert(path.clone());
        self.path = path;
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = held();
        // Closed first: once the path is out of the set another thread may open the file.
        drop(self.file.take());
        held.remove(&self.path);
    }
}

fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_stays_held_when_its_folder_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        let mut lock = Lock::take(&from.join("lock")).unwrap().unwrap();
        lock.rename_folder(&from, &to).unwrap();
        assert!(Lock::take(&to.join("lock")).unwrap().is_none());
        drop(lock);
        assert!(Lock::take(&to.join("lock")).unwrap().is_some());
    }

    #[test]
    fn a_lock_is_held_by_one_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        assert!(first.is_some());
        assert!(Lock::take(&path).unwrap().is_none(), "taken twice in one process");
        assert!(Lock::is_held(&path).unwrap());
        drop(first);
        assert!(!Lock::is_held(&path).unwrap());
        assert!(Lock::take(&path).unwrap().is_some());
    }
}
