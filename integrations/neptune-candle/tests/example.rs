//! The example `candle_digits`, run as a user runs it: killed and resumed, and aborted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use neptune_core::store::{
    Store,
    read::{ExperimentKey, VariableValue},
};
use neptune_tests::{Folder, Trainer, wait_for};

/// The number at `path`, once it is there.
fn number(store: &Store, key: &ExperimentKey, path: &str) -> Option<f64> {
    match store.variable(key, path).ok()?.value {
        VariableValue::Atom(value) => value.as_f64(),
        _ => None,
    }
}

fn text(store: &Store, key: &ExperimentKey, path: &str) -> String {
    match store.variable(key, path).unwrap().value {
        VariableValue::Atom(value) => value.as_str().unwrap().to_owned(),
        other => panic!("{path} is {other:?}"),
    }
}

/// Starts the example and waits until it has a checkpoint of this step or a later one.
fn started_and_at(folder: &Folder, step: f64) -> (Trainer, Store, ExperimentKey) {
    let trainer = Trainer::example("candle_digits", [] as [&str; 0], folder);
    let key = folder.started_experiment();
    let store = folder.store();
    wait_for("a checkpoint", || number(&store, &key, "checkpoints/latest").filter(|latest| *latest >= step));
    (trainer, store, key)
}

#[test]
fn killed_and_started_again_it_goes_on_in_one_continuous_curve_and_succeeds() {
    let folder = Folder::new();
    let (trainer, store, key) = started_and_at(&folder, 90.0);
    trainer.kill();
    let before = number(&store, &key, "checkpoints/latest").unwrap();
    assert!(Trainer::example("candle_digits", [&key.short_id], &folder).wait().success());
    assert_eq!(text(&store, &key, "sys/state"), "succeeded");
    assert!(number(&store, &key, "checkpoints/latest").unwrap() > before, "it went on");
    for path in ["train/loss", "train/learning_rate"] {
        let points = store.series(&key, path, f64::NEG_INFINITY..=f64::INFINITY).unwrap();
        let whole: Vec<f64> = (0..).map(f64::from).take(points.steps.len()).collect();
        assert_eq!(points.steps, whole, "{path} has a gap");
        assert!(points.steps.len() > 300, "{path}: {}", points.steps.len());
    }
    let loss = store.series(&key, "train/loss", f64::NEG_INFINITY..=f64::INFINITY).unwrap();
    let losses = loss.values.as_floats().unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean(&losses[losses.len() - 50..]) < 0.2 * mean(&losses[..20]), "it learned");
    let kinds: Vec<String> = store.variables(&key, "").unwrap().iter().map(|found| found.kind.to_string()).collect();
    for kind in ["Series(image)", "Series(histogram)", "Atom(file)"] {
        assert!(kinds.iter().any(|found| found == kind), "nothing of {kind} was logged");
    }
    assert!(folder.files(".pam").is_empty(), "all images are encoded");
}

#[test]
fn asked_from_outside_it_ends_aborted() {
    let folder = Folder::new();
    let (trainer, store, key) = started_and_at(&folder, 1.0);
    assert_eq!(folder.session().request_abort(&key.short_id, "enough seen").unwrap(), 1);
    assert!(trainer.wait().success());
    assert_eq!(text(&store, &key, "sys/state"), "aborted");
    assert_eq!(text(&store, &key, "sys/failure"), "enough seen");
}
