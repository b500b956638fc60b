//! Checkpoints: versions that are whole or not there, with `latest` and `best`.

use std::{fs, thread};

use neptune_core::{AtomValue, Checkpoints, ErrorKind, Experiment, Goal};
use neptune_tests::{Folder, Trainer};

fn steps(checkpoints: &Checkpoints) -> Vec<u64> {
    checkpoints.list().iter().map(|checkpoint| checkpoint.step).collect()
}

fn found(checkpoints: &Checkpoints, name: &str) -> Option<u64> {
    checkpoints.find(name).unwrap().map(|checkpoint| checkpoint.step)
}

fn save(checkpoints: &Checkpoints, step: u64, metric: Option<f64>) {
    let text = format!("weights of {step}");
    checkpoints.save(step, metric, &mut [("model", text.as_bytes().into())]).unwrap();
}

fn started(folder: &Folder) -> Experiment {
    folder.session().experiment().start().unwrap()
}

#[test]
fn the_last_and_the_best_are_kept_and_the_room_of_others_is_given_back() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().keep_last(2).keep_best(2, Goal::Maximize);
    for (step, accuracy) in [(1, 0.9), (2, 0.1), (3, 0.8), (4, 0.3), (5, f64::NAN), (6, 0.2)] {
        save(&checkpoints, step, Some(accuracy));
    }
    assert_eq!(steps(&checkpoints), [1, 3, 5, 6]);
    assert_eq!((found(&checkpoints, "best"), found(&checkpoints, "latest")), (Some(1), Some(6)));
    assert_eq!((found(&checkpoints, "3"), found(&checkpoints, "2")), (Some(3), None));
    assert_eq!(experiment.atom("checkpoints/best").read().unwrap(), AtomValue::Int(1));
    assert_eq!(experiment.atom("checkpoints/latest").read().unwrap(), AtomValue::Int(6));
    assert_eq!(experiment.atom("artifacts/checkpoints/2/model").read().unwrap_err().kind(), ErrorKind::NotFound);
    let files = || -> usize {
        let objects = fs::read_dir(folder.path().join("objects")).unwrap().map(|entry| entry.unwrap().path());
        objects.filter(|path| path.is_dir()).map(|path| fs::read_dir(path).unwrap().count()).sum()
    };
    // While it runs, a moment later.
    for _ in 0..500 {
        if files() == 4 {
            break;
        }
        neptune_tests::pause(std::time::Duration::from_millis(20));
    }
    assert_eq!(files(), 4, "the files of versions that are not kept are gone");
    checkpoints.remove(1).unwrap();
    experiment.stop().unwrap();
    assert_eq!(files(), 3, "and at the end without waiting");
}

#[test]
fn without_a_rule_all_are_kept_and_the_best_is_what_the_trainer_says() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("best of/all").unwrap();
    for step in 1..=4 {
        save(&checkpoints, step, None);
    }
    assert_eq!((steps(&checkpoints), found(&checkpoints, "best")), (vec![1, 2, 3, 4], None));
    checkpoints.mark_best(2).unwrap();
    assert_eq!(found(&checkpoints, "best"), Some(2));
    assert_eq!(checkpoints.mark_best(9).unwrap_err().kind(), ErrorKind::NotFound);
    checkpoints.remove(4).unwrap();
    checkpoints.remove(2).unwrap();
    checkpoints.remove(2).unwrap();
    assert_eq!((steps(&checkpoints), found(&checkpoints, "best")), (vec![1, 3], None));
    assert_eq!(found(&checkpoints, "latest"), Some(3));
    assert_eq!(experiment.atom("best of/all/best").read().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(checkpoints.find("newest").unwrap_err().kind(), ErrorKind::Invalid);
    experiment.stop().unwrap();
}

#[test]
fn going_on_from_an_earlier_version_makes_the_newest_the_latest() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().keep_last(2);
    for step in [10, 20, 30, 15] {
        save(&checkpoints, step, None);
    }
    assert_eq!((steps(&checkpoints), found(&checkpoints, "latest")), (vec![15, 30], Some(15)));
    experiment.stop().unwrap();
}

#[test]
fn files_come_one_by_one_from_several_threads_and_count_when_the_version_is_complete() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    thread::scope(|scope| {
        for name in ["model", "optimizer", "scheduler"] {
            let checkpoints = checkpoints.clone();
            scope.spawn(move || checkpoints.add_file(3, name, name.as_bytes()).unwrap());
        }
    });
    assert_eq!(found(&checkpoints, "latest"), None);
    assert_eq!(checkpoints.complete(4, None).unwrap_err().kind(), ErrorKind::Invalid);
    checkpoints.complete(3, Some(0.5)).unwrap();
    let latest = checkpoints.find("latest").unwrap().unwrap();
    let target = folder.path().join("restored/deep");
    let mut written = checkpoints.restore(&latest, &target).unwrap();
    written.sort();
    assert_eq!(written, ["model", "optimizer", "scheduler"].map(|name| target.join(name)));
    assert_eq!(fs::read_to_string(target.join("optimizer")).unwrap(), "optimizer");
    assert_eq!(checkpoints.read(&latest, "scheduler").unwrap(), b"scheduler");
    let error = checkpoints.read(&latest, "momentum").unwrap_err();
    assert!(error.to_string().contains("model, optimizer, scheduler"), "{error}");
    experiment.stop().unwrap();
}

#[test]
fn damage_and_missing_files_are_told_and_write_nothing() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    save(&checkpoints, 1, None);
    let version = checkpoints.find("1").unwrap().unwrap();
    let object = neptune_core::store::objects::file_of(folder.path(), version.files["model"].object);
    fs::write(&object, "weights of 2").unwrap();
    let target = folder.path().join("out");
    assert_eq!(checkpoints.restore(&version, &target).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(checkpoints.read(&version, "model").unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    fs::remove_file(&object).unwrap();
    let error = checkpoints.restore(&version, &target).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.to_string().contains("model of checkpoints 1"), "{error}");
    experiment.stop().unwrap();
}

#[test]
fn a_version_that_is_saved_again_is_replaced_or_stays() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    save(&checkpoints, 1, Some(1.0));
    checkpoints.save(1, Some(2.0), &mut [("model", (&b"other"[..]).into())]).unwrap();
    let version = checkpoints.find("1").unwrap().unwrap();
    assert_eq!((checkpoints.read(&version, "model").unwrap().as_slice(), version.metric), (&b"other"[..], Some(2.0)));
    let failed = checkpoints.save(1, None, &mut [("model", (&b"third"[..]).into()), ("b", "no/such/file".into())]);
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::FileNotFound);
    let version = checkpoints.find("1").unwrap().unwrap();
    assert_eq!(checkpoints.read(&version, "model").unwrap(), b"other");
    folder.session().reclaim(false).unwrap();
    assert_eq!(checkpoints.read(&version, "model").unwrap(), b"other", "what a version needs is not reclaimed");
    experiment.stop().unwrap();
}

#[test]
fn after_a_kill_the_versions_that_returned_are_whole_and_no_other_is_there() {
    for (point, hits) in [("", 0), ("object-written", 14), ("object-named", 11), ("object-named", 13)] {
        let folder = Folder::new();
        let mut trainer = Trainer::start("files", [folder.path().to_str().unwrap(), point, &hits.to_string()]);
        let mut returned = None;
        let mut killed = false;
        while let Ok(round) = trainer.line().parse::<u64>() {
            returned = Some(round);
            if point.is_empty() && round >= 12 && !killed {
                trainer.signal_kill();
                killed = true;
            }
        }
        trainer.kill();
        let returned = returned.expect("some rounds returned");
        let experiment = folder.session().attach("E2E-1").start().unwrap();
        let checkpoints = experiment.checkpoints("checkpoints").unwrap();
        let latest = found(&checkpoints, "latest").unwrap();
        assert!(latest == returned || latest == returned + 1, "{point}: {latest} behind {returned}");
        if returned > 1 {
            assert!(steps(&checkpoints).contains(&1), "{point}: the best is kept");
        }
        for version in checkpoints.list() {
            assert_eq!(checkpoints.read(&version, "a").unwrap(), format!("round {}", version.step).into_bytes());
            assert_eq!(checkpoints.read(&version, "b").unwrap(), b"same");
        }
        for step in latest + 1..latest + 3 {
            save(&checkpoints, step, None);
        }
        assert_eq!(found(&checkpoints, "latest"), Some(latest + 2));
        experiment.stop().unwrap();
        let variables = folder.store().variables(&folder.only_experiment(), "artifacts/checkpoints/").unwrap();
        let whole: usize = checkpoints.list().iter().map(|version| version.files.len()).sum();
        assert_eq!(
            variables.len(),
            whole,
            "{point}: a version that was never complete leaves nothing once its step is one"
        );
    }
}

#[test]
fn whoever_only_looks_takes_nothing_away_from_whoever_saves() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    experiment.log_artifact(&b"mine"[..], Some("checkpoints/7/notes.txt")).unwrap();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    let nested = experiment.checkpoints("checkpoints/1").unwrap();
    save(&nested, 10, None);
    checkpoints.add_file(5, "model", &b"weights"[..]).unwrap();
    experiment.flush(std::time::Duration::from_secs(20)).unwrap();
    let other = session.attach("E2E-1").start().unwrap();
    assert!(other.checkpoints("checkpoints").unwrap().list().is_empty());
    assert_eq!(steps(&other.checkpoints("checkpoints/1").unwrap()), [10]);
    other.stop().unwrap();
    checkpoints.complete(5, None).unwrap();
    session.reclaim(false).unwrap();
    let version = checkpoints.find("5").unwrap().unwrap();
    assert_eq!(checkpoints.read(&version, "model").unwrap(), b"weights");
    save(&checkpoints, 1, None);
    session.reclaim(false).unwrap();
    assert_eq!(nested.read(&nested.find("10").unwrap().unwrap(), "model").unwrap(), b"weights of 10");
    assert!(experiment.atom("artifacts/checkpoints/7/notes.txt").read().is_ok());
    experiment.stop().unwrap();
}

#[test]
fn a_version_that_cannot_be_logged_is_an_error_and_the_others_stay() {
    let folder = Folder::new();
    let experiment = started(&folder);
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().keep_last(1);
    save(&checkpoints, 1, None);
    // Described in more than a record can hold.
    for number in 0..1_200 {
        checkpoints.add_file(2, &format!("{}-{number}", "x".repeat(900)), &b"x"[..]).unwrap();
    }
    let error = checkpoints.complete(2, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(steps(&checkpoints), [1]);
    assert_eq!(checkpoints.read(&checkpoints.find("1").unwrap().unwrap(), "model").unwrap(), b"weights of 1");
    checkpoints.add_file(3, "model", &b"late"[..]).unwrap();
    experiment.stop().unwrap();
    assert_eq!(checkpoints.complete(3, None).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(steps(&checkpoints), [1]);
}

#[test]
fn a_version_that_is_replaced_keeps_its_files_until_the_new_one_is_whole() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    checkpoints.save(1, None, &mut [("a", (&b"a1"[..]).into()), ("b", (&b"b1"[..]).into())]).unwrap();
    let first = checkpoints.find("1").unwrap().unwrap();
    checkpoints.add_file(1, "a", &b"a2"[..]).unwrap();
    // As after a kill here: whoever comes next finds the old version whole.
    experiment.flush(std::time::Duration::from_secs(20)).unwrap();
    session.reclaim(false).unwrap();
    assert_eq!(checkpoints.read(&first, "a").unwrap(), b"a1");
    checkpoints.complete(1, None).unwrap();
    let second = checkpoints.find("1").unwrap().unwrap();
    session.reclaim(false).unwrap();
    assert_eq!((checkpoints.read(&second, "a").unwrap().as_slice(), second.files.len()), (&b"a2"[..], 1));
    let store = folder.store();
    let paths = || -> Vec<String> {
        experiment.flush(std::time::Duration::from_secs(20)).unwrap();
        let found = store.variables(&folder.only_experiment(), "artifacts/").unwrap();
        found.into_iter().map(|variable| variable.path).collect()
    };
    assert_eq!(paths(), ["artifacts/checkpoints/1/a"]);
    checkpoints.remove(1).unwrap();
    assert!(paths().is_empty());
    experiment.stop().unwrap();
}
