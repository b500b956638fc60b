//! What a program logs through `tracing` is in its experiment.

mod callsites;
mod events;
mod panics;
mod refused;
mod routing;
mod spans;
mod steps;
mod timelines;

use std::{collections::BTreeMap, time::Duration};

use neptune_core::{Experiment, LostReport};
use neptune_tests::Folder;
use neptune_tracing::Builder;
use tracing_subscriber::prelude::*;

/// An experiment whose layer is installed for this thread.
struct Traced {
    _installed: tracing::subscriber::DefaultGuard,
    experiment: Experiment,
    /// Last, so that it is there until the experiment has ended.
    folder: Folder,
}

impl Traced {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = Folder::new();
        let experiment = folder.session().experiment().start().unwrap();
        let layer = settings(neptune_tracing::builder().experiment(&experiment)).layer();
        let installed = tracing_subscriber::registry().with(layer).set_default();
        Self { folder, experiment, _installed: installed }
    }

    /// The points of a series of numbers.
    fn points(&self, path: &str) -> Vec<(f64, f64)> {
        points(&self.experiment, path)
    }

    fn lines(&self, path: &str) -> Vec<String> {
        lines(&self.experiment, path)
    }

    fn stop(self) -> LostReport {
        self.experiment.stop().unwrap()
    }

    /// Figures of a span over all windows: the sum of `count` and `total`, the last of the others.
    fn timings(&self, span: &str) -> BTreeMap<&'static str, f64> {
        self.experiment.flush(Duration::from_secs(20)).unwrap();
        let names = ["count", "total", "mean", "p50", "p99", "max", "busy", "idle"];
        let figure = |name: &'static str| {
            let series = self.experiment.series::<f64>(&format!("timing/{span}/{name}")).unwrap();
            let points = series.all().unwrap_or_default();
            let sum = matches!(name, "count" | "total").then(|| points.iter().map(|point| point.value).sum());
            Some((name, sum.or_else(|| points.last().map(|point| point.value))?))
        };
        names.into_iter().filter_map(figure).collect()
    }

    /// Every variable under `namespace`.
    fn under(&self, namespace: &str) -> Vec<String> {
        self.experiment.flush(Duration::from_secs(20)).unwrap();
        let key = self.folder.only_experiment();
        self.folder.store().variables(&key, namespace).unwrap().into_iter().map(|variable| variable.path).collect()
    }
}

fn points(experiment: &Experiment, path: &str) -> Vec<(f64, f64)> {
    let points = experiment.series::<f64>(path).unwrap().all().unwrap_or_default();
    points.iter().map(|point| (point.step, point.value)).collect()
}

fn lines(experiment: &Experiment, path: &str) -> Vec<String> {
    let points = experiment.series::<String>(path).unwrap().all().unwrap_or_default();
    points.into_iter().map(|point| point.value).collect()
}

/// Takes about this long, as work does.
fn work(time: Duration) {
    use neptune_core::stopwatch::{nanos, ticks};
    let began = ticks();
    while u128::from(nanos(ticks() - began)) < time.as_nanos() {
        std::hint::spin_loop();
    }
}
