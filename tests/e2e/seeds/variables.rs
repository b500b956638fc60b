//! The notebook of the variable prototype (Atom, Series, Set), cell by cell.
//!
//! Cells 1, 9, 10, 11 and 14 import and print help: that is the documentation of [`View`] and of the containers.

use neptune_core::{Container, Content, ErrorKind, ExperimentHandle, LostReason, Session, VariableType, View};
use neptune_tests::Folder;

/// Logs what cells 2 and 16 log.
fn cell_2(experiment: &ExperimentHandle) {
    experiment.at("training/batch/accuracy").log(0.95);
    experiment.at("training/batch/loss").log(422.345);
    experiment.at("training/batch/accuracy").log(0.96);
    experiment.at("training/batch/loss").log(344.344);
    experiment.at("training/epoch/accuracy").log(0.94);
    experiment.at("training/epoch/loss").log(234.566);
}

fn values(points: neptune_core::Result<Vec<neptune_core::Point<f64>>>) -> Vec<f64> {
    points.unwrap().into_iter().map(|point| point.value).collect()
}

fn steps(view: &View) -> Vec<f64> {
    view.all::<f64>().unwrap().into_iter().map(|point| point.step).collect()
}

fn session(folder: &Folder) -> Session {
    Session::builder().without_code().folder(folder.path()).project("neptune/npt").open().unwrap()
}

#[test]
fn every_cell_of_the_first_part_gives_what_the_notebook_shows() {
    let folder = Folder::new();
    let session = session(&folder);
    let exp1 = session.experiment().start().unwrap();
    assert_eq!(exp1.to_string(), "Experiment(NPT-1)");

    // In [2]: each value has the step behind the last, from 0.
    cell_2(&exp1);
    assert_eq!(steps(&exp1.at("training/batch/accuracy")), [0.0, 1.0]);

    // In [3]
    assert_eq!(values(exp1.at("training/batch/accuracy").tail::<f64>(1)), [0.96]);
    assert_eq!(values(exp1.at("training/batch/loss").tail::<f64>(2)), [422.345, 344.344]);
    assert_eq!(values(exp1.at("training/epoch/accuracy").all::<f64>()), [0.94]);
    assert_eq!(values(exp1.at("training/epoch/loss").all::<f64>()), [234.566]);

    // In [4], and In [5], which asks for a better message.
    let error = exp1.at("does-not/exist").tail::<f64>(42).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("does-not/exist"), "{error}");
    let error = exp1.at("training/batch/acuracy").all::<f64>().unwrap_err();
    assert!(error.to_string().contains("did you mean \"training/batch/accuracy\""), "{error}");

    // In [6]: a view may stand for nothing yet; looking at it makes nothing.
    let view: View = exp1.at("some-path");
    assert_eq!(view.variable_type().unwrap_err().kind(), ErrorKind::NotFound);

    // In [7], In [8]
    exp1.at("foo").log(42.0);
    let series = VariableType { container: Container::Series, content: Content::Float };
    assert_eq!(exp1.at("foo").variable_type().unwrap(), series);

    // In [12]
    let author = exp1.at("experiment-author");
    author.assign("John Doe");
    assert_eq!(author.read().unwrap(), "John Doe".into());
    author.assign("Jane Doe");
    assert_eq!(author.read().unwrap(), "Jane Doe".into());

    // In [13] asks whether `assign` may change the content type: no. The value stays, and the refused one is counted.
    author.assign(7.5);
    assert_eq!(author.read().unwrap(), "Jane Doe".into());

    // In [15]
    let tags = exp1.at("tags");
    tags.add(["cnn", "rnn"]);
    assert_eq!(tags.get().unwrap(), ["cnn", "rnn"]);
    tags.add(["transformer"]);
    assert_eq!(tags.get().unwrap(), ["cnn", "rnn", "transformer"]);
    tags.remove(["cnn"]);
    assert_eq!(tags.get().unwrap(), ["rnn", "transformer"]);
    tags.reset(["attention"]);
    assert_eq!(tags.get().unwrap(), ["attention"]);
    let lost = exp1.stop().unwrap();
    assert_eq!((lost.count(LostReason::TypeConflict), lost.total()), (1, 1));

    // In [16]: the experiment is named again, and goes on. (The prototype, which keeps nothing, begins anew.)
    let exp1 = session.attach("NPT-1").start().unwrap();
    cell_2(&exp1);
    assert_eq!(steps(&exp1.at("training/batch/accuracy")), [0.0, 1.0, 2.0, 3.0]);

    // In [17]
    let training = exp1.at("training").namespace_contents().unwrap();
    assert_eq!(training.keys().collect::<Vec<_>>(), ["batch", "epoch"]);
    assert!(training.values().all(|entry| matches!(entry, neptune_core::store::read::NamespaceEntry::Namespace)));
    exp1.stop().unwrap();
}

#[test]
fn every_cell_of_the_second_part_gives_what_the_notebook_shows() {
    let folder = Folder::new();
    let session = session(&folder);
    let exp1 = session.experiment().start().unwrap();

    // In [3] to In [6]
    let name: View = exp1.at("name");
    assert_eq!(name.path(), "name");
    exp1.at("accuracy").log(0.95);
    exp1.at("accuracy").log(0.96);
    exp1.at("accuracy").log(0.97);
    assert_eq!(values(exp1.at("accuracy").tail::<f64>(2)), [0.96, 0.97]);

    // In [7], In [8]: another experiment has variables of its own.
    let exp2 = session.experiment().start().unwrap();
    assert_eq!(exp2.to_string(), "Experiment(NPT-2)");
    assert_eq!(exp2.at("accuracy").variable_type().unwrap_err().kind(), ErrorKind::NotFound);
    let view = exp2.at("accuracy");
    view.log(0.95);
    assert_eq!((values(view.all::<f64>()), steps(&view)), (vec![0.95], vec![0.0]));
    exp1.stop().unwrap();
    exp2.stop().unwrap();
}

#[test]
fn a_view_is_scoped_takes_every_content_and_refuses_what_does_not_fit() {
    let folder = Folder::new();
    let experiment = session(&folder).experiment().start().unwrap();
    let scope = experiment.at("/a/").at("b/");
    scope.at("text").log("first");
    scope.at("text").log("second".to_owned());
    scope.at("number").extend([1_u8, 2, 3]);
    scope.at("number").log_at(10, true);
    scope.at("number").log_at(f64::NAN, 1);
    scope.at("number").log("no number");
    scope.at("number").assign(1.0);
    scope.at("a//b").log(1);
    let texts: Vec<String> = scope.at("text").all::<String>().unwrap().into_iter().map(|point| point.value).collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(values(scope.at("number").all::<f64>()), [1.0, 2.0, 3.0, 1.0]);
    assert_eq!(scope.at("number").tail::<String>(1).unwrap_err().kind(), ErrorKind::TypeConflict);
    assert_eq!(scope.at("number").read().unwrap_err().kind(), ErrorKind::TypeConflict);
    assert_eq!(scope.at("number").get().unwrap_err().kind(), ErrorKind::TypeConflict);
    assert_eq!(scope.at("nothing").namespace_contents().unwrap_err().kind(), ErrorKind::NotFound);
    scope.at("number").delete();
    scope.at("number").assign("another type");
    assert_eq!(scope.at("number").read().unwrap(), "another type".into());
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 2);
    assert_eq!((lost.count(LostReason::InvalidStep), lost.count(LostReason::InvalidPath)), (1, 1));
}
