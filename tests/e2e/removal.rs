//! The trash, and deleting for good: whole or gone, whoever dies and whoever comes late.

use neptune_core::{
    ErrorKind, Mode, Session,
    store::{ErrorKind as StoreErrorKind, ExperimentQuery},
};
use neptune_tests::{Folder, Trainer, copy};

/// The short ids that a list without wishes shows, the newest first.
fn listed(folder: &Folder) -> Vec<String> {
    let table = folder.store().experiments(&ExperimentQuery::default()).unwrap();
    table.rows.into_iter().map(|row| row.short_id).collect()
}

/// Logs an experiment with something of everything and ends it; returns its short id.
fn logged(session: &Session, artifact: &[u8]) -> String {
    let experiment = session.experiment().without_hardware().start().unwrap();
    experiment.log_metric("loss", 0.5);
    experiment.add_tags(["t"]);
    experiment.log_artifact(artifact, Some("notes.txt")).unwrap();
    let id = experiment.short_id().unwrap().to_owned();
    experiment.stop().unwrap();
    id
}

fn objects(folder: &Folder) -> usize {
    let is_object = |path: &std::path::PathBuf| path.components().any(|part| part.as_os_str() == "objects");
    folder.files("").into_iter().filter(|path| is_object(path) && !path.ends_with("lock")).count()
}

#[test]
fn what_is_in_the_trash_is_left_out_of_lists_and_comes_back_as_it_was() {
    let folder = Folder::new();
    let session = folder.session();
    let ids = [logged(&session, b"1"), logged(&session, b"2"), logged(&session, b"3")];
    session.trash(&ids[..2]).unwrap();
    session.trash(&ids[..1]).unwrap();
    assert_eq!(listed(&folder), ["E2E-3"]);
    let project = session.project("tests/e2e").unwrap();
    let asked = ExperimentQuery::default().filter("sys/trashed = true AND sys/state = \"succeeded\"".parse().unwrap());
    assert_eq!(project.experiments(asked).unwrap().rows.len(), 2, "they are found by asking, and still succeeded");
    assert_eq!(session.get("E2E-1").unwrap().short_id(), "E2E-1", "and by their ids");
    session.restore(&ids).unwrap();
    assert_eq!(listed(&folder), ["E2E-3", "E2E-2", "E2E-1"]);
    assert_eq!(session.trash(["E2E-9"]).unwrap_err().kind(), ErrorKind::NotFound);
    let offline = folder.builder().mode(Mode::Offline).open().unwrap();
    assert_eq!(offline.trash(["E2E-1"]).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_deleted_experiment_is_gone_with_its_files_and_its_id_is_not_given_again() {
    let folder = Folder::new();
    let session = folder.session();
    let first = logged(&session, b"only here");
    let second = logged(&session, b"shared");
    let third = logged(&session, b"shared");
    assert_eq!(objects(&folder), 2);
    let uuid = session.get(&first).unwrap().id().to_string();
    session.delete([&first, &second]).unwrap();
    assert_eq!(objects(&folder), 1, "what another experiment needs stays");
    assert_eq!(listed(&folder), [third.as_str()]);
    for id in [&first, &uuid] {
        assert_eq!(session.get(id).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(session.delete([id]).unwrap_err().kind(), ErrorKind::NotFound);
    }
    let again = session.attach(&uuid).start().unwrap_err();
    assert!(again.kind() == ErrorKind::NotFound && again.to_string().contains("was deleted"), "{again}");
    assert_eq!(logged(&session, b"4"), "E2E-4");
    session.delete(["E2E-4", "e2e-4"]).unwrap();
    assert_eq!(logged(&session, b"5"), "E2E-5", "the number of the newest is not given again either");
}

#[test]
fn an_experiment_that_somebody_writes_to_is_not_deleted_and_nor_are_those_named_with_it() {
    let folder = Folder::new();
    let session = folder.session();
    let ended = logged(&session, b"1");
    let mut trainer = Trainer::start("paced", [folder.path().to_str().unwrap(), "embedded"]);
    assert_eq!(trainer.line(), "0");
    let refused = session.delete([ended.as_str(), "E2E-2"]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    let message = refused.to_string();
    assert!(message.contains(&format!("process {} on ", trainer.pid())) && message.contains("E2E-2"), "{message}");
    assert_eq!(listed(&folder), ["E2E-2", "E2E-1"], "nothing was deleted");
    trainer.kill();
    session.delete([ended.as_str(), "E2E-2"]).unwrap();
    assert!(listed(&folder).is_empty());
    assert!(folder.files(".jnl").is_empty(), "what the dead process left goes too");
    session.recover(|_| ()).unwrap();
    assert!(listed(&folder).is_empty());
}

#[test]
fn a_journal_that_comes_after_its_experiment_was_deleted_is_thrown_away() {
    let folder = Folder::new();
    let session = folder.session();
    let mut trainer = Trainer::start("paced", [folder.path().to_str().unwrap(), "embedded"]);
    while trainer.line() != "50" {}
    trainer.kill();
    // As if it had been on another machine until now.
    let elsewhere = folder.path().with_file_name("elsewhere");
    copy(&folder.path().join("journals"), &elsewhere);
    session.recover(|_| ()).unwrap();
    session.delete(["E2E-1"]).unwrap();
    copy(&elsewhere, &folder.path().join("journals"));
    let recovered = session.recover(|_| ()).unwrap();
    assert_eq!(recovered.len(), 1);
    assert!(recovered[0].deleted && recovered[0].records == 0, "{recovered:?}");
    assert!(listed(&folder).is_empty());
    assert!(folder.files(".jnl").is_empty());
}

#[test]
fn whoever_is_killed_while_deleting_leaves_an_experiment_whole_or_gone() {
    for (point, is_gone) in
        [("delete-begun", false), ("delete-removed", false), ("delete-committed", true), ("delete-journals", true)]
    {
        let folder = Folder::new();
        let path = folder.path().to_str().unwrap();
        let mut trainer = Trainer::start("paced", [path, "embedded"]);
        while trainer.line() != "20" {}
        trainer.kill();
        let deleting = Trainer::start("delete-killed-at", [path, "E2E-1", point]);
        assert!(!deleting.wait().success(), "{point} was never reached");
        let session = folder.session();
        session.recover(|_| ()).unwrap();
        if is_gone {
            assert!(listed(&folder).is_empty(), "{point}");
            let error = folder.store().find("E2E-1").unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::NotFound);
        } else {
            assert_eq!(listed(&folder), ["E2E-1"], "{point}");
            assert!(folder.series("train/loss").len() > 10, "{point}: all of it is there");
            session.delete(["E2E-1"]).unwrap();
        }
        assert!(folder.files(".jnl").is_empty(), "{point}");
    }
}

#[test]
fn many_that_delete_and_log_at_once_leave_what_was_not_deleted() {
    let folder = Folder::new();
    let session = folder.session();
    let ids: Vec<String> = (0..12).map(|number: u8| logged(&session, &[number])).collect();
    std::thread::scope(|scope| {
        for half in ids.chunks(4).take(2) {
            let session = folder.session();
            scope.spawn(move || half.iter().for_each(|id| session.delete([id]).unwrap()));
        }
        let session = folder.session();
        scope.spawn(move || (0..4_u8).for_each(|number| drop(logged(&session, &[100 + number]))));
    });
    let mut left = listed(&folder);
    left.sort_by_key(|id| id[4..].parse::<u32>().unwrap());
    let expected: Vec<String> = (9..=16).map(|number| format!("E2E-{number}")).collect();
    assert_eq!(left, expected);
    assert_eq!(objects(&folder), 8);
}
