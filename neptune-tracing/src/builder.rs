//! [`Builder`]: what a layer does, said before it is installed.

use std::time::Duration;

use neptune_core::ExperimentHandle;
use tracing_core::{LevelFilter, Subscriber};
use tracing_subscriber::{filter::Targets, registry::LookupSpan};

use crate::{
    layer::{self, NeptuneLayer},
    panics,
    settings::Settings,
    shared::Shared,
};

/// How long timings are gathered for a point, unless it is said.
const WINDOW: Duration = Duration::from_secs(10);

/// What a layer does; see [`builder`].
#[derive(Debug)]
#[must_use = "a layer is made with `layer`"]
pub struct Builder {
    experiment: Option<ExperimentHandle>,
    settings: Settings,
    window: Duration,
}

/// A layer that logs to `experiment`, with the settings that fit most programs.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// use tracing_subscriber::prelude::*;
///
/// let session = neptune_core::Session::builder().folder(folder.path()).open()?;
/// let experiment = session.experiment().start()?;
/// let subscriber = tracing_subscriber::registry().with(neptune_tracing::layer(&experiment));
/// let guard = subscriber.set_default(); // or `.init()`, for the whole process
///
/// tracing::info!(metric.loss = 0.31, step = 12, split = "train");
/// assert_eq!(experiment.series::<f64>("train/loss")?.last()?.step, 12.0);
/// # drop(guard);
/// # experiment.stop()?;
/// # Ok(())
/// # }
/// ```
pub fn layer<S>(experiment: &ExperimentHandle) -> NeptuneLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    builder().experiment(experiment).layer()
}

/// Settings of a layer. Without [`Builder::experiment`] it logs where [`enter`](crate::enter) says, and otherwise nowhere.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
/// # let experiment = session.experiment().start()?;
/// use tracing_core::LevelFilter;
/// use tracing_subscriber::{filter::Targets, prelude::*};
///
/// let timed = Targets::new().with_default(LevelFilter::INFO).with_target("candle_transformers", LevelFilter::TRACE);
/// let layer = neptune_tracing::builder()
///     .experiment(&experiment)
///     .log_level(LevelFilter::INFO)
///     .timings(timed)
///     .metrics_from("my_trainer::stats")
///     .layer();
/// let _subscriber = tracing_subscriber::registry().with(layer).set_default();
/// # Ok(())
/// # }
/// ```
pub fn builder() -> Builder {
    Builder { experiment: None, settings: Settings::default(), window: WINDOW }
}

impl Builder {
    /// The experiment to log to.
    pub fn experiment(mut self, experiment: &ExperimentHandle) -> Self {
        self.experiment = Some(experiment.clone());
        self
    }

    /// Events of this level and above become lines of `monitoring/log`; `WARN` unless it is said.
    pub const fn log_level(mut self, level: LevelFilter) -> Self {
        self.settings.log_level = level;
        self
    }

    /// Which spans are timed; those of `INFO` and above unless it is said. Libraries that mark the layers of models do so at
    /// `TRACE`: name them.
    pub fn timings(mut self, spans: Targets) -> Self {
        self.settings.timings = spans;
        self
    }

    /// Of which spans each timing is logged, as `timing/PATH/samples` in seconds; of none unless it is said. Costs a point
    /// for each span.
    pub fn raw_timings(mut self, spans: Targets) -> Self {
        self.settings.raw_timings = spans;
        self
    }

    /// Over how long timings are gathered for one point of each of their series; 10 seconds unless it is said, and rounded
    /// up to a second. The death of the process loses the timings of the window that is under way, and nothing else.
    pub const fn timing_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Keeps the spans of every n-th step whole, in `monitoring/steps/PATH`, beside those of the slowest step of each minute;
    /// 1,000 unless it is said. 0 keeps none at all.
    pub const fn keep_every_step(mut self, n: u64) -> Self {
        self.settings.keep_every = n;
        self
    }

    /// Makes a metric of every number in the events of `target` and the modules in it, whatever its field is called.
    pub fn metrics_from(mut self, target: impl Into<String>) -> Self {
        // The name of a package may have dashes; its targets do not.
        self.settings.metric_targets.push(target.into().replace('-', "_"));
        self
    }

    /// Logs to the layer's own experiment only, whatever [`enter`](crate::enter) says. For all but one of several layers in
    /// one subscriber.
    pub const fn fixed(mut self) -> Self {
        self.settings.is_routed = false;
        self
    }

    /// Leaves panics to others: this layer notes none.
    pub const fn ignore_panics(mut self) -> Self {
        self.settings.notes_panics = false;
        self
    }

    /// The layer, for `registry().with(...)`.
    pub fn layer<S>(self) -> NeptuneLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        if self.settings.notes_panics {
            panics::hook();
        }
        layer::layer(Shared::new(self.settings, self.experiment, self.window))
    }
}
