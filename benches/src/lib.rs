//! What the benchmark of the bars is made of: floors, workloads, and the report.

pub mod floor;
pub mod layers;
pub mod reading;
pub mod report;
pub mod starting;
pub mod stored;
pub mod trainer;
pub mod travelling;

pub use report::{Bar, Report};

use std::time::{Duration, Instant};

/// The time of the machine; benchmarks are what it is for.
#[expect(clippy::disallowed_methods, reason = "measuring time is the purpose")]
pub fn now() -> Instant {
    Instant::now()
}

/// How long `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = now();
    let done = work();
    (began.elapsed(), done)
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The middle of some measurements.
pub fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Waits, as a trainer between two steps does.
pub fn pause(time: Duration) {
    let until = now() + time;
    while now() < until {
        std::thread::park_timeout(until.saturating_duration_since(now()));
    }
}
