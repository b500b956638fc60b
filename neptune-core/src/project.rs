//! [`Project`]: the experiments that belong together.

use neptune_format::ProjectName;

use crate::{experiment::ExperimentBuilder, session::Session};

/// A project of a session.
#[derive(Debug, Clone)]
pub struct Project {
    session: Session,
    name: ProjectName,
}

impl Project {
    pub(crate) const fn new(session: Session, name: ProjectName) -> Self {
        Self { session, name }
    }

    /// The name, `workspace/name`.
    pub const fn name(&self) -> &ProjectName {
        &self.name
    }

    /// A new experiment of this project, to be described and started.
    pub fn experiment(&self) -> ExperimentBuilder {
        self.session.experiment().in_project(self.name.clone())
    }
}

#[cfg(feature = "embedded")]
impl Project {
    /// The experiments of this project that `query` describes, as a table.
    ///
    /// What other threads and processes logged is found up to a fraction of a second ago.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn experiments(
        &self,
        mut query: neptune_store::ExperimentQuery,
    ) -> crate::Result<neptune_store::ExperimentTable> {
        query.project = Some(self.name.clone());
        query.now = crate::clock::now();
        Ok(self.session.reader()?.experiments(&query)?)
    }
}
