//! Signals: recorded and passed on, so that the process dies as it would have without neptune.

use std::os::unix::process::ExitStatusExt as _;

use neptune_core::Mode;
use neptune_tests::{Folder, Trainer, wait_for};
use rustix::process::{Pid, Signal, kill_process};

fn start(folder: &Folder, how: &str) -> Trainer {
    let mut trainer = Trainer::start("signalled", [folder.path().to_str().unwrap(), how]);
    assert_eq!(trainer.line(), "ready");
    trainer
}

fn send(trainer: &Trainer, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(trainer.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_process_that_is_told_to_die_dies_of_that_signal_and_its_experiment_is_aborted() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT"), (Signal::HUP, "SIGHUP")] {
        let folder = Folder::new();
        let trainer = start(&folder, "nothing");
        send(&trainer, signal);
        assert_eq!(trainer.wait().signal(), Some(signal.as_raw()), "{name}");
        // Nobody recovered anything yet.
        assert_eq!(folder.text("sys/state"), "aborted");
        assert_eq!(folder.text("sys/failure"), format!("the process was told to end by {name}"));
        assert_eq!(folder.series("train/loss").len(), 1000);
        assert!(folder.files(".jnl").is_empty());
    }
}

#[test]
fn an_offline_experiment_is_aborted_by_a_signal_too() {
    let folder = Folder::new();
    let trainer = start(&folder, "offline");
    send(&trainer, Signal::TERM);
    assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()));
    folder.session().recover(|_| ()).unwrap();
    assert_eq!(folder.text("sys/state"), "aborted");
    assert_eq!(folder.series("train/loss").len(), 1000);
}

#[test]
fn a_handler_of_the_program_keeps_the_signal_whenever_it_was_installed() {
    for how in ["before", "after", "chained"] {
        let folder = Folder::new();
        let mut trainer = start(&folder, how);
        send(&trainer, Signal::TERM);
        assert_eq!(trainer.line(), format!("saw {}", Signal::TERM.as_raw()), "{how}");
        assert_eq!(trainer.wait().code(), Some(0), "{how}");
        assert_eq!(folder.text("sys/state"), "aborted");
        assert_eq!(folder.text("sys/failure"), "by its own handler", "{how}");
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let folder = Folder::new();
    let trainer = start(&folder, "ignored");
    send(&trainer, Signal::HUP);
    send(&trainer, Signal::TERM);
    assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()));
    assert_eq!(folder.text("sys/failure"), "the process was told to end by SIGTERM");
}

#[test]
fn signals_that_are_left_alone_kill_and_the_experiment_is_found_dead() {
    let folder = Folder::new();
    let trainer = start(&folder, "off");
    send(&trainer, Signal::TERM);
    assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()));
    folder.session().recover(|_| ()).unwrap();
    assert_eq!(folder.text("sys/state"), "failed");
    assert_eq!(folder.series("train/loss").len(), 1000);
}

#[test]
fn an_end_that_takes_too_long_does_not_keep_the_process_alive_and_nothing_is_lost() {
    let folder = Folder::new();
    let trainer = start(&folder, "stuck");
    send(&trainer, Signal::TERM);
    assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()));
    folder.session().recover(|_| ()).unwrap();
    assert_eq!(folder.text("sys/failure"), "its process ended without stopping it: killed by SIGTERM");
    assert_eq!(folder.series("train/loss").len(), 1000);
}

#[test]
fn a_second_signal_does_not_wait() {
    let folder = Folder::new();
    let trainer = start(&folder, "stuck");
    send(&trainer, Signal::INT);
    // Two signals at once have no order: the first is noted before the second is sent.
    wait_for("a note of the first", || {
        let noted = std::fs::read(&folder.files("lost")[0]).unwrap();
        (noted[510 * 8] != 0).then_some(())
    });
    send(&trainer, Signal::TERM);
    assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()), "it died of the second");
    folder.session().recover(|_| ()).unwrap();
    assert!(folder.text("sys/failure").ends_with("killed by SIGINT"), "{}", folder.text("sys/failure"));
}

#[test]
fn a_signal_during_stop_waits_for_it_and_the_process_dies_of_it() {
    for how in ["stopping", "returns"] {
        let folder = Folder::new();
        let mut trainer = start(&folder, how);
        if how == "stopping" {
            assert_eq!(trainer.line(), "stopping");
        }
        send(&trainer, Signal::TERM);
        assert_eq!(trainer.line(), "", "{how}: stop returned in a process that is to die");
        assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()), "{how}");
        let state = if how == "stopping" { "succeeded" } else { "aborted" };
        assert_eq!(folder.text("sys/state"), state, "{how}");
        assert_eq!(folder.series("train/loss").len(), 1000);
    }
}

#[test]
fn a_signal_at_any_moment_of_the_start_kills_and_leaves_nothing_half() {
    for round in 0..10 {
        let folder = Folder::new();
        let trainer = Trainer::start("signalled", [folder.path().to_str().unwrap(), "nothing"]);
        neptune_tests::pause(std::time::Duration::from_micros(500 * round));
        send(&trainer, Signal::TERM);
        assert_eq!(trainer.wait().signal(), Some(Signal::TERM.as_raw()));
        let session = folder.session();
        session.recover(|_| ()).unwrap();
        assert!(session.survey().unwrap().journals.is_empty());
        for row in folder.store().experiments(&neptune_core::store::ExperimentQuery::default()).unwrap().rows {
            let state = session.get(&row.short_id).unwrap().state().unwrap();
            assert_ne!(state, neptune_core::ExperimentState::Running);
        }
    }
}

#[test]
fn a_forked_child_that_is_told_to_die_does_not_end_the_experiment_of_its_parent() {
    let folder = Folder::new();
    let mut trainer = Trainer::start("signalled", [folder.path().to_str().unwrap(), "forked"]);
    assert_eq!(trainer.line(), format!("the child died of {}", Signal::TERM.as_raw()));
    assert_eq!(trainer.line(), "ended: false");
    trainer.wait();
}

#[test]
fn in_debug_mode_nothing_is_taken() {
    let folder = Folder::new();
    let session = folder.builder().mode(Mode::Debug).open().unwrap();
    let experiment = session.experiment().start().unwrap();
    // The test would not outlive a thread that waits for signals to end it; there is none.
    let names = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default().trim().to_owned());
    assert!(names.into_iter().all(|name| name != "neptune:signals"));
    experiment.stop().unwrap();
}
