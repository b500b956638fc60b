//! Steps: their numbers, their times, and numbers whose reading is put off.

use std::time::Duration;

use candle_core::{DType, Device, Tensor, Var};
use neptune_candle::Tracker;
use neptune_core::LostReason;

use crate::{Folder, Tiny, scalar};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn each_number_is_logged_at_its_own_step_however_late_it_is_read() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(4).build();
    for number in 0..10_u8 {
        let step = tracker.step();
        assert_eq!(step.number(), u64::from(number));
        step.log("train/loss", &scalar(f32::from(number) / 2.0));
        step.log("train/square", &scalar(f32::from(number) * f32::from(number)));
        step.log_value("train/epoch", number / 5);
    }
    assert_eq!(tracker.reads(), 2, "one read for all numbers of 4 steps");
    experiment.stop().unwrap();
    assert_eq!(tracker.reads(), 3, "and one for the rest at the end");

    let expected = |value: fn(f64) -> f64| (0..10).map(|n| (f64::from(n), value(f64::from(n)))).collect::<Vec<_>>();
    assert_eq!(folder.numbers("train/loss"), expected(|n| n / 2.0));
    assert_eq!(folder.numbers("train/square"), expected(|n| n * n));
    assert_eq!(folder.numbers("train/epoch"), expected(|n| (n / 5.0).floor()));
}

#[test]
fn a_number_has_the_time_at_which_it_was_given() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(100).build();
    tracker.step().log("loss", &scalar(1.0));
    experiment.flush(SOON).unwrap();
    tracker.step().log("loss", &scalar(2.0));
    experiment.log_metric("between", 1.0);
    experiment.flush(SOON).unwrap();
    let (given, after) = (folder.points("loss").times[1], folder.points("logs/between").times[0]);
    assert!(given <= after, "given at {given}, before {after}");
    experiment.stop().unwrap();
}

#[test]
fn on_the_cpu_numbers_are_read_at_once_unless_it_is_said_otherwise() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    let step = tracker.step();
    step.log("loss", &scalar(3.0));
    assert_eq!(experiment.series::<f64>("loss").unwrap().last().unwrap().value, 3.0);
    drop(step);
    experiment.stop().unwrap();
}

#[test]
fn numbers_that_are_held_are_logged_by_a_flush_by_reading_and_by_the_last_clone_that_goes() {
    let folder = Folder::new();
    let experiment = folder.start();
    let series = experiment.series::<f64>("loss").unwrap();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(100).build();
    let another = tracker.clone();

    tracker.step().log("loss", &scalar(0.0));
    assert!(series.all().is_err(), "it is held");
    experiment.flush(SOON).unwrap();
    assert_eq!(series.all().unwrap().len(), 1);

    another.step().log("loss", &scalar(1.0));
    tracker.read();
    assert_eq!(series.all().unwrap().len(), 2);

    tracker.step().log("loss", &scalar(2.0));
    drop(tracker);
    assert_eq!(series.all().unwrap().len(), 2);
    drop(another);
    assert_eq!(series.all().unwrap().len(), 3);
    experiment.stop().unwrap();
}

#[test]
fn a_number_is_the_one_of_its_moment_even_if_its_tensor_changes() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(100).build();
    let temperature = Var::new(1_f32, &Device::Cpu).unwrap();
    let many = Var::new(&[[5_f32, 6.0]], &Device::Cpu).unwrap();
    tracker.log("temperature", &temperature);
    tracker.log("last", &many.get(0).unwrap().get(1).unwrap());
    temperature.set(&scalar(2.0)).unwrap();
    many.set(&many.zeros_like().unwrap()).unwrap();
    experiment.stop().unwrap();
    assert_eq!(folder.numbers("temperature"), [(0.0, 1.0)]);
    assert_eq!(folder.numbers("last"), [(0.0, 6.0)]);
}

#[test]
fn numbers_of_every_type_are_read_exactly_with_one_read_for_each_type() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(100).build();
    let third = 1.0 / 3.0;
    let types = [DType::F64, DType::I64, DType::U32, DType::U8, DType::F16, DType::BF16, DType::F32];
    for step in 0..3 {
        for dtype in types {
            let tensor = Tensor::new(&[[7_f64]], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            tracker.resume_at(step);
            tracker.log(dtype.as_str(), &tensor);
        }
    }
    tracker.log("third", &Tensor::new(third, &Device::Cpu).unwrap());
    tracker.log("large", &Tensor::new(16_777_217_i64, &Device::Cpu).unwrap());
    tracker.log("nan", &scalar(f32::NAN));
    tracker.read();
    assert_eq!(tracker.reads(), types.len() as u64);
    experiment.stop().unwrap();
    for dtype in types {
        assert_eq!(folder.numbers(dtype.as_str()), [(0.0, 7.0), (1.0, 7.0), (2.0, 7.0)], "{dtype:?}");
    }
    assert_eq!(folder.numbers("third"), [(2.0, third)]);
    assert_eq!(folder.numbers("large"), [(2.0, 16_777_217.0)]);
    assert!(folder.numbers("nan")[0].1.is_nan());
}

#[test]
fn a_tensor_that_is_not_one_number_is_counted_and_hurts_nothing() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    experiment.atom("taken").assign(1_i64);
    let step = tracker.step();
    step.log("loss", &Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap());
    step.log("a//path", &scalar(1.0));
    step.log("taken", &scalar(1.0));
    step.log_value("taken", 1.0);
    drop(step);
    let lost = experiment.stop().unwrap();
    assert_eq!(lost.count(LostReason::NotANumber), 1);
    assert_eq!(lost.count(LostReason::InvalidPath), 1);
    assert_eq!(lost.count(LostReason::TypeConflict), 2);
    assert!(!folder.has("loss"));
}

#[test]
fn no_more_than_some_thousand_numbers_are_held() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(u64::MAX).build();
    for step in 0..10_000_u64 {
        tracker.resume_at(step);
        tracker.log("loss", &scalar(1.0));
    }
    assert_eq!(tracker.reads(), 2);
    experiment.stop().unwrap();
    assert_eq!(folder.numbers("loss").len(), 10_000);
}

#[test]
fn each_step_is_timed_and_its_items_give_the_throughput() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    for _ in 0..3 {
        let step = tracker.step();
        step.items(16);
        step.items(16);
        std::thread::park_timeout(Duration::from_millis(5));
    }
    experiment.stop().unwrap();
    let times = folder.numbers("train/step_time");
    let rates = folder.numbers("train/items_per_second");
    assert_eq!((times.len(), rates.len()), (3, 3));
    for (index, ((at, seconds), (_, rate))) in times.into_iter().zip(rates).enumerate() {
        assert_eq!(at, index as f64);
        assert!((0.005..5.0).contains(&seconds), "{seconds} s");
        assert!((rate * seconds - 32.0).abs() < 1e-6, "{rate} per second in {seconds} s");
    }
}

#[test]
fn where_reading_is_put_off_a_time_is_the_mean_of_the_steps_since_the_last() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(3).build();
    for _ in 0..7 {
        let step = tracker.step();
        step.items(1);
        std::thread::park_timeout(Duration::from_millis(2));
    }
    experiment.stop().unwrap();
    let times = folder.numbers("train/step_time");
    assert_eq!(times.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2.0, 5.0, 6.0]);
    assert!(times.iter().all(|(_, seconds)| (0.002..1.0).contains(seconds)), "{times:?}");
    for ((_, seconds), (_, rate)) in times.into_iter().zip(folder.numbers("train/items_per_second")) {
        assert!((rate * seconds - 1.0).abs() < 1e-6, "one item a step");
    }
}

#[test]
fn what_is_logged_outside_of_a_step_stands_behind_the_steps_that_are_done() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    tracker.log_value("validation/accuracy", 0.1);
    for _ in 0..5 {
        drop(tracker.step());
    }
    assert_eq!(tracker.steps_done(), 5);
    tracker.log("validation/accuracy", &scalar(0.5));
    let step = tracker.step();
    assert_eq!((step.number(), tracker.steps_done()), (5, 5));
    drop(step);
    tracker.log_value("validation/accuracy", 1);
    experiment.stop().unwrap();
    assert_eq!(folder.numbers("validation/accuracy"), [(0.0, 0.1), (5.0, 0.5), (6.0, 1.0)]);
}

#[test]
fn two_trackers_log_into_one_experiment() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new().variables;
    let one = Tracker::builder(&experiment, &model).namespace("generator").read_every(2).build();
    let other = Tracker::builder(&experiment, &model).namespace("discriminator").read_every(3).build();
    std::thread::scope(|threads| {
        for (tracker, path) in [(&one, "generator/loss"), (&other, "discriminator/loss")] {
            threads.spawn(move || {
                for number in 0..500_u16 {
                    tracker.step().log(path, &scalar(f32::from(number)));
                }
            });
        }
    });
    experiment.stop().unwrap();
    for namespace in ["generator", "discriminator"] {
        let numbers = folder.numbers(&format!("{namespace}/loss"));
        assert_eq!(numbers, (0..500).map(|n| (f64::from(n), f64::from(n))).collect::<Vec<_>>());
        assert!(folder.has(&format!("{namespace}/step_time")));
    }
}

#[test]
fn two_trackers_of_one_namespace_do_not_write_over_each_other() {
    let folder = Folder::new();
    let experiment = folder.start();
    let (one, two) = (Tiny::new(), Tiny::new());
    let first = Tracker::new(&experiment, &one.variables);
    let second = Tracker::new(&experiment, &two.variables);
    for tracker in [&first, &second] {
        tracker.step().log_value("loss", 1.0);
    }
    first.checkpoint(None).unwrap();
    assert!(second.restore("latest").unwrap().is_none(), "each has checkpoints of its own");
    drop(second);
    drop(Tracker::new(&experiment, &two.variables));
    experiment.stop().unwrap();
    assert!(folder.has("train/step_time") && folder.has("train_2/step_time"));
}
