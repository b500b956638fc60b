//! Damaged journals: what is whole is recovered, what is damaged is counted and set aside, and nothing panics.

use std::fs;

use neptune_core::{LostReason, Mode, store::Values};
use neptune_tests::{Folder, copy};

/// A folder with the journal of an experiment that nobody drained: 100 points in small segments.
fn undrained() -> Folder {
    let folder = Folder::new();
    let session = folder.builder().mode(Mode::Offline).segment_bytes(2 << 10).open().unwrap();
    let experiment = session.experiment().start().unwrap();
    let series = experiment.series::<f64>("train/loss").unwrap();
    for number in 0..100_u32 {
        series.append_at(number, f64::from(number));
        // The keeper makes the next small segment ready.
        if number % 20 == 0 {
            experiment.flush(std::time::Duration::from_secs(1)).unwrap();
            neptune_tests::pause(std::time::Duration::from_millis(25));
        }
    }
    assert!(experiment.stop().unwrap().is_empty());
    folder
}

#[test]
fn damage_anywhere_in_a_journal_loses_at_most_what_it_hit_and_is_counted() {
    let original = undrained();
    let segments = original.files(".jnl");
    assert!(segments.len() >= 3, "the journal has several segments");
    let length = fs::metadata(&segments[0]).unwrap().len();
    for number in 0..48_usize {
        let folder = Folder::new();
        copy(original.path(), folder.path());
        let file = &folder.files(".jnl")[number % 2];
        let at = (number * 7919) % usize::try_from(length).unwrap();
        let mut bytes = fs::read(file).unwrap();
        let cut = number % 3 == 2;
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 0x55;
        }
        fs::write(file, &bytes).unwrap();

        let session = folder.session();
        session.recover(|_| ()).unwrap();
        let store = folder.store();
        let key = store.find("E2E-1").or_else(|_| store.find("EXP-1")).expect("the experiment is found");
        let lost = store.lost(&key).unwrap().count(LostReason::Damaged);
        let found: usize = store
            .variables(&key, "")
            .unwrap()
            .iter()
            .filter(|variable| variable.path == "train/loss" || variable.path.starts_with("recovered/"))
            .map(|variable| store.series(&key, &variable.path, 0.0..=1000.0).unwrap().len())
            .sum();
        if cut {
            assert!(lost > 0, "a segment cut at {at} was not noticed");
        } else {
            assert!(found >= 99, "a flip at {at} lost {} points", 100 - found);
        }
        assert!(found == 100 || lost > 0, "{number}: {} points were lost silently", 100 - found);
        if lost > 0 {
            assert_eq!(session.survey().unwrap().quarantined.len(), 1, "the damaged segment is set aside");
        }
        assert!(session.survey().unwrap().journals.is_empty());
    }
}

#[test]
fn a_survey_sees_damage_and_changes_nothing() {
    let folder = undrained();
    let file = &folder.files(".jnl")[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[400] ^= 1;
    fs::write(file, &bytes).unwrap();
    let session = folder.builder().mode(Mode::Offline).open().unwrap();
    let before = folder.files("");
    let survey = session.survey().unwrap();
    assert_eq!(survey.journals.len(), 1);
    assert_eq!(survey.journals[0].damaged, 1);
    assert!(!survey.journals[0].alive);
    assert!(survey.journals[0].waiting >= 100);
    assert_eq!(folder.files(""), before);
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[test]
fn a_missing_segment_is_counted_and_the_rest_recovered() {
    let folder = undrained();
    fs::remove_file(&folder.files(".jnl")[1]).unwrap();
    folder.session().recover(|_| ()).unwrap();
    let points = folder.series("train/loss");
    let Values::Float(values) = &points.values else { panic!("not numbers") };
    assert!(values.contains(&0.0) && values.contains(&99.0), "what stands before and behind is kept");
    assert_eq!(folder.store().lost(&folder.only_experiment()).unwrap().count(LostReason::Damaged), 1);
}
