//! The transaction around a batch: check where the writer stands, apply, advance its position, commit.

use neptune_format::{Entry, ExperimentId, LostReport, Outcome, Position, Timestamp, WriterId};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::{batch::Batch, lifecycle};
use crate::{
    delete,
    error::{Error, ErrorKind, Result},
    store::Store,
};

/// Whose journal is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterKey {
    /// The experiment that the writer logs to.
    pub experiment: ExperimentId,
    /// The writer.
    pub writer: WriterId,
}

/// A piece of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins: where the writer must stand.
    pub start: Position,
    /// Where it ends: where the writer stands afterwards.
    pub end: Position,
    /// Stretches of it that are damaged and not among the entries; counted with them.
    pub damaged: u64,
}

/// What came of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Applied {
    /// What the store refused, and why: it is counted in the store as well.
    pub refused: LostReport,
}

impl Store {
    /// Where `writer` stands: everything of its journal before this place is in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn position(&self, writer: WriterId) -> Result<Position> {
        position_in(&self.connection, writer)
    }

    /// Applies the entries of a piece of a journal, all of them or, on an error, none.
    ///
    /// When this returns the entries are in the store and survive the death of the process; the loss of power only with
    /// [`StoreOptions::power_safe`](crate::StoreOptions::power_safe). What the store must refuse, such as a point for a
    /// variable of another type, is counted and the rest is kept.
    ///
    /// # Errors
    /// `Busy` when the writer does not stand at the start of the piece (ask [`Store::position`] and go on from there), or when another
    /// writer held the store for too long; `Full` when the disk is full; `NotFound` when the experiment was deleted.
    pub fn apply<'a>(
        &mut self,
        key: WriterKey,
        piece: Piece,
        entries: impl IntoIterator<Item = Entry<'a>>,
    ) -> Result<Applied> {
        let applied = self.apply_or_roll_back(key, piece, entries);
        if applied.is_err() {
            self.interned.forget();
        }
        applied
    }

    fn apply_or_roll_back<'a>(
        &mut self,
        key: WriterKey,
        piece: Piece,
        entries: impl IntoIterator<Item = Entry<'a>>,
    ) -> Result<Applied> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        fail::fail_point!("apply-begun");
        delete::refuse_deleted(&transaction, key.experiment)?;
        let stands = position_in(&transaction, key.writer)?;
        let Piece { start, end, damaged } = piece;
        if stands != start {
            return Err(Error::new(
                ErrorKind::Busy,
                format!(
                    "the journal is applied up to segment {} offset {}, not {} offset {}",
                    stands.segment, stands.offset, start.segment, start.offset
                ),
            ));
        }
        self.interned.keep_up(&transaction, key.experiment)?;
        let mut batch = Batch::new(&transaction, &mut self.interned, key);
        for entry in entries {
            batch.push(entry)?;
        }
        fail::fail_point!("apply-pushed");
        let refused = batch.finish(damaged)?;
        fail::fail_point!("apply-written");
        transaction.prepare_cached("UPDATE writer SET segment = $1, position = $2 WHERE uuid = $3")?.execute((
            end.segment.cast_signed(),
            end.offset.cast_signed(),
            key.writer.as_bytes(),
        ))?;
        fail::fail_point!("apply-positioned");
        transaction.commit()?;
        fail::fail_point!("apply-committed");
        Ok(Applied { refused })
    }

    /// Records what the writer itself could not keep. The counts are totals since it began: giving the same again, or
    /// after a crash, changes nothing.
    ///
    /// # Errors
    /// When the store cannot be written, or knows no such writer.
    pub fn record_losses(&mut self, writer: WriterId, lost: &LostReport) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (reason, count) in lost.iter() {
            lifecycle::set_loss(&transaction, writer, reason, count)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Closes a writer that died: its experiment is marked failed, with the reason, unless other writers are still at it.
    /// Does nothing when the writer had closed itself.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn close_dead(&mut self, writer: WriterId, time: Timestamp, reason: &str) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        lifecycle::close(&transaction, &mut self.interned, writer, time, Outcome::Failed, Some(reason))?;
        transaction.commit()?;
        Ok(())
    }

    /// Whether the store knows `writer`: whether anything of its journal was applied.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_writer(&self, writer: WriterId) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM writer WHERE uuid = $1")?.exists([writer.as_bytes()])?)
    }

    /// The message of the last panic of a thread of this writer, if any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_panic(&self, writer: WriterId) -> Result<Option<String>> {
        let found: Option<Option<String>> = self
            .connection
            .query_row("SELECT panic FROM writer WHERE uuid = $1", [writer.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(found.flatten())
    }
}

fn position_in(connection: &Connection, writer: WriterId) -> Result<Position> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached("SELECT segment, position FROM writer WHERE uuid = $1")?
        .query_row([writer.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map_or(Position::START, |(segment, offset)| Position {
        segment: segment.cast_unsigned(),
        offset: offset.cast_unsigned(),
    }))
}
