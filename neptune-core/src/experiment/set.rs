//! [`Set`]: a variable that is a set of strings.

use std::sync::Arc;

use neptune_format::{PathError, Record, VariablePath};

use super::state::{ExperimentHandle, State};

/// A handle to a set of strings. Members may be added and removed by several processes at once.
#[derive(Debug, Clone)]
pub struct Set {
    pub(super) state: Arc<State>,
    pub(super) path: Result<VariablePath, PathError>,
}

impl ExperimentHandle {
    /// A handle to the set at `path`. Nothing is written or checked until it is used.
    pub fn set(&self, path: &str) -> Set {
        Set { state: Arc::clone(&self.state), path: VariablePath::new(path) }
    }
}

impl Set {
    /// Adds members.
    pub fn add<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.change(members, |path, members| Record::AddMembers { path, members });
    }

    /// Removes members; those that are not in the set are ignored.
    pub fn remove<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.change(members, |path, members| Record::RemoveMembers { path, members });
    }

    /// Replaces the members.
    pub fn reset<S: Into<String>>(&self, members: impl IntoIterator<Item = S>) {
        self.change(members, |path, members| Record::ResetMembers { path, members });
    }

    fn change<S: Into<String>>(
        &self,
        members: impl IntoIterator<Item = S>,
        record: impl FnOnce(VariablePath, Vec<String>) -> Record,
    ) {
        let path = match &self.path {
            Ok(path) => path,
            Err(error) => {
                self.state.refuse_path(error);
                return;
            }
        };
        match self.state.variables.set(path) {
            Ok(()) => {
                let members = members.into_iter().map(Into::into).collect();
                self.state.journal.record(&record(path.clone(), members));
            }
            Err(refusal) => self.state.refuse(&refusal, 1),
        }
    }
}
