//! Which digits are taken for which.

use candle_core::{Device, Tensor};
use neptune_candle::{ImageLayout, PixelRange, image};
use neptune_core::Image;

use crate::dataset::CLASSES;

/// How many pixels of a side a cell of the image has.
const CELL: usize = 16;

/// How often each digit was read as each.
#[derive(Debug)]
pub(crate) struct Confusion {
    /// A row for each digit that was written, with a column for each that was read.
    counts: [[u32; CLASSES]; CLASSES],
    /// Of the images that were misread: their indices, what was written, and what was read.
    pub(crate) misread: Vec<(u32, u32, u32)>,
}

impl Confusion {
    /// What was written, and what was read, image by image.
    pub(crate) fn new(written: &[u32], read: &[u32]) -> Self {
        let mut confusion = Self { counts: [[0; CLASSES]; CLASSES], misread: Vec::new() };
        for (index, (&written, &read)) in (0..).zip(written.iter().zip(read)) {
            confusion.counts[written as usize][read as usize] += 1;
            if written != read {
                confusion.misread.push((index, written, read));
            }
        }
        confusion
    }

    /// The share that was read correctly: 0 to 1.
    pub(crate) fn accuracy(&self) -> f64 {
        let all: u32 = self.counts.iter().flatten().sum();
        let correct: u32 = (0..CLASSES).map(|digit| self.counts[digit][digit]).sum();
        f64::from(correct) / f64::from(all)
    }

    /// The indices of at most `most` images that were misread, and what they were read as, for people.
    pub(crate) fn misread(&self, most: usize) -> (Vec<u32>, String) {
        let shown = &self.misread[..self.misread.len().min(most)];
        let words: Vec<_> = shown.iter().map(|(_, written, read)| format!("{written} read as {read}")).collect();
        (shown.iter().map(|(index, _, _)| *index).collect(), words.join(", "))
    }

    /// The counts, as a list of rows.
    pub(crate) fn to_json(&self) -> String {
        let row = |row: &[u32; CLASSES]| format!("[{}]", row.map(|count| count.to_string()).join(","));
        format!(
            "{{\"rows\":\"written\",\"columns\":\"read\",\"counts\":[{}]}}",
            self.counts.each_ref().map(row).join(",")
        )
    }

    /// A square for each count, the whiter the larger its share of the row is.
    pub(crate) fn to_image(&self) -> neptune_candle::Result<Image> {
        let counts = Tensor::new(&self.counts, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?;
        let shares = counts.broadcast_div(&counts.sum_keepdim(1)?)?.reshape((1, 1, CLASSES, CLASSES))?;
        let squares = shares.upsample_nearest2d(CELL * CLASSES, CELL * CLASSES)?.squeeze(0)?;
        Ok(image(&squares, ImageLayout::Chw, PixelRange::Unit)?.description("rows: written, columns: read, 0 to 9"))
    }
}
