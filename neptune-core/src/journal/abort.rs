//! [`AbortRequest`]: somebody wants the experiment aborted, from within the process or through a file in the journal's folder.
//!
//! It is a request: the trainer decides when to stop. The keeper looks for the file, so no logging call does.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::folder::WriterFolder;
use crate::clock;

/// How often the file is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The most of a reason that is read.
const MOST: u64 = 4096;

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

/// Whether it was asked for, why, and who is to be told.
#[derive(Default)]
pub(crate) struct AbortRequest {
    is_made: AtomicBool,
    /// Somebody in this process knows of it.
    is_heard: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reason: Option<Arc<str>>,
    callbacks: Vec<Callback>,
    looked: Option<Instant>,
}

impl AbortRequest {
    /// The reason, once it was asked for.
    pub(crate) fn reason(&self) -> Option<String> {
        // Asked in each step of a training.
        if !self.is_made.load(Ordering::Acquire) {
            return None;
        }
        self.is_heard.store(true, Ordering::Release);
        self.lock().reason.as_deref().map(str::to_owned)
    }

    /// The reason, once this process knows of it: it was told, or it asked.
    pub(crate) fn heard(&self) -> Option<String> {
        if self.is_heard.load(Ordering::Acquire) { self.reason() } else { None }
    }

    /// Asks for it. Those who want to know are told, by a thread of their own. A second request changes nothing.
    pub(crate) fn make(&self, reason: &str) {
        let mut state = self.lock();
        if state.reason.is_some() {
            return;
        }
        let reason: Arc<str> = reason.into();
        state.reason = Some(Arc::clone(&reason));
        self.is_made.store(true, Ordering::Release);
        let callbacks = std::mem::take(&mut state.callbacks);
        drop(state);
        self.tell(callbacks, reason);
    }

    /// Has `callback` told; at once when it was asked for already.
    pub(crate) fn on_request(&self, callback: Callback) {
        let mut state = self.lock();
        match state.reason.clone() {
            None => state.callbacks.push(callback),
            Some(reason) => {
                drop(state);
                self.tell(vec![callback], reason);
            }
        }
    }

    /// Tells nobody any more.
    pub(crate) fn forget(&self) {
        let callbacks = std::mem::take(&mut self.lock().callbacks);
        drop(callbacks);
    }

    /// Looks for a request from another process, now and then.
    pub(super) fn look(&self, folder: &WriterFolder) {
        let now = clock::monotonic();
        let mut state = self.lock();
        if state.reason.is_some() || state.looked.is_some_and(|looked| now.duration_since(looked) < LOOK_EVERY) {
            return;
        }
        state.looked = Some(now);
        drop(state);
        let mut reason = Vec::new();
        if let Ok(file) = File::open(folder.abort())
            && file.take(MOST).read_to_end(&mut reason).is_ok()
        {
            self.make(&String::from_utf8_lossy(&reason));
        }
    }

    /// Tells them on a thread of their own: they may do what they like, and the keeper must not wait.
    fn tell(&self, callbacks: Vec<Callback>, reason: Arc<str>) {
        if callbacks.is_empty() {
            return;
        }
        self.is_heard.store(true, Ordering::Release);
        let tell = move || {
            for callback in callbacks {
                // One that panics, which is noted like every panic, does not keep the others from hearing of it.
                catch_unwind(AssertUnwindSafe(|| callback(&reason))).ok();
            }
        };
        // Without a thread it is still there for whoever asks.
        drop(thread::Builder::new().name("neptune:abort".into()).spawn(tell));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves a request for the process that writes to the journal in `folder`.
pub(crate) fn leave(folder: &WriterFolder, reason: &str) -> io::Result<()> {
    let unfinished = folder.path.join(format!(".abort-{}", Uuid::now_v7()));
    fs::write(&unfinished, reason)?;
    #[expect(clippy::disallowed_methods, reason = "a request that is lost with the power is for a process that is too")]
    fs::rename(unfinished, folder.abort())
}

impl fmt::Debug for AbortRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortRequest").field("is_made", &self.is_made).finish_non_exhaustive()
    }
}
