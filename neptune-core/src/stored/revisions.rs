//! The changes of an experiment that can be undone.

use neptune_store::read::Revision;

use super::StoredExperiment;
use crate::{error::Result, experiment::ExperimentHandle};

impl StoredExperiment {
    /// The changes of the experiment, the oldest first: points that were deleted, variables that were renamed, whether that
    /// was undone, and whether it can be.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revisions(&self) -> Result<Vec<Revision>> {
        let (store, key) = self.open()?;
        Ok(store.revisions(key)?)
    }
}

impl ExperimentHandle {
    /// The changes of this experiment, the oldest first; see [`StoredExperiment::revisions`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn revisions(&self) -> Result<Vec<Revision>> {
        self.stored()?.revisions()
    }
}
