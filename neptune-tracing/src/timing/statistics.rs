//! [`Statistics`] of the samples of a position, and what a thread has [`Taken`] from its ring.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use hdrhistogram::Histogram;

use super::{
    ring::{Kind, Sample},
    steps::{Drawing, Steps},
};

/// Significant digits of the histograms: percentiles are within a hundredth.
const DIGITS: u8 = 2;

/// Samples of a thread that are kept for timelines.
const RECENT: usize = 4_096;

/// What is counted of a position, in ticks.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    histogram: Histogram<u32>,
    total: u64,
    most: u64,
    /// Calls that awaited, and how long those were in their span and out of it.
    awaited: u64,
    busy: u64,
    idle: u64,
}

impl Statistics {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new(DIGITS).expect("two digits are within what a histogram can have");
        Self { histogram, total: 0, most: 0, awaited: 0, busy: 0, idle: 0 }
    }

    fn add(&mut self, sample: &Sample) {
        // Resizes itself; fails only beyond what fits 64 bits.
        self.histogram.record(sample.ticks).ok();
        self.total = self.total.saturating_add(sample.ticks);
        self.most = self.most.max(sample.ticks);
        if sample.kind == Kind::Awaited {
            self.awaited += 1;
            self.busy = self.busy.saturating_add(sample.extra);
            self.idle = self.idle.saturating_add(sample.ticks.saturating_sub(sample.extra));
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).ok();
        self.total = self.total.saturating_add(other.total);
        self.most = self.most.max(other.most);
        self.awaited += other.awaited;
        self.busy = self.busy.saturating_add(other.busy);
        self.idle = self.idle.saturating_add(other.idle);
    }

    fn reset(&mut self) {
        self.histogram.reset();
        (self.total, self.most, self.awaited, self.busy, self.idle) = (0, 0, 0, 0, 0);
    }

    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The figures that are logged, in seconds, by their names; `seconds` turns ticks into those.
    pub(crate) fn figures(&self, seconds: impl Fn(u64) -> f64) -> Vec<(&'static str, f64)> {
        let count = self.count().max(1) as f64;
        // A histogram says the upper end of a bucket, which may lie above the greatest sample.
        let quantile = |share| seconds(self.histogram.value_at_quantile(share).min(self.most));
        let mut figures = vec![
            ("count", self.count() as f64),
            ("total", seconds(self.total)),
            ("mean", seconds(self.total) / count),
            ("p50", quantile(0.5)),
            ("p99", quantile(0.99)),
            ("max", seconds(self.most)),
        ];
        if self.awaited > 0 {
            let awaited = self.awaited as f64;
            figures.extend([("busy", seconds(self.busy) / awaited), ("idle", seconds(self.idle) / awaited)]);
        }
        figures
    }
}

/// Statistics by position.
pub(crate) type ByPosition = HashMap<u32, Box<Statistics>, RandomState>;

/// Hands out the statistics that have something and empties them, for their next use. Those that have nothing since the last
/// time are given up.
pub(crate) fn drain(all: &mut ByPosition, mut take: impl FnMut(u32, &Statistics)) {
    all.retain(|position, statistics| {
        let is_used = statistics.count() > 0;
        if is_used {
            take(*position, statistics);
            statistics.reset();
        }
        is_used
    });
}

/// What was taken from the ring of a thread. Grows to its size at once and is emptied in place, so that a thread that
/// empties its ring itself does not ask the system for memory.
#[derive(Debug)]
pub(crate) struct Taken {
    statistics: ByPosition,
    /// The last samples, for timelines, in the order in which they ended. Empty until there are timelines.
    pub(crate) recent: VecDeque<Sample>,
    /// When the last sample ended that is not among them any more, in ticks.
    pub(crate) forgotten: u64,
    /// The steps that were done and may be kept.
    pub(crate) steps: Steps,
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            statistics: HashMap::with_capacity_and_hasher(32, RandomState::default()),
            recent: VecDeque::new(),
            forgotten: 0,
            steps: Steps::default(),
        }
    }
}

impl Taken {
    /// Counts a sample, and keeps it for a while where timelines are drawn.
    pub(crate) fn add(&mut self, sample: &Sample, drawing: &Drawing) {
        if sample.kind == Kind::Step {
            self.steps.done(sample, &self.recent, self.forgotten, drawing);
            return;
        }
        let is_drawn = drawing.is_on();
        if is_drawn && self.recent.capacity() == 0 {
            self.recent.reserve_exact(RECENT);
        }
        self.statistics.entry(sample.position).or_insert_with(|| Box::new(Statistics::new())).add(sample);
        let forgotten = if is_drawn {
            let oldest = if self.recent.len() == RECENT { self.recent.pop_front() } else { None };
            self.recent.push_back(*sample);
            oldest
        } else {
            Some(*sample)
        };
        if let Some(forgotten) = forgotten {
            self.forgotten = self.forgotten.max(forgotten.began.saturating_add(forgotten.ticks));
        }
    }

    /// Exchanges the statistics for others, which are empty.
    pub(crate) const fn exchange(&mut self, others: &mut ByPosition) {
        std::mem::swap(&mut self.statistics, others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kind: Kind, ticks: u64, extra: u64) -> Sample {
        Sample { kind, position: 0, began: 0, ticks, extra }
    }

    #[test]
    fn figures_are_those_of_the_samples() {
        let mut left = Taken::default();
        let mut right = Taken::default();
        for ticks in 1..=1_000 {
            if ticks % 2 == 0 { &mut left } else { &mut right }
                .add(&sample(Kind::Stretch, ticks, 0), &Drawing::default());
        }
        let mut all = Statistics::new();
        for taken in [&mut left, &mut right] {
            drain(&mut taken.statistics, |_, statistics| all.merge(statistics));
            drain(&mut taken.statistics, |_, _| panic!("it was taken already"));
        }
        let figures: std::collections::HashMap<_, _> = all.figures(|ticks| ticks as f64).into_iter().collect();
        assert_eq!((figures["count"], figures["total"], figures["max"]), (1_000.0, 500_500.0, 1_000.0));
        assert!((figures["mean"] - 500.5).abs() < 1e-9);
        assert!((figures["p50"] - 500.0).abs() < 5.0, "{figures:?}");
        assert!((figures["p99"] - 990.0).abs() < 10.0, "{figures:?}");
        assert!(!figures.contains_key("busy"));
    }

    #[test]
    fn time_in_a_call_and_time_awaited_are_told_apart() {
        let mut taken = Taken::default();
        taken.add(&sample(Kind::Awaited, 100, 30), &Drawing::default());
        taken.add(&sample(Kind::Awaited, 300, 50), &Drawing::default());
        let mut all = Statistics::new();
        drain(&mut taken.statistics, |_, statistics| all.merge(statistics));
        let figures: std::collections::HashMap<_, _> = all.figures(|ticks| ticks as f64).into_iter().collect();
        assert_eq!((figures["mean"], figures["busy"], figures["idle"]), (200.0, 40.0, 160.0));
    }
}
