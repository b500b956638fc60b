//! Points of images and histograms: any text is a document, which is written as it is read, or it is none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_format::{Document as _, Histogram, LoggedImage};

fuzz_target!(|text: &str| {
    if let Some(image) = LoggedImage::from_text(text) {
        assert_eq!(LoggedImage::from_text(&image.to_text()), Some(image));
    }
    if let Some(histogram) = Histogram::from_text(text) {
        assert_eq!(histogram.edges().len(), histogram.counts().len() + 1);
        assert!(histogram.edges().windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Histogram::from_text(&histogram.to_text()), Some(histogram));
    }
});
