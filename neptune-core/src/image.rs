//! [`Image`]: pixels or an image file, on their way into an experiment.

use std::{fmt, fs, io, path::Path};

use crate::error::{Error, ErrorKind, Result};

/// The most megabytes (of 1,048,576 bytes) of an image that are kept. Of a larger one its name and size are.
pub const IMAGE_SIZE_LIMIT_MB: u64 = 15;

pub(crate) const MOST_BYTES: u64 = IMAGE_SIZE_LIMIT_MB << 20;

/// What the numbers of pixels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PixelRange {
    /// From 0 (black) to 1 (full).
    Unit,
    /// From 0 (black) to 255 (full).
    Byte,
}

/// An image to be logged, with what there is to say about it. See [`ExperimentHandle::log_image`].
///
/// Made of pixels, of a file, or, with the feature `images`, of an `image::DynamicImage`.
///
/// ```
/// # fn main() -> Result<(), neptune_core::Error> {
/// use neptune_core::Image;
/// let checks: Vec<u8> = (0..64).map(|i| if (i / 8 + i) % 2 == 0 { 255 } else { 0 }).collect();
/// let image = Image::from_u8(&checks, 8, 8, 1)?.name("checks").description("8x8, one channel");
/// # Ok(())
/// # }
/// ```
///
/// [`ExperimentHandle::log_image`]: crate::ExperimentHandle::log_image
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// An image file; of pixels a PAM file.
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
}

/// The format of images that were made of pixels.
pub(crate) const PIXELS: &str = "pixels";

impl Image {
    /// An image of bytes: row by row from the top, in each row from the left, all channels of a pixel together. One channel
    /// is grey, three are red, green and blue, a fourth is how opaque the pixel is.
    ///
    /// # Errors
    /// `Invalid` when there are not `height * width * channels` bytes, none at all, or another number of channels.
    pub fn from_u8(pixels: &[u8], height: usize, width: usize, channels: usize) -> Result<Self> {
        Self::of_pixels(pixels.len(), pixels.iter().copied(), height, width, channels)
    }

    /// As [`Image::from_u8`], of numbers in `range`. Those outside are clamped; NaN is 0.
    ///
    /// # Errors
    /// As [`Image::from_u8`].
    pub fn from_f32(pixels: &[f32], height: usize, width: usize, channels: usize, range: PixelRange) -> Result<Self> {
        let scale = match range {
            PixelRange::Unit => 255.0,
            PixelRange::Byte => 1.0,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was clamped; NaN becomes 0")]
        let bytes = pixels.iter().map(|value| (value * scale).round().clamp(0.0, 255.0) as u8);
        Self::of_pixels(pixels.len(), bytes, height, width, channels)
    }

    fn of_pixels(
        count: usize,
        pixels: impl Iterator<Item = u8>,
        height: usize,
        width: usize,
        channels: usize,
    ) -> Result<Self> {
        let kind = match channels {
            1 => "GRAYSCALE",
            3 => "RGB",
            4 => "RGB_ALPHA",
            _ => {
                return Err(invalid(format!("an image has 1, 3 or 4 channels, not {channels}")));
            }
        };
        let wanted = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        let sizes = (u32::try_from(width), u32::try_from(height));
        let (Ok(wide), Ok(high)) = sizes else {
            return Err(invalid(format!("an image of {height} x {width} pixels is too large")));
        };
        if wanted != Some(count) || count == 0 {
            return Err(invalid(format!(
                "an image of height {height}, width {width} and {channels} channels has {} values, not {count}",
                wanted.map_or_else(|| "too many".to_owned(), |wanted| wanted.to_string())
            )));
        }
        let head =
            format!("P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL 255\nTUPLTYPE {kind}\nENDHDR\n");
        let mut bytes = Vec::with_capacity(head.len().saturating_add(count));
        bytes.extend(head.into_bytes());
        bytes.extend(pixels);
        Ok(Self { bytes, format: PIXELS, width: wide, height: high, name: None, description: None })
    }

    /// An image file: PNG, JPEG, GIF, WebP, BMP, TIFF, SVG and others that browsers and viewers know. It is kept as it is.
    ///
    /// # Errors
    /// `Invalid` when it is none of them.
    pub fn encoded(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        let (format, (width, height)) = what_it_is(&bytes).ok_or_else(|| {
            invalid("it is no image: not PNG, JPEG, GIF, WebP, SVG or another known format".to_owned())
        })?;
        Ok(Self { bytes, format, width, height, name: None, description: None })
    }

    /// The image file at `path`, as it is now.
    ///
    /// # Errors
    /// `FileNotFound` when there is none, `Unavailable` when it cannot be read, `Invalid` when it is no image.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Error::new(ErrorKind::FileNotFound, format!("there is no image {}", path.display()))
            }
            _ => Error::new(ErrorKind::Unavailable, format!("cannot read the image {}", path.display())).because(error),
        })?;
        Self::encoded(bytes).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("{} cannot be logged as an image", path.display())).because(error)
        })
    }

    /// What it shows, in a few words.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What there is to say about it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Pixels from left to right; 0 when the file does not say.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom; 0 when the file does not say.
    pub const fn height(&self) -> u32 {
        self.height
    }
}

#[cfg(feature = "images")]
impl From<image::DynamicImage> for Image {
    /// Kept with 8 bits a channel.
    fn from(image: image::DynamicImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let color = image.color();
        let made = match (color.has_color(), color.has_alpha()) {
            (false, false) => Self::from_u8(image.into_luma8().as_raw(), height, width, 1),
            (true, false) => Self::from_u8(image.into_rgb8().as_raw(), height, width, 3),
            (_, true) => Self::from_u8(image.into_rgba8().as_raw(), height, width, 4),
        };
        // Only an image without pixels is refused; a single transparent one stands for it.
        made.unwrap_or_else(|_| Self::from_u8(&[0; 4], 1, 1, 4).expect("four bytes make a pixel"))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, format, width, height, name, .. } = self;
        write!(f, "Image({format}, {width} x {height}, {} bytes, {name:?})", bytes.len())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

/// The format of an image file and its width and height.
fn what_it_is(bytes: &[u8]) -> Option<(&'static str, (u32, u32))> {
    use imagesize::ImageType as Type;
    let format = match imagesize::image_type(bytes) {
        Ok(Type::Png) => "png",
        Ok(Type::Jpeg) => "jpeg",
        Ok(Type::Gif) => "gif",
        Ok(Type::Webp) => "webp",
        Ok(Type::Bmp) => "bmp",
        Ok(Type::Tiff) => "tiff",
        Ok(Type::Heif(_)) => "heif",
        Ok(Type::Ico) => "ico",
        Ok(Type::Jxl) => "jxl",
        Ok(Type::Pnm) => "pnm",
        Ok(Type::Qoi) => "qoi",
        Ok(_) => "other",
        Err(_) if is_svg(bytes) => return Some(("svg", (0, 0))),
        Err(_) => return None,
    };
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(0);
    let size = imagesize::blob_size(bytes).map_or((0, 0), |size| (side(size.width), side(size.height)));
    Some((format, size))
}

fn is_svg(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 1024;
    let start = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start();
    text.starts_with("<svg") || (text.starts_with("<?xml") || text.starts_with("<!--")) && text.contains("<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_another_shape_are_refused_with_what_was_expected() {
        let error = Image::from_u8(&[0; 10], 2, 2, 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "an image of height 2, width 2 and 3 channels has 12 values, not 10");
        for (count, height, width, channels) in
            [(0, 0, 0, 1), (4, 2, 2, 2), (4, usize::MAX, 2, 4), (0, 0, 5, 3), (5, 5_000_000_000, 1, 1)]
        {
            assert!(Image::from_u8(&vec![0; count], height, width, channels).is_err(), "{height} {width} {channels}");
        }
    }

    #[test]
    fn floats_are_scaled_clamped_and_never_a_surprise() {
        let unit = Image::from_f32(&[0.0, 0.5, 1.0, 2.0, -1.0, f32::NAN], 1, 6, 1, PixelRange::Unit).unwrap();
        assert!(unit.bytes.ends_with(&[0, 128, 255, 255, 0, 0]), "{:?}", unit.bytes);
        let byte =
            Image::from_f32(&[0.0, 127.6, 255.0, 300.0, f32::INFINITY, f32::NEG_INFINITY], 1, 6, 1, PixelRange::Byte);
        assert!(byte.unwrap().bytes.ends_with(&[0, 128, 255, 255, 255, 0]));
    }

    #[test]
    fn a_file_is_told_by_its_first_bytes() {
        assert_eq!(Image::encoded(*b"<?xml version='1.0'?>\n<svg/>").unwrap().format, "svg");
        assert_eq!(Image::encoded(*b"P5\n3 2\n255\nabcdef").unwrap().format, "pnm");
        for wrong in [&b""[..], b"text", b"\x89PN", b"<?xml version='1.0'?><html/>"] {
            assert_eq!(Image::encoded(wrong).unwrap_err().kind(), ErrorKind::Invalid);
        }
        let error = Image::open("no/such.png").unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::FileNotFound, "there is no image no/such.png")
        );
    }

    #[cfg(feature = "images")]
    #[test]
    fn every_kind_of_image_keeps_its_channels() {
        use image::DynamicImage as Dynamic;
        for (image, channels) in [
            (Dynamic::new_luma8(2, 3), 1),
            (Dynamic::new_luma16(2, 3), 1),
            (Dynamic::new_luma_a8(2, 3), 4),
            (Dynamic::new_rgb8(2, 3), 3),
            (Dynamic::new_rgb32f(2, 3), 3),
            (Dynamic::new_rgba16(2, 3), 4),
        ] {
            let image = Image::from(image);
            let head = String::from_utf8_lossy(&image.bytes).into_owned();
            assert!(head.contains(&format!("WIDTH 2\nHEIGHT 3\nDEPTH {channels}\n")), "{head}");
        }
    }
}
