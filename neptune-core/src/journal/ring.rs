//! The ring of mapped segments, and the sharing out of their room: what a logging call runs through.
//!
//! Invariant: the room of a segment is given out by one atomic counter, each byte once. The counter carries the number of
//! its segment, so a thread that was held up while its slot was given to a later segment notices, and undoes itself by
//! publishing an empty frame.

#![expect(unsafe_code, reason = "reserved room is turned into memory here")]

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    },
    thread::Thread,
    time::Duration,
};

use neptune_format::{
    Position,
    frame::{self, kind},
    segment,
};

use super::mapping::{Mapping, Room};
use crate::{clock, fork};

/// How long a logging call waits for a segment to become ready, at most. The keeper makes one in well under a
/// millisecond; this is what an overloaded machine is given before guarantee G1 comes first.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);

/// Segments that can be mapped at a time: ready, active, or waiting for their last frames.
pub(super) const SLOTS: usize = 8;

const OFFSET_BITS: u32 = 40;
const OFFSET: u64 = (1 << OFFSET_BITS) - 1;
/// The part of a segment's number that its counter carries.
const NUMBER: u64 = (1 << (64 - OFFSET_BITS)) - 1;

/// Set in `active` for good when nothing more is taken.
const STOPPED: u64 = 1 << 63;
/// Set in `active` while there is no room: the active segment is full, and the next is not ready.
const STALLED: u64 = 1 << 62;
const FLAGS: u64 = STOPPED | STALLED;

/// Why no room was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The journal is stopped.
    Stopped,
    /// This is a forked child of the process that made the ring.
    Forked,
    /// There is no room now.
    NoRoom,
}

/// A counter on a cache line of its own.
#[repr(align(128))]
#[derive(Debug)]
struct Alone(AtomicU64);

/// What a logging call needs of a segment begins a cache line together: fetching one brings the others.
#[repr(C, align(128))]
#[derive(Debug)]
struct Slot {
    /// The number of the segment (its low bits) and how much of it was given out.
    cursor: AtomicU64,
    base: AtomicPtr<u8>,
    salt: AtomicU64,
    /// The mapping itself; touched by the keeper only.
    mapping: Mutex<Option<Mapping>>,
}

/// What every logging call reads first, on one cache line.
#[repr(C, align(128))]
#[derive(Debug)]
struct Front {
    /// The number of the segment that is written to, and [`FLAGS`].
    active: AtomicU64,
    capacity: u64,
    /// The generation of the process that made the ring; see [`fork`].
    generation: u32,
}

#[derive(Debug)]
pub(super) struct Ring {
    front: Front,
    /// The greatest number of a segment that is ready or was.
    ready: Alone,
    slots: [Slot; SLOTS],
    keeper: OnceLock<Thread>,
    /// The keeper cannot make segments for now: nothing is to be waited for.
    barren: AtomicBool,
}

impl Ring {
    /// A ring whose first segment is still to be installed.
    pub(super) fn new(capacity: u64) -> Self {
        let slot = || Slot {
            // Full, and of no segment.
            cursor: AtomicU64::new(capacity + frame::HEADER),
            base: AtomicPtr::new(std::ptr::null_mut()),
            salt: AtomicU64::new(0),
            mapping: Mutex::new(None),
        };
        Self {
            front: Front { active: AtomicU64::new(1), capacity, generation: fork::generation() },
            ready: Alone(AtomicU64::new(0)),
            slots: std::array::from_fn(|_| slot()),
            keeper: OnceLock::new(),
            barren: AtomicBool::new(false),
        }
    }

    /// Names the thread to wake when a logging call finds no segment ready.
    pub(super) fn keeper_is(&self, keeper: Thread) {
        // A ring has one keeper; a second name is ignored.
        drop(self.keeper.set(keeper));
    }

    /// Whether this process is the one that made the ring.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        fork::generation() == self.front.generation
    }

    /// Says whether the keeper can make segments. While it cannot, a logging call does not wait for one.
    pub(super) fn set_barren(&self, barren: bool) {
        self.barren.store(barren, Ordering::Release);
    }

    pub(super) fn is_barren(&self) -> bool {
        self.barren.load(Ordering::Acquire)
    }

    /// Makes a segment ready. Only the keeper calls this, in the order of the numbers, and only when
    /// [`Ring::has_free_slot`] said yes.
    pub(super) fn install(&self, number: u64, mapping: Mapping, salt: u64) {
        debug_assert_eq!(mapping.length(), self.front.capacity, "a segment has the size of its ring");
        let slot = self.slot(number);
        slot.salt.store(salt, Ordering::Relaxed);
        let mut place = slot.mapping.lock().unwrap_or_else(PoisonError::into_inner);
        // The address is taken where the mapping stays.
        slot.base.store(place.insert(mapping).base(), Ordering::Relaxed);
        drop(place);
        slot.cursor.store(((number & NUMBER) << OFFSET_BITS) | segment::HEADER, Ordering::Release);
        self.ready.0.store(number, Ordering::Release);
        // A logging call that gave up left it to us to move on.
        let stalled = self.front.active.load(Ordering::Acquire);
        if stalled & STALLED != 0 && stalled & STOPPED == 0 && stalled & !FLAGS == number - 1 {
            self.move_on(stalled, number);
        }
    }

    /// The number of the segment that is written to.
    pub(super) fn active(&self) -> u64 {
        self.front.active.load(Ordering::Acquire) & !FLAGS
    }

    pub(super) fn ready(&self) -> u64 {
        self.ready.0.load(Ordering::Acquire)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.front.active.load(Ordering::Acquire) & STOPPED != 0
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.front.active.load(Ordering::Acquire) & STALLED != 0
    }

    /// Whether segment `number` can be installed.
    pub(super) fn has_free_slot(&self, number: u64) -> bool {
        self.slot(number).mapping.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// A place behind everything that was given out so far.
    pub(super) fn given_out(&self) -> Position {
        let number = self.active();
        let cursor = self.slot(number).cursor.load(Ordering::Acquire);
        if cursor >> OFFSET_BITS != number & NUMBER {
            return Position::start_of(number);
        }
        Position { segment: number, offset: (cursor & OFFSET).min(self.front.capacity) }
    }

    /// Room for `length` bytes of frames; `length` is a multiple of 8 and fits a segment.
    #[inline]
    pub(super) fn reserve(&self, length: u64) -> Result<Room, Refused> {
        if !self.is_ours() {
            return Err(Refused::Forked);
        }
        let active = self.front.active.load(Ordering::Acquire);
        if active & FLAGS == 0 {
            let slot = self.slot(active);
            let cursor = slot.cursor.fetch_add(length, Ordering::AcqRel);
            let offset = cursor & OFFSET;
            if cursor >> OFFSET_BITS == active & NUMBER && offset + length <= self.front.capacity {
                return Ok(Self::room(slot, offset, length));
            }
            self.give_back(slot, offset, length);
        }
        self.reserve_slowly(length)
    }

    fn slot(&self, number: u64) -> &Slot {
        #[expect(clippy::cast_possible_truncation, reason = "a remainder below the number of slots")]
        &self.slots[(number % SLOTS as u64) as usize]
    }

    #[inline]
    fn room(slot: &Slot, offset: u64, length: u64) -> Room {
        let base = slot.base.load(Ordering::Relaxed);
        let salt = slot.salt.load(Ordering::Relaxed);
        // SAFETY: the counter gave these bytes to this call alone, and they lie within the capacity, which is the length
        // of the mapping; a fresh segment is zero. Base and salt were stored before the counter was set to this segment,
        // and the addition acquired that. The keeper unmaps a segment only when it has seen a published frame at every
        // part that was given out.
        unsafe { Room::new(base, offset, offset + length, salt) }
    }

    /// Undoes a reservation that cannot be used: the one that first reached the end of its segment marks the end there,
    /// and one that fell into a later segment than it meant to leaves its room empty, which publishes an empty frame.
    #[cold]
    fn give_back(&self, slot: &Slot, offset: u64, length: u64) {
        if offset + length <= self.front.capacity {
            drop(Self::room(slot, offset, length).filled());
        } else if offset + frame::HEADER <= self.front.capacity {
            Self::room(slot, offset, frame::HEADER).put(kind::END, &[]);
        }
    }

    #[cold]
    fn reserve_slowly(&self, length: u64) -> Result<Room, Refused> {
        let mut waiting = Waiting::default();
        loop {
            let active = self.front.active.load(Ordering::Acquire);
            if active & STOPPED != 0 {
                return Err(Refused::Stopped);
            }
            if active & STALLED != 0 {
                return Err(Refused::NoRoom);
            }
            let slot = self.slot(active);
            let cursor = slot.cursor.load(Ordering::Acquire);
            let is_full = cursor >> OFFSET_BITS == active & NUMBER && (cursor & OFFSET) + length > self.front.capacity;
            if !is_full {
                let cursor = slot.cursor.fetch_add(length, Ordering::AcqRel);
                let offset = cursor & OFFSET;
                if cursor >> OFFSET_BITS == active & NUMBER && offset + length <= self.front.capacity {
                    return Ok(Self::room(slot, offset, length));
                }
                self.give_back(slot, offset, length);
                continue;
            }
            // A record that is too long for what is left, but short enough that others would still fit, ends the
            // segment all the same: records of one thread must stay in order.
            if (cursor & OFFSET) + frame::HEADER <= self.front.capacity {
                let cursor = slot.cursor.fetch_add(self.front.capacity, Ordering::AcqRel);
                self.give_back(slot, cursor & OFFSET, self.front.capacity);
            }
            if self.ready() > active {
                self.move_on(active, active + 1);
            } else if self.is_barren() || !waiting.go_on(self.keeper.get()) {
                // Whoever sets the flag here finds the keeper still at work; the keeper clears it with the next segment.
                self.move_on(active, active | STALLED);
                if self.ready() > active {
                    self.move_on(active | STALLED, active + 1);
                }
            }
        }
    }

    /// Moves from one state to the next, unless another thread did.
    fn move_on(&self, from: u64, to: u64) -> bool {
        self.front.active.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Takes nothing more. Everything that was given out before is still published by whoever holds it; the place that
    /// is returned lies behind all of it.
    pub(super) fn stop(&self) -> Position {
        let active = self.front.active.fetch_or(STOPPED, Ordering::AcqRel) & !FLAGS;
        let slot = self.slot(active);
        let cursor = slot.cursor.fetch_add(self.front.capacity, Ordering::AcqRel);
        let offset = cursor & OFFSET;
        self.give_back(slot, offset, self.front.capacity);
        Position { segment: active, offset: offset.min(self.front.capacity) }
    }

    /// Unmaps the segments before the active one in which every frame is published. With `all`, the active one too: for
    /// a ring that is stopped. Returns whether nothing is left mapped of those.
    pub(super) fn settle(&self, all: bool) -> bool {
        let active = self.active();
        let first = active.saturating_sub(SLOTS as u64 - 1).max(1);
        let last = if all { active } else { active.saturating_sub(1) };
        let mut settled = true;
        for number in first..=last {
            let slot = self.slot(number);
            let mut mapping = slot.mapping.lock().unwrap_or_else(PoisonError::into_inner);
            let cursor = slot.cursor.load(Ordering::Acquire);
            if cursor >> OFFSET_BITS != number & NUMBER {
                continue;
            }
            if mapping.as_ref().is_some_and(|mapping| !Self::is_published(mapping)) {
                settled = false;
                continue;
            }
            *mapping = None;
        }
        settled
    }

    /// Whether frames stand one behind the other up to the end of the segment.
    fn is_published(mapping: &Mapping) -> bool {
        let mut offset = segment::HEADER;
        while offset + frame::HEADER <= mapping.length() {
            let header = mapping.header_at(offset);
            if header == 0 {
                return false;
            }
            // The END frame has no body and is the last.
            let length = frame::body_length(header);
            if length == 0 {
                return true;
            }
            offset += frame::frame_length(usize::try_from(length).unwrap_or(usize::MAX >> 1));
        }
        true
    }
}

/// Waiting for the keeper, politely and not for ever.
#[derive(Default)]
struct Waiting {
    turns: u32,
    since: Option<std::time::Instant>,
}

impl Waiting {
    /// Waits a little; `false` when patience is at its end.
    fn go_on(&mut self, keeper: Option<&Thread>) -> bool {
        const SPINS: u32 = 64;
        self.turns += 1;
        let since = *self.since.get_or_insert_with(|| {
            if let Some(keeper) = keeper {
                keeper.unpark();
            }
            clock::monotonic()
        });
        if self.turns < SPINS {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        since.elapsed() < PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use neptune_format::frame::{Found, Stretch};

    use super::*;

    const CAPACITY: u64 = 1024;
    const SALT: u64 = 42;

    fn memory() -> Mapping {
        Mapping::Memory((0..CAPACITY / 8).map(|_| AtomicU64::new(0)).collect())
    }

    /// Takes the bytes of every installed segment, by number.
    fn bytes_of(ring: &Ring, number: u64) -> Vec<u8> {
        let mapping = ring.slot(number).mapping.lock().unwrap();
        let Some(Mapping::Memory(words)) = mapping.as_ref() else { return Vec::new() };
        words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
    }

    /// The bodies in a segment, up to its end mark or what is unpublished.
    fn bodies(bytes: &[u8]) -> Vec<u64> {
        let stretch = Stretch { bytes, begins: 0, capacity: CAPACITY, salt: SALT };
        let mut bodies = Vec::new();
        let mut offset = segment::HEADER;
        while let Found::Frame { kind, body, end } = stretch.at(offset) {
            if kind == kind::END {
                break;
            }
            if kind == kind::RECORD {
                bodies.push(u64::from_le_bytes(body.try_into().unwrap()));
            }
            offset = end;
        }
        bodies
    }

    #[test]
    fn records_of_each_thread_are_all_there_and_in_order() {
        const THREADS: u64 = 3;
        const RECORDS: u64 = 90;
        let ring = Arc::new(Ring::new(CAPACITY));
        for number in 1..SLOTS as u64 {
            ring.install(number, memory(), SALT);
        }
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let ring = &ring;
                scope.spawn(move || {
                    for record in 0..RECORDS {
                        let body = (thread * 1_000 + record).to_le_bytes();
                        ring.reserve(16).expect("seven segments hold them all").put(kind::RECORD, &body);
                    }
                });
            }
        });
        let all: Vec<u64> = (1..SLOTS as u64).flat_map(|number| bodies(&bytes_of(&ring, number))).collect();
        for thread in 0..THREADS {
            let of_thread: Vec<u64> = all.iter().copied().filter(|body| body / 1_000 == thread).collect();
            let expected: Vec<u64> = (0..RECORDS).map(|record| thread * 1_000 + record).collect();
            assert_eq!(of_thread, expected, "thread {thread}");
        }
    }

    #[test]
    fn without_a_ready_segment_a_record_is_refused_and_logging_resumes_with_one() {
        let ring = Ring::new(CAPACITY);
        ring.install(1, memory(), SALT);
        ring.set_barren(true);
        let fits = (CAPACITY - segment::HEADER) / 16;
        for record in 0..fits {
            ring.reserve(16).unwrap().put(kind::RECORD, &record.to_le_bytes());
        }
        assert_eq!(ring.reserve(16).unwrap_err(), Refused::NoRoom);
        assert!(ring.is_stalled());
        ring.install(2, memory(), SALT);
        ring.reserve(16).expect("a segment is ready").put(kind::RECORD, &7_u64.to_le_bytes());
        assert_eq!(bodies(&bytes_of(&ring, 1)).len() as u64, fits);
        assert_eq!(bodies(&bytes_of(&ring, 2)), [7]);
    }

    #[test]
    fn a_segment_is_unmapped_only_when_every_frame_is_published() {
        let ring = Ring::new(CAPACITY);
        ring.install(1, memory(), SALT);
        ring.install(2, memory(), SALT);
        let mut held = ring.reserve(16).unwrap();
        while ring.active() == 1 {
            ring.reserve(16).unwrap().put(kind::RECORD, &[1; 8]);
        }
        assert!(!ring.settle(false), "one frame is not published yet");
        held.put(kind::RECORD, &[2; 8]);
        assert!(ring.settle(false));
        assert!(ring.has_free_slot(1) && !ring.has_free_slot(2));
    }

    #[test]
    fn a_stopped_ring_takes_nothing_more_and_ends_behind_what_it_took() {
        let ring = Ring::new(CAPACITY);
        ring.install(1, memory(), SALT);
        ring.reserve(16).unwrap().put(kind::RECORD, &5_u64.to_le_bytes());
        let end = ring.stop();
        assert_eq!(end, Position { segment: 1, offset: segment::HEADER + 16 });
        assert_eq!(ring.reserve(16).unwrap_err(), Refused::Stopped);
        assert_eq!(bodies(&bytes_of(&ring, 1)), [5]);
        assert!(ring.settle(true));
    }
}
