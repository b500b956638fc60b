//! What cannot become a metric is said once for its place, counted, and hurts nothing else.

use std::fmt;

use neptune_core::LostReason;
use tracing::info;

use super::Traced;

#[test]
fn a_metric_that_is_given_text_is_reported_once_with_its_place() {
    let traced = Traced::new();
    let mut line = 0;
    for step in 0..50 {
        line = line!() + 1;
        info!(metric.loss = "a lot", metric.rate = 0.1, step);
    }
    assert_eq!(traced.points("rate").len(), 50, "the rest of the event is kept");
    let lines = traced.lines("monitoring/log");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let expected = format!("refused.rs:{line}: field \"metric.loss\" was given \"a lot\"; a metric takes numbers");
    assert!(lines[0].ends_with(&expected), "{lines:?}");
    let lost = traced.stop();
    assert_eq!((lost.count(LostReason::NotANumber), lost.total()), (50, 50));
}

#[test]
fn what_prints_as_no_number_is_reported_and_what_prints_long_is_no_trouble() {
    let traced = Traced::new();
    info!(metric.loss = ?Some(1.0));
    info!(metric.loss = %"x".repeat(100_000));
    info!(metric.name = "loss", metric.value = "none");
    assert_eq!(traced.lines("monitoring/log").len(), 3);
    assert!(traced.lines("monitoring/log").iter().all(|line| line.len() < 300));
    assert_eq!(traced.stop().count(LostReason::NotANumber), 3);
}

#[test]
fn a_step_that_is_no_number_is_reported_and_the_point_is_kept() {
    let traced = Traced::new();
    for _ in 0..3 {
        info!(metric.loss = 0.5, step = "three");
    }
    info!(metric.loss = 0.25, step = f64::NAN);
    info!(metric.loss = 0.125, epoch = f64::INFINITY);
    assert_eq!(traced.points("loss").len(), 5);
    let lines = traced.lines("monitoring/log");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains("\"step\" was given \"three\"; a step is a finite number"), "{lines:?}");
    assert_eq!(traced.stop().count(LostReason::InvalidStep), 5);
}

#[test]
fn a_name_that_is_no_path_is_reported_once_with_its_place() {
    let traced = Traced::new();
    for _ in 0..3 {
        info!("metric." = 1.0, metric.good = 1.0);
        info!("metric.a..b" = 1.0);
        info!("param." = 1.0);
        info!(metric.name = "", metric.value = 1.0);
        info!(metric.loss = 1.0, split = "a//b");
    }
    assert_eq!(traced.points("good").len(), 3);
    assert_eq!(traced.points("loss").len(), 3, "a bad split does not take the point with it");
    let lines = traced.lines("monitoring/log");
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("refused.rs:")), "{lines:#?}");
    assert_eq!(traced.stop().count(LostReason::InvalidPath), 15);
}

#[test]
fn a_metric_whose_path_has_another_type_is_refused_by_itself() {
    let traced = Traced::new();
    traced.experiment.atom("note").assign("text");
    for step in 0..10 {
        info!(metric.note = 1.0, metric.loss = 0.5, step);
        info!(text.loss = "no text here");
    }
    assert_eq!(traced.points("loss").len(), 10);
    let lines = traced.lines("monitoring/log");
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("note"), "{lines:#?}");
    assert_eq!(traced.stop().count(LostReason::TypeConflict), 20);
}

#[test]
fn a_parameter_that_changes_is_counted() {
    let traced = Traced::new();
    info!(param.lr = 0.1);
    info!(param.lr = 0.1);
    info!(param.lr = 0.2);
    assert_eq!(traced.experiment.atom("parameters/lr").read().unwrap(), 0.1.into());
    let lines = traced.lines("monitoring/log");
    assert!(lines.len() == 1 && lines[0].contains("refused.rs:"), "{lines:?}");
    assert_eq!(traced.stop().count(LostReason::Immutable), 1);
}

#[test]
fn a_text_that_is_too_long_is_cut_and_said() {
    let traced = Traced::new();
    info!(text.dump = "x".repeat(2 << 20));
    let lines = traced.lines("dump");
    assert!(lines[0].len() > 1_000_000 && lines[0].ends_with("... (cut)"), "{} bytes", lines[0].len());
    assert!(traced.lines("monitoring/log")[0].contains("refused.rs:"));
    assert!(traced.stop().is_empty());
}

/// Cannot be printed.
struct Fails;

impl fmt::Debug for Fails {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn a_value_that_cannot_be_printed_does_not_hurt_the_trainer() {
    let traced = Traced::new();
    info!(metric.loss = ?Fails, tag = ?Fails, split = ?Fails, text.note = ?Fails, param.p = ?Fails);
    tracing::warn!(value = ?Fails, "a warning");
    info!(metric.loss = 0.5);
    assert_eq!(traced.points("loss").len(), 1);
}

/// Prints by logging, as nobody should.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(metric.inner = 1.0);
        let _span = tracing::info_span!("inner").entered();
        f.write_str("0.5")
    }
}

#[test]
fn a_value_that_logs_while_it_is_printed_does_not_recurse() {
    let traced = Traced::new();
    info!(metric.outer = ?Logs, step = 1);
    info!(metric.outer = 0.75, step = 2);
    assert_eq!(traced.points("outer"), [(1.0, 0.5), (2.0, 0.75)]);
    traced.stop();
}
