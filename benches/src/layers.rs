//! What events and spans cost with a layer installed, each stack of layers in a process of its own: a process has one
//! global subscriber, and callsites decide once.

use std::{
    error::Error,
    hint::black_box,
    io::{self, Write as _},
    path::Path,
    process::Command,
    time::Duration,
};

use neptune_core::{Experiment, Mode, Session};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{SdkMeterProvider, Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
};
use tracing_subscriber::{Layer as _, filter::LevelFilter, prelude::*};

use crate::time;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The word that makes this program measure one stack and print what it found.
pub const ARGUMENT: &str = "--layers";

/// Calls of one run. A run is short, so that one that nothing disturbs is among them.
const CALLS: u32 = 50_000;

/// Runs of each measurement in a process; the least counts, because what disturbs only adds.
const RUNS: usize = 25;

/// Nanoseconds a call, with one stack of layers.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// An event with three metrics and a step.
    pub event: f64,
    /// A function marked `#[instrument]`: its span is created, entered, left and closed.
    pub span: f64,
    /// A span that lives on, entered and left.
    pub again: f64,
    /// An event and a span that nobody wants, together.
    pub disabled: f64,
}

/// Measures a stack of layers in a new process.
///
/// # Errors
/// When the process cannot be run or does not say what it found.
pub fn measure(stack: &str) -> Outcome<Figures> {
    let output = Command::new(std::env::current_exe()?).args([ARGUMENT, stack]).output()?;
    let said = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match figures.as_slice() {
        [event, span, again, disabled] => {
            Ok(Figures { event: *event, span: *span, again: *again, disabled: *disabled })
        }
        _ => Err(format!("{stack} said {said:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// What the new process does: installs the stack, and prints its figures.
///
/// # Errors
/// When the stack cannot be installed.
pub fn run(stack: &str) -> Outcome<()> {
    let folder = tempfile::tempdir_in(".")?;
    let installed = install(stack, folder.path())?;
    let lives_on = tracing::info_span!("lives_on");
    let figures = [
        least(event),
        least(|number| {
            black_box(timed(number));
        }),
        least(|_| drop(black_box(lives_on.enter()))),
        least(unwanted),
    ];
    let [event, span, again, disabled] = figures;
    writeln!(io::stdout(), "{event} {span} {again} {disabled}")?;
    if let Some(experiment) = installed.experiment {
        let lost = experiment.stop()?;
        assert!(lost.is_empty(), "the benchmark lost {lost}");
    }
    drop((installed.writer, installed.meters));
    Ok(())
}

fn least(mut call: impl FnMut(u32)) -> f64 {
    let run = |call: &mut dyn FnMut(u32)| {
        let (took, ()) = time(|| (0..CALLS).for_each(&mut *call));
        // Whatever drains in the background gets its turn between runs, not in them.
        crate::pause(Duration::from_millis(4));
        took.as_nanos() as f64 / f64::from(CALLS)
    };
    (0..RUNS).map(|_| run(&mut call)).fold(f64::MAX, f64::min)
}

#[inline(never)]
fn event(number: u32) {
    let value = f64::from(number);
    // Fields that OpenTelemetry's layer takes for metrics as well.
    tracing::info!(histogram.loss = value, histogram.accuracy = 0.5, histogram.rate = 1e-3, step = number);
}

#[tracing::instrument(skip_all)]
#[inline(never)]
fn timed(number: u32) -> u32 {
    black_box(number)
}

#[inline(never)]
fn unwanted(number: u32) {
    tracing::trace!(number, "nobody wants this");
    drop(tracing::trace_span!("nor this").entered());
}

/// A layer that wants nothing to be done: what any layer costs.
struct Empty;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Empty {}

/// Takes metrics and sends them nowhere: what is measured is what the trainer pays.
struct Nowhere;

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

/// What must live as long as the stack.
#[derive(Default)]
struct Installed {
    experiment: Option<Experiment>,
    writer: Option<tracing_appender::non_blocking::WorkerGuard>,
    meters: Option<SdkMeterProvider>,
}

fn install(stack: &str, folder: &Path) -> Outcome<Installed> {
    let mut installed = Installed::default();
    let registry = tracing_subscriber::registry();
    let file = || tracing_appender::non_blocking(tracing_appender::rolling::never(folder, "events.json"));
    match stack {
        "none" => {}
        "registry" => registry.init(),
        "empty" => registry.with(Empty.with_filter(LevelFilter::INFO)).init(),
        "unfiltered" => registry.with(Empty).init(),
        "neptune" => {
            let experiment = started(folder)?;
            registry.with(neptune_tracing::layer(&experiment)).init();
            installed.experiment = Some(experiment);
        }
        "json" => {
            let (writer, guard) = file();
            registry
                .with(tracing_subscriber::fmt::layer().json().with_writer(writer).with_filter(LevelFilter::INFO))
                .init();
            installed.writer = Some(guard);
        }
        "json+neptune" => {
            let (writer, guard) = file();
            let experiment = started(folder)?;
            registry
                .with(tracing_subscriber::fmt::layer().json().with_writer(writer).with_filter(LevelFilter::INFO))
                .with(neptune_tracing::layer(&experiment))
                .init();
            installed.writer = Some(guard);
            installed.experiment = Some(experiment);
        }
        "opentelemetry" => {
            let meters = SdkMeterProvider::builder().with_periodic_exporter(Nowhere).build();
            registry.with(tracing_opentelemetry::MetricsLayer::new(meters.clone())).init();
            installed.meters = Some(meters);
        }
        _ => return Err(format!("there is no stack {stack:?}").into()),
    }
    Ok(installed)
}

fn started(folder: &Path) -> neptune_core::Result<Experiment> {
    Session::builder()
        .folder(folder)
        .project("bench/layers")
        .mode(Mode::Embedded)
        .without_code()
        .open()?
        .experiment()
        .start()
}
