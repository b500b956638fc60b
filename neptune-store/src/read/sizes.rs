//! [`Sizes`]: the room that an experiment takes.

use neptune_format::ObjectId;

use super::ExperimentKey;
use crate::{
    error::Result,
    objects::{self, PIXELS},
    store::Store,
};

/// The room that an experiment takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Of the files and images that it needs, each content once, whether others need it too or not.
    pub objects: u64,
    /// Of the points of its series, as they are kept.
    pub series: u64,
}

impl Store {
    /// The room that an experiment takes.
    ///
    /// # Errors
    /// When the store cannot be read. A file that is missing counts as empty.
    pub fn sizes(&self, experiment: &ExperimentKey) -> Result<Sizes> {
        let series: i64 = self
            .connection
            .prepare_cached(
                "SELECT COALESCE(SUM(LENGTH(data) + COALESCE(LENGTH(blocks), 0)), 0) FROM chunk WHERE experiment_id = $1",
            )?
            .query_row([experiment.id], |row| row.get(0))?;
        let mut statement =
            self.connection.prepare_cached("SELECT DISTINCT object FROM object_use WHERE experiment_id = $1")?;
        let mut rows = statement.query([experiment.id])?;
        let mut objects = 0_u64;
        while let Some(row) = rows.next()? {
            objects = objects.saturating_add(self.size_of_object(ObjectId::from_bytes(row.get(0)?)));
        }
        Ok(Sizes { objects, series: series.cast_unsigned() })
    }

    fn size_of_object(&self, object: ObjectId) -> u64 {
        let file = objects::file_of(self.folder(), object);
        let with = |ending: &str| {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            name.into()
        };
        let files = std::iter::once(file.clone()).chain(PIXELS.map(with));
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).next().unwrap_or(0)
    }
}
