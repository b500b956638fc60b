//! Trainings of [burn](https://burn.dev) log themselves to [neptune](neptune_core).
//!
//! For burn 0.22. One call attaches everything, and the experiment ends in the state that tells what came of the training:
//!
//! ```no_run
//! use burn::train::metric::{AccuracyMetric, LossMetric};
//! use burn::train::{Learner, LearnerModel, SupervisedTraining};
//! use neptune_burn::{NeptuneTraining, launch};
//! # use burn::{data::dataloader::DataLoader, nn::Linear, optim::*, tensor::Tensor};
//! # use burn::module::Module;
//! # use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
//! # use std::sync::Arc;
//! # #[derive(Module, Debug)] struct Model { fc: Linear }
//! # impl TrainStep for Model {
//! #   type Input = Tensor<2>; type Output = ClassificationOutput;
//! #   fn step(&self, x: Tensor<2>) -> TrainOutput<ClassificationOutput> {
//! #     let output = InferenceStep::step(self, x);
//! #     TrainOutput::new(self, output.loss.backward(), output)
//! #   }
//! # }
//! # impl InferenceStep for Model {
//! #   type Input = Tensor<2>; type Output = ClassificationOutput;
//! #   fn step(&self, x: Tensor<2>) -> ClassificationOutput {
//! #     let scores = self.fc.forward(x);
//! #     ClassificationOutput::new(scores.clone().mean(), scores.clone(), scores.argmax(1).squeeze())
//! #   }
//! # }
//! # fn train(train: Arc<dyn DataLoader<Tensor<2>>>, valid: Arc<dyn DataLoader<Tensor<2>>>, learner: Learner<Model>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//!
//! let experiment = neptune_core::Session::from_env()?.experiment().name("baseline").start()?;
//! let directory = format!("burn/{}", experiment.id());
//! let training = SupervisedTraining::new(&directory, train, valid)
//!     .metrics((LossMetric::new(), AccuracyMetric::new()))
//!     .num_epochs(20)
//!     .with_neptune(&experiment, &directory)?;
//! let result = launch(experiment, training, learner);
//! # drop(result);
//! # Ok(())
//! # }
//! ```
//!
//! # What is logged
//!
//! | what | where | by |
//! |---|---|---|
//! | every metric: of each batch, and of each epoch | `train/loss`, `train/epoch/loss`, `valid/...` | [`NeptuneMetricLogger`] |
//! | the learning rate | `train/learning_rate` | [`StepMetric`] |
//! | progress and the time that is left | `progress/...` | [`NeptuneProgressLogger`] |
//! | checkpoints, with the aliases `latest` and `best` | `checkpoints` | [`NeptuneCheckpoints`] |
//! | norms and histograms of gradients and weights | `gradients/...`, `weights/...` | [`log_gradients`], one line in the model |
//! | metrics of an evaluation | `test/NAME/...` | [`NeptuneEvaluation::with_neptune`] |
//! | the configuration, the model | `parameters/...`, `model/...` | [`log_config`], [`log_model`] |
//! | images | anywhere | [`tensor_to_image`] |
//!
//! [`Hooks`] says how, with every choice; [`NeptuneTraining::with_neptune`] is its default. Each part can be used alone.
//!
//! # What is promised
//!
//! - **The training is the same** with and without: the same weights, bit by bit, the same files of burn's, the same early
//!   stopping and choice of checkpoints, because burn reads its metrics from its own files; and checkpointers return burn's
//!   own errors. Three things differ. burn's files of epochs that are still to come are removed when it is attached, see
//!   [`Hooks`]. burn's application logger is not installed, see below. And [`log_model`] draws the random numbers of
//!   parameters that nothing has used yet, so where it is called decides which they get. What neptune cannot keep is counted
//!   or said, and the training goes on.
//! - **Steps are exact.** The batches of a split are numbered from 1 over all epochs, also when a training resumes: the same
//!   program with the same experiment goes on from the latest checkpoint, and what was logged behind that is replaced.
//! - **Your `tracing` subscriber stays yours**: burn's application logger, which writes `experiment.log` and sets a panic hook,
//!   is not installed. [`Hooks`] says how to have it all the same.
//!
//! As for burn without neptune, a model that is to be trained is made on `device.autodiff()`.
//!
//! # What it costs
//!
//! Metrics are logged by a thread of burn's, off the training thread. Progress is a comparison with each batch. Files of
//! checkpoints are copied, and their hashes computed, by burn's three threads for checkpoints, one for each file. The
//! training waits for such a thread when burn has the next thing for it. With burn's default strategy that is in the same
//! epoch, once there is an older checkpoint to delete: the training waits until the new one is copied. It does not wait for
//! the room of deleted ones, nor for the store. Norms wait for the device once every so many steps; histograms read every
//! parameter, of a large one a million elements.

mod attached;
mod checkpoints;
mod histograms;
mod hooks;
mod image;
mod metric_logger;
mod model;
mod monitor;
mod names;
mod norms;
mod outcome;
mod progress;
mod quiet;
mod renderer;
mod resumed;
mod split_log;
mod stale;
mod step_metric;
mod steps;

pub use checkpoints::{
    NeptuneCheckpointer, NeptuneCheckpointingStrategy, NeptuneCheckpoints, load_model, resume_epoch,
};
pub use histograms::tensor_to_histogram;
pub use hooks::{Hooks, NeptuneTraining};
pub use image::{Channels, ImageError, tensor_to_image};
pub use metric_logger::NeptuneMetricLogger;
pub use model::{log_config, log_model};
pub use monitor::{GradientMonitor, log_gradients};
pub use norms::{Norms, grad_norms, weight_norms};
pub use outcome::{end, launch};
pub use progress::NeptuneProgressLogger;
pub use quiet::QuietRenderer;
pub use renderer::{NeptuneEvaluation, NeptuneRenderer};
pub use step_metric::StepMetric;
