//! The limit of what files may take.

use std::{ffi::OsStr, fs, io, path::Path};

use neptune_core::{ArtifactSource, ErrorKind, Image, LostReason, Session};
use neptune_tests::{Folder, Trainer, wait_for};

fn limited(folder: &Folder, bytes: u64) -> Session {
    folder.builder().storage_limit(bytes).open().unwrap()
}

/// Bytes in the folder of objects, but for what is being made.
fn held(folder: &Folder) -> u64 {
    fn size(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() }).sum()
    }
    size(&folder.path().join("objects"))
}

#[test]
fn what_goes_above_the_limit_is_refused_and_content_that_is_there_costs_nothing() {
    let folder = Folder::new();
    let experiment = limited(&folder, 1000).experiment().without_hardware().start().unwrap();
    experiment.log_artifact(&[1; 600][..], Some("a")).unwrap();
    let large = folder.path().join("large");
    fs::write(&large, [2; 500]).unwrap();
    let mut reader = io::repeat(3);
    let mut reader = io::Read::take(&mut reader, 401);
    for error in [
        experiment.log_artifact(&[2; 401][..], Some("b")).unwrap_err(),
        experiment.log_artifact(&large, Some("b")).unwrap_err(),
        experiment.log_artifact(ArtifactSource::Reader(&mut reader), Some("b")).unwrap_err(),
        experiment.checkpoints("c").unwrap().save(1, None, &mut [("b", (&[2; 401][..]).into())]).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::StorageLimitReached);
        let told = error.to_string();
        for part in
            ["b is not kept", "600 bytes of at most 1.00 kB", "delete_artifacts", "neptune gc", "NEPTUNE_STORAGE_LIMIT"]
        {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
    }
    assert_eq!(held(&folder), 600);
    // The same content again, in every form.
    fs::write(&large, [1; 600]).unwrap();
    experiment.log_artifact(&large, Some("again")).unwrap();
    let mut reader = io::Cursor::new([1; 600]);
    experiment.log_artifact(ArtifactSource::Reader(&mut reader), Some("and again")).unwrap();
    experiment.log_artifact(&[4; 400][..], Some("b")).unwrap();
    experiment.log_metric("loss", 0.5);
    assert_eq!(held(&folder), 1000);
    // Room that is given back is found.
    experiment.delete_artifacts(["b"]).unwrap();
    wait_for("room", || (held(&folder) == 600).then_some(()));
    experiment.log_artifact(&[5; 400][..], Some("c")).unwrap();
    assert!(experiment.stop().unwrap().is_empty());
}

#[test]
fn an_image_without_room_keeps_its_entry_and_is_counted() {
    let folder = Folder::new();
    let session = limited(&folder, 100);
    let experiment = session.experiment().without_hardware().start().unwrap();
    experiment.log_artifact(&[1; 90][..], Some("a")).unwrap();
    experiment.log_image("wrong", Image::from_u8(&[7; 400], 20, 20, 1).unwrap().name("a 7"));
    let images = experiment.series::<Image>("logs/wrong").unwrap().all().unwrap();
    assert_eq!((images.len(), images[0].value.object, images[0].value.name.as_deref()), (1, None, Some("a 7")));
    let lost = experiment.stop().unwrap();
    assert_eq!((lost.total(), lost.count(LostReason::StorageLimit)), (1, 1));
    assert_eq!(folder.store().lost(&folder.only_experiment()).unwrap().count(LostReason::StorageLimit), 1);
}

#[test]
fn what_other_processes_gave_back_is_found_before_something_is_refused() {
    let folder = Folder::new();
    let experiment = limited(&folder, 100).experiment().without_hardware().start().unwrap();
    experiment.log_artifact(&[1; 90][..], Some("a")).unwrap();
    experiment.flush(std::time::Duration::from_mins(1)).unwrap();
    let id = experiment.short_id().unwrap();
    let other = folder.session().edit(id).start().unwrap();
    other.delete_artifacts(["a"]).unwrap();
    other.stop().unwrap();
    wait_for("the next look", || experiment.log_artifact(&[2; 90][..], Some("b")).ok());
    experiment.stop().unwrap();
}

#[test]
fn threads_that_log_at_once_stay_within_the_limit() {
    let folder = Folder::new();
    let session = limited(&folder, 10_000);
    let experiment = session.experiment().without_hardware().start().unwrap();
    let kept: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u8)
            .map(|thread| {
                let experiment = &experiment;
                scope.spawn(move || {
                    let log = |number: u8| {
                        let mut content = [thread; 300];
                        content[0] = number;
                        experiment.log_artifact(&content[..], Some(&format!("{thread}/{number}"))).is_ok()
                    };
                    (0..20).filter(|number| log(*number)).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((kept, held(&folder)), (33, 33 * 300));
    experiment.stop().unwrap();
}

#[test]
fn the_environment_says_the_limit_and_what_is_no_size_is_refused() {
    let folder = Folder::new();
    let downloads = |limit: &str| {
        let arguments = [folder.path().to_str().unwrap(), "5000"];
        Trainer::start_with("logs-bytes", arguments, [("NEPTUNE_STORAGE_LIMIT", OsStr::new(limit))]).line()
    };
    assert!(downloads("4.9kB").contains("StorageLimitReached"));
    assert_eq!(downloads("5 kB"), "kept");
    assert_eq!(downloads("off"), "kept");
    let refused = downloads("much");
    assert!(refused.contains("Invalid") && refused.contains("NEPTUNE_STORAGE_LIMIT"), "{refused}");
}
