//! Events become points, parameters, properties, tags and text.

use std::time::Duration;

use neptune_core::AtomValue;
use tracing::{Level, info, info_span, trace};
use tracing_core::LevelFilter;
use tracing_subscriber::prelude::*;

use super::{Traced, points};

#[test]
fn fields_that_say_so_become_points_at_the_step_of_the_event() {
    let traced = Traced::new();
    info!(metric.train.loss = 0.5, metric.train.accuracy = 0.9_f32, step = 3, "an epoch");
    info!(metric.train.loss = 0.25, step = 4_u8);
    info!(loss = 0.1, "not for us");
    assert_eq!(traced.points("train/loss"), [(3.0, 0.5), (4.0, 0.25)]);
    assert_eq!(traced.points("train/accuracy"), [(3.0, f64::from(0.9_f32))]);
    assert_eq!(traced.under("").iter().filter(|path| path.contains("loss")).count(), 1);
    assert!(traced.stop().is_empty());
}

#[test]
fn without_a_step_each_series_counts_on() {
    let traced = Traced::new();
    for value in [0.5, 0.25] {
        info!(metric.loss = value, metric.rate = 0.1);
    }
    assert_eq!(traced.points("loss"), [(0.0, 0.5), (1.0, 0.25)]);
    assert_eq!(traced.points("rate"), [(0.0, 0.1), (1.0, 0.1)]);
}

#[test]
fn every_kind_of_number_is_taken_by_every_kind_of_metric() {
    let traced = Traced::new();
    macro_rules! all {
        ($($prefix:ident),*) => {$(
            info!($prefix.float = 1.5, step = 0);
            info!($prefix.float32 = 1.5_f32, step = 0);
            info!($prefix.signed = -2_i64, step = 0);
            info!($prefix.literal = 2, step = 0);
            info!($prefix.unsigned = 3_u64, step = 0);
            info!($prefix.wide = -170_141_183_460_469_231_731_687_303_715_884_105_728_i128, step = 0);
            info!($prefix.wide_unsigned = Duration::from_millis(1_250).as_millis(), step = 0);
            info!($prefix.yes = true, step = 0);
            info!($prefix.took = ?Duration::from_micros(1_500), step = 0);
            info!($prefix.printed = %0.125, step = 0);
        )*};
    }
    all!(metric, counter, monotonic_counter, histogram, gauge);
    let expected = [
        ("float", 1.5),
        ("float32", 1.5),
        ("signed", -2.0),
        ("literal", 2.0),
        ("unsigned", 3.0),
        ("wide", -(2.0_f64.powi(127))),
        ("wide_unsigned", 1_250.0),
        ("yes", 1.0),
        ("took", 0.0015),
        ("printed", 0.125),
    ];
    for (path, value) in expected {
        // Five events wrote the same point.
        assert_eq!(traced.points(path), [(0.0, value)], "{path}");
    }
    assert!(traced.stop().is_empty());
}

#[test]
fn nan_and_infinities_are_values() {
    let traced = Traced::new();
    for value in [f64::NAN, f64::INFINITY, 1.0] {
        info!(metric.loss = value);
    }
    let values: Vec<f64> = traced.points("loss").into_iter().map(|(_, value)| value).collect();
    assert!(values[0].is_nan() && values[1] == f64::INFINITY && values[2] == 1.0, "{values:?}");
    assert!(traced.stop().is_empty());
}

#[test]
fn parameters_properties_tags_and_text_go_where_they_belong() {
    let traced = Traced::new();
    info!(param.lr = 0.1, param.model.layers = 12, param.cosine = true, param.name = "resnet", param.device = %"cpu");
    info!(property.host = "gpu-7", property.cores = 64, tag = "baseline", text.sample = "once upon a time", step = 7);
    info!(tag = "long", text.sample = ?["a", "b"], step = 8);
    let experiment = &traced.experiment;
    let read = |path: &str| experiment.atom(path).read().unwrap();
    assert_eq!(read("parameters/lr"), AtomValue::Float(0.1));
    assert_eq!(read("parameters/model/layers"), AtomValue::Int(12));
    assert_eq!(read("parameters/cosine"), AtomValue::Bool(true));
    assert_eq!(read("parameters/name"), AtomValue::String("resnet".into()));
    assert_eq!(read("parameters/device"), AtomValue::String("cpu".into()));
    assert_eq!(read("properties/host"), AtomValue::String("gpu-7".into()));
    assert_eq!(read("properties/cores"), AtomValue::String("64".into()));
    assert_eq!(experiment.set("sys/tags").get().unwrap().into_iter().collect::<Vec<_>>(), ["baseline", "long"]);
    let samples = experiment.series::<String>("sample").unwrap().all().unwrap();
    let samples: Vec<_> = samples.iter().map(|point| (point.step, point.value.as_str())).collect();
    assert_eq!(samples, [(7.0, "once upon a time"), (8.0, "[\"a\", \"b\"]")]);
    assert!(traced.stop().is_empty());
}

#[test]
fn a_metric_may_be_named_as_it_comes() {
    let traced = Traced::new();
    for layer in 0..3 {
        let name = format!("grad_norm.layer{layer}");
        info!(metric.name = %name, metric.value = f64::from(layer), step = 5);
    }
    info!(metric.name = "plain", metric.value = 1);
    info!(metric.value = 9.0, "a metric that is called value");
    assert_eq!(traced.points("grad_norm/layer2"), [(5.0, 2.0)]);
    assert_eq!(traced.points("plain"), [(0.0, 1.0)]);
    assert_eq!(traced.points("value"), [(0.0, 9.0)]);
    assert!(traced.stop().is_empty());
}

#[test]
fn a_split_is_the_namespace_of_what_is_logged_in_it() {
    let traced = Traced::new();
    for split in ["train", "valid", "train"] {
        info!(metric.loss = 0.5, split);
    }
    info!(split = "train", metric.train.loss = 0.25);
    let valid = info_span!("validate", split = "valid").entered();
    info!(metric.loss = 0.75, metric.name = "accuracy", metric.value = 0.5);
    drop(valid);
    assert_eq!(traced.points("train/loss"), [(0.0, 0.5), (1.0, 0.5), (2.0, 0.25)]);
    assert_eq!(traced.points("valid/loss"), [(0.0, 0.5), (1.0, 0.75)]);
    assert_eq!(traced.points("valid/accuracy"), [(0.0, 0.5)]);
    assert!(traced.stop().is_empty());
}

#[test]
fn an_epoch_is_the_step_where_no_step_is_known_and_is_noted_where_one_is() {
    let traced = Traced::new();
    for epoch in 0..2 {
        let _epoch = info_span!("epoch", epoch).entered();
        for batch in 0..3 {
            info!(metric.loss = 0.5, step = epoch * 3 + batch);
        }
        info!(metric.accuracy = 0.9);
    }
    assert_eq!(traced.points("accuracy"), [(0.0, 0.9), (1.0, 0.9)]);
    assert_eq!(traced.points("loss").len(), 6);
    assert_eq!(traced.points("epoch"), [(0.0, 0.0), (3.0, 1.0)], "at which step each epoch began");
}

#[test]
fn numbers_of_a_named_target_are_metrics_without_saying_so() {
    let traced = Traced::with(|builder| builder.metrics_from("trainer::stats"));
    info!(target: "trainer::stats", loss = 0.5, grad.norm = 2, note = "fine", took = ?Duration::from_millis(5), step = 1, "...");
    info!(target: "trainer::stats::deep", loss = 0.25, step = 2);
    info!(target: "trainer::statsman", loss = 9.0, step = 3);
    info!(target: "trainer", loss = 9.0, step = 4);
    assert_eq!(traced.points("loss"), [(1.0, 0.5), (2.0, 0.25)]);
    assert_eq!(traced.points("grad/norm"), [(1.0, 2.0)]);
    assert_eq!(traced.points("took"), [(1.0, 0.005)]);
    assert!(!traced.under("").contains(&"note".to_owned()));
    assert!(traced.stop().is_empty(), "text is ignored there, not refused");
}

#[test]
fn a_callsite_of_32_fields_logs_them_all() {
    let traced = Traced::new();
    macro_rules! event {
        ($($name:ident)*) => { info!($(metric.$name = 1.0,)* step = 6) };
    }
    event!(a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee);
    for name in ["a", "p", "ee"] {
        assert_eq!(traced.points(name), [(6.0, 1.0)], "{name}");
    }
    assert_eq!(traced.under("").iter().filter(|path| !path.contains('/')).count(), 31);
}

#[test]
fn a_callsite_of_more_fields_than_that_logs_them_all_too() {
    let traced = Traced::new();
    macro_rules! event {
        ($($name:ident)*) => { info!($(metric.$name = 1.0,)* step = 6) };
    }
    event!(a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh ii jj kk);
    for name in ["a", "ee", "ff", "gg", "kk"] {
        assert_eq!(traced.points(name), [(6.0, 1.0)], "{name}");
    }
    assert!(traced.stop().is_empty());
}

#[test]
fn a_callsite_that_several_threads_reach_first_at_once_loses_nothing() {
    use super::callsites::event_with;
    const ROUNDS: usize = 300;
    let traced = Traced::new();
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let together = std::sync::Barrier::new(2);
    for round in 0..ROUNDS {
        let metadata = event_with(format!("metric.m{round}"), false);
        let log = || {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            let fields = metadata.fields();
            let metric = fields.iter().next().unwrap();
            together.wait();
            // What `info!` does, with a callsite that was not registered before.
            if super::callsites::is_enabled(metadata) {
                tracing_core::Event::dispatch(
                    metadata,
                    &fields.value_set(&[(&metric, Some(&1.0 as &dyn tracing::Value))]),
                );
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(log);
            scope.spawn(log);
        });
    }
    let count: usize = (0..ROUNDS).map(|round| traced.points(&format!("m{round}")).len()).sum();
    assert_eq!(count, 2 * ROUNDS);
}

#[test]
fn strings_that_are_printed_in_quotes_are_themselves() {
    let traced = Traced::new();
    let name = String::from("acc");
    info!(split = ?"test", metric.loss = 1.0, tag = ?"baseline", param.opt = ?"adam");
    info!(metric.name = ?name, metric.value = 2.0);
    assert_eq!(traced.points("test/loss").len(), 1);
    assert_eq!(traced.points("acc").len(), 1);
    info!(text.said = "\"yes\\n\"");
    assert_eq!(traced.lines("said"), ["\"yes\\n\""], "a string that is given as one is not touched");
    assert_eq!(traced.experiment.atom("parameters/opt").read().unwrap(), AtomValue::String("adam".into()));
    assert_eq!(traced.experiment.set("sys/tags").get().unwrap().into_iter().collect::<Vec<_>>(), ["baseline"]);
}

#[test]
fn an_explicit_parent_gives_the_event_its_place() {
    let traced = Traced::new();
    // Another layer keeps spans that we do not.
    let ours = neptune_tracing::builder().experiment(&traced.experiment).layer();
    let _installed = tracing_subscriber::registry().with(Seen::default()).with(ours).set_default();
    let step = info_span!("step", step = 3);
    let _elsewhere = info_span!("elsewhere", step = 9).entered();
    let unknown = tracing::debug_span!("unknown");
    info!(parent: &step, metric.loss = 1.0);
    info!(parent: &unknown, metric.loss = 2.0);
    tracing::warn!(parent: &step, "in the step");
    tracing::warn!(parent: None, "nowhere");
    assert_eq!(traced.points("loss"), [(3.0, 1.0), (9.0, 2.0)]);
    let lines = traced.lines("monitoring/log");
    assert!(lines[0].ends_with("in the step (in step)") && lines[1].ends_with(": nowhere"), "{lines:?}");
}

#[test]
fn metrics_count_at_every_level_and_other_layers_see_what_they_saw_before() {
    let folder = neptune_tests::Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let seen = Seen::default();
    let env = tracing_subscriber::EnvFilter::new("warn,wanted=debug");
    let _installed = tracing_subscriber::registry()
        .with(seen.clone().with_filter(env))
        .with(neptune_tracing::layer(&experiment))
        .set_default();
    trace!(metric.loss = 1.0);
    info!("for nobody");
    tracing::event!(target: "wanted", Level::DEBUG, metric.loss = 2.0, "for both");
    tracing::event!(Level::WARN, "for both as well");
    assert_eq!(*seen.0.lock().unwrap(), ["for both", "for both as well"]);
    assert_eq!(points(&experiment, "loss"), [(0.0, 1.0), (1.0, 2.0)]);
    assert_eq!(super::lines(&experiment, "monitoring/log").len(), 1);
    experiment.stop().unwrap();
}

/// A layer that notes the messages it sees.
#[derive(Clone, Default)]
struct Seen(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }
}

#[test]
fn warnings_become_lines_with_level_target_and_span() {
    let traced = Traced::new();
    let _train = info_span!("train").entered();
    let _step = info_span!("step").entered();
    tracing::warn!(target: "trainer::data", batch = 7, "a batch is empty");
    info!("not a warning");
    tracing::error!(metric.loss = 1.0, "it {} down", "went");
    tracing::error!(metric.loss = 2.0);
    tracing::error!(error = "no message", metric.loss = 3.0);
    assert_eq!(
        traced.lines("monitoring/log"),
        [
            "WARN trainer::data: a batch is empty batch=7 (in train/step)",
            "ERROR e2e::layer::events: it went down metric.loss=1.0 (in train/step)",
            "ERROR e2e::layer::events: error=\"no message\" metric.loss=3.0 (in train/step)",
        ],
        "and what only carries values is no line"
    );
    assert_eq!(traced.points("loss").len(), 3);
}

#[test]
fn records_of_the_log_crate_become_lines_under_their_own_target() {
    // The logger of the `log` crate is global; each test has a process of its own.
    tracing_log::LogTracer::init().unwrap();
    let traced = Traced::with(|builder| builder.log_level(LevelFilter::INFO));
    log::warn!(target: "some_library", "a {} warning", "plain");
    log::info!("an info");
    log::debug!("not wanted");
    assert_eq!(
        traced.lines("monitoring/log"),
        ["WARN some_library: a plain warning", "INFO e2e::layer::events: an info"]
    );
}

#[test]
fn what_is_logged_after_the_end_hurts_nobody() {
    let traced = Traced::new();
    info!(metric.loss = 1.0);
    let Traced { folder, experiment, _installed } = traced;
    let handle = experiment.handle();
    experiment.stop().unwrap();
    for _ in 0..100 {
        info!(metric.loss = 2.0, metric.other = 3.0);
        tracing::warn!("too late");
        let _span = info_span!("late").entered();
    }
    assert!(handle.has_ended());
    assert_eq!(folder.series("loss").len(), 1);
}
