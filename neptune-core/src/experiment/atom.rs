//! [`Atom`]: a variable of one value.

use std::sync::Arc;

use neptune_format::{AtomValue, PathError, VariablePath};

use super::{
    state::{ExperimentHandle, State},
    variables::Refusal,
};
use crate::error::Result;

/// A handle to a variable of one value: `assign` sets it, `read` reads it back.
#[derive(Debug, Clone)]
pub struct Atom {
    pub(super) state: Arc<State>,
    pub(super) path: std::result::Result<VariablePath, PathError>,
}

impl ExperimentHandle {
    /// A handle to the atom at `path`. Nothing is written or checked until it is used.
    pub fn atom(&self, path: &str) -> Atom {
        Atom { state: Arc::clone(&self.state), path: VariablePath::new(path) }
    }
}

impl Atom {
    /// As [`Atom::assign`], but tells what is wrong instead of counting it. For integrations, which know the place. What the
    /// journal cannot take is counted all the same, and no error.
    ///
    /// # Errors
    /// `Invalid` for a bad path, `TypeConflict` for a value of another type, `Immutable` for a parameter that has another
    /// value already.
    pub fn try_assign(&self, value: impl Into<AtomValue>) -> Result<()> {
        let path = self.path.as_ref().map_err(Clone::clone)?;
        match self.state.try_assign(path, value.into()) {
            Err(Refusal::NotKept { .. }) => Ok(()),
            assigned => Ok(assigned?),
        }
    }

    /// Sets the value. The first value fixes the type; a whole number may be assigned where floats are kept. A value of
    /// another type, and a bad path, is counted as lost.
    ///
    /// A `serde_json::Value` is kept as JSON through [`AtomValue::Json`].
    pub fn assign(&self, value: impl Into<AtomValue>) {
        match &self.path {
            Ok(path) => self.state.assign(path, value.into()),
            Err(error) => self.state.refuse_path(error),
        }
    }
}
