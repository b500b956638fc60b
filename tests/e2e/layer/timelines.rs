//! The spans of some steps are kept whole.

use std::time::Duration;

use serde_json::Value;
use tracing::{info_span, instrument};

use super::{Traced, work};

#[instrument(skip_all)]
fn forward() {
    work(Duration::from_micros(300));
}

#[instrument(skip_all)]
fn backward() {
    work(Duration::from_micros(500));
}

fn train(step: u64) {
    let _step = info_span!("train_step", step).entered();
    forward();
    backward();
    if step == 7 {
        work(Duration::from_millis(20));
    }
}

fn kept(traced: &Traced) -> Vec<(f64, Value)> {
    traced.experiment.flush(Duration::from_secs(10)).unwrap();
    let steps = traced.experiment.series::<String>("monitoring/steps/train_step").unwrap().all().unwrap_or_default();
    steps.into_iter().map(|point| (point.step, serde_json::from_str(&point.value).unwrap())).collect()
}

#[test]
fn every_nth_step_and_the_slowest_are_kept_with_their_spans() {
    let traced = Traced::with(|builder| builder.keep_every_step(5));
    for step in 0..12 {
        train(step);
    }
    let kept = kept(&traced);
    let steps: Vec<f64> = kept.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [0.0, 5.0, 7.0, 10.0], "every fifth, and the slowest");
    let (_, slowest) = &kept[2];
    assert!(slowest["otherData"]["seconds"].as_f64().unwrap() > 0.02);
    let spans: Vec<_> = slowest["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").collect();
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["train_step", "forward", "backward"], "of this step only, in order");
    assert_eq!(spans[2]["cat"], "train_step/backward");
    assert_eq!(slowest["otherData"]["isWhole"], true);
    let end = |span: &Value| span["ts"].as_f64().unwrap() + span["dur"].as_f64().unwrap();
    assert!(spans[1]["dur"].as_f64().unwrap() >= 300.0);
    assert!(end(spans[1]) <= spans[2]["ts"].as_f64().unwrap(), "one behind the other");
    assert!(end(spans[2]) <= end(spans[0]), "inside the step");
}

#[test]
fn the_steps_of_a_fast_loop_are_kept_whole_long_before_anybody_looks() {
    let traced = Traced::with(|builder| builder.keep_every_step(1_000));
    for step in 0..5_500 {
        let _step = info_span!("train_step", step).entered();
        info_span!("inner").in_scope(|| {
            if step == 1_234 {
                work(Duration::from_millis(100));
            }
        });
    }
    let kept = kept(&traced);
    let steps: Vec<f64> = kept.iter().map(|(step, _)| *step).collect();
    assert!(steps.len() >= 7 && steps.contains(&1_234.0) && steps.contains(&5_000.0), "{steps:?}");
    for (step, timeline) in kept {
        let drawn = timeline["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").count();
        assert_eq!((drawn, &timeline["otherData"]["isWhole"]), (2, &Value::Bool(true)), "step {step}");
    }
}

#[test]
fn what_other_threads_do_during_a_step_is_in_its_picture() {
    let traced = Traced::with(|builder| builder.keep_every_step(1));
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    {
        let _step = info_span!("train_step", step = 1).entered();
        let load = || {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            info_span!("load").in_scope(|| work(Duration::from_micros(500)));
        };
        let loader = std::thread::Builder::new().name("loader".into());
        std::thread::scope(|scope| drop(loader.spawn_scoped(scope, load).unwrap().join()));
    }
    let kept = kept(&traced);
    let events = kept[0].1["traceEvents"].as_array().unwrap();
    let threads: Vec<_> = events.iter().filter_map(|event| event["args"]["name"].as_str()).collect();
    assert!(threads.contains(&"loader"), "{threads:?}");
    let load = events.iter().find(|event| event["name"] == "load").unwrap();
    let step = events.iter().find(|event| event["name"] == "train_step").unwrap();
    assert_ne!(load["tid"], step["tid"]);
}

#[test]
fn the_first_step_is_whole_and_one_of_which_something_is_gone_says_so() {
    for (spans, is_whole) in [(1_000, true), (6_000, false)] {
        let traced = Traced::with(|builder| builder.keep_every_step(1));
        {
            let _step = info_span!("train_step", step = 0).entered();
            for _ in 0..spans {
                info_span!("inner").in_scope(|| ());
            }
        }
        let kept = kept(&traced);
        let (_, first) = &kept[0];
        assert_eq!(first["otherData"]["isWhole"], is_whole, "{spans} spans");
        let drawn = first["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").count();
        assert!(if is_whole { drawn == spans + 1 } else { drawn >= 1_000 }, "{drawn} of {spans}");
    }
}

#[test]
fn a_thread_that_ended_during_a_long_step_is_in_its_picture() {
    let traced = Traced::with(|builder| builder.keep_every_step(1));
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    {
        let _step = info_span!("train_step", step = 1).entered();
        let load = || {
            let _installed = tracing::dispatcher::set_default(&dispatch);
            info_span!("load").in_scope(|| work(Duration::from_micros(500)));
        };
        std::thread::scope(|scope| drop(scope.spawn(load).join()));
        // The thread is looked at, and found gone, before the step is done.
        neptune_tests::pause(Duration::from_millis(1_300));
    }
    let kept = kept(&traced);
    let step = &kept[0].1;
    assert_eq!(step["otherData"]["isWhole"], true);
    assert!(step["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == "load"), "{step}");
}

#[test]
fn no_step_is_kept_where_none_is_wanted() {
    let traced = Traced::with(|builder| builder.keep_every_step(0));
    for step in 0..12 {
        train(step);
    }
    assert_eq!(kept(&traced), []);
    assert_eq!(traced.timings("train_step")["count"], 12.0);
}
