//! Aborting from outside.

use std::{sync::mpsc, time::Duration};

use neptune_core::ErrorKind;
use neptune_tests::{Folder, Trainer};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_program_in_another_process_hears_that_it_is_to_abort_and_ends_aborted() {
    let folder = Folder::new();
    let mut trainer = Trainer::start("listens", [folder.path()]);
    assert_eq!(trainer.line(), "ready");
    assert_eq!(folder.session().request_abort("E2E-1", "the loss is NaN").unwrap(), 1);
    assert!(trainer.wait().success());
    assert_eq!(folder.text("sys/state"), "aborted");
    assert_eq!(folder.text("sys/failure"), "the loss is NaN");
}

#[test]
fn whoever_listens_is_told_once_also_when_it_was_asked_for_before() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    let (send, told) = mpsc::sync_channel(16);
    let listen = |who: u32| {
        let send = send.clone();
        experiment.on_abort(move |reason| send.send((who, reason.to_owned())).unwrap());
    };
    listen(1);
    assert_eq!(experiment.abort_requested(), None);
    experiment.request_abort("first");
    experiment.request_abort("second");
    assert_eq!(told.recv_timeout(SOON).unwrap(), (1, "first".to_owned()));
    listen(2);
    assert_eq!(told.recv_timeout(SOON).unwrap(), (2, "first".to_owned()));
    assert_eq!(experiment.abort_requested().as_deref(), Some("first"));
    session.request_abort(experiment.short_id().unwrap(), "third").unwrap();
    assert!(told.recv_timeout(Duration::from_millis(700)).is_err(), "told again");
    experiment.stop().unwrap();
    assert_eq!(folder.text("sys/state"), "succeeded", "who is asked decides");
}

#[test]
fn a_run_that_heard_of_it_and_returned_is_aborted_and_one_that_did_not_is_done() {
    let folder = Folder::new();
    let session = folder.session();
    let states = |listen: bool| {
        let experiment = session.experiment().start().unwrap();
        let key = experiment.short_id().unwrap().to_owned();
        let outcome = experiment.run(|experiment| {
            experiment.request_abort("enough");
            if listen {
                assert_eq!(experiment.abort_requested().as_deref(), Some("enough"));
            }
            Ok::<_, String>(3)
        });
        assert_eq!(outcome, Ok(3));
        let store = folder.store();
        let state = store.variable(&store.find(&key).unwrap(), "sys/state").unwrap().value;
        format!("{state:?}")
    };
    assert!(states(true).contains("aborted"));
    assert!(states(false).contains("succeeded"));
}

#[test]
fn an_experiment_that_does_not_run_has_nobody_to_ask() {
    let folder = Folder::new();
    let session = folder.session();
    session.experiment().start().unwrap().stop().unwrap();
    assert_eq!(session.request_abort("E2E-1", "late").unwrap(), 0);
    assert_eq!(session.request_abort("E2E-7", "none").unwrap_err().kind(), ErrorKind::NotFound);
    let again = session.attach("E2E-1").start().unwrap();
    assert_eq!(again.abort_requested(), None, "a request does not outlive the process that it was for");
    again.stop().unwrap();
}

#[test]
fn callbacks_that_hold_the_experiment_do_not_keep_it_from_going_away() {
    let folder = Folder::new();
    let session = folder.session();
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    session.experiment().start().unwrap().stop().unwrap();
    let before = open_files();
    for _ in 0..20 {
        let experiment = session.experiment().start().unwrap();
        let (one, two) = (experiment.handle(), experiment.handle());
        experiment.on_abort(move |reason| one.log_text("aborted", reason));
        experiment.before_flush(move || two.log_metric("flushes", 1.0));
        experiment.stop().unwrap();
    }
    assert!(open_files() < before + 10, "{before} files were open, and {} are", open_files());
}

#[test]
fn a_callback_that_panics_does_not_keep_others_from_hearing_of_it() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let (send, told) = mpsc::sync_channel(1);
    experiment.on_abort(|_| panic!("on purpose"));
    experiment.on_abort(move |reason| send.send(reason.to_owned()).unwrap());
    experiment.request_abort("stop");
    assert_eq!(told.recv_timeout(SOON).unwrap(), "stop");
    experiment.stop().unwrap();
}
