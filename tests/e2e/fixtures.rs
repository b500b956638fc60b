//! What every version wrote opens forever (guarantee G6).
//!
//! Each folder `tests/fixtures/vN` was written once, by that version, and is never made again: see its `README.md`.

use std::path::{Path, PathBuf};

use neptune_core::{
    AtomValue, ExperimentBuilder, LostReason, Mode, Timestamp,
    store::{Store, Values, read::ExperimentKey, read::VariableValue},
};
use neptune_tests::{Folder, copy};

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(version)
}

/// What the experiments of a fixture hold: one that is in the store, and one that nobody drained.
fn log(builder: ExperimentBuilder) -> neptune_core::Experiment {
    let experiment = builder
        .name("a fixture")
        .params(&serde_json::json!({ "rate": 0.1, "layers": [64, 32], "optimizer": { "name": "sgd" } }))
        .property("note", "kept")
        .tags(["cnn", "rnn"])
        .start()
        .unwrap();
    let loss = experiment.series::<f32>("train/loss").unwrap();
    for step in 0..3_000_u32 {
        loss.append_with(step, Timestamp::from_micros(1_700_000_000_000_000 + i64::from(step) * 200), value(step));
    }
    let odd = experiment.series::<f64>("odd").unwrap();
    for (step, value) in odd_points() {
        odd.append_with(step, Timestamp::from_micros(-5), value);
    }
    experiment.log_text_at("notes", 2, "text \u{e4}\n");
    experiment.atom("whole").assign(i64::MIN);
    experiment.atom("when").assign(Timestamp::from_micros(7));
    experiment.log_metric("skipped", f64::NAN);
    experiment
}

#[expect(clippy::cast_precision_loss, reason = "a curve")]
fn value(step: u32) -> f32 {
    1.0 / (1.0 + step as f32 / 1_000.0)
}

fn odd_points() -> [(f64, f64); 4] {
    [(-1.5, f64::INFINITY), (0.25, -0.0), (0.5, 1e300), (1e12, 0.1)]
}

fn assert_logged(store: &Store, key: &ExperimentKey) {
    let all = f64::NEG_INFINITY..=f64::INFINITY;
    let loss = store.series(key, "train/loss", all.clone()).unwrap();
    let Values::Float(values) = &loss.values else { panic!("not numbers") };
    assert_eq!(values.len(), 3_000);
    assert!((0..3_000_u32).zip(values).all(|(step, stored)| *stored == f64::from(value(step))));
    assert_eq!(loss.times[2_999], 1_700_000_000_000_000 + 2_999 * 200);
    let odd = store.series(key, "odd", all.clone()).unwrap();
    let (steps, values): (Vec<f64>, Vec<f64>) = odd_points().into_iter().unzip();
    assert_eq!((odd.steps, odd.values), (steps, Values::Float(values)));
    let notes = store.series(key, "logs/notes", all).unwrap();
    assert_eq!(notes.values, Values::Text(vec!["text \u{e4}\n".into()]));
    let atom = |path: &str| match store.variable(key, path).unwrap().value {
        VariableValue::Atom(value) => value,
        other => panic!("{path} is {other:?}"),
    };
    assert_eq!(atom("parameters/rate"), AtomValue::Float(0.1));
    assert_eq!(atom("parameters/layers"), AtomValue::Json("[64,32]".into()));
    assert_eq!(atom("parameters/optimizer/name"), AtomValue::String("sgd".into()));
    assert_eq!(atom("properties/note"), AtomValue::String("kept".into()));
    assert_eq!(atom("whole"), AtomValue::Int(i64::MIN));
    assert_eq!(atom("when"), AtomValue::Datetime(Timestamp::from_micros(7)));
    assert_eq!(atom("sys/state"), AtomValue::String("succeeded".into()));
    let tags = store.variable(key, "sys/tags").unwrap().value;
    assert_eq!(tags, VariableValue::Set(vec!["cnn".into(), "rnn".into()]));
    assert_eq!(store.lost(key).unwrap().count(LostReason::NotFinite), 1);
}

#[test]
fn what_version_1_wrote_opens() {
    let folder = Folder::new();
    copy(&fixture("v1"), folder.path());
    let session = folder.session();
    session.recover(|_| ()).unwrap();
    let store = folder.store();
    for id in ["E2E-1", "E2E-2"] {
        assert_logged(&store, &store.find(id).unwrap());
    }
}

/// What the fixture of this version is made with. A release writes it to a folder that `NEPTUNE_FIXTURE` names.
#[test]
fn a_fixture_holds_what_is_logged_now() {
    let folder = Folder::new();
    log(folder.session().experiment()).stop().unwrap();
    let offline = folder.builder().mode(Mode::Offline).segment_bytes(64 << 10).open().unwrap();
    log(offline.experiment().stop_deadline(std::time::Duration::from_secs(5))).stop().unwrap();
    folder.store().vacuum().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a knob of this test alone")]
    if let Ok(target) = std::env::var("NEPTUNE_FIXTURE") {
        copy(folder.path(), Path::new(&target));
    }
    offline.recover(|_| ()).unwrap();
    let store = folder.store();
    for id in ["E2E-1", "E2E-2"] {
        assert_logged(&store, &store.find(id).unwrap());
    }
}
