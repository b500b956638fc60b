//! Tensors as images.

use std::{error, fmt};

use burn::tensor::{Tensor, TensorReadError};
use neptune_core::{Image, PixelRange};

/// Where a tensor of three dimensions has its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// `[channels, height, width]`, as models have it.
    First,
    /// `[height, width, channels]`, as image files have it.
    Last,
}

/// An image of a float tensor of shape `[channels, height, width]` or `[height, width, channels]`; of 1 (grey), 3 (RGB) or
/// 4 (RGBA) channels. Values outside of `range` are clamped. Reads the tensor from its device.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use neptune_burn::{Channels, tensor_to_image};
/// use neptune_core::PixelRange;
///
/// let digit = Tensor::<3>::zeros([1, 8, 8], &Device::flex());
/// let image = tensor_to_image(digit, Channels::First, PixelRange::Unit)?.name("a white zero");
/// # Ok::<(), neptune_burn::ImageError>(())
/// ```
///
/// # Errors
/// When the shape is not that of an image, or the device cannot be read.
pub fn tensor_to_image(tensor: Tensor<3>, channels: Channels, range: PixelRange) -> Result<Image, ImageError> {
    let tensor = match channels {
        Channels::First => tensor.permute([1, 2, 0]),
        Channels::Last => tensor,
    };
    let [height, width, count] = tensor.dims();
    let pixels: Vec<f32> = tensor.inner().try_into_vec_as().map_err(ImageError::Read)?;
    Image::from_f32(&pixels, height, width, count, range).map_err(ImageError::Shape)
}

/// Why a tensor is no image.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImageError {
    /// Its device cannot be read.
    Read(TensorReadError),
    /// It has another shape than an image.
    Shape(neptune_core::Error),
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the tensor cannot be read: {error}"),
            Self::Shape(error) => write!(f, "the tensor is no image: {error}"),
        }
    }
}

impl error::Error for ImageError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Shape(error) => Some(error),
        }
    }
}
