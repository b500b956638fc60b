//! Sessions: those that keep nothing, those that change nothing, and what they are told by.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use neptune_core::{
    ArtifactSource, ErrorKind, ExperimentState, Goal, Histogram, Image, LostReason, Mode, Session,
    store::ExperimentQuery,
};
use neptune_tests::{Folder, Trainer, copy};

/// {"api_address":"https://a","api_key":"secret"}
const TOKEN: &str = "eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vYSIsImFwaV9rZXkiOiJzZWNyZXQifQ==";

#[test]
fn a_debug_session_takes_every_call_and_leaves_no_trace() {
    let folder = Folder::new();
    let session = folder.builder().mode(Mode::Debug).open().unwrap();
    let experiment = session.experiment().name("tried out").params(&serde_json::json!({"lr": 0.1})).start().unwrap();
    let series = experiment.series::<f64>("train/loss").unwrap();
    for step in 0..1000_u32 {
        series.append(0.5);
        series.append_at(step, 0.5);
        experiment.log_metric("loss", 0.5);
        experiment.log_metrics(step, [("a", 0.5), ("b", 0.25)]);
    }
    experiment.log_text("notes", "text");
    experiment.add_tags(["t"]);
    experiment.set_property("a", "b");
    experiment.log_params(&serde_json::json!({"epochs": 3})).unwrap();
    experiment.log_image("image", Image::from_u8(&[0; 6], 2, 3, 1).unwrap());
    experiment.log_histogram("weights", &Histogram::of([0.0, 1.0], 4));
    experiment.log_artifact(&b"bytes"[..], Some("a.txt")).unwrap();
    experiment.log_artifact(ArtifactSource::Reader(&mut &b"reader"[..]), Some("b.txt")).unwrap();
    experiment.log_artifact(Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e").as_path(), Some("tests")).unwrap();
    let missing = experiment.log_artifact("no such file", None).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::FileNotFound);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().keep_last(1).keep_best(1, Goal::Minimize);
    for step in 0..3 {
        checkpoints.save(step, Some(0.5), &mut [("model", (&b"weights"[..]).into())]).unwrap();
    }
    experiment.delete("train");
    assert!(experiment.flush(Duration::from_secs(1)).unwrap().is_empty());
    for error in [
        series.last().map(drop).unwrap_err(),
        experiment.stored().map(drop).unwrap_err(),
        session.get("E2E-1").map(drop).unwrap_err(),
        session.project("a/b").unwrap().experiments(ExperimentQuery::default()).map(drop).unwrap_err(),
        session.trash(["E2E-1"]).unwrap_err(),
        session.delete(["E2E-1"]).unwrap_err(),
        session.recover(|_| ()).map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("debug session keeps nothing"), "{error}");
    }
    assert!(session.attach("E2E-7").start().unwrap().stop().unwrap().is_empty());
    assert!(experiment.stop().unwrap().is_empty());
    series.append(1.0);
    assert!(!folder.path().exists(), "{:?}", fs::read_dir(folder.path()));
}

#[test]
fn a_debug_session_still_tells_what_would_be_refused() {
    let folder = Folder::new();
    let experiment = folder.builder().mode(Mode::Debug).open().unwrap().experiment().start().unwrap();
    experiment.log_metric("loss", 1.0);
    experiment.log_text("loss", "other type");
    experiment.log_metric("a//b", 1.0);
    let lost = experiment.stop().unwrap();
    assert_eq!((lost.count(LostReason::TypeConflict), lost.count(LostReason::InvalidPath)), (1, 1));
}

#[test]
fn the_environment_says_debug_and_read_only() {
    let folder = Folder::new();
    let environment = [("NEPTUNE_DIR", folder.path().as_os_str()), ("NEPTUNE_MODE", "debug".as_ref())];
    let mut debug = Trainer::start_with::<&str, 2>("from-env", [], environment);
    assert!(debug.line().starts_with("local/default "));
    assert!(debug.wait().success());
    assert!(!folder.path().exists());
    folder.session().experiment().start().unwrap().stop().unwrap();
    let environment = [("NEPTUNE_DIR", folder.path().as_os_str()), ("NEPTUNE_MODE", "read-only".as_ref())];
    let mut refused = Trainer::start_with::<&str, 2>("from-env", [], environment);
    let line = refused.line();
    assert!(line.contains("read-only") && line.contains("embedded"), "{line}");
}

#[test]
fn a_read_only_session_reads_a_folder_that_cannot_be_written_and_changes_nothing() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().name("first").without_hardware().start().unwrap();
    experiment.log_metric("loss", 0.5);
    experiment.stop().unwrap();
    // To root no folder is closed, and SQLite uses that.
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let is_of_sqlite = |name: &std::ffi::OsString| name == "store.db-wal" || name == "store.db-shm";
        let mut names: Vec<_> = entries.filter(|name| !is_of_sqlite(name)).collect();
        names.sort();
        names
    };
    let before = names();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let session = folder.builder().mode(Mode::ReadOnly).open().unwrap();
    let stored = session.get("E2E-1").unwrap();
    assert_eq!(stored.name().unwrap().as_deref(), Some("first"));
    assert_eq!(stored.state().unwrap(), ExperimentState::Succeeded);
    assert_eq!(session.projects().unwrap().len(), 1);
    let table = session.project("tests/e2e").unwrap().experiments(ExperimentQuery::default()).unwrap();
    assert_eq!(table.rows.len(), 1);
    for error in [
        session.experiment().start().map(drop).unwrap_err(),
        session.attach("E2E-1").start().map(drop).unwrap_err(),
        session.edit("E2E-1").start().map(drop).unwrap_err(),
        session.trash(["E2E-1"]).unwrap_err(),
        session.delete(["E2E-1"]).unwrap_err(),
        session.reclaim(false).map(drop).unwrap_err(),
        session.request_abort("E2E-1", "why").map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(names(), before);
}

/// What lies in a folder, but for the two files of SQLite: the names, and the content of files.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if !path.to_string_lossy().ends_with("-wal") && !path.to_string_lossy().ends_with("-shm") {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_read_only_session_reads_what_an_older_version_wrote_and_leaves_it_as_it_is() {
    let folder = Folder::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1"), folder.path());
    let before = content(folder.path());
    let session = folder.builder().mode(Mode::ReadOnly).open().unwrap();
    let stored = session.get("E2E-1").unwrap();
    assert_eq!(stored.name().unwrap().as_deref(), Some("a fixture"));
    assert_eq!(stored.state().unwrap(), ExperimentState::Succeeded);
    assert_eq!(stored.system_properties().unwrap().tags, ["cnn", "rnn"]);
    assert_eq!(stored.series::<f64>("train/loss").unwrap().len(), 3_000);
    assert_eq!(stored.revisions().unwrap(), []);
    assert_eq!(stored.artifacts("").unwrap().len(), 0);
    let table = session.project("tests/e2e").unwrap().experiments(ExperimentQuery::default()).unwrap();
    assert_eq!(table.rows.len(), 1);
    assert_eq!(session.projects().unwrap().len(), 1);
    assert_eq!(session.survey().unwrap().journals.len(), 1);
    drop((stored, session));
    assert!(content(folder.path()) == before, "something was written");
    // Who may write brings it up to date.
    drop(folder.session());
    assert!(content(folder.path()) != before);
    assert_eq!(folder.builder().mode(Mode::ReadOnly).open().unwrap().projects().unwrap().len(), 1);
}

#[test]
fn a_store_that_nobody_finished_making_is_refused_by_a_read_only_session() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    fs::write(folder.path().join("store.db"), []).unwrap();
    let error = folder.builder().mode(Mode::ReadOnly).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("log an experiment there first"), "{error}");
    assert!(fs::read(folder.path().join("store.db")).unwrap().is_empty());
    folder.session().experiment().without_hardware().start().unwrap().stop().unwrap();
    assert_eq!(folder.builder().mode(Mode::ReadOnly).open().unwrap().projects().unwrap().len(), 1);
}

#[test]
fn a_read_only_session_makes_no_folder_and_sees_what_others_log() {
    let folder = Folder::new();
    let missing = folder.builder().mode(Mode::ReadOnly).open().unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(!folder.path().exists());
    let experiment = folder.session().experiment().start().unwrap();
    let reader = folder.builder().mode(Mode::ReadOnly).open().unwrap().get("E2E-1").unwrap();
    assert_eq!(reader.state().unwrap(), ExperimentState::Running);
    experiment.set_name("given later");
    experiment.flush(Duration::from_secs(20)).unwrap();
    assert_eq!(reader.name().unwrap().as_deref(), Some("given later"));
    experiment.stop().unwrap();
    assert_eq!(reader.state().unwrap(), ExperimentState::Succeeded);
}

#[test]
fn an_offline_session_reads_no_experiment_and_makes_no_store_for_it() {
    let folder = Folder::new();
    let session = folder.builder().mode(Mode::Offline).open().unwrap();
    session.experiment().start().unwrap().stop().unwrap();
    let project = session.project("tests/e2e").unwrap();
    for error in [
        session.get("E2E-1").map(drop).unwrap_err(),
        project.leaderboard(ExperimentQuery::default()).map(drop).unwrap_err(),
        project.get_experiments(ExperimentQuery::default()).map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("neptune sync"), "{error}");
    }
    assert!(!folder.path().join("store.db").exists());
}

#[test]
fn a_token_is_checked_and_never_shown_and_a_server_is_refused_by_name() {
    let folder = Folder::new();
    let builder = folder.builder().token(TOKEN);
    assert!(!format!("{builder:?}").contains("eyJ"));
    let session = builder.open().unwrap();
    assert_eq!(session.token().unwrap().api_address(), "https://a");
    assert!(!format!("{session:?}").contains("secret"));
    let error = folder.builder().token("nonsense!").open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!error.to_string().contains("nonsense"), "{error}");
    let builder = folder.builder().token(TOKEN).backend("https://ada:secret@neptune.example");
    assert!(!format!("{builder:?}").contains("secret"));
    let error = builder.open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("folder") && !error.to_string().contains("secret"), "{error}");
    let elsewhere = folder.path().with_file_name("elsewhere");
    let session = Session::builder().backend(elsewhere.to_str().unwrap()).mode(Mode::Embedded).open().unwrap();
    assert_eq!(session.folder(), elsewhere);
}

#[test]
fn the_projects_of_a_session_are_those_in_its_folder() {
    let folder = Folder::new();
    let session = folder.session();
    assert!(session.projects().unwrap().is_empty());
    for project in ["b/two", "a/one", "b/two"] {
        session.project(project).unwrap().experiment().without_hardware().start().unwrap().stop().unwrap();
    }
    let names: Vec<String> = session.projects().unwrap().iter().map(|project| project.name().to_string()).collect();
    assert_eq!(names, ["a/one", "b/two"]);
}

#[test]
fn an_experiment_tells_its_system_properties() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().name("first").description("why").tags(["b", "a"]).without_hardware().start();
    let experiment = experiment.unwrap();
    experiment.log_artifact(&[1; 3000][..], Some("a")).unwrap();
    experiment.log_artifact(&[1; 3000][..], Some("the same")).unwrap();
    experiment.log_image("image", Image::from_u8(&[9; 6], 2, 3, 1).unwrap());
    (0..1000).for_each(|number| experiment.log_metric("loss", f64::from(number)));
    let running = experiment.system_properties().unwrap();
    assert_eq!((running.id.as_str(), running.finished), ("E2E-1", None));
    assert_eq!(experiment.state().unwrap(), ExperimentState::Running);
    let handle = experiment.handle();
    assert_eq!(handle.limits().numeric, None);
    assert_eq!(handle.limits().image_bytes, 15 << 20);
    experiment.stop().unwrap();
    let properties = session.get("E2E-1").unwrap().system_properties().unwrap();
    assert_eq!(properties.name.as_deref(), Some("first"));
    assert_eq!((properties.description.as_deref(), properties.notes.as_deref()), (Some("why"), Some("why")));
    assert_eq!(properties.tags, ["a", "b"]);
    let image = folder.files(".png").iter().map(|file| file.metadata().unwrap().len()).sum::<u64>();
    assert_eq!(properties.storage_size, 3000 + image);
    assert!(properties.channels_size > 100, "{}", properties.channels_size);
    assert_eq!(properties.size, properties.storage_size + properties.channels_size);
    assert!(properties.finished.unwrap() >= properties.created);
    let between = properties.finished.unwrap().as_micros() - properties.created.as_micros();
    assert_eq!(properties.running_time, Duration::from_micros(between.unsigned_abs()));
    assert!(!properties.owner.is_empty() && !properties.hostname.is_empty());
    handle.set_name("too late");
    let edit = session.edit("E2E-1").start().unwrap();
    edit.set_name("second");
    edit.set_description("another");
    edit.stop().unwrap();
    let properties = session.get("E2E-1").unwrap().system_properties().unwrap();
    assert_eq!((properties.name.as_deref(), properties.notes.as_deref()), (Some("second"), Some("another")));
}
