//! What a store remembers between transactions: the numbers of paths, which never change once committed, and what the series
//! numbers of a journal stand for, which changes only when a variable takes another path.
//!
//! Filled only from committed rows, or cleared when a transaction fails or another process renamed something.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use neptune_format::{ExperimentId, VariablePath, VariableType};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::Result;

/// What a series number of a journal stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Defined {
    /// The path, or `None` when the series was refused because its path has another type.
    pub(crate) path_id: Option<i64>,
    pub(crate) kind: VariableType,
}

#[derive(Debug, Default)]
pub(crate) struct Interned {
    paths: HashMap<VariablePath, i64, RandomState>,
    series: HashMap<(i64, u32), Defined, RandomState>,
    /// How often something of this experiment was renamed when the series were remembered.
    renamed: Option<(ExperimentId, i64)>,
}

impl Interned {
    /// Bounds the memory of a process that applies the journals of many writers.
    const MOST: usize = 200_000;

    pub(crate) fn forget(&mut self) {
        self.paths.clear();
        self.series.clear();
        self.renamed = None;
    }

    /// Forgets what the series stand for.
    pub(crate) fn forget_series(&mut self) {
        self.series.clear();
    }

    /// Sees to it that what is remembered of series is what the store has of the experiment now.
    pub(crate) fn keep_up(&mut self, connection: &Connection, experiment: ExperimentId) -> Result<()> {
        let renamed = connection
            .prepare_cached("SELECT renamed FROM experiment WHERE uuid = $1")?
            .query_row([experiment.as_bytes()], |row| row.get(0))
            .optional()?;
        let now = Some((experiment, renamed.unwrap_or(0)));
        if self.renamed != now {
            self.series.clear();
            self.renamed = now;
        }
        Ok(())
    }

    pub(crate) fn path(&mut self, connection: &Connection, path: &VariablePath) -> Result<i64> {
        if let Some(id) = self.paths.get(path) {
            return Ok(*id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM path WHERE name = $1")?
            .query_row([path.as_str()], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO path (name) VALUES ($1) RETURNING id")?
                .query_row([path.as_str()], |row| row.get(0))?,
        };
        if self.paths.len() >= Self::MOST {
            self.paths.clear();
        }
        self.paths.insert(path.clone(), id);
        Ok(id)
    }

    pub(crate) fn define(
        &mut self,
        connection: &Connection,
        writer_id: i64,
        series: u32,
        defined: Defined,
    ) -> Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO writer_series (writer_id, series, path_id, type) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (writer_id, series) DO UPDATE SET path_id = excluded.path_id, type = excluded.type",
            )?
            .execute((writer_id, series, defined.path_id, defined.kind.code()))?;
        if self.series.len() >= Self::MOST {
            self.series.clear();
        }
        self.series.insert((writer_id, series), defined);
        Ok(())
    }

    pub(crate) fn defined(&mut self, connection: &Connection, writer_id: i64, series: u32) -> Result<Option<Defined>> {
        if let Some(defined) = self.series.get(&(writer_id, series)) {
            return Ok(Some(*defined));
        }
        let found: Option<(Option<i64>, u8)> = connection
            .prepare_cached("SELECT path_id, type FROM writer_series WHERE writer_id = $1 AND series = $2")?
            .query_row((writer_id, series), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let defined = found.and_then(|(path_id, code)| Some(Defined { path_id, kind: VariableType::from_code(code)? }));
        if let Some(defined) = defined {
            self.series.insert((writer_id, series), defined);
        }
        Ok(defined)
    }
}
