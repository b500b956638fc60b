//! `neptune diff`: two trainings that differ in a parameter, a crate, a line of code, and in their loss from a known step on.

use std::{fs, path::PathBuf};

use neptune_core::{Experiment, Mode, Session, package};
use serde_json::{Value, json};

use crate::run::{neptune, printed};

/// A folder for experiments, and a package beside it that changes between them.
struct Trainings {
    folder: tempfile::TempDir,
    session: Session,
}

impl Trainings {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let session =
            Session::builder().folder(folder.path().join("n")).project("tests/diff").mode(Mode::Embedded).open();
        let trainings = Self { folder, session: session.unwrap() };
        trainings.write("Cargo.toml", "[package]\n");
        trainings
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("n")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("code").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A training whose loss is another from `diverges` on.
    fn train(&self, rate: f64, rand: &str, line: &str, diverges: u32) -> Experiment {
        self.write("Cargo.lock", &format!("[[package]]\nname = \"rand\"\nversion = \"{rand}\"\n"));
        self.write("src/main.rs", &format!("fn main() {{\n    let a = 1;\n{line}\n    let c = 3;\n}}\n"));
        let home = self.folder.path().join("code");
        let package = neptune_core::Package::new("trainer", "1.0.0", home.to_str().unwrap(), &[]);
        let builder = self.session.experiment().without_hardware().package(package).sources(["src"]);
        let params = json!({ "rate": rate, "batch": 32 });
        let experiment = builder.params(&params).property("data", "v1").start().unwrap();
        let loss = experiment.series::<f64>("train/loss").unwrap();
        let accuracy = experiment.series::<f64>("train/accuracy").unwrap();
        for step in 0..100_000_u32 {
            let shift = if step >= diverges { f64::EPSILON } else { 0.0 };
            loss.append_at(step, 1.0 + shift);
            accuracy.append_at(step, f64::from(step));
        }
        experiment.log_artifact(&b"the same"[..], Some("weights")).unwrap();
        experiment
    }
}

#[test]
fn what_differs_is_shown_and_nothing_else() {
    let trainings = Trainings::new();
    trainings.train(0.1, "0.8.5", "    let b = 2;", u32::MAX).stop().unwrap();
    trainings.train(0.2, "0.9.0", "    let b = 20;", 77_777).stop().unwrap();
    let shown = printed(&trainings.kept(), &["diff", "DIF-1", "DIF-2"]);
    for wanted in [
        "DIF-1 and DIF-2 differ in 1 parameter,",
        "1 dependency",
        "and 1 of 2 series\n",
        "Parameters  (1 more equal)\n  ~ rate  0.1 -> 0.2\n",
        "~ rand  0.8.5 -> 0.9.0\n",
        "          let a = 1;\n    -     let b = 2;\n    +     let b = 20;\n          let c = 3;\n",
        "Data  equal (2)\n",
        "Series  (1 more equal)\n  ~ train/loss  77,777 points are equal, then at step 77777: 1 | 1.0000000000000002\n",
    ] {
        assert!(shown.contains(wanted), "{wanted:?} is missing in\n{shown}");
    }
    assert!(!shown.contains("batch") && !shown.contains("accuracy") && !shown.contains("weights"), "{shown}");

    let document: Value =
        serde_json::from_str(&printed(&trainings.kept(), &["diff", "DIF-1", "DIF-2", "--json"])).unwrap();
    assert_eq!(document["is_equal"], false);
    assert_eq!(
        document["groups"]["parameters"],
        json!({ "equal": 1, "differing": [{ "name": "rate", "a": 0.1, "b": 0.2 }] })
    );
    let dependencies = json!([{ "name": "rand", "a": "0.8.5", "b": "0.9.0" }]);
    assert_eq!(document["groups"]["dependencies"]["differing"], dependencies);
    let names: Vec<&Value> =
        document["groups"]["code"]["differing"].as_array().unwrap().iter().map(|change| &change["name"]).collect();
    assert_eq!(names, ["Cargo.lock", "files/src/main.rs"]);
    let loss = &document["series"]["differing"][0];
    assert_eq!(
        (&loss["path"], &loss["step"], &loss["equal_points"]),
        (&json!("train/loss"), &json!(77_777.0), &json!(77_777))
    );
    assert_eq!(document["series"]["equal"], 1);
}

#[test]
fn an_experiment_is_equal_to_itself_and_one_that_is_not_there_is_not_found() {
    let trainings = Trainings::new();
    trainings.train(0.1, "0.8.5", "", 0).stop().unwrap();
    let shown = printed(&trainings.kept(), &["diff", "DIF-1", "latest"]);
    assert!(shown.starts_with("DIF-1 and DIF-1 are equal\n"), "{shown}");
    assert!(shown.contains("Parameters  equal (2)") && shown.contains("Series  equal (2)"), "{shown}");
    assert_eq!(neptune(&trainings.kept(), &["diff", "DIF-1", "DIF-7"]).status.code(), Some(3));
}

#[test]
fn what_only_one_experiment_has_is_told() {
    let trainings = Trainings::new();
    let first = trainings.session.experiment().start().unwrap();
    first.log_metric("only/first", 1.0);
    first.atom("kind").assign("a word");
    first.stop().unwrap();
    let second = trainings.session.experiment().start().unwrap();
    second.log_text("kind", "other");
    second.log_metric("longer", 1.0);
    second.atom("kind").assign(3_i64);
    second.stop().unwrap();
    let shown = printed(&trainings.kept(), &["diff", "DIF-1", "DIF-2"]);
    assert!(shown.contains("  - logs/only/first\n") && shown.contains("  + logs/longer\n"), "{shown}");
    assert!(shown.contains("  ~ kind  a word -> 3\n"), "{shown}");
}

#[test]
fn a_hostile_name_and_a_hostile_line_of_code_are_shown_inert() {
    let trainings = Trainings::new();
    trainings.train(0.1, "0.8.5", "\u{1b}[2J", 0).stop().unwrap();
    trainings.train(0.1, "0.8.5", "\u{202e}x", 0).stop().unwrap();
    let one = trainings.session.edit("DIF-1").start().unwrap();
    one.set_property("evil\u{202e}", "\u{1b}]0;title\u{7}");
    one.stop().unwrap();
    let shown = printed(&trainings.kept(), &["diff", "DIF-1", "DIF-2"]);
    assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown}");
    assert!(shown.contains("\\u{1b}[2J") && shown.contains("\\u{202e}x"), "{shown}");
}

#[test]
fn the_page_of_an_experiment_has_a_line_about_its_code() {
    let trainings = Trainings::new();
    let experiment = trainings.session.experiment().package(package!()).sources(["src/main.rs"]).start().unwrap();
    experiment.stop().unwrap();
    let shown = printed(&trainings.kept(), &["show", "latest"]);
    let line = shown.lines().find(|line| line.trim_start().starts_with("code ")).unwrap_or_default();
    assert!(line.ends_with("1 file kept"), "{shown}");
    assert!(!shown.contains("source_code/git") && !shown.contains("environment/"), "{shown}");
}
