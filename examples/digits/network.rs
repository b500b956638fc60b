//! A perceptron with one hidden layer: ReLU, softmax, cross-entropy, and minibatch gradient descent with momentum.
//!
//! Between two calls of `learn` every gradient is zero.

use serde::Serialize;

use crate::dataset::{CLASSES, Image, PIXELS};
use crate::random::Random;

/// How far a batch moves the weights.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Descent {
    /// Of the mean gradient of the batch, what share is added to the velocity.
    pub(crate) learning_rate: f64,
    /// What share of the velocity is left for the next batch: from 0 to below 1.
    pub(crate) momentum: f64,
}

/// How well a network reads some images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evaluation {
    /// Mean cross-entropy, in nats.
    pub(crate) loss: f64,
    /// The share that is read correctly: 0 to 1.
    pub(crate) accuracy: f64,
}

/// Two layers.
#[derive(Debug)]
pub(crate) struct Network {
    hidden: Layer,
    output: Layer,
}

impl Network {
    /// A network with `hidden` hidden units that has learned nothing.
    pub(crate) fn new(hidden: usize, random: &mut Random) -> Self {
        Self { hidden: Layer::new(PIXELS, hidden, random), output: Layer::new(hidden, CLASSES, random) }
    }

    /// Learns from one batch and returns the mean loss that it had before. Panics if the batch is empty.
    pub(crate) fn learn(&mut self, batch: &[Image], descent: &Descent) -> f64 {
        assert!(!batch.is_empty(), "a batch has at least one image");
        let loss: f64 = batch.iter().map(|image| self.add_gradient(image)).sum();
        for layer in [&mut self.hidden, &mut self.output] {
            layer.descend(descent, batch.len());
        }
        loss / batch.len() as f64
    }

    /// How well it reads `images`.
    pub(crate) fn evaluate(&self, images: &[Image]) -> Evaluation {
        let mut loss = 0.0;
        let mut correct = 0_usize;
        for image in images {
            let (_, probabilities) = self.read(image);
            loss += cross_entropy(&probabilities, image.digit);
            correct += usize::from(most_likely(&probabilities) == image.digit);
        }
        let count = images.len() as f64;
        Evaluation { loss: loss / count, accuracy: correct as f64 / count }
    }

    /// The activity of the hidden units and the probability of each digit.
    fn read(&self, image: &Image) -> (Vec<f64>, Vec<f64>) {
        let mut hidden = self.hidden.forward(&image.pixels);
        for unit in &mut hidden {
            *unit = unit.max(0.0);
        }
        let probabilities = softmax(self.output.forward(&hidden));
        (hidden, probabilities)
    }

    /// Adds the gradient of this image's loss to both layers and returns the loss.
    fn add_gradient(&mut self, image: &Image) -> f64 {
        let (hidden, mut slopes) = self.read(image);
        let loss = cross_entropy(&slopes, image.digit);

        // Softmax and cross-entropy together have the slope `probability - truth`.
        slopes[image.digit] -= 1.0;
        self.output.add_gradient(&hidden, &slopes);

        let mut hidden_slopes = self.output.backward(&slopes);
        for (slope, &unit) in hidden_slopes.iter_mut().zip(&hidden) {
            if unit <= 0.0 {
                *slope = 0.0;
            }
        }
        self.hidden.add_gradient(&image.pixels, &hidden_slopes);
        loss
    }
}

/// A fully connected layer. Its three lists have the same shape: for each unit, a weight per input, then the bias.
#[derive(Debug)]
struct Layer {
    inputs: usize,
    weights: Vec<f64>,
    gradient: Vec<f64>,
    velocity: Vec<f64>,
}

impl Layer {
    fn new(inputs: usize, units: usize, random: &mut Random) -> Self {
        // He et al. 2015: a variance of 2 / inputs keeps the scale through a ReLU. That of a uniform distribution is a
        // third of the square of its half width.
        let spread = (6.0 / inputs as f64).sqrt();
        let row = |random: &mut Random| {
            let mut row: Vec<f64> = (0..inputs).map(|_| spread * random.symmetric()).collect();
            row.push(0.0);
            row
        };
        let weights: Vec<f64> = (0..units).flat_map(|_| row(random)).collect();
        let zeros = vec![0.0; weights.len()];
        Self { inputs, weights, gradient: zeros.clone(), velocity: zeros }
    }

    fn forward(&self, input: &[f64]) -> Vec<f64> {
        let rows = self.weights.chunks_exact(self.inputs + 1);
        rows.map(|row| row.iter().zip(input).map(|(weight, x)| weight * x).sum::<f64>() + row[self.inputs]).collect()
    }

    /// The slopes of the inputs, from those of the units.
    fn backward(&self, slopes: &[f64]) -> Vec<f64> {
        let mut input_slopes = vec![0.0; self.inputs];
        for (row, slope) in self.weights.chunks_exact(self.inputs + 1).zip(slopes) {
            for (input_slope, weight) in input_slopes.iter_mut().zip(row) {
                *input_slope += weight * slope;
            }
        }
        input_slopes
    }

    fn add_gradient(&mut self, input: &[f64], slopes: &[f64]) {
        for (row, slope) in self.gradient.chunks_exact_mut(self.inputs + 1).zip(slopes) {
            for (gradient, x) in row.iter_mut().zip(input) {
                *gradient += slope * x;
            }
            row[self.inputs] += slope;
        }
    }

    fn descend(&mut self, descent: &Descent, batch: usize) {
        let rate = descent.learning_rate / batch as f64;
        for ((weight, gradient), velocity) in self.weights.iter_mut().zip(&mut self.gradient).zip(&mut self.velocity) {
            *velocity = descent.momentum * *velocity - rate * *gradient;
            *weight += *velocity;
            *gradient = 0.0;
        }
    }
}

fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
    // Less the largest, so that no score overflows.
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut scores {
        *score = (*score - largest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in &mut scores {
        *score /= sum;
    }
    scores
}

fn cross_entropy(probabilities: &[f64], digit: usize) -> f64 {
    // The smallest positive number keeps a certain error finite.
    -probabilities[digit].max(f64::MIN_POSITIVE).ln()
}

fn most_likely(probabilities: &[f64]) -> usize {
    let best = probabilities.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map(|(digit, _)| digit).expect("there are ten digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Digits;

    fn loss_of(network: &Network, image: &Image) -> f64 {
        network.evaluate(std::slice::from_ref(image)).loss
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        const STEP: f64 = 1e-6;
        let image = Digits::load().train.swap_remove(3);
        let mut network = Network::new(8, &mut Random::new(1));
        let (hidden, _) = network.read(&image);
        assert!(hidden.contains(&0.0) && hidden.iter().any(|&unit| unit > 0.0), "units on both sides of the ReLU");
        network.add_gradient(&image);

        let layers: [fn(&mut Network) -> &mut Layer; 2] = [|all| &mut all.hidden, |all| &mut all.output];
        for layer in layers {
            for index in 0..layer(&mut network).weights.len() {
                let weight = layer(&mut network).weights[index];
                layer(&mut network).weights[index] = weight + STEP;
                let above = loss_of(&network, &image);
                layer(&mut network).weights[index] = weight - STEP;
                let below = loss_of(&network, &image);
                layer(&mut network).weights[index] = weight;

                let slope = (above - below) / (2.0 * STEP);
                let gradient = layer(&mut network).gradient[index];
                assert!((slope - gradient).abs() < 1e-6, "weight {index}: slope {slope}, gradient {gradient}");
            }
        }
    }

    #[test]
    fn probabilities_of_huge_scores_are_finite() {
        let probabilities = softmax(vec![1e6, 0.0, -1e6]);
        assert_eq!(probabilities, [1.0, 0.0, 0.0]);
        assert!(cross_entropy(&probabilities, 2).is_finite());
    }

    #[test]
    fn learning_the_same_batch_again_lowers_its_loss() {
        let batch = &Digits::load().train[..32];
        let mut network = Network::new(16, &mut Random::new(1));
        let descent = Descent { learning_rate: 0.1, momentum: 0.9 };
        let first = network.learn(batch, &descent);
        let last = (0..100).map(|_| network.learn(batch, &descent)).fold(first, |_, loss| loss);
        assert!(last < first / 10.0, "from {first} to {last}");
    }
}
