//! The keeper: the background thread that has segments ready before they are needed.
//!
//! It alone makes and unmaps segments. It polls, because waking it would cost each logging call a system call; only a call
//! that found no segment ready wakes it.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use neptune_format::{LostReason, segment};

use super::{segment as files, writer::Journal};
use crate::{clock, fork, stderr};

/// How often the keeper looks while segments turn over.
const BUSY_POLL: Duration = Duration::from_millis(1);

/// How often it looks while they do not. A burst that begins meanwhile has a ready segment, and then wakes the keeper; a
/// thread that wakes more often disturbs the caches of a trainer that logs now and then.
const IDLE_POLL: Duration = Duration::from_millis(250);

/// How often the clock is anchored: rarely enough that a logging call seldom finds the anchor in the cache of another
/// processor, often enough that the rate of the counter, known to some millionths, costs less than a microsecond.
const ANCHOR_EVERY: Duration = Duration::from_millis(250);

/// How soon a full disk is tried again.
const FULL_POLL: Duration = Duration::from_millis(250);

/// Lines that wait to be said at most.
const MOST_UNSAID: usize = 64;

/// Segments that are kept ready: one while logging is slow, and more in a burst, for as long as a write to a busy disk
/// may keep the keeper waiting.
const READY: u64 = 1;
const READY_IN_A_BURST: u64 = 3;

/// The keeper's thread and the way to end it.
#[derive(Debug)]
pub(crate) struct Keeper {
    generation: u32,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the keeper. With `sync_every` it also syncs the journal: for one that nobody drains.
    pub(super) fn start(journal: Arc<Journal>, sync_every: Option<Duration>) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("neptune:journal".into()).spawn({
            let ended = Arc::clone(&ended);
            move || {
                let warned = [false; LostReason::ALL.len()];
                let unsaid = VecDeque::new();
                Work { journal, warned, unsaid, sync_every, synced: clock::monotonic() }.until(&ended);
            }
        })?;
        Ok(Self { generation: fork::generation(), ended, thread: Some(thread) })
    }

    /// Ends the thread, once everything that was logged is published. The ring must be stopped.
    pub(crate) fn stop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A keeper that panicked has nothing left to be waited for.
            drop(thread.join());
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A forked child has no such thread to wait for.
        if fork::generation() == self.generation {
            self.stop();
        }
    }
}

/// The files of segments that may have unsynced frames: the newest ones.
#[derive(Debug, Default)]
pub(crate) struct KeptFiles(VecDeque<File>);

impl KeptFiles {
    pub(super) fn with_first(file: File) -> Self {
        Self(VecDeque::from([file]))
    }

    /// Keeps `file`, and returns one that is to be synced before it is forgotten.
    fn push(&mut self, file: File) -> Option<File> {
        self.0.push_back(file);
        if self.0.len() > super::ring::SLOTS { self.0.pop_front() } else { None }
    }

    pub(super) fn handles(&self) -> io::Result<Vec<File>> {
        self.0.iter().map(File::try_clone).collect()
    }
}

struct Work {
    journal: Arc<Journal>,
    warned: [bool; LostReason::ALL.len()],
    /// What is to be said, and nobody has taken yet.
    unsaid: VecDeque<String>,
    sync_every: Option<Duration>,
    synced: Instant,
}

impl Work {
    fn until(mut self, ended: &AtomicBool) {
        self.journal.ring.keeper_is(thread::current());
        let mut seen = self.journal.ring.active();
        let mut anchored: Option<Instant> = None;
        while !ended.load(Ordering::Acquire) {
            if anchored.is_none_or(|at| at.elapsed() >= ANCHOR_EVERY) {
                clock::anchor();
                anchored = Some(clock::monotonic());
            }
            let active = self.journal.ring.active();
            let is_burst = active > seen || self.journal.ring.is_stalled();
            seen = active;
            let pause = match self.have_ready(active + if is_burst { READY_IN_A_BURST } else { READY }) {
                Ok(()) if is_burst => BUSY_POLL,
                Ok(()) => IDLE_POLL,
                Err(_) => FULL_POLL,
            };
            self.journal.ring.settle(false);
            self.warn();
            if !self.journal.keeps_nothing() {
                self.journal.abort.look(self.journal.folder());
            }
            if self.sync_every.is_some_and(|every| self.synced.elapsed() >= every) {
                // A sync that fails is tried again; what it is for is the loss of power only.
                drop(self.journal.sync());
                self.synced = clock::monotonic();
            }
            thread::park_timeout(pause);
        }
        // Whoever still holds room has a few nanoseconds of work left, unless its thread was paused.
        for _ in 0..1_000 {
            if self.journal.ring.settle(true) {
                break;
            }
            thread::park_timeout(BUSY_POLL);
        }
        self.warn();
    }

    /// Makes segments ready up to `number`, as far as slots are free.
    fn have_ready(&mut self, number: u64) -> io::Result<()> {
        if self.journal.keeps_nothing() {
            return Ok(());
        }
        loop {
            let next = self.journal.ring.ready() + 1;
            if next > number || !self.journal.ring.has_free_slot(next) {
                return Ok(());
            }
            let header = super::writer::header_of(&self.journal.folder, next, self.journal.capacity);
            match files::prepare(&self.journal.folder, &header) {
                Ok(prepared) => {
                    let mut files = self.journal.files.lock().unwrap_or_else(PoisonError::into_inner);
                    let oldest = files.push(prepared.file);
                    drop(files);
                    if let Some(oldest) = oldest.filter(|_| self.journal.is_power_safe) {
                        drop(oldest.sync_data());
                    }
                    self.journal.losses.segment_is_ready(next);
                    self.journal.ring.set_barren(false);
                    let salt = segment::salt(self.journal.folder.writer, next);
                    self.journal.ring.install(next, prepared.mapping, salt);
                }
                Err(error) => {
                    // A full disk, a quota, or a folder that was taken away: logging goes on without.
                    self.journal.ring.set_barren(true);
                    return Err(error);
                }
            }
        }
    }

    /// Says what integrations have to say, and once for each reason that something was not kept.
    fn warn(&mut self) {
        let notices = self.journal.losses.take_notices();
        self.unsaid.extend(notices.into_iter().map(|notice| format!("neptune: {notice}")));
        for (reason, count) in self.journal.losses.report().iter() {
            let Some(warned @ false) = self.warned.get_mut(usize::from(reason as u8)) else { continue };
            *warned = true;
            let detail = self.journal.losses.detail(reason).map(|detail| format!(" ({detail})")).unwrap_or_default();
            self.unsaid.push_back(format!(
                "neptune: warning: {count} not kept so far, {reason}{detail}: {}. Said once; see `neptune show`.",
                reason.explanation()
            ));
        }
        // Never waits for whoever reads standard error: logging waits for segments meanwhile.
        while self.unsaid.front().is_some_and(|line| stderr::say_at_once(line)) {
            self.unsaid.pop_front();
        }
        self.unsaid.truncate(MOST_UNSAID);
    }
}
