//! Changes of an experiment that can be undone, and what a series is called now.

use neptune_format::{RevisionId, Timestamp, WriterId};
use rusqlite::{OptionalExtension as _, Row};

use super::ExperimentKey;
use crate::{
    apply::RENAMED,
    error::{Error, Result},
    store::Store,
};

/// A change of an experiment that can be undone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Revision {
    /// Its identity.
    pub id: RevisionId,
    /// Its number in the experiment, from 1: what people call it.
    pub number: u64,
    /// What was changed.
    pub change: Change,
    /// When.
    pub time: Timestamp,
    /// Whether it was undone.
    pub undone: bool,
    /// Whether what it deleted is gone for good: then it cannot be undone.
    pub purged: bool,
    /// Points that lie aside because of it.
    pub points: u64,
    /// Bytes of those in the store.
    pub bytes: u64,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The points of every series behind a step were deleted.
    Rewound {
        /// The greatest step that stayed.
        to: f64,
    },
    /// Points of a series were deleted.
    PointsDeleted {
        /// The series, as it is called now.
        path: String,
        /// The least step that was deleted; negative infinity when there was no bound.
        first: f64,
        /// The greatest step that was deleted; infinity when there was no bound.
        last: f64,
    },
    /// A variable was renamed.
    Renamed {
        /// Its path before.
        from: String,
        /// Its path behind it.
        to: String,
    },
}

impl Store {
    /// The changes of an experiment that can be undone or could be, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revisions(&self, experiment: &ExperimentKey) -> Result<Vec<Revision>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.uuid, r.number, r.kind, p.name, t.name, r.first_step, r.last_step, r.time_us, r.undone, r.purged,
                    (SELECT COALESCE(SUM(c.count), 0) FROM chunk c WHERE c.experiment_id = -r.id),
                    (SELECT COALESCE(SUM(length(c.data) + COALESCE(length(c.blocks), 0)), 0) FROM chunk c
                     WHERE c.experiment_id = -r.id)
             FROM revision r LEFT JOIN path p ON p.id = r.path_id LEFT JOIN path t ON t.id = r.to_path_id
             WHERE r.experiment_id = $1 ORDER BY r.number",
        )?;
        let mut rows = statement.query([experiment.id])?;
        let mut revisions = Vec::new();
        while let Some(row) = rows.next()? {
            revisions.push(revision_of(row)?);
        }
        Ok(revisions)
    }

    /// What the series is called now that a writer gave the number `series`; `None` when it is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn path_of_series(&self, writer: WriterId, series: u32) -> Result<Option<String>> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT p.name FROM writer w JOIN writer_series s ON s.writer_id = w.id JOIN path p ON p.id = s.path_id
                 WHERE w.uuid = $1 AND s.series = $2",
            )?
            .query_row((writer.as_bytes(), series), |row| row.get(0))
            .optional()?;
        Ok(found)
    }
}

fn revision_of(row: &Row<'_>) -> Result<Revision> {
    let text = |column| -> Result<String> {
        row.get::<_, Option<String>>(column)?
            .ok_or_else(|| Error::corrupt("a revision has no path; see neptune doctor"))
    };
    let step = |column, or| Ok::<f64, rusqlite::Error>(row.get::<_, Option<f64>>(column)?.unwrap_or(or));
    let (first, last) = (step(5, f64::NEG_INFINITY)?, step(6, f64::INFINITY)?);
    let change = match row.get::<_, Option<String>>(3)? {
        _ if row.get::<_, i64>(2)? == RENAMED => Change::Renamed { from: text(3)?, to: text(4)? },
        Some(path) => Change::PointsDeleted { path, first, last },
        None => Change::Rewound { to: first.next_down() },
    };
    Ok(Revision {
        id: RevisionId::from_bytes(row.get(0)?),
        number: row.get::<_, i64>(1)?.cast_unsigned(),
        change,
        time: Timestamp::from_micros(row.get(7)?),
        undone: row.get(8)?,
        purged: row.get(9)?,
        points: row.get::<_, i64>(10)?.cast_unsigned(),
        bytes: row.get::<_, i64>(11)?.cast_unsigned(),
    })
}
