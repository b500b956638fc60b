//! The trash and deleting, by the program.

use std::path::Path;

use neptune_core::{Mode, Session};

use crate::run::{printed, said};

/// The ids in a list, the newest first.
fn listed(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let document: serde_json::Value =
        serde_json::from_str(&printed(folder, &[&["ls", "--json"], arguments].concat())).unwrap();
    let experiments = document["experiments"].as_array().unwrap();
    experiments.iter().map(|experiment| experiment["id"].as_str().unwrap().to_owned()).collect()
}

fn with_experiments(folder: &Path, count: usize) {
    let session = Session::builder().folder(folder).project("tests/files").mode(Mode::Embedded).open().unwrap();
    for _ in 0..count {
        session.experiment().without_hardware().start().unwrap().stop().unwrap();
    }
}

#[test]
fn experiments_go_to_the_trash_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_experiments(folder, 3);
    assert_eq!(printed(folder, &["trash", "FIL-1", "latest"]), "FIL-1 moved to the trash\nFIL-3 moved to the trash\n");
    assert_eq!(listed(folder, &[]), ["FIL-2"]);
    assert_eq!(listed(folder, &["--trashed"]), ["FIL-3", "FIL-1"]);
    assert_eq!(listed(folder, &["--trashed", "--filter", "sys/state = \"failed\""]), Vec::<String>::new());
    assert_eq!(listed(folder, &["--all"]), ["FIL-3", "FIL-2", "FIL-1"]);
    assert_eq!(printed(folder, &["restore", "FIL-3"]), "FIL-3 restored\n");
    assert_eq!(listed(folder, &[]), ["FIL-3", "FIL-2"]);
    let wrong = said(folder, &["trash", "FIL-2", "FIL-9"], 3);
    assert!(wrong.contains("FIL-9"), "{wrong}");
    assert_eq!(listed(folder, &[]), ["FIL-3", "FIL-2"], "a wrong id changes nothing");
}

#[test]
fn deleting_needs_a_yes_and_leaves_alone_who_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_experiments(folder, 2);
    let refused = said(folder, &["delete", "FIL-1"], 2);
    assert!(refused.contains("--yes"), "{refused}");
    let document: serde_json::Value =
        serde_json::from_str(&printed(folder, &["--json", "delete", "-y", "FIL-1", "FIL-1"])).unwrap();
    assert_eq!(document["experiments"].as_array().unwrap().len(), 1, "{document}");
    assert_eq!(listed(folder, &["--all"]), ["FIL-2"]);
    let session = Session::builder().folder(folder).project("tests/files").mode(Mode::Embedded).open().unwrap();
    let running = session.experiment().without_hardware().start().unwrap();
    let refused = said(folder, &["delete", "--yes", "FIL-2", "FIL-3"], 1);
    let pid = std::process::id().to_string();
    assert!(refused.contains(&pid) && refused.contains("neptune abort FIL-3"), "{refused}");
    running.stop().unwrap();
    assert_eq!(printed(folder, &["delete", "--yes", "FIL-2", "FIL-3"]), "FIL-2 deleted\nFIL-3 deleted\n");
    assert!(said(folder, &["trash", "FIL-2"], 3).contains("FIL-2"));
}
