//! Bad input, full disks and folders that cannot be used: a clear error or a counted loss, and the rest is kept.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use neptune_core::{AtomValue, ErrorKind, LostReason, Mode};
use neptune_tests::{Folder, Trainer};

#[test]
fn an_unknown_mode_names_the_modes() {
    let error = "fast".parse::<Mode>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("\"offline\", \"debug\" and \"read-only\""), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    fs::write(folder.path(), "a file is in the way").unwrap();
    let error = folder.builder().open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    assert!(error.to_string().contains("NEPTUNE_DIR"), "{error}");
}

#[test]
fn a_read_only_folder_is_named() {
    // Root writes where nobody may: the test then has nothing to show.
    if rustix::process::geteuid().is_root() {
        let folder = Folder::new();
        fs::create_dir_all(folder.path()).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs"]).arg(folder.path()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            return;
        }
        let embedded = folder.builder().open().unwrap_err();
        let offline = folder.builder().mode(Mode::Offline).open().unwrap().experiment().start().unwrap_err();
        Command::new("umount").arg(folder.path()).status().unwrap();
        for error in [embedded, offline] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
        }
    } else {
        let folder = Folder::new();
        fs::create_dir_all(folder.path()).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        let error = folder.builder().open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

#[test]
fn bad_paths_are_errors_where_handles_are_made_and_counted_where_values_are_logged() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let long = "x".repeat(1 << 20);
    for path in ["", "/loss", "train//loss", "train/", "a/../b", "a\nb", &long] {
        let error = experiment.series::<f64>(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().len() < 300, "a long path is shortened in the message");
        experiment.log_metric(path, 1.0);
        experiment.log_text(path, "text");
        experiment.atom(path).assign(1);
        experiment.set(path).add(["x"]);
        assert_eq!(experiment.atom(path).read().unwrap_err().kind(), ErrorKind::Invalid);
    }
    experiment.log_metric("fine", 1.0);
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::InvalidPath), 7 * 4);
    assert_eq!(folder.series("logs/fine").len(), 1);
}

#[test]
fn a_value_of_another_type_is_refused_and_the_first_stays() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    experiment.atom("x").assign(1);
    experiment.atom("x").assign("text");
    experiment.set("x").add(["member"]);
    experiment.log_metric("m", 1.0);
    experiment.log_text("m", "text");
    experiment.log_text("m", "more text");
    let error = experiment.series::<String>("x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TypeConflict);
    assert!(error.to_string().contains("Atom(int)") && error.to_string().contains("Series(string)"), "{error}");
    assert_eq!(experiment.atom("x").read().unwrap(), AtomValue::Int(1));
    assert_eq!(experiment.atom("logs/m").read().unwrap_err().kind(), ErrorKind::TypeConflict);
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 4);
    assert_eq!(folder.store().lost(&folder.only_experiment()).unwrap().count(LostReason::TypeConflict), 4);
}

#[test]
fn a_conflict_between_processes_is_counted_by_the_store() {
    let folder = Folder::new();
    let session = folder.session();
    let first = session.experiment().start().unwrap();
    let second = session.attach(first.short_id().unwrap()).start().unwrap();
    first.series::<f64>("x").unwrap().append(1.0);
    first.flush(std::time::Duration::from_secs(10)).unwrap();
    let text = second.series::<String>("x").unwrap();
    text.append("one");
    text.append("two");
    second.atom("x").assign(true);
    let lost = second.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 3);
    first.stop().unwrap();
    assert_eq!(folder.series("x").len(), 1);
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn steps_that_are_no_numbers_are_counted() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    loss.append_at(f64::NAN, 1.0);
    loss.append_at(f64::INFINITY, 1.0);
    experiment.log_metrics(f64::NAN, [("a", 1.0), ("b", 1.0)]);
    loss.append_at(0.25, 1.0);
    assert_eq!(loss.all().unwrap().len(), 1);
    assert_eq!(experiment.stop().unwrap().count(LostReason::InvalidStep), 4);
}

#[test]
fn the_warning_about_a_step_names_its_log_and_is_true_of_every_way_to_log() {
    for (how, about) in [
        ("metrics", "a step of \"train/loss\""),
        ("text", "a step of \"notes\""),
        ("series", "a step of train/loss"),
        ("behind", "an x of logs/loss"),
    ] {
        let folder = Folder::new();
        let output = Trainer::output("wrong-step", [folder.path().as_os_str(), how.as_ref()], &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        let why = "a step is a finite number, and by the `send_` methods greater than the last of its log";
        assert!(said.contains(&format!("1 not kept so far, invalid_step ({about}): {why}.")), "{said}");
    }
}

#[test]
fn a_parameter_that_was_not_kept_may_be_set_again_and_is_told() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let error = experiment.log_params(&serde_json::json!({ "prompt": "x".repeat(2 << 20), "rate": 0.1 })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("parameters/prompt") && error.to_string().contains("1 MiB"), "{error}");
    experiment.log_params(&serde_json::json!({ "prompt": "short" })).unwrap();
    assert_eq!(experiment.parameters().unwrap()["prompt"], "short".into());
    assert_eq!(experiment.parameters().unwrap()["rate"], AtomValue::Float(0.1), "the others are set");
    let handle = experiment.handle();
    assert_eq!(experiment.stop().unwrap().count(LostReason::TooLarge), 1);
    let error = handle.log_params(&serde_json::json!({ "late": 1 })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("stopped"), "{error}");
    let error = handle.log_artifact(&b"late"[..], Some("late.bin")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[test]
fn an_empty_folder_is_refused_and_nothing_is_made() {
    let error = neptune_core::Session::builder().folder("").mode(Mode::Embedded).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("NEPTUNE_DIR"), "{error}");
    assert!(!std::path::Path::new("store.db").exists());
}

#[test]
fn a_bad_description_is_refused_at_the_start() {
    let folder = Folder::new();
    let session = folder.session();
    for builder in [
        session.experiment().project("no-workspace"),
        session.experiment().params(&3),
        session.experiment().params(&serde_json::json!({ "a//b": 1 })),
    ] {
        assert_eq!(builder.start().unwrap_err().kind(), ErrorKind::Invalid);
    }
    let error = session.attach("E2E-77").start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("E2E-77"), "{error}");
    assert!(folder.store().projects().unwrap().is_empty(), "nothing was made");
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(folder.session());
    let connection = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    connection.execute("INSERT INTO neptune_schema (version) VALUES (99)", []).unwrap();
    let versions =
        || connection.query_row("SELECT COUNT(*) FROM neptune_schema", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = versions();
    let error = folder.builder().open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooNew);
    assert!(error.to_string().contains("version 99"), "{error}");
    assert_eq!(versions(), before);
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone_and_said() {
    let folder = Folder::new();
    let offline = folder.builder().mode(Mode::Offline).open().unwrap();
    let experiment = offline.experiment().start().unwrap();
    experiment.log_metric("loss", 1.0);
    experiment.stop().unwrap();
    let segment = folder.files("000001.jnl").remove(0);
    let whole = fs::read(&segment).unwrap();
    let mut newer = whole.clone();
    newer[8] = 2;
    fs::write(&segment, &newer).unwrap();
    let recovered = offline.recover(|_| ()).unwrap();
    let obstacle = recovered[0].obstacle.as_deref().unwrap();
    assert!(obstacle.contains("version 2") && obstacle.contains("newer neptune"), "{obstacle}");
    assert_eq!(fs::read(&segment).unwrap(), newer);

    fs::write(&segment, &whole).unwrap();
    assert_eq!(offline.recover(|_| ()).unwrap()[0].obstacle, None);
    assert_eq!(folder.series("logs/loss").len(), 1);
}

#[test]
fn a_full_disk_is_counted_and_logging_resumes_when_there_is_room() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(disk.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        // Without the right to mount, a user namespace gives it.
        assert!(!rustix::process::geteuid().is_root(), "a small disk can be mounted by root");
        return;
    }
    let folder = disk.path().join("neptune");
    // What it prints would take room there as well.
    let mut trainer = Trainer::start_with("full-disk", [&folder], [("NEPTUNE_CONSOLE", "off".as_ref())]);
    let full = trainer.line();
    let longest = trainer.line();
    let stopped = trainer.line();
    let survived = trainer.wait().success();
    let room = Folder::new();
    fs::create_dir_all(room.path().parent().unwrap()).unwrap();
    let copied = Command::new("cp").arg("-r").arg(&folder).arg(room.path()).status().unwrap().success();
    Command::new("umount").arg(disk.path()).status().unwrap();

    assert!(survived && copied, "the trainer runs on");
    let count = |line: &str, word: &str| -> u64 { line.strip_prefix(word).unwrap().trim().parse().unwrap() };
    let lost = count(&full, "full ");
    assert!(lost > 50_000, "only {lost} were lost on a full disk");
    assert!(count(&longest, "longest_ms ") < 150, "a logging call took {longest}");
    assert_eq!(count(&stopped, "stopped "), lost, "nothing more is lost once there is room");
    room.session().recover(|_| ()).unwrap();
    let points = room.series("train/loss");
    let neptune_core::store::Values::Float(values) = &points.values else { panic!("not numbers") };
    let kept = values.iter().filter(|value| **value < 1e6).count() as u64;
    assert_eq!(kept + lost, 200_000, "every point is kept or counted");
    assert_eq!(values.len() as u64 - kept, 1_000, "what was logged behind is all there");
    assert_eq!(room.store().lost(&room.only_experiment()).unwrap().count(LostReason::DiskFull), lost);
}
