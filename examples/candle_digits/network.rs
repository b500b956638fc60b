//! Two convolutions and a linear layer. What is random comes from the seed, so that a run can be repeated.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Linear, Module as _, VarBuilder, VarMap, conv2d, linear};

use crate::{
    dataset::{CLASSES, Image, PIXELS},
    random::Random,
};

/// Pixels of a side of an image.
const SIDE: usize = 8;
/// Filters of the first convolution and of the second.
const FILTERS: [usize; 2] = [16, 32];

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    first: Conv2d,
    second: Conv2d,
    output: Linear,
}

impl Network {
    /// A network whose variables are made by `builder`.
    pub(crate) fn new(builder: &VarBuilder<'_>) -> Result<Self> {
        let same = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
        Ok(Self {
            first: conv2d(1, FILTERS[0], 3, same, builder.pp("first"))?,
            second: conv2d(FILTERS[0], FILTERS[1], 3, same, builder.pp("second"))?,
            output: linear(FILTERS[1] * PIXELS / 16, CLASSES, builder.pp("output"))?,
        })
    }

    /// The logits [count, 10] of images [count, 1, 8, 8].
    pub(crate) fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let half = self.first.forward(images)?.relu()?.max_pool2d(2)?;
        let quarter = self.second.forward(&half)?.relu()?.max_pool2d(2)?;
        self.output.forward(&quarter.flatten_from(1)?)
    }
}

/// Sets all weights to random numbers, uniform as in He et al. 2015, and all biases to 0.
pub(crate) fn initialise(model: &VarMap, random: &mut Random) -> Result<()> {
    let variables = model.data().lock().expect("nobody panicked while holding it");
    let mut names: Vec<_> = variables.keys().collect();
    names.sort();
    for name in names {
        let variable = &variables[name];
        let inputs = variable.elem_count() / variable.dim(0)?;
        let spread = if name.ends_with("bias") { 0.0 } else { (6.0 / inputs as f64).sqrt() };
        let numbers: Vec<f64> = (0..variable.elem_count()).map(|_| spread * random.symmetric()).collect();
        variable.set(&Tensor::from_vec(numbers, variable.shape(), variable.device())?.to_dtype(variable.dtype())?)?;
    }
    Ok(())
}

/// The pixels [count, 1, 8, 8], from 0 (paper) to 1 (ink), and the labels [count] of images.
pub(crate) fn tensors(images: &[Image], device: &Device) -> Result<(Tensor, Tensor)> {
    #[expect(clippy::cast_possible_truncation, reason = "pixels are sixteenths and digits are less than ten")]
    let (pixels, labels): (Vec<f32>, Vec<u32>) = (
        images.iter().flat_map(|image| image.pixels.iter().map(|&pixel| pixel as f32)).collect(),
        images.iter().map(|image| image.digit as u32).collect(),
    );
    Ok((Tensor::from_vec(pixels, (images.len(), 1, SIDE, SIDE), device)?, Tensor::new(labels, device)?))
}
