//! The images: `data/digits.csv`, compiled in, so that the example runs from any folder.
//!
//! No image is in both halves, and which are held out does not depend on the seed: runs can be compared.

/// One image in this many is held out.
const HELD_OUT: usize = 5;
/// What a pixel can be at most: each counts the dark dots of a 4x4 block.
const DARKEST: f64 = 16.0;

/// Pixels of one image.
pub(crate) const PIXELS: usize = 64;
/// Different digits.
pub(crate) const CLASSES: usize = 10;

/// One handwritten digit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    /// Row by row; 0 is white, 1 is black.
    pub(crate) pixels: [f64; PIXELS],
    /// What the writer meant: 0 to 9.
    pub(crate) digit: usize,
}

/// All images, split into what is learned from and what is held out.
#[derive(Debug)]
pub(crate) struct Digits {
    /// Four images in five.
    pub(crate) train: Vec<Image>,
    /// Every fifth image.
    pub(crate) validation: Vec<Image>,
}

impl Digits {
    /// The images, in the order of the file.
    pub(crate) fn load() -> Self {
        let mut digits = Self { train: Vec::new(), validation: Vec::new() };
        for (index, line) in include_str!("../data/digits.csv").lines().enumerate() {
            let half = if (index + 1) % HELD_OUT == 0 { &mut digits.validation } else { &mut digits.train };
            half.push(Image::parse(line).expect("every line of the committed file is 65 whole numbers"));
        }
        digits
    }
}

impl Image {
    /// `line` is 64 pixels from 0 to 16, then the digit. `None` if it is anything else.
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split(',');
        let mut pixels = [0.0; PIXELS];
        for pixel in &mut pixels {
            let dots: u8 = columns.next()?.parse().ok()?;
            *pixel = f64::from(dots) / DARKEST;
        }
        let digit = columns.next()?.parse().ok()?;
        let valid = columns.next().is_none() && digit < CLASSES && pixels.iter().all(|&pixel| pixel <= 1.0);
        valid.then_some(Self { pixels, digit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fifth_image_is_held_out() {
        let digits = Digits::load();
        assert_eq!((digits.train.len(), digits.validation.len()), (1_438, 359));
        assert!(digits.validation.iter().all(|image| !digits.train.contains(image)));
    }

    #[test]
    fn every_digit_is_in_both_halves() {
        let digits = Digits::load();
        for digit in 0..CLASSES {
            assert!(digits.train.iter().any(|image| image.digit == digit));
            assert!(digits.validation.iter().any(|image| image.digit == digit));
        }
    }

    #[test]
    fn a_line_of_another_shape_is_no_image() {
        let line = |pixel: &str, count: usize, digit: &str| format!("{}{digit}", format!("{pixel},").repeat(count));
        assert!(Image::parse(&line("16", 64, "9")).is_some());
        assert_eq!(Image::parse(&line("17", 64, "9")), None);
        assert_eq!(Image::parse(&line("16", 64, "10")), None);
        assert_eq!(Image::parse(&line("1", 63, "9")), None);
        assert_eq!(Image::parse(&line("1", 65, "9")), None);
        assert_eq!(Image::parse(&line("x", 64, "9")), None);
        assert_eq!(Image::parse(""), None);
    }
}
