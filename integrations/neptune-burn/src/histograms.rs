//! Histograms of the parameters of a module and of their gradients.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};
use neptune_core::{ExperimentHandle, Histogram};

use crate::{names::Namespace, norms::ParameterPath};

/// How many elements of a tensor a histogram looks at: enough that a bin of 1 % is off by 1 % of itself, and little
/// enough to be read from a device.
const MOST_ELEMENTS: usize = 1 << 20;

/// Enough to see the shape of a distribution.
const BINS: usize = 64;

/// The histogram of the values of a tensor of any rank, in `bins` bins between its least and its greatest. Reads the tensor
/// from its device; nothing when it cannot be read.
///
/// Of a tensor with more than a million elements (2^20) it takes that many at most, in even distances.
pub fn tensor_to_histogram<const D: usize>(tensor: Tensor<D>, bins: usize) -> Option<Histogram> {
    let values: Vec<f64> = evenly(tensor.inner()).try_into_vec_as().ok()?;
    Some(Histogram::of(values, bins))
}

/// At most [`MOST_ELEMENTS`] of the elements of a tensor, in even distances.
fn evenly<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let elements = tensor.shape().num_elements();
    let vector = tensor.reshape([elements]);
    let distance = elements.div_ceil(MOST_ELEMENTS);
    if distance <= 1 {
        return vector;
    }
    let rows = elements / distance;
    vector.slice(0..rows * distance).reshape([rows, distance]).slice([0..rows, 0..1]).reshape([rows])
}

/// Logs the histograms of all parameters and their gradients.
pub(crate) fn log<M: Module>(
    handle: &ExperimentHandle,
    namespace: &Namespace,
    step: u64,
    module: &M,
    grads: &GradientsParams,
) {
    module.visit(&mut Log { handle, namespace, step, grads, path: ParameterPath::default() });
}

struct Log<'a> {
    handle: &'a ExperimentHandle,
    namespace: &'a Namespace,
    step: u64,
    grads: &'a GradientsParams,
    path: ParameterPath,
}

impl Log<'_> {
    fn log<const D: usize>(&self, kind: &str, tensor: Tensor<D>) {
        let path = self.namespace.path(&format!("{kind}/{}/histogram", self.path.join()));
        if let Ok(series) = crate::split_log::series::<Histogram>(self.handle, &path)
            && let Some(histogram) = tensor_to_histogram(tensor, BINS)
        {
            series.append_at(self.step, &histogram);
        }
    }
}

impl ModuleVisitor for Log<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.grads.get::<D>(param.id) {
            self.log("gradients", gradient);
        }
        let weight = param.val();
        if weight.dtype().is_float() {
            self.log("weights", weight);
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }
}
