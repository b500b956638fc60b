//! Forking, rewinding, deleting points, renaming, and undoing that.

use std::time::Duration;

use neptune_core::{
    Change, Classic as _, Error, ErrorKind, Experiment, ExperimentState, Image, LostReason, Mode, Point, Revision,
    Series, Timestamp, VariableType,
    store::{ExperimentQuery, Values},
};
use neptune_tests::{Folder, Trainer};

fn steps<T>(points: Vec<Point<T>>) -> Vec<f64> {
    points.into_iter().map(|point| point.step).collect()
}

fn kind<T>(outcome: Result<T, Error>) -> ErrorKind {
    outcome.err().unwrap().kind()
}

/// An experiment with a series of the steps 0 to 9.
fn ten(folder: &Folder) -> (Experiment, Series<f64>) {
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for step in 0..10_u32 {
        loss.append_at(step, f64::from(step));
    }
    (experiment, loss)
}

#[test]
fn a_rewound_experiment_goes_on_from_the_step_and_gets_its_points_back() {
    let folder = Folder::new();
    let (experiment, loss) = ten(&folder);
    experiment.log_text_at("notes", 3, "early");
    experiment.log_text_at("notes", 8, "late");
    experiment.log_metric_at("monitoring", 50, 1.0);
    let own_steps = experiment.series::<f64>("monitoring/lines").unwrap();
    own_steps.append_at(900, 1.0);
    let revision = experiment.rewind(4).unwrap();
    assert_eq!(steps(loss.all().unwrap()), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(steps(experiment.series::<String>("logs/notes").unwrap().all().unwrap()), [3.0]);
    assert_eq!(steps(own_steps.all().unwrap()), [900.0], "series on steps of their own stay");
    assert_eq!(steps(experiment.series::<f64>("logs/monitoring").unwrap().all().unwrap()), [0.0; 0]);
    loss.append(50.0);
    experiment.log_metric("monitoring", 2.0);
    assert_eq!(loss.last().unwrap().step, 5.0, "the next step is behind the last that is left");
    let told = experiment.revisions().unwrap();
    assert_eq!((told.len(), told[0].id, told[0].number, told[0].points), (1, revision, 1, 7));
    assert_eq!((&told[0].change, told[0].undone), (&Change::Rewound { to: 4.0 }, false));
    experiment.undo(revision).unwrap();
    experiment.undo(revision).unwrap();
    let points = loss.all().unwrap();
    assert_eq!(
        points.iter().map(|point| point.value).collect::<Vec<_>>(),
        [0.0, 1.0, 2.0, 3.0, 4.0, 50.0, 6.0, 7.0, 8.0, 9.0]
    );
    assert!(experiment.revisions().unwrap()[0].undone);
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn a_training_that_is_resumed_is_rewound_to_its_checkpoint() {
    let folder = Folder::new();
    let (experiment, loss) = ten(&folder);
    let id = experiment.id().to_string();
    drop(loss);
    experiment.fail("out of memory").unwrap();
    let experiment = folder.session().attach(&id).without_hardware().start().unwrap();
    experiment.rewind(6).unwrap();
    // What was measured before and is imported now is logged behind the rewind: it stays, whatever its time.
    let loss = experiment.series::<f64>("train/loss").unwrap();
    loss.append_with(7, Timestamp::from_micros(1), -7.0);
    loss.append(-8.0);
    let values: Vec<f64> = loss.all().unwrap().into_iter().map(|point| point.value).collect();
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -7.0, -8.0]);
    experiment.stop().unwrap();
}

#[test]
fn what_must_ascend_goes_on_from_where_it_was_rewound_to() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    let id = experiment.id().to_string();
    for x in 0..10_u32 {
        experiment.send_metric_at("loss", x, f64::from(x));
        experiment.send_metric_at("accuracy", x, f64::from(x));
    }
    experiment.rewind(5).unwrap();
    experiment.send_metric_at("loss", 5, -1.0);
    experiment.send_metric_at("loss", 6, -6.0);
    assert_eq!(experiment.stop().unwrap().count(LostReason::InvalidStep), 1);
    let resumed = folder.session().attach(&id).without_hardware().start().unwrap();
    resumed.rewind(3).unwrap();
    resumed.send_metric_at("loss", 3, -1.0);
    resumed.send_metric_at("loss", 4, -4.0);
    resumed.send_metric_at("accuracy", 4, -4.0);
    assert_eq!(resumed.stop().unwrap().count(LostReason::InvalidStep), 1);
    assert_eq!(folder.series("logs/loss").values, Values::Float(vec![0.0, 1.0, 2.0, 3.0, -4.0]));
    assert_eq!(folder.series("logs/accuracy").len(), 5);
}

#[test]
fn what_must_ascend_stands_where_it_stood_once_the_rewind_is_undone() {
    for mode in [Mode::Embedded, Mode::Offline] {
        let folder = Folder::new();
        let session = folder.builder().mode(mode).open().unwrap();
        let experiment = session.experiment().without_hardware().start().unwrap();
        (0..10_u32).for_each(|x| experiment.send_metric_at("loss", x, f64::from(x)));
        let to_five = experiment.rewind(5).unwrap();
        let to_two = experiment.rewind(2).unwrap();
        experiment.undo(to_five).unwrap();
        experiment.send_metric_at("loss", 3, -3.0);
        let rename = experiment.rename("logs/loss", "logs/other").unwrap();
        experiment.undo(to_two).unwrap();
        // Step 9 is there again, under the new name.
        experiment.send_metric_at("other", 9, -1.0);
        experiment.send_metric_at("other", 10, 10.0);
        experiment.undo(rename).unwrap();
        if mode == Mode::Embedded {
            experiment.send_metric_at("loss", 10, -1.0);
        }
        let refused = experiment.stop().unwrap().count(LostReason::InvalidStep);
        assert_eq!(refused, if mode == Mode::Embedded { 2 } else { 1 }, "{mode}");
        folder.session().recover(|_| ()).unwrap();
        let wanted = vec![0.0, 1.0, 2.0, -3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        assert_eq!(folder.series("logs/loss").values, Values::Float(wanted), "{mode}");
    }
}

#[test]
fn what_must_ascend_hears_of_points_of_others_that_come_back() {
    let folder = Folder::new();
    let first = folder.session().experiment().without_hardware().start().unwrap();
    (0..10_u32).for_each(|x| first.send_metric_at("loss", x, f64::from(x)));
    let revision = first.rewind(5).unwrap();
    let id = first.id().to_string();
    first.stop().unwrap();
    let second = folder.session().attach(&id).without_hardware().start().unwrap();
    second.send_metric_at("loss", 6, -6.0);
    second.undo(revision).unwrap();
    second.send_metric_at("loss", 7, -7.0);
    second.send_metric_at("loss", 10, -10.0);
    assert_eq!(second.stop().unwrap().count(LostReason::InvalidStep), 1);
    let wanted = vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -6.0, 7.0, 8.0, 9.0, -10.0];
    assert_eq!(folder.series("logs/loss").values, Values::Float(wanted));
    // One that is renamed before it is sent to keeps where it stood.
    let third = folder.session().attach(&id).without_hardware().start().unwrap();
    third.rename("logs/loss", "logs/other").unwrap();
    third.send_metric_at("other", 4, -1.0);
    assert_eq!(third.stop().unwrap().count(LostReason::InvalidStep), 1);
}

#[test]
fn points_of_a_range_are_deleted() {
    let folder = Folder::new();
    let (experiment, loss) = ten(&folder);
    let middle = experiment.delete_points("train/loss", 3.0..=5.0).unwrap();
    assert_eq!(steps(loss.all().unwrap()), [0.0, 1.0, 2.0, 6.0, 7.0, 8.0, 9.0]);
    experiment.delete_points("train/loss", 8.0..9.0).unwrap();
    assert_eq!(steps(loss.all().unwrap()), [0.0, 1.0, 2.0, 6.0, 7.0, 9.0]);
    experiment.undo(middle).unwrap();
    assert_eq!(steps(loss.all().unwrap()), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0]);
    let all = experiment.delete_points("train/loss", ..).unwrap();
    assert_eq!(steps(loss.all().unwrap()), [0.0; 0]);
    assert!(experiment.atom("train/loss").read().is_err(), "a series without points keeps its type");
    experiment.undo(all).unwrap();
    assert_eq!(loss.all().unwrap().len(), 9);
    experiment.delete_points("none/such", ..).unwrap();
    experiment.stop().unwrap();
}

#[test]
fn a_renamed_series_is_logged_to_by_the_handles_that_knew_it() {
    let folder = Folder::new();
    let (experiment, loss) = ten(&folder);
    experiment.log_metric("accuracy", 0.5);
    let other = folder.session().attach(&experiment.id().to_string()).without_hardware().start().unwrap();
    let others = other.series::<f64>("train/loss").unwrap();
    // Points without a step go behind what is in the store.
    experiment.flush(Duration::from_secs(20)).unwrap();
    others.append(10.0);
    other.flush(Duration::from_secs(20)).unwrap();

    let revision = experiment.rename("train/loss", "loss/train").unwrap();
    loss.append(11.0);
    assert_eq!(loss.all().unwrap().len(), 12, "a handle reads what it logs to");
    others.append(12.0);
    assert_eq!(others.last().unwrap().value, 12.0, "another process goes on under the new name");
    other.series::<f64>("train/loss").unwrap().append(13.0);
    other.flush(Duration::from_secs(20)).unwrap();
    assert_eq!(experiment.series::<f64>("loss/train").unwrap().all().unwrap().len(), 14);
    // Metrics by name are found anew: the old name is a new variable.
    experiment.rename("logs/accuracy", "val/accuracy").unwrap();
    experiment.log_metric("accuracy", 0.75);
    assert_eq!(experiment.series::<f64>("val/accuracy").unwrap().last().unwrap().value, 0.5);
    assert_eq!(experiment.series::<f64>("logs/accuracy").unwrap().last().unwrap().value, 0.75);

    experiment.undo(revision).unwrap();
    loss.append(14.0);
    assert_eq!(experiment.series::<f64>("train/loss").unwrap().all().unwrap().len(), 15);
    assert_eq!(kind(experiment.variable_type("loss/train")), ErrorKind::NotFound);
    assert!(other.stop().unwrap().is_empty());
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn atoms_sets_and_parameters_take_another_path_too() {
    let folder = Folder::new();
    let params = serde_json::json!({ "rate": 0.5 });
    let experiment = folder.session().experiment().without_hardware().params(&params).start().unwrap();
    experiment.add_tags(["cnn"]);
    experiment.set("groups").add(["a", "b"]);
    experiment.rename("groups", "cohorts").unwrap();
    assert_eq!(experiment.set("cohorts").get().unwrap(), ["a", "b"]);
    experiment.rename("parameters/rate", "parameters/learning_rate").unwrap();
    assert_eq!(experiment.atom("parameters/learning_rate").read().unwrap(), 0.5.into());
    experiment.atom("parameters/learning_rate").assign(0.25);
    assert_eq!(experiment.stop().unwrap().count(LostReason::Immutable), 1, "a parameter stays fixed");
}

#[test]
fn a_fork_has_what_was_logged_up_to_the_step_and_nothing_of_what_comes_later() {
    let folder = Folder::new();
    let (parent, loss) = ten(&folder);
    parent.log_text_at("notes", 2, "two");
    parent.log_text_at("late", 9, "nine");
    parent.add_tags(["parent"]);
    parent.series::<f64>("monitoring/lines").unwrap().append_at(1, 1.0);
    let images = parent.series::<Image>("samples").unwrap();
    images.append_at(1, Image::from_u8(&[9, 1, 2, 3], 2, 2, 1).unwrap());

    let id = parent.short_id().unwrap().to_owned();
    let fork = folder.session().fork(&id, 4).name("branch").without_hardware().start().unwrap();
    let forked = fork.series::<f64>("train/loss").unwrap();
    assert_eq!(steps(forked.all().unwrap()), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(steps(fork.series::<String>("logs/notes").unwrap().all().unwrap()), [2.0]);
    assert_eq!(kind(fork.variable_type("logs/late")), ErrorKind::NotFound);
    assert_eq!(kind(fork.variable_type("sys/tags")), ErrorKind::NotFound);
    assert_eq!(kind(fork.variable_type("monitoring/lines")), ErrorKind::NotFound);
    assert_eq!(fork.atom("sys/forked_from").read().unwrap(), id.as_str().into());
    assert_eq!(fork.atom("sys/fork_step").read().unwrap(), 4.0.into());
    assert_eq!(kind(fork.series::<String>("train/loss")), ErrorKind::TypeConflict, "its types are known");
    fork.log_metric("late", 1.0);
    assert_eq!(fork.series::<f64>("logs/late").unwrap().all().unwrap().len(), 1, "a name behind the step is free");
    let image = fork.series::<Image>("samples").unwrap().last().unwrap();

    forked.append(-5.0);
    loss.append_at(3, 300.0);
    parent.rewind(1).unwrap();
    parent.delete("train/loss");
    parent.delete("samples");
    assert!(parent.stop().unwrap().is_empty());
    let session = folder.session();
    folder.store().purge(false).unwrap();
    session.reclaim(false).unwrap();
    let values: Vec<f64> = forked.all().unwrap().into_iter().map(|point| point.value).collect();
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0, -5.0]);
    assert!(fork.image(&image.value).is_ok(), "the fork needs the image still");

    let second = session.fork(&fork.id().to_string(), 2.5).without_hardware().start().unwrap();
    assert_eq!(steps(second.series::<f64>("train/loss").unwrap().all().unwrap()), [0.0, 1.0, 2.0]);
    assert_eq!(second.project(), fork.project());
    second.stop().unwrap();
    assert!(fork.stop().unwrap().is_empty());
}

#[test]
fn a_fork_that_nobody_runs_has_no_state_until_somebody_does() {
    let folder = Folder::new();
    let (parent, loss) = ten(&folder);
    drop(loss);
    let id = parent.short_id().unwrap().to_owned();
    parent.fail("diverged").unwrap();
    let session = folder.session();
    let fork = session.fork(&id, 4).name("branch").without_run().start().unwrap();
    let id = fork.id().to_string();
    assert!(fork.stop().unwrap().is_empty());
    let stored = session.get(&id).unwrap();
    assert_eq!(stored.state().unwrap(), ExperimentState::New);
    assert_eq!(stored.name().unwrap().as_deref(), Some("branch"));
    assert_eq!(stored.system_properties().unwrap().finished, None);
    let table = session.project("tests/e2e").unwrap().experiments(ExperimentQuery::default()).unwrap();
    assert_eq!(table.rows.len(), 2, "it is listed");
    let running = session.attach(&id).without_hardware().start().unwrap();
    assert_eq!(stored.state().unwrap(), ExperimentState::Running);
    running.series::<f64>("train/loss").unwrap().append(5.0);
    assert!(running.stop().unwrap().is_empty());
    assert_eq!(stored.state().unwrap(), ExperimentState::Succeeded);
    let key = folder.store().experiment(id.parse().unwrap()).unwrap();
    let points = folder.store().series(&key, "train/loss", f64::NEG_INFINITY..=f64::INFINITY).unwrap();
    assert_eq!(points.steps, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn what_gc_removed_cannot_be_brought_back() {
    let folder = Folder::new();
    let (experiment, loss) = ten(&folder);
    let images = experiment.series::<Image>("samples").unwrap();
    for step in 0..4_u8 {
        let pixels = [step, 1, 2, 3];
        images.append_at(step, Image::from_u8(&pixels, 2, 2, 1).unwrap());
    }
    let revision = experiment.rewind(1).unwrap();
    experiment.flush(Duration::from_secs(20)).unwrap();
    let mut store = folder.store();
    let counted = store.purge(true).unwrap();
    assert_eq!((counted.revisions, counted.points), (1, 10));
    assert!(counted.bytes > 100);
    assert_eq!(store.purge(false).unwrap(), counted);
    assert_eq!(store.purge(false).unwrap().points, 0);
    assert_eq!(kind(experiment.undo(revision)), ErrorKind::Invalid);
    assert!(experiment.revisions().unwrap()[0].purged);
    assert_eq!(steps(loss.all().unwrap()), [0.0, 1.0]);
    experiment.stop().unwrap();
    assert_eq!(folder.session().reclaim(false).unwrap().files, 2, "images that nothing shows any more");
}

#[test]
fn bad_input_is_refused_with_its_reason() {
    let folder = Folder::new();
    let (experiment, _loss) = ten(&folder);
    experiment.atom("note").assign("text");
    let session = folder.session();
    let id = experiment.id().to_string();
    for step in [f64::NAN, f64::INFINITY] {
        assert_eq!(kind(experiment.rewind(step)), ErrorKind::Invalid);
        assert_eq!(kind(session.fork(&id, step).start()), ErrorKind::Invalid);
    }
    assert_eq!(kind(experiment.delete_points("", ..)), ErrorKind::Invalid);
    assert_eq!(kind(experiment.delete_points("a/../b", ..)), ErrorKind::Invalid);
    assert_eq!(kind(experiment.delete_points("train/loss", f64::NAN..)), ErrorKind::Invalid);
    assert_eq!(kind(experiment.delete_points("note", ..)), ErrorKind::TypeConflict);
    assert_eq!(kind(experiment.rename("train/loss", "")), ErrorKind::Invalid);
    assert_eq!(kind(experiment.rename("train/loss", "train/loss")), ErrorKind::Invalid);
    assert_eq!(kind(experiment.rename("train/loss", "note")), ErrorKind::Invalid);
    assert_eq!(kind(experiment.rename("train/loss", "sys/loss")), ErrorKind::Invalid);
    assert_eq!(kind(experiment.rename("sys/state", "state")), ErrorKind::Invalid);
    let nearest = experiment.rename("train/los", "loss").unwrap_err();
    assert_eq!(nearest.kind(), ErrorKind::NotFound);
    assert!(nearest.to_string().contains("train/loss"), "{nearest}");
    assert_eq!(kind(experiment.undo(neptune_core::RevisionId::new())), ErrorKind::NotFound);
    assert_eq!(kind(session.fork("NO-1", 3).start()), ErrorKind::NotFound);
    assert_eq!(kind(session.fork(&id, 3).id(&id).start()), ErrorKind::Invalid);
    let renamed = experiment.rename("note", "remark").unwrap();
    experiment.atom("note").assign("another");
    assert_eq!(kind(experiment.undo(renamed)), ErrorKind::Invalid, "its old path was taken");
    let handle = experiment.handle();
    assert!(experiment.stop().unwrap().is_empty(), "what is refused at the call is not lost");
    assert_eq!(kind(handle.rewind(1)), ErrorKind::Unsupported);
    assert_eq!(kind(handle.rename("note", "other")), ErrorKind::Unsupported);
    assert_eq!(kind(handle.undo(renamed)), ErrorKind::Unsupported);
}

#[test]
fn a_finished_experiment_is_rewound_by_editing_it() {
    let folder = Folder::new();
    let (experiment, _loss) = ten(&folder);
    let id = experiment.id().to_string();
    experiment.stop().unwrap();
    let session = folder.session();
    let editor = session.edit(&id).start().unwrap();
    let revision = editor.rewind(2).unwrap();
    editor.stop().unwrap();
    assert_eq!(folder.series("train/loss").steps, [0.0, 1.0, 2.0]);
    assert_eq!(folder.text("sys/state"), "succeeded");
    let editor = session.edit(&id).start().unwrap();
    editor.undo(revision).unwrap();
    drop(editor);
    assert_eq!(folder.series("train/loss").len(), 10);
    assert_eq!(session.get(&id).unwrap().revisions().unwrap().len(), 1);
}

#[test]
fn time_travel_offline_happens_when_it_is_synced() {
    let folder = Folder::new();
    let session = folder.builder().mode(Mode::Offline).open().unwrap();
    let experiment = session.experiment().without_hardware().start().unwrap();
    let loss = experiment.series::<f64>("loss").unwrap();
    (0..10_u32).for_each(|step| loss.append_at(step, f64::from(step)));
    let first = experiment.rewind(5).unwrap();
    loss.append(-1.0);
    experiment.undo(first).unwrap();
    experiment.rename("loss", "train/loss").unwrap();
    loss.append(-2.0);
    let id = experiment.id().to_string();
    let fork = session.fork(&id, 3).without_hardware().start().unwrap();
    fork.series::<f64>("train/loss").unwrap().append(-3.0);
    let fork_id = fork.id();
    assert!(experiment.stop().unwrap().is_empty());
    assert!(fork.stop().unwrap().is_empty());
    folder.session().recover(|_| ()).unwrap();
    let store = folder.store();
    assert_eq!(
        folder.series("train/loss").values,
        Values::Float(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -1.0, 7.0, 8.0, 9.0, -2.0])
    );
    let key = store.experiment(fork_id).unwrap();
    let forked = store.series(&key, "train/loss", f64::NEG_INFINITY..=f64::INFINITY).unwrap();
    assert_eq!(forked.values, Values::Float(vec![0.0, 1.0, 2.0, 3.0, -3.0]));
    assert_eq!(store.experiments(&ExperimentQuery::default()).unwrap().rows.len(), 2);
}

/// What the store has of every experiment: its series, and what was changed.
fn everything(folder: &Folder) -> Vec<String> {
    let store = folder.store();
    let mut found = Vec::new();
    for number in 1.. {
        let Ok(key) = store.find(&format!("E2E-{number}")) else { break };
        for variable in store.variables(&key, "").unwrap() {
            if variable.kind == VariableType::FLOAT_SERIES {
                let points = store.series(&key, &variable.path, f64::NEG_INFINITY..=f64::INFINITY).unwrap();
                found.push(format!("{number} {} {:?} {:?}", variable.path, points.steps, points.values));
            }
        }
        for revision in store.revisions(&key).unwrap() {
            let Revision { number, change, undone, purged, points, .. } = revision;
            found.push(format!("{number} {change:?} {undone} {purged} {points}"));
        }
    }
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    found
}

#[test]
fn a_kill_at_every_step_of_a_change_leaves_it_whole_or_not_begun() {
    const STEPS: usize = 9;
    let reference: Vec<Vec<String>> = (0..=STEPS)
        .map(|limit| {
            let folder = Folder::new();
            let arguments = [folder.path().to_str().unwrap(), &limit.to_string()];
            assert!(Trainer::start("story", arguments).wait().success());
            everything(&folder)
        })
        .collect();
    for point in [
        "revision-recorded",
        "aside-cut",
        "aside-moved",
        "variable-renamed",
        "writers-renamed",
        "fork-copied",
        "aside-returned",
        "purge-removed",
        "apply-written",
        "apply-committed",
    ] {
        for hits in [1_u32, 2, 3] {
            let folder = Folder::new();
            let arguments = [folder.path().to_str().unwrap(), "9", point, &hits.to_string()];
            let mut trainer = Trainer::start("story", arguments);
            let mut did = 0;
            loop {
                let line = trainer.line();
                let Some(step) = line.strip_prefix("did ") else {
                    assert!(line.is_empty() || hits > 1, "{point} was never reached");
                    break;
                };
                did = step.parse::<usize>().unwrap() + 1;
            }
            trainer.wait();
            folder.session().recover(|_| ()).unwrap();
            let found = everything(&folder);
            // The call that was cut off may have come to the journal, or not.
            let may = [did, did + 1].into_iter().filter_map(|did| reference.get(did));
            assert!(
                may.clone().any(|wanted| *wanted == found),
                "{point} #{hits} behind {did} steps: {found:#?} is none of {:#?}",
                may.collect::<Vec<_>>()
            );
        }
    }
}
