//! [`Watch`]: tells who listens that something in the store has changed.
//!
//! One task looks, however many listen, and only while somebody does.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use neptune_store::Store;
use tokio::{sync::watch, time::MissedTickBehavior};

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

    /// A number that grows with each change from now on.
    pub(crate) async fn listen(self: &Arc<Self>) -> watch::Receiver<u64> {
        if let Some(receiver) = self.subscribe() {
            return receiver;
        }
        // What is there now is known before anybody is told that changes will be.
        let seen = self.look(None).await;
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*sender {
            return sender.subscribe();
        }
        let (new, receiver) = watch::channel(0);
        *sender = Some(new);
        tokio::spawn(Arc::clone(self).go_on(seen));
        receiver
    }

    fn subscribe(&self) -> Option<watch::Receiver<u64>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(watch::Sender::subscribe)
    }

    /// Looks again and again, until nobody listens.
    async fn go_on(self: Arc<Self>, mut seen: Option<Seen>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            {
                let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
                if sender.as_ref().is_none_or(watch::Sender::is_closed) {
                    *sender = None;
                    return;
                }
            }
            let before = seen.as_ref().map(|seen| (seen.opening, seen.version));
            seen = self.look(seen).await;
            if before != seen.as_ref().map(|seen| (seen.opening, seen.version)) {
                let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(sender) = &*sender {
                    sender.send_modify(|changes| *changes += 1);
                }
            }
        }
    }

    /// What is there now; `None` when there is no store, or it cannot be read.
    async fn look(&self, seen: Option<Seen>) -> Option<Seen> {
        let folder = self.folder.clone();
        let look = move || {
            let (store, opening) = match seen {
                Some(seen) if seen.store.is_current() => (seen.store, seen.opening),
                // A store that was opened anew has other contents, whatever number it gives them.
                other => (Store::open_for_reading(&folder).ok()?, other.map_or(0, |seen| seen.opening + 1)),
            };
            let version = store.data_version().ok()?;
            Some(Seen { store, opening, version })
        };
        tokio::task::spawn_blocking(look).await.ok()?
    }
}

/// The store when it was last looked at.
struct Seen {
    store: Store,
    /// How often it was opened.
    opening: u64,
    version: i64,
}
