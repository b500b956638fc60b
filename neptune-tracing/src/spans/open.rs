//! [`OpenSpans`]: what is known of each open span, found by its id from any thread, without a lock.
//!
//! A table of atomics in levels of growing size. A span takes a free slot near the place that its id hashes to, in the
//! first level that has one; closing it frees the slot. Invariant: a slot is filled before anybody else knows the id that it
//! is found by, and freed before the registry gives the id to another span.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use crate::context::Context;

/// Slots of each level, the first made first. Most programs have fewer spans open at a time than the first holds.
const LEVELS: [usize; 5] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18];

/// How many slots are looked at from the place that an id hashes to. Their ids fill one cache line.
const WINDOW: usize = 8;

/// Stretches of a span that are held back until it is known what they are; see [`super::callbacks`].
pub(crate) const HELD: usize = 8;

/// What is known of an open span.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct OpenSpan {
    /// The step, epoch and split that it says, and those around it said when it was created.
    step: AtomicU64,
    epoch: AtomicU64,
    split: AtomicU32,
    /// Where it stands; see [`super::Positions`].
    pub(crate) position: AtomicU32,
    /// See the constants of [`Traits`].
    pub(crate) traits: AtomicU32,
    /// Stretches so far, times two, and one if they are not held back any more.
    pub(crate) stretches: AtomicU32,
    /// When it was left last, in ticks.
    pub(crate) left: AtomicU64,
    /// Ticks in it beyond the first stretch.
    pub(crate) busy: AtomicU64,
    /// When each of the first stretches began and how long it took, in ticks.
    pub(crate) held: [(AtomicU64, AtomicU64); HELD],
}

/// What kind of span it is; bits of [`OpenSpan::traits`].
pub(crate) struct Traits;

impl Traits {
    /// It is timed.
    pub(crate) const TIMED: u32 = 1;
    /// Each of its timings is logged.
    pub(crate) const RAW: u32 = 2;
    /// It says a step itself: what happens in it is that step.
    pub(crate) const STEP: u32 = 4;
}

impl OpenSpan {
    pub(crate) fn context(&self) -> Context {
        Context {
            step: f64::from_bits(self.step.load(Ordering::Relaxed)),
            epoch: f64::from_bits(self.epoch.load(Ordering::Relaxed)),
            split: self.split.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn set_context(&self, context: Context) {
        self.step.store(context.step.to_bits(), Ordering::Relaxed);
        self.epoch.store(context.epoch.to_bits(), Ordering::Relaxed);
        self.split.store(context.split, Ordering::Relaxed);
    }

    pub(crate) fn position(&self) -> u32 {
        self.position.load(Ordering::Relaxed)
    }

    pub(crate) fn is(&self, wanted: u32) -> bool {
        self.traits.load(Ordering::Relaxed) & wanted != 0
    }
}

#[derive(Debug)]
struct Level {
    /// The id of the span in each slot; zero where it is free. An id is never zero.
    ids: Box<[AtomicU64]>,
    spans: Box<[OpenSpan]>,
}

#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    levels: [OnceLock<Level>; LEVELS.len()],
}

/// Where a span is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    level: usize,
    slot: usize,
}

impl OpenSpans {
    /// Takes a slot for a span that is being created; `None` when there are too many.
    pub(crate) fn insert(&self, id: u64) -> Option<(Place, &OpenSpan)> {
        for (number, (level, slots)) in self.levels.iter().zip(LEVELS).enumerate() {
            let level = level.get_or_init(|| Level::of(slots));
            for slot in level.window(id) {
                let Some(place) = level.ids.get(slot) else { continue };
                if place.load(Ordering::Relaxed) == 0
                    && place.compare_exchange(0, id, Ordering::Acquire, Ordering::Relaxed).is_ok()
                {
                    let span = level.spans.get(slot)?;
                    span.stretches.store(0, Ordering::Relaxed);
                    span.busy.store(0, Ordering::Relaxed);
                    return Some((Place { level: number, slot }, span));
                }
            }
        }
        None
    }

    /// The span of this id; `None` when it is not ours.
    pub(crate) fn find(&self, id: u64) -> Option<(Place, &OpenSpan)> {
        for (number, level) in self.levels.iter().enumerate() {
            let level = level.get()?;
            for slot in level.window(id) {
                if level.ids.get(slot)?.load(Ordering::Relaxed) == id {
                    return Some((Place { level: number, slot }, level.spans.get(slot)?));
                }
            }
        }
        None
    }

    /// The span at a place that [`OpenSpans::find`] gave, which is still open.
    pub(crate) fn at(&self, place: Place) -> Option<&OpenSpan> {
        self.levels.get(place.level)?.get()?.spans.get(place.slot)
    }

    /// Frees the slot of a span that is closed.
    pub(crate) fn remove(&self, place: Place) {
        let level = self.levels.get(place.level).and_then(OnceLock::get);
        if let Some(id) = level.and_then(|level| level.ids.get(place.slot)) {
            id.store(0, Ordering::Release);
        }
    }

    /// Every span that is open now.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OpenSpan> {
        self.levels.iter().filter_map(OnceLock::get).flat_map(|level| {
            let is_open = |id: &AtomicU64| id.load(Ordering::Acquire) != 0;
            level.ids.iter().zip(&level.spans).filter_map(move |(id, span)| is_open(id).then_some(span))
        })
    }
}

impl Level {
    fn of(slots: usize) -> Self {
        Self {
            ids: std::iter::repeat_with(AtomicU64::default).take(slots).collect(),
            spans: std::iter::repeat_with(OpenSpan::default).take(slots).collect(),
        }
    }

    /// The slots in which a span of this id may be.
    #[inline]
    fn window(&self, id: u64) -> impl Iterator<Item = usize> + use<> {
        // Fibonacci hashing: ids of neighbours, and of one slot of the registry again and again, spread out.
        let hash = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let from = (hash as usize) & (self.ids.len() - 1) & !(WINDOW - 1);
        from..from + WINDOW
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn spans_are_found_while_they_are_open_and_not_after() {
        let table = OpenSpans::default();
        let mut places = BTreeMap::new();
        for id in 1..=20_000_u64 {
            let (place, span) = table.insert(id * 977).unwrap();
            span.position.store(u32::try_from(id).unwrap(), Ordering::Relaxed);
            places.insert(id, place);
        }
        for id in 1..=20_000_u64 {
            let (place, span) = table.find(id * 977).unwrap();
            assert_eq!((place, u64::from(span.position())), (places[&id], id));
            assert!(std::ptr::eq(table.at(place).unwrap(), span));
        }
        assert_eq!(table.all().count(), 20_000);
        for place in places.values() {
            table.remove(*place);
        }
        assert_eq!(table.all().count(), 0);
        assert!(table.find(977).is_none());
    }

    #[test]
    fn a_full_table_says_so() {
        let table = OpenSpans::default();
        let taken = (1..=2_000_000_u64).take_while(|id| table.insert(*id).is_some()).count();
        assert!(taken > 100_000, "only {taken} spans found room");
        assert!(taken < 2_000_000);
    }

    #[test]
    fn threads_share_the_table() {
        let table = OpenSpans::default();
        std::thread::scope(|scope| {
            for thread in 1..=4_u64 {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..20_000_u64 {
                        let id = (thread << 40) + round;
                        let (place, span) = table.insert(id).unwrap();
                        span.position.store(7, Ordering::Relaxed);
                        assert_eq!(table.find(id).unwrap().0, place);
                        table.remove(place);
                    }
                });
            }
        });
        assert_eq!(table.all().count(), 0);
    }
}
