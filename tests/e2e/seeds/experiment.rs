//! The methods of the `Experiment` of neptune-client 0.x, in the order of its documentation, with the results and the
//! errors that it gives.

use std::{fs, path::Path};

use neptune_core::{
    AtomValue, Classic as _, ErrorKind, Experiment, ExperimentState, IMAGE_SIZE_LIMIT_MB, Image, LostReason, Package,
    Session, Timestamp,
};
use neptune_tests::Folder;

/// A project with the key of the documentation's example, and its first experiment.
fn created(folder: &Folder) -> (Session, Experiment) {
    let session = Session::builder().folder(folder.path()).project("neptune/mpi").open().unwrap();
    let experiment = session.experiment().name("exp_name").start().unwrap();
    (session, experiment)
}

#[test]
fn what_an_experiment_is_called_and_how_it_stands() {
    let folder = Folder::new();
    let (session, experiment) = created(&folder);

    // `id`, `internal_id`, `name`, `state`, `limits`, `IMAGE_SIZE_LIMIT_MB`.
    assert_eq!(experiment.short_id(), Some("MPI-1"));
    assert_eq!(experiment.id().to_string().len(), 36);
    assert_eq!(experiment.name().unwrap().as_deref(), Some("exp_name"));
    assert_eq!(experiment.state().unwrap(), ExperimentState::Running);
    let limits = experiment.limits();
    assert_eq!((limits.numeric, limits.text, limits.image), (None, None, None), "nothing is limited to 1000 or 100");
    assert_eq!((IMAGE_SIZE_LIMIT_MB, limits.image_bytes), (15, 15 * 1024 * 1024));

    // `__str__`, `__repr__`, `__eq__`, `__ne__`.
    assert_eq!(experiment.to_string(), "Experiment(MPI-1)");
    assert!(format!("{experiment:?}").contains("MPI-1"));
    let other = session.experiment().start().unwrap();
    assert_eq!(experiment.stored().unwrap(), session.get("MPI-1").unwrap());
    assert_eq!(experiment, session.edit("MPI-1").start().unwrap());
    assert_ne!(experiment, other);
    other.stop().unwrap();
    experiment.stop().unwrap();
    assert_eq!(session.get("MPI-1").unwrap().state().unwrap(), ExperimentState::Succeeded);
}

#[test]
fn tags_are_appended_and_removed() {
    let folder = Folder::new();
    let (_session, experiment) = created(&folder);

    // `append_tag`, `append_tags`: one, several, a list.
    experiment.append_tag("new-tag");
    experiment.append_tags(["first-tag", "second-tag", "third-tag"]);
    experiment.append_tags(vec!["first-tag".to_owned(), "fourth-tag".to_owned()]);
    assert_eq!(experiment.tags().unwrap(), ["first-tag", "fourth-tag", "new-tag", "second-tag", "third-tag"]);

    // `remove_tag`: one that is not assigned is silently ignored.
    experiment.remove_tag("second-tag");
    experiment.remove_tag("never-assigned");
    assert_eq!(experiment.tags().unwrap(), ["first-tag", "fourth-tag", "new-tag", "third-tag"]);
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn artifacts_are_logged_downloaded_and_deleted() {
    let folder = Folder::new();
    let (session, experiment) = created(&folder);
    let files = folder.path().parent().unwrap().join("files");
    fs::create_dir_all(files.join("images")).unwrap();
    fs::write(files.join("forest_results.pkl"), "a forest").unwrap();
    fs::write(files.join("images/wrong_prediction_1.png"), "a picture").unwrap();

    // `log_artifact`, `send_artifact`: under its own name, in another directory, under another name, from an IO object.
    experiment.log_artifact(&files.join("forest_results.pkl"), None).unwrap();
    let picture = files.join("images/wrong_prediction_1.png");
    experiment.log_artifact(&picture, None).unwrap();
    experiment.log_artifact(&picture, Some("validation/images/wrong_prediction_1.png")).unwrap();
    experiment.send_artifact(&picture, Some("images/my_image_1.png")).unwrap();
    experiment.send_artifact(&b"in memory"[..], Some("data/images/memory.bin")).unwrap();
    let missing = experiment.log_artifact(&files.join("no.pkl"), None).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::FileNotFound);
    assert!(missing.to_string().contains("no.pkl"), "{missing}");
    let limited = Session::builder().folder(folder.path()).project("neptune/mpi").storage_limit(1).open().unwrap();
    let full = limited.experiment().start().unwrap();
    let error = full.log_artifact(&b"more than a byte"[..], Some("more.bin")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageLimitReached);
    full.stop().unwrap();

    // `download_artifact`
    let stored = session.get("MPI-1").unwrap();
    let user = files.join("user/files");
    let got = stored_file(&experiment, "forest_results.pkl", &user);
    assert_eq!((got.as_str(), user.join("forest_results.pkl").is_file()), ("a forest", true));
    let in_the_way = files.join("forest_results.pkl");
    let error = stored.download_artifact("forest_results.pkl", Some(&in_the_way)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    let error = stored.download_artifact("forest.pkl", Some(&user)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);

    // `download_artifacts`: everything, a directory, a single file; `NotADirectory`, `FileNotFound`.
    let archives = files.join("artifacts");
    let zip = stored.download_artifacts("data/images", Some(&archives)).unwrap();
    assert_eq!(zip, archives.join("images.zip"));
    let zip = stored.download_artifacts("forest_results.pkl", Some(&archives)).unwrap();
    assert_eq!(zip, archives.join("forest_results.pkl.zip"));
    let all = stored.download_artifacts("", Some(&archives)).unwrap();
    assert!(fs::metadata(all).unwrap().len() > fs::metadata(zip).unwrap().len());
    let error = stored.download_artifacts("data", Some(&in_the_way)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    assert_eq!(stored.download_artifacts("date", Some(&archives)).unwrap_err().kind(), ErrorKind::FileNotFound);

    // `delete_artifacts`: a file, a list, everything; `FileNotFound`, and then nothing is deleted.
    assert_eq!(experiment.delete_artifacts(["forest_results.pkl"]).unwrap(), 1);
    let error = experiment.delete_artifacts(["data", "forest_results.pkl"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert_eq!(stored.artifacts("data").unwrap().len(), 1);
    assert_eq!(experiment.delete_artifacts(["wrong_prediction_1.png", "validation"]).unwrap(), 2);
    assert_eq!(experiment.delete_artifacts([""]).unwrap(), 2);
    assert!(stored.artifacts("").unwrap().is_empty());
    assert!(experiment.stop().unwrap().is_empty());
}

fn stored_file(experiment: &Experiment, path: &str, to: &Path) -> String {
    let file = experiment.stored().unwrap().download_artifact(path, Some(to)).unwrap();
    fs::read_to_string(file).unwrap()
}

#[test]
fn sources_are_downloaded_as_an_archive() {
    let folder = Folder::new();
    let code = folder.path().parent().unwrap().join("code");
    fs::create_dir_all(code.join("src/my-module")).unwrap();
    fs::write(code.join("src/my-module/model.rs"), "struct Model;").unwrap();
    fs::write(code.join("train.rs"), "fn main() {}").unwrap();
    let session = Session::builder().folder(folder.path()).project("neptune/mpi").open().unwrap();
    let package = Package::new("trainer", "0.1.0", code.to_str().unwrap(), &[]);
    let experiment = session.experiment().package(package).sources(["src", "train.rs"]).start().unwrap();
    experiment.stop().unwrap();

    // `download_sources`: everything, a directory; `NotADirectory`, `FileNotFound`.
    let stored = session.get("MPI-1").unwrap();
    let archives = code.join("sources");
    assert!(stored.download_sources("", Some(&archives)).unwrap().is_file());
    let zip = stored.download_sources("src/my-module", Some(&archives)).unwrap();
    assert_eq!(zip, archives.join("my-module.zip"));
    let error = stored.download_sources("src", Some(&code.join("train.rs"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    let error = stored.download_sources("src/no-module", Some(&archives)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
}

#[test]
fn metrics_texts_and_images_are_logged_and_read() {
    let folder = Folder::new();
    let (_session, experiment) = created(&folder);

    // `log_metric`, `send_metric`: common invocation, providing name and value; providing both x and y; with a timestamp.
    for y in [0.5, 0.65, 0.8] {
        experiment.log_metric("accuracy", y);
    }
    for (x, y) in [(0, 0.5), (1, 0.65), (2, 0.8)] {
        experiment.send_metric_at("accuracy-xy", x, y);
    }
    let same = experiment.numeric_values(&["accuracy", "accuracy-xy"]).unwrap();
    let values = |name: &str| same.column(name).unwrap().as_floats().unwrap().to_vec();
    assert_eq!(values("accuracy"), values("accuracy-xy"), "both calls have the same effect");
    experiment.send_metric("loss", 0.7);
    let time = Timestamp::from_micros(1_560_430_912_000_000);
    experiment.at("logs/timed").log_with(7, time, 1.5);
    experiment.at("logs/timed-only").log(1.0);
    experiment.at("logs/timed-only").log_as_of(time, 2.0);
    let timed = experiment.at("logs/timed-only").all::<f64>().unwrap();
    assert_eq!((timed[1].step, timed[1].time, timed[1].value), (1.0, time, 2.0));
    // x must be strictly increasing.
    experiment.send_metric_at("accuracy-xy", 2, 0.9);
    experiment.send_metric_at("accuracy-xy", 1.5, 0.9);
    // NaN and infinities of x and y are ignored, and a warning is printed.
    experiment.send_metric("loss", f64::NAN);
    experiment.send_metric_at("loss", 5, f64::INFINITY);
    experiment.send_metric_at("loss", f64::NEG_INFINITY, 0.1);

    // `log_text`, `send_text`
    experiment.log_text("my_text_data", "an item");
    experiment.send_text("my_text_data", "another");
    experiment.at("logs/logging_losses_as_text").log_as_of(time, "0.25");
    let as_text = experiment.at("logs/logging_losses_as_text").all::<String>().unwrap();
    assert_eq!((as_text[0].step, as_text[0].time, as_text[0].value.as_str()), (0.0, time, "0.25"));
    experiment.send_text_at("my_text_data", 9, "ninth");
    experiment.send_text_at("my_text_data", 9, "ninth again");
    experiment.send_text_at("my_text_data", f64::NAN, "an x that is no number is as good as none");

    // `log_image`, `send_image`: a path, arrays of one, three and four channels, a name and a description.
    let picture = folder.path().parent().unwrap().join("image.png");
    fs::write(&picture, png()).unwrap();
    experiment.log_image("bbox_images", Image::open(&picture).unwrap().name("difficult_case").description("a dog"));
    experiment.send_image_at("bbox_images", 5, Image::open(&picture).unwrap());
    experiment.send_image_at("bbox_images", 5, Image::open(&picture).unwrap());
    experiment.at("logs/pictures").log_as_of(time, Image::open(&picture).unwrap());
    let image = &experiment.at("logs/pictures").all::<Image>().unwrap()[0];
    assert_eq!((image.step, image.time), (0.0, time));
    for channels in [1, 3, 4] {
        experiment.send_image("fig", Image::from_u8(&vec![7; 30 * 20 * channels], 30, 20, channels).unwrap());
    }

    // `get_logs`, `get_channels`: the last x and y of each; text and images too.
    let logs = experiment.logs().unwrap();
    let last = |name: &str| (logs[name].series.last_step, logs[name].series.last.clone());
    assert_eq!(last("accuracy"), (2.0, AtomValue::Float(0.8)));
    assert_eq!(last("loss"), (0.0, AtomValue::Float(0.7)));
    assert_eq!(last("timed"), (7.0, AtomValue::Float(1.5)));
    assert_eq!(last("my_text_data").0, 10.0);
    assert_eq!(last("bbox_images").0, 5.0);
    assert_eq!(logs.len(), 10, "{:?}", logs.keys());

    // `get_numeric_channels_values`: aligned on x; missing where one has more values than another.
    let table = experiment.numeric_values(&["accuracy", "loss"]).unwrap();
    assert_eq!(table.column("x").unwrap().as_floats(), Some(&[0.0, 1.0, 2.0][..]));
    assert!(table.column("loss").unwrap().is_missing(2));
    assert_eq!(experiment.numeric_values(&["acuracy"]).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(experiment.numeric_values(&["my_text_data"]).unwrap_err().kind(), ErrorKind::TypeConflict);

    // `get_hardware_utilization`: its exact columns.
    let hardware = experiment.hardware_utilization().unwrap();
    let columns: Vec<&str> = hardware.columns().map(|(name, _)| name).take(4).collect();
    assert_eq!(columns, ["x_ram", "y_ram", "x_cpu", "y_cpu"]);

    // `reset_log`: the log is used from scratch, also with another type; `ChannelDoesNotExist`.
    experiment.reset_log("accuracy").unwrap();
    assert!(!experiment.logs().unwrap().contains_key("accuracy"));
    experiment.log_text("accuracy", "good");
    assert_eq!(experiment.logs().unwrap()["accuracy"].series.last, AtomValue::from("good"));
    experiment.reset_log("accuracy-xy").unwrap();
    experiment.send_metric_at("accuracy-xy", 0, 0.1);
    assert_eq!(experiment.logs().unwrap()["accuracy-xy"].series.last_step, 0.0, "x begins anew");
    let error = experiment.reset_log("my_metric").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let handle = experiment.handle();
    let lost = experiment.stop().unwrap();
    let error = handle.reset_log("loss").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "nothing is reset any more: {error}");
    assert_eq!((lost.count(LostReason::NotFinite), lost.count(LostReason::InvalidStep)), (2, 5));
    assert_eq!(lost.total(), 7, "{lost}");
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(60, 30).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn parameters_properties_and_system_properties_are_read() {
    let folder = Folder::new();
    let session = Session::builder().folder(folder.path()).project("neptune/mpi").open().unwrap();
    let experiment = session
        .experiment()
        .name("exp_name")
        .description("about forests")
        .params(&serde_json::json!({ "lr": 0.1, "depth": 3, "kind": "forest" }))
        .property("data", "v1")
        .tags(["a", "b"])
        .start()
        .unwrap();

    // `get_parameters`, with their types.
    let parameters = experiment.parameters().unwrap();
    assert_eq!(parameters["lr"], AtomValue::Float(0.1));
    assert_eq!(parameters["depth"], AtomValue::Int(3));
    assert_eq!(parameters["kind"], "forest".into());

    // `set_property`, `get_properties`, `remove_property`: any value becomes text.
    experiment.set_property("model", "LightGBM");
    experiment.set_property("magic-number", 7);
    experiment.set_property("data", "v2");
    experiment.remove_property("model");
    experiment.remove_property("never-set");
    let properties: Vec<(String, AtomValue)> = experiment.properties().unwrap().into_iter().collect();
    assert_eq!(properties, [("data".to_owned(), "v2".into()), ("magic-number".to_owned(), "7".into())]);

    // `get_system_properties`: all thirteen.
    experiment.log_artifact(&b"some bytes"[..], Some("a.bin")).unwrap();
    experiment.log_metric("loss", 1.0);
    let system = experiment.system_properties().unwrap();
    assert_eq!((system.id.as_str(), system.name.as_deref()), ("MPI-1", Some("exp_name")));
    assert!(system.finished.is_none() && system.created.as_micros() > 0);
    assert!(!system.owner.is_empty() && !system.hostname.is_empty());
    assert!(system.storage_size >= 10 && system.channels_size > 0);
    assert_eq!(system.size, system.storage_size + system.channels_size);
    assert_eq!(system.tags, ["a", "b"]);
    assert_eq!(
        (system.notes.as_deref(), system.description.as_deref()),
        (Some("about forests"), Some("about forests"))
    );
    experiment.stop().unwrap();
    let finished = session.get("MPI-1").unwrap().system_properties().unwrap();
    assert!(finished.finished.is_some_and(|end| end >= finished.created));
    assert!(finished.running_time >= system.running_time);
}

#[test]
fn it_is_stopped_as_succeeded_or_with_a_traceback_as_failed() {
    let folder = Folder::new();
    let (session, experiment) = created(&folder);
    experiment.stop().unwrap();
    assert_eq!(session.get("MPI-1").unwrap().state().unwrap(), ExperimentState::Succeeded);
    let experiment = session.experiment().start().unwrap();
    experiment.fail_with_traceback("ValueError: no data", "File \"train.py\", line 3, in <module>").unwrap();
    let failed = session.get("MPI-2").unwrap();
    assert_eq!(failed.state().unwrap(), ExperimentState::Failed);
    assert_eq!(failed.atom("sys/failure").unwrap(), "ValueError: no data".into());
    let traceback = &failed.series::<String>("monitoring/traceback").unwrap()[0];
    assert!(traceback.value.contains("line 3"), "{traceback:?}");
}
