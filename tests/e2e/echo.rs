//! What is logged is said on standard error, where that is asked for.

use std::ffi::OsStr;

use neptune_core::{Mode, Session};
use neptune_tests::{Folder, Trainer};

const ECHOED: [&str; 18] = [
    "sys/name: assign \"first\"",
    "parameters/layers: assign [64,32]",
    "parameters/rate: assign 0.1",
    "sys/tags: add \"cnn\"",
    "logs/loss: log 0.5",
    "logs/loss: log 0.25 at step 7",
    "logs/notes: log \"went\\n\\u{1b}[31mwell\"",
    "",
    "logs/digits: log an image at step 3",
    "logs/weights: log a histogram",
    "best: assign true",
    "artifacts/a.bin: assign a file of 5 bytes",
    "sys/tags: remove \"cnn\"",
    "logs/loss: rename to train/loss",
    "train/loss: log 0.125",
    "properties/to be deleted: assign \"1\"",
    "properties/to be deleted: delete",
    "",
];

fn run(folder: &Folder, environment: &[(&str, &str)]) -> (bool, String) {
    let environment: Vec<(&str, &OsStr)> = environment.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let output = Trainer::output("echoes", [folder.path()], &environment);
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// What is kept of what the only process printed on standard error.
fn printed(folder: &Folder) -> Vec<String> {
    let session = folder.session();
    session.recover(|_| ()).unwrap();
    let stored = session.get("E2E-1").unwrap();
    let variables = stored.variables("monitoring/").unwrap();
    let path = variables.iter().find(|variable| variable.path.ends_with("/stderr")).map(|variable| &variable.path);
    let points = path.map(|path| stored.series::<String>(path).unwrap()).unwrap_or_default();
    points.into_iter().map(|point| point.value).collect()
}

#[test]
fn each_write_is_said_once_and_not_kept_as_output_of_the_program() {
    for console in ["all", "off"] {
        let folder = Folder::new();
        let (ended, said) = run(&folder, &[("NEPTUNE_ECHO", "on"), ("NEPTUNE_CONSOLE", console)]);
        assert!(ended, "{said}");
        let long = format!("logs/long: log \"{}\" ...", "x".repeat(200));
        let expected = ECHOED.iter().enumerate().filter_map(|(number, line)| match (number, *line) {
            (7, _) => Some(format!("neptune: E2E-1: {long}")),
            (_, "") => None,
            (_, line) => Some(format!("neptune: E2E-1: {line}")),
        });
        let (echoed, others): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.contains("E2E-1: "));
        assert_eq!(echoed, expected.collect::<Vec<_>>(), "{console}");
        assert_eq!(others, ["printed by the program"], "{console}");
        let kept: &[&str] = if console == "all" { &["printed by the program"] } else { &[] };
        assert_eq!(printed(&folder), kept, "{console}");
    }
}

#[test]
fn nothing_is_said_unless_it_is_asked_for_and_a_wrong_word_is_told() {
    let folder = Folder::new();
    for environment in [&[][..], &[("NEPTUNE_ECHO", "off")]] {
        assert_eq!(run(&folder, environment), (true, "printed by the program\n".to_owned()));
    }
    let (ended, said) = run(&folder, &[("NEPTUNE_ECHO", "loud")]);
    assert!(!ended && said.contains("NEPTUNE_ECHO is \\\"loud\\\"; it is on or off"), "{said}");
}

#[test]
fn an_experiment_that_nobody_drains_says_that_it_echoes_nothing() {
    let folder = Folder::new();
    let output = Trainer::output(
        "from-env",
        [""; 0],
        &[
            ("NEPTUNE_DIR", folder.path().as_os_str()),
            ("NEPTUNE_MODE", "offline".as_ref()),
            ("NEPTUNE_ECHO", "1".as_ref()),
        ],
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nothing is echoed in mode offline"), "{said}");
}

#[test]
fn an_experiment_that_asks_for_it_is_echoed_whatever_the_environment_says() {
    let folder = Folder::new();
    let session: Session = folder.builder().mode(Mode::Embedded).open().unwrap();
    // What is said goes to the standard error of the tests; here it is looked at that all is kept all the same.
    let experiment = session.experiment().echo().start().unwrap();
    experiment.log_metric("loss", 1.0);
    assert!(experiment.stop().unwrap().is_empty());
    assert_eq!(folder.series("logs/loss").len(), 1);
}
