//! What was logged is read back: logs and their values, parameters with their types, properties, tags, and any variable.

use std::time::Duration;

use neptune_core::{
    AtomValue, Content, ErrorKind, ExperimentHandle, Histogram, Image, Mode, StoredExperiment, Table, Timestamp,
    VariableType,
};
use neptune_tests::Folder;

/// The numbers of a column, as they are printed, because NaN is not equal to itself.
fn column(table: &Table, name: &str) -> String {
    format!("{:?}", table.column(name).unwrap().as_floats().unwrap())
}

fn missing(table: &Table, name: &str) -> Vec<usize> {
    let column = table.column(name).unwrap();
    (0..table.len()).filter(|row| column.is_missing(*row)).collect()
}

/// Logs what is read below.
fn log(experiment: &ExperimentHandle) {
    for step in 0..4_u32 {
        experiment.log_metric_at("loss", step, 1.0 / f64::from(step + 1));
    }
    let auc = experiment.series::<f64>("val/auc").unwrap();
    auc.append_at(0.5, 0.7);
    auc.append_at(2, f64::NAN);
    auc.append_at(3, 0.8);
    experiment.log_text("notes", "a line");
    experiment.series::<Histogram>("weights").unwrap().append(&Histogram::of([1.0, 2.0], 2));
    experiment.series::<f64>("monitoring/mine").unwrap().append(1.0);
    experiment.atom("parameters/time").assign(Timestamp::from_micros(-7));
    experiment
        .log_params(&serde_json::json!({
            "rate": 0.1, "layers": 3, "deep": true, "optimizer": {"name": "sgd"}, "sizes": [1, 2], "h\u{e4}h \"x\"": "\u{1f600}"
        }))
        .unwrap();
    experiment.set_property("data/version", "v1.2");
    experiment.add_tags(["cnn", "a b", "\u{e4}"]);
}

/// The experiment, once it has ended.
fn stored(folder: &Folder) -> StoredExperiment {
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    log(&experiment);
    experiment.stop().unwrap();
    folder.session().get("E2E-1").unwrap()
}

#[test]
fn logs_have_their_types_and_last_points_by_the_names_that_people_use() {
    let folder = Folder::new();
    let logs = stored(&folder).logs().unwrap();
    let told: Vec<(&str, &str, VariableType, f64)> =
        logs.iter().map(|(name, log)| (name.as_str(), log.path.as_str(), log.kind, log.series.last_step)).collect();
    assert_eq!(
        told,
        [
            ("loss", "logs/loss", VariableType::FLOAT_SERIES, 3.0),
            ("notes", "logs/notes", VariableType::STRING_SERIES, 0.0),
            ("val/auc", "val/auc", VariableType::FLOAT_SERIES, 3.0),
            ("weights", "weights", VariableType::HISTOGRAM_SERIES, 0.0),
        ]
    );
    assert_eq!(logs["loss"].series.last, AtomValue::Float(0.25));
    assert_eq!(logs["loss"].series.statistics.maximum, Some(1.0));
    assert_eq!(logs["notes"].series.last.as_str(), Some("a line"));
}

#[test]
fn a_series_at_a_bare_path_keeps_the_log_of_that_name_at_its_full_path() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    experiment.log_metric("loss", 1.0);
    experiment.series::<f64>("loss").unwrap().append(2.0);
    let logs = experiment.logs().unwrap();
    assert_eq!(logs.keys().collect::<Vec<_>>(), ["logs/loss", "loss"]);
    assert_eq!(logs["loss"].path, "loss");
    let values = experiment.numeric_values(&["loss", "logs/loss"]).unwrap();
    assert_eq!((column(&values, "loss"), column(&values, "logs/loss")), ("[2.0]".into(), "[1.0]".into()));
    experiment.stop().unwrap();
}

#[test]
fn values_are_aligned_on_every_step_that_one_of_the_logs_has() {
    let folder = Folder::new();
    let stored = stored(&folder);
    let values = stored.numeric_values(&["loss", "val/auc", "loss", "logs/loss"]).unwrap();
    assert_eq!(values.names().collect::<Vec<_>>(), ["x", "loss", "val/auc", "logs/loss"]);
    assert_eq!(column(&values, "x"), "[0.0, 0.5, 1.0, 2.0, 3.0]");
    assert_eq!(column(&values, "loss"), "[1.0, NaN, 0.5, 0.3333333333333333, 0.25]");
    assert_eq!(column(&values, "val/auc"), "[NaN, 0.7, NaN, NaN, 0.8]");
    assert_eq!(missing(&values, "loss"), [1]);
    // At step 2 NaN was logged, which is a value.
    assert_eq!(missing(&values, "val/auc"), [0, 2]);
    assert_eq!(missing(&values, "x"), [0; 0]);
    let alone = stored.numeric_values(&["val/auc"]).unwrap();
    assert_eq!((column(&alone, "x"), missing(&alone, "val/auc")), ("[0.5, 2.0, 3.0]".into(), vec![]));
}

#[test]
fn a_log_named_x_does_not_take_the_column_of_the_steps() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    experiment.log_metric("x", 5.0);
    let values = experiment.numeric_values(&["x"]).unwrap();
    assert_eq!(values.names().collect::<Vec<_>>(), ["x", "logs/x"]);
    assert_eq!((column(&values, "x"), column(&values, "logs/x")), ("[0.0]".into(), "[5.0]".into()));
    experiment.stop().unwrap();
}

#[test]
fn a_name_without_numbers_is_refused_and_told_what_is_near() {
    let folder = Folder::new();
    let stored = stored(&folder);
    let refused = |names: &[&str]| {
        let error = stored.numeric_values(names).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = refused(&["loss", "los"]);
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(text.contains("\"los\"") && text.contains("did you mean \"loss\""), "{text}");
    let (kind, text) = refused(&["auc"]);
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(text.contains("\"val/auc\""), "{text}");
    for (name, is) in [("notes", "Series(string)"), ("parameters/rate", "Atom(float)"), ("sys/tags", "Set(string)")] {
        let (kind, text) = refused(&[name]);
        assert_eq!(kind, ErrorKind::TypeConflict, "{name}");
        assert!(text.contains(is) && text.contains("not a series of numbers"), "{text}");
    }
    assert_eq!(refused(&[]).0, ErrorKind::Invalid);
    assert_eq!(refused(&["a//b\n"]).0, ErrorKind::NotFound);
}

#[test]
fn parameters_properties_and_tags_come_back_with_their_types() {
    let folder = Folder::new();
    let stored = stored(&folder);
    let parameters: Vec<(String, AtomValue)> = stored.parameters().unwrap().into_iter().collect();
    let wanted: [(&str, AtomValue); 7] = [
        ("deep", true.into()),
        ("h\u{e4}h \"x\"", "\u{1f600}".into()),
        ("layers", 3.into()),
        ("optimizer/name", "sgd".into()),
        ("rate", 0.1.into()),
        ("sizes", AtomValue::Json("[1,2]".into())),
        ("time", Timestamp::from_micros(-7).into()),
    ];
    assert_eq!(parameters, wanted.map(|(name, value)| (name.to_owned(), value)));
    let properties: Vec<_> = stored.properties().unwrap().into_iter().collect();
    assert_eq!(properties, [("data/version".to_owned(), AtomValue::from("v1.2"))]);
    assert_eq!(stored.tags().unwrap(), ["a b", "cnn", "\u{e4}"]);
}

#[test]
fn an_experiment_that_holds_nothing_gives_nothing() {
    let folder = Folder::new();
    folder.session().experiment().without_hardware().start().unwrap().stop().unwrap();
    let stored = folder.session().get("E2E-1").unwrap();
    assert!(stored.logs().unwrap().is_empty());
    assert!(stored.parameters().unwrap().is_empty() && stored.properties().unwrap().is_empty());
    assert!(stored.tags().unwrap().is_empty());
    assert!(stored.hardware_utilization().unwrap().is_empty());
    assert_eq!(stored.numeric_values(&["loss"]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn the_points_of_a_series_are_read_as_what_they_are() {
    let folder = Folder::new();
    let stored = stored(&folder);
    let loss: Vec<(f64, f32)> =
        stored.series::<f32>("loss").unwrap().iter().map(|point| (point.step, point.value)).collect();
    assert_eq!(loss[..2], [(0.0, 1.0), (1.0, 0.5)]);
    assert_eq!(stored.series_tail::<f64>("loss", 1).unwrap()[0].value, 0.25);
    assert_eq!(stored.series::<String>("logs/notes").unwrap()[0].value, "a line");
    assert_eq!(stored.series::<Histogram>("weights").unwrap()[0].value.counts(), [1, 1]);
    let conflict = |error: neptune_core::Error| {
        assert_eq!(error.kind(), ErrorKind::TypeConflict);
        error.to_string()
    };
    assert_eq!(
        conflict(stored.series::<String>("loss").unwrap_err()),
        "logs/loss is Series(float), not Series(string)"
    );
    conflict(stored.series::<Image>("weights").unwrap_err());
    conflict(stored.series_tail::<f64>("notes", 1).unwrap_err());
    assert_eq!(stored.series::<f64>("nowhere").unwrap_err().kind(), ErrorKind::NotFound);
    let table = stored.series_table("notes").unwrap();
    assert_eq!(table.names().collect::<Vec<_>>(), ["x", "time", "value"]);
    assert_eq!(table.column("value").unwrap().cell(0).unwrap().to_string(), "a line");
    conflict(stored.series_table("parameters/rate").unwrap_err());
}

#[test]
fn any_variable_is_read_by_its_path() {
    let folder = Folder::new();
    let stored = stored(&folder);
    assert_eq!(stored.atom("sys/state").unwrap().as_str(), Some("succeeded"));
    assert_eq!(stored.set("sys/tags").unwrap().len(), 3);
    assert_eq!(stored.variable_type("parameters/layers").unwrap(), VariableType::atom(Content::Int));
    assert_eq!(stored.namespace_contents("val").unwrap().keys().collect::<Vec<_>>(), ["auc"]);
    assert_eq!(stored.variables("val/").unwrap()[0].path, "val/auc");
    assert_eq!(stored.variables("nowhere").unwrap().len(), 0);
    assert_eq!(stored.atom("sys/tags").unwrap_err().kind(), ErrorKind::TypeConflict);
    assert_eq!(stored.set("sys/state").unwrap_err().kind(), ErrorKind::TypeConflict);
    for path in ["", "a//b", "../x"] {
        assert_eq!(stored.atom(path).unwrap_err().kind(), ErrorKind::Invalid, "{path}");
    }
    let near = stored.variable_type("parameters/layer").unwrap_err();
    assert_eq!(near.kind(), ErrorKind::NotFound);
    assert!(near.to_string().contains("parameters/layers"), "{near}");
    assert_eq!(stored.namespace_contents("nowhere").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_running_experiment_reads_what_it_logged_before_and_an_offline_one_says_that_it_cannot() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    log(&experiment);
    assert_eq!(experiment.logs().unwrap().len(), 4);
    assert_eq!(experiment.parameters().unwrap().len(), 7);
    assert_eq!((experiment.properties().unwrap().len(), experiment.tags().unwrap().len()), (1, 3));
    experiment.log_metric("loss", 7.0);
    let values = experiment.numeric_values(&[String::from("loss")]).unwrap();
    assert!(column(&values, "loss").ends_with("7.0]"), "{values}");
    experiment.stop().unwrap();

    let folder = Folder::new();
    let offline = folder.builder().mode(Mode::Offline).open().unwrap();
    let experiment = offline.experiment().start().unwrap();
    assert_eq!(experiment.logs().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(experiment.numeric_values(&["loss"]).unwrap_err().kind(), ErrorKind::Unsupported);
    experiment.stop().unwrap();
}

#[test]
fn reads_of_many_threads_at_once_see_the_same() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    log(&experiment);
    experiment.flush(Duration::from_secs(30)).unwrap();
    let stored = experiment.stored().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(stored.numeric_values(&["loss"]).unwrap().len(), 4);
                    assert_eq!(stored.tags().unwrap().len(), 3);
                }
            });
        }
    });
    experiment.stop().unwrap();
}
