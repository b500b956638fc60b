//! A small network on a few digits that trains the same way every time, and an experiment to log it to.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher},
        dataset::{Dataset, DatasetError, InMemDataset},
    },
    lr_scheduler::{linear::LinearLrSchedulerConfig, module_lr_scheduler::ModuleLearningRate},
    module::{Module, Param},
    nn::{Linear, LinearConfig, Relu, loss::CrossEntropyLossConfig},
    optim::{GradientsParams, ModuleOptimizer, SgdConfig, momentum::MomentumConfig},
    tensor::{Device, Int, Tensor, TensorData},
    train::{
        ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
        metric::{AccuracyMetric, LossMetric},
    },
};
use neptune_burn::QuietRenderer;
use neptune_core::{
    Experiment, ExperimentHandle, Point, Session,
    store::{Store, StoreOptions, read::ExperimentKey},
};
use tempfile::TempDir;

use crate::dataset::{CLASSES, Digits, Image, PIXELS};

/// Digits that are learned from: 13 batches of 8, the last of 4.
pub(crate) const TRAIN: usize = 100;
/// Digits that are held out: 4 batches of 8, the last of 6.
pub(crate) const VALID: usize = 30;
pub(crate) const BATCH: usize = 8;
/// Batches of an epoch.
pub(crate) const TRAIN_BATCHES: usize = 13;
pub(crate) const VALID_BATCHES: usize = 4;
const HIDDEN: usize = 12;

/// Two layers.
#[derive(Module, Debug)]
pub(crate) struct Model {
    pub(crate) hidden: Linear,
    pub(crate) output: Linear,
    #[module(skip)]
    pub(crate) mischief: Mischief,
}

/// What goes wrong in a step, and when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mischief {
    /// Steps so far, of all clones.
    steps: Arc<AtomicUsize>,
    /// Called with the number of each step, from 1, before it is made.
    act: Option<Act>,
}

#[derive(Clone)]
pub(crate) struct Act(Arc<dyn Fn(usize) + Send + Sync>);

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Act")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) pixels: Tensor<2>,
    pub(crate) digits: Tensor<1, Int>,
}

impl Model {
    /// The same weights each time.
    pub(crate) fn new(device: &Device) -> Self {
        let device = &device.clone().autodiff();
        let mut state = 7_u64;
        let mut layer = |inputs: usize, outputs: usize| {
            let mut linear = LinearConfig::new(inputs, outputs).init(device);
            let weights: Vec<f32> = (0..inputs * outputs)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (f32::from(u16::try_from(state >> 48).unwrap()) / 65_536.0 - 0.5) * 0.5
                })
                .collect();
            linear.weight = Param::from_data(TensorData::new(weights, [inputs, outputs]), device);
            linear.bias = Some(Param::from_data(TensorData::new(vec![0.0_f32; outputs], [outputs]), device));
            linear
        };
        Self { hidden: layer(PIXELS, HIDDEN), output: layer(HIDDEN, CLASSES), mischief: Mischief::default() }
    }

    /// Has `act` called with the number of each training step.
    pub(crate) fn with_mischief(mut self, act: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.mischief.act = Some(Act(Arc::new(act)));
        self
    }

    fn classify(&self, batch: &Batch) -> ClassificationOutput {
        let output = self.output.forward(Relu::new().forward(self.hidden.forward(batch.pixels.clone())));
        let loss = CrossEntropyLossConfig::new().init(&output.device()).forward(output.clone(), batch.digits.clone());
        ClassificationOutput::new(loss, output, batch.digits.clone())
    }

    /// Every weight, in order.
    pub(crate) fn weights(&self) -> Vec<f32> {
        [&self.hidden, &self.output]
            .into_iter()
            .flat_map(|layer| {
                let bias = layer.bias.as_ref().unwrap().val().into_data().try_to_vec::<f32>().unwrap();
                [layer.weight.val().into_data().try_to_vec::<f32>().unwrap(), bias]
            })
            .flatten()
            .collect()
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let step = self.mischief.steps.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(act) = &self.mischief.act {
            (act.0)(step);
        }
        let output = self.classify(&batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }

    fn optimize(self, optim: &mut ModuleOptimizer, rate: ModuleLearningRate, grads: GradientsParams) -> Self {
        neptune_burn::log_gradients(&self, &grads);
        optim.step(rate, self, grads)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(&batch)
    }
}

#[derive(Debug, Clone)]
struct Batches;

impl Batcher<Image, Batch> for Batches {
    fn batch(&self, images: Vec<Image>, device: &Device) -> Batch {
        let pixels: Vec<f32> =
            images.iter().flat_map(|image| image.pixels).map(|pixel| format!("{pixel}").parse().unwrap()).collect();
        let digits: Vec<i64> = images.iter().map(|image| i64::try_from(image.digit).unwrap()).collect();
        Batch {
            pixels: Tensor::from_data(TensorData::new(pixels, [images.len(), PIXELS]), device),
            digits: Tensor::from_data(TensorData::new(digits, [images.len()]), device),
        }
    }
}

pub(crate) fn device() -> Device {
    Device::flex()
}

/// `count` digits, from the `first` on.
pub(crate) fn loader(first: usize, count: usize) -> Arc<dyn DataLoader<Batch>> {
    let images = Digits::load().train[first..first + count].to_vec();
    loader_of(InMemDataset::new(images))
}

/// Digits that are called by the name of the next.
pub(crate) fn mislabelled() -> Arc<dyn DataLoader<Batch>> {
    let mut images = Digits::load().train[..TRAIN].to_vec();
    for image in &mut images {
        image.digit = (image.digit + 1) % CLASSES;
    }
    loader_of(InMemDataset::new(images))
}

fn loader_of(images: impl Dataset<Image> + 'static) -> Arc<dyn DataLoader<Batch>> {
    DataLoaderBuilder::new(Batches).batch_size(BATCH).shuffle(3).set_device(device()).build(images)
}

/// A training of the small network in `directory`, with the loss and the accuracy as metrics, that says nothing.
pub(crate) fn training(directory: &Path, epochs: usize) -> SupervisedTraining<Model> {
    training_on(loader(0, TRAIN), directory, epochs)
}

pub(crate) fn training_on(
    train: Arc<dyn DataLoader<Batch>>,
    directory: &Path,
    epochs: usize,
) -> SupervisedTraining<Model> {
    SupervisedTraining::new(directory, train, loader(TRAIN, VALID))
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .renderer(Box::new(QuietRenderer))
        .with_application_logger(None)
        .num_epochs(epochs)
}

/// A learner whose learning rate falls a little with each step.
pub(crate) fn learner(model: Model) -> Learner<Model> {
    let optimizer = SgdConfig::new().with_momentum(Some(MomentumConfig::new().with_momentum(0.9))).init();
    let rate = LinearLrSchedulerConfig::new(0.2, 0.02, 200).init().unwrap();
    Learner::new(model, optimizer, rate)
}

pub(crate) fn new_learner() -> Learner<Model> {
    learner(Model::new(&device()))
}

/// Digits that cannot be read from the `fail_at`th reading on.
pub(crate) struct Unreadable {
    images: InMemDataset<Image>,
    readings: Mutex<usize>,
    fail_at: usize,
}

impl Dataset<Image> for Unreadable {
    fn get(&self, index: usize) -> Result<Image, DatasetError> {
        let mut readings = self.readings.lock().unwrap();
        *readings += 1;
        if *readings >= self.fail_at {
            return Err(DatasetError::new(std::io::Error::other("the disk with the digits is gone")));
        }
        drop(readings);
        self.images.get(index)
    }

    fn len(&self) -> usize {
        self.images.len()
    }
}

pub(crate) fn unreadable(fail_at: usize) -> Arc<dyn DataLoader<Batch>> {
    let images = InMemDataset::new(Digits::load().train[..TRAIN].to_vec());
    loader_of(Unreadable { images, readings: Mutex::new(0), fail_at })
}

/// A folder for burn's files and one for neptune's.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn burn(&self) -> PathBuf {
        self.folder.path().join("burn")
    }

    pub(crate) fn neptune(&self) -> PathBuf {
        self.folder.path().join("neptune")
    }

    pub(crate) fn session(&self) -> Session {
        Session::builder().folder(self.neptune()).project("tests/burn").without_code().open().unwrap()
    }

    pub(crate) fn experiment(&self) -> Experiment {
        self.session().experiment().start().unwrap()
    }

    /// The same experiment again, as another process would attach to it.
    pub(crate) fn again(&self, id: &str) -> Experiment {
        self.session().experiment().id(id).start().unwrap()
    }

    fn only(&self) -> (Store, ExperimentKey) {
        let store = Store::open(&self.neptune(), StoreOptions::default()).unwrap();
        let key = store.find("BUR-1").unwrap();
        (store, key)
    }

    /// An atom of text of the only experiment, after it has ended.
    pub(crate) fn text(&self, path: &str) -> String {
        let (store, key) = self.only();
        match store.variable(&key, path).unwrap().value {
            neptune_core::store::read::VariableValue::Atom(value) => value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }
}

/// The steps and values of a series.
pub(crate) fn points(handle: &ExperimentHandle, path: &str) -> Vec<(usize, f64)> {
    let all = handle.series::<f64>(path).unwrap().all();
    all.unwrap_or_else(|error| panic!("{path}: {error}")).iter().map(|point| (step(point), point.value)).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps of tests are small and whole")]
fn step<T>(point: &Point<T>) -> usize {
    point.step as usize
}

/// The steps of a series.
pub(crate) fn steps(handle: &ExperimentHandle, path: &str) -> Vec<usize> {
    points(handle, path).into_iter().map(|(step, _)| step).collect()
}

pub(crate) fn values(handle: &ExperimentHandle, path: &str) -> Vec<f64> {
    points(handle, path).into_iter().map(|(_, value)| value).collect()
}

pub(crate) fn has(handle: &ExperimentHandle, path: &str) -> bool {
    handle.variable_type(path).is_ok()
}

/// The files below `folder` with what is in them, by path.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn collect(root: &Path, folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, all);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                all.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut all = Vec::new();
    collect(folder, folder, &mut all);
    all.sort();
    all
}
