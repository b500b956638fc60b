//! The variables of a model, by name.
//!
//! Always in the order of the names: the order of a `VarMap` differs from run to run.

use std::sync::PoisonError;

use candle_core::Var;
use candle_nn::VarMap;

/// The variables of `model`, sorted by name.
pub(crate) fn parameters(model: &VarMap) -> Vec<(String, Var)> {
    let variables = model.data().lock().unwrap_or_else(PoisonError::into_inner);
    let mut parameters: Vec<_> = variables.iter().map(|(name, var)| (name.clone(), var.clone())).collect();
    drop(variables);
    parameters.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    parameters
}
