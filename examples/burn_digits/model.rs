//! The network, and how it learns: two convolutions and a linear layer, in burn.

use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::dataset::{CLASSES, Image};

/// Pixels along an edge of an image.
pub(crate) const EDGE: usize = 8;

/// The network.
#[derive(Module, Debug)]
pub(crate) struct Model {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    output: Linear,
}

/// Some images, with what they show.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// `[images, 1, EDGE, EDGE]`
    pub(crate) pixels: Tensor<4>,
    /// `[images]`
    pub(crate) digits: Tensor<1, Int>,
}

impl Model {
    /// A network that has learned nothing.
    pub(crate) fn new(device: &Device) -> Self {
        let conv = |channels| Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Same).init(device);
        Self {
            conv1: conv([1, 8]),
            conv2: conv([8, 16]),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            output: LinearConfig::new(16 * EDGE * EDGE / 4, CLASSES).init(device),
        }
    }

    /// A score for each digit, `[images, 10]`.
    pub(crate) fn forward(&self, pixels: Tensor<4>) -> Tensor<2> {
        let features = relu(self.conv2.forward(relu(self.conv1.forward(pixels))));
        self.output.forward(self.pool.forward(features).flatten(1, 3))
    }

    fn classify(&self, batch: Batch) -> ClassificationOutput {
        let scores = self.forward(batch.pixels);
        let loss = CrossEntropyLossConfig::new().init(&scores.device()).forward(scores.clone(), batch.digits.clone());
        ClassificationOutput::new(loss, scores, batch.digits)
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }

    fn optimize(self, optimizer: &mut ModuleOptimizer, rate: ModuleLearningRate, grads: GradientsParams) -> Self {
        // The only place where gradients can be seen, and the only line of neptune in the model.
        neptune_burn::log_gradients(&self, &grads);
        optimizer.step(rate, self, grads)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}

/// Batches of `images`, shuffled when there is a seed.
pub(crate) fn loader(
    images: Vec<Image>,
    batch_size: usize,
    seed: Option<u64>,
    device: &Device,
) -> Arc<dyn DataLoader<Batch>> {
    let mut builder = DataLoaderBuilder::new(Images).batch_size(batch_size).set_device(device.clone());
    if let Some(seed) = seed {
        builder = builder.shuffle(seed);
    }
    builder.build(InMemDataset::new(images))
}

/// Makes batches of images.
#[derive(Debug, Clone, Copy)]
struct Images;

impl Batcher<Image, Batch> for Images {
    fn batch(&self, images: Vec<Image>, device: &Device) -> Batch {
        batch(&images, device)
    }
}

/// The batch of `images`.
pub(crate) fn batch(images: &[Image], device: &Device) -> Batch {
    let pixels: Vec<f64> = images.iter().flat_map(|image| image.pixels).collect();
    let digits: Vec<i32> =
        images.iter().map(|image| i32::try_from(image.digit).expect("a digit is below ten")).collect();
    Batch {
        pixels: Tensor::from_data(TensorData::new(pixels, [images.len(), 1, EDGE, EDGE]).convert::<f32>(), device),
        digits: Tensor::from_data(TensorData::new(digits, [images.len()]), device),
    }
}
