//! [`NeptuneRenderer`]: what an evaluation measures becomes series. burn tells it to renderers only.
//!
//! Invariant: the renderer within gets every call that it would get without neptune, in the same order.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
};

use burn::train::{
    EvaluatorBuilder, EvaluatorComponentTypes, Interrupter, LearnerSummary,
    logger::{EvaluationProgressLogger, TrainingProgressLogger},
    metric::{MetricDefinition, MetricId, NumericEntry, store::Split},
    renderer::{
        EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
        default_renderer,
    },
};
use neptune_core::{ExperimentHandle, stopwatch};

use crate::{
    names::{self, Names, Namespace},
    split_log::SplitLog,
};

/// Logs the metrics of an evaluation on their way to a renderer:
///
/// | what | where | step |
/// |---|---|---|
/// | a number, of each batch | `test/NAME/loss`, where NAME is the name of the evaluation | the batch, from 1 |
/// | its mean over all items, at the end of the test | the atom `test/NAME/mean/loss` | |
/// | a text that changed | `test/NAME/METRIC` | the batch |
/// | the test that runs, its items so far, and how many it has | the atoms `evaluation/test`, `evaluation/items`, `evaluation/total_items` | |
///
/// Means are weighted by what each batch counted, as burn does it. An evaluation under a name that was used before
/// replaces its points.
pub struct NeptuneRenderer {
    inner: Box<dyn MetricsRenderer>,
    handle: ExperimentHandle,
    namespace: Namespace,
    names: Names,
    segments: HashMap<MetricId, String>,
    test: Option<Test>,
    items: usize,
    logged: u64,
}

/// How often the items of a test are logged, at most: often enough to watch.
const EVERY_NANOS: u64 = 1_000_000_000;

/// A test that runs.
struct Test {
    split: Split,
    log: SplitLog,
    /// How often each metric was updated: its step.
    batches: HashMap<MetricId, u64>,
    means: BTreeMap<String, Mean>,
}

/// A mean that grows.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl NeptuneRenderer {
    /// Logs to the top of the experiment, and shows by `inner`: a renderer of burn, the one that a training returned, or
    /// [`QuietRenderer`](crate::QuietRenderer).
    pub fn new(handle: &ExperimentHandle, inner: Box<dyn MetricsRenderer>) -> Self {
        Self {
            inner,
            handle: handle.clone(),
            namespace: Namespace::default(),
            names: Names::new(&["epoch", "mean"]),
            segments: HashMap::new(),
            test: None,
            items: 0,
            logged: 0,
        }
    }

    /// Logs below `namespace`, which may have several segments.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Namespace::new(namespace);
        self
    }

    fn record(&mut self, name: &EvaluationName, state: &MetricState) {
        let split = Split::Test(Some(name.as_str().to_owned().into()));
        let test = self.test.get_or_insert_with(|| Test::new(&self.handle, &self.namespace, split));
        let entry = match state {
            MetricState::Generic(entry) | MetricState::Numeric(entry, _) => entry,
        };
        let Some(segment) = self.segments.get(&entry.metric_id) else { return };
        let batch = test.batches.entry(entry.metric_id.clone()).or_default();
        *batch += 1;
        match state {
            MetricState::Numeric(_, Some(number)) => {
                test.log.batch_values(*batch, std::iter::once((segment.as_str(), number.current())));
                test.means.entry(segment.clone()).or_default().add(number);
            }
            MetricState::Generic(entry) if !entry.serialized_entry.is_not_available() => {
                test.log.text(*batch, segment, &entry.serialized_entry.serialized);
            }
            MetricState::Numeric(_, None) | MetricState::Generic(_) => {}
        }
    }

    fn log_items(&mut self) {
        self.logged = stopwatch::ticks();
        self.atom("items").assign(i64::try_from(self.items).unwrap_or(i64::MAX));
    }

    fn log_means(&mut self) {
        let Some(test) = self.test.take() else { return };
        let path = self.namespace.path(&names::split(&test.split));
        for (segment, mean) in test.means {
            self.handle.atom(&format!("{path}/mean/{segment}")).assign(mean.sum / mean.count);
        }
    }

    fn atom(&self, name: &str) -> neptune_core::Atom {
        self.handle.atom(&self.namespace.path(&format!("evaluation/{name}")))
    }
}

impl Test {
    fn new(handle: &ExperimentHandle, namespace: &Namespace, split: Split) -> Self {
        let log = SplitLog::new(handle, namespace, &split, BTreeMap::new());
        Self { split, log, batches: HashMap::new(), means: BTreeMap::new() }
    }
}

impl Mean {
    fn add(&mut self, number: &NumericEntry) {
        let (value, count) = match *number {
            NumericEntry::Value(value) => (value, 1.0),
            NumericEntry::Aggregated { aggregated_value, count } => (aggregated_value, count as f64),
            NumericEntry::Final(value) => {
                *self = Self { sum: value, count: 1.0 };
                return;
            }
        };
        self.sum += value * count;
        self.count += count;
    }
}

impl MetricsRendererTraining for NeptuneRenderer {
    fn update_train(&mut self, state: MetricState) {
        self.inner.update_train(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.inner.update_valid(state);
    }

    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_train_end(summary)
    }
}

impl MetricsRendererEvaluation for NeptuneRenderer {
    fn update_test(&mut self, name: EvaluationName, state: MetricState) {
        self.record(&name, &state);
        self.inner.update_test(name, state);
    }

    fn on_test_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_test_end(summary)
    }
}

impl TrainingProgressLogger for NeptuneRenderer {
    fn start(&mut self, epochs: usize, starting_epoch: usize, items: Option<usize>, label: Option<&str>) {
        self.inner.start(epochs, starting_epoch, items, label);
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.inner.update_epoch(epoch);
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.inner.start_split(split, total_items);
    }

    fn update_split(&mut self, items_processed: usize) {
        self.inner.update_split(items_processed);
    }

    fn end_split(&mut self) {
        self.inner.end_split();
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn log_event_training(&mut self, event: String) {
        self.inner.log_event_training(event);
    }
}

impl EvaluationProgressLogger for NeptuneRenderer {
    fn start_global_progress(&mut self, total_tests: usize) {
        self.inner.start_global_progress(total_tests);
    }

    fn start_test(&mut self, name: &str, total_items: usize) {
        let split = Split::Test(Some(name.to_owned().into()));
        self.test = Some(Test::new(&self.handle, &self.namespace, split));
        self.items = 0;
        self.atom("test").assign(name);
        self.atom("total_items").assign(i64::try_from(total_items).unwrap_or(i64::MAX));
        self.inner.start_test(name, total_items);
    }

    fn update_test_progress(&mut self, items_processed: usize) {
        self.items = items_processed;
        if stopwatch::nanos(stopwatch::ticks().saturating_sub(self.logged)) >= EVERY_NANOS {
            self.log_items();
        }
        self.inner.update_test_progress(items_processed);
    }

    fn end_test(&mut self) {
        self.log_items();
        self.log_means();
        self.inner.end_test();
    }

    fn end_global_progress(&mut self) {
        self.inner.end_global_progress();
    }

    fn log_event_evaluation(&mut self, event: String) {
        self.inner.log_event_evaluation(event);
    }
}

impl MetricsRenderer for NeptuneRenderer {
    fn manual_close(&mut self) {
        self.inner.manual_close();
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        if !self.segments.contains_key(&definition.metric_id) {
            let segment = self.names.take(&definition.name);
            self.segments.insert(definition.metric_id.clone(), segment);
        }
        self.inner.register_metric(definition);
    }
}

impl fmt::Debug for NeptuneRenderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeptuneRenderer").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// Evaluations that log themselves.
pub trait NeptuneEvaluation: Sized {
    /// Logs the metrics of the evaluation to `experiment`, as [`NeptuneRenderer`] says, and shows them as burn does by
    /// default. Replaces the renderer and the application logger.
    ///
    /// For another renderer, or a namespace, hand a [`NeptuneRenderer`] to `renderer`.
    #[must_use]
    fn with_neptune(self, experiment: &ExperimentHandle) -> Self;
}

impl<C: EvaluatorComponentTypes> NeptuneEvaluation for EvaluatorBuilder<C> {
    fn with_neptune(self, experiment: &ExperimentHandle) -> Self {
        let shown = default_renderer(Interrupter::new(), None);
        self.renderer(Box::new(NeptuneRenderer::new(experiment, shown))).with_application_logger(None)
    }
}
