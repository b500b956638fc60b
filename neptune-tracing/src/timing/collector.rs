//! [`Collector`]: takes the samples of all threads, logs their statistics, and keeps the spans of some steps whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::fast::RandomState;
use neptune_core::{LostReason, Series, stopwatch};

use super::{
    ring::{Kind, Sample, ThreadTimings},
    statistics::Statistics,
    timeline::{Drawn, Timeline},
};
use crate::{spans::Positions, target::Target};

/// How often samples are taken from the threads.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// The time over which the slowest step is looked for.
const SLOWEST_OF: Duration = Duration::from_mins(1);

/// Steps that are kept at a look at most, beside the slowest.
const MOST_KEPT: usize = 16;

/// The text in which steps are kept, one timeline at each step.
const STEPS: &str = "monitoring/steps";

type ByPosition<T> = HashMap<u32, T, RandomState>;

pub(crate) struct Collector {
    threads: Mutex<Vec<Arc<ThreadTimings>>>,
    state: Mutex<State>,
    /// How long the timings are gathered that become one point of each series.
    window: Duration,
    /// Every step whose number this divides is kept; 0 for no steps at all.
    keep_every: u64,
}

#[derive(Default)]
struct State {
    series: ByPosition<HashMap<&'static str, Option<Series<f64>>>>,
    slowest: BTreeMap<u32, Slowest>,
    /// When statistics were logged last, in ticks; zero before the first look.
    logged: u64,
    /// Since when the slowest step is looked for.
    slowest_since: u64,
}

/// The slowest step of a target in the last while.
struct Slowest {
    target: Arc<Target>,
    ticks: u64,
    timeline: Timeline,
}

/// How much is to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// What is due.
    Due,
    /// Everything.
    All,
}

impl Collector {
    pub(crate) fn new(window: Duration, keep_every: u64) -> Self {
        Self { threads: Mutex::default(), state: Mutex::default(), window, keep_every }
    }

    /// Timings of a thread that is new here.
    pub(crate) fn add_thread(&self, name: String) -> Arc<ThreadTimings> {
        let timings = Arc::new(ThreadTimings::new(name));
        lock(&self.threads).push(Arc::clone(&timings));
        timings
    }

    /// Forgets what is kept for a target that has ended.
    pub(crate) fn forget(&self, positions: &Positions, target: u32) {
        let mut state = lock(&self.state);
        state.slowest.remove(&target);
        positions.forget(target);
        state.series.retain(|position, _| positions.get(*position).is_some());
    }

    /// Takes what the threads have, and logs what is due.
    pub(crate) fn collect(&self, positions: &Positions, log: Log) {
        let mut state = lock(&self.state);
        let now = stopwatch::ticks();
        let threads: Vec<_> = lock(&self.threads).clone();
        // Looked at before their samples are taken: a thread that goes away puts its last ones in before.
        let gone: Vec<_> = threads.iter().filter(|thread| Arc::strong_count(thread) <= 2).cloned().collect();
        self.keep_steps(&mut state, positions, &threads);
        state.begin(now);
        if log == Log::All || has_passed(SLOWEST_OF, state.slowest_since, now) {
            state.slowest_since = now;
            for slowest in std::mem::take(&mut state.slowest).into_values() {
                write_step(&slowest.target, &slowest.timeline);
            }
        }
        if log == Log::All || has_passed(self.window, state.logged, now) {
            state.logged = now;
            let mut overrun = 0;
            let mut merged: ByPosition<Statistics> = HashMap::default();
            for thread in &threads {
                overrun += thread.take_overrun();
                thread.take().drain(|position, statistics| {
                    merged.entry(position).or_insert_with(Statistics::new).merge(statistics);
                });
            }
            let mut merged: Vec<_> = merged.into_iter().collect();
            merged.sort_unstable_by_key(|(position, _)| *position);
            for (position, statistics) in &merged {
                state.write(positions, *position, statistics, std::mem::take(&mut overrun));
            }
            lock(&self.threads).retain(|thread| !gone.iter().any(|gone| Arc::ptr_eq(gone, thread)));
        }
    }

    /// Keeps steps that were done since the last look, where they are to be kept.
    fn keep_steps(&self, state: &mut State, positions: &Positions, threads: &[Arc<ThreadTimings>]) {
        let mut steps = Vec::new();
        for thread in threads {
            let mut taken = thread.take();
            if self.keep_every > 0 {
                steps.append(&mut taken.steps);
            } else {
                taken.steps.clear();
                taken.recent.clear();
            }
        }
        let mut kept = 0;
        for step in steps {
            let Some(position) = positions.get(step.position) else { continue };
            let target = &position.target;
            let number = f64::from_bits(step.extra);
            let is_one_of = kept < MOST_KEPT && number % self.keep_every as f64 == 0.0;
            let is_slowest = state.slowest.get(&target.number).is_none_or(|slowest| step.ticks > slowest.ticks);
            if !is_one_of && !is_slowest {
                continue;
            }
            let timeline = draw(&step, positions, threads);
            if is_one_of {
                kept += 1;
                write_step(target, &timeline);
            }
            if is_slowest {
                let slowest = Slowest { target: Arc::clone(target), ticks: step.ticks, timeline };
                state.slowest.insert(target.number, slowest);
            }
        }
    }
}

impl State {
    /// Begins to wait for what is due, at the first look.
    const fn begin(&mut self, now: u64) {
        if self.logged == 0 {
            self.logged = now;
            self.slowest_since = now;
        }
    }

    /// Logs the statistics of a position, as one point of each of its series.
    fn write(&mut self, positions: &Positions, number: u32, statistics: &Statistics, overrun: u64) {
        let Some(position) = positions.get(number) else { return };
        let handle = &position.target.handle;
        if overrun > 0 {
            handle.count_lost(LostReason::Overrun, overrun, || "timings of spans".to_owned());
        }
        let known = self.series.entry(number).or_default();
        let mut points = Vec::new();
        for (name, value) in statistics.figures(seconds) {
            let series = known
                .entry(name)
                .or_insert_with(|| handle.series::<f64>(&format!("timing/{}/{name}", position.path)).ok());
            match series {
                Some(series) => points.push((series.clone(), value)),
                None => handle.count_lost(LostReason::TypeConflict, 1, || format!("timing/{}/{name}", position.path)),
            }
        }
        handle.append_points(None, points.iter().map(|(series, value)| (series, *value)));
    }
}

fn has_passed(time: Duration, since: u64, now: u64) -> bool {
    u128::from(stopwatch::nanos(now.saturating_sub(since))) >= time.as_nanos()
}

/// The spans of all threads that were under way during `step`.
fn draw(step: &Sample, positions: &Positions, threads: &[Arc<ThreadTimings>]) -> Timeline {
    let end = step.began.saturating_add(step.ticks);
    let mut names = Vec::new();
    let mut spans = Vec::new();
    for thread in threads {
        let taken = thread.take();
        let during = taken
            .recent
            .iter()
            .filter(|sample| sample.began < end && sample.began.saturating_add(sample.ticks) > step.began);
        let before = spans.len();
        for sample in during {
            let Some(position) = positions.get(sample.position) else { continue };
            let began = if sample.began >= step.began {
                i64::try_from(stopwatch::nanos(sample.began - step.began)).unwrap_or(i64::MAX)
            } else {
                i64::try_from(stopwatch::nanos(step.began - sample.began)).unwrap_or(i64::MAX).saturating_neg()
            };
            spans.push(Drawn {
                name: position.name.clone(),
                path: position.path.clone(),
                thread: names.len(),
                began,
                nanos: stopwatch::nanos(sample.ticks),
                busy: (sample.kind == Kind::Awaited).then(|| stopwatch::nanos(sample.extra)),
            });
        }
        if spans.len() > before {
            names.push(thread.name.clone());
        }
    }
    Timeline { step: f64::from_bits(step.extra), nanos: stopwatch::nanos(step.ticks), threads: names, spans }
}

fn write_step(target: &Target, timeline: &Timeline) {
    if let Ok(steps) = target.handle.series::<String>(STEPS) {
        steps.append_at(timeline.step, timeline.to_json());
    }
}

pub(crate) fn seconds(ticks: u64) -> f64 {
    stopwatch::nanos(ticks) as f64 / 1e9
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
