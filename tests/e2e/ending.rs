//! How experiments end: the state tells what happened.

use std::time::Duration;

use neptune_core::{ErrorKind, LostReason};
use neptune_tests::{Folder, Trainer, pause};

#[test]
fn a_stopped_experiment_has_succeeded_and_leaves_no_journal() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().name("one").start().unwrap();
    experiment.log_metric("loss", 0.5);
    assert!(experiment.stop().unwrap().is_empty());
    assert_eq!(folder.text("sys/state"), "succeeded");
    assert_eq!(folder.files(".jnl").len(), 0);
}

#[test]
fn a_failed_experiment_keeps_the_reason() {
    let folder = Folder::new();
    folder.session().experiment().start().unwrap().fail("no space for the batch").unwrap();
    assert_eq!(folder.text("sys/state"), "failed");
    assert_eq!(folder.text("sys/failure"), "no space for the batch");
}

#[test]
fn an_aborted_experiment_is_not_failed() {
    let folder = Folder::new();
    folder.session().experiment().start().unwrap().abort("enough seen").unwrap();
    assert_eq!(folder.text("sys/state"), "aborted");
}

#[test]
fn an_early_return_does_not_look_like_success() {
    fn train(folder: &Folder) -> Result<(), std::num::ParseIntError> {
        let experiment = folder.session().experiment().start().unwrap();
        experiment.log_metric("loss", 0.5);
        let _epochs: u32 = "many".parse()?;
        experiment.stop().unwrap();
        Ok(())
    }
    let folder = Folder::new();
    assert!(train(&folder).is_err());
    assert_eq!(folder.text("sys/state"), "failed");
    assert!(folder.text("sys/failure").contains("dropped without `stop`"));
    assert_eq!(folder.series("logs/loss").len(), 1);
}

#[test]
fn the_closure_form_ends_the_experiment_by_what_came_of_it() {
    let folder = Folder::new();
    let answer = folder.session().experiment().start().unwrap().run(|experiment| {
        experiment.log_metric("loss", 0.5);
        Ok::<_, String>(42)
    });
    assert_eq!(answer, Ok(42));
    let error = folder.session().experiment().start().unwrap().run(|_| Err::<(), _>("no such data set"));
    assert_eq!(error, Err("no such data set"));
    let panic = std::panic::catch_unwind(|| {
        folder.session().experiment().start().unwrap().run(|_| -> Result<(), String> { panic!("index out of range") })
    });
    assert!(panic.is_err(), "the panic goes on");

    let store = folder.store();
    let text = |id: &str, path: &str| {
        let variable = store.variable(&store.find(id).unwrap(), path).unwrap();
        match variable.value {
            neptune_core::store::read::VariableValue::Atom(value) => value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(text("E2E-1", "sys/state"), "succeeded");
    assert_eq!(text("E2E-2", "sys/failure"), "no such data set");
    assert_eq!(text("E2E-3", "sys/state"), "failed");
    assert!(text("E2E-3", "sys/failure").starts_with("panicked: index out of range at "));
}

#[test]
fn a_process_that_panics_leaves_its_message() {
    let folder = Folder::new();
    assert!(!Trainer::start("panic", [folder.path()]).wait().success());
    assert_eq!(folder.text("sys/state"), "failed");
    assert!(folder.text("sys/failure").starts_with("panicked: the gradient exploded at "));
}

#[test]
fn what_is_logged_after_the_end_is_counted() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let series = experiment.series::<f64>("train/loss").unwrap();
    series.append(1.0);
    experiment.stop().unwrap();
    series.append(2.0);
    assert_eq!(series.all().unwrap().len(), 1);
}

#[test]
fn a_finished_experiment_can_be_attached_to_and_goes_on_behind_its_last_step() {
    let folder = Folder::new();
    let session = folder.session();
    let first = session.experiment().start().unwrap();
    let id = first.short_id().unwrap().to_owned();
    first.series::<f64>("train/loss").unwrap().append_at(41, 0.5);
    first.fail("preempted").unwrap();

    let resumed = session.attach(&id).start().unwrap();
    assert_eq!(folder.text("sys/state"), "running");
    let series = resumed.series::<f64>("train/loss").unwrap();
    series.append(0.4);
    assert_eq!(series.last().unwrap().step, 42.0);
    assert_eq!(
        resumed.series::<String>("train/loss").unwrap_err().kind(),
        ErrorKind::TypeConflict,
        "the type of a variable that was written before is known"
    );
    resumed.stop().unwrap();
    assert_eq!(folder.text("sys/state"), "succeeded", "an earlier death is forgotten");
}

#[test]
fn a_finished_experiment_takes_a_late_value_at_an_older_step() {
    let folder = Folder::new();
    let session = folder.session();
    let first = session.experiment().start().unwrap();
    let loss = first.series::<f64>("train/loss").unwrap();
    (0..10_u32).for_each(|step| loss.append_at(step, f64::from(step)));
    first.stop().unwrap();
    let late = session.edit("E2E-1").start().unwrap();
    late.series::<f64>("train/loss").unwrap().append_at(3, 33.0);
    late.series::<f64>("train/loss").unwrap().append_at(3.5, 35.0);
    late.stop().unwrap();
    let points = session.get("E2E-1").unwrap().series::<f64>("train/loss").unwrap();
    let found: Vec<(f64, f64)> = points.iter().map(|point| (point.step, point.value)).collect();
    assert_eq!((found.len(), found[3], found[4], found[10]), (11, (3.0, 33.0), (3.5, 35.0), (9.0, 9.0)));
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn a_store_that_cannot_be_written_keeps_everything_in_the_journal() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().stop_deadline(Duration::from_millis(300)).start().unwrap();
    let series = experiment.series::<f64>("train/loss").unwrap();
    let blocker = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..500_u32 {
        series.append(f64::from(number));
    }
    let error = experiment.flush(Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert!(experiment.stop().unwrap().is_empty(), "waiting for the store is no loss");
    drop(blocker);
    for _ in 0..100 {
        if folder.files(".jnl").is_empty() {
            break;
        }
        pause(Duration::from_millis(100));
    }
    session.recover(|_| ()).unwrap();
    assert_eq!(folder.series("train/loss").len(), 500);
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn a_forked_child_counts_what_it_cannot_log_and_does_not_keep_its_parent_alive() {
    let folder = Folder::new();
    let mut trainer = Trainer::start("fork", [folder.path()]);
    let mut lines = [trainer.line(), trainer.line()];
    lines.sort();
    assert_eq!(lines[0], "child logged");
    let child: i32 = lines[1].strip_prefix("parent logged, child is ").unwrap().parse().unwrap();
    trainer.kill();
    folder.session().recover(|_| ()).unwrap();
    let child = rustix::process::Pid::from_raw(child).unwrap();
    assert!(rustix::process::test_kill_process(child).is_ok(), "the child is still alive while its parent is dead");
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();

    assert_eq!(folder.text("sys/state"), "failed");
    let points = folder.series("train/loss");
    let neptune_core::store::Values::Float(values) = &points.values else { panic!("not numbers") };
    assert_eq!(*values, (0..200).map(f64::from).collect::<Vec<_>>());
    let lost = folder.store().lost(&folder.only_experiment()).unwrap();
    assert_eq!(lost.count(LostReason::Forked), 51, "what the child logged is counted in its parent's journal");
}

#[test]
fn editing_changes_variables_and_leaves_the_state_and_the_end_alone() {
    let folder = Folder::new();
    let session = folder.session();
    session.experiment().name("first").start().unwrap().fail("no more data").unwrap();
    let before = folder.store().variables(&folder.only_experiment(), "sys/").unwrap();
    let editing = session.edit("E2E-1").name("second").tags(["late"]).start().unwrap();
    assert_eq!(editing.stored().unwrap(), session.get("E2E-1").unwrap());
    editing.log_metric("late", 1.0);
    drop(editing);
    let after = folder.store().variables(&folder.only_experiment(), "sys/").unwrap();
    let changed: Vec<_> = after.iter().filter(|variable| !before.contains(variable)).map(|v| v.path.as_str()).collect();
    assert_eq!(changed, ["sys/name", "sys/tags"]);
    assert_eq!(before.len() + 1, after.len(), "nothing was removed");
    assert_eq!(session.edit("E2E-7").start().unwrap_err().kind(), ErrorKind::NotFound);
    let unknown = neptune_core::ExperimentId::new().to_string();
    assert_eq!(session.edit(&unknown).start().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn editing_while_the_experiment_runs_does_not_end_it() {
    let folder = Folder::new();
    let session = folder.session();
    let running = session.experiment().start().unwrap();
    session.edit(running.short_id().unwrap()).tags(["seen"]).start().unwrap().stop().unwrap();
    assert_eq!(running.atom("sys/state").read().unwrap(), "running".into());
    running.stop().unwrap();
    assert_eq!(session.get("E2E-1").unwrap().to_string(), "Experiment(E2E-1)");
}

#[test]
fn a_reason_of_any_length_does_not_keep_the_end_from_being_recorded() {
    let long = format!("{}\u{e9}", "x".repeat((16 << 10) - 1)) + &"y".repeat(3 << 20);
    for end in ["fail", "abort", "traceback", "run", "panic"] {
        let folder = Folder::new();
        let experiment = folder.session().experiment().start().unwrap();
        let lost = match end {
            "fail" => experiment.fail(&long).unwrap(),
            "abort" => experiment.abort(&long).unwrap(),
            "traceback" => experiment.fail_with_traceback(&long, &long).unwrap(),
            "run" => {
                assert!(experiment.run(|_| Err::<(), _>(long.clone())).is_err());
                neptune_core::LostReport::default()
            }
            _ => {
                let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    experiment.run(|_| -> Result<(), String> { panic!("{long}") })
                }));
                assert!(panicked.is_err());
                neptune_core::LostReport::default()
            }
        };
        assert!(lost.is_empty(), "{end}: {lost}");
        assert_eq!(folder.text("sys/state"), if end == "abort" { "aborted" } else { "failed" }, "{end}");
        let failure = folder.text("sys/failure");
        assert!(failure.trim_start_matches("panicked: ").starts_with("xxx") && failure.len() < 20_000, "{end}");
        if end == "traceback" {
            let neptune_core::store::Values::Text(kept) = folder.series("monitoring/traceback").values else {
                panic!()
            };
            assert!(kept[0].len() == 512 << 10 && long.starts_with(&kept[0]));
        }
    }
}

#[test]
fn a_panic_that_is_resumed_here_is_not_taken_for_an_earlier_one_of_this_thread() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    drop(std::panic::catch_unwind(|| panic!("an earlier one, which was caught")));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        experiment.run(|_| -> Result<(), String> {
            // As a pool of threads does with the panic of one of them: no hook is called in this thread.
            let other = std::thread::Builder::new().spawn(|| panic!("the one of the worker")).unwrap();
            std::panic::resume_unwind(other.join().unwrap_err())
        })
    }));
    assert!(ended.is_err());
    assert_eq!(folder.text("sys/failure"), "panicked: the one of the worker");
}
