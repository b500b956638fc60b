//! [`Target`]: an experiment that a layer logs to, with the series that callsites write there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use neptune_core::{ErrorKind, ExperimentHandle, LostReason, Series};

use crate::{context::Context, plan::Plan, splits::Splits};

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
    /// By the address of the plan and the split.
    bound: Mutex<HashMap<(usize, u32), Arc<Bound>, RandomState>>,
    /// The metrics that are named as they come.
    dynamic: Mutex<HashMap<Box<str>, Option<Series<f64>>, RandomState>>,
    /// The bits of the epoch that was logged last.
    epoch: AtomicU64,
    epochs: OnceLock<Option<Series<f64>>>,
    log: OnceLock<Option<Series<String>>>,
}

/// A series, or why it is refused.
type Bindable = Result<Series<f64>, (LostReason, String)>;

/// The series of the metrics of a callsite, in one split of one experiment.
#[derive(Debug)]
pub(crate) struct Bound {
    /// All of them, in the order of [`Plan::metrics`]; empty when one is refused.
    pub(crate) all: Box<[Series<f64>]>,
    /// Where one is refused: each, or why not.
    each: Box<[Bindable]>,
}

impl Target {
    pub(crate) fn new(number: u32, handle: ExperimentHandle) -> Self {
        Self {
            number,
            handle,
            bound: Mutex::default(),
            dynamic: Mutex::default(),
            epoch: AtomicU64::new(f64::NAN.to_bits()),
            epochs: OnceLock::new(),
            log: OnceLock::new(),
        }
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
            return known.clone().ok_or_else(|| (LostReason::TypeConflict, format!("{path} has another type")));
        }
        let series = self.handle.series::<f64>(path).map_err(|error| (reason_of(&error), error.to_string()));
        if !matches!(series, Err((LostReason::InvalidPath, _))) {
            lock(&self.dynamic).insert(path.into(), series.as_ref().ok().cloned());
        }
        series
    }

    /// Logs at which step an epoch began, the first time that both are seen together.
    #[inline]
    pub(crate) fn note_epoch(&self, context: Context) {
        if context.step.is_nan() || context.epoch.is_nan() {
            return;
        }
        if self.epoch.load(Ordering::Relaxed) != context.epoch.to_bits() {
            self.begin_epoch(context);
        }
    }

    #[cold]
    fn begin_epoch(&self, context: Context) {
        if self.epoch.swap(context.epoch.to_bits(), Ordering::Relaxed) != context.epoch.to_bits()
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
        if plan.report(field) {
            let line = format!("{}: {}", plan.place(), what());
            self.line(&format!("WARN neptune: {line}"));
            self.handle.notice(|| format!("warning: {line} (said once for this place)"));
        }
        self.handle.count_lost(reason, 1, || plan.place());
    }
}

impl Bound {
    /// The series of a metric, or why it is refused.
    pub(crate) fn get(&self, metric: u8) -> Result<&Series<f64>, (LostReason, &str)> {
        match self.each.get(usize::from(metric)) {
            Some(Ok(series)) => Ok(series),
            Some(Err((reason, why))) => Err((*reason, why)),
            None => self.all.get(usize::from(metric)).ok_or((LostReason::InvalidPath, "no such metric")),
        }
    }
}

fn reason_of(error: &neptune_core::Error) -> LostReason {
    match error.kind() {
        ErrorKind::TypeConflict => LostReason::TypeConflict,
        ErrorKind::Unsupported => LostReason::TooManySeries,
        _ => LostReason::InvalidPath,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
