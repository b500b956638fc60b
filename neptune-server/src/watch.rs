//! [`Watch`]: tells who listens that something in the store has changed.
//!
//! One task looks, however many listen, and only while somebody does.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use neptune_store::Store;
use tokio::sync::watch;

/// How often it looks: what is logged is on the screen that soon.
const EVERY: Duration = Duration::from_millis(250);

pub(crate) struct Watch {
    folder: PathBuf,
    sender: Mutex<Option<watch::Sender<u64>>>,
}

impl Watch {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, sender: Mutex::new(None) }
    }

    /// A number that grows with each change.
    pub(crate) fn listen(self: &Arc<Self>) -> watch::Receiver<u64> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*sender {
            return sender.subscribe();
        }
        let (new, receiver) = watch::channel(0);
        *sender = Some(new);
        tokio::spawn(Arc::clone(self).look());
        receiver
    }

    async fn look(self: Arc<Self>) {
        let mut store = None;
        let mut known = None;
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            {
                let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
                if sender.as_ref().is_none_or(watch::Sender::is_closed) {
                    *sender = None;
                    return;
                }
            }
            let folder = self.folder.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let store = store.or_else(|| Store::open_for_reading(&folder).ok());
                let version = store.as_ref().and_then(|store| store.data_version().ok());
                (store, version)
            });
            let Ok((opened, version)) = looked.await else { return };
            store = opened;
            if version != known {
                known = version;
                let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(sender) = &*sender {
                    sender.send_modify(|changes| *changes += 1);
                }
            }
        }
    }
}
