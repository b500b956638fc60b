//! Norms of gradients, computed on the device: reading them is put off with the rest.

use candle_core::{DType, Result, Tensor, Var, backprop::GradStore};

/// L2 norms: of all gradients together, then of each.
#[derive(Debug)]
pub(crate) struct Norms {
    /// The parameters that have a gradient.
    pub(crate) names: Vec<String>,
    /// A vector: the norm of all, then one for each name.
    pub(crate) values: Tensor,
}

/// The norms of the gradients that the parameters have in `gradients`; `None` when they have none.
///
/// Squares are added up in `f64` if all gradients are of that type, otherwise in `f32`.
pub(crate) fn of_gradients(parameters: &[(String, Var)], gradients: &GradStore) -> Result<Option<Norms>> {
    let found = || parameters.iter().filter_map(|(name, var)| Some((name, gradients.get(var)?)));
    let Some((_, first)) = found().next() else { return Ok(None) };
    let dtype = if found().all(|(_, gradient)| gradient.dtype() == DType::F64) { DType::F64 } else { DType::F32 };
    let device = first.device();

    let mut names = Vec::new();
    let mut squares = Vec::new();
    for (name, gradient) in found() {
        // A gradient may be tracked itself, when second derivatives are asked for.
        let sum = gradient.detach().to_dtype(dtype)?.sqr()?.sum_all()?;
        squares.push(sum.to_device(device)?);
        names.push(name.clone());
    }
    let squares = Tensor::stack(&squares, 0)?;
    let total = squares.sum_keepdim(0)?;
    Ok(Some(Norms { names, values: Tensor::cat(&[&total, &squares], 0)?.sqrt()? }))
}
