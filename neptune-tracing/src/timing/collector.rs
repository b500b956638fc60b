//! [`Collector`]: takes the samples of all threads, logs their statistics, and keeps the spans of some steps whole.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use foldhash::fast::RandomState;
use neptune_core::{LostReason, Series, stopwatch};

use super::{
    ring::{Kind, Sample, ThreadTimings},
    statistics::Statistics,
    steps::{Done, Drawing},
    timeline::{Drawn, Timeline},
};
use crate::{
    shared::lock,
    spans::{Position, Positions},
};

/// How often samples are taken from the threads.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// The time over which the slowest step is looked for.
const SLOWEST_OF: Duration = Duration::from_mins(1);

/// Steps that are kept at a look at most, beside the slowest.
const MOST_KEPT: usize = 16;

/// What the texts are called in which steps are kept: this, and the path of the span that says the step.
const STEPS: &str = "monitoring/steps";

type ByNumber<T> = HashMap<u32, T, RandomState>;

pub(crate) struct Collector {
    threads: Mutex<Vec<Arc<ThreadTimings>>>,
    state: Mutex<State>,
    /// How long the timings are gathered that become one point of each series.
    window: Duration,
    /// Which steps are drawn.
    drawing: Arc<Drawing>,
    /// Targets that are over, to be forgotten.
    over: Mutex<Vec<u32>>,
}

#[derive(Default)]
struct State {
    /// The series of a path, by its first position.
    series: ByNumber<HashMap<&'static str, Option<Series<f64>>>>,
    /// What threads counted that have ended since statistics were logged, by position.
    left: BTreeMap<u32, Statistics>,
    /// The slowest step of the last while, by the first position of its path.
    slowest: BTreeMap<u32, Slowest>,
    /// Threads that have ended, the last one last.
    gone: VecDeque<Gone>,
    /// Samples that were not counted, to be said.
    overrun: u64,
    /// When the last sample ended of those that were forgotten, in ticks.
    forgotten: u64,
    /// When statistics were logged last, in ticks; zero before the first look.
    logged: u64,
    /// Since when the slowest step is looked for.
    slowest_since: u64,
}

/// The slowest step of a path in the last while.
struct Slowest {
    position: Arc<Position>,
    ticks: u64,
    timeline: Timeline,
}

/// How much is to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// What is due.
    Due,
    /// What there is of one target.
    Of(u32),
    /// Everything.
    All,
}

impl Log {
    /// Whether what belongs to a target is to be logged.
    fn takes(self, target: u32) -> bool {
        match self {
            Self::Due => false,
            Self::Of(only) => only == target,
            Self::All => true,
        }
    }
}

/// What a thread that has ended left for timelines.
struct Gone {
    name: String,
    samples: Vec<Sample>,
}

/// Samples of threads that have ended that are kept at most, together.
const MOST_GONE: usize = 16_384;

impl Collector {
    pub(crate) fn new(window: Duration, keep_every: u64) -> Self {
        Self {
            threads: Mutex::default(),
            state: Mutex::default(),
            window,
            drawing: Arc::new(Drawing::of_every(keep_every)),
            over: Mutex::default(),
        }
    }

    /// Timings of a thread that is new here.
    pub(crate) fn add_thread(&self, name: String) -> Arc<ThreadTimings> {
        let timings = Arc::new(ThreadTimings::new(name, Arc::clone(&self.drawing)));
        lock(&self.threads).push(Arc::clone(&timings));
        timings
    }

    /// Has threads keep samples from now on, because there are steps.
    #[inline]
    pub(crate) fn draw(&self) {
        self.drawing.begin();
    }

    /// Forgets what is kept for targets that are over, at the next look.
    pub(crate) fn forget_soon(&self, targets: Vec<u32>) {
        lock(&self.over).extend(targets);
    }

    /// Takes what the threads have, and logs what is due.
    pub(crate) fn collect(&self, positions: &Positions, log: Log) {
        let mut state = lock(&self.state);
        let now = stopwatch::ticks();
        let threads: Vec<_> = lock(&self.threads).clone();
        // Looked at before their samples are taken: a thread that goes away puts its last ones in before.
        let gone: Vec<_> = threads.iter().filter(|thread| Arc::strong_count(thread) <= 2).cloned().collect();
        Self::keep_steps(&mut state, positions, &threads);
        state.begin(now);
        let is_slowest_due = has_passed(SLOWEST_OF, state.slowest_since, now);
        for slowest in state.slowest.values() {
            let target = &slowest.position.target;
            // Of an experiment that has ended it was written at the end.
            if (is_slowest_due && target.is_running()) || log.takes(target.number) {
                write_step(&slowest.position, &slowest.timeline);
            }
        }
        if is_slowest_due {
            state.slowest_since = now;
            state.slowest.clear();
        }
        let is_due = has_passed(self.window, state.logged, now);
        for thread in if is_due || log != Log::Due { &threads } else { &gone } {
            thread.drain(|position, statistics| {
                state.left.entry(position).or_insert_with(Statistics::new).merge(statistics);
            });
        }
        for thread in &gone {
            state.keep_gone(thread);
        }
        lock(&self.threads).retain(|thread| !gone.iter().any(|gone| Arc::ptr_eq(gone, thread)));
        state.overrun += threads.iter().map(|thread| thread.take_overrun()).sum::<u64>();
        if is_due {
            state.logged = now;
        }
        if is_due || log != Log::Due {
            state.write(positions, if is_due { Log::All } else { log });
        }
        for target in std::mem::take(&mut *lock(&self.over)) {
            positions.forget(target);
            state.series.retain(|position, _| positions.get(*position).is_some());
        }
    }

    /// Keeps steps that were done since the last look, where they are to be kept.
    fn keep_steps(state: &mut State, positions: &Positions, threads: &[Arc<ThreadTimings>]) {
        let mut kept = 0;
        for thread in threads {
            let steps = thread.take().steps.take();
            for done in steps {
                let Some(position) = positions.get(done.step.position) else { continue };
                let is_kept = done.is_kept && kept < MOST_KEPT;
                let ticks = done.step.ticks;
                let is_slowest = state.slowest.get(&position.first).is_none_or(|slowest| ticks > slowest.ticks);
                if !is_kept && !is_slowest {
                    continue;
                }
                let timeline = draw(&done, thread, positions, threads, state);
                if is_kept {
                    kept += 1;
                    write_step(&position, &timeline);
                }
                if is_slowest {
                    state.slowest.insert(position.first, Slowest { position, ticks, timeline });
                }
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

    /// Keeps what a thread that has ended had for timelines.
    fn keep_gone(&mut self, thread: &ThreadTimings) {
        let taken = thread.take();
        self.forgotten = self.forgotten.max(taken.forgotten);
        let samples: Vec<Sample> = taken.recent.iter().copied().collect();
        drop(taken);
        if !samples.is_empty() {
            self.gone.push_back(Gone { name: thread.name.clone(), samples });
        }
        while self.gone.iter().map(|gone| gone.samples.len()).sum::<usize>() > MOST_GONE {
            let Some(gone) = self.gone.pop_front() else { return };
            let last = gone.samples.iter().map(|sample| sample.began.saturating_add(sample.ticks)).max();
            self.forgotten = self.forgotten.max(last.unwrap_or(0));
        }
    }

    /// Logs what was counted, as one point of each series of each path.
    fn write(&mut self, positions: &Positions, log: Log) {
        let mut by_path: BTreeMap<u32, (Arc<Position>, Statistics)> = BTreeMap::new();
        let mut left = BTreeMap::new();
        for (number, statistics) in std::mem::take(&mut self.left) {
            let Some(position) = positions.get(number) else { continue };
            if !log.takes(position.target.number) {
                left.insert(number, statistics);
                continue;
            }
            let (_, all) = by_path.entry(position.first).or_insert_with(|| (position, Statistics::new()));
            all.merge(&statistics);
        }
        self.left = left;
        if self.overrun > 0
            && let Some((position, _)) = by_path.values().next()
        {
            position.target.handle.count_lost(LostReason::Overrun, self.overrun, || "timings of spans".to_owned());
            self.overrun = 0;
        }
        for (first, (position, statistics)) in by_path {
            let handle = &position.target.handle;
            let known = self.series.entry(first).or_default();
            let mut points = Vec::new();
            for (name, value) in statistics.figures(seconds) {
                let path = || format!("timing/{}/{name}", position.path);
                match known.entry(name).or_insert_with(|| handle.series::<f64>(&path()).ok()) {
                    Some(series) => points.push((series.clone(), value)),
                    None => handle.count_lost(LostReason::TypeConflict, 1, path),
                }
            }
            handle.append_points(None, points.iter().map(|(series, value)| (series, *value)));
        }
    }
}

fn has_passed(time: Duration, since: u64, now: u64) -> bool {
    u128::from(stopwatch::nanos(now.saturating_sub(since))) >= time.as_nanos()
}

/// The spans of all threads that were under way during a step: what its own thread did in it, and what others did that is
/// not forgotten.
fn draw(
    done: &Done,
    thread: &Arc<ThreadTimings>,
    positions: &Positions,
    threads: &[Arc<ThreadTimings>],
    state: &State,
) -> Timeline {
    let step = &done.step;
    let end = step.began.saturating_add(step.ticks);
    let is_during = |sample: &&Sample| sample.began < end && sample.began.saturating_add(sample.ticks) > step.began;
    let mut names = Vec::new();
    let mut spans = Vec::new();
    let mut is_whole = done.is_whole && state.forgotten <= step.began;
    // Copied first: a thread is to have its samples back soon.
    let others = threads.iter().filter(|other| !Arc::ptr_eq(other, thread)).map(|other| {
        let taken = other.take();
        is_whole &= taken.forgotten <= step.began;
        (&other.name, taken.recent.iter().filter(is_during).copied().collect::<Vec<Sample>>())
    });
    let running: Vec<_> = std::iter::once((&thread.name, done.spans.clone())).chain(others).collect();
    let gone = state.gone.iter().map(|gone| (&gone.name, gone.samples.iter().filter(is_during).copied().collect()));
    for (name, during) in running.into_iter().chain(gone) {
        let before = spans.len();
        for sample in during {
            let Some(position) = positions.get(sample.position) else { continue };
            let nanos = |ticks| i64::try_from(stopwatch::nanos(ticks)).unwrap_or(i64::MAX);
            let began = if sample.began >= step.began {
                nanos(sample.began - step.began)
            } else {
                nanos(step.began - sample.began).saturating_neg()
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
            names.push(name.clone());
        }
    }
    let (number, nanos) = (f64::from_bits(step.extra), stopwatch::nanos(step.ticks));
    Timeline { step: number, nanos, threads: names, spans, is_whole }
}

fn write_step(position: &Position, timeline: &Timeline) {
    if let Ok(steps) = position.target.handle.series::<String>(&format!("{STEPS}/{}", position.path)) {
        steps.append_at(timeline.step, timeline.to_json());
    }
}

pub(crate) fn seconds(ticks: u64) -> f64 {
    stopwatch::nanos(ticks) as f64 / 1e9
}
