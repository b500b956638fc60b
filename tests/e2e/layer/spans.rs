//! Spans become timings.

use std::time::Duration;

use tracing::{Instrument as _, info, info_span, instrument, trace_span};
use tracing_core::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::{
    Traced,
    routing::{run_on_many_threads, yield_now},
    work,
};

#[instrument(skip_all)]
fn forward(time: Duration) {
    work(time);
}

#[instrument(skip_all)]
fn train_step(step: u32) {
    forward(Duration::from_micros(200));
    if step.is_multiple_of(10) {
        forward(Duration::from_millis(2));
    }
}

#[test]
fn a_function_that_is_instrumented_is_timed_where_it_stands() {
    let traced = Traced::new();
    for step in 0..100 {
        train_step(step);
    }
    let step = traced.timings("train_step");
    let inner = traced.timings("train_step/forward");
    assert_eq!((step["count"], inner["count"]), (100.0, 110.0));
    assert!(inner["total"] >= 0.04 && step["total"] >= inner["total"], "{step:?} {inner:?}");
    assert!((inner["mean"] - inner["total"] / 110.0).abs() < 1e-12);
    assert!((2e-4..4e-4).contains(&inner["p50"]), "{inner:?}");
    assert!(inner["p99"] > 1.9e-3 && inner["max"] >= inner["p99"] && inner["p99"] >= inner["p50"], "{inner:?}");
    assert!(!step.contains_key("busy"), "nothing awaited");
    assert!(traced.under("timing").iter().all(|path| path.starts_with("timing/train_step/")));
    assert!(traced.stop().is_empty());
}

/// A model as those of candle-transformers: each layer keeps a span, made with the model and entered at each forward.
struct Model {
    embed: tracing::Span,
    blocks: Vec<(tracing::Span, tracing::Span)>,
}

impl Model {
    fn new(blocks: usize) -> Self {
        let block = |_| (trace_span!("attn"), trace_span!("mlp"));
        Self { embed: trace_span!("embed"), blocks: (0..blocks).map(block).collect() }
    }

    fn forward(&self) {
        self.embed.in_scope(|| work(Duration::from_micros(20)));
        for (attn, mlp) in &self.blocks {
            let _attn = attn.enter();
            work(Duration::from_micros(30));
            mlp.in_scope(|| work(Duration::from_micros(10)));
        }
    }
}

#[test]
fn spans_that_live_as_long_as_the_model_have_a_timing_for_each_forward() {
    for forwards in [1_u32, 3, 40] {
        let timed = Targets::new().with_target("e2e", LevelFilter::TRACE);
        let traced = Traced::with(|builder| builder.timings(timed));
        let model = Model::new(6);
        for _ in 0..forwards {
            model.forward();
        }
        let Traced { folder, experiment, _installed } = traced;
        // The model outlives the experiment, as it does in a `main`.
        experiment.stop().unwrap();
        drop(model);
        let count = |span: &str| {
            let neptune_core::store::Values::Float(values) = folder.series(&format!("timing/{span}/count")).values
            else {
                panic!("counts are numbers")
            };
            values.iter().sum::<f64>()
        };
        assert_eq!(count("embed"), f64::from(forwards));
        assert_eq!(count("attn"), f64::from(6 * forwards));
        assert_eq!(count("mlp"), f64::from(6 * forwards));
        let paths = folder.store().variables(&folder.only_experiment(), "timing").unwrap();
        assert_eq!(paths.len(), 3 * 6, "one set of series for each layer, and none is taken for a future");
    }
}

#[test]
fn a_model_that_is_dropped_leaves_its_timings() {
    let timed = Targets::new().with_target("e2e", LevelFilter::TRACE);
    let traced = Traced::with(|builder| builder.timings(timed));
    for _ in 0..3 {
        let model = Model::new(2);
        for _ in 0..5 {
            model.forward();
        }
        work(Duration::from_micros(100));
    }
    assert_eq!(traced.timings("attn")["count"], 30.0);
    assert_eq!(traced.timings("mlp")["count"], 30.0);
    assert!(!traced.timings("mlp").contains_key("busy"));
}

#[test]
fn a_span_that_is_entered_inside_itself_is_timed_once() {
    let traced = Traced::new();
    let span = info_span!("layer");
    for _ in 0..20 {
        let _outer = span.enter();
        let _inner = span.enter();
        work(Duration::from_micros(50));
    }
    drop(span);
    let timings = traced.timings("layer");
    assert_eq!(timings["count"], 20.0);
    // The median, because a busy machine makes any one of them longer.
    assert!(timings["total"] >= 1e-3 && timings["p50"] < 1e-4, "{timings:?}");
}

#[instrument(skip_all)]
fn descend(depth: u32) {
    work(Duration::from_micros(20));
    if depth > 0 {
        ascend(depth - 1);
    }
}

#[instrument(skip_all)]
fn ascend(depth: u32) {
    work(Duration::from_micros(20));
    if depth > 0 {
        descend(depth - 1);
    }
}

#[test]
fn a_span_that_is_entered_in_a_loop_has_a_timing_for_each_round() {
    let traced = Traced::new();
    for rounds in [3_u32, 8, 16, 17, 100, 100] {
        let span = info_span!("batch");
        for round in 1..=rounds {
            // The last one is smaller, as the last batch of a data set is.
            span.in_scope(|| work(Duration::from_micros(if round < rounds { 60 } else { 8 })));
        }
        // It is closed right here, the moment after it was left.
    }
    let timings = traced.timings("batch");
    assert_eq!(timings["count"], 244.0, "{timings:?}");
    assert!(!timings.contains_key("busy") && timings["p50"] < 1e-4, "{timings:?}");
}

mod here {
    #[tracing::instrument(skip_all)]
    pub(super) fn forward() {
        super::work(std::time::Duration::from_micros(20));
        super::there::forward();
    }
}

mod there {
    #[tracing::instrument(skip_all)]
    pub(super) fn forward() {
        super::work(std::time::Duration::from_micros(20));
    }
}

#[test]
fn functions_of_one_name_are_no_recursion() {
    let traced = Traced::new();
    for _ in 0..10 {
        here::forward();
        there::forward();
    }
    assert_eq!(traced.timings("forward/forward")["count"], 10.0);
    assert_eq!(traced.points("timing/forward/count"), [(0.0, 20.0)], "both are at this path, as one");
}

#[test]
fn recursion_counts_the_outermost_call_only() {
    let traced = Traced::new();
    for _ in 0..10 {
        descend(5);
    }
    let (outer, inner) = (traced.timings("descend"), traced.timings("descend/ascend"));
    assert_eq!((outer["count"], inner["count"]), (10.0, 10.0));
    assert!(outer["total"] > inner["total"] && outer["total"] >= 10.0 * 6.0 * 20e-6, "{outer:?} {inner:?}");
    assert_eq!(traced.under("timing").len(), 2 * 6);
}

#[instrument(skip_all)]
async fn load_batch(polls: u32) {
    for _ in 0..polls {
        work(Duration::from_micros(100));
        yield_now().await;
        // What passes here is not in the span: the thread does something else.
    }
}

#[test]
fn a_future_that_awaits_is_one_call_with_its_busy_and_idle_time() {
    let traced = Traced::new();
    // Some that are ready at once, some that await, and some that await more often than is held back.
    for round in 0..10 {
        for polls in [1, 0, 3, 40] {
            run_on_many_threads(load_batch(polls));
        }
        if round == 0 {
            assert!(traced.timings("load_batch")["count"] < 10.0, "44 polls and 4 drops are 4 calls");
        }
    }
    let timings = traced.timings("load_batch");
    // What a future is is known by how quickly it ends: a thread that is interrupted just then may make it look otherwise.
    assert!((40.0..50.0).contains(&timings["count"]), "{timings:?}");
    assert!((10e-4..22e-4).contains(&timings["busy"]), "{timings:?}");
    assert!(timings["idle"] > 0.0, "starting a thread for each poll takes time: {timings:?}");
    assert!((timings["mean"] - timings["busy"] - timings["idle"]).abs() < 1e-9, "{timings:?}");
    assert_eq!(traced.under("timing").len(), 8);
}

#[test]
fn what_a_future_logs_has_the_step_of_its_span_on_every_thread() {
    let traced = Traced::new();
    let step = info_span!("step", step = 12, split = "train");
    run_on_many_threads(
        async {
            info!(metric.loss = 1.0);
            yield_now().await;
            let inner = info_span!("inner");
            inner.in_scope(|| info!(metric.inner = 2.0));
        }
        .instrument(step),
    );
    assert_eq!(traced.points("train/loss"), [(12.0, 1.0)]);
    assert_eq!(traced.points("train/inner"), [(12.0, 2.0)]);
    assert_eq!(traced.timings("step/inner")["count"], 1.0, "where it was created, not on which thread");
}

#[test]
fn a_span_that_many_threads_enter_at_once_counts_each_of_them() {
    let traced = Traced::new();
    let span = info_span!("work");
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let _installed = tracing::dispatcher::set_default(&dispatch);
                for _ in 0..500 {
                    span.in_scope(|| work(Duration::from_micros(2)));
                }
            });
        }
    });
    work(Duration::from_micros(100));
    drop(span);
    let timings = traced.timings("work");
    assert_eq!(timings["count"], 2_000.0);
    assert!(timings["total"] >= 2_000.0 * 2e-6, "{timings:?}");
    assert!(traced.stop().is_empty());
}

#[test]
fn a_span_that_threads_enter_at_once_is_no_future_however_it_ends() {
    let traced = Traced::new();
    let span = info_span!("work");
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let together = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let _installed = tracing::dispatcher::set_default(&dispatch);
                together.wait();
                span.in_scope(|| work(Duration::from_millis(2)));
            });
        }
    });
    span.in_scope(|| ());
    drop(span);
    assert_eq!(traced.timings("work")["count"], 5.0);
}

#[test]
fn timings_come_from_every_thread_those_that_have_ended_too() {
    let traced = Traced::new();
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let _installed = tracing::dispatcher::set_default(&dispatch);
                    for _ in 0..1_000 {
                        let _span = info_span!("load").entered();
                    }
                });
            }
        });
        traced.timings("load");
    }
    assert_eq!(traced.timings("load")["count"], 12_000.0);
    assert!(traced.stop().is_empty());
}

#[test]
fn each_timing_is_logged_where_that_is_asked_for() {
    let raw = Targets::new().with_target("e2e", LevelFilter::INFO);
    let traced = Traced::with(|builder| builder.raw_timings(raw));
    for step in 0..20 {
        let _step = info_span!("step", step).entered();
        work(Duration::from_micros(10));
    }
    let samples = traced.points("timing/step/samples");
    assert_eq!(samples.len(), 20);
    assert!(samples.iter().all(|(_, seconds)| *seconds >= 10e-6), "{samples:?}");
    let total: f64 = samples.iter().map(|(_, seconds)| seconds).sum();
    assert!((total - traced.timings("step")["total"]).abs() < 1e-6);
}

#[test]
fn spans_that_nobody_asked_for_are_not_timed() {
    let traced = Traced::with(|builder| builder.timings(Targets::new().with_target("mine", LevelFilter::INFO)));
    info_span!("other").in_scope(|| ());
    info_span!(target: "mine", "wanted").in_scope(|| ());
    trace_span!(target: "mine", "too fine").in_scope(|| ());
    assert_eq!(traced.timings("wanted")["count"], 1.0);
    assert_eq!(traced.under("timing").len(), 6);
}

#[test]
fn a_span_that_a_panic_leaves_is_timed_like_any_other() {
    let traced = Traced::new();
    for _ in 0..5 {
        let outcome = std::panic::catch_unwind(|| {
            let _step = info_span!("step", step = 3).entered();
            let _inner = info_span!("inner").entered();
            assert!(std::hint::black_box(false), "the loss is NaN");
        });
        assert!(outcome.is_err());
    }
    info!(metric.after = 1.0);
    assert_eq!(traced.points("after"), [(0.0, 1.0)], "the step of the span that was left is gone");
    assert_eq!(traced.timings("step")["count"], 5.0);
    assert_eq!(traced.timings("step/inner")["count"], 5.0);
}

#[test]
fn any_name_of_a_span_is_a_place() {
    let traced = Traced::new();
    info_span!("GET /train").in_scope(|| ());
    info_span!("").in_scope(|| ());
    assert_eq!(traced.timings("GET _train")["count"], 1.0);
    assert_eq!(traced.timings("_")["count"], 1.0);
}

#[test]
fn timings_come_as_one_point_for_each_window() {
    let traced = Traced::with(|builder| builder.timing_window(Duration::from_secs(1)));
    let began = neptune_core::stopwatch::ticks();
    let mut spans = 0.0;
    while neptune_core::stopwatch::nanos(neptune_core::stopwatch::ticks() - began) < 3_500_000_000 {
        let _span = info_span!("work").entered();
        spans += 1.0;
        work(Duration::from_micros(300));
    }
    let before = traced.points("timing/work/count");
    assert!(before.len() >= 2, "written while the program runs: {before:?}");
    assert_eq!(traced.timings("work")["count"], spans);
}
