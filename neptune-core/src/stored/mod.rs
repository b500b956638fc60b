//! [`StoredExperiment`]: an experiment as the store has it, to read, whether it runs or ended long ago.

mod archive;
mod difference;
mod files;
mod reader;
mod reading;
mod revisions;
mod system;

use std::fmt;

use neptune_format::{ExperimentId, ProjectName};
use neptune_store::read::ExperimentKey;

pub use self::files::Artifact;
pub use system::{ExperimentState, SystemProperties};

use crate::{error::Result, experiment::ExperimentHandle, session::Session};

pub(crate) use reader::{IdleReader, Reader};

/// An experiment as the store has it, to read. Found by [`Session::get`](crate::Session::get), or for the experiment that this
/// process logs to by [`ExperimentHandle::stored`].
///
/// Each call reads the store as it is then. What other processes logged is found up to a fraction of a second ago.
#[derive(Clone)]
pub struct StoredExperiment {
    session: Session,
    key: ExperimentKey,
}

impl StoredExperiment {
    pub(crate) const fn new(session: Session, key: ExperimentKey) -> Self {
        Self { session, key }
    }

    pub(crate) fn find(session: Session, id: &str) -> Result<Self> {
        let key = session.reader()?.find(id)?;
        Ok(Self { session, key })
    }

    /// The identity of the experiment; the same wherever it is sent.
    pub const fn id(&self) -> ExperimentId {
        self.key.uuid
    }

    /// The short id that people use, such as `MNI-12`.
    pub fn short_id(&self) -> &str {
        &self.key.short_id
    }

    /// The project of the experiment.
    pub const fn project(&self) -> &ProjectName {
        &self.key.project
    }

    /// The session it was found in.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The store, open for one read or a few, and what the experiment is called in it.
    pub(crate) fn open(&self) -> Result<(Reader, &ExperimentKey)> {
        Ok((self.session.reader()?, &self.key))
    }
}

impl ExperimentHandle {
    /// This experiment as the store has it, once that has what this process logged until now.
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn stored(&self) -> Result<StoredExperiment> {
        let (session, key) = self.session_and_key()?;
        Ok(StoredExperiment { session, key })
    }
}

impl fmt::Debug for StoredExperiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredExperiment")
            .field("id", &self.key.uuid)
            .field("short_id", &self.key.short_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for StoredExperiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Experiment({})", self.key.short_id)
    }
}

impl PartialEq for StoredExperiment {
    /// The same experiment, wherever it is kept.
    fn eq(&self, other: &Self) -> bool {
        self.key.uuid == other.key.uuid
    }
}

impl Eq for StoredExperiment {}
