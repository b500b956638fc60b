//! Several experiments, several layers, several subscribers.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use neptune_tests::Folder;
use neptune_tracing::InExperiment as _;
use tracing::{Instrument as _, info, info_span};
use tracing_subscriber::prelude::*;

use super::points;

/// Polls a future to its end, each time on a thread of its own.
pub(super) fn run_on_many_threads<F: Future + Send>(future: F) -> F::Output
where
    F::Output: Send,
{
    let mut future = pin!(future);
    loop {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let poll = std::thread::scope(|scope| {
            let poll = || {
                let _installed = tracing::dispatcher::set_default(&dispatch);
                future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            };
            scope.spawn(poll).join().unwrap()
        });
        if let Poll::Ready(output) = poll {
            return output;
        }
    }
}

/// Awaits once: the thread goes on with something else.
pub(super) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[test]
fn two_layers_of_one_subscriber_log_to_two_experiments() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry()
        .with(neptune_tracing::layer(&first))
        .with(neptune_tracing::builder().experiment(&second).fixed().layer())
        .set_default();
    for step in 0..100 {
        let _step = tracing::info_span!("step", step).entered();
        info!(metric.loss = f64::from(step));
    }
    for experiment in [first, second] {
        let loss = points(&experiment, "loss");
        assert_eq!((loss.len(), loss[99]), (100, (99.0, 99.0)));
        experiment.flush(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(points(&experiment, "timing/step/count"), [(0.0, 100.0)]);
        assert!(experiment.stop().unwrap().is_empty());
    }
}

#[test]
fn a_thread_logs_to_the_experiment_that_it_entered() {
    let folder = Folder::new();
    let session = folder.session();
    let experiments: Vec<_> = (0..3).map(|_| session.experiment().start().unwrap()).collect();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(neptune_tracing::builder().layer()));
    let _installed = tracing::dispatcher::set_default(&dispatch);
    info!(metric.loss = -1.0);
    std::thread::scope(|scope| {
        for (number, experiment) in (0..).zip(&experiments) {
            let dispatch = &dispatch;
            scope.spawn(move || {
                let _installed = tracing::dispatcher::set_default(dispatch);
                let _entered = neptune_tracing::enter(experiment);
                for _ in 0..50 {
                    info!(metric.loss = f64::from(number));
                    let _span = tracing::info_span!("work").entered();
                }
            });
        }
    });
    // Guards nest, on one thread.
    let outer = neptune_tracing::enter(&experiments[0]);
    let inner = neptune_tracing::enter(&experiments[1]);
    info!(metric.nested = 1.0);
    drop(inner);
    info!(metric.nested = 0.0);
    drop(outer);
    info!(metric.nested = -1.0);
    for (number, experiment) in (0..).zip(experiments) {
        let loss = points(&experiment, "loss");
        assert_eq!(loss.len(), 50);
        assert!(loss.iter().all(|(_, value)| *value == f64::from(number)), "{number}: {loss:?}");
        let nested: &[(f64, f64)] = match number {
            0 => &[(0.0, 0.0)],
            1 => &[(0.0, 1.0)],
            _ => &[],
        };
        assert_eq!(points(&experiment, "nested"), nested);
        experiment.flush(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(points(&experiment, "timing/work/count"), [(0.0, 50.0)]);
        experiment.stop().unwrap();
    }
}

#[test]
fn a_future_logs_to_its_experiment_on_whichever_thread_it_is_polled() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry().with(neptune_tracing::layer(&first)).set_default();
    let inside = async {
        for step in 0..5 {
            info!(metric.loss = 2.0, step);
            yield_now().await;
        }
    };
    run_on_many_threads(inside.in_experiment(&second));
    info!(metric.loss = 1.0, step = 0);
    assert_eq!(points(&second, "loss").len(), 5);
    assert_eq!(points(&first, "loss"), [(0.0, 1.0)]);
    first.stop().unwrap();
    second.stop().unwrap();
}

/// Logs when it is dropped.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        info!(metric.last = 1.0);
    }
}

#[test]
fn a_future_that_is_cancelled_is_dropped_inside_its_experiment() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry().with(neptune_tracing::layer(&first)).set_default();
    let future = async {
        let _last = Last;
        yield_now().await;
    };
    let mut future = Box::pin(future.in_experiment(&second));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(future);
    assert_eq!(points(&second, "last").len(), 1);
    assert_eq!(points(&first, "last").len(), 0);
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn an_experiment_that_is_resumed_in_the_same_process_goes_on() {
    let folder = Folder::new();
    let session = folder.session();
    let _installed = tracing_subscriber::registry().with(neptune_tracing::builder().layer()).set_default();
    for run in 0..3 {
        let experiment = if run == 0 { session.experiment() } else { session.attach("E2E-1") }.start().unwrap();
        let entered = neptune_tracing::enter(&experiment);
        info_span!("work").in_scope(|| info!(metric.loss = f64::from(run)));
        drop(entered);
        assert!(experiment.stop().unwrap().is_empty());
    }
    assert_eq!(folder.series("loss").len(), 3);
    assert_eq!(folder.series("timing/work/count").len(), 3);
}

#[test]
fn one_layer_serves_one_experiment_behind_the_other_on_every_thread() {
    let folder = Folder::new();
    let session = folder.session();
    let first = session.experiment().start().unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(neptune_tracing::layer(&first)));
    let (ask, asked) = std::sync::mpsc::sync_channel::<f64>(0);
    let (answer, answered) = std::sync::mpsc::sync_channel::<()>(0);
    std::thread::scope(|scope| {
        // A worker that was there before.
        scope.spawn(|| {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            for value in asked {
                info!(metric.loss = value);
                answer.send(()).unwrap();
            }
        });
        let log = |value| {
            ask.send(value).unwrap();
            answered.recv().unwrap();
        };
        log(1.0);
        assert!(first.stop().unwrap().is_empty());
        let second = session.experiment().start().unwrap();
        neptune_tracing::set_experiment(Some(&second));
        log(2.0);
        assert_eq!(points(&second, "loss"), [(0.0, 2.0)]);
        neptune_tracing::set_experiment(None);
        second.stop().unwrap();
        drop(ask);
    });
}

#[test]
fn a_model_that_outlives_its_experiment_logs_to_the_next() {
    let folder = Folder::new();
    let session = folder.session();
    let _installed = tracing_subscriber::registry().with(neptune_tracing::builder().layer()).set_default();
    let first = session.experiment().start().unwrap();
    neptune_tracing::set_experiment(Some(&first));
    let model = info_span!("model");
    let _outer = info_span!("worker").entered();
    let forward = |step: u32| model.in_scope(|| info!(metric.norm = 1.0, step));
    (0..20).for_each(forward);
    let second = session.experiment().start().unwrap();
    // Said before the first has ended, as one would.
    neptune_tracing::set_experiment(Some(&second));
    assert!(first.stop().unwrap().is_empty());
    (0..50).for_each(forward);
    assert_eq!(points(&second, "norm").len(), 50);
    second.flush(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(points(&second, "timing/model/count"), [(0.0, 50.0)]);
    assert!(second.stop().unwrap().is_empty());
    assert_eq!(folder.store().series(&folder.only_experiment(), "norm", 0.0..=100.0).unwrap().len(), 20);
    neptune_tracing::set_experiment(None);
}

#[test]
fn an_experiment_that_is_said_before_the_other_ends_is_followed_when_it_does() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry().with(neptune_tracing::layer(&first)).set_default();
    neptune_tracing::set_experiment(Some(&second));
    info!(metric.loss = 1.0);
    first.stop().unwrap();
    info!(metric.loss = 2.0);
    assert_eq!(points(&second, "loss"), [(0.0, 2.0)]);
    neptune_tracing::set_experiment(None);
    second.stop().unwrap();
}

#[test]
fn a_flush_of_one_experiment_leaves_the_windows_of_another_alone() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry().with(neptune_tracing::layer(&first)).set_default();
    for _ in 0..10 {
        info_span!("work").in_scope(|| ());
        let _entered = neptune_tracing::enter(&second);
        info_span!("work").in_scope(|| ());
        second.flush(std::time::Duration::from_secs(10)).unwrap();
    }
    assert_eq!(points(&second, "timing/work/count").len(), 10);
    first.flush(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(points(&first, "timing/work/count"), [(0.0, 10.0)]);
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn what_is_logged_in_a_span_goes_where_the_span_belongs() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(neptune_tracing::builder().layer()));
    let _installed = tracing::dispatcher::set_default(&dispatch);
    let entered = neptune_tracing::enter(&experiment);
    let span = info_span!("load", step = 3, metric.recorded = tracing::field::Empty);
    drop(entered);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            // This thread has entered nothing but the span.
            span.in_scope(|| info!(metric.loaded = 8.0));
            info!(metric.loaded = 9.0);
            info!(parent: &span, metric.by_parent = 1.0);
            info_span!(parent: &span, "inner").in_scope(|| info!(metric.inside = 2.0));
            span.record("metric.recorded", 3.0);
        });
    });
    drop(span);
    for (path, value) in [("loaded", 8.0), ("by_parent", 1.0), ("inside", 2.0), ("recorded", 3.0)] {
        assert_eq!(points(&experiment, path), [(3.0, value)], "{path}");
    }
    experiment.flush(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(points(&experiment, "timing/load/count"), [(0.0, 1.0)]);
    experiment.stop().unwrap();
}

#[test]
fn a_span_that_was_created_before_its_experiment_was_entered_belongs_to_it() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    for layer in [neptune_tracing::builder().layer(), neptune_tracing::layer(&first)] {
        let _installed = tracing_subscriber::registry().with(layer).set_default();
        // The order in which it is written naturally.
        let trial = async { info!(metric.loss = 0.5) }.instrument(info_span!("trial", step = 7));
        run_on_many_threads(trial.in_experiment(&second));
    }
    assert_eq!(points(&second, "loss"), [(7.0, 0.5)]);
    second.flush(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(points(&second, "timing/trial/count").len(), 2);
    assert!(points(&first, "loss").is_empty());
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn the_end_of_an_experiment_changes_nothing_for_the_futures_of_another() {
    let folder = Folder::new();
    let session = folder.session();
    let (first, second) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let _installed = tracing_subscriber::registry().with(neptune_tracing::layer(&second)).set_default();
    let entered = neptune_tracing::enter(&first);
    info!(metric.loss = 1.0);
    drop(entered);
    let future = async {
        for _ in 0..5 {
            super::work(std::time::Duration::from_micros(100));
            yield_now().await;
        }
    };
    let mut future = Box::pin(future.instrument(info_span!("load")));
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(!poll() && !poll());
    first.stop().unwrap();
    assert!(!poll() && !poll() && !poll() && poll());
    drop(future);
    second.flush(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(points(&second, "timing/load/count"), [(0.0, 1.0)]);
    second.stop().unwrap();
}

#[test]
fn a_sweep_of_many_experiments_leaves_nothing_behind_in_the_layer() {
    let folder = Folder::new();
    let session = folder.session();
    let _installed = tracing_subscriber::registry().with(neptune_tracing::builder().layer()).set_default();
    for trial in 0..40 {
        let experiment = session.experiment().start().unwrap();
        let entered = neptune_tracing::enter(&experiment);
        for step in 0..10 {
            let _step = tracing::info_span!("step", step).entered();
            info!(metric.loss = f64::from(trial));
        }
        drop(entered);
        experiment.flush(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(points(&experiment, "timing/step/count"), [(0.0, 10.0)], "trial {trial}");
        assert_eq!(points(&experiment, "loss").len(), 10);
        experiment.stop().unwrap();
    }
}

#[test]
fn a_global_subscriber_stays_when_a_framework_would_install_its_own() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    tracing_subscriber::registry().with(neptune_tracing::layer(&experiment)).init();
    // What burn does in `launch`: it tries, and goes on without.
    let theirs = tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_writer(std::io::sink));
    assert!(theirs.try_init().is_err());
    std::thread::scope(|scope| drop(scope.spawn(|| info!(metric.loss = 1.0)).join()));
    info!(metric.loss = 2.0);
    assert_eq!(points(&experiment, "loss").len(), 2);
    experiment.stop().unwrap();
}
