//! What a training is of: its configuration and its model.

use std::fmt::Display;

use burn::module::Module;
use neptune_core::{ExperimentHandle, Result};
use serde::Serialize;

/// Sets the fields of a configuration as parameters, nested ones by path: `parameters/optimizer/beta_1`. Whatever derives
/// burn's `Config` can be given.
///
/// A training that resumes sets the same values again, which does nothing.
///
/// # Errors
/// `Immutable` when a parameter has another value already, `Invalid` when `config` is not a struct or a map.
pub fn log_config<C: Serialize + ?Sized>(handle: &ExperimentHandle, config: &C) -> Result<()> {
    handle.log_params(config)
}

/// Logs what `model` is: its structure as burn prints it, the number of its parameters, and its devices, as the atoms
/// `model/structure`, `model/parameters` and `model/devices`.
///
/// burn draws the values of a parameter when it is first needed, and printing a model needs them: this call draws random
/// numbers, in the order of the fields. For the numbers that a training without this call would draw, call it where the
/// training needs them first: behind `Learner::new` and everything else that draws, as the last thing before it is launched.
pub fn log_model<M: Module + Display>(handle: &ExperimentHandle, model: &M) {
    handle.atom("model/structure").assign(model.to_string());
    handle.atom("model/parameters").assign(i64::try_from(model.num_params()).unwrap_or(i64::MAX));
    let devices: Vec<String> = model.devices().iter().map(|device| format!("{device:?}")).collect();
    handle.atom("model/devices").assign(devices.join(", "));
}
