//! Tables for other programs: `neptune values`, and `neptune ls` with `--csv` and `--parquet`.

use std::path::Path;

use neptune_core::{Mode, Session};

use crate::run::{printed, said};

fn logged(folder: &Path) {
    let session = Session::builder().folder(folder).project("tests/program").mode(Mode::Embedded).open().unwrap();
    let params = serde_json::json!({ "rate": 0.25 });
    let first = session.experiment().name("first").params(&params).tags(["cnn"]).without_hardware().start().unwrap();
    for step in 0..30_u32 {
        first.log_metric_at("loss", step, f64::from(step) / 2.0);
    }
    first.series::<f64>("auc").unwrap().append_at(1, 0.5);
    first.series::<f64>("auc").unwrap().append_at(2, f64::NAN);
    first.log_text("notes", "a line");
    first.stop().unwrap();
    session.experiment().name("evil \u{1b}[2J").without_hardware().start().unwrap().fail("no").unwrap();
}

#[test]
fn values_are_printed_side_by_side_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    logged(folder.path());
    let shown = printed(folder.path(), &["values", "PRO-1", "loss", "auc"]);
    assert_eq!(shown.lines().count(), 12, "{shown}");
    assert!(said(folder.path(), &["values", "PRO-1", "loss"], 0).contains("10 of 30 rows; --csv"));
    let csv = printed(folder.path(), &["values", "PRO-1", "loss", "auc", "--csv"]);
    assert_eq!(csv.lines().take(4).collect::<Vec<_>>(), ["x,loss,auc", "0.0,0.0,", "1.0,0.5,0.5", "2.0,1.0,NaN"]);
    assert_eq!(csv.lines().count(), 31);
    let told = printed(folder.path(), &["values", "PRO-1", "auc", "--json"]);
    let wanted = serde_json::json!({
        "experiment": "PRO-1", "rows": 2, "columns": [
            {"name": "x", "values": [1.0, 2.0]}, {"name": "auc", "values": [0.5, "NaN"]}
        ],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), wanted);
    let file = folder.path().join("values.parquet");
    let name = file.to_str().unwrap();
    assert!(said(folder.path(), &["values", "latest", "loss", "--parquet", name], 3).contains("no log"));
    assert!(!file.exists());
    assert!(said(folder.path(), &["values", "PRO-1", "loss", "--parquet", name], 0).contains("30 rows are in"));
    assert!(std::fs::read(&file).unwrap().starts_with(b"PAR1"));
}

#[test]
fn values_that_cannot_be_had_say_why() {
    let folder = tempfile::tempdir().unwrap();
    logged(folder.path());
    assert!(said(folder.path(), &["values", "PRO-1", "los"], 3).contains("did you mean \"loss\""));
    assert!(said(folder.path(), &["values", "PRO-1", "notes"], 2).contains("Series(string)"));
    said(folder.path(), &["values", "PRO-1"], 2);
    assert!(said(folder.path(), &["values", "PRO-1", "loss", "--csv", "--json"], 2).contains("exclude each other"));
    said(folder.path(), &["values", "PRO-1", "loss", "--csv", "--parquet", "x"], 2);
}

#[test]
fn the_list_is_narrowed_by_what_experiments_are_and_written_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    logged(folder.path());
    let listed = |arguments: &[&str]| {
        let told = printed(folder.path(), &[&["--json", "ls"], arguments].concat());
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let rows = told["experiments"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
        rows.collect::<Vec<_>>().join(" ")
    };
    for (arguments, wanted) in [
        (&["--state", "failed"][..], "PRO-2"),
        (&["--state", "failed,succeeded"], "PRO-2 PRO-1"),
        (&["--id", "pro-1"], "PRO-1"),
        (&["--tag", "cnn"], "PRO-1"),
        (&["--tag", "cnn", "--tag", "rnn"], ""),
        (&["--owner", "nobody"], ""),
        (&["--min-running-time", "1h"], ""),
        (&["--min-running-time", "0", "--limit", "1"], "PRO-2"),
        (&["--filter", "max(loss) > 14"], "PRO-1"),
    ] {
        assert_eq!(listed(arguments), wanted, "{arguments:?}");
    }
    assert!(said(folder.path(), &["ls", "--owner", "nobody"], 0).contains("no experiment matches"));
    assert!(said(folder.path(), &["ls", "--state", "done"], 2).contains("states are running"));
    said(folder.path(), &["ls", "--min-running-time", "soon"], 2);
    said(folder.path(), &["ls", "--projects", "--csv"], 2);

    let csv = printed(folder.path(), &["ls", "--csv", "--columns", "loss,rate"]);
    let head = csv.lines().next().unwrap();
    assert_eq!(head, "id,name,created,finished,owner,notes,running_time,size,tags,channel_loss,parameter_rate");
    let last = csv.lines().last().unwrap();
    assert!(last.starts_with("PRO-1,first,2") && last.ends_with(",\"[\"\"cnn\"\"]\",14.5,0.25"), "{last}");
    assert!(csv.contains("evil \u{1b}[2J"), "a program gets what was logged");
    let best = printed(folder.path(), &["ls", "--columns", "min(loss),argmin(loss)", "--sort", "max(loss):desc"]);
    assert!(best.contains("argmin(loss)") && best.lines().nth(1).unwrap().starts_with("PRO-1"), "{best}");
    let file = folder.path().join("all.parquet");
    let told = printed(folder.path(), &["--json", "ls", "--parquet", file.to_str().unwrap()]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap()["rows"], 2);
    assert!(std::fs::read(&file).unwrap().starts_with(b"PAR1"));
}
