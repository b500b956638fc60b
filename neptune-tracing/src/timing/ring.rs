//! [`ThreadTimings`]: the samples of one thread, put in by it and taken out by whoever collects.
//!
//! Invariant: only the thread moves `head`; `tail` is moved under the lock of `taken`. What lies between is whole.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    statistics::{ByPosition, Statistics, Taken, drain},
    steps::Drawing,
};

/// Samples that fit. At most this many wait to be counted; a power of two.
const ROOM: usize = 256;

/// How soon the collector tries again to take from a ring that its thread is emptying.
const SOON: Duration = Duration::from_micros(50);

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// A span was entered and left.
    Stretch = 0,
    /// A span that awaited was closed: it took `ticks` from first to last, and `extra` of them in it.
    Awaited = 1,
    /// A step was done; `extra` is its number, as bits of an `f64`. The span itself comes as another sample.
    Step = 2,
}

/// Something that took time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) position: u32,
    /// When it began, in ticks.
    pub(crate) began: u64,
    /// How long it took.
    pub(crate) ticks: u64,
    pub(crate) extra: u64,
}

#[derive(Debug, Default)]
struct Entry {
    what: AtomicU64,
    began: AtomicU64,
    ticks: AtomicU64,
    extra: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct ThreadTimings {
    /// The name of the thread, for timelines.
    pub(crate) name: String,
    ring: Box<[Entry]>,
    head: AtomicU64,
    tail: AtomicU64,
    taken: Mutex<Taken>,
    /// Statistics that are empty, to be exchanged for those that are not; only the collector has them.
    spare: Mutex<ByPosition>,
    /// Which steps are drawn.
    drawing: Arc<Drawing>,
    /// Samples for which there was no room.
    overrun: AtomicU64,
}

impl ThreadTimings {
    pub(crate) fn new(name: String, drawing: Arc<Drawing>) -> Self {
        Self {
            name,
            spare: Mutex::default(),
            drawing,
            ring: std::iter::repeat_with(Entry::default).take(ROOM).collect(),
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            taken: Mutex::default(),
            overrun: AtomicU64::new(0),
        }
    }

    /// Puts a sample in. Only the thread itself calls this; it never waits.
    #[inline]
    pub(crate) fn push(&self, sample: Sample) {
        let head = self.head.load(Ordering::Relaxed);
        if head.wrapping_sub(self.tail.load(Ordering::Acquire)) >= ROOM as u64 && !self.make_room() {
            self.overrun.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Some(entry) = self.ring.get(place(head)) {
            entry.what.store(u64::from(sample.position) << 32 | u64::from(sample.kind as u32), Ordering::Relaxed);
            entry.began.store(sample.began, Ordering::Relaxed);
            entry.ticks.store(sample.ticks, Ordering::Relaxed);
            entry.extra.store(sample.extra, Ordering::Relaxed);
            self.head.store(head.wrapping_add(1), Ordering::Release);
        }
    }

    /// Empties the full ring, unless somebody is about to.
    #[cold]
    fn make_room(&self) -> bool {
        /// The collector holds the lock for some microseconds; longer only when it was interrupted.
        const TRIES: usize = 1_000;
        for _ in 0..TRIES {
            if let Ok(mut taken) = self.taken.try_lock() {
                self.take_into(&mut taken);
                return true;
            }
            std::hint::spin_loop();
        }
        self.head.load(Ordering::Relaxed).wrapping_sub(self.tail.load(Ordering::Acquire)) < ROOM as u64
    }

    /// Everything that was put in so far, counted, to be looked at and taken away.
    pub(crate) fn take(&self) -> MutexGuard<'_, Taken> {
        let mut taken = loop {
            match self.taken.try_lock() {
                Ok(taken) => break taken,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                // Whoever sleeps on a lock has to be woken by a system call, and the thread is to make none.
                Err(TryLockError::WouldBlock) => thread::park_timeout(SOON),
            }
        };
        self.take_into(&mut taken);
        taken
    }

    /// Takes the statistics of everything that was put in so far away.
    pub(crate) fn drain(&self, count: impl FnMut(u32, &Statistics)) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted when the thread may go on.
        self.take().exchange(&mut spare);
        drain(&mut spare, count);
    }

    /// How many samples there was no room for since this was asked last.
    pub(crate) fn take_overrun(&self) -> u64 {
        self.overrun.swap(0, Ordering::Relaxed)
    }

    fn take_into(&self, taken: &mut Taken) {
        let head = self.head.load(Ordering::Acquire);
        let tail = self.tail.load(Ordering::Relaxed);
        for number in 0..head.wrapping_sub(tail) {
            let Some(entry) = self.ring.get(place(tail.wrapping_add(number))) else { continue };
            let what = entry.what.load(Ordering::Relaxed);
            let kind = match what & 0xffff_ffff {
                0 => Kind::Stretch,
                1 => Kind::Awaited,
                _ => Kind::Step,
            };
            let sample = Sample {
                kind,
                position: u32::try_from(what >> 32).unwrap_or(0),
                began: entry.began.load(Ordering::Relaxed),
                ticks: entry.ticks.load(Ordering::Relaxed),
                extra: entry.extra.load(Ordering::Relaxed),
            };
            taken.add(&sample, &self.drawing);
        }
        self.tail.store(head, Ordering::Release);
    }
}

fn place(number: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a remainder below the size of the ring")]
    let place = (number % ROOM as u64) as usize;
    place
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn every_sample_is_counted_once_while_another_thread_takes() {
        const SAMPLES: u64 = 200_000;
        let timings = ThreadTimings::new("test".into(), Arc::default());
        let done = AtomicBool::new(false);
        let mut counted = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..SAMPLES {
                    timings.push(Sample { kind: Kind::Stretch, position: 3, began: number, ticks: 5, extra: 0 });
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                timings.drain(|_, statistics| counted += statistics.count());
            }
        });
        timings.drain(|_, statistics| counted += statistics.count());
        assert_eq!(counted + timings.take_overrun(), SAMPLES);
        assert!(counted > SAMPLES / 2, "{counted}");
    }
}
