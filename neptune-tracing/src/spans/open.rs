//! [`OpenSpans`]: what is known of each open span, found by its id from any thread, without waiting.
//!
//! A table of atomics in levels of growing size. A span takes a free slot near the place that its id hashes to, in the
//! first level that has one; closing it frees the slot. Invariants: a slot is filled before it can be found, and freed before
//! the registry gives the id to another span. What changes while a span is open changes under the lock of its slot, which
//! is held for some nanoseconds and is never waited for long: whoever does not get it goes on without.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use crate::context::Context;

/// Slots of each level, the first made first. Most programs have fewer spans open at a time than the first holds.
const LEVELS: [usize; 4] = [1 << 10, 1 << 12, 1 << 14, 1 << 16];

/// How many slots are looked at from the place that an id hashes to. Their ids fill one cache line.
const WINDOW: usize = 8;

/// Stretches of a span that are held back until it is known what they are; see [`super::callbacks`].
pub(crate) const HELD: usize = 16;

/// Stands for the id of a span whose slot is being filled.
const FILLING: u64 = u64::MAX;

/// How often the lock of a slot is tried. Another thread holds it for some nanoseconds, unless it was interrupted.
const TRIES: usize = 200;

/// What is known of an open span.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct OpenSpan {
    /// The step, epoch and split that it says itself.
    pub(crate) own: SharedContext,
    /// What the spans around it said when it was created.
    pub(crate) inherited: SharedContext,
    /// The number of the experiment that it belongs to; see [`crate::target`].
    target: AtomicU32,
    /// Where it stands; see [`super::Positions`].
    position: AtomicU32,
    /// See the constants of [`Traits`].
    traits: AtomicU32,
    is_locked: AtomicBool,
    stretches: Stretches,
}

/// How often and how long a span was entered, as far as that is not counted yet. Touched under the lock of the slot.
#[derive(Debug, Default)]
struct Stretches {
    count: AtomicU32,
    /// Stretches are not held back any more.
    is_released: AtomicBool,
    /// When it was left last, in ticks.
    left: AtomicU64,
    /// How long the last stretch was.
    last: AtomicU64,
    /// Ticks in it, all stretches together.
    busy: AtomicU64,
    /// Two of them were at the same time, on two threads.
    overlaps: AtomicBool,
    /// When each of the first stretches began and how long it took, in ticks.
    held: [(AtomicU64, AtomicU64); HELD],
}

/// A stretch: when it began and how long it took, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) began: u64,
    pub(crate) ticks: u64,
}

/// The stretches of a span that are not counted yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) count: u32,
    pub(crate) held: [Stretch; HELD],
    pub(crate) left: u64,
    pub(crate) last: u64,
    pub(crate) busy: u64,
    pub(crate) overlaps: bool,
}

impl Pending {
    /// The stretches that were held back one by one.
    pub(crate) fn each(&self) -> &[Stretch] {
        self.held.get(..(self.count as usize).min(HELD)).unwrap_or_default()
    }
}

/// What becomes of a stretch that was just left.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is looked at at once; the large one is rare")]
pub(crate) enum Taken {
    /// It is held back.
    Held,
    /// It is gathered with the others, of which there are so many with it.
    Gathered(u32),
    /// It is one too many: it is counted, and so are these, and nothing is held back any more.
    Full(Pending),
    /// Nothing is held back: it is counted.
    Released,
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

/// A [`Context`] that threads share.
#[derive(Debug, Default)]
pub(crate) struct SharedContext {
    step: AtomicU64,
    epoch: AtomicU64,
    split: AtomicU32,
}

impl SharedContext {
    pub(crate) fn get(&self) -> Context {
        Context {
            step: f64::from_bits(self.step.load(Ordering::Relaxed)),
            epoch: f64::from_bits(self.epoch.load(Ordering::Relaxed)),
            split: self.split.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn set(&self, context: Context) {
        self.step.store(context.step.to_bits(), Ordering::Relaxed);
        self.epoch.store(context.epoch.to_bits(), Ordering::Relaxed);
        self.split.store(context.split, Ordering::Relaxed);
    }
}

impl OpenSpan {
    /// What it says, and what the spans around it said when it was created.
    pub(crate) fn context(&self) -> Context {
        self.own.get().or(self.inherited.get())
    }

    pub(crate) fn position(&self) -> u32 {
        self.position.load(Ordering::Relaxed)
    }

    pub(crate) fn target(&self) -> u32 {
        self.target.load(Ordering::Relaxed)
    }

    /// Says where it stands, for which experiment, and what kind of span it is.
    pub(crate) fn place(&self, target: u32, position: u32, traits: u32) {
        self.target.store(target, Ordering::Relaxed);
        self.position.store(position, Ordering::Relaxed);
        self.traits.store(traits, Ordering::Relaxed);
    }

    pub(crate) fn is(&self, wanted: u32) -> bool {
        self.traits.load(Ordering::Relaxed) & wanted != 0
    }

    pub(crate) fn add_trait(&self, wanted: u32) {
        self.traits.fetch_or(wanted, Ordering::Relaxed);
    }

    /// Takes a stretch that ended at `now`. When as many are held back as can be, `gathers` says whether more are added up.
    #[inline]
    pub(crate) fn take(&self, stretch: Stretch, now: u64, gathers: impl FnOnce() -> bool) -> Taken {
        let is_full = self.stretches.count.load(Ordering::Relaxed) as usize >= HELD;
        let gathers = is_full && gathers();
        self.locked(|stretches| stretches.take(stretch, now, gathers)).unwrap_or(Taken::Released)
    }

    /// Hands out what is held back, and holds nothing back from now on unless `again`. Nothing when that was done before,
    /// or when another thread is at it.
    pub(crate) fn release(&self, again: bool) -> Option<Pending> {
        self.locked(|stretches| stretches.release(again)).flatten()
    }

    fn locked<T>(&self, act: impl FnOnce(&Stretches) -> T) -> Option<T> {
        let lock = || self.is_locked.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        for _ in 0..TRIES {
            if lock() {
                let done = act(&self.stretches);
                self.is_locked.store(false, Ordering::Release);
                return Some(done);
            }
            std::hint::spin_loop();
        }
        None
    }
}

impl Stretches {
    fn reset(&self) {
        self.count.store(0, Ordering::Relaxed);
        self.is_released.store(false, Ordering::Relaxed);
        self.busy.store(0, Ordering::Relaxed);
        self.overlaps.store(false, Ordering::Relaxed);
    }

    #[inline]
    fn take(&self, stretch: Stretch, now: u64, gathers: bool) -> Taken {
        if self.is_released.load(Ordering::Relaxed) {
            return Taken::Released;
        }
        let count = self.count.load(Ordering::Relaxed);
        match self.held.get(count as usize) {
            Some((began, ticks)) => {
                began.store(stretch.began, Ordering::Relaxed);
                ticks.store(stretch.ticks, Ordering::Relaxed);
            }
            None if gathers => {}
            None => return self.release(false).map_or(Taken::Released, Taken::Full),
        }
        self.busy.store(self.busy.load(Ordering::Relaxed).saturating_add(stretch.ticks), Ordering::Relaxed);
        if count > 0 && stretch.began < self.left.load(Ordering::Relaxed) {
            self.overlaps.store(true, Ordering::Relaxed);
        }
        self.left.store(now, Ordering::Relaxed);
        self.last.store(stretch.ticks, Ordering::Relaxed);
        self.count.store(count.saturating_add(1), Ordering::Relaxed);
        if (count as usize) < HELD { Taken::Held } else { Taken::Gathered(count.saturating_add(1)) }
    }

    fn release(&self, again: bool) -> Option<Pending> {
        if self.is_released.swap(!again, Ordering::Relaxed) {
            return None;
        }
        let stretch = |(began, ticks): &(AtomicU64, AtomicU64)| Stretch {
            began: began.load(Ordering::Relaxed),
            ticks: ticks.load(Ordering::Relaxed),
        };
        let pending = Pending {
            count: self.count.swap(0, Ordering::Relaxed),
            held: std::array::from_fn(|number| self.held.get(number).map_or(Stretch { began: 0, ticks: 0 }, stretch)),
            left: self.left.load(Ordering::Relaxed),
            last: self.last.load(Ordering::Relaxed),
            busy: self.busy.swap(0, Ordering::Relaxed),
            overlaps: self.overlaps.load(Ordering::Relaxed),
        };
        Some(pending)
    }

    /// The only stretch of a span that is being closed; by far the most frequent case.
    #[inline]
    fn only(&self) -> Option<Stretch> {
        let (began, ticks) = self.held.first()?;
        let is_only = self.count.load(Ordering::Relaxed) == 1 && !self.is_released.load(Ordering::Relaxed);
        let stretch = Stretch { began: began.load(Ordering::Relaxed), ticks: ticks.load(Ordering::Relaxed) };
        is_only.then(|| {
            self.is_released.store(true, Ordering::Relaxed);
            stretch
        })
    }
}

impl OpenSpan {
    /// The stretch of a span that is being closed after one; it is counted by the caller.
    #[inline]
    pub(crate) fn only(&self) -> Option<Stretch> {
        self.locked(Stretches::only).flatten()
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
    /// Takes a slot for a span that is being created, and has it filled; `None` when there are too many.
    pub(crate) fn insert(&self, id: u64, fill: impl FnOnce(&OpenSpan)) -> Option<Place> {
        for (number, (level, slots)) in self.levels.iter().zip(LEVELS).enumerate() {
            let level = level.get_or_init(|| Level::of(slots));
            for slot in level.window(id) {
                let (Some(place), Some(span)) = (level.ids.get(slot), level.spans.get(slot)) else { continue };
                if place.load(Ordering::Relaxed) == 0
                    && place.compare_exchange(0, FILLING, Ordering::Acquire, Ordering::Relaxed).is_ok()
                {
                    span.stretches.reset();
                    fill(span);
                    place.store(id, Ordering::Release);
                    return Some(Place { level: number, slot });
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
                if level.ids.get(slot)?.load(Ordering::Acquire) == id {
                    return Some((Place { level: number, slot }, level.spans.get(slot)?));
                }
            }
        }
        None
    }

    /// The span of this id at the place where it was found before; `None` when it is closed.
    pub(crate) fn at(&self, place: Place, id: u64) -> Option<&OpenSpan> {
        let level = self.levels.get(place.level)?.get()?;
        let is_there = level.ids.get(place.slot)?.load(Ordering::Acquire) == id;
        level.spans.get(place.slot).filter(|_| is_there)
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
            let is_open = |id: &AtomicU64| !matches!(id.load(Ordering::Acquire), 0 | FILLING);
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

    fn insert(table: &OpenSpans, id: u64, position: u32) -> Option<Place> {
        table.insert(id, |span| span.place(0, position, Traits::TIMED))
    }

    #[test]
    fn spans_are_found_while_they_are_open_and_not_after() {
        let table = OpenSpans::default();
        let mut places = BTreeMap::new();
        for id in 1..=20_000_u32 {
            places.insert(id, insert(&table, u64::from(id) * 977, id).unwrap());
        }
        for id in 1..=20_000_u32 {
            let (place, span) = table.find(u64::from(id) * 977).unwrap();
            assert_eq!((place, span.position()), (places[&id], id));
            assert!(table.at(place, u64::from(id) * 977).is_some_and(|at| std::ptr::eq(at, span)));
            assert!(table.at(place, 1).is_none(), "another span is at another place");
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
        let taken = (1..=500_000_u64).take_while(|id| insert(&table, *id, 0).is_some()).count();
        assert!((20_000..500_000).contains(&taken), "{taken} spans found room");
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
                        let place = insert(table, id, 7).unwrap();
                        assert_eq!(table.find(id).unwrap().0, place);
                        table.remove(place);
                    }
                });
            }
        });
        assert_eq!(table.all().count(), 0);
    }

    #[test]
    fn every_stretch_is_handed_out_once_while_threads_enter_and_another_releases() {
        const STRETCHES: u64 = 20_000;
        for _ in 0..20 {
            let table = OpenSpans::default();
            insert(&table, 5, 0).unwrap();
            let (_, span) = table.find(5).unwrap();
            let counted = AtomicU64::new(0);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for number in 0..STRETCHES {
                            let gathers = || number % 3 == 0;
                            let count = match span.take(Stretch { began: number, ticks: 1 }, number + 1, gathers) {
                                Taken::Released => 1,
                                Taken::Full(pending) => pending.busy + 1,
                                Taken::Held | Taken::Gathered(_) => 0,
                            };
                            counted.fetch_add(count, Ordering::Relaxed);
                        }
                    });
                }
                scope.spawn(|| {
                    for round in 0..100 {
                        std::thread::yield_now();
                        let pending = span.release(round < 99).map_or(0, |pending| pending.busy);
                        counted.fetch_add(pending, Ordering::Relaxed);
                    }
                });
            });
            let rest = span.release(false).map_or(0, |pending| pending.busy);
            assert_eq!(counted.load(Ordering::Relaxed) + rest, 3 * STRETCHES);
        }
    }
}
