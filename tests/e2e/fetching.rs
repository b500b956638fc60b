//! Experiments of a project are fetched: by id, state, owner, tags, running time and query, to read or as a leaderboard.

use std::time::Duration;

use neptune_core::{Direction, ErrorKind, ExperimentQuery, Project, Session, Table};
use neptune_tests::Folder;

/// E2E-1 succeeded, E2E-2 failed, E2E-3 was aborted, E2E-4 runs until the returned one is dropped; and one of another project.
fn logged(session: &Session) -> neptune_core::Experiment {
    let start = |name: &str, tags: &[&str], rate: serde_json::Value| {
        let params = serde_json::json!({ "rate": rate, "optimizer": {"name": "sgd"} });
        session.experiment().name(name).tags(tags.iter().copied()).params(&params).without_hardware().start().unwrap()
    };
    let first = start("first", &["cnn", "fast"], 0.5.into());
    first.log_metric("loss", 0.5);
    first.log_metric("loss", 0.25);
    first.log_text("notes", "a, \"b\"\nc");
    first.set_property("data", "v1");
    first.stop().unwrap();
    let second = start("second", &["cnn"], 1.into());
    second.log_metric("loss", 0.75);
    second.series::<f64>("val/\u{e4} b").unwrap().append(f64::NAN);
    second.fail("out of memory").unwrap();
    start("third", &[], "fast".into()).abort("enough").unwrap();
    session.project("tests/other").unwrap().experiment().without_hardware().start().unwrap().stop().unwrap();
    start("fourth", &["\u{e4} 1"], true.into())
}

fn project(session: &Session) -> Project {
    session.project("tests/e2e").unwrap()
}

fn ids(project: &Project, query: ExperimentQuery) -> Vec<String> {
    let found = project.get_experiments(query).unwrap();
    found.iter().map(|experiment| experiment.short_id().to_owned()).collect()
}

/// The cells of a column, `-` where there is none.
fn column(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).unwrap_or_else(|| panic!("no column {name} in\n{table}"));
    (0..table.len()).map(|row| column.cell(row).map_or_else(|| "-".to_owned(), |cell| cell.to_string())).collect()
}

#[test]
fn experiments_are_fetched_by_what_they_are() {
    let folder = Folder::new();
    let session = folder.session();
    let running = logged(&session);
    running.flush(Duration::from_secs(30)).unwrap();
    let project = project(&session);
    let query = ExperimentQuery::default;
    let owner = running.atom("sys/owner").read().unwrap().as_str().unwrap().to_owned();
    for (query, wanted) in [
        (query(), &["E2E-4", "E2E-3", "E2E-2", "E2E-1"][..]),
        (query().ids(["E2E-1", "e2e-3", "OTH-1", "nonsense"]), &["E2E-3", "E2E-1"]),
        (query().ids([running.id().to_string()]), &["E2E-4"]),
        (query().states(["running"]), &["E2E-4"]),
        (query().states(["failed", "aborted"]), &["E2E-3", "E2E-2"]),
        (query().owners(["nobody", owner.as_str()]).states(["succeeded"]), &["E2E-1"]),
        (query().owners(["nobody"]), &[]),
        (query().tags(["cnn"]), &["E2E-2", "E2E-1"]),
        (query().tags(["cnn", "fast"]), &["E2E-1"]),
        (query().tags(["\u{e4} 1"]), &["E2E-4"]),
        (query().tags(["cnn"]).filter("loss > 0.5".parse().unwrap()), &["E2E-2"]),
        (query().filter("min(loss) < 0.5 OR max(loss) > 0.7".parse().unwrap()), &["E2E-2", "E2E-1"]),
        (query().filter("average(loss) = 0.375".parse().unwrap()), &["E2E-1"]),
        (query().min_running_time(Duration::from_hours(1)), &[]),
        (query().min_running_time(Duration::ZERO).limit(1).offset(1), &["E2E-3"]),
        (query().sort("loss", Direction::Ascending).limit(2), &["E2E-1", "E2E-2"]),
    ] {
        assert_eq!(ids(&project, query.clone()), wanted, "{query:?}");
    }
    assert_eq!(project.get("E2E-2").unwrap().tags().unwrap(), ["cnn"]);
    assert_eq!(project.get_experiments(query().ids(["E2E-1"])).unwrap()[0].parameters().unwrap().len(), 2);
    running.stop().unwrap();
}

#[test]
fn a_running_experiment_runs_until_it_is_asked_for() {
    let folder = Folder::new();
    let session = folder.session();
    let running = session.experiment().without_hardware().start().unwrap();
    let project = project(&session);
    let ran = |at_least: u64| {
        let query = ExperimentQuery::default().min_running_time(Duration::from_millis(at_least));
        ids(&project, query).len() == 1
    };
    neptune_tests::wait_for("a running time of 20 ms", || ran(20).then_some(()));
    running.stop().unwrap();
    let seconds = column(&project.leaderboard(ExperimentQuery::default()).unwrap(), "running_time");
    neptune_tests::pause(Duration::from_millis(20));
    assert_eq!(column(&project.leaderboard(ExperimentQuery::default()).unwrap(), "running_time"), seconds);
}

#[test]
fn the_leaderboard_has_the_columns_of_the_neptune_client() {
    let folder = Folder::new();
    let session = folder.session();
    let running = logged(&session);
    running.flush(Duration::from_secs(30)).unwrap();
    let table = project(&session).leaderboard(ExperimentQuery::default()).unwrap();
    assert_eq!(
        table.names().collect::<Vec<_>>(),
        [
            "id",
            "name",
            "created",
            "finished",
            "owner",
            "notes",
            "running_time",
            "size",
            "tags",
            "channel_loss",
            "channel_notes",
            "channel_val/\u{e4} b",
            "parameter_optimizer/name",
            "parameter_rate",
            "property_data"
        ]
    );
    assert_eq!(column(&table, "name"), ["fourth", "third", "second", "first"]);
    assert_eq!(column(&table, "channel_loss"), ["-", "-", "0.75", "0.25"]);
    assert_eq!(column(&table, "channel_val/\u{e4} b"), ["-", "-", "NaN", "-"]);
    assert_eq!(column(&table, "channel_notes")[3], "a, \"b\"\\nc");
    // Of different types, so all are text.
    assert_eq!(column(&table, "parameter_rate"), ["true", "fast", "1", "0.5"]);
    assert_eq!(column(&table, "tags"), ["\u{e4} 1", "", "cnn", "cnn, fast"]);
    assert_eq!(column(&table, "finished")[0], "-", "it runs");
    assert_ne!(column(&table, "finished")[1], "-");
    let two = ExperimentQuery::default().columns(["loss", "rate"]).states(["succeeded", "failed"]);
    let two = project(&session).leaderboard(two).unwrap();
    assert_eq!(two.names().skip(9).collect::<Vec<_>>(), ["channel_loss", "parameter_rate"]);
    assert_eq!(two.column("parameter_rate").unwrap().as_floats(), Some(&[1.0, 0.5][..]), "all are numbers");
    running.stop().unwrap();
}

#[test]
fn the_best_value_of_a_log_and_its_step_are_columns_and_an_order() {
    let folder = Folder::new();
    let session = folder.session();
    let start = || session.experiment().without_hardware().start().unwrap();
    let few = start();
    for (step, loss) in [(0.0, 0.9), (2.5, 0.2), (7.0, 0.2), (9.0, f64::INFINITY), (10.0, 0.5)] {
        few.series::<f64>("logs/loss").unwrap().append_at(step, loss);
    }
    few.stop().unwrap();
    let long = start();
    let loss = long.series::<f64>("logs/loss").unwrap();
    for step in 0..70_000_u32 {
        loss.append_at(step, if step == 40_123 { -3.0 } else { f64::from(step % 1000) });
    }
    long.stop().unwrap();
    let never = start();
    never.series::<f64>("logs/loss").unwrap().append(f64::NAN);
    never.stop().unwrap();
    session.experiment().params(&serde_json::json!({"loss": "mse"})).start().unwrap().stop().unwrap();

    let project = project(&session);
    let figures = ["min(loss)", "argmin(loss)", "Max(logs/loss)", "argmax(loss)", "average(loss)"];
    let query =
        ExperimentQuery::default().columns(["loss"].into_iter().chain(figures)).ids(["E2E-1", "E2E-2", "E2E-3"]);
    let sorted = query.clone().sort("min(loss)", Direction::Ascending);
    for table in [project.leaderboard(sorted.clone()).unwrap(), project.experiments(sorted).unwrap().to_table()] {
        assert_eq!(column(&table, "id"), ["E2E-2", "E2E-1", "E2E-3"]);
        assert_eq!(column(&table, "min(loss)"), ["-3.0", "0.2", "-"]);
        assert_eq!(column(&table, "argmin(loss)"), ["40123.0", "2.5", "-"]);
        assert_eq!(column(&table, "Max(logs/loss)"), ["999.0", "0.9", "-"]);
        assert_eq!(column(&table, "argmax(loss)"), ["999.0", "0.0", "-"]);
        assert_eq!(column(&table, "average(loss)")[1..], ["0.45", "-"]);
    }
    let table = project.leaderboard(query.clone()).unwrap();
    assert!(table.names().skip(9).eq(["channel_loss"].into_iter().chain(figures)));
    let ids_of = |query: ExperimentQuery| column(&project.experiments(query).unwrap().to_table(), "id");
    // What has none comes last, whatever the direction.
    let all = ExperimentQuery::default();
    let by = |name: &str, direction| ids_of(all.clone().sort(name, direction));
    assert_eq!(by("max(loss)", Direction::Descending), ["E2E-2", "E2E-1", "E2E-4", "E2E-3"]);
    assert_eq!(by("average(loss)", Direction::Ascending), ["E2E-1", "E2E-2", "E2E-4", "E2E-3"]);
    let error = project.experiments(all.clone().sort("argmin(loss)", Direction::Ascending)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("argmin(loss)") && error.to_string().contains("min(...)"), "{error}");

    // What was rewound is not the best any more, and a variable of that very name comes first.
    let long = session.edit("E2E-2").start().unwrap();
    long.delete_points("logs/loss", 40_000.0..).unwrap();
    long.atom("min(loss)").assign("mine");
    long.stop().unwrap();
    let table = project.experiments(query.ids(["E2E-2"])).unwrap().to_table();
    assert_eq!(
        (column(&table, "min(loss)"), column(&table, "argmin(loss)")),
        (vec!["mine".into()], vec!["0.0".into()])
    );
}

#[test]
fn a_project_without_experiments_has_none_and_a_wrong_request_says_why() {
    let folder = Folder::new();
    let session = folder.session();
    let empty = project(&session);
    assert!(empty.get_experiments(ExperimentQuery::default()).unwrap().is_empty());
    let table = empty.leaderboard(ExperimentQuery::default()).unwrap();
    assert_eq!((table.len(), table.columns().len()), (0, 9));
    logged(&session).stop().unwrap();

    let project = project(&session);
    let missing = project.get("E2E-9").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("did you mean \"E2E-"), "{missing}");
    let other = project.get("OTH-1").unwrap_err();
    assert_eq!(other.kind(), ErrorKind::NotFound);
    assert!(other.to_string().contains("tests/other"), "{other}");
    let state = project.get_experiments(ExperimentQuery::default().states(["done"])).unwrap_err();
    assert_eq!(state.kind(), ErrorKind::Invalid);
    assert!(state.to_string().contains("running, succeeded, failed, aborted"), "{state}");
    assert_eq!(project.leaderboard(ExperimentQuery::default().states(["x"])).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn tables_go_to_other_programs_as_they_are() {
    let folder = Folder::new();
    let session = folder.session();
    logged(&session).stop().unwrap();
    let first = session.get("E2E-1").unwrap();
    let page = project(&session).experiments(ExperimentQuery::default().columns(["loss"])).unwrap();
    let tables = [
        project(&session).leaderboard(ExperimentQuery::default()).unwrap(),
        page.to_table(),
        first.numeric_values(&["loss"]).unwrap(),
        first.series_table("notes").unwrap(),
        first.hardware_utilization().unwrap().to_table(),
    ];
    for (table, rows) in tables.iter().zip([4, 4, 2, 1, 0]) {
        assert_eq!(table.len(), rows);
        let batch = table.to_record_batch();
        assert_eq!((batch.num_rows(), batch.num_columns()), (rows, table.columns().len()));
        let missing: usize = batch.columns().iter().map(|column| column.null_count()).sum();
        let cells = table.columns().iter().flat_map(|column| (0..rows).filter(|row| column.is_missing(*row)));
        assert_eq!(missing, cells.count());
        let (mut csv, mut parquet) = (Vec::new(), Vec::new());
        table.to_csv(&mut csv).unwrap();
        table.to_parquet(&mut parquet).unwrap();
        assert!(csv.starts_with(table.columns()[0].name().as_bytes()) && parquet.starts_with(b"PAR1"));
    }
}
