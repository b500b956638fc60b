//! Spans say where events stand: at which step, in which epoch and split.

use tracing::{info, info_span, trace_span};
use tracing_core::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::Traced;

#[test]
fn a_span_keeps_the_step_in_which_it_was_created_wherever_it_is_entered() {
    let traced = Traced::new();
    let task = info_span!("step", step = 12, split = "train").in_scope(|| info_span!("task"));
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            task.in_scope(|| info!(metric.loss = 0.5));
        });
    });
    assert_eq!(traced.points("train/loss"), [(12.0, 0.5)]);
}

#[test]
fn a_step_that_is_recorded_later_counts_from_then_on() {
    let traced = Traced::new();
    let span = info_span!("train", step = tracing::field::Empty, epoch = 1);
    let _train = span.enter();
    info!(metric.before = 1.0);
    for step in 5..7 {
        span.record("step", step);
        info!(metric.loss = 0.5);
        info_span!("inner").in_scope(|| info!(metric.inner = 0.5));
    }
    assert_eq!(traced.points("before"), [(0.0, 1.0)]);
    assert_eq!(traced.points("loss"), [(5.0, 0.5), (6.0, 0.5)]);
    assert_eq!(traced.points("inner"), [(5.0, 0.5), (6.0, 0.5)]);
}

#[test]
fn a_step_that_is_recorded_is_known_inside_spans_that_were_entered_before() {
    let traced = Traced::new();
    let outer = info_span!("train", step = 1);
    let _outer = outer.enter();
    let _inner = info_span!("inner", split = "train").entered();
    for step in [5, 6] {
        outer.record("step", step);
        info!(metric.loss = f64::from(step));
    }
    assert_eq!(traced.points("train/loss"), [(5.0, 5.0), (6.0, 6.0)]);
}

#[test]
fn an_epoch_around_an_event_is_no_step() {
    let traced = Traced::new();
    for epoch in 0..3 {
        let _epoch = info_span!("epoch", epoch).entered();
        for _ in 0..100 {
            info!(metric.loss = 0.5);
        }
    }
    assert_eq!(traced.points("loss").len(), 300);
    assert!(traced.lines("monitoring/log").is_empty());
}

#[test]
fn a_second_value_at_one_step_is_said_once_for_its_place() {
    let traced = Traced::new();
    for step in 0..5 {
        let _step = info_span!("step", step).entered();
        for batch in 0..4 {
            info!(metric.loss = f64::from(batch));
        }
        info!(metric.rate = 0.1);
        for sample in ["a", "b"] {
            info!(text.sample = sample);
        }
        // Different metrics of one place are no second values.
        for (left, right) in [(Some(1.0), None), (None, Some(2.0))] {
            info!(metric.left = left, metric.right = right);
        }
        let span = info_span!("evaluate", metric.a = tracing::field::Empty, metric.b = tracing::field::Empty);
        span.record("metric.a", 1.0);
        span.record("metric.b", 1.0);
    }
    assert_eq!(traced.points("loss").len(), 5);
    let lines = traced.lines("monitoring/log");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("steps.rs:") && lines[0].contains("several values at step 0"), "{lines:?}");
}

#[test]
fn plain_words_of_a_library_mean_nothing_unless_its_spans_are_asked_for() {
    let traced = Traced::new();
    let _step = info_span!("step", step = 1_000, split = "train").entered();
    {
        let _theirs = tracing::debug_span!(target: "library", "denoise", step = 3, split = "latents").entered();
        tracing::debug!(target: "library", tag = "req-77", step = "resize", "a request");
        tracing::event!(target: "library", tracing::Level::TRACE, tag = 31);
        info!(metric.loss = 0.5);
    }
    // The arguments of a function that is instrumented are fields of its span.
    let _mine = info_span!("make", split = 0.8, tag = "mine").entered();
    info!(metric.rows = 7);
    assert_eq!(traced.points("train/loss"), [(1_000.0, 0.5)]);
    assert_eq!(traced.points("train/rows"), [(1_000.0, 7.0)]);
    assert!(traced.experiment.set("sys/tags").get().is_err(), "there are no tags");
    assert!(traced.stop().is_empty());

    let traced = Traced::with(|builder| builder.timings(Targets::new().with_target("mine", LevelFilter::TRACE)));
    let _step = trace_span!(target: "mine", "step", step = 7).entered();
    info!(metric.loss = 0.5);
    assert_eq!(traced.points("loss"), [(7.0, 0.5)]);
}

#[test]
fn metrics_and_parameters_may_be_fields_of_spans() {
    let traced = Traced::new();
    for step in 0..3 {
        let span = info_span!("step", step, metric.loss = tracing::field::Empty, param.lr = 0.1);
        let _entered = span.enter();
        span.record("metric.loss", f64::from(step) / 2.0);
    }
    assert_eq!(traced.points("loss"), [(0.0, 0.0), (1.0, 0.5), (2.0, 1.0)]);
    assert_eq!(traced.experiment.atom("parameters/lr").read().unwrap(), 0.1.into());
    assert!(traced.stop().is_empty());
}

#[test]
fn the_nearest_span_that_says_a_step_wins() {
    let traced = Traced::new();
    let epoch = info_span!("epoch", step = 1, epoch = 3, split = "train").entered();
    let _step = info_span!("step", step = 20).entered();
    info!(metric.loss = 1.0);
    {
        let _valid = info_span!("validate", split = "valid").entered();
        info!(metric.loss = 2.0);
        info!(metric.loss = 3.0, step = 21);
        info!(metric.loss = 4.0, step = 22, split = "test");
    }
    info!(parent: None, metric.loss = 5.0);
    info!(parent: &*epoch, metric.loss = 6.0);
    drop(epoch);
    assert_eq!(traced.points("train/loss"), [(1.0, 6.0), (20.0, 1.0)]);
    assert_eq!(traced.points("valid/loss"), [(20.0, 2.0), (21.0, 3.0)]);
    assert_eq!(traced.points("test/loss"), [(22.0, 4.0)]);
    assert_eq!(traced.points("loss"), [(0.0, 5.0)]);
}

#[test]
fn a_span_of_the_model_gives_events_the_step_of_the_loop_around_it() {
    let traced = Traced::new();
    let layer = info_span!("layer");
    for step in 0..3 {
        let _step = info_span!("step", step).entered();
        let _layer = layer.enter();
        info!(metric.norm = 1.0);
    }
    assert_eq!(traced.points("norm"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]);
}
