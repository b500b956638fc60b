//! [candle](https://docs.rs/candle-core) training loops that log themselves to neptune.
//!
//! candle has no trainer: a loop is written by hand. A [`Tracker`] stands beside it. This is a whole program; the lines
//! that are neptune's have a comment:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use candle_core::{DType, Device, Tensor};
//! use candle_nn::{AdamW, Module, Optimizer, VarBuilder, VarMap, linear, loss::mse};
//! use neptune_candle::Tracker;
//! use neptune_core::Session;
//!
//! # let session = Session::builder().folder(folder.path()).open()?;
//! # #[cfg(any())]
//! let session = Session::from_env()?;                                             // where experiments are kept
//! let experiment = session.experiment().name("a line").start()?;                  // one run of this program
//! experiment.run(|experiment| {                                                    // ends it by what comes of it
//!     let device = Device::Cpu;
//!     let model = VarMap::new();
//!     let layer = linear(1, 1, VarBuilder::from_varmap(&model, DType::F32, &device).pp("layer"))?;
//!     let x = Tensor::new(&[[0_f32], [1.0], [2.0]], &device)?;
//!     let y = Tensor::new(&[[1_f32], [3.0], [5.0]], &device)?;
//!
//!     let tracker = Tracker::new(experiment, &model);                             // follows the training of `model`
//!     tracker.restore("latest")?;                                                 // goes on if there is a checkpoint
//!     let mut optimizer = tracker.optimizer(AdamW::new_lr(model.all_vars(), 0.1)?); // learning rate, gradient norms
//!     while tracker.steps_done() < 100 && tracker.abort_requested().is_none() {   // `neptune abort` ends it
//!         let step = tracker.step();                                              // step time
//!         let loss = mse(&layer.forward(&x)?, &y)?;
//!         optimizer.backward_step(&loss)?;
//!         step.log("train/loss", &loss);                                          // read later, with others
//!         step.items(3);                                                          // throughput
//!         if (step.number() + 1) % 50 == 0 {
//!             tracker.checkpoint(None)?;                                          // a version of the model
//!         }
//!     }
//!     Ok::<_, neptune_candle::Error>(())
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! Every piece can be used alone: an optimizer without steps, checkpoints without an optimizer, [`image`] and [`histogram`]
//! without a tracker.
//!
//! # What is logged
//!
//! | series | by | what |
//! |---|---|---|
//! | what you name | [`StepGuard::log`], [`StepGuard::log_value`], [`Tracker::log`] | a number of a tensor, or of the program |
//! | `train/step_time` | [`Tracker::step`] | seconds |
//! | `train/items_per_second` | [`StepGuard::items`] | items, by the seconds of their steps |
//! | `train/learning_rate` | [`Tracker::optimizer`] | as the step used it |
//! | `train/gradient_norm`, `train/gradient_norms/NAME` | [`Tracker::optimizer`] | L2 norms, every 10 steps |
//! | `train/weights/NAME`, `train/gradients/NAME` | [`TrackerBuilder::histograms_every`] | histograms; off by default |
//!
//! `NAME` is the name that a variable has in the `VarMap`, such as `layer.weight`. Steps are counted from 0.
//!
//! # What it costs, and what it does not change
//!
//! Reading a number from an accelerator waits until all work before it is done, so it is put off: numbers stay on the device
//! and are read together, about once a second, with one wait. [`TrackerBuilder::read_every`] sets another rhythm. On the CPU
//! they are read at once.
//!
//! Neither weights, nor gradients, nor random states are touched: training is equal bit by bit with and without. A number that
//! cannot be read or logged is counted as lost, and the training goes on. Checkpoints and images are asked for by name, and
//! return errors.
//!
//! # Going on after a kill
//!
//! Attach to the experiment ([`neptune_core::Session::attach`], or `NEPTUNE_EXPERIMENT_ID`) and call [`Tracker::restore`]
//! when all layers are built. Weights and step are those of the checkpoint, and points behind it are replaced as the loop gets
//! there, so curves are continuous. (`step_time` and `items_per_second` stand at the steps of reads, so single points of
//! before may stay between them.) What is not in the `VarMap` is not in the checkpoint:
//!
//! - The moments of candle's `AdamW` are private in candle 0.11.1. They begin at zero again, so the loss may bump for some
//!   dozens of steps. `SGD` of candle has no state, and goes on exactly.
//! - The order of the data is the loop's: shuffle by a seed and the epoch. So is the learning rate: set it by the step.
//! - Tensors of your own, such as a moving average of the weights or the state of another optimizer, are saved by
//!   [`Tracker::checkpoint_with`] and given back by [`Tracker::restore`].

mod checkpoint;
mod error;
mod held;
mod histograms;
mod image;
mod norms;
mod optimizer;
mod parameters;
mod shared;
mod step;
mod tracker;
mod weights;

pub use checkpoint::Restored;
pub use error::{Error, ErrorKind, Result};
pub use histograms::histogram;
pub use image::{ImageLayout, image, image_grid};
pub use neptune_core::PixelRange;
pub use optimizer::TrackedOptimizer;
pub use step::StepGuard;
pub use tracker::{Tracker, TrackerBuilder};
