//! `neptune import json`: files that programs of other languages wrote become experiments, whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use neptune_core::{AtomValue, Image, Mode, Session, store::Store};
use neptune_store::{
    Points, StoreOptions, Values,
    read::{ExperimentKey, VariableValue},
};

use crate::run::beside::{command, neptune, said};

fn import(folder: &Path, files: &[&str]) -> String {
    let arguments = [&["import", "json", "--project", "tests/json"], files].concat();
    let output = neptune(folder, &arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap() + &error
}

fn store(folder: &Path) -> Store {
    Store::open_existing(&folder.join("n"), StoreOptions::default()).unwrap()
}

fn experiment(folder: &Path, id: &str) -> (Store, ExperimentKey) {
    let store = store(folder);
    let key = store.find(id).unwrap();
    (store, key)
}

fn atom((store, key): &(Store, ExperimentKey), path: &str) -> AtomValue {
    match store.variable(key, path).unwrap().value {
        VariableValue::Atom(value) => value,
        other => panic!("{path} is {other:?}"),
    }
}

fn text(experiment: &(Store, ExperimentKey), path: &str) -> String {
    atom(experiment, path).as_str().unwrap().to_owned()
}

fn series((store, key): &(Store, ExperimentKey), path: &str) -> Points {
    store.series(key, path, f64::NEG_INFINITY..=f64::INFINITY).unwrap()
}

fn numbers(experiment: &(Store, ExperimentKey), path: &str) -> (Vec<f64>, Vec<f64>) {
    let points = series(experiment, path);
    match points.values {
        Values::Float(values) => (points.steps, values),
        Values::Text(_) => panic!("{path} holds texts"),
    }
}

fn texts(experiment: &(Store, ExperimentKey), path: &str) -> Vec<String> {
    match series(experiment, path).values {
        Values::Text(values) => values,
        Values::Float(_) => panic!("{path} holds numbers"),
    }
}

fn paths((store, key): &(Store, ExperimentKey), prefix: &str) -> Vec<String> {
    store.variables(key, prefix).unwrap().into_iter().map(|variable| variable.path).collect()
}

/// The bytes of a file that was logged.
fn file(folder: &Path, experiment: &(Store, ExperimentKey), path: &str) -> Vec<u8> {
    let file = atom(experiment, path).as_file().unwrap();
    fs::read(neptune_store::objects::file_of(&folder.join("n"), file.object)).unwrap()
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/json")
}

/// Runs one of the programs in examples/json, which writes its file to `folder`.
fn run(program: &str, script: &str, folder: &Path) {
    let output = Command::new(program).arg(examples().join(script)).arg(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn write(folder: &Path, json: &str) {
    fs::write(folder.join("run.json"), json).unwrap();
}

#[test]
fn what_a_python_program_wrote_is_imported_whole() {
    let folder = tempfile::tempdir().unwrap();
    run("python3", "train.py", folder.path());
    let message = import(folder.path(), &["python.json"]);
    assert!(message.contains("JSO-1  python.json, 26 entries, 1 artifact, 1 source file, imported"), "{message}");
    assert!(message.contains("warning: python.json: 1 value is NaN, infinite or null and left out"), "{message}");

    let found = experiment(folder.path(), "JSO-1");
    assert_eq!(text(&found, "sys/name"), "a line, from Python");
    assert_eq!(text(&found, "sys/state"), "succeeded");
    assert_eq!(atom(&found, "parameters/learning_rate"), AtomValue::Float(0.5));
    assert_eq!(atom(&found, "parameters/epochs"), AtomValue::Int(20));
    assert_eq!(text(&found, "parameters/optimizer/name"), "sgd");
    assert!(text(&found, "properties/python").starts_with("3."));
    let VariableValue::Set(tags) = found.0.variable(&found.1, "sys/tags").unwrap().value else { panic!("tags") };
    assert_eq!(tags, ["line", "python"]);
    let (steps, losses) = numbers(&found, "logs/train/loss");
    assert_eq!(steps, (0..20).map(f64::from).collect::<Vec<_>>());
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
    assert_eq!(numbers(&found, "logs/final/loss"), (vec![0.0], vec![losses[19]]));
    assert_eq!(numbers(&found, "logs/diverged"), (vec![0.0], vec![1.0]));
    // The times are those that the program took, not those of the import.
    let points = series(&found, "logs/train/loss");
    assert!(points.times.windows(2).all(|pair| pair[0] <= pair[1]) && points.times[0] < points.times[19]);
    assert_eq!(texts(&found, "logs/log").len(), 2);
    let images = texts(&found, "logs/residuals");
    assert!(images[1].contains("after epoch 19") && images[1].contains("\"width\":10"), "{images:?}");
    assert_eq!(
        file(folder.path(), &found, "artifacts/model.json"),
        fs::read(folder.path().join("model.json")).unwrap()
    );
    let source = fs::read(examples().join("train.py")).unwrap();
    assert_eq!(file(folder.path(), &found, "source_code/files/train.py"), source);
}

#[test]
fn what_a_shell_script_wrote_is_imported_whole() {
    let folder = tempfile::tempdir().unwrap();
    run("sh", "train.sh", folder.path());
    let message = import(folder.path(), &["shell.json"]);
    assert!(message.contains("12 entries, 1 artifact, 1 source file, imported"), "{message}");
    let found = experiment(folder.path(), "JSO-1");
    let (steps, errors) = numbers(&found, "logs/train/error");
    assert_eq!(steps, (0..10).map(f64::from).collect::<Vec<_>>());
    assert_eq!((errors[0], errors[9]), (1024.0, 2.0));
    assert_eq!(atom(&found, "parameters/start"), AtomValue::Int(1024));
    assert!(!text(&found, "properties/machine").is_empty());
    let log = fs::read_to_string(folder.path().join("log.txt")).unwrap();
    assert_eq!(texts(&found, "logs/log"), [log.trim_end()]);
    assert_eq!(file(folder.path(), &found, "artifacts/logs/all.txt"), log.as_bytes());
    assert!(texts(&found, "logs/ramp")[0].contains("pnm"));
    assert!(!file(folder.path(), &found, "source_code/files/train.sh").is_empty());
}

#[test]
fn the_example_of_the_documentation_is_imported_and_nothing_of_the_import_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let example = examples().join("example.json");
    import(folder.path(), &[example.to_str().unwrap()]);
    let found = experiment(folder.path(), "7c9ce9b0-5a0e-4c0e-9d6b-0d6a1f5f7a11");
    assert_eq!(numbers(&found, "logs/train/loss"), (vec![0.0, 100.0, 200.0], vec![0.9, 0.5, 0.4]));
    assert_eq!(series(&found, "logs/train/loss").times[1], 1_767_225_660_500_000);
    assert_eq!(numbers(&found, "logs/accuracy").0, [0.0, 1.0, 2.0]);
    assert_eq!(atom(&found, "parameters/layers"), AtomValue::Json("[64,32]".into()));
    assert_eq!(atom(&found, "parameters/optimizer/nesterov"), AtomValue::Bool(true));
    let all = paths(&found, "");
    let of_the_file = ["logs/", "parameters/", "properties/", "artifacts/", "source_code/files/", "sys/"];
    let others: Vec<_> = all.iter().filter(|path| !of_the_file.iter().any(|prefix| path.starts_with(prefix))).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(all.iter().any(|path| path == "artifacts/scripts/train.sh"), "{all:?}");
    // The block in the documentation is right too, but for its files.
    let page = fs::read_to_string(examples().join("../../docs/json-protocol.md")).unwrap();
    let block = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    write(folder.path(), block);
    let missing = said(folder.path(), &["import", "json", "run.json"], 3);
    assert_eq!(missing.lines().count(), 5, "four files are missing, and nothing else is wrong: {missing}");
}

#[test]
fn all_that_is_wrong_is_told_with_its_place_and_nothing_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        r#"{
  "nam": 1,
  "name": "a\u001b[2J",
  "name": "b",
  "id": "42",
  "params": {"a": {"b": 1}, "a/b": 2, "c": NaN, "": 1},
  "tags": [1],
  "log_metric": {"loss": {"x": [0, 1], "y": [0.5, "abc"]}, "short": {"x": [0], "y": [1, 2]},
    "a//b": 1, "none": {"x": 1}, "huge": 1e999, "deep": {"loss": [1]}},
  "log_text": {"loss": ["a"], "t": [{"x": "0", "y": "a", "timestamp": 1767225600000}]},
  "log_image": {"i": "no.png", "j": "run.json"},
  "log_artifact": ["/etc/passwd", "gone", {"destination": "a"}, {"path": "run.json", "destination": "../a"}]
}"#,
    );
    let message = said(folder.path(), &["import", "json", "run.json"], 2);
    let lines: Vec<&str> = message.lines().collect();
    let wanted = [
        "run.json cannot be imported:",
        r#"run.json:2:3: $.nam: unknown key "nam"; did you mean "name"?"#,
        "run.json:4:3: $.name: this key is there twice",
        r#"run.json:5:9: $.id: "42" is no UUID"#,
        r#"run.json:6:36: $.params["a/b"]: another parameter has this path already"#,
        "run.json:6:44: $.params.c: expected a value, found NaN",
        r#"run.json:6:53: $.params[""]: path "parameters/" has an empty segment"#,
        "run.json:7:12: $.tags[0]: expected a text, the tag, found 1",
        r#"run.json:8:51: $.log_metric.loss.y[1]: expected a number, found "abc""#,
        "run.json:8:69: $.log_metric.short: `x` has 1 entries and `y` has 2",
        r#"run.json:9:13: $.log_metric["a//b"]: path "logs/a//b" has an empty segment"#,
        "run.json:9:24: $.log_metric.none: `y` is missing",
        "run.json:9:42: $.log_metric.huge: 1e999 is beyond what a 64 bit float holds",
        r#"run.json:9:58: $.log_metric.deep.loss: unknown key "loss""#,
        "run.json:9:57: $.log_metric.deep: `y` is missing",
        "run.json:10:24: $.log_text.loss: another kind of channel has this name already",
        r#"run.json:10:43: $.log_text.t[0].x: expected a number, the step, found "0""#,
        "run.json:10:71: $.log_text.t[0].timestamp: no time between 1970 and 9999",
        r#"run.json:11:22: $.log_image.i: FileNotFound: there is no file or folder "no.png""#,
        "run.json:11:37: $.log_image.j: ",
        r#"run.json:12:20: $.log_artifact[0]: "/etc/passwd" lies outside of the folder of this file"#,
        "and 3 mistakes more",
    ];
    for (line, wanted) in lines.iter().zip(wanted) {
        let line = line.trim_start_matches("neptune: ").trim_start_matches("error: ");
        assert!(line.starts_with(wanted), "expected {wanted}\nfound    {line}\n\n{message}");
    }
    assert_eq!(lines.len(), wanted.len(), "{message}");
    assert!(!folder.path().join("n").exists(), "nothing was made");

    let output = neptune(folder.path(), &["--json", "import", "json", "run.json"]);
    assert_eq!(output.status.code(), Some(2));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["wrong"][0]["faults"][0]["path"], "$.nam", "{told:#}");
    assert_eq!(told["wrong"][0]["more_faults"], 3);
}

#[test]
fn of_several_files_none_is_imported_when_one_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    fs::create_dir(&runs).unwrap();
    fs::write(runs.join("a.json"), r#"{"name": "a"}"#).unwrap();
    fs::write(runs.join("b.json"), r#"{"name": "b",}"#).unwrap();
    fs::write(runs.join("notes.txt"), "not for neptune").unwrap();
    let message = said(folder.path(), &["import", "json", "runs"], 2);
    assert!(message.contains("runs/b.json:1:14: $.name: a comma in front of the end; leave it out"), "{message}");
    assert!(!folder.path().join("n").exists());
    fs::write(runs.join("b.json"), r#"{"name": "b"}"#).unwrap();
    assert_eq!(import(folder.path(), &["runs"]).lines().count(), 2);
    assert_eq!(text(&experiment(folder.path(), "JSO-2"), "sys/name"), "b");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(said(folder.path(), &["import", "json", "empty"], 3).contains(".json"));
    assert!(said(folder.path(), &["import", "json", "nothing.json"], 3).contains("there is no file nothing.json"));
}

#[test]
fn a_file_with_an_id_is_imported_again_without_another_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let id = "0b8e6e0e-93a0-4bb2-8f60-6a1c1f3f2d11";
    let file = |last: &str| {
        format!(
            r#"{{"id": "{id}", "params": {{"lr": 0.1}}, "properties": {{"last": "{last}"}},
                "log_metric": {{"loss": [3, 2, {last}], "late": {{"x": [5], "y": [1]}}}}}}"#
        )
    };
    write(folder.path(), &file("1"));
    import(folder.path(), &["run.json"]);
    write(folder.path(), &file("0.5"));
    let message = import(folder.path(), &["run.json"]);
    assert!(message.contains("imported again"), "{message}");
    let found = experiment(folder.path(), "JSO-1");
    assert_eq!(numbers(&found, "logs/loss"), (vec![0.0, 1.0, 2.0], vec![3.0, 2.0, 0.5]));
    assert_eq!(numbers(&found, "logs/late"), (vec![5.0], vec![1.0]));
    assert_eq!(text(&found, "properties/last"), "0.5");
    assert_eq!(text(&found, "sys/state"), "succeeded");
    assert!(found.0.find("JSO-2").is_err());

    // What it cannot become is told before it is touched.
    write(folder.path(), &format!(r#"{{"id": "{id}", "log_text": {{"loss": "a"}}}}"#));
    let message = said(folder.path(), &["import", "json", "run.json"], 1);
    assert!(message.contains("logs/loss of JSO-1 is") && message.contains("another id"), "{message}");
    write(folder.path(), &format!(r#"{{"id": "{id}", "params": {{"lr": 0.2}}}}"#));
    assert!(said(folder.path(), &["import", "json", "run.json"], 1).contains("parameters/lr"));
    assert_eq!(text(&experiment(folder.path(), "JSO-1"), "sys/state"), "succeeded");
}

#[test]
fn an_import_that_is_killed_is_marked_failed_and_done_again_by_its_id() {
    const ENTRIES: u32 = 400_000;
    let folder = tempfile::tempdir().unwrap();
    let id = "0b8e6e0e-93a0-4bb2-8f60-6a1c1f3f2d12";
    let values: Vec<String> = (0..ENTRIES).map(|value| value.to_string()).collect();
    write(folder.path(), &format!(r#"{{"id": "{id}", "log_metric": {{"loss": [{}]}}}}"#, values.join(",")));
    let mut child = command(folder.path(), &["import", "json", "--project", "tests/json", "run.json"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Killed once the store has some of it, or when it is done, on a fast machine.
    while child.try_wait().unwrap().is_none() {
        let store = Store::open_existing(&folder.path().join("n"), StoreOptions::default());
        let some = store.is_ok_and(|store| {
            store
                .find(id)
                .is_ok_and(|key| store.series_tail(&key, "logs/loss", 1).is_ok_and(|tail| !tail.steps.is_empty()))
        });
        if some {
            child.kill().unwrap();
            break;
        }
    }
    let was_killed = !child.wait().unwrap().success();
    drop(Session::builder().folder(folder.path().join("n")).mode(Mode::Embedded).open().unwrap());
    assert!(neptune(folder.path(), &["sync"]).status.success());
    if was_killed {
        assert_eq!(text(&experiment(folder.path(), id), "sys/state"), "failed");
    }
    import(folder.path(), &["run.json"]);
    let found = experiment(folder.path(), id);
    assert_eq!(text(&found, "sys/state"), "succeeded");
    let (steps, values) = numbers(&found, "logs/loss");
    assert!(steps == values && steps.len() == ENTRIES as usize, "{} points", steps.len());
    assert!(found.0.find("JSO-2").is_err(), "there is one experiment");
}

#[test]
fn every_way_to_write_a_channel_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        r#"{"log_metric": {
            "a": {"y": [5, 6, 7], "x": [0, 1, 2]},
            "b": [{"x": 0, "y": 5}, {"y": 6, "x": 1}, {"x": 2, "y": 7}],
            "c": [5, 6, 7],
            "d": [{"x": 0, "y": 5}, 6, {"x": null, "y": 7}]},
          "send_metric": [
            {"name": "e", "x": 0, "y": 5}, {"name": "f", "y": 5}, {"name": "e", "y": [6, 7]}, {"name": "f", "y": [6, 7]}]}"#,
    );
    import(folder.path(), &["run.json"]);
    let found = experiment(folder.path(), "JSO-1");
    for name in ["a", "b", "c", "d", "e", "f"] {
        let path = format!("logs/{name}");
        assert_eq!(numbers(&found, &path), (vec![0.0, 1.0, 2.0], vec![5.0, 6.0, 7.0]), "{name}");
    }
}

#[test]
fn entries_behind_a_step_beyond_2_to_the_53_keep_steps_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        r#"{"log_metric": {"a": [{"x": 1e300, "y": 1}, 2, 3], "b": [{"x": 9007199254740992, "y": 1}, 2, 3]}}"#,
    );
    import(folder.path(), &["run.json"]);
    let found = experiment(folder.path(), "JSO-1");
    for path in ["logs/a", "logs/b"] {
        assert_eq!(numbers(&found, path).1, [1.0, 2.0, 3.0], "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_of_more_files_than_may_be_open_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runs")).unwrap();
    for number in 0..100 {
        fs::write(folder.path().join(format!("runs/{number:03}.json")), "{}").unwrap();
    }
    let program = env!("CARGO_BIN_EXE_neptune");
    let import = "ulimit -n 64 && exec \"$0\" --dir n --json import json runs --project tests/json";
    let output = Command::new("sh").args(["-c", import, program]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(store(folder.path()).find("JSO-100").unwrap().short_id, "JSO-100");
}

#[test]
fn the_folder_of_the_file_is_an_artifact_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    fs::write(folder.path().join("run/a.txt"), "x").unwrap();
    fs::write(folder.path().join("run/run.json"), r#"{"log_artifact": "."}"#).unwrap();
    import(folder.path(), &["run/run.json"]);
    let found = experiment(folder.path(), "JSO-1");
    assert_eq!(paths(&found, "artifacts/"), ["artifacts/run/a.txt", "artifacts/run/run.json"]);
}

#[test]
fn files_of_other_folders_are_taken_only_when_they_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let model = other.path().join("model.bin");
    fs::write(&model, "weights").unwrap();
    write(folder.path(), &format!(r#"{{"log_artifact": {}}}"#, serde_json::json!(model)));
    let message = said(folder.path(), &["import", "json", "run.json"], 2);
    assert!(message.contains("$.log_artifact") && message.contains("--files-from"), "{message}");
    import(folder.path(), &["run.json", "--files-from", other.path().to_str().unwrap()]);
    let found = experiment(folder.path(), "JSO-1");
    assert_eq!(file(folder.path(), &found, "artifacts/model.bin"), b"weights");
}

#[test]
fn sources_are_named_one_by_one_by_folder_and_by_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in
        ["train.jl", "notes.md", "odd[1].jl", "src/model.jl", "src/deep/data.jl", "src/deep/data.csv", ".git/x.jl"]
    {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    for (patterns, expected) in [
        ("\"*.jl\"", &["odd[1].jl", "train.jl"][..]),
        ("[\"src/*.jl\", \"./t*.jl\"]", &["src/model.jl", "train.jl"]),
        ("\"**/*.jl\"", &["odd[1].jl", "src/deep/data.jl", "src/model.jl", "train.jl"]),
        ("[\"src/**\", \"src/deep/data.?sv\"]", &["src/deep/data.csv", "src/deep/data.jl", "src/model.jl"]),
        ("\"odd[1].jl\"", &["odd[1].jl"]),
    ] {
        write(folder, &format!("{{\"upload_source_files\": {patterns}}}"));
        let id = import(folder, &["run.json"]);
        let id = id.split_whitespace().next().unwrap();
        let paths = paths(&experiment(folder, id), "source_code/files/");
        let names: Vec<&str> = paths.iter().map(|path| path.strip_prefix("source_code/files/").unwrap()).collect();
        assert_eq!(names, expected, "{patterns}");
    }
    for (pattern, code, message) in [
        ("*.rs", 3, "there is no file that \"*.rs\" matches, seen from "),
        ("train.jl/*.jl", 3, "there is no file that \"train.jl/*.jl\" matches"),
        ("no/*.jl", 3, "there is no file or folder \"no\""),
        ("src/[a.jl", 2, "has a [ without a ]"),
        ("../*", 2, "--files-from"),
    ] {
        write(folder, &format!("{{\"upload_source_files\": [\"{pattern}\"]}}"));
        let told = said(folder, &["import", "json", "run.json"], code);
        assert!(told.contains("$.upload_source_files[0]") && told.contains(message), "{told}");
    }
}

#[test]
fn hostile_files_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("{{\"params\": {{\"a\": {}", "[".repeat(1_000_000));
    write(folder.path(), &deep);
    let message = said(folder.path(), &["import", "json", "run.json"], 2);
    assert!(message.contains("deeper than 100"), "{message}");
    assert!(message.len() < 10_000, "the message has {} bytes", message.len());
    write(folder.path(), &format!(r#"{{"name": "{}"}}"#, "a".repeat(5 << 20)));
    assert!(said(folder.path(), &["import", "json", "run.json"], 2).contains("a text of 5242880 bytes"));
    write(folder.path(), "{\"\u{1b}[2J\u{202e}\": 1, \"log_metric\": {\"\u{9b}\": \"\u{9b}\"}}");
    said(folder.path(), &["import", "json", "run.json"], 2);
    write(folder.path(), "");
    assert!(said(folder.path(), &["import", "json", "run.json"], 2).contains("found the end of the file"));
    write(folder.path(), "{}\n{}");
    assert!(said(folder.path(), &["import", "json", "run.json"], 2).contains("one file is one experiment"));
    assert!(said(folder.path(), &["import", "json", "/dev/zero"], 2).contains("is no file"));
    assert!(!folder.path().join("n").exists());
}

#[test]
fn the_schema_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let output = neptune(folder.path(), &["import", "json", "--schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(Image::encoded(fs::read(examples().join("chart.svg")).unwrap()).is_ok());
}
