//! Time travel by the program: what it prints, and how it exits.

use std::path::Path;

use neptune_core::{Mode, Session};

use crate::run::{printed, said};

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&printed(folder, &[&["--json"], arguments].concat())).unwrap()
}

/// An experiment `TRA-1` with the steps 0 to 99 of `logs/loss`.
fn hundred(folder: &Path) {
    let session = Session::builder().folder(folder).project("tests/travel").mode(Mode::Embedded).open().unwrap();
    let experiment = session.experiment().without_hardware().start().unwrap();
    for step in 0..100_u32 {
        experiment.log_metric_at("loss", step, step);
    }
    experiment.stop().unwrap();
}

/// The last point of a series.
fn last(folder: &Path, id: &str, path: &str) -> String {
    printed(folder, &["tail", id, path, "-n", "1"])
}

#[test]
fn an_experiment_is_rewound_and_its_points_come_back_until_gc() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    hundred(folder);
    assert_eq!(printed(folder, &["rewind", "TRA-1", "--step", "49"]), "TRA-1: rewound to step 49, 50 points deleted\n");
    assert!(last(folder, "TRA-1", "loss").contains("49"));
    let list = printed(folder, &["revisions", "latest"]);
    assert!(list.contains("rewound to step 49") && list.contains("can be undone"), "{list}");
    assert_eq!(printed(folder, &["undo", "TRA-1"]), "TRA-1: undone: rewound to step 49\n");
    assert!(last(folder, "TRA-1", "loss").contains("99"));
    assert!(said(folder, &["undo", "TRA-1"], 3).contains("nothing to undo"));

    printed(folder, &["delete-points", "TRA-1", "loss", "--from", "90"]);
    printed(folder, &["delete-points", "TRA-1", "loss", "--from=-5", "--to", "9"]);
    let revisions = json(folder, &["revisions", "TRA-1"]);
    let of = |number: usize, field: &str| revisions["revisions"][number][field].clone();
    assert_eq!((of(0, "kind"), of(0, "undone")), ("rewound".into(), true.into()));
    assert_eq!((of(1, "kind"), of(1, "points")), ("points_deleted".into(), 10.into()));
    assert_eq!(of(2, "change"), serde_json::json!({ "path": "logs/loss", "from": -5, "to": 9 }));
    printed(folder, &["undo", "TRA-1", "2"]);
    let would = json(folder, &["gc", "--dry-run"]);
    assert_eq!(would["purged_points"], 10);
    let done = json(folder, &["gc"]);
    assert_eq!(done["purged_points"], 10);
    assert!(done["purged_bytes"].as_u64().unwrap() > 0);
    assert!(said(folder, &["undo", "TRA-1", "3"], 2).contains("gc"), "what gc removed is gone");
    assert!(said(folder, &["undo", "TRA-1", "9"], 3).contains("no change 9"));
    assert!(printed(folder, &["revisions", "TRA-1"]).contains("removed by gc"));
    assert_eq!(printed(folder, &["tail", "TRA-1", "loss", "-n", "200"]).lines().count(), 90);
}

#[test]
fn what_is_said_about_a_change_is_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    hundred(folder);
    let editor = Session::builder().folder(folder).mode(Mode::Embedded).open().unwrap().edit("TRA-1").start().unwrap();
    editor.log_artifact(&b"weights"[..], Some("model.bin")).unwrap();
    editor.stop().unwrap();
    for (arguments, about) in [
        (&["rewind", "TRA-1", "--step", "49"][..], "neptune: `neptune undo TRA-1 1` undoes it, until `neptune gc`\n"),
        (
            &["delete-points", "TRA-1", "loss", "--to", "9"],
            "neptune: `neptune undo TRA-1 2` undoes it, until `neptune gc`\n",
        ),
        (
            &["fork", "TRA-1", "--step", "20"],
            "neptune: log to it with `attach(\"TRA-2\")` or NEPTUNE_EXPERIMENT_ID=TRA-2\n",
        ),
        (&["delete-artifacts", "TRA-1", "model.bin"], "neptune: what other experiments need of it stays on the disk\n"),
    ] {
        let told = said(folder, &[arguments, &["--color", "always"]].concat(), 0);
        assert!(told.contains(about), "{told}");
    }
}

#[test]
fn an_experiment_is_forked_and_a_variable_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    hundred(folder);
    assert_eq!(
        printed(folder, &["fork", "TRA-1", "--step", "9.5", "--name", "branch"]),
        "TRA-2 goes on from TRA-1 at step 9.5\n"
    );
    assert!(last(folder, "TRA-2", "loss").contains('9'));
    let shown = printed(folder, &["show", "TRA-2", "--no-chart"]);
    assert!(shown.contains("forked_from") && shown.contains("branch"), "{shown}");
    // Nobody trained it: it has no verdict, and the code of this program is not its own.
    assert!(shown.contains("state    new") && !shown.contains("took"), "{shown}");
    let shown = json(folder, &["show", "TRA-2"]);
    assert_eq!((&shown["state"], &shown["ended"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let variables: Vec<&String> = shown["variables"].as_object().unwrap().keys().collect();
    assert!(!variables.iter().any(|path| path.starts_with("source_code") || path.starts_with("monitoring")), "{shown}");
    let listed = json(folder, &["ls", "--id", "TRA-2"]);
    assert_eq!(listed["experiments"][0]["state"], serde_json::Value::Null, "{listed}");
    assert!(said(folder, &["abort", "TRA-2"], 5).is_empty());
    let renamed = printed(folder, &["rename", "TRA-2", "loss", "train/loss"]);
    assert_eq!(renamed, "TRA-2: logs/loss renamed to train/loss\n");
    assert!(last(folder, "TRA-2", "train/loss").contains('9'));
    assert!(last(folder, "TRA-1", "logs/loss").contains("99"), "the other is as it was");
    printed(folder, &["undo", "TRA-2"]);
    assert!(last(folder, "TRA-2", "logs/loss").contains('9'));
    assert_eq!(json(folder, &["fork", "TRA-2", "--step", "3"])["forked_from"], "TRA-2");
}

#[test]
fn wrong_words_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    hundred(folder);
    assert!(said(folder, &["rewind", "TRA-1"], 2).contains("--step"));
    said(folder, &["rewind", "TRA-1", "--step", "NaN"], 2);
    said(folder, &["fork", "TRA-1", "--step", "inf"], 2);
    assert!(said(folder, &["fork", "TRA-9", "--step", "1"], 3).contains("TRA-1"));
    assert!(said(folder, &["rename", "TRA-1", "logs/los", "loss"], 3).contains("logs/loss"));
    assert!(said(folder, &["rename", "TRA-1", "logs/loss", "a//b"], 2).contains("path"));
    assert!(said(folder, &["rename", "TRA-1", "logs/loss", "sys/loss"], 2).contains("keeps its name"));
    assert!(said(folder, &["delete-points", "TRA-1", "los"], 3).contains("loss"));
    assert!(said(folder, &["delete-points", "TRA-1", "loss", "--from", "3", "--to", "2"], 2).contains("greater"));
    assert!(said(folder, &["delete-points", "TRA-1", "sys/owner"], 1).contains("only a series"));
    assert_eq!(json(folder, &["revisions", "TRA-1"])["revisions"], serde_json::json!([]));
    assert!(last(folder, "TRA-1", "loss").contains("99"));
}
