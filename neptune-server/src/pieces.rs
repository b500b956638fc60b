//! Answers that are sent in pieces, so that what is read takes the same little memory however long it is.
//!
//! Few pieces wait for whoever reads them. A reader that goes away, or takes nothing for a while, ends the work.

use std::{
    fs::File,
    io::{self, Read as _, Write},
    time::Duration,
};

use axum::body::{Body, Bytes};
use tokio::{runtime::Handle, sync::mpsc, task::spawn_blocking, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

/// Bytes of a piece: enough that handing it over costs nothing beside reading it.
const PIECE: usize = 128 << 10;

/// Pieces that wait.
const WAITING: usize = 4;

/// How long a piece waits before the reader counts as gone.
const PATIENCE: Duration = Duration::from_mins(1);

type Piece = io::Result<Bytes>;

/// The content of a file from where it stands.
pub(crate) fn of_file(mut file: File) -> Body {
    let (sender, pieces) = mpsc::channel::<Piece>(WAITING);
    tokio::spawn(async move {
        loop {
            // No thread waits for a slow reader.
            let read = spawn_blocking(move || {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file).take(PIECE as u64).read_to_end(&mut piece).map(|_| (file, Bytes::from(piece)))
            });
            let (piece, rest) = match read.await.map_err(io::Error::other).flatten() {
                Ok((_, piece)) if piece.is_empty() => return,
                Ok((rest, piece)) => (Ok(piece), Some(rest)),
                Err(error) => (Err(error), None),
            };
            let is_taken = timeout(PATIENCE, sender.send(piece)).await.is_ok_and(|sent| sent.is_ok());
            match rest {
                Some(rest) if is_taken => file = rest,
                _ => return,
            }
        }
    });
    Body::from_stream(ReceiverStream::new(pieces))
}

/// What `write` writes, on a thread of its own. When it fails, the answer breaks off.
pub(crate) fn of_writer(write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, pieces) = mpsc::channel(WAITING);
    let mut to = Pieces { piece: Vec::new(), sender, runtime: Handle::current() };
    spawn_blocking(move || {
        if let Err(error) = write(&mut to).and_then(|()| to.flush()) {
            // Nobody is there any more, or is told.
            to.sender.try_send(Err(error)).ok();
        }
    });
    Body::from_stream(ReceiverStream::new(pieces))
}

/// Where [`of_writer`] writes to. Waits while too many pieces wait.
pub(crate) struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Piece>,
    runtime: Handle,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        match self.runtime.block_on(async { timeout(PATIENCE, self.sender.send(Ok(piece))).await }) {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
