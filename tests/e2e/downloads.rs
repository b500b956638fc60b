//! Artifacts and sources: listed, downloaded one by one and as archives, and deleted.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use neptune_core::{AtomValue, ErrorKind, ExperimentHandle, StoredExperiment};
use neptune_tests::{Folder, Trainer, wait_for};

fn log(experiment: &ExperimentHandle, files: &[(&str, &str)]) {
    for (path, content) in files {
        experiment.log_artifact(content.as_bytes(), Some(path)).unwrap();
    }
}

fn paths(experiment: &StoredExperiment, path: &str) -> Vec<String> {
    experiment.artifacts(path).unwrap().into_iter().map(|artifact| artifact.path).collect()
}

/// The names of what is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The file of the object with this content.
fn object(folder: &Folder, content: &str) -> PathBuf {
    let id = neptune_core::ObjectId::from_bytes(*blake3::hash(content.as_bytes()).as_bytes());
    neptune_core::store::objects::file_of(folder.path(), id)
}

/// What Python makes of an archive: it is tested, and each name is printed with the length and the method of its content.
fn listed(archive: &Path) -> Vec<String> {
    let script = "import sys, zipfile\n\
                  z = zipfile.ZipFile(sys.argv[1])\n\
                  assert z.testzip() is None\n\
                  for i in z.infolist(): print(i.filename, i.file_size, i.compress_type, len(z.read(i)))";
    let output = Command::new("python3").args(["-c", script]).arg(archive).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn artifacts_are_listed_by_path_whole_by_folder_and_one_by_one() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let stored = experiment.stored().unwrap();
    assert_eq!(paths(&stored, ""), [""; 0]);
    log(&experiment, &[("b.txt", "b"), ("data/2.csv", "two"), ("data/deep/1.csv", "one"), ("data.csv", "flat")]);
    experiment.atom("artifacts/note").assign("no file");
    let stored = experiment.stored().unwrap();
    assert_eq!(paths(&stored, ""), ["b.txt", "data.csv", "data/2.csv", "data/deep/1.csv"]);
    assert_eq!(paths(&stored, "data"), ["data/2.csv", "data/deep/1.csv"]);
    assert_eq!(paths(&stored, "data/deep/"), ["data/deep/1.csv"]);
    assert_eq!(paths(&stored, "b.txt"), ["b.txt"]);
    let one = stored.artifact("data/2.csv").unwrap();
    assert_eq!((one.name(), one.size), ("2.csv", 3));
    assert_eq!(one.digest.as_bytes(), blake3::hash(b"two").as_bytes());
    let error = stored.artifact("data/3.csv").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.to_string().contains("did you mean") && error.to_string().contains("\"data/2.csv\""), "{error}");
    for missing in ["note", "dat", "/", "../b.txt", "b.txt/c"] {
        assert_eq!(stored.artifacts(missing).unwrap_err().kind(), ErrorKind::FileNotFound, "{missing}");
    }
    assert!(stored.artifact("data").unwrap_err().to_string().contains("a folder, not a file"));
    experiment.stop().unwrap();
    assert_eq!(paths(&stored, "data").len(), 2, "what has ended is read too");
}

#[test]
fn a_file_is_downloaded_whole_into_a_folder_that_is_made_and_replaces_what_is_there() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    log(&experiment, &[("data/forest.pkl", "new content")]);
    let stored = experiment.stored().unwrap();
    let target = folder.path().join("made/for it");
    let file = stored.download_artifact("data/forest.pkl", Some(&target)).unwrap();
    assert_eq!(file, target.join("forest.pkl"));
    // Not written through what is there.
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    fs::remove_file(&file).unwrap();
    symlink(&elsewhere, &file).unwrap();
    stored.download_artifact("data/forest.pkl", Some(&target)).unwrap();
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), file.is_symlink()), ("new content", false));
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    assert_eq!(names(&target), ["forest.pkl"]);
    for not_a_folder in [elsewhere.clone(), elsewhere.join("below")] {
        let error = stored.download_artifact("data/forest.pkl", Some(&not_a_folder)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
        assert!(error.to_string().contains("elsewhere"), "{error}");
        assert_eq!(stored.download_artifacts("", Some(&not_a_folder)).unwrap_err().kind(), ErrorKind::NotADirectory);
    }
    let error = stored.download_artifact("forest.pkl", Some(&folder.path().join("never"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(!folder.path().join("never").exists());
    experiment.stop().unwrap();
}

#[test]
fn damaged_and_missing_content_is_told_and_what_was_there_stays() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    log(&experiment, &[("a", "content of a"), ("b", "content of b")]);
    let stored = experiment.stored().unwrap();
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("a"), "mine").unwrap();
    let content = object(&folder, "content of a");
    fs::write(&content, "c0ntent of a").unwrap();
    assert_eq!(stored.download_artifact("a", Some(&target)).unwrap_err().kind(), ErrorKind::Corrupt);
    let error = stored.download_artifacts("", Some(&target)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("artifacts/a of E2E-1"), "{error}");
    fs::remove_file(&content).unwrap();
    let error = stored.download_artifact("a", Some(&target)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.to_string().contains("neptune doctor"), "{error}");
    assert_eq!(stored.write_artifacts_zip("", &mut io::sink()).unwrap_err().kind(), ErrorKind::FileNotFound);
    assert_eq!(
        (names(&target), fs::read_to_string(target.join("a")).unwrap()),
        (vec!["a".to_owned()], "mine".to_owned())
    );
    experiment.stop().unwrap();
}

#[test]
fn archives_are_read_by_other_programs() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let text = "epoch,loss\n".repeat(100_000);
    let noise: Vec<u8> = (0..1_u32 << 15).flat_map(|i| *blake3::hash(&i.to_le_bytes()).as_bytes()).collect();
    log(&experiment, &[("data/log.csv", &text), ("data/empty", ""), ("data/\u{e9}t\u{e9} ~.txt", "x"), ("c:\\x", "y")]);
    experiment.log_artifact(noise.as_slice(), Some("model.bin")).unwrap();
    let stored = experiment.stored().unwrap();
    let out = folder.path().join("out");
    let all = stored.download_artifacts("", Some(&out)).unwrap();
    assert_eq!(all, out.join("artifacts.zip"));
    assert_eq!(
        listed(&all),
        [
            "c__x 1 0 1",
            "data/empty 0 0 0",
            "data/log.csv 1100000 8 1100000",
            "data/\u{e9}t\u{e9} ~.txt 1 0 1",
            "model.bin 1048576 0 1048576"
        ]
    );
    let packed = fs::metadata(&all).unwrap().len();
    assert!(packed > 1 << 20 && packed < (1 << 20) + 20_000, "{packed}");
    let tested = Command::new("unzip").arg("-t").arg(&all).output();
    assert!(tested.is_err() || tested.is_ok_and(|tested| tested.status.success()));
    let one = stored.download_artifacts("data/log.csv", Some(&out)).unwrap();
    assert_eq!(
        (one.file_name().unwrap(), listed(&one)),
        ("log.csv.zip".as_ref(), vec!["log.csv 1100000 8 1100000".into()])
    );
    let some = stored.download_artifacts("data/", Some(&out)).unwrap();
    assert_eq!((some.file_name().unwrap(), listed(&some).len()), ("data.zip".as_ref(), 3));
    assert_eq!(stored.download_artifacts("dat", Some(&out)).unwrap_err().kind(), ErrorKind::FileNotFound);
    // To something that cannot seek.
    let mut bytes = Vec::new();
    let written = stored.write_artifacts_zip("data", &mut bytes).unwrap();
    assert_eq!((written, &bytes), (bytes.len() as u64, &fs::read(&some).unwrap()));
    assert_eq!(names(&out), ["artifacts.zip", "data.zip", "log.csv.zip"]);
    experiment.stop().unwrap();
}

#[test]
fn sources_are_those_that_were_kept_and_their_differences() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    for (path, content) in [("a", "fn main() {}"), ("b", "mod c;"), ("c", "- old\n+ new")] {
        log(&experiment, &[(path, content)]);
    }
    let as_source = |from: &str, to: &str| {
        let file = experiment.atom(&format!("artifacts/{from}")).read().unwrap().as_file().unwrap();
        experiment.atom(&format!("source_code/{to}")).assign(AtomValue::File(file));
    };
    as_source("a", "files/src/main.rs");
    as_source("b", "files/src/deep/mod.rs");
    as_source("c", "diff/uncommitted.patch");
    let stored = experiment.stored().unwrap();
    let sources: Vec<_> = stored.sources("").unwrap().into_iter().map(|source| source.path).collect();
    assert_eq!(sources, ["diff/uncommitted.patch", "src/deep/mod.rs", "src/main.rs"]);
    assert_eq!(stored.sources("src/deep").unwrap().len(), 1);
    assert_eq!(stored.sources("main.rs").unwrap_err().kind(), ErrorKind::FileNotFound);
    let out = folder.path().join("out");
    assert_eq!(listed(&stored.download_sources("", Some(&out)).unwrap()).len(), 3);
    assert_eq!(listed(&stored.download_sources("src/deep", Some(&out)).unwrap()), ["deep/mod.rs 6 0 6"]);
    assert_eq!(names(&out), ["deep.zip", "sources.zip"]);
    experiment.stop().unwrap();
}

#[test]
fn an_archive_of_more_files_than_the_old_form_counts_is_read_by_other_programs() {
    const FILES: u32 = 66_000;
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    log(&experiment, &[("0", "x")]);
    let file = experiment.atom("artifacts/0").read().unwrap();
    for number in 1..FILES {
        experiment.atom(&format!("artifacts/{number}")).assign(file.clone());
    }
    experiment.flush(Duration::from_mins(5)).unwrap();
    let out = folder.path().join("out");
    let archive = experiment.stored().unwrap().download_artifacts("", Some(&out)).unwrap();
    let script = "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))";
    let output = Command::new("python3").args(["-c", script]).arg(&archive).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), FILES.to_string());
    experiment.stop().unwrap();
}

#[test]
fn names_in_a_hostile_store_lead_nowhere_else() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    log(&experiment, &[("one", "1"), ("two", "2"), ("three", "3"), ("d/four", "4")]);
    let id = experiment.id().to_string();
    experiment.stop().unwrap();
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    for (from, to) in [("one", "x/../../../evil"), ("two", "/etc/evil"), ("three", "d/.."), ("d/four", "d/e\u{0}vil")] {
        let names = [format!("artifacts/{from}"), format!("artifacts/{to}")];
        assert_eq!(store.execute("UPDATE path SET name = ?2 WHERE name = ?1", names).unwrap(), 1);
    }
    drop(store);
    let stored = folder.session().get(&id).unwrap();
    let out = folder.path().join("a/b");
    for path in ["d/..", "d/e\u{0}vil"] {
        let error = stored.download_artifact(path, Some(&out)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{path:?}: {error}");
    }
    let written = stored.download_artifact("x/../../../evil", Some(&out)).unwrap();
    assert_eq!(written, out.join("evil"), "in the folder, under its last name");
    for path in ["", "x", "d"] {
        let error = stored.download_artifacts(path, Some(&out)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{path:?}: {error}");
    }
    assert_eq!(names(&out), ["evil"]);
}

#[test]
fn files_folders_and_everything_are_deleted_and_their_room_is_given_back() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    log(&experiment, &[("a", "only here"), ("data/b", "in both"), ("data/c", "c"), ("d", "d"), ("keep", "keep")]);
    let other = session.experiment().start().unwrap();
    log(&other, &[("same", "in both")]);
    let error = experiment.delete_artifacts(["a", "data", "no such"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert_eq!(experiment.stored().unwrap().artifacts("").unwrap().len(), 5, "nothing is deleted then");
    assert_eq!(experiment.delete_artifacts(["a"]).unwrap(), 1);
    assert_eq!(experiment.delete_artifacts(["data", "data/b", "d"]).unwrap(), 3);
    assert_eq!(paths(&experiment.stored().unwrap(), ""), ["keep"]);
    for gone in ["only here", "c", "d"] {
        let file = object(&folder, gone);
        wait_for("the room of what was deleted", || (!file.exists()).then_some(()));
    }
    assert!(object(&folder, "in both").exists() && object(&folder, "keep").exists());
    assert_eq!(experiment.delete_artifacts([""]).unwrap(), 1);
    assert_eq!(experiment.delete_artifacts([""]).unwrap(), 0, "of nothing there is nothing to delete");
    assert_eq!(experiment.delete_artifacts(["keep"]).unwrap_err().kind(), ErrorKind::FileNotFound);
    log(&experiment, &[("a", "again")]);
    assert_eq!(paths(&experiment.stored().unwrap(), ""), ["a"]);
    // What has ended is edited.
    let id = experiment.id().to_string();
    experiment.stop().unwrap();
    let editor = session.edit(&id).start().unwrap();
    assert_eq!(editor.delete_artifacts(["a"]).unwrap(), 1);
    editor.stop().unwrap();
    assert!(!object(&folder, "again").exists(), "`stop` waits for it");
    assert_eq!(paths(&session.get(&id).unwrap(), ""), [""; 0]);
    other.stop().unwrap();
}

#[test]
fn a_version_that_loses_a_file_is_no_version_and_files_that_are_being_saved_stay() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let checkpoints = experiment.checkpoints("out/ckpt").unwrap();
    for step in 1..=3_u64 {
        let weights = format!("weights {step}");
        checkpoints
            .save(step, None, &mut [("model", weights.as_bytes().into()), ("config", (&b"c"[..]).into())])
            .unwrap();
    }
    checkpoints.mark_best(2).unwrap();
    checkpoints.add_file(4, "model", &b"unfinished"[..]).unwrap();
    checkpoints.add_file(1, "model", &b"replacing"[..]).unwrap();
    assert_eq!(experiment.delete_artifacts(["out/ckpt/2/model"]).unwrap(), 1);
    let steps = || checkpoints.list().iter().map(|version| version.step).collect::<Vec<_>>();
    assert_eq!((steps(), checkpoints.find("best").unwrap()), (vec![1, 3], None));
    assert_eq!(experiment.atom("out/ckpt/2").read().unwrap_err().kind(), ErrorKind::NotFound);
    let stored = experiment.stored().unwrap();
    assert_eq!(paths(&stored, "out/ckpt/2"), ["out/ckpt/2/config"]);
    assert_eq!(experiment.delete_artifacts([""]).unwrap(), 5);
    assert_eq!((steps(), checkpoints.find("latest").unwrap()), (vec![], None));
    checkpoints.complete(4, None).unwrap();
    checkpoints.complete(1, None).unwrap();
    assert_eq!(steps(), [1, 4]);
    for (step, content) in [("4", "unfinished"), ("1", "replacing")] {
        let version = checkpoints.find(step).unwrap().unwrap();
        assert_eq!(checkpoints.read(&version, "model").unwrap(), content.as_bytes());
    }
    experiment.stop().unwrap();
}

#[test]
fn what_is_logged_while_the_same_content_is_deleted_is_never_lost() {
    const ROUNDS: u32 = 40;
    let folder = Folder::new();
    let session = folder.session();
    let deleting = session.experiment().without_hardware().start().unwrap();
    let logging = session.experiment().without_hardware().start().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                log(&deleting, &[("x", &format!("content {round}"))]);
                deleting.delete_artifacts(["x"]).unwrap();
            }
        });
        scope.spawn(|| {
            for round in 0..ROUNDS {
                log(&logging, &[(&format!("y/{round}"), &format!("content {round}"))]);
            }
        });
    });
    // A process of its own that deletes as well.
    let id = logging.short_id().unwrap().to_owned();
    let trainer = Trainer::start("deletes", [folder.path().to_str().unwrap(), &id, "", "0"]);
    for round in ROUNDS..2 * ROUNDS {
        log(&logging, &[(&format!("y/{round}"), &format!("content {}", round % ROUNDS))]);
    }
    trainer.kill();
    deleting.stop().unwrap();
    session.reclaim(false).unwrap();
    let stored = logging.stored().unwrap();
    assert_eq!(stored.artifacts("y").unwrap().len(), 2 * ROUNDS as usize);
    for artifact in stored.artifacts("y").unwrap() {
        let bytes = fs::read(neptune_core::store::objects::file_of(folder.path(), artifact.digest));
        assert_eq!(blake3::hash(&bytes.unwrap()).as_bytes(), artifact.digest.as_bytes(), "{}", artifact.path);
    }
    logging.stop().unwrap();
}

#[test]
fn a_process_that_is_killed_while_it_deletes_leaves_each_file_whole_or_gone() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().without_hardware().start().unwrap();
    for number in 0..20 {
        log(&experiment, &[(&format!("many/{number:02}"), &format!("content {number}"))]);
    }
    let id = experiment.short_id().unwrap().to_owned();
    experiment.stop().unwrap();
    let mut trainer = Trainer::start("deletes", [folder.path().to_str().unwrap(), &id, "artifact-deleted", "7"]);
    assert_eq!(trainer.line(), "", "it is killed before it says that all are deleted");
    assert!(!trainer.wait().success());
    session.recover(|_| ()).unwrap();
    let stored = session.get(&id).unwrap();
    let left = stored.artifacts("").unwrap();
    assert_eq!(left.first().unwrap().path, "many/07");
    assert_eq!(left.len(), 13);
    assert_eq!(session.reclaim(false).unwrap().files, 7);
    let out = folder.path().join("out");
    assert_eq!(listed(&stored.download_artifacts("", Some(&out)).unwrap()).len(), 13);
    assert_eq!(folder.text("sys/state"), "succeeded", "who edits does not decide how it ended");
}

#[test]
fn a_process_that_is_killed_while_it_downloads_leaves_no_file_of_the_name() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    log(&experiment, &[("model", "weights")]);
    experiment.stop().unwrap();
    let out = folder.path().join("out");
    let arguments = [folder.path().to_str().unwrap(), "E2E-1", "download-written", out.to_str().unwrap()];
    assert!(!Trainer::start("downloads", arguments).wait().success());
    let left = names(&out);
    assert!(left.len() == 1 && left[0].starts_with(".neptune-") && left[0].contains(".part"), "{left:?}");
    let arguments = [folder.path().to_str().unwrap(), "E2E-1", "", out.to_str().unwrap()];
    assert!(Trainer::start("downloads", arguments).wait().success());
    assert_eq!(fs::read_to_string(out.join("model")).unwrap(), "weights");
}

#[test]
fn a_download_that_fills_the_disk_leaves_nothing_behind() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(disk.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        // Only root can mount.
        return;
    }
    let folder = Folder::new();
    let experiment = folder.session().experiment().without_hardware().start().unwrap();
    let noise: Vec<u8> = (0..1_u32 << 16).flat_map(|i| *blake3::hash(&i.to_le_bytes()).as_bytes()).collect();
    experiment.log_artifact(noise.as_slice(), Some("model")).unwrap();
    fs::File::create(disk.path().join("model")).unwrap().write_all(b"mine").unwrap();
    let stored = experiment.stored().unwrap();
    for error in [
        stored.download_artifact("model", Some(disk.path())).unwrap_err(),
        stored.download_artifacts("model", Some(disk.path())).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("model"), "{error}");
    }
    assert_eq!(names(disk.path()), ["model"]);
    assert_eq!(fs::read(disk.path().join("model")).unwrap(), b"mine");
    experiment.stop().unwrap();
    Command::new("umount").arg(disk.path()).status().unwrap();
}
