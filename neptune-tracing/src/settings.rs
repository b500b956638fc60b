//! What a layer is told when it is built.

use tracing_core::LevelFilter;
use tracing_subscriber::filter::Targets;

#[derive(Debug)]
pub(crate) struct Settings {
    /// Events of this level and above become lines of `monitoring/log`.
    pub(crate) log_level: LevelFilter,
    /// Spans that are timed.
    pub(crate) timings: Targets,
    /// Spans of which every timing is logged.
    pub(crate) raw_timings: Targets,
    /// Targets whose events have nothing but metrics in their numbers.
    pub(crate) metric_targets: Vec<String>,
    /// The spans of every n-th step are kept whole; 0 for none.
    pub(crate) keep_every: u64,
    /// Whether an experiment that was entered comes before the layer's own.
    pub(crate) is_routed: bool,
    /// Whether panics are noted.
    pub(crate) notes_panics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_level: LevelFilter::WARN,
            timings: Targets::new().with_default(LevelFilter::INFO),
            raw_timings: Targets::new(),
            metric_targets: Vec::new(),
            keep_every: 1_000,
            is_routed: true,
            notes_panics: true,
        }
    }
}

impl Settings {
    /// Whether every number of an event with `target` is a metric.
    pub(crate) fn takes_all_numbers(&self, target: &str) -> bool {
        self.metric_targets.iter().any(|wanted| {
            target.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}
