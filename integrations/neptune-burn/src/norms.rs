//! Norms of the parameters of a module and of their gradients.
//!
//! Invariant: reading them waits for the device once, however many parameters there are.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{FloatDType, Tensor, TensorReadError},
};

/// Euclidean norms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Norms {
    /// Of all of them together: the root of the sum of the squares.
    pub total: f64,
    /// Of each parameter by itself, by its path in the module such as `fc1/weight`, in the order of the module.
    pub parameters: Vec<(String, f64)>,
}

/// The norms of the gradients of `module`. Parameters without a gradient are left out.
///
/// Computed in 32 bits on the device of each parameter. Waits for the device, once.
///
/// # Errors
/// When the device cannot be read.
pub fn grad_norms<M: Module>(module: &M, grads: &GradientsParams) -> Result<Norms, TensorReadError> {
    let mut squares = Squares::of(Some(grads), false);
    module.visit(&mut squares);
    Ok(squares.read()?.0)
}

/// The norms of the float parameters of `module`, as [`grad_norms`].
///
/// # Errors
/// When the device cannot be read.
pub fn weight_norms<M: Module>(module: &M) -> Result<Norms, TensorReadError> {
    let mut squares = Squares::of(None, true);
    module.visit(&mut squares);
    Ok(squares.read()?.1)
}

/// The norms of the gradients and of the parameters, waiting for the device once for both.
pub(crate) fn both<M: Module>(module: &M, grads: &GradientsParams) -> Result<(Norms, Norms), TensorReadError> {
    let mut squares = Squares::of(Some(grads), true);
    module.visit(&mut squares);
    squares.read()
}

/// The path of the parameter that a visitor is at.
#[derive(Debug, Default)]
pub(crate) struct ParameterPath(Vec<String>);

impl ParameterPath {
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(crate::names::segment(name));
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    pub(crate) fn join(&self) -> String {
        if self.0.is_empty() { "parameter".to_owned() } else { self.0.join("/") }
    }
}

/// Collects sums of squares, which stay on their devices until they are read together.
struct Squares<'a> {
    grads: Option<&'a GradientsParams>,
    with_weights: bool,
    path: ParameterPath,
    gradients: Vec<(String, Tensor<1>)>,
    weights: Vec<(String, Tensor<1>)>,
}

impl<'a> Squares<'a> {
    fn of(grads: Option<&'a GradientsParams>, with_weights: bool) -> Self {
        Self { grads, with_weights, path: ParameterPath::default(), gradients: Vec::new(), weights: Vec::new() }
    }

    /// The norms of the gradients, and of the parameters.
    fn read(self) -> Result<(Norms, Norms), TensorReadError> {
        let gradients = self.gradients.len();
        let (names, sums): (Vec<String>, Vec<Tensor<1>>) = self.gradients.into_iter().chain(self.weights).unzip();
        let Some(device) = sums.first().map(Tensor::device) else { return Ok(Default::default()) };
        // A model may lie on several devices.
        let sums = sums.into_iter().map(|sum| sum.to_device(&device)).collect();
        let squares: Vec<f32> = Tensor::cat(sums, 0).try_into_vec_as()?;
        let mut named = names.into_iter().zip(squares.into_iter().map(f64::from));
        let gradients = norms(named.by_ref().take(gradients));
        Ok((gradients, norms(named)))
    }
}

fn norms(squares: impl Iterator<Item = (String, f64)>) -> Norms {
    let mut sum = 0.0;
    let parameters = squares
        .map(|(name, square)| {
            sum += square;
            (name, square.sqrt())
        })
        .collect();
    Norms { total: f64::sqrt(sum), parameters }
}

fn sum_of_squares<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    // In 16 bits, squares overflow at 256.
    tensor.inner().cast(FloatDType::F32).square().sum()
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.grads.and_then(|grads| grads.get::<D>(param.id)) {
            self.gradients.push((self.path.join(), sum_of_squares(gradient)));
        }
        if self.with_weights {
            let weight = param.val();
            // Quantised parameters have no norm without being unpacked.
            if weight.dtype().is_float() {
                self.weights.push((self.path.join(), sum_of_squares(weight)));
            }
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }
}
