//! Folders that are not there yet, cannot be written, or are of another version.

use std::os::unix::fs::PermissionsExt as _;

use neptune_server::Ui;
use serde_json::json;

use crate::{
    http::{request, send},
    run::{Server, serve},
};

#[test]
fn a_folder_that_is_not_there_yet_is_empty_and_is_not_made() {
    let server = Server::new();
    assert_eq!(server.json("/projects"), json!({ "projects": [] }));
    assert_eq!(server.json("/experiments?column=sys/name&filter=logs/loss%20%3E%201")["total"], 0);
    assert_eq!(server.json("/paths"), json!({ "paths": [] }));
    assert!(server.get("/experiments/latest").problem(404).contains("no experiment yet"));
    assert!(server.get("/experiments/latest/zip?what=artifacts").problem(404).contains("no experiment yet"));
    assert!(server.send("PATCH", "/experiments/MNI-1", &json!({ "name": "a" })).problem(404).contains("MNI-1"));
    assert!(server.send("POST", "/experiments/latest/abort", &json!({})).problem(404).contains("no experiment yet"));
    assert!(!server.folder().exists(), "reading makes nothing");
    let experiment = server.experiment();
    experiment.log_metric("loss", 0.5);
    experiment.stop().unwrap();
    assert_eq!(server.json("/projects")["projects"][0]["name"], "ada/mnist");
    assert_eq!(server.json("/experiments/latest/points?path=logs/loss")["values"], json!([0.5]));
}

#[test]
fn a_folder_in_which_nobody_logged_stays_as_it_is() {
    let server = Server::new();
    std::fs::create_dir(server.folder()).unwrap();
    std::fs::write(server.folder().join("notes.txt"), "mine").unwrap();
    let dead = Server::new();
    // A journal that nobody drained is looked for once both were looked at.
    let journals = dead.folder().join("journals");
    std::fs::create_dir_all(&journals).unwrap();
    let begun = std::time::Instant::now();
    while !dead.folder().join("store.db").exists() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "journals are not drained");
        assert_eq!(server.json("/projects"), json!({ "projects": [] }));
    }
    let there: Vec<_> = std::fs::read_dir(server.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(there, ["notes.txt"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_read() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.log_metric("loss", 0.5);
    std::fs::write(server.folder().join("source"), "content").unwrap();
    experiment.log_artifact(&*server.folder().join("source"), Some("a.txt")).unwrap();
    experiment.stop().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("neptune");
    std::process::Command::new("cp").arg("-r").arg(server.folder()).arg(&folder).status().unwrap();
    all_modes(&folder, 0o555, 0o444);
    let address = serve(Ui::new(&folder));
    let ask = |method: &str, path: &str, body: &str| {
        let json = [("Content-Type", "application/json")];
        send(address, &request(method, &format!("/api/v1{path}"), &json, body))
    };
    for path in [
        "/projects",
        "/experiments/MNI-1/points?path=logs/loss",
        "/experiments/MNI-1/file?path=artifacts/a.txt",
        "/experiments/MNI-1/zip?what=artifacts",
    ] {
        let answer = ask("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    // Who is root may write it all the same.
    let changed = ask("PATCH", "/experiments/MNI-1", "{\"name\":\"a\"}");
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    assert!(
        if is_root { changed.status == 204 } else { changed.status == 503 || changed.status == 409 },
        "{}",
        changed.text()
    );
    all_modes(&folder, 0o755, 0o644);
}

fn all_modes(folder: &std::path::Path, of_folders: u32, of_files: u32) {
    let mode = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder, 0o755);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all_modes(&path, of_folders, of_files) } else { mode(&path, of_files) }
    }
    mode(folder, of_folders);
}

#[test]
fn a_store_that_is_none_is_said_and_the_server_goes_on() {
    let server = Server::new();
    std::fs::create_dir(server.folder()).unwrap();
    std::fs::write(server.folder().join("store.db"), "no store at all, but some text".repeat(100)).unwrap();
    assert!(server.get("/projects").problem(500).contains("store.db"));
    std::fs::remove_file(server.folder().join("store.db")).unwrap();
    assert_eq!(server.json("/projects"), json!({ "projects": [] }));
}

#[test]
fn a_store_of_an_older_version_is_read_and_one_of_a_newer_is_refused_while_it_is_open() {
    let server = Server::new();
    let old = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/v1");
    let store = find(&old).unwrap();
    std::fs::create_dir(server.folder()).unwrap();
    std::fs::copy(&store, server.folder().join("store.db")).unwrap();
    let total = server.json("/experiments?hidden=true")["total"].as_u64().unwrap();
    assert!(total > 0);
    // Whoever logs there brings it up to date; what is open is opened again.
    server.experiment().stop().unwrap();
    assert_eq!(server.json("/experiments?hidden=true")["total"].as_u64(), Some(total + 1));
    let file = server.folder().join("store.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute("INSERT INTO neptune_schema (version) VALUES (99)", []).unwrap();
    assert!(server.get("/projects").problem(500).contains("99"));
}

/// A store below a folder.
fn find(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = entries.filter_map(|path| {
        if path.is_dir() {
            find(&path)
        } else {
            path.file_name().is_some_and(|name| name == "store.db").then_some(path)
        }
    });
    found.next()
}
