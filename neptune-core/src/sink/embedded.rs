//! The sink that writes to the store in the local folder.

use neptune_format::{LostReport, Position};
use neptune_store::{Piece, Store, WriterKey};

use super::Sink;
use crate::{error::Result, journal::Batch};

#[derive(Debug)]
pub(crate) struct Embedded {
    store: Store,
    key: WriterKey,
}

impl Embedded {
    pub(crate) const fn new(store: Store, key: WriterKey) -> Self {
        Self { store, key }
    }
}

impl Sink for Embedded {
    fn position(&mut self) -> Result<Position> {
        Ok(self.store.position(self.key.writer)?)
    }

    fn take(&mut self, batch: &Batch<'_>) -> Result<LostReport> {
        let piece = Piece { start: batch.start, end: batch.end, damaged: batch.damaged + batch.not_understood() };
        Ok(self.store.apply(self.key, piece, batch.entries())?.refused)
    }

    fn take_losses(&mut self, lost: &LostReport) -> Result<()> {
        Ok(self.store.record_losses(self.key.writer, lost)?)
    }
}
