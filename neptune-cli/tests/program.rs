//! The program as people and scripts run it: what it prints, and how it exits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    path::Path,
    process::{Command, Output},
};

use neptune_core::{Mode, Session};

fn neptune(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neptune"));
    command.arg("--dir").arg(folder).args(arguments).env("NO_COLOR", "1").env_remove("NEPTUNE_DIR");
    command.output().unwrap()
}

/// What the program printed, when it ended well.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = neptune(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&printed(folder, arguments)).unwrap()
}

fn session(folder: &Path, mode: Mode) -> Session {
    Session::builder().folder(folder).project("tests/program").mode(mode).open().unwrap()
}

/// Two experiments: one that succeeded, and one that failed, with a name that would move the cursor.
fn two_experiments(folder: &Path) {
    let session = session(folder, Mode::Embedded);
    let experiment =
        session.experiment().name("first").params(&serde_json::json!({ "rate": 0.25 })).tags(["cnn"]).start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for step in 1..=100_u32 {
        loss.append_at(step, 1.0 / f64::from(step));
    }
    experiment.log_text("notes", "a line");
    experiment.stop().unwrap();
    session.experiment().name("evil \u{1b}[2J name").start().unwrap().fail("out of memory").unwrap();
}

#[test]
fn a_folder_without_a_store_exits_with_3_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let output = neptune(&folder.path().join("none"), &["ls"]);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("log an experiment there first"), "{error}");
    assert!(!folder.path().join("none").exists(), "a reading command makes nothing");
}

#[test]
fn experiments_are_listed_filtered_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let table = printed(folder.path(), &["ls"]);
    assert!(table.contains("PRO-1") && table.contains("PRO-2") && table.contains("first"), "{table}");
    assert!(!table.contains('\u{1b}'), "an escape code reached the terminal");
    let filtered =
        json(folder.path(), &["--json", "ls", "--filter", "`train/loss`:float < 0.3 AND sys/tags CONTAINS \"cnn\""]);
    assert!(filtered.to_string().contains("PRO-1") && !filtered.to_string().contains("PRO-2"), "{filtered}");
    let shown = printed(folder.path(), &["show", "PRO-1"]);
    for expected in ["succeeded", "rate", "0.25", "train/loss", "cnn"] {
        assert!(shown.contains(expected), "{expected} is missing in:\n{shown}");
    }
    let failed = printed(folder.path(), &["show", "latest"]);
    assert!(failed.contains("failed") && failed.contains("out of memory"), "{failed}");
    assert!(json(folder.path(), &["--json", "show", "PRO-1"]).to_string().contains("\"train/loss\""));
}

#[test]
fn what_is_not_there_exits_with_3_and_a_wrong_query_with_2() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let missing = neptune(folder.path(), &["show", "PRO-9"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("did you mean \"PRO-"));
    let wrong = neptune(folder.path(), &["ls", "--filter", "`train/loss`:floaty < 0.3"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains('^'), "the column is pointed at");
    assert_eq!(neptune(folder.path(), &["lss"]).status.code(), Some(2));
}

#[test]
fn points_are_followed_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let tail = printed(folder.path(), &["tail", "PRO-1", "train/loss", "-n", "3"]);
    assert_eq!(tail.lines().filter(|line| line.contains("0.01")).count(), 3, "{tail}");
    assert!(printed(folder.path(), &["tail", "PRO-1", "notes"]).contains("a line"), "a name stands for logs/NAME");
    let csv = printed(folder.path(), &["export", "PRO-1", "train/loss"]);
    assert_eq!(csv.lines().count(), 101);
    let file = folder.path().join("run.parquet");
    printed(folder.path(), &["export", "PRO-1", "-o", file.to_str().unwrap()]);
    assert!(std::fs::read(file).unwrap().starts_with(b"PAR1"));
}

#[test]
fn an_offline_journal_is_reported_by_doctor_and_drained_by_sync() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Offline).experiment().name("on a plane").start().unwrap();
    experiment.log_metric("loss", 0.5);
    experiment.stop().unwrap();
    let waiting = neptune(folder.path(), &["doctor"]);
    assert_eq!(waiting.status.code(), Some(4), "{}", String::from_utf8_lossy(&waiting.stdout));
    assert!(String::from_utf8_lossy(&waiting.stdout).contains("--repair"));
    let synced = printed(folder.path(), &["sync"]);
    assert!(synced.contains("PRO-1"), "{synced}");
    assert_eq!(neptune(folder.path(), &["doctor"]).status.code(), Some(0));
    assert!(printed(folder.path(), &["ls"]).contains("on a plane"));
    printed(folder.path(), &["gc"]);
    assert!(printed(folder.path(), &["show", "PRO-1"]).contains("logs/loss"));
}
