//! Images and histograms, logged and read back.

use std::{fs, time::Duration};

use neptune_core::{ErrorKind, Histogram, Image, LostReason, Mode, PixelRange, Reclaimed, VariableType, stopwatch};
use neptune_tests::{Folder, Trainer};

const SOON: Duration = Duration::from_secs(20);

/// `side` by `side` pixels that cannot be compressed.
fn noise(side: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..side * side * 3).map(|_| next()).collect()
}

#[test]
fn images_are_read_back_pixel_by_pixel_with_their_names() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let series = experiment.series::<Image>("digits").unwrap();
    let shades: Vec<u8> = (0..12).collect();
    series.append_at(5, Image::from_u8(&shades, 3, 4, 1).unwrap().name("grey").description("twelve shades"));
    series.append(Image::from_u8(&shades, 2, 2, 3).unwrap());
    series.append(Image::from_f32(&[0.0, 0.5, 1.0, 1.0], 1, 1, 4, PixelRange::Unit).unwrap());
    let points = series.all().unwrap();
    let seen: Vec<_> = points.iter().map(|point| (point.step, point.value.width, point.value.height)).collect();
    assert_eq!(seen, [(5.0, 4, 3), (6.0, 2, 2), (7.0, 1, 1)]);
    assert_eq!(points[0].value.name.as_deref(), Some("grey"));
    assert_eq!(points[0].value.description.as_deref(), Some("twelve shades"));
    // Now, encoded or not, and once everything is encoded.
    let before: Vec<_> = points.iter().map(|point| experiment.image(&point.value).unwrap()).collect();
    let handle = experiment.handle();
    experiment.stop().unwrap();
    assert_eq!(folder.files(".pam").len(), 0, "everything is encoded when the experiment has ended");
    assert_eq!(folder.files(".png").len(), 3);
    for (point, before) in points.iter().zip(before) {
        let png = handle.image(&point.value).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_bytes();
        assert_eq!(pixels(&png), pixels(&before));
    }
    let pixels = image::load_from_memory(&handle.image(&points[0].value).unwrap()).unwrap().into_bytes();
    assert_eq!(pixels, shades);
    let clear = image::load_from_memory(&handle.image(&points[2].value).unwrap()).unwrap().into_bytes();
    assert_eq!(clear, [0, 128, 255, 255]);
}

#[test]
fn an_image_file_is_kept_as_it_is() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let file = folder.path().join("plot.svg");
    fs::write(&file, svg).unwrap();
    experiment.log_image("plot", Image::open(&file).unwrap());
    fs::write(&file, "gone").unwrap();
    experiment.log_image_at("plot", 9, image::DynamicImage::new_rgb8(2, 1));
    let series = experiment.series::<Image>("logs/plot").unwrap();
    let points = series.all().unwrap();
    assert_eq!((points[0].value.format.as_str(), points[1].value.format.as_str()), ("svg", "pixels"));
    assert_eq!(experiment.image(&points[0].value).unwrap(), svg.as_bytes());
    assert_eq!(experiment.variable_type("logs/plot").unwrap(), VariableType::IMAGE_SERIES);
    let error = Image::open(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("plot.svg"), "{error}");
    experiment.stop().unwrap();
}

#[test]
fn of_an_image_above_the_limit_the_entry_is_kept_and_the_bytes_are_counted() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let side = 2400;
    assert!(side * side * 3 > 15 << 20);
    let large = Image::from_u8(&noise(side, 7), side, side, 3).unwrap().name("noise");
    experiment.log_image("large", large);
    // As large, but it compresses: within the limit.
    let flat = Image::from_u8(&vec![9; side * side * 3], side, side, 3).unwrap().name("flat");
    experiment.log_image("large", flat);
    let points = experiment.series::<Image>("logs/large").unwrap().all().unwrap();
    assert_eq!(points.len(), 2);
    assert_eq!((points[0].value.object, points[0].value.width), (None, 2400));
    assert_eq!(points[0].value.name.as_deref(), Some("noise"));
    let error = experiment.image(&points[0].value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("noise"), "{error}");
    assert!(experiment.image(&points[1].value).unwrap().len() < 1 << 20);
    let lost = experiment.stop().unwrap();
    assert_eq!((lost.count(LostReason::TooLarge), lost.total()), (1, 1));
}

#[test]
fn an_image_that_was_held_back_until_the_end_is_kept_with_its_bytes() {
    let folder = Folder::new();
    let session = folder.session();
    let experiment = session.experiment().start().unwrap();
    let handle = experiment.handle();
    experiment.before_flush(move || handle.log_image("last", Image::from_u8(&[9; 6], 2, 3, 1).unwrap()));
    let handle = experiment.handle();
    assert!(experiment.stop().unwrap().is_empty());
    let points = session.get("E2E-1").unwrap().series::<Image>("last").unwrap();
    assert_eq!(points.len(), 1);
    assert!(handle.image(&points[0].value).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn bad_names_steps_and_types_are_counted_and_leave_no_file() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    experiment.log_metric("taken", 1.0);
    let image = || Image::from_u8(&[1, 2, 3], 1, 1, 3).unwrap();
    experiment.log_image("taken", image());
    experiment.log_image("a//b", image());
    experiment.log_image_at("fine", f64::NAN, image());
    experiment.log_histogram("taken", &Histogram::of([1.0], 1));
    experiment.series::<Image>("other").unwrap();
    assert_eq!(experiment.series::<Histogram>("other").unwrap_err().kind(), ErrorKind::TypeConflict);
    let handle = experiment.handle();
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::TypeConflict), 2);
    assert_eq!(lost.count(LostReason::InvalidPath), 1);
    assert_eq!(lost.count(LostReason::InvalidStep), 1);
    handle.log_image("late", image());
    assert_eq!(folder.files(".png").len() + folder.files(".pam").len(), 0);
}

#[test]
fn histograms_are_read_back_whole_and_chunks_of_them_are_sealed() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let series = experiment.series::<Histogram>("weights/fc1").unwrap();
    let of = |step: u32| Histogram::of((0..100).map(|i| f64::from(i * step).sin()), 32);
    for step in 0..3000_u32 {
        series.append_at(step, &of(step));
    }
    let lost = experiment.flush(SOON).unwrap();
    assert!(lost.is_empty(), "{lost}");
    let points = series.all().unwrap();
    assert_eq!(points.len(), 3000);
    for (step, point) in (0..).zip(&points) {
        assert_eq!(point.value, of(step), "at {step}");
    }
    assert_eq!(series.tail(2).unwrap(), points[2998..]);
    assert_eq!(experiment.variable_type("weights/fc1").unwrap(), VariableType::HISTOGRAM_SERIES);
    experiment.stop().unwrap();
}

#[test]
fn images_that_were_logged_offline_are_there_once_they_are_synced() {
    let folder = Folder::new();
    let offline = folder.builder().mode(Mode::Offline).open().unwrap().experiment().start().unwrap();
    offline.log_image("digit", Image::from_u8(&[1, 2, 3], 1, 1, 3).unwrap());
    offline.stop().unwrap();
    let session = folder.session();
    // Nothing says yet that it is needed but the journal.
    assert_eq!(session.reclaim(false).unwrap().files, 0);
    session.recover(|_| ()).unwrap();
    assert_eq!(session.reclaim(false).unwrap().files, 0);
    let experiment = session.attach("E2E-1").start().unwrap();
    let point = experiment.series::<Image>("logs/digit").unwrap().last().unwrap();
    let png = experiment.image(&point.value).unwrap();
    assert_eq!(image::load_from_memory(&png).unwrap().into_bytes(), [1, 2, 3]);
    experiment.stop().unwrap();
}

#[test]
fn every_image_that_returned_before_a_kill_is_there() {
    for (point, hits) in
        [("", 0), ("object-written", 7), ("object-named", 9), ("image-encoded", 3), ("image-encoded", 5)]
    {
        let folder = Folder::new();
        let mut trainer = Trainer::start("files", [folder.path().to_str().unwrap(), point, &hits.to_string()]);
        let mut returned = 0_u64;
        loop {
            let line = trainer.line();
            let Ok(round) = line.parse::<u64>() else { break };
            returned = round + 1;
            if point.is_empty() && returned == 20 {
                break;
            }
        }
        trainer.kill();
        let session = folder.session();
        session.recover(|_| ()).unwrap();
        let Ok(experiment) = session.attach("E2E-1").start() else {
            assert_eq!(returned, 0, "{point}");
            continue;
        };
        if returned > 0 {
            let points = experiment.series::<Image>("images").unwrap().all().unwrap();
            assert!(points.len() as u64 >= returned, "{point}: {} of {returned}", points.len());
            for (round, point) in (0_u64..).zip(&points) {
                let png = experiment.image(&point.value).unwrap();
                assert_eq!(image::load_from_memory(&png).unwrap().into_bytes(), round.to_le_bytes()[..6]);
            }
        }
        experiment.stop().unwrap();
        // What the encoder did not come to is encoded now, and what was being made is gone.
        session.reclaim(false).unwrap();
        assert_eq!(folder.files(".pam").len(), 0, "{point}");
        assert_eq!(session.reclaim(true).unwrap(), Reclaimed::default(), "{point}");
    }
}

#[test]
fn an_image_waits_for_a_folder_that_is_locked_for_a_moment_only() {
    let folder = Folder::new();
    let experiment = folder.session().experiment().start().unwrap();
    let image = || Image::from_u8(&[1, 2, 3], 1, 1, 3).unwrap();
    experiment.log_image("digit", image());
    let lock = fs::File::open(folder.path().join("objects/lock")).unwrap();
    lock.lock().unwrap();
    let began = stopwatch::ticks();
    experiment.log_image("digit", image());
    let waited = Duration::from_nanos(stopwatch::nanos(stopwatch::ticks() - began));
    assert!(waited < Duration::from_secs(2), "it waited {waited:?}");
    lock.unlock().unwrap();
    let points = experiment.series::<Image>("logs/digit").unwrap().all().unwrap();
    assert_eq!(points.iter().map(|point| point.value.object.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(experiment.stop().unwrap().count(LostReason::Overrun), 1);
}
