//! What the network reads wrongly, to look at: images and a confusion matrix.

use std::error::Error;

use burn::tensor::Device;
use neptune_burn::{Channels, tensor_to_image};
use neptune_core::{AtomValue, ExperimentHandle, Image as Picture, PixelRange};

use crate::dataset::{CLASSES, Image};
use crate::model::{EDGE, Model, batch};

/// Images that are logged, at most.
const SHOWN: usize = 24;

/// Logs the digits that `model` takes for another, and how often it takes which for which. Returns the share that it reads
/// correctly.
pub(crate) fn log(
    experiment: &ExperimentHandle,
    model: &Model,
    images: &[Image],
    device: &Device,
) -> Result<f64, Box<dyn Error>> {
    let batch = batch(images, device);
    let read: Vec<i64> = model.forward(batch.pixels.clone()).argmax(1).into_data().convert::<i64>().try_into_vec()?;
    let mut confusion = vec![vec![0_u32; CLASSES]; CLASSES];
    let wrong = experiment.series::<Picture>("valid/wrong")?;
    let mut shown = 0;
    for (index, (image, read)) in images.iter().zip(read).enumerate() {
        let read = usize::try_from(read)?;
        confusion[image.digit][read] += 1;
        if read != image.digit && shown < SHOWN {
            let pixels = batch.pixels.clone().slice([index..=index]).reshape([1, EDGE, EDGE]);
            let picture = tensor_to_image(pixels, Channels::First, PixelRange::Unit)?;
            wrong.append_at(shown, picture.name(format!("{} taken for {read}", image.digit)));
            shown += 1;
        }
    }
    let correct: u32 = (0..CLASSES).map(|digit| confusion[digit][digit]).sum();
    experiment.atom("valid/confusion/counts").assign(AtomValue::Json(serde_json::to_string(&confusion)?));
    experiment.series::<Picture>("valid/confusion/image")?.append_at(0, picture(&confusion)?);
    Ok(f64::from(correct) / images.len() as f64)
}

/// A row for each digit that was written, a column for each that was read; the more, the brighter.
fn picture(confusion: &[Vec<u32>]) -> neptune_core::Result<Picture> {
    /// Pixels along an edge of a cell.
    const CELL: usize = 16;
    let most = confusion.iter().flatten().copied().max().unwrap_or(1).max(1);
    let edge = CLASSES * CELL;
    let pixels: Vec<f32> = (0..edge * edge)
        .map(|pixel| confusion[pixel / edge / CELL][pixel % edge / CELL] as f32 / most as f32)
        // The root shows the few mistakes beside the many that are correct.
        .map(f32::sqrt)
        .collect();
    let picture = Picture::from_f32(&pixels, edge, edge, 1, PixelRange::Unit)?;
    Ok(picture.name("confusion").description("rows: written, columns: read"))
}
