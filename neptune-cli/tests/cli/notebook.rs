//! `neptune notebook`: checkpoints of notebooks are kept, listed, shown, compared and written out again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use neptune_core::{Mode, Session};
use serde_json::{Value, json};

use crate::run::{Closed, beside::command, printed_by, said_by};

/// What would clear a screen, and a page that would run a script.
const EVIL: &str = "\u{1b}[2J\u{9b}2J\u{202e}<script>alert(1)</script>";

fn neptune(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).env("NEPTUNE_PROJECT", "tests/notebooks").output().unwrap()
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    printed_by(neptune(folder, arguments), arguments)
}

fn said(folder: &Path, arguments: &[&str], code: i32) -> String {
    said_by(neptune(folder, arguments), arguments, code)
}

fn told(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(folder, &[&["--json", "notebook"], arguments].concat())).unwrap()
}

/// A notebook with these code cells, each with an output.
fn write(folder: &Path, name: &str, cells: &[(&str, &str)]) -> PathBuf {
    let cells: Vec<Value> = cells
        .iter()
        .map(|(source, output)| {
            json!({"cell_type": "code", "source": [source], "metadata": {}, "execution_count": 1,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": output}]})
        })
        .collect();
    let path = folder.join(name);
    fs::write(&path, json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string()).unwrap();
    path
}

fn objects(folder: &Path) -> usize {
    let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    let folders = fs::read_dir(folder.join("n/objects")).unwrap();
    folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).map(|path| count(&path)).sum()
}

#[test]
fn a_notebook_is_kept_once_for_each_content_and_written_out_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "explore.ipynb", &[("1 + 1", "2")]);
    let first = fs::read(&file).unwrap();
    let upload = |more: &[&str]| printed(folder.path(), &[&["notebook", "upload", "explore.ipynb"], more].concat());
    assert_eq!(upload(&["--name", "first look", "--description", "adds"]), "NOT-1  checkpoint 1\n");
    assert_eq!(upload(&[]), "NOT-1  unchanged since checkpoint 1\n");
    assert_eq!(upload(&["--name", "first look"]), "NOT-1  unchanged since checkpoint 1\n");
    assert_eq!(objects(folder.path()), 1);
    assert_eq!(upload(&["--name", "kept again"]), "NOT-1  checkpoint 2\n");
    assert_eq!(objects(folder.path()), 1, "the same content is there once");
    write(folder.path(), "explore.ipynb", &[("1 + 2", "3")]);
    assert_eq!(upload(&[]), "NOT-1  checkpoint 3\n");
    // Another file is another notebook, unless it is said which one it is.
    fs::copy(&file, folder.path().join("moved.ipynb")).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(printed(folder.path(), &["notebook", "upload", "moved.ipynb"]), "NOT-2  checkpoint 1\n");
    let moved = printed(folder.path(), &["notebook", "upload", "moved.ipynb", "--id", "NOT-1", "--name", "moved"]);
    assert_eq!(moved, "NOT-1  checkpoint 4\n");
    assert_eq!(
        printed(folder.path(), &["notebook", "upload", "moved.ipynb", "--project", "tests/other"]),
        "OTH-1  checkpoint 1\n"
    );

    let list = told(folder.path(), &["ls"]);
    let listed: Vec<_> = list.as_array().unwrap().iter().map(|notebook| notebook["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ["OTH-1", "NOT-2", "NOT-1"]);
    assert_eq!((&list[2]["checkpoints"], &list[2]["last_name"]), (&4.into(), &"moved".into()), "{list:#}");
    assert_eq!(told(folder.path(), &["ls", "--project", "tests/other"]).as_array().unwrap().len(), 1);
    assert!(printed(folder.path(), &["notebook", "ls"]).contains("explore.ipynb"));

    let shown = told(folder.path(), &["show", "NOT-1", "--checkpoint", "1"]);
    assert_eq!(shown["checkpoints"][0]["description"], "adds");
    assert_eq!((&shown["cells"][0]["source"], &shown["cells"][0]["outputs"][0]), (&"1 + 1".into(), &"2".into()));
    printed(folder.path(), &["notebook", "get", "NOT-1", "--checkpoint", "1", "-o", "back.ipynb"]);
    assert_eq!(fs::read(folder.path().join("back.ipynb")).unwrap(), first);
    assert!(
        said(folder.path(), &["notebook", "get", "NOT-1", "--checkpoint", "9", "-o", "x"], 3).contains("the last is 4")
    );
}

#[test]
fn another_description_is_another_checkpoint_and_one_that_is_not_whole_is_none() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.ipynb", &[("1 + 1", "2")]);
    let upload = |text: &str| printed(folder.path(), &["notebook", "upload", "a.ipynb", "--description", text]);
    assert_eq!(upload("adds"), "NOT-1  checkpoint 1\n");
    assert_eq!(upload("sums"), "NOT-1  checkpoint 2\n");
    assert_eq!(upload("sums"), "NOT-1  unchanged since checkpoint 2\n");
    // As when whoever uploads it is killed: the time is written last.
    let store = rusqlite::Connection::open(folder.path().join("n/store.db")).unwrap();
    let times = "DELETE FROM variable WHERE path_id IN (SELECT id FROM path WHERE name LIKE 'checkpoints/%/time')";
    assert_eq!(store.execute(times, []).unwrap(), 2);
    drop(store);
    assert_eq!(told(folder.path(), &["ls"])[0]["checkpoints"], 0);
    said(folder.path(), &["notebook", "show", "NOT-1"], 3);
    assert_eq!(upload("sums"), "NOT-1  checkpoint 1\n");
}

#[test]
fn checkpoints_and_files_are_compared_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.ipynb", &[("import numpy", ""), ("x = 1\ny = 2", "old"), ("print(x)", "1"), ("gone", "")]);
    printed(folder.path(), &["notebook", "upload", "a.ipynb"]);
    write(folder.path(), "a.ipynb", &[("import numpy", ""), ("x = 1\ny = 3", "new"), ("print(x)", "7"), ("", "")]);
    write(folder.path(), "b.ipynb", &[("import numpy", ""), ("print(x)", "1"), ("more", "")]);
    printed(folder.path(), &["notebook", "upload", "a.ipynb"]);
    let diff = printed(folder.path(), &["notebook", "diff", "NOT-1@1", "NOT-1"]);
    assert_eq!(diff, "~ [2] code\n    x = 1\n  - y = 2\n  + y = 3\n~ [4] code\n  - gone\n");
    assert_eq!(printed(folder.path(), &["notebook", "diff", "NOT-1", "a.ipynb"]), "no cell differs\n");
    let outputs = printed(folder.path(), &["notebook", "diff", "NOT-1@1", "NOT-1@2", "--outputs"]);
    assert!(outputs.contains("~ [3] code\n    print(x)\n  - | 1\n  + | 7\n"), "{outputs}");
    let told = told(folder.path(), &["diff", "NOT-1@1", "b.ipynb"]);
    let changes: Vec<_> = told.as_array().unwrap().iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["removed", "changed"], "{told:#}");
    assert_eq!((&told[0]["a"], &told[0]["b"]), (&2.into(), &Value::Null));
    assert!(said(folder.path(), &["notebook", "diff", "NOT-1@x", "b.ipynb"], 2).contains("no number"));
    assert!(said(folder.path(), &["notebook", "diff", "NOT-1", "c.ipynb"], 3).contains("FileNotFound"));
}

#[test]
fn a_notebook_is_no_run_and_an_experiment_is_no_notebook() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::builder()
        .folder(folder.path().join("n"))
        .project("tests/notebooks")
        .mode(Mode::Embedded)
        .open()
        .unwrap();
    session.experiment().without_hardware().start().unwrap().stop().unwrap();
    write(folder.path(), "a.ipynb", &[("1", "1")]);
    assert_eq!(printed(folder.path(), &["notebook", "upload", "a.ipynb"]), "NOT-2  checkpoint 1\n");
    let notebook = session.get("NOT-2").unwrap();
    assert!(notebook.is_notebook().unwrap());
    let page = printed(folder.path(), &["show", "NOT-2"]);
    assert!(page.contains("kind") && page.contains("neptune notebook show NOT-2"), "{page}");
    assert!(!page.contains("state") && !page.contains("so far"), "it is no run: {page}");
    printed(folder.path(), &["tail", "NOT-2"]);
    let abort = neptune(folder.path(), &["abort", "NOT-2"]);
    assert!(String::from_utf8_lossy(&abort.stdout).contains("NOT-2 is no run"), "{abort:?}");
    let store = neptune_store::Store::open_existing(session.folder(), neptune_store::StoreOptions::default()).unwrap();
    let key = store.find("NOT-2").unwrap();
    for path in ["sys/state", "sys/failed", "sys/completion_time"] {
        assert!(store.variable(&key, path).is_err(), "{path} is there");
    }
    let doctor = neptune(folder.path(), &["doctor"]);
    assert!(doctor.status.success(), "{doctor:?}");
    let wrong = said(folder.path(), &["notebook", "upload", "a.ipynb", "--id", "NOT-1"], 2);
    assert!(wrong.contains("NOT-1 is no notebook"), "{wrong}");
    said(folder.path(), &["notebook", "show", "NOT-1"], 2);
    assert!(
        store.variables(&store.find("NOT-1").unwrap(), "checkpoints").unwrap().is_empty(),
        "nothing was written to it"
    );
    assert_eq!(told(folder.path(), &["ls"]).as_array().unwrap().len(), 1);

    // A notebook may be kept with the experiment that ran it.
    let message = printed(folder.path(), &["notebook", "upload", "a.ipynb", "--experiment", "NOT-1"]);
    assert_eq!(message, "NOT-1  source_code/files/a.ipynb\n");
    assert!(printed(folder.path(), &["show", "NOT-1"]).contains("succeeded"), "its state is as it was");
}

#[test]
fn what_a_hostile_notebook_holds_is_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let cells = json!([
        {"cell_type": EVIL, "source": EVIL, "id": EVIL, "outputs": [
            {"output_type": "stream", "text": EVIL},
            {"output_type": "error", "ename": EVIL, "evalue": EVIL},
            {"output_type": "display_data", "data": {EVIL: EVIL, "text/html": "<script>"}}]},
        {"cell_type": "code", "source": "loop", "outputs": [{"output_type": "stream", "text": "line\n".repeat(1_000_000)}]}]);
    fs::write(folder.path().join("evil.ipynb"), json!({"nbformat": 4, "cells": cells}).to_string()).unwrap();
    printed(folder.path(), &["notebook", "upload", "evil.ipynb", "--name", EVIL, "--description", EVIL]);
    let page = printed(folder.path(), &["notebook", "show", "NOT-1"]);
    assert!(page.contains("999990 more lines") || page.contains("999,990 more lines"), "{page}");
    assert!(page.len() < 10_000);
    printed(folder.path(), &["notebook", "ls"]);
    write(folder.path(), "mild.ipynb", &[("1", "1")]);
    printed(folder.path(), &["notebook", "diff", "NOT-1", "mild.ipynb", "--outputs"]);
    printed(folder.path(), &["--json", "notebook", "show", "NOT-1"]);

    fs::write(folder.path().join("no.ipynb"), "{\"nbformat\": 4,\n\"cells\": [{\"source\": []}]}").unwrap();
    let message = said(folder.path(), &["notebook", "upload", "no.ipynb"], 2);
    assert!(message.contains("no.ipynb cannot be uploaded") && message.contains("line 2"), "{message}");
    assert!(said(folder.path(), &["notebook", "upload", "gone.ipynb"], 3).contains("FileNotFound"));
    assert!(said(folder.path(), &["notebook", "upload", "/dev/zero"], 2).contains("is no file"));
}

#[test]
fn a_notebook_that_was_damaged_is_told_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.ipynb", &[("1 + 1", "2")]);
    printed(folder.path(), &["notebook", "upload", "a.ipynb"]);
    let object = object(folder.path());
    let content = fs::read_to_string(&object).unwrap();
    fs::write(&object, content.replace("1 + 1", "1 + 2")).unwrap();
    for arguments in [&["get", "NOT-1", "-o", "back.ipynb"][..], &["show", "NOT-1"], &["diff", "NOT-1", "a.ipynb"]] {
        let message = said(folder.path(), &[&["notebook"], arguments].concat(), 1);
        assert!(message.contains("checkpoint 1 of NOT-1 is not what was logged"), "{message}");
    }
    assert!(!folder.path().join("back.ipynb").exists());
    fs::remove_file(&object).unwrap();
    let message = said(folder.path(), &["notebook", "get", "NOT-1", "-o", "back.ipynb"], 3);
    assert!(message.contains("checkpoint 1 of NOT-1 is missing") && message.contains("neptune doctor"), "{message}");
}

/// The file of the only object.
fn object(folder: &Path) -> PathBuf {
    let folders = fs::read_dir(folder.join("n/objects")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = folders.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).unwrap());
    files.next().unwrap().unwrap().path()
}

#[cfg(unix)]
#[test]
fn notebooks_are_read_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.ipynb", &[("1 + 1", "2")]);
    printed(folder.path(), &["notebook", "upload", "a.ipynb"]);
    let store = folder.path().join("n");
    let Some(_closed) = Closed::new(&store) else { return };
    assert!(printed(folder.path(), &["notebook", "ls"]).contains("a.ipynb"));
    assert!(printed(folder.path(), &["notebook", "show", "NOT-1"]).contains("1 + 1"));
    assert_eq!(printed(folder.path(), &["notebook", "diff", "NOT-1", "a.ipynb"]), "no cell differs\n");
    printed(folder.path(), &["notebook", "get", "NOT-1", "-o", "back.ipynb"]);
    said(folder.path(), &["notebook", "upload", "a.ipynb", "--name", "again"], 1);
}
