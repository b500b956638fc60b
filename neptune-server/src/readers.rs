//! [`Readers`]: open stores for requests, which read at the same time without waiting for one another.
//!
//! A store is used by one thread at a time and its reads block, so each request borrows one on a thread that may block. A
//! folder in which nothing was logged yet reads as an empty store.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use neptune_store::{ErrorKind, Result, Store};
use tokio::sync::Semaphore;

use crate::api::Problem;

/// Reads at the same time: more would wait for the processors.
const AT_ONCE: usize = 8;

pub(crate) struct Readers {
    folder: PathBuf,
    idle: Mutex<Vec<Store>>,
    turns: Semaphore,
}

impl Readers {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, idle: Mutex::new(Vec::new()), turns: Semaphore::const_new(AT_ONCE) }
    }

    /// What `read` finds in the store.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let readers = Arc::clone(self);
        let _turn = self.turns.acquire().await.map_err(|closed| Problem::internal(closed.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let (store, is_kept) = readers.take()?;
            let found = read(&store)?;
            if is_kept {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(store);
            }
            Ok(found)
        });
        done.await.map_err(|panicked| Problem::internal(panicked.to_string()))?
    }

    /// A store, and whether it is one to keep.
    fn take(&self) -> Result<(Store, bool)> {
        if let Some(store) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok((store, true));
        }
        match Store::open_for_reading(&self.folder) {
            Ok(store) => Ok((store, true)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((Store::in_memory()?, false)),
            Err(error) => Err(error),
        }
    }
}
