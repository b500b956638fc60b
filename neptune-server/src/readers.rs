//! [`Readers`]: open stores for requests, which read at the same time without waiting for one another.
//!
//! A store is used by one thread at a time and its reads block, so each request borrows one on a thread that may block. A
//! folder in which nothing was logged yet reads as an empty store, and one that was emptied and logged to again as it is now.

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
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, idle: Mutex::new(Vec::new()), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What `read` finds in the store.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let readers = Arc::clone(self);
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|closed| Problem::internal(closed.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            // Also when whoever asked has gone, until it is done.
            let _turn = turn;
            let (store, is_kept) = readers.take()?;
            let found = read(&store);
            // A store that a read failed in, or panicked, is opened again.
            if is_kept && found.as_ref().map_or_else(Problem::is_of_the_request, |_| true) {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(store);
            }
            found
        });
        done.await.map_err(|panicked| Problem::internal(panicked.to_string()))?
    }

    /// A store, and whether it is one to keep.
    fn take(&self) -> Result<(Store, bool)> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(store) = std::iter::from_fn(idle).find(Store::is_current) {
            return Ok((store, true));
        }
        match Store::open_for_reading(&self.folder) {
            Ok(store) => Ok((store, true)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((Store::in_memory()?, false)),
            Err(error) => Err(error),
        }
    }
}
