//! What is recorded of each process, and what several record of one experiment.

use std::{fs, path::Path};

use neptune_core::ErrorKind;
use neptune_tests::{Folder, wait_for};

use super::{Found, package};

#[test]
fn secrets_of_the_command_line_and_of_the_environment_are_not_recorded() {
    let code = package();
    let arguments = ["--token", "very-secret", "--password=very-secret", "--lr", "0.1", "https://u:very-secret@host/x"];
    let variables = ["variable=MY_SETTING", "variable=MY_API_KEY"];
    let found = code.run(&[&["without-git"], &arguments[..], &variables].concat());
    for (path, value) in &found.0 {
        assert!(!format!("{value:?}").contains("secret"), "{path} tells: {value:?}");
    }
    let recorded = found.environment("arguments");
    assert!(recorded.contains(r#""--token","***","--password=***","--lr","0.1","https://host/x""#), "{recorded}");
    assert_eq!(found.environment("variables/RAYON_NUM_THREADS"), "3");
    assert_eq!(found.environment("variables/MY_SETTING"), "see https://host/x");
    assert_eq!(found.environment("variables/MY_API_KEY"), "");
}

#[test]
fn how_the_program_was_built_and_run_is_recorded() {
    let found = package().run(&["without-git"]);
    assert_eq!(found.environment("package"), "trainer 1.2.3");
    assert!(found.environment("build/rustc").starts_with("rustc 1."));
    assert!(found.environment("build/target").contains('-'));
    assert!(!found.environment("build/profile").is_empty());
    assert!(found.environment("executable").ends_with("neptune-test-child"));
    assert!(Path::new(&found.environment("working_folder")).is_absolute());
    let id = found.environment("build/id");
    assert!(id.starts_with("gnu:") || id.starts_with("blake3:"), "{id}");
}

#[test]
fn a_process_with_the_same_code_records_it_once_and_one_with_other_code_under_its_own_name() {
    let code = package();
    let first = code.run(&["without-git"]).text("source_code/digest");
    let id = format!("id={}", code.folder.only_experiment().uuid);
    let found = code.run(&["without-git", &id]);
    let digests = |found: &Found| found.0.keys().filter(|path| path.ends_with("/digest")).count();
    let processes = |found: &Found| found.0.keys().filter(|path| path.ends_with("/environment/source_code")).count();
    assert_eq!((digests(&found), processes(&found)), (1, 2));

    code.write("src/main.rs", "fn main() { changed() }\n");
    let found = code.run(&["without-git", &id]);
    assert_eq!((digests(&found), processes(&found)), (2, 3));
    assert_eq!(found.text("source_code/digest"), first);
    assert_eq!(found.text("source_code/files/src/main.rs"), "fn main() {}\n", "nothing is written over");
    let own = found.0.keys().find(|path| path.ends_with("/files/src/main.rs") && path.split('/').count() == 5).unwrap();
    assert_eq!(found.text(own), "fn main() { changed() }\n");

    // Who has the code of the third records nothing again.
    let found = code.run(&["without-git", &id]);
    assert_eq!((digests(&found), processes(&found)), (2, 4));
}

#[test]
fn ranks_that_start_together_record_their_code_once() {
    let code = package();
    let id = "id=0197c2a4-7f3e-7cc0-9d1b-2f6a3e0c5b11";
    let settings = ["without-git", id, "waits", "deadline=60"];
    let ranks: Vec<_> = (0..4).map(|_| code.start_in(&code.home, None, &settings).0).collect();
    fs::write(code.folder.path().with_extension("enough"), "").unwrap();
    for mut rank in ranks {
        assert_eq!(rank.line(), "lost nothing");
        assert!(rank.wait().success());
    }
    let found = code.found();
    let told: Vec<_> = found.0.keys().filter(|path| path.ends_with("/environment/source_code")).collect();
    assert_eq!(told.len(), 4);
    assert!(!found.text("source_code/digest").is_empty());
}

#[test]
fn a_process_that_is_killed_leaves_whole_files_only() {
    let code = package();
    let (mut trainer, _) =
        code.start_in(&code.home, None, &["without-git", "source=src", "kill=object-written", "waits"]);
    assert_eq!(trainer.line(), "", "it was killed");
    trainer.wait();
    drop(code.folder.session());
    let found = wait_for("its recovery", || Some(code.found()).filter(|found| found.text("sys/state") == "failed"));
    assert_eq!(found.text("source_code/digest"), "");
    for name in found.below("source_code/files/") {
        assert_eq!(found.text(&format!("source_code/files/{name}")), fs::read_to_string(code.home.join(name)).unwrap());
    }
    assert!(found.below("source_code/files/").len() < 3);
}

#[test]
fn who_only_edits_and_who_wants_nothing_recorded_records_nothing() {
    let code = package();
    let before = code.run(&[]).0.len();
    let id = format!("id={}", code.folder.only_experiment().uuid);
    assert_eq!(code.run(&["edit", &id]).0.len(), before);

    let folder = Folder::new();
    folder.session().experiment().start().unwrap().stop().unwrap();
    let variables = folder.store().variables(&folder.only_experiment(), "").unwrap();
    assert!(
        variables
            .iter()
            .all(|variable| !variable.path.contains("environment") && !variable.path.contains("source_code"))
    );
}

#[test]
fn an_offline_experiment_brings_its_code_along() {
    let code = package();
    let (mut trainer, _) = code.start_in(&code.home, None, &["offline", "without-git"]);
    assert_eq!(trainer.line(), "lost nothing");
    assert!(trainer.wait().success());
    code.folder.session().recover(|_| ()).unwrap();
    assert_eq!(code.found().text("source_code/files/src/main.rs"), "fn main() {}\n");
}

#[test]
fn a_pattern_that_cannot_be_used_is_invalid_at_the_start() {
    let folder = Folder::new();
    let session = folder.session();
    for names in [["../secret.rs"], ["src/../../x"], ["a[b"], [""]] {
        assert_eq!(session.experiment().sources(names).start().unwrap_err().kind(), ErrorKind::Invalid, "{names:?}");
    }
    assert_eq!(session.experiment().sources_matching("(").start().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn secrets_that_stand_among_other_settings_are_not_recorded() {
    let arguments = [
        r#"{"lr": 0.1, "api_key": "very-secret", "password":'very secret'}"#,
        "db={user:ada,password:very-secret}",
        "postgres://ada:very,secret@host/x,https://ada:very-secret@host/y",
        "--header=Authorization: Bearer very-secret",
        "--token2=very-secret",
    ];
    let found = package().run(&[&["without-git"], &arguments[..]].concat());
    let recorded = found.environment("arguments");
    assert!(!recorded.contains("secret"), "{recorded}");
    for rest in ["lr", "0.1", "user:ada", "postgres://host/x", "https://host/y"] {
        assert!(recorded.contains(rest), "{rest}: {recorded}");
    }
}

#[test]
fn a_program_that_is_given_very_many_arguments_loses_nothing_by_it() {
    let argument = "x".repeat(100_000);
    let arguments: Vec<&str> = std::iter::repeat_n(argument.as_str(), 15).collect();
    let found = package().run(&[&["without-git"], &arguments[..]].concat());
    let recorded = found.environment("arguments");
    assert!(recorded.len() > 100_000 && recorded.ends_with("\"... and 14 more\"]"), "{}", recorded.len());
}
