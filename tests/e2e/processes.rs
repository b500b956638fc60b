//! Several experiments in a process, several threads in an experiment, several processes in an experiment.

use std::ffi::OsStr;

use neptune_core::{ExperimentId, store::Values};
use neptune_tests::{Folder, Trainer};

#[test]
fn several_experiments_of_a_process_are_kept_apart() {
    let folder = Folder::new();
    let session = folder.session();
    let experiments: Vec<_> = (0..5).map(|_| session.experiment().start().unwrap()).collect();
    for (number, experiment) in (0_u32..).zip(&experiments) {
        experiment.log_metric("loss", number);
    }
    for experiment in experiments {
        experiment.stop().unwrap();
    }
    let store = folder.store();
    for number in 0..5 {
        let key = store.find(&format!("E2E-{}", number + 1)).unwrap();
        let points = store.series(&key, "logs/loss", 0.0..=0.0).unwrap();
        assert_eq!(points.values, Values::Float(vec![f64::from(number)]));
    }
}

#[test]
fn threads_that_share_a_series_lose_nothing() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    experiment.log_metric("shared", 1.0);
                }
            });
        }
    });
    assert!(experiment.stop().unwrap().is_empty());
    let points = folder.series("logs/shared");
    assert_eq!(points.len(), 40_000);
    assert_eq!(points.steps.last(), Some(&39_999.0));
}

#[test]
fn processes_that_agree_on_an_id_log_to_one_experiment() {
    let folder = Folder::new();
    drop(folder.session());
    let id = ExperimentId::new().to_string();
    let ranks: Vec<_> =
        (0..3).map(|rank| Trainer::start("rank", [folder.path().to_str().unwrap(), &id, &rank.to_string()])).collect();
    for rank in ranks {
        assert!(rank.wait().success());
    }
    let store = folder.store();
    assert_eq!(store.projects().unwrap()[0].experiments, 1);
    for rank in 0..3 {
        assert_eq!(folder.series(&format!("rank{rank}/loss")).len(), 2_000);
    }
    assert_eq!(folder.series("shared/loss").len(), 6_000, "points of all ranks without a step stand behind each other");
    assert_eq!(folder.text("sys/state"), "succeeded");
    assert_eq!(store.writers(&folder.only_experiment()).unwrap().len(), 3);
    assert!(store.lost(&folder.only_experiment()).unwrap().is_empty());
}

#[test]
fn an_experiment_starts_while_others_end_and_recover_in_its_folder() {
    let folder = Folder::new();
    let session = folder.session();
    let id = ExperimentId::new().to_string();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..150).for_each(|_| drop(session.recover(|_| ()).unwrap())));
            // The folder of the experiment comes and goes with its only writer.
            scope.spawn(|| {
                for _ in 0..40 {
                    session.attach(&id).start().unwrap().stop().unwrap();
                }
            });
        }
    });
    assert_eq!(folder.store().writers(&folder.only_experiment()).unwrap().len(), 160);
    assert_eq!(folder.text("sys/state"), "succeeded");
    assert_eq!(folder.files(".jnl").len(), 0);
}

#[test]
fn the_environment_says_where_how_and_to_what_is_logged() {
    let folder = Folder::new();
    let say = |variables: [(&str, &str); 3]| {
        let [first, second, third] = variables.map(|(name, value)| (name, OsStr::new(value)));
        let environment = [("NEPTUNE_DIR", folder.path().as_os_str()), first, second, third];
        Trainer::start_with("from-env", [] as [&str; 0], environment).line()
    };
    let project = ("NEPTUNE_PROJECT", "ada/mnist");
    let embedded = ("NEPTUNE_MODE", "embedded");
    assert_eq!(say([project, embedded, ("NEPTUNE_EXPERIMENT_ID", "")]), "ada/mnist MNI-1");
    assert_eq!(say([project, embedded, ("NEPTUNE_EXPERIMENT_ID", "MNI-1")]), "ada/mnist MNI-1");
    let key = folder.store().find("MNI-1").unwrap();
    assert_eq!(folder.store().series(&key, "logs/loss", 0.0..=9.0).unwrap().steps, [0.0, 1.0], "attached twice");

    let offline = say([project, ("NEPTUNE_MODE", "offline"), ("NEPTUNE_EXPERIMENT_ID", "")]);
    let id: ExperimentId = offline.strip_prefix("ada/mnist ").unwrap().parse().unwrap();
    assert!(folder.store().experiment(id).is_err(), "nobody drained it");

    let wrong = say([project, ("NEPTUNE_MODE", "fast"), ("NEPTUNE_EXPERIMENT_ID", "")]);
    assert!(wrong.contains("unknown mode \"fast\"") && wrong.contains("\"offline\""), "{wrong}");
    let wrong = say([("NEPTUNE_PROJECT", "mnist"), embedded, ("NEPTUNE_EXPERIMENT_ID", "")]);
    assert!(wrong.contains("NEPTUNE_PROJECT") && wrong.contains("workspace/name"), "{wrong}");
    let wrong = say([project, embedded, ("NEPTUNE_EXPERIMENT_ID", "MNI-7")]);
    assert!(wrong.contains("\"MNI-7\"") && wrong.contains("MNI-1"), "{wrong}");
}

#[test]
fn one_dead_rank_does_not_end_the_others() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    experiment.log_metric("loss", 1.0);
    let mut other = Trainer::start("paced", [folder.path().to_str().unwrap(), "embedded"]);
    while other.line() != "20" {}
    other.kill();
    session.recover(|_| ()).unwrap();
    let store = folder.store();
    let state = |id: &str| {
        use neptune_core::store::read::VariableValue;
        match store.variable(&store.find(id).unwrap(), "sys/state").unwrap().value {
            VariableValue::Atom(value) => value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((state("E2E-1").as_str(), state("E2E-2").as_str()), ("running", "failed"));
    experiment.stop().unwrap();
    assert_eq!(state("E2E-1"), "succeeded");
}

#[test]
fn a_reader_beside_a_writer_sees_what_was_flushed() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for round in 1..=20_u32 {
        loss.append(f64::from(round));
        experiment.flush(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(folder.series("train/loss").len(), round as usize);
    }
    experiment.stop().unwrap();
}

/// Linux kills a thread that makes a system call which it was forbidden.
#[cfg(target_os = "linux")]
#[test]
fn logging_makes_no_system_call() {
    for scenario in ["silent", "traced-silent"] {
        let folder = Folder::new();
        let mut trainer = Trainer::start(scenario, [folder.path()]);
        assert_eq!(trainer.line(), "5000 of 5000", "{scenario}");
        trainer.wait();
    }
}
