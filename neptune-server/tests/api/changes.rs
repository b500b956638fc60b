//! What is changed through the API, of experiments that ended and of such that run.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::run::Server;

fn change(server: &Server, document: &Value) -> u16 {
    server.send("PATCH", "/experiments/MNI-1", document).status
}

/// Waits until the store has what other processes wrote.
fn soon(server: &Server, is_so: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    while !is_so(&server.json("/experiments/MNI-1")) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", server.json("/experiments/MNI-1"));
    }
}

#[test]
fn an_experiment_that_ended_and_one_that_runs_are_changed() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.add_tags(["old", "kept"]);
    experiment.flush(std::time::Duration::from_secs(30)).unwrap();
    let mut experiment = Some(experiment);
    for name in ["while it runs", "when it has ended"] {
        if name.contains("ended") {
            experiment.take().unwrap().stop().unwrap();
        }
        let document =
            json!({ "name": name, "description": "<b>", "add_tags": ["new", "new"], "remove_tags": ["old", "none"] });
        assert_eq!(change(&server, &document), 204);
        soon(&server, |now| {
            now["name"] == name && now["description"] == "<b>" && now["tags"] == json!(["kept", "new"])
        });
    }
    assert_eq!(change(&server, &json!({})), 204);
    assert_eq!(change(&server, &json!({ "name": "", "unknown": 1 })), 204);
    soon(&server, |now| now["name"] == "" && now["state"] == "succeeded");
    let missing = server.send("PATCH", "/experiments/MNI-7", &json!({ "name": "a" }));
    assert!(missing.problem(404).contains("MNI-1"));
    let long = server.send("PATCH", "/experiments/MNI-1", &json!({ "description": "x".repeat(1_900_000) }));
    assert!(long.status == 204 || (400..500).contains(&long.status), "{}", long.text());
}

#[test]
fn the_trash_takes_and_gives_back() {
    let server = Server::new();
    let mut experiment = Some(server.experiment());
    for is_ended in [false, true] {
        if is_ended {
            experiment.take().unwrap().stop().unwrap();
        }
        assert_eq!(server.send("POST", "/experiments/MNI-1/trash", &json!({})).status, 204);
        assert_eq!(server.json("/experiments/MNI-1")["is_trashed"], true);
        assert_eq!(
            (&server.json("/experiments")["total"], &server.json("/experiments?hidden=true")["total"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(server.send("POST", "/experiments/MNI-1/trash", &json!({})).status, 204, "again");
        assert_eq!(server.send("POST", "/experiments/MNI-1/restore", &json!({})).status, 204);
        assert_eq!(server.json("/experiments/MNI-1")["is_trashed"], false);
    }
    assert!(server.send("POST", "/experiments/MNI-2/trash", &json!({})).problem(404).contains("MNI-1"));
}

#[test]
fn one_that_runs_is_asked_to_end_and_one_that_ended_is_not() {
    let server = Server::new();
    let heard = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&heard);
    let builder = server.session().experiment().without_console().without_hardware();
    let experiment = builder.on_abort(move |reason| reason.clone_into(&mut told.lock().unwrap())).start().unwrap();
    let reason = "diverges \u{1b}[2J\n<b>";
    let answer = server.send("POST", "/experiments/MNI-1/abort", &json!({ "reason": reason }));
    assert_eq!((answer.status, answer.json()), (200, json!({ "processes": 1 })));
    let begun = Instant::now();
    while heard.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    }
    assert!(heard.lock().unwrap().starts_with("diverges"), "{heard:?}");
    experiment.stop().unwrap();
    soon(&server, |now| now["state"] != "running");
    let answer = server.send("POST", "/experiments/MNI-1/abort", &json!({}));
    assert_eq!(answer.json(), json!({ "processes": 0 }));
    assert!(server.send("POST", "/experiments/MNI-9/abort", &json!({})).problem(404).contains("MNI-1"));
}
