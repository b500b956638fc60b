//! Measuring how long something took, for the price of reading the processor's counter: for integrations that time what a
//! trainer does thousands of times a second.
//!
//! ```
//! use neptune_core::stopwatch;
//! let began = stopwatch::ticks();
//! let took = stopwatch::nanos(stopwatch::ticks().saturating_sub(began));
//! assert!(took < 1_000_000_000);
//! ```

use neptune_format::Timestamp;

use crate::clock;

/// Where the counter stands, in ticks of an unknown, constant rate; it goes forward only. Where the processor has no
/// counter that may be used, a tick is a nanosecond of the system's monotonic clock.
///
/// Two threads may read it some ticks apart: take differences with `saturating_sub`.
#[inline]
pub fn ticks() -> u64 {
    clock::ticks()
}

/// The time as logging calls take it, for values that are logged later: see
/// [`Series::append_with`](crate::Series::append_with).
#[inline]
pub fn now() -> Timestamp {
    clock::now()
}

/// How many nanoseconds `ticks` are. The rate is known to some millionths. Takes about a millisecond when it is called
/// before anything was logged in this process.
pub fn nanos(ticks: u64) -> u64 {
    clock::nanos(ticks)
}
