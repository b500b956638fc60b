//! The optimizer that logs: what it logs, and that it changes nothing.

use candle_core::Tensor;
use candle_nn::{AdamW, Optimizer, ParamsAdamW, SGD};
use neptune_candle::{Tracker, TrackerBuilder};
use neptune_core::{Histogram, LostReason};

use crate::{Folder, Tiny, scalar};

/// Trains for 25 steps, and returns the bits of the losses and of the weights.
fn train<O: Optimizer>(model: &Tiny, mut optimizer: O, tracker: Option<&Tracker>) -> (Vec<u32>, Vec<u32>) {
    let mut losses = Vec::new();
    for number in 0..25_u8 {
        let step = tracker.map(Tracker::step);
        if number == 12 {
            optimizer.set_learning_rate(optimizer.learning_rate() / 2.0);
        }
        let loss = model.loss([f32::from(number % 7), f32::from(number % 3) - 1.0], 0.7);
        optimizer.backward_step(&loss).unwrap();
        if let Some(step) = &step {
            step.log("train/loss", &loss);
        }
        losses.push(loss.to_scalar::<f32>().unwrap().to_bits());
    }
    let weights = [model.get("fc.weight"), model.get("fc.bias")].concat();
    (losses, weights.into_iter().map(f32::to_bits).collect())
}

fn adam(model: &Tiny) -> AdamW {
    AdamW::new(model.variables.all_vars(), ParamsAdamW { lr: 0.1, ..ParamsAdamW::default() }).unwrap()
}

/// Everything on.
fn all(builder: TrackerBuilder) -> Tracker {
    builder.gradients_every(1).histograms_every(1).read_every(4).build()
}

#[test]
fn training_is_equal_bit_by_bit_with_and_without() {
    let plain = Tiny::new();
    let expected = train(&plain, adam(&plain), None);

    let folder = Folder::new();
    let experiment = folder.start();
    let tracked = Tiny::new();
    let tracker = all(Tracker::builder(&experiment, &tracked.variables));
    let actual = train(&tracked, tracker.optimizer(adam(&tracked)), Some(&tracker));
    assert!(experiment.stop().unwrap().is_empty());
    assert_eq!(actual, expected);

    let losses: Vec<f64> = expected.0.into_iter().map(|bits| f32::from_bits(bits).into()).collect();
    let logged: Vec<f64> = folder.numbers("train/loss").into_iter().map(|(_, loss)| loss).collect();
    assert_eq!(logged, losses, "and the losses that were logged are those of the training");
    for path in ["train/gradient_norm", "train/weights/fc.weight", "train/gradients/fc.bias"] {
        assert_eq!(folder.points(path).len(), 25, "{path}");
    }
}

#[test]
fn norms_are_those_worked_out_by_hand() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = all(Tracker::builder(&experiment, &model.variables));
    let mut optimizer = tracker.optimizer(SGD::new(model.variables.all_vars(), 0.5).unwrap());
    // The gradient of `weight . [3, 4] + bias` is [3, 4] and 1.
    drop(tracker.step());
    {
        let _step = tracker.step();
        optimizer.backward_step(&model.output([3.0, 4.0])).unwrap();
    }
    {
        let _step = tracker.step();
        optimizer.backward_step(&(model.output([0.0, 2.0]) * 10.0).unwrap()).unwrap();
    }
    experiment.stop().unwrap();

    let close = |path: &str, expected: [f64; 2]| {
        let numbers = folder.numbers(path);
        assert_eq!(numbers.len(), 2, "{path}");
        for (index, ((step, norm), expected)) in numbers.into_iter().zip(expected).enumerate() {
            assert_eq!(step, index as f64 + 1.0, "{path}");
            assert!((norm - expected).abs() < 1e-5, "{path}: {norm}, not {expected}");
        }
    };
    close("train/gradient_norms/fc.weight", [5.0, 20.0]);
    close("train/gradient_norms/fc.bias", [1.0, 10.0]);
    close("train/gradient_norm", [26_f64.sqrt(), 500_f64.sqrt()]);
    assert_eq!(folder.numbers("train/learning_rate"), [(1.0, 0.5), (2.0, 0.5)]);
}

#[test]
fn norms_and_losses_of_many_steps_are_one_read() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::builder(&experiment, &model.variables).gradients_every(5).read_every(20).build();
    train(&model, tracker.optimizer(adam(&model)), Some(&tracker));
    assert_eq!(tracker.reads(), 1);
    experiment.stop().unwrap();
    assert_eq!(tracker.reads(), 2);
    let at: Vec<f64> = folder.numbers("train/gradient_norm").into_iter().map(|(step, _)| step).collect();
    assert_eq!(at, [0.0, 5.0, 10.0, 15.0, 20.0]);
}

#[test]
fn the_learning_rate_is_the_one_that_the_step_used() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    train(&model, tracker.optimizer(adam(&model)), Some(&tracker));
    experiment.stop().unwrap();
    let rates = folder.numbers("train/learning_rate");
    assert_eq!(rates.len(), 25);
    assert!(rates.iter().all(|&(step, rate)| rate == if step < 12.0 { 0.1 } else { 0.05 }), "{rates:?}");
}

#[test]
fn in_a_loop_without_steps_each_step_of_the_optimizer_is_one() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    train(&model, tracker.optimizer(adam(&model)), None);
    assert_eq!(tracker.steps_done(), 25);
    experiment.stop().unwrap();
    let at: Vec<f64> = folder.numbers("train/learning_rate").into_iter().map(|(step, _)| step).collect();
    assert_eq!(at, (0..25).map(f64::from).collect::<Vec<_>>());
    assert_eq!(folder.numbers("train/gradient_norm").len(), 3);
    assert!(!folder.has("train/step_time"), "nobody said when a step began");
}

#[test]
fn a_parameter_without_a_gradient_is_left_out() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = all(Tracker::builder(&experiment, &model.variables));
    let mut optimizer = tracker.optimizer(adam(&model)).namespace("fine_tuning");
    let weight = model.variables.data().lock().unwrap()["fc.weight"].clone();
    optimizer.backward_step(&weight.as_tensor().sqr().unwrap().sum_all().unwrap()).unwrap();
    // Nothing of the model has a gradient here.
    let other = candle_core::Var::from_tensor(&scalar(1.0)).unwrap();
    optimizer.backward_step(&other.as_tensor().sqr().unwrap()).unwrap();
    assert!(experiment.stop().unwrap().is_empty());
    assert_eq!(folder.numbers("fine_tuning/gradient_norms/fc.weight").len(), 1);
    assert_eq!(folder.numbers("fine_tuning/gradient_norm").len(), 1);
    assert!(!folder.has("fine_tuning/gradient_norms/fc.bias"));
    assert!(!folder.has("fine_tuning/weights/fc.bias"));
    assert_eq!(folder.numbers("fine_tuning/learning_rate").len(), 2);
}

#[test]
fn a_name_that_is_taken_is_counted_and_the_others_are_logged() {
    let folder = Folder::new();
    let experiment = folder.start();
    experiment.atom("train/gradient_norms/fc.bias").assign("taken");
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    tracker.optimizer(adam(&model)).backward_step(&model.output([3.0, 4.0])).unwrap();
    assert_eq!(experiment.stop().unwrap().count(LostReason::TypeConflict), 1);
    assert_eq!(folder.numbers("train/gradient_norms/fc.weight").len(), 1);
    assert_eq!(folder.numbers("train/gradient_norm").len(), 1);
}

#[test]
fn an_optimizer_can_be_made_as_code_over_any_optimizer_makes_it() {
    fn make<O: Optimizer>(model: &Tiny, config: O::Config) -> O {
        O::new(model.variables.all_vars(), config).unwrap()
    }
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    let optimizer: neptune_candle::TrackedOptimizer<SGD> = make(&model, (tracker, 0.25));
    assert_eq!(optimizer.learning_rate(), 0.25);
    assert_eq!(optimizer.into_inner().into_inner().len(), 2);
    experiment.stop().unwrap();
}

#[test]
fn a_histogram_is_of_the_weights_that_the_gradient_found() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = all(Tracker::builder(&experiment, &model.variables));
    let mut optimizer = tracker.optimizer(SGD::new(model.variables.all_vars(), 100.0).unwrap());
    optimizer.backward_step(&model.output([3.0, 4.0])).unwrap();
    let limits = |path: &str| {
        let histogram = experiment.series::<Histogram>(path).unwrap().all().unwrap().remove(0).value;
        (histogram.edges()[0], *histogram.edges().last().unwrap(), histogram.counts().iter().sum::<u64>())
    };
    assert_eq!(limits("train/weights/fc.weight"), (-0.25, 0.5, 2));
    assert_eq!(limits("train/gradients/fc.weight"), (3.0, 4.0, 2));
    experiment.stop().unwrap();
}

#[test]
fn a_histogram_counts_every_element_and_of_many_some_in_even_distances() {
    let counted = |tensor: &Tensor| neptune_candle::histogram(tensor).unwrap().counts().iter().sum::<u64>();
    let device = candle_core::Device::Cpu;
    assert_eq!(
        counted(&Tensor::arange(0_f32, 1000.0, &device).unwrap().reshape((10, 100)).unwrap().t().unwrap()),
        1000
    );
    let many = Tensor::arange(0_u32, 3_000_000, &device).unwrap();
    let histogram = neptune_candle::histogram(&many).unwrap();
    assert_eq!(histogram.counts().iter().sum::<u64>(), 1_000_000);
    assert!(histogram.counts().iter().all(|count| (15_000..16_500).contains(count)), "{:?}", histogram.counts());
}
