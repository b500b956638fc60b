//! Where the journal is drained to. One write path, whoever takes the records (guarantee G5).

mod drain;

#[cfg(feature = "embedded")]
mod echo;
#[cfg(feature = "embedded")]
mod embedded;

pub(crate) use drain::Drain;
#[cfg(feature = "embedded")]
pub(crate) use embedded::Embedded;

use neptune_format::{LostReport, Position};

use crate::{error::Result, journal::Batch};

/// Takes batches of a journal, each exactly once.
pub(crate) trait Sink: Send {
    /// Where the sink stands: it has everything before this place.
    fn position(&mut self) -> Result<Position>;

    /// Takes a batch that begins where the sink stands. On an error nothing of it was taken. Returns what it refused.
    fn take(&mut self, batch: &Batch<'_>) -> Result<LostReport>;

    /// Takes the counts of what the writer itself could not keep; totals since it began.
    fn take_losses(&mut self, lost: &LostReport) -> Result<()>;
}
