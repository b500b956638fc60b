//! The clock of the logging call: wall time in microseconds for the price of reading the processor's counter.
//!
//! A background thread anchors the counter to the system's clocks every few milliseconds; between anchors a time is the
//! anchor plus counted ticks. Three rules keep it sound: the counter is used only where the processor says that it runs at
//! one rate; an anchor older than [`TRUSTED`] is not used; and where ticks and the system disagree the system wins.
//!
//! Within a process time does not jump back: the distance between the wall clock and the clock of the time since boot only
//! grows. When somebody sets the wall clock back, the times of a running experiment go on from where they were.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clocks")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering, fence},
    },
    time::{Duration, Instant, SystemTime},
};

use neptune_format::Timestamp;

/// How long an anchor is believed. Long enough that a stalled background thread does not matter, short enough that a
/// counter that stopped with the machine is noticed.
const TRUSTED: Duration = Duration::from_secs(2);

/// How long the rate of the counter is measured before its first use, and at least each time after. A millisecond gives
/// the rate to some millionths.
const BASELINE: Duration = Duration::from_millis(1);

/// How far back the rate is measured at most.
const LONG_BASELINE: Duration = Duration::from_secs(4);

/// The fixed point of [`Anchor::scale`].
const SCALE_BITS: u32 = 40;

/// An anchor, published under a sequence lock: odd while it is written, and a reader that saw it change reads again.
struct Anchor {
    sequence: AtomicU64,
    tick: AtomicU64,
    micros: AtomicI64,
    /// Microseconds a tick, times 2^[`SCALE_BITS`]. Zero while the counter may not be used.
    scale: AtomicU64,
    /// Ticks for which the anchor is believed.
    trusted: AtomicU64,
}

static ANCHOR: Anchor = Anchor {
    sequence: AtomicU64::new(0),
    tick: AtomicU64::new(0),
    micros: AtomicI64::new(0),
    scale: AtomicU64::new(0),
    trusted: AtomicU64::new(0),
};

/// Where the rate is measured from. Held only while an anchor is taken.
static REFERENCE: Mutex<Option<Sample>> = Mutex::new(None);

/// Wall time less time since boot, in microseconds; only grows.
static OFFSET: AtomicI64 = AtomicI64::new(i64::MIN);

#[derive(Clone, Copy)]
struct Sample {
    tick: u64,
    boot: Duration,
    micros: i64,
}

/// The time, for a point. Never blocks; no system call while the anchor is fresh.
#[inline]
pub(crate) fn now() -> Timestamp {
    let sequence = ANCHOR.sequence.load(Ordering::Acquire);
    let tick = tick::read();
    let base = ANCHOR.tick.load(Ordering::Relaxed);
    let micros = ANCHOR.micros.load(Ordering::Relaxed);
    let scale = ANCHOR.scale.load(Ordering::Relaxed);
    let trusted = ANCHOR.trusted.load(Ordering::Relaxed);
    fence(Ordering::Acquire);
    let elapsed = tick.wrapping_sub(base);
    // Covers, in one comparison, an anchor that is too old, a counter that went back, and a counter that is not used.
    if sequence & 1 == 1 || elapsed >= trusted || ANCHOR.sequence.load(Ordering::Relaxed) != sequence {
        return from_system();
    }
    let counted = (u128::from(elapsed) * u128::from(scale)) >> SCALE_BITS;
    #[expect(clippy::cast_possible_truncation, reason = "fewer microseconds than an anchor is trusted")]
    Timestamp::from_micros(micros.wrapping_add(counted as i64))
}

/// The time from the system's clocks.
#[cold]
fn from_system() -> Timestamp {
    Timestamp::from_micros(system_micros(since_boot()))
}

/// Ties the counter to the system's clocks again. Called by background threads and when a session begins; does nothing
/// while another thread is at it.
pub(crate) fn anchor() {
    if !tick::is_steady() {
        return;
    }
    let Ok(mut reference) = REFERENCE.try_lock() else {
        return;
    };
    let sample = sample();
    let Some(from) = *reference else {
        *reference = Some(sample);
        return;
    };
    let (Some(ticks), Some(elapsed)) = (sample.tick.checked_sub(from.tick), sample.boot.checked_sub(from.boot)) else {
        publish(sample, 0);
        *reference = Some(sample);
        return;
    };
    if elapsed < BASELINE {
        return;
    }
    let scale = (elapsed.as_nanos() << SCALE_BITS) / (u128::from(ticks.max(1)) * 1000);
    publish(sample, u64::try_from(scale).unwrap_or(0));
    if elapsed > LONG_BASELINE {
        *reference = Some(sample);
    }
}

/// Makes the clock ready for its first use; takes about [`BASELINE`], once in a process.
pub(crate) fn start() {
    anchor();
    let began = since_boot();
    while ANCHOR.scale.load(Ordering::Relaxed) == 0 && since_boot() < began + 4 * BASELINE {
        if !tick::is_steady() {
            return;
        }
        std::hint::spin_loop();
        anchor();
    }
}

fn publish(sample: Sample, scale: u64) {
    let trusted = if scale == 0 { 0 } else { (TRUSTED.as_micros() << SCALE_BITS) / u128::from(scale) };
    let sequence = ANCHOR.sequence.load(Ordering::Relaxed);
    ANCHOR.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
    fence(Ordering::Release);
    ANCHOR.tick.store(sample.tick, Ordering::Relaxed);
    ANCHOR.micros.store(sample.micros, Ordering::Relaxed);
    ANCHOR.scale.store(scale, Ordering::Relaxed);
    ANCHOR.trusted.store(u64::try_from(trusted).unwrap_or(0), Ordering::Relaxed);
    ANCHOR.sequence.store(sequence.wrapping_add(2), Ordering::Release);
}

/// Reads the counter and the clocks as close together as a few tries allow.
fn sample() -> Sample {
    const TRIES: usize = 3;
    let mut best: Option<(u64, Sample)> = None;
    for _ in 0..TRIES {
        let before = tick::read();
        let boot = since_boot();
        let after = tick::read();
        let width = after.wrapping_sub(before);
        if best.is_none_or(|(narrowest, _)| width < narrowest) {
            let tick = before.wrapping_add(width / 2);
            best = Some((width, Sample { tick, boot, micros: system_micros(boot) }));
        }
    }
    best.expect("there is at least one try").1
}

fn system_micros(boot: Duration) -> i64 {
    let boot = i64::try_from(boot.as_micros()).unwrap_or(i64::MAX);
    let wall = Timestamp::from(SystemTime::now()).as_micros();
    boot.saturating_add(grown(&OFFSET, wall.saturating_sub(boot)))
}

/// Raises `offset` to `found`, never lowers it, and returns what it is then.
fn grown(offset: &AtomicI64, found: i64) -> i64 {
    offset.fetch_max(found, Ordering::Relaxed).max(found)
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The counter behind [`crate::stopwatch`].
#[inline]
pub(crate) fn ticks() -> u64 {
    if tick::is_steady() { tick::read() } else { monotonic_nanos() }
}

/// See [`crate::stopwatch::nanos`].
pub(crate) fn nanos(ticks: u64) -> u64 {
    if !tick::is_steady() {
        return ticks;
    }
    if ANCHOR.scale.load(Ordering::Relaxed) == 0 {
        start();
    }
    let scale = u128::from(ANCHOR.scale.load(Ordering::Relaxed));
    u64::try_from((u128::from(ticks) * scale * 1000) >> SCALE_BITS).unwrap_or(u64::MAX)
}

fn monotonic_nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// The time, for a change that is about everything that was logged before it: not less than the time of any point that this
/// process logged until now, however close together the threads read the clock.
pub(crate) fn now_behind_all() -> Timestamp {
    // Two anchors agree to some microseconds.
    const SLACK: i64 = 20;
    Timestamp::from_micros(now().as_micros().saturating_add(SLACK))
}

/// Waits until `time` is over: some microseconds, of a time that was read a moment ago.
pub(crate) fn wait_until_over(time: Timestamp) {
    const PATIENCE: Duration = Duration::from_millis(10);
    let began = monotonic();
    while now() <= time && began.elapsed() < PATIENCE {
        std::hint::spin_loop();
    }
}

/// A point on a clock that only goes forward, for waiting.
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod tick {
    //! The time-stamp counter.

    use std::{arch::x86_64, sync::OnceLock};

    /// The counter, in ticks of an unknown, constant rate.
    #[inline]
    pub(super) fn read() -> u64 {
        #[expect(unsafe_code, reason = "the counter is read by an intrinsic")]
        // SAFETY: every x86_64 processor has the instruction, and reading the counter touches no memory.
        unsafe {
            x86_64::_rdtsc()
        }
    }

    /// Whether the processor promises that the counter runs at one rate in every state of power saving.
    pub(super) fn is_steady() -> bool {
        static STEADY: OnceLock<bool> = OnceLock::new();
        *STEADY.get_or_init(|| {
            const POWER: u32 = 0x8000_0007;
            const INVARIANT: u32 = 1 << 8;
            x86_64::__cpuid(0x8000_0000).eax >= POWER && x86_64::__cpuid(POWER).edx & INVARIANT != 0
        })
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod tick {
    //! No counter that may be used; every time comes from the system.

    #[inline]
    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn is_steady() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_agrees_with_the_system_to_a_millisecond() {
        start();
        for _ in 0..100 {
            anchor();
            let ours = now().as_micros();
            let system = Timestamp::from(SystemTime::now()).as_micros();
            assert!((system - ours).abs() < 1_000, "{ours} is not {system}");
        }
    }

    #[test]
    fn ticks_are_as_long_as_the_system_says() {
        start();
        let (began, before) = (ticks(), monotonic());
        std::thread::park_timeout(Duration::from_millis(20));
        let (took, waited) = (nanos(ticks() - began), before.elapsed().as_nanos());
        let share = took as f64 / waited as f64;
        assert!((0.99..1.01).contains(&share), "{took} ns of {waited}");
    }

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_take_time_back() {
        let offset = AtomicI64::new(i64::MIN);
        assert_eq!(grown(&offset, 1_000), 1_000);
        assert_eq!(grown(&offset, 400), 1_000, "the wall clock went back");
        assert_eq!(grown(&offset, 1_500), 1_500, "the wall clock went forward");
    }

    #[test]
    fn a_stale_anchor_is_not_used() {
        start();
        // As if no anchor had been taken for an hour: the time must still be the system's.
        let stale = Sample { tick: tick::read().wrapping_sub(u64::MAX / 2), boot: since_boot(), micros: 0 };
        publish(stale, 1);
        let system = Timestamp::from(SystemTime::now()).as_micros();
        assert!((now().as_micros() - system).abs() < 1_000_000);
    }
}
