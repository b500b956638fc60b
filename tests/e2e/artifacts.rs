//! Files and folders as artifacts.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, symlink},
    process::Command,
};

use neptune_core::{ArtifactSource, AtomValue, ErrorKind, File, ObjectId};
use neptune_tests::{Folder, Trainer};

fn file(value: &AtomValue) -> File {
    value.as_file().expect("the atom is a file")
}

fn content(folder: &Folder, file: File) -> String {
    let path = neptune_core::store::objects::file_of(folder.path(), file.object);
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_may_be_written_over_and_deleted_once_it_was_logged() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let source = folder.path().join("model.bin");
    fs::write(&source, "first").unwrap();
    experiment.log_artifact(&source, None).unwrap();
    // In place: what shares an inode with it would change too.
    fs::write(&source, "second").unwrap();
    experiment.log_artifact(&source, Some("later/model.bin")).unwrap();
    fs::remove_file(&source).unwrap();
    let first = file(&experiment.atom("artifacts/model.bin").read().unwrap());
    let second = file(&experiment.atom("artifacts/later/model.bin").read().unwrap());
    assert_eq!((content(&folder, first).as_str(), first.size), ("first", 5));
    assert_eq!((content(&folder, second).as_str(), second.size), ("second", 6));
    experiment.stop().unwrap();
}

#[test]
fn a_folder_is_logged_file_by_file_without_going_around_in_circles() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let source = folder.path().join("data");
    fs::create_dir_all(source.join("train/deep")).unwrap();
    fs::write(source.join("labels.csv"), "a").unwrap();
    fs::write(source.join("train/deep/1.txt"), "b").unwrap();
    symlink("../..", source.join("train/around")).unwrap();
    symlink("labels.csv", source.join("linked.csv")).unwrap();
    // Reading it would never end.
    assert!(Command::new("mkfifo").arg(source.join("pipe")).status().unwrap().success());
    experiment.log_artifact(&source, None).unwrap();
    experiment.log_artifact(&source, Some("again")).unwrap();
    experiment.flush(std::time::Duration::from_secs(20)).unwrap();
    let paths: Vec<_> = folder
        .store()
        .variables(&folder.only_experiment(), "artifacts/")
        .unwrap()
        .into_iter()
        .map(|variable| variable.path)
        .collect();
    let of =
        |name: &str| ["labels.csv", "linked.csv", "train/deep/1.txt"].map(|file| format!("artifacts/{name}/{file}"));
    assert_eq!(paths, [of("again"), of("data")].concat());
    experiment.stop().unwrap();
}

#[test]
fn files_are_logged_by_a_pattern_under_their_paths_from_its_folder_on() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let source = folder.path().join("out");
    fs::create_dir_all(source.join("a/deep")).unwrap();
    for name in ["1.csv", "2.csv", "a/3.csv", "a/deep/4.csv", "a/notes.txt"] {
        fs::write(source.join(name), name).unwrap();
    }
    symlink("..", source.join("a/around")).unwrap();
    let log = |glob: &str, to| experiment.log_artifacts(&format!("{}/{glob}", source.display()), to);
    assert_eq!(log("*.csv", None).unwrap(), 2);
    assert_eq!(log("**/*.csv", Some("all")).unwrap(), 4);
    assert_eq!(log("?/[0-9].csv", Some("one")).unwrap(), 1);
    assert_eq!(log("a/notes.txt", None).unwrap(), 1);
    assert_eq!(log("a/deep", None).unwrap(), 1);
    for missing in ["*.png", "no/*.csv", "a/none"] {
        let error = log(missing, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
        assert!(error.to_string().contains("out/"), "{error}");
    }
    assert_eq!(log("[a", None).unwrap_err().kind(), ErrorKind::Invalid);
    let paths: Vec<_> = experiment.stored().unwrap().artifacts("").unwrap().into_iter().map(|file| file.path).collect();
    let all = ["all/1.csv", "all/2.csv", "all/a/3.csv", "all/a/deep/4.csv"];
    assert_eq!(paths, [&all[..], &["deep/4.csv", "notes.txt", "one/a/3.csv", "out/1.csv", "out/2.csv"]].concat());
    experiment.stop().unwrap();
}

#[test]
fn readers_bytes_and_the_same_content_are_kept_once() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let long = "neptune ".repeat(1 << 17);
    let mut reader = io::Cursor::new(&long);
    experiment.log_artifact(ArtifactSource::Reader(&mut reader), Some("a")).unwrap();
    experiment.log_artifact(long.as_bytes(), Some("b")).unwrap();
    let (a, b) = (experiment.atom("artifacts/a").read().unwrap(), experiment.atom("artifacts/b").read().unwrap());
    assert_eq!(a, b);
    assert_eq!(file(&a).object, ObjectId::from_bytes(*blake3::hash(long.as_bytes()).as_bytes()));
    assert_eq!(content(&folder, file(&a)), long);
    let objects = folder.path().join("objects");
    let names = fs::read_dir(&objects).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names.len(), 2, "the lock and one object: {names:?}");
    experiment.stop().unwrap();
}

#[test]
fn what_is_not_there_is_named_and_what_has_no_name_needs_one() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let error = experiment.log_artifact("no/such/file.bin", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.to_string().contains("no/such/file.bin"), "{error}");
    let error = experiment.log_artifact(&b"x"[..], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for destination in ["", "../out", "a//b", "/abs"] {
        assert_eq!(experiment.log_artifact(&b"x"[..], Some(destination)).unwrap_err().kind(), ErrorKind::Invalid);
    }
    experiment.atom("artifacts/text").assign("no file");
    assert_eq!(experiment.log_artifact(&b"x"[..], Some("text")).unwrap_err().kind(), ErrorKind::TypeConflict);
    assert_eq!(experiment.log_artifact("/dev/null", None).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn what_nothing_needs_is_reclaimed_and_what_something_needs_stays() {
    let folder = Folder::new();
    let session = folder.session();
    let (one, two) = (session.experiment().start().unwrap(), session.experiment().start().unwrap());
    one.log_artifact(&b"shared"[..], Some("x")).unwrap();
    two.log_artifact(&b"shared"[..], Some("y")).unwrap();
    one.log_artifact(&b"replaced"[..], Some("z")).unwrap();
    one.log_artifact(&b"new"[..], Some("z")).unwrap();
    one.stop().unwrap();
    // Not stopped: what it logged may be in its journal only.
    two.log_artifact(&b"just now"[..], Some("w")).unwrap();
    let dry = session.reclaim(true).unwrap();
    assert_eq!((dry.files, dry.bytes), (1, 8));
    assert_eq!(session.reclaim(false).unwrap(), dry);
    assert_eq!(session.reclaim(false).unwrap().files, 0);
    for (path, expected) in [("y", "shared"), ("w", "just now")] {
        let value = two.atom(&format!("artifacts/{path}")).read().unwrap();
        assert_eq!(content(&folder, file(&value)), expected);
    }
    two.stop().unwrap();
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_behind_and_the_training_goes_on() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(disk.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        // Only root can mount.
        return;
    }
    let session = neptune_core::Session::builder()
        .without_code()
        .folder(disk.path().join("n"))
        .project("tests/e2e")
        .mode(neptune_core::Mode::Embedded)
        .open()
        .unwrap();
    let experiment = session.experiment().start().unwrap();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    checkpoints.save(1, None, &mut [("model", (&b"small"[..]).into())]).unwrap();
    let large: Vec<u8> = (0..20_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let error = checkpoints
        .save(2, None, &mut [("config", (&b"tiny"[..]).into()), ("model", large.as_slice().into())])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("artifacts/checkpoints/2/model"), "{error}");
    let free = rustix::fs::statvfs(disk.path()).unwrap();
    assert!(free.f_bfree * free.f_frsize > 2 << 20, "what could not be written was removed");
    experiment.log_metric("loss", 0.5);
    let steps: Vec<_> = checkpoints.list().iter().map(|checkpoint| checkpoint.step).collect();
    assert_eq!(steps, [1]);
    assert_eq!(experiment.atom("artifacts/checkpoints/2/config").read().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(experiment.stop().unwrap().is_empty());
    Command::new("umount").arg(disk.path()).status().unwrap();
}

#[test]
fn a_file_that_was_logged_before_a_kill_is_whole() {
    let folder = Folder::new();
    let mut trainer = Trainer::start("files", [folder.path().to_str().unwrap(), "", "0"]);
    let mut round = String::new();
    for _ in 0..10 {
        round = trainer.line();
    }
    trainer.kill();
    folder.session().recover(|_| ()).unwrap();
    let store = folder.store();
    let variable = store.variable(&folder.only_experiment(), "artifacts/notes.txt").unwrap();
    let neptune_core::store::read::VariableValue::Atom(value) = variable.value else { panic!("no atom") };
    let found: u64 = content(&folder, file(&value)).strip_prefix("round ").unwrap().parse().unwrap();
    assert!(found >= round.parse().unwrap());
    let path = neptune_core::store::objects::file_of(folder.path(), file(&value).object);
    assert_eq!(path.metadata().unwrap().nlink(), 1, "it shares nothing with a file that may change");
}
