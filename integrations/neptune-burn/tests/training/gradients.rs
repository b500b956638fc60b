//! Norms and histograms of gradients and weights.

use burn::{
    module::{Module, Param},
    nn::{Linear, LinearConfig},
    optim::GradientsParams,
    tensor::Tensor,
};
use neptune_burn::{GradientMonitor, Hooks, grad_norms, tensor_to_histogram, weight_norms};

use crate::setup::{Folder, TRAIN_BATCHES, device, has, new_learner, steps, training, values};

#[derive(Module, Debug)]
struct Line {
    layers: Vec<Linear>,
}

/// y = x W + b with W = [[1, 2], [3, 4]], b = [5, 6], and the loss is the sum of y for x = [[1, -1], [2, 0]].
fn line() -> (Line, GradientsParams) {
    let device = device().autodiff();
    let mut linear = LinearConfig::new(2, 2).init(&device);
    linear.weight = Param::from_data([[1.0, 2.0], [3.0, 4.0]], &device);
    linear.bias = Some(Param::from_data([5.0, 6.0], &device));
    let line = Line { layers: vec![linear] };
    let x = Tensor::<2>::from_data([[1.0, -1.0], [2.0, 0.0]], &device);
    let grads = line.layers[0].forward(x).sum().backward();
    let grads = GradientsParams::from_grads(grads, &line);
    (line, grads)
}

fn near(found: &neptune_burn::Norms, expected: &[(&str, f64)]) {
    let names: Vec<&str> = found.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected.iter().map(|&(name, _)| name).collect::<Vec<_>>());
    let total = expected.iter().map(|&(_, norm)| norm * norm).sum::<f64>().sqrt();
    assert!((found.total - total).abs() < 1e-6, "{found:?}");
    for ((_, found), (name, expected)) in found.parameters.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{name}: {found} is not {expected}");
    }
}

#[test]
fn norms_are_those_computed_by_hand() {
    let (line, grads) = line();
    // dL/dW[i][j] = sum of x[n][i] = (3, -1); dL/db[j] = 2.
    let weight = f64::sqrt(9.0 + 9.0 + 1.0 + 1.0);
    let bias = f64::sqrt(4.0 + 4.0);
    near(&grad_norms(&line, &grads).unwrap(), &[("layers/0/weight", weight), ("layers/0/bias", bias)]);
    near(&weight_norms(&line).unwrap(), &[("layers/0/weight", 30_f64.sqrt()), ("layers/0/bias", 61_f64.sqrt())]);
}

#[test]
fn parameters_without_a_gradient_are_left_out() {
    let (line, _) = line();
    assert_eq!(grad_norms(&line, &GradientsParams::new()).unwrap(), neptune_burn::Norms::default());
}

#[test]
fn one_line_in_the_model_logs_its_gradients() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let hooks = Hooks::new(&experiment, folder.burn()).gradients_every(5).histograms_every(10);
    hooks.attach(training(&folder.burn(), 1)).unwrap().launch(new_learner());
    assert_eq!(steps(&experiment, "gradients/total_norm"), [1, 6, 11]);
    assert_eq!(steps(&experiment, "weights/hidden/weight/norm"), [1, 6, 11]);
    let total = values(&experiment, "gradients/total_norm")[1];
    let parts = ["hidden/weight", "hidden/bias", "output/weight", "output/bias"]
        .map(|name| values(&experiment, &format!("gradients/{name}/norm"))[1]);
    let sum = parts.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
    assert!((total - sum).abs() < 1e-6 * total, "{total} is not {sum}");
    assert!(has(&experiment, "gradients/output/bias/histogram"));
    assert!(has(&experiment, "weights/hidden/weight/histogram"));
    experiment.stop().unwrap();
}

#[test]
fn nothing_is_logged_when_the_experiment_has_ended() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let monitor = GradientMonitor::new(&experiment).every(1);
    let handle = experiment.handle();
    let (line, grads) = line();
    monitor.log(&line, &grads);
    experiment.stop().unwrap();
    monitor.log(&line, &grads);
    assert_eq!(steps(&handle, "gradients/total_norm"), [1]);
}

#[test]
fn the_gradients_of_the_training_that_was_launched_go_to_its_experiment() {
    let folder = Folder::new();
    let (first, second) = (folder.experiment(), folder.experiment());
    let attach = |experiment: &neptune_core::Experiment, name: &str| {
        let directory = folder.burn().join(name);
        Hooks::new(experiment, &directory).gradients_every(1).attach(training(&directory, 1)).unwrap()
    };
    let (of_first, of_second) = (attach(&first, "first"), attach(&second, "second"));
    of_first.launch(new_learner());
    assert!(!has(&second, "gradients/total_norm"));
    assert_eq!(steps(&first, "gradients/total_norm").len(), TRAIN_BATCHES);
    of_second.launch(new_learner());
    assert_eq!(steps(&second, "gradients/total_norm").len(), TRAIN_BATCHES);
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn of_a_large_tensor_a_million_elements_are_looked_at_in_even_distances() {
    let most = 1 << 20;
    let histogram = |elements: i64| {
        let tensor = Tensor::<1, burn::tensor::Int>::arange(0..elements, &device()).float();
        tensor_to_histogram(tensor, 4).unwrap()
    };
    assert_eq!(histogram(most).counts().iter().sum::<u64>(), 1 << 20, "all of them");
    let counts = histogram(3 * most + 5).counts().to_vec();
    assert!((786_000..=1 << 20).contains(&counts.iter().sum::<u64>()), "{counts:?}");
    let spread = counts.iter().max().unwrap() - counts.iter().min().unwrap();
    assert!(spread <= 2, "{counts:?}");
}
