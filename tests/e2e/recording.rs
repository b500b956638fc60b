//! What is logged is read back as it was logged.

use std::time::Duration;

use neptune_core::{
    AtomValue, Container, Content, Durability, ErrorKind, LostReason, Mode, Timestamp, VariableType,
    store::{ExperimentQuery, Values, read::NamespaceEntry},
};
use neptune_tests::Folder;

#[test]
fn a_series_starts_at_step_zero_and_counts_on_from_its_last_step() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    loss.append(0.9);
    loss.append(0.8);
    loss.append_at(10, 0.7);
    loss.append(0.6);
    let steps: Vec<(f64, f64)> = loss.all().unwrap().iter().map(|point| (point.step, point.value)).collect();
    assert_eq!(steps, [(0.0, 0.9), (1.0, 0.8), (10.0, 0.7), (11.0, 0.6)]);
    assert_eq!(loss.tail(2).unwrap().len(), 2);
    assert_eq!(loss.last().unwrap().value, 0.6);
    experiment.stop().unwrap();
}

#[test]
fn points_without_a_step_behind_one_beyond_2_to_the_53_are_all_kept() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    // A time in nanoseconds.
    for (path, step) in [("a", 1_795_338_000_000_000_000.0), ("b", 9_007_199_254_740_992.0)] {
        let series = experiment.series::<f64>(path).unwrap();
        series.append_at(step, 0.0);
        experiment.flush(Duration::from_secs(20)).unwrap();
        for value in 1..=10 {
            series.append(f64::from(value));
        }
        let values: Vec<f64> = series.all().unwrap().iter().map(|point| point.value).collect();
        assert_eq!(values, (0..=10).map(f64::from).collect::<Vec<_>>(), "{path}");
    }
    experiment.stop().unwrap();
}

#[test]
fn steps_may_come_in_any_order_and_the_last_value_of_a_step_stays() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for step in [5, 1, 3, 2, 4] {
        loss.append_at(step, f64::from(step));
    }
    experiment.flush(Duration::from_secs(10)).unwrap();
    loss.append_at(3, 33.0);
    loss.append_at(0.5, 0.5);
    let points: Vec<(f64, f64)> = loss.all().unwrap().iter().map(|point| (point.step, point.value)).collect();
    assert_eq!(points, [(0.5, 0.5), (1.0, 1.0), (2.0, 2.0), (3.0, 33.0), (4.0, 4.0), (5.0, 5.0)]);
    experiment.stop().unwrap();
}

#[test]
fn nan_is_kept_by_a_series_and_skipped_by_log_metric() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    loss.append(f64::NAN);
    loss.append(f64::NEG_INFINITY);
    experiment.log_metric("loss", f64::NAN);
    experiment.log_metric("loss", 1.0);
    experiment.log_metrics(7, [("a", f64::INFINITY), ("b", 2.0)]);
    let points = loss.all().unwrap();
    assert!(points[0].value.is_nan());
    assert_eq!(points[1].value, f64::NEG_INFINITY);
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::NotFinite), 2);
    assert_eq!(folder.series("logs/loss").values, Values::Float(vec![1.0]));
    assert_eq!(folder.series("logs/b").steps, [7.0]);
    assert_eq!(folder.store().lost(&folder.only_experiment()).unwrap().count(LostReason::NotFinite), 2);
}

#[test]
fn an_f32_metric_and_a_point_with_a_time_are_exact() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let accuracy = experiment.series::<f32>("accuracy").unwrap();
    accuracy.append_with(2.5, Timestamp::from_micros(1_700_000_000_123_456), 0.1);
    let point = accuracy.last().unwrap();
    assert_eq!((point.step, point.value, point.time.as_micros()), (2.5, 0.1_f32, 1_700_000_000_123_456));
    experiment.stop().unwrap();
}

#[test]
fn text_is_kept_with_its_steps() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    experiment.log_text("notes", "first");
    experiment.log_text_at("notes", 9, "ninth \u{1f600}\n\0");
    let samples = experiment.series::<String>("samples").unwrap();
    samples.append("x".repeat(500_000));
    samples.append("");
    samples.append("x".repeat(2 << 20));
    assert_eq!(samples.all().unwrap().iter().map(|point| point.value.len()).collect::<Vec<_>>(), [500_000, 0]);
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TooLarge), 1);
    let notes = folder.series("logs/notes");
    assert_eq!(notes.steps, [0.0, 9.0]);
    assert_eq!(notes.values, Values::Text(vec!["first".into(), "ninth \u{1f600}\n\0".into()]));
}

#[test]
fn atoms_of_every_type_are_assigned_read_and_assigned_again() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let values: [(&str, AtomValue); 7] = [
        ("float", 0.1.into()),
        ("nan", f64::NAN.into()),
        ("int", i64::MIN.into()),
        ("bool", true.into()),
        ("string", "text".into()),
        ("time", Timestamp::from_micros(-7).into()),
        ("json", AtomValue::Json(r#"{"a":[1]}"#.into())),
    ];
    for (path, value) in &values {
        experiment.atom(path).assign(value.clone());
        let read = experiment.atom(path).read().unwrap();
        assert!(read == *value || (*path == "nan" && read.as_f64().unwrap().is_nan()), "{path}: {read:?}");
    }
    experiment.atom("float").assign(3);
    assert_eq!(experiment.atom("float").read().unwrap(), AtomValue::Float(3.0));
    assert_eq!(
        experiment.variable_type("int").unwrap(),
        VariableType { container: Container::Atom, content: Content::Int }
    );
    experiment.stop().unwrap();
}

#[test]
fn a_set_is_added_to_removed_from_and_reset() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().tags(["cnn", "rnn"]).start().unwrap();
    let tags = experiment.set("sys/tags");
    assert_eq!(tags.get().unwrap(), ["cnn", "rnn"]);
    tags.add(["transformer"]);
    tags.remove(["cnn", "never there"]);
    assert_eq!(tags.get().unwrap(), ["rnn", "transformer"]);
    tags.reset(["attention"]);
    assert_eq!(tags.get().unwrap(), ["attention"]);
    experiment.stop().unwrap();
}

#[test]
fn a_namespace_lists_what_stands_under_it() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    experiment.series::<f64>("training/batch/loss").unwrap().append(1.0);
    experiment.series::<f64>("training/epoch/loss").unwrap().append(1.0);
    experiment.atom("training/seed").assign(7);
    let contents = experiment.namespace_contents("training").unwrap();
    let expected = [
        ("batch", NamespaceEntry::Namespace),
        ("epoch", NamespaceEntry::Namespace),
        ("seed", NamespaceEntry::Variable(VariableType::atom(Content::Int))),
    ];
    assert_eq!(contents, expected.map(|(name, entry)| (name.to_owned(), entry)).into());
    experiment.stop().unwrap();
}

#[test]
fn reading_what_was_never_written_names_the_nearest_paths() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    experiment.series::<f64>("train/loss").unwrap().append(1.0);
    experiment.atom("train/batch_size").assign(32);
    let error = experiment.atom("train/batchsize").read().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("\"train/batchsize\""), "{error}");
    assert!(error.to_string().contains("did you mean \"train/batch_size\""), "{error}");
    assert_eq!(experiment.variable_type("train/los").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(experiment.namespace_contents("trian").unwrap_err().kind(), ErrorKind::NotFound);
    let error = experiment.namespace_contents("train/loss").unwrap_err();
    assert_eq!(error.to_string(), "\"train/loss\" is Series(float), and no namespace");
    let error = experiment.variable_type("train").unwrap_err();
    assert!(error.to_string().contains("\"train\" of experiment E2E-1 is a namespace"), "{error}");
    assert!(error.to_string().contains("such as \"train/batch_size\""), "{error}");
    assert_eq!(experiment.set("tags").get().unwrap_err().kind(), ErrorKind::NotFound);
    experiment.stop().unwrap();
}

#[test]
fn a_deleted_variable_is_gone_and_its_path_may_take_another_type() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let old = experiment.series::<f64>("x").unwrap();
    old.append(1.0);
    experiment.log_metric("m", 1.0);
    experiment.delete("x");
    experiment.delete("logs/m");
    assert_eq!(experiment.variable_type("x").unwrap_err().kind(), ErrorKind::NotFound);
    experiment.atom("x").assign("now text");
    experiment.log_metric("m", 2.0);
    old.append(2.0);
    assert_eq!(experiment.atom("x").read().unwrap().as_str(), Some("now text"));
    assert_eq!(folder.series("logs/m").values, Values::Float(vec![2.0]));
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 1, "a handle from before the deletion is refused");
}

#[test]
fn handles_from_before_and_behind_a_deletion_lose_nothing_between_them() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let before = experiment.series::<f64>("x").unwrap();
    before.append(0.0);
    experiment.delete("x");
    let behind = experiment.series::<f64>("x").unwrap();
    for _ in 0..10 {
        before.append(1.0);
        behind.append(2.0);
    }
    experiment.stop().unwrap();
    let points = folder.series("x");
    assert_eq!(points.steps, (0..20).map(f64::from).collect::<Vec<_>>(), "no point took the step of another");
}

#[test]
fn parameters_are_flattened_and_never_change() {
    #[derive(serde::Serialize)]
    struct Params {
        rate: f32,
        optimizer: Optimizer,
    }
    #[derive(serde::Serialize)]
    struct Optimizer {
        name: &'static str,
    }
    let folder = Folder::new();
    let params = Params { rate: 0.1, optimizer: Optimizer { name: "sgd" } };
    let experiment = folder.session().experiment().params(&params).property("note", "a").start().unwrap();
    assert_eq!(experiment.atom("parameters/rate").read().unwrap(), AtomValue::Float(0.1));
    assert_eq!(experiment.atom("parameters/optimizer/name").read().unwrap().as_str(), Some("sgd"));
    experiment.log_params(&params).expect("the same value again is fine");
    let error = experiment.log_params(&serde_json::json!({ "rate": 0.2, "batch": 8 })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Immutable);
    assert!(error.to_string().contains("parameters/rate"), "{error}");
    assert_eq!(experiment.atom("parameters/rate").read().unwrap(), AtomValue::Float(0.1));
    assert_eq!(experiment.atom("parameters/batch").read().unwrap(), AtomValue::Int(8), "the others are set");
    experiment.set_property("note", "b");
    assert_eq!(experiment.atom("properties/note").read().unwrap().as_str(), Some("b"));
    experiment.remove_property("note");
    assert!(experiment.atom("properties/note").read().is_err());
    assert_eq!(experiment.stop().unwrap().count(LostReason::Immutable), 1);
}

#[test]
fn numbers_among_parameters_are_exact_also_where_json_has_none() {
    let folder = Folder::new();
    let session = folder.session();
    let params = std::collections::BTreeMap::from([("clip", f64::INFINITY), ("unset", f64::NAN)]);
    let experiment =
        session.experiment().params(&params).params(&serde_json::json!({ "seed": u64::MAX })).start().unwrap();
    experiment.log_params(&params).expect("the same values again are fine");
    experiment.stop().unwrap();
    let attached = session.attach("E2E-1").params(&params).params(&serde_json::json!({ "seed": u64::MAX })).start();
    let parameters = attached.unwrap().parameters().unwrap();
    assert_eq!(parameters["clip"], AtomValue::Float(f64::INFINITY));
    assert!(parameters["unset"].as_f64().is_some_and(f64::is_nan), "{parameters:?}");
    assert_eq!(parameters["seed"], AtomValue::Json(u64::MAX.to_string()));
}

#[test]
fn a_hundred_metrics_of_one_step_are_all_there() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let names: Vec<String> = (0..300).map(|number| format!("layer{number}/norm")).collect();
    for step in 0..3 {
        experiment.log_metrics(step, names.iter().map(|name| (name.as_str(), f64::from(step))));
    }
    assert!(experiment.stop().unwrap().is_empty());
    for name in &names {
        let points = folder.series(&format!("logs/{name}"));
        assert_eq!((points.steps, points.values), (vec![0.0, 1.0, 2.0], Values::Float(vec![0.0, 1.0, 2.0])));
    }
}

#[test]
fn a_long_series_is_sealed_and_reads_back_whole() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for number in 0..200_000_u32 {
        loss.append((f64::from(number) / 900.0).sin());
    }
    experiment.stop().unwrap();
    let points = folder.series("train/loss");
    let Values::Float(values) = &points.values else { panic!("not numbers") };
    assert_eq!(values.len(), 200_000);
    assert!((0..200_000_u32).all(|number| values[number as usize] == (f64::from(number) / 900.0).sin()));
    assert!(points.times.windows(2).all(|pair| pair[0] <= pair[1]), "one thread's points are in the order of time");
    let plain: i64 = rusqlite::Connection::open(folder.path().join("store.db"))
        .unwrap()
        .query_row("SELECT COUNT(*) FROM chunk WHERE sealed = 0", [], |row| row.get(0))
        .unwrap();
    assert_eq!(plain, 0, "what is left over is sealed when the writer closes");
}

#[test]
fn an_experiment_that_is_synced_to_the_disk_is_kept_as_any_other() {
    for mode in [Mode::Embedded, Mode::Offline] {
        let folder = Folder::new();
        let session = folder.builder().mode(mode).durability(Durability::Disk).segment_bytes(64 << 10).open().unwrap();
        let experiment = session.experiment().start().unwrap();
        let loss = experiment.series::<f64>("train/loss").unwrap();
        for number in 0..30_000_u32 {
            loss.append(f64::from(number));
        }
        experiment.flush(Duration::from_secs(20)).unwrap();
        let lost = experiment.stop().unwrap();
        session.recover(|_| ()).unwrap();
        let kept = folder.series("train/loss").len() as u64;
        assert_eq!(kept + lost.total(), 30_000, "{mode}: every point is kept or counted");
        assert!(kept > 2_000, "{mode}: {kept}");
    }
}

#[test]
fn an_offline_experiment_is_found_after_it_is_synced() {
    let folder = Folder::new();
    let offline = folder.builder().mode(Mode::Offline).open().unwrap();
    let experiment =
        offline.experiment().name("on a plane").params(&serde_json::json!({ "rate": 0.1 })).start().unwrap();
    assert_eq!(experiment.short_id(), None);
    let id = experiment.id();
    experiment.log_metric("loss", 0.5);
    assert_eq!(experiment.atom("x").read().unwrap_err().kind(), ErrorKind::Unsupported);
    experiment.stop().unwrap();
    assert!(!folder.path().join("store.db").exists(), "nobody drains an offline journal");

    let recovered = offline.recover(|_| ()).unwrap();
    assert_eq!(recovered.len(), 1);
    let key = folder.store().experiment(id).unwrap();
    assert_eq!(key.short_id, "E2E-1");
    assert_eq!(folder.text("sys/state"), "succeeded");
    assert_eq!(folder.series("logs/loss").len(), 1);
    assert!(offline.recover(|_| ()).unwrap().is_empty(), "nothing is left to do");
}

#[test]
fn a_project_finds_its_experiments_by_query() {
    let folder = Folder::new();
    let session = folder.session();
    for (rate, tag) in [(0.1, "cnn"), (0.2, "cnn"), (0.3, "rnn")] {
        let experiment = session.experiment().params(&serde_json::json!({ "rate": rate })).tags([tag]).start().unwrap();
        experiment.series::<f64>("train/loss").unwrap().append(rate);
        experiment.stop().unwrap();
    }
    let project = session.project("tests/e2e").unwrap();
    let query = ExperimentQuery::default()
        .filter("(`train/loss`:float < 0.25) AND (`sys/tags`:stringSet CONTAINS \"cnn\")".parse().unwrap())
        .columns(["parameters/rate"]);
    let table = project.experiments(query).unwrap();
    assert_eq!(table.total, 2);
    assert_eq!(table.rows.iter().map(|row| row.short_id.as_str()).collect::<Vec<_>>(), ["E2E-2", "E2E-1"]);
}

#[test]
fn points_of_several_series_are_logged_at_one_step_and_time() {
    let folder = Folder::new();
    let session = folder.session();
    let (experiment, other) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    let many: Vec<_> = (0..3_000).map(|number| experiment.series::<f64>(&format!("many/{number}")).unwrap()).collect();
    let numbered = || many.iter().enumerate().map(|(number, series)| (series, number as f64));
    experiment.append_points(neptune_core::Step::new(5.0), numbered());
    experiment.append_points(None, numbered());
    let steps: Vec<_> = many[2_999].all().unwrap().iter().map(|point| (point.step, point.value)).collect();
    assert_eq!(steps, [(5.0, 2_999.0), (6.0, 2_999.0)]);
    assert_eq!(many[0].last().unwrap().time, many[1_000].last().unwrap().time);
    // A handle of another experiment is logged to its own.
    let foreign = other.series::<f64>("loss").unwrap();
    experiment.append_points(None, [(&many[0], 1.0), (&foreign, 2.0)]);
    assert_eq!((foreign.last().unwrap().value, many[0].last().unwrap().step), (2.0, 7.0));
    assert!(experiment.stop().unwrap().is_empty());
    other.stop().unwrap();
}

#[test]
fn points_that_panic_on_their_way_hold_up_nothing_behind_them() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let series: Vec<_> = ["a", "b", "c"].iter().map(|path| experiment.series::<f64>(path).unwrap()).collect();
    let looks = std::cell::Cell::new(0);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // The first three looks only ask whose the points are. The fifth comes when room for them is taken.
        let values = series.iter().map(|series| {
            looks.set(looks.get() + 1);
            assert!(looks.get() < 5, "no value for this one");
            (series, 1.0)
        });
        experiment.append_points(None, values);
    }));
    assert!(outcome.is_err());
    series[2].append(2.0);
    experiment.flush(Duration::from_secs(2)).unwrap();
    assert_eq!(series[2].last().unwrap().value, 2.0);
    experiment.stop().unwrap();
}
