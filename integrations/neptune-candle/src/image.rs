//! Tensors as images.

use candle_core::{DType, Device, Tensor};
use neptune_core::{Image, PixelRange};

use crate::error::{Error, ErrorKind, Result};

/// Pixels between the images of a grid and around it, which are black. The number that torchvision's `make_grid` has.
const GAP: usize = 2;

/// What the dimensions of a tensor mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageLayout {
    /// Channels, height, width: as convolutions take it.
    Chw,
    /// Height, width, channels: as image files have it.
    Hwc,
    /// Height, width: grey.
    Hw,
}

impl ImageLayout {
    const fn dimensions(self) -> &'static str {
        match self {
            Self::Chw => "[channels, height, width]",
            Self::Hwc => "[height, width, channels]",
            Self::Hw => "[height, width]",
        }
    }
}

/// Pixels row by row, channels last.
enum Pixels {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

/// The image of a tensor with 1 (grey), 3 (RGB) or 4 (RGBA) channels. Waits for the device of the tensor.
///
/// `range` says what white is in a tensor of floats; a `u8` tensor has 0 to 255, whatever it says. What is out of the range
/// is clamped, and NaN is black.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use candle_core::{Device, Tensor};
/// use neptune_candle::{ImageLayout, PixelRange, image};
/// # let folder = tempfile::tempdir()?;
/// # let experiment = neptune_core::Session::builder().folder(folder.path()).open()?.experiment().start()?;
/// let red = Tensor::new(&[[[1_f32]], [[0.0]], [[0.0]]], &Device::Cpu)?;
/// experiment.log_image("samples", image(&red, ImageLayout::Chw, PixelRange::Unit)?);
/// # experiment.stop()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Invalid` when the tensor has another number of dimensions or channels than `layout` takes, or holds integers that are
/// not `u8`; `Candle` when it cannot be read.
pub fn image(tensor: &Tensor, layout: ImageLayout, range: PixelRange) -> Result<Image> {
    let (by_pixel, height, width, channels) = match (layout, tensor.dims()) {
        (ImageLayout::Chw, &[channels, height, width]) => (tensor.permute((1, 2, 0))?, height, width, channels),
        (ImageLayout::Hwc, &[height, width, channels]) => (tensor.clone(), height, width, channels),
        (ImageLayout::Hw, &[height, width]) => (tensor.clone(), height, width, 1),
        (_, shape) => {
            let expected = layout.dimensions();
            return Err(invalid(format!("an image of this layout has the shape {expected}, not {shape:?}")));
        }
    };
    check_channels(channels, tensor.dims())?;
    encode(pixels(&by_pixel)?, height, width, channels, range)
}

/// One image of many: `batch` has the shape [count, channels, height, width], and its images stand row by row, `columns` in
/// a row, with 2 black pixels around each. Otherwise as [`image`].
///
/// # Errors
/// `Invalid` when `batch` has another shape or no image, or `columns` is 0; otherwise as [`image`].
pub fn image_grid(batch: &Tensor, columns: usize, range: PixelRange) -> Result<Image> {
    let &[count, channels, height, width] = batch.dims() else {
        let shape = batch.dims();
        return Err(invalid(format!("a grid takes the shape [count, channels, height, width], not {shape:?}")));
    };
    if count == 0 || columns == 0 {
        return Err(invalid(format!("a grid takes an image and a column at least, not {count} and {columns}")));
    }
    check_channels(channels, batch.dims())?;
    let columns = columns.min(count);
    let shape = Shape { columns, rows: count.div_ceil(columns), height, width, channels };
    let pixels = match pixels(&batch.permute((0, 2, 3, 1))?)? {
        Pixels::Bytes(bytes) => Pixels::Bytes(shape.arrange(&bytes)),
        Pixels::Floats(floats) => Pixels::Floats(shape.arrange(&floats)),
    };
    encode(pixels, shape.grid_height(), shape.grid_width(), channels, range)
}

/// Of a grid, in images and in pixels of one image.
struct Shape {
    columns: usize,
    rows: usize,
    height: usize,
    width: usize,
    channels: usize,
}

impl Shape {
    const fn grid_height(&self) -> usize {
        GAP + self.rows * (self.height + GAP)
    }

    const fn grid_width(&self) -> usize {
        GAP + self.columns * (self.width + GAP)
    }

    /// The pixels of the grid, from those of its images one after the other.
    fn arrange<T: Copy + Default>(&self, images: &[T]) -> Vec<T> {
        let mut grid = vec![T::default(); self.grid_height() * self.grid_width() * self.channels];
        let line = self.width * self.channels;
        // A line of no pixel would give no images to place.
        for (index, pixels) in images.chunks_exact(line.max(1)).enumerate() {
            let (image, y) = (index / self.height, index % self.height);
            let (row, column) = (image / self.columns, image % self.columns);
            let top = GAP + row * (self.height + GAP) + y;
            let left = GAP + column * (self.width + GAP);
            let begin = (top * self.grid_width() + left) * self.channels;
            if let Some(place) = grid.get_mut(begin..begin + line) {
                place.copy_from_slice(pixels);
            }
        }
        grid
    }
}

fn check_channels(channels: usize, shape: &[usize]) -> Result<()> {
    if matches!(channels, 1 | 3 | 4) {
        return Ok(());
    }
    Err(invalid(format!("an image has 1, 3 or 4 channels, not {channels}; is {shape:?} of another layout?")))
}

/// The elements of a tensor whose last dimension is that of the channels.
fn pixels(tensor: &Tensor) -> Result<Pixels> {
    let tensor = tensor.detach().to_device(&Device::Cpu)?.flatten_all()?;
    match tensor.dtype() {
        DType::U8 => Ok(Pixels::Bytes(tensor.to_vec1()?)),
        dtype if dtype.is_float() => Ok(Pixels::Floats(tensor.to_dtype(DType::F32)?.to_vec1()?)),
        dtype => Err(invalid(format!("pixels are u8 or floats, not {}; convert them with `to_dtype`", dtype.as_str()))),
    }
}

fn encode(pixels: Pixels, height: usize, width: usize, channels: usize, range: PixelRange) -> Result<Image> {
    Ok(match pixels {
        Pixels::Bytes(bytes) => Image::from_u8(&bytes, height, width, channels)?,
        Pixels::Floats(floats) => Image::from_f32(&floats, height, width, channels, range)?,
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}
