//! [`Reader`]: a store that is open to be read, and stays open between reads.
//!
//! Opening a store takes several times as long as reading a value from it, so a session keeps the one that was used last. It
//! is taken out for a read and put back after it: two reads at once never wait for each other, they use two. None is used or
//! closed in a forked child, which SQLite does not allow.

use std::{
    fmt,
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use neptune_store::Store;

use crate::{
    error::Result,
    fork,
    session::{Mode, Session},
};

/// The open store of a session that nobody reads from now, if there is one.
#[derive(Default)]
pub(crate) struct IdleReader(Mutex<Option<Opened>>);

/// An open store, and the generation of the process that opened it.
struct Opened {
    store: Option<Store>,
    generation: u32,
}

impl Opened {
    fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.is_ours() {
            // Closing it would give up locks that the parent holds.
            Box::leak(Box::new(self.store.take()));
        }
    }
}

/// A store that is open to be read, for one call.
pub(crate) struct Reader {
    opened: Option<Opened>,
    session: Session,
}

impl Session {
    /// A store that is open to be read. Offline there is none to be read: opening it would make one.
    pub(crate) fn reader(&self) -> Result<Reader> {
        self.check_has_store()?;
        let idle = self.inner.reader.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let opened = match idle {
            Some(opened) if opened.is_ours() => opened,
            _ => {
                fork::watch();
                Opened { store: Some(self.store()?), generation: fork::generation() }
            }
        };
        Ok(Reader { opened: Some(opened), session: self.clone() })
    }
}

impl Deref for Reader {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.opened.as_ref().and_then(|opened| opened.store.as_ref()).expect("it is taken when the reader is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.session.mode() == Mode::ReadOnly {
            // Of a folder that cannot be written it may have been told that nothing changes there.
            return;
        }
        let mut idle = self.session.inner.reader.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.is_none() {
            *idle = self.opened.take();
        }
    }
}

impl fmt::Debug for IdleReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleReader")
    }
}
