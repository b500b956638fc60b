//! The drain: the background thread that carries the journal to its sink.
//!
//! It polls; no logging call wakes it. A segment is removed only once the sink has everything in it. When the sink fails
//! the drain tries again, and what was logged waits in the journal.

use std::{
    fs, io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use neptune_format::{LostReport, Position};

use super::Sink;
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    journal::{Journal, Lock, Reader, Reading},
    signal,
};

/// How often the journal is looked at, while little is logged. Charts are this far behind; each look that finds something
/// costs a transaction, and the caches of a trainer that logs now and then.
const POLL: Duration = Duration::from_millis(500);

/// How much may wait until the journal is looked at earlier: about as much as is carried at once.
const LOAD: u64 = 1 << 20;

/// How often it is looked at when it is filled faster than that. Whoever waits for the end then waits for little.
const POLL_UNDER_LOAD: Duration = Duration::from_millis(20);

/// How soon a sink that failed is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// How often a frame must look damaged, at as many looks, before it is taken for damaged: a frame that is being written
/// while it is read may look so once.
const STUCK: u32 = 20;

/// What is known of the drain.
#[derive(Debug, Default)]
struct State {
    drained: Option<Position>,
    refused: LostReport,
    /// Why the sink did not take the last batch.
    trouble: Option<String>,
    /// Somebody waits: look now.
    hurry: bool,
    /// Nothing more is logged: finish at this place.
    finish_at: Option<Position>,
    /// The thread is done, and the journal removed.
    done: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready`, or until `deadline`; says whether it is.
    fn wait_until(&self, deadline: Instant, ready: impl Fn(&State) -> bool) -> bool {
        let mut state = self.lock();
        loop {
            if ready(&state) {
                return true;
            }
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A running drain.
#[derive(Debug)]
pub(crate) struct Drain {
    shared: Arc<Shared>,
}

/// How a wait for the drain ended.
#[derive(Debug)]
pub(crate) struct Drained {
    /// Whether everything was taken.
    pub(crate) complete: bool,
    /// What the sink refused so far.
    pub(crate) refused: LostReport,
    /// Why it is not complete, when the sink said so.
    pub(crate) trouble: Option<String>,
}

impl Drain {
    /// Carries what is in the journal to the sink once, on this thread, and starts the thread that goes on with it. The
    /// lock of the journal is held until it is drained for good.
    pub(crate) fn start(
        journal: Arc<Journal>,
        lock: Lock,
        mut sink: Box<dyn Sink>,
        sync_every: Option<Duration>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let position = sink.position()?;
        let reader = Reader::new(journal.folder().clone(), None);
        let mut work = Work {
            journal,
            sink,
            reader,
            position,
            shared: Arc::clone(&shared),
            lost: LostReport::default(),
            stuck: 0,
            carried: 0,
            rested: None,
            sync_every,
            synced: clock::monotonic(),
        };
        work.carry()?;
        thread::Builder::new()
            .name("neptune:drain".into())
            .spawn(move || {
                signal::survive_limits();
                work.run();
                drop(lock);
                work.shared.change(|state| state.done = true);
            })
            .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start the drain thread").because(error))?;
        Ok(Self { shared })
    }

    /// Waits until the sink has everything before `target`.
    pub(crate) fn wait_for(&self, target: Position, deadline: Duration) -> Drained {
        self.shared.change(|state| state.hurry = true);
        let complete = self.shared.wait_until(deadline_in(deadline), |state| state.drained >= Some(target));
        self.drained(complete)
    }

    /// Has the drain finish at `end` and remove the journal; waits for it. When that takes longer than `deadline` it goes
    /// on in the background.
    pub(crate) fn finish(&self, end: Position, deadline: Duration) -> Drained {
        self.shared.change(|state| {
            state.finish_at = Some(end);
            state.hurry = true;
        });
        let complete = self.shared.wait_until(deadline_in(deadline), |state| state.done);
        self.drained(complete)
    }

    fn drained(&self, complete: bool) -> Drained {
        let state = self.shared.lock();
        Drained { complete, refused: state.refused, trouble: state.trouble.clone() }
    }
}

/// The time when `patience` is over. Who waits for ever waits for a year.
fn deadline_in(patience: Duration) -> Instant {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    clock::monotonic() + patience.min(YEAR)
}

/// How long the drain rests after `carried` bytes were logged in `time`: until there is enough to carry, if it goes on like that.
fn pause_for(carried: u64, time: Duration) -> Duration {
    let wait = time.as_nanos() * u128::from(LOAD) / u128::from(carried.max(1));
    Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)).clamp(POLL_UNDER_LOAD, POLL)
}

struct Work {
    journal: Arc<Journal>,
    sink: Box<dyn Sink>,
    reader: Reader,
    position: Position,
    shared: Arc<Shared>,
    lost: LostReport,
    stuck: u32,
    sync_every: Option<Duration>,
    synced: Instant,
    /// Bytes that were carried since the drain last rested.
    carried: u64,
    /// When it last began to.
    rested: Option<Instant>,
}

impl Work {
    fn run(&mut self) {
        loop {
            let finish_at = self.shared.lock().finish_at;
            let outcome = self.carry().and_then(|()| self.carry_losses());
            let trouble = outcome.as_ref().err().map(ToString::to_string);
            self.shared.change(|state| state.trouble.clone_from(&trouble));
            if trouble.is_none() && finish_at.is_some_and(|end| self.position >= end) {
                fail::fail_point!("drain-finished");
                // When this fails the next session finds the journal drained and removes it.
                drop(self.journal.folder().remove());
                return;
            }
            self.sync_now_and_then();
            let pause = match self.rested.replace(clock::monotonic()) {
                _ if trouble.is_some() => RETRY,
                Some(rested) => pause_for(std::mem::take(&mut self.carried), rested.elapsed()),
                // What is logged in a burst at the start is seen soon.
                None => POLL_UNDER_LOAD,
            };
            self.rest(pause);
        }
    }

    /// Waits for the next look, or for somebody in a hurry.
    fn rest(&self, pause: Duration) {
        self.shared.wait_until(clock::monotonic() + pause, |state| state.hurry);
        self.shared.lock().hurry = false;
    }

    /// Carries everything that is published to the sink.
    fn carry(&mut self) -> Result<()> {
        while self.position < self.journal.logged() {
            let reading = if self.stuck > STUCK { Reading::AlivePastDamage } else { Reading::Alive };
            let batch = self
                .reader
                .read(self.position, reading)
                .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
            self.stuck = if batch.stuck { self.stuck + 1 } else { 0 };
            if batch.is_empty() {
                break;
            }
            fail::fail_point!("drain-read");
            let refused = match self.sink.take(&batch) {
                Ok(refused) => refused,
                Err(error) => {
                    // Another process may have drained this journal while we were held up.
                    self.position = self.sink.position()?;
                    return Err(error);
                }
            };
            fail::fail_point!("drain-taken");
            self.carried += batch.bytes();
            let from = self.position.segment;
            self.position = batch.end;
            let position = self.position;
            self.shared.change(|state| {
                state.drained = Some(position);
                for (reason, count) in refused.iter() {
                    state.refused.add(reason, count);
                }
            });
            self.remove_segments(from)?;
            fail::fail_point!("drain-removed");
        }
        let position = self.position;
        self.shared.change(|state| state.drained = Some(position));
        Ok(())
    }

    /// Removes the segments from `from` on that the sink has in full.
    fn remove_segments(&self, from: u64) -> Result<()> {
        for number in from..self.position.segment {
            let path = self.journal.folder().segment(number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(
                        Error::new(ErrorKind::Unavailable, format!("cannot remove {}", path.display())).because(error)
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn carry_losses(&mut self) -> Result<()> {
        let lost = self.journal.losses().report();
        if lost != self.lost {
            self.sink.take_losses(&lost)?;
            self.lost = lost;
        }
        Ok(())
    }

    fn sync_now_and_then(&mut self) {
        let Some(every) = self.sync_every else { return };
        if self.synced.elapsed() >= every {
            // A sync that fails is tried again at the next look; what it is for is the loss of power only.
            drop(self.journal.sync());
            self.synced = clock::monotonic();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_logged_the_sooner_the_drain_looks_again() {
        let rests = |carried| pause_for(carried, POLL);
        assert_eq!(rests(0), POLL);
        assert_eq!(rests(LOAD), POLL);
        assert_eq!(rests(5 * LOAD), POLL / 5);
        assert_eq!(rests(1000 * LOAD), POLL_UNDER_LOAD);
        assert_eq!(pause_for(LOAD, Duration::ZERO), POLL_UNDER_LOAD);
        assert_eq!(pause_for(1, Duration::MAX), POLL);
    }
}
