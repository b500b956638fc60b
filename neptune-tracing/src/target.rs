//! [`Target`]: an experiment that a layer logs to, with the series that callsites write there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use neptune_core::{ErrorKind, ExperimentHandle, LostReason, Series};

use crate::{context::Context, plan::Plan, shared::lock, splits::Splits};

/// The text of what programs say.
const LOG: &str = "monitoring/log";

/// The text of panics.
const TRACEBACK: &str = "monitoring/traceback";

/// At which step which epoch began.
const EPOCHS: &str = "epoch";

pub(crate) struct Target {
    /// Its number among the targets of its layer.
    pub(crate) number: u32,
    pub(crate) handle: ExperimentHandle,
    /// It has ended, and everything was written for it that was held back.
    pub(crate) is_done: AtomicBool,
    /// By the address of the plan and the split.
    bound: Mutex<HashMap<(usize, u32), Arc<Bound>, RandomState>>,
    /// The metrics that are named as they come.
    dynamic: Mutex<HashMap<Box<str>, Series<f64>, RandomState>>,
    /// The bits of the epoch that was logged last.
    epoch: AtomicU64,
    epochs: OnceLock<Option<Series<f64>>>,
    log: OnceLock<Option<Series<String>>>,
}

/// A series, or why it is refused.
pub(crate) type Bindable = Result<Series<f64>, (LostReason, String)>;

/// The series of the metrics of a callsite, in one split of one experiment.
#[derive(Debug)]
pub(crate) struct Bound {
    /// All of them, in the order of [`Plan::metrics`]; empty when one is refused.
    pub(crate) all: Box<[Series<f64>]>,
    /// Where one is refused: each, or why not.
    pub(crate) each: Box<[Bindable]>,
}

impl Target {
    /// The number of no target.
    pub(crate) const NONE: u32 = u32::MAX;

    pub(crate) fn new(number: u32, handle: ExperimentHandle) -> Self {
        Self {
            number,
            handle,
            is_done: AtomicBool::new(false),
            bound: Mutex::default(),
            dynamic: Mutex::default(),
            epoch: AtomicU64::new(f64::NAN.to_bits()),
            epochs: OnceLock::new(),
            log: OnceLock::new(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.handle.has_ended()
    }

    /// The series of the metrics of `plan` in a split.
    pub(crate) fn bind(&self, plan: &Arc<Plan>, split: u32, splits: &Splits) -> Arc<Bound> {
        let key = (Arc::as_ptr(plan).addr(), split);
        if let Some(bound) = lock(&self.bound).get(&key) {
            return Arc::clone(bound);
        }
        // Naming a series may wait for the journal, so it is done without the lock; twice is no harm.
        let series = plan.metrics.iter().map(|path| {
            let path = splits.within(split, path.as_str());
            self.handle.series(&path).map_err(|error| (reason_of(&error), format!("{path}: {error}")))
        });
        let each: Box<[_]> = series.collect();
        let all: Vec<_> = each.iter().filter_map(|series| series.as_ref().ok().cloned()).collect();
        let bound = if all.len() == each.len() {
            Bound { all: all.into(), each: Box::default() }
        } else {
            Bound { all: Box::default(), each }
        };
        let bound = Arc::new(bound);
        lock(&self.bound).insert(key, Arc::clone(&bound));
        bound
    }

    /// The metric of this path, which is named as it comes.
    pub(crate) fn dynamic(&self, path: &str) -> Bindable {
        if let Some(known) = lock(&self.dynamic).get(path) {
            return Ok(known.clone());
        }
        let series = self.handle.series::<f64>(path).map_err(|error| (reason_of(&error), error.to_string()))?;
        lock(&self.dynamic).insert(path.into(), series.clone());
        Ok(series)
    }

    /// Logs at which step an epoch began, the first time that both are seen together. An epoch before the last one, as
    /// that of a validation between, begins nothing.
    #[inline]
    pub(crate) fn note_epoch(&self, context: Context) {
        if context.step.is_nan() || context.epoch.is_nan() {
            return;
        }
        let last = f64::from_bits(self.epoch.load(Ordering::Relaxed));
        if last.is_nan() || context.epoch > last {
            self.begin_epoch(context, last);
        }
    }

    #[cold]
    fn begin_epoch(&self, context: Context, last: f64) {
        let (last, next) = (last.to_bits(), context.epoch.to_bits());
        if self.epoch.compare_exchange(last, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && let Some(epochs) = self.epochs.get_or_init(|| self.handle.series(EPOCHS).ok())
        {
            epochs.append_at(context.step, context.epoch);
        }
    }

    /// Logs a line of `monitoring/log`.
    pub(crate) fn line(&self, line: &str) {
        if let Some(log) = self.log.get_or_init(|| self.handle.series(LOG).ok()) {
            log.append(line);
        }
    }

    /// Logs what is known of a panic.
    pub(crate) fn traceback(&self, text: &str) {
        if let Ok(traceback) = self.handle.series::<String>(TRACEBACK) {
            traceback.append(text);
        }
    }

    /// Counts something that a callsite gave and that cannot be kept; the first time for each field, says so with its
    /// place.
    #[cold]
    pub(crate) fn refuse(&self, plan: &Plan, field: usize, reason: LostReason, what: impl FnOnce() -> String) {
        self.report(plan, field, what);
        self.handle.count_lost(reason, 1, || plan.place());
    }

    /// Says something about what a callsite gives, the first time for each field.
    #[cold]
    pub(crate) fn report(&self, plan: &Plan, field: usize, what: impl FnOnce() -> String) {
        if plan.report(field) {
            let line = format!("{}: {}", plan.place(), what());
            self.line(&format!("WARN neptune: {line}"));
            self.handle.notice(|| format!("warning: {line} (said once for this place)"));
        }
    }
}

pub(crate) fn reason_of(error: &neptune_core::Error) -> LostReason {
    match error.kind() {
        ErrorKind::TypeConflict => LostReason::TypeConflict,
        ErrorKind::Immutable => LostReason::Immutable,
        ErrorKind::Unsupported => LostReason::TooManySeries,
        _ => LostReason::InvalidPath,
    }
}
