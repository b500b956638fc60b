//! Images and histograms: series of more than numbers and text.

use std::time::Duration;

use neptune_format::{Document as _, Histogram, LoggedImage, LostReason, Timestamp, VariablePath};

use super::{
    number::IntoStep,
    series::{Series, SeriesValue},
    state::{ExperimentHandle, State},
};
use crate::{
    clock,
    error::Result,
    image::{Image, MOST_BYTES, PIXELS},
    objects::Held,
    quota::{LimitReached, Look},
};

/// How long a call that logs an image waits for whoever gives room back, at most.
const PATIENCE: Duration = Duration::from_millis(250);

impl ExperimentHandle {
    /// Logs an image under `name`, the series `logs/NAME`, at the step behind its last.
    ///
    /// Pixels, or the bytes of the file, are written to the folder of the session before this returns, so they survive
    /// SIGKILL like every other record. That makes this a call that costs a little more than writing such a file: a fifth of
    /// a millisecond for 28 x 28 pixels, half a millisecond for 512 x 512 in colour, measured. A thread of its own encodes
    /// pixels as PNG.
    ///
    /// Of an image of more than 15 MB (15 * 1,048,576 bytes, encoded), and of one that the disk or the
    /// [limit](crate::SessionBuilder::storage_limit) has no room for, the entry is kept with name, description and size, and its
    /// bytes are counted as lost.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// use neptune_core::{Image, PixelRange};
    /// let digit = vec![0.5_f32; 28 * 28];
    /// experiment.log_image("wrong", Image::from_f32(&digit, 28, 28, 1, PixelRange::Unit)?.name("a 4, read as a 9"));
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_image(&self, name: &str, image: impl Into<Image>) {
        if let Some(series) = self.logged::<Image>(name) {
            series.append(image);
        }
    }

    /// Logs an image under `name` at `step`. See [`ExperimentHandle::log_image`].
    pub fn log_image_at(&self, name: &str, step: impl IntoStep, image: impl Into<Image>) {
        if let Some(series) = self.logged::<Image>(name) {
            series.append_at(step, image);
        }
    }

    /// Logs a histogram under `name`, the series `logs/NAME`, at the step behind its last.
    pub fn log_histogram(&self, name: &str, histogram: &Histogram) {
        if let Some(series) = self.logged::<Histogram>(name) {
            series.append(histogram);
        }
    }

    /// Logs a histogram under `name` at `step`.
    pub fn log_histogram_at(&self, name: &str, step: impl IntoStep, histogram: &Histogram) {
        if let Some(series) = self.logged::<Histogram>(name) {
            series.append_at(step, histogram);
        }
    }

    /// The series `logs/NAME`; what is wrong with it is counted.
    pub(super) fn logged<T: SeriesValue>(&self, name: &str) -> Option<Series<T>> {
        match VariablePath::within("logs", name) {
            Ok(path) => self.series_or_count(path.as_str()),
            Err(error) => {
                self.state.refuse_path(&error);
                None
            }
        }
    }

    /// A series; what is wrong with it is counted.
    pub(super) fn series_or_count<T: SeriesValue>(&self, path: &str) -> Option<Series<T>> {
        if !self.state.journal.is_ours() {
            self.state.journal.losses().add(LostReason::Forked, 1);
            return None;
        }
        let refused = |error: &crate::Error| {
            self.state.journal.losses().explain(error.kind().lost_reason(), 1, || error.to_string());
        };
        self.series(path).inspect_err(refused).ok()
    }
}

impl Series<Image> {
    /// Logs an image at the step behind the last. See [`ExperimentHandle::log_image`] for what it costs and what is kept.
    pub fn append(&self, image: impl Into<Image>) {
        self.append_as_of(clock::now(), image);
    }

    /// Logs an image at the step behind the last, as of `time`.
    pub fn append_as_of(&self, time: impl Into<Timestamp>, image: impl Into<Image>) {
        let (entry, _held) = self.state.keep_image(image.into());
        self.log_document(None, time.into(), &entry.to_text());
    }

    /// Logs an image at `step`.
    pub fn append_at(&self, step: impl IntoStep, image: impl Into<Image>) {
        self.append_with(step, clock::now(), image);
    }

    /// Logs an image at `step`, as of `time`.
    pub fn append_with(&self, step: impl IntoStep, time: impl Into<Timestamp>, image: impl Into<Image>) {
        let Some(step) = step.into_step() else { return self.refuse_step() };
        let (entry, _held) = self.state.keep_image(image.into());
        self.log_document(Some(step), time.into(), &entry.to_text());
    }
}

impl Series<Histogram> {
    /// Logs a histogram at the step behind the last.
    pub fn append(&self, histogram: &Histogram) {
        self.append_as_of(clock::now(), histogram);
    }

    /// Logs a histogram at the step behind the last, as of `time`.
    pub fn append_as_of(&self, time: impl Into<Timestamp>, histogram: &Histogram) {
        self.log_document(None, time.into(), &histogram.to_text());
    }

    /// Logs a histogram at `step`.
    pub fn append_at(&self, step: impl IntoStep, histogram: &Histogram) {
        self.append_with(step, clock::now(), histogram);
    }

    /// Logs a histogram at `step`, as of `time`.
    pub fn append_with(&self, step: impl IntoStep, time: impl Into<Timestamp>, histogram: &Histogram) {
        let Some(step) = step.into_step() else { return self.refuse_step() };
        self.log_document(Some(step), time.into(), &histogram.to_text());
    }
}

impl State {
    /// Keeps the bytes of an image, and returns what its point says. While the objects are held they are not removed: until
    /// the point is logged.
    fn keep_image(&self, image: Image) -> (LoggedImage, Option<Held>) {
        let mut entry = LoggedImage {
            object: None,
            size: image.bytes.len() as u64,
            format: image.format.to_owned(),
            width: image.width,
            height: image.height,
            name: image.name,
            description: image.description,
        };
        // What is held back is still logged while the experiment ends.
        if !self.journal.is_ours() || self.journal.keeps_nothing() || self.journal.is_stopped() {
            // Its point is not kept either, and is what counts.
            return (entry, None);
        }
        let shown = || entry.name.as_deref().map_or_else(String::new, |name| format!(" {name:?}"));
        let kept = self.objects.hold(PATIENCE).and_then(|held| {
            let object = if image.format == PIXELS {
                self.objects.keep_pixels(&image.bytes, &held)?
            } else if entry.size > MOST_BYTES {
                None
            } else {
                Some(self.objects.keep_bytes(&image.bytes, Look::Later, &held)?.object)
            };
            Ok((object, held))
        });
        match kept {
            Ok((Some(object), held)) => {
                entry.object = Some(object);
                #[cfg(feature = "images")]
                if image.format == PIXELS {
                    self.encode(object);
                }
                return (entry, Some(held));
            }
            Ok((None, _)) => self.journal.losses().explain(LostReason::TooLarge, 1, || {
                let limit = crate::image::IMAGE_SIZE_LIMIT_MB;
                format!("the image{} has {} bytes, and at most {limit} MB are kept", shown(), entry.size)
            }),
            Err(error) => {
                let reason = match error.kind() {
                    std::io::ErrorKind::TimedOut => LostReason::Overrun,
                    _ if LimitReached::of(&error).is_some() => LostReason::StorageLimit,
                    _ => LostReason::DiskFull,
                };
                self.journal.losses().explain(reason, 1, || format!("the image{} cannot be kept: {error}", shown()));
            }
        }
        (entry, None)
    }

    /// Has the encoder turn pixels into a PNG file.
    #[cfg(feature = "images")]
    fn encode(&self, object: neptune_format::ObjectId) {
        let mut encoder = self.encoder.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.ended.load(std::sync::atomic::Ordering::Acquire) {
            return;
        }
        if encoder.is_none() {
            // Without a thread the pixels stay as they are.
            *encoder = crate::encoder::Encoder::start(self.objects.clone()).ok();
        }
        if let Some(encoder) = &*encoder {
            encoder.encode(object);
        }
    }
}

#[cfg(feature = "embedded")]
mod reading {
    use super::{ExperimentHandle, LoggedImage, Result};
    use crate::error::{Error, ErrorKind};

    impl ExperimentHandle {
        /// The bytes of an image that was logged: an image file. Pixels come as PNG.
        ///
        /// # Errors
        /// `NotFound` when its bytes were not kept or are gone; `Unavailable` when they cannot be read.
        pub fn image(&self, image: &LoggedImage) -> Result<Vec<u8>> {
            let gone = || {
                let shown = image.name.as_deref().unwrap_or("without a name");
                Error::new(ErrorKind::NotFound, format!("the bytes of the image {shown:?} were not kept"))
            };
            let find = || neptune_store::objects::file_of_image(self.state.session.folder(), image).ok_or_else(gone);
            let unreadable = |error| {
                let named = image.name.as_deref().unwrap_or_default();
                Error::new(ErrorKind::Unavailable, format!("cannot read the image {named:?}")).because(error)
            };
            let mut file = find()?;
            let mut read = std::fs::read(&file);
            if read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
                // It was encoded meanwhile.
                file = find()?;
                read = std::fs::read(&file);
            }
            let bytes = read.map_err(unreadable)?;
            #[cfg(feature = "images")]
            if file.extension().is_some_and(|ending| ending == "pam") {
                return crate::encoder::png(&bytes).map_err(unreadable);
            }
            Ok(bytes)
        }
    }
}
