//! The sink that writes to the store in the local folder.

use neptune_format::{LostReport, Position};
use neptune_store::{Piece, Store, WriterKey};

use super::{Sink, echo::Echo};
use crate::{error::Result, journal::Batch};

#[derive(Debug)]
pub(crate) struct Embedded {
    store: Store,
    key: WriterKey,
    echo: Option<Echo>,
}

impl Embedded {
    pub(crate) const fn new(store: Store, key: WriterKey) -> Self {
        Self { store, key, echo: None }
    }

    /// Also says what it has taken.
    pub(crate) fn echoing(mut self, echoes: bool) -> Self {
        self.echo = echoes.then(Echo::default);
        self
    }
}

impl Sink for Embedded {
    fn position(&mut self) -> Result<Position> {
        Ok(self.store.position(self.key.writer)?)
    }

    fn take(&mut self, batch: &Batch<'_>) -> Result<LostReport> {
        let piece = Piece { start: batch.start, end: batch.end, damaged: batch.damaged + batch.not_understood() };
        let refused = self.store.apply(self.key, piece, batch.entries())?.refused;
        if let Some(echo) = &mut self.echo {
            let id = self.key.experiment;
            let named = || self.store.experiment(id).map_or_else(|_| id.to_string(), |key| key.short_id);
            echo.say(named, batch.entries());
        }
        Ok(refused)
    }

    fn take_losses(&mut self, lost: &LostReport) -> Result<()> {
        Ok(self.store.record_losses(self.key.writer, lost)?)
    }
}
