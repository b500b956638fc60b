//! The encoder: the background thread that turns logged pixels into PNG files.
//!
//! Pixels are kept before the call that logs them returns, as they are. So nothing waits for the encoder and nothing is lost
//! with it: what it does not come to, because there is too much or because the process dies, stays larger than it need be
//! until `neptune gc`.

use std::{io, thread, time::Duration};

use image::{
    ImageEncoder as _, ImageReader,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use neptune_format::ObjectId;

use crate::{fork, objects::Objects};

/// Images that may wait. Each is a name, the pixels are in their file.
const MOST_WAITING: usize = 1024;

/// How long it waits for whoever gives room back.
const PATIENCE: Duration = Duration::from_mins(1);

/// The thread and what it is told.
#[derive(Debug)]
pub(crate) struct Encoder {
    generation: u32,
    queue: flume::Sender<ObjectId>,
    done: flume::Receiver<()>,
}

impl Encoder {
    pub(crate) fn start(objects: Objects) -> io::Result<Self> {
        let (queue, waiting) = flume::bounded(MOST_WAITING);
        let (finished, done) = flume::bounded(1);
        thread::Builder::new().name("neptune:images".into()).spawn(move || {
            for id in waiting {
                // What cannot be encoded stays as it is, and can be read as that.
                objects.hold(PATIENCE).and_then(|held| objects.encode(id, &held)).ok();
            }
            finished.send(()).ok();
        })?;
        Ok(Self { generation: fork::generation(), queue, done })
    }

    /// Has pixels encoded, unless too many wait already.
    pub(crate) fn encode(&self, id: ObjectId) {
        self.queue.try_send(id).ok();
    }

    /// Waits until everything is encoded, for `patience` at most.
    pub(crate) fn finish(self, patience: Duration) {
        let Self { generation, queue, done } = self;
        drop(queue);
        // A forked child has no such thread to wait for.
        if fork::generation() == generation {
            done.recv_timeout(patience).ok();
        }
    }
}

/// The PNG file of the pixels in a PAM file.
pub(crate) fn png(pixels: &[u8]) -> io::Result<Vec<u8>> {
    let image = ImageReader::with_format(io::Cursor::new(pixels), image::ImageFormat::Pnm);
    let image = image.decode().map_err(io::Error::other)?;
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(image.as_bytes(), image.width(), image.height(), image.color().into())
        .map_err(io::Error::other)?;
    Ok(png)
}
