//! Histograms of weights and gradients: their distributions, to see layers that die or explode.

use candle_core::{DType, Device, Result, Tensor};
use neptune_core::Histogram;

/// Bins of a histogram. As many as a chart shows well.
const BINS: usize = 64;

/// How many elements of a tensor a histogram looks at: enough that a bin of 1 % is off by 1 % of itself, and little
/// enough that a model with a billion parameters does not come through the bus.
const MOST_ELEMENTS: usize = 1 << 20;

/// The histogram of a tensor's elements: 64 bins of the same width from the least to the greatest. Elements that are not
/// finite are counted apart. Waits for the device of the tensor.
///
/// Of a tensor with more than a million elements (2^20) it takes that many at most, in even distances.
///
/// ```
/// # fn main() -> candle_core::Result<()> {
/// use candle_core::{Device, Tensor};
/// let weights = Tensor::new(&[[0_f32, 1.0], [1.0, 64.0]], &Device::Cpu)?;
/// let histogram = neptune_candle::histogram(&weights)?;
/// assert_eq!(histogram.counts().iter().sum::<u64>(), 4);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// candle's, when the tensor cannot be read.
pub fn histogram(tensor: &Tensor) -> Result<Histogram> {
    let elements = evenly(&tensor.detach().flatten_all()?)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    Ok(Histogram::of(elements.to_vec1::<f64>()?.iter().copied(), BINS))
}

/// At most [`MOST_ELEMENTS`] of the elements of a vector, in even distances.
fn evenly(vector: &Tensor) -> Result<Tensor> {
    let elements = vector.elem_count();
    let distance = elements.div_ceil(MOST_ELEMENTS);
    if distance <= 1 {
        return Ok(vector.clone());
    }
    let rows = elements / distance;
    vector.narrow(0, 0, rows * distance)?.reshape((rows, distance))?.narrow(1, 0, 1)?.flatten_all()
}
