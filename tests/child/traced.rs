//! Scenarios that log through `tracing`.

use std::{path::Path, sync::atomic::Ordering};

use tracing_subscriber::prelude::*;

use crate::{Outcome, Returned, open, say, without_system_calls};

/// Panics in a span of the fourth step.
pub(crate) fn panics(folder: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    tracing_subscriber::registry().with(neptune_tracing::layer(&experiment)).init();
    let _train = tracing::info_span!("train", epoch = 1).entered();
    for step in 0..10 {
        let _step = tracing::info_span!("step", step).entered();
        tracing::info!(metric.loss = f64::from(step));
        assert!(step < 3, "the gradient exploded");
    }
    drop(experiment);
    Ok(())
}

/// Logs as fast as it can, for ever: each thread its own split, the numbers 0, 1, 2, ... and half of each, in timed spans.
pub(crate) fn burst(folder: &str, threads: usize) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    tracing_subscriber::registry().with(neptune_tracing::layer(&experiment)).init();
    let returned = Returned::create(&Path::new(folder).with_extension("returned"))?;
    say("ready")?;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let returned = returned.of(thread);
            scope.spawn(move || {
                let split = format!("t{thread}");
                for number in 0_u32.. {
                    let _step = tracing::info_span!("step", step = number).entered();
                    tracing::info!(metric.loss = number, metric.half = f64::from(number) / 2.0, split);
                    returned.store(u64::from(number) + 1, Ordering::Release);
                }
            });
        }
    });
    Ok(())
}

/// Logs events and times spans.
pub(crate) fn silent(folder: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    tracing_subscriber::registry().with(neptune_tracing::layer(&experiment)).init();
    let layer = tracing::info_span!("layer");
    without_system_calls(|number| {
        let step = tracing::info_span!("step", step = number, metric.late = tracing::field::Empty).entered();
        tracing::info!(metric.loss = 0.5, metric.rate = number, split = "train");
        layer.in_scope(|| tracing::trace!("nobody wants this"));
        step.record("metric.late", 0.25);
    })
}
