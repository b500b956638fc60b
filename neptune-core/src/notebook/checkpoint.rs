//! [`NotebookCheckpoint`]: a notebook as it was once.
//!
//! Each is a folder of atoms, named by an id that is ordered by time, so two that upload at once do not meet. `time` is written
//! last: what has none is not whole, and is none.

use std::collections::BTreeMap;

use neptune_format::{AtomValue, File, Timestamp};
use neptune_store::read::VariableValue;

use super::{CHECKPOINTS, KIND, cells::Cells};
use crate::{
    StoredExperiment, download,
    error::{Error, ErrorKind, Result},
};

/// A notebook as it was once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotebookCheckpoint {
    /// From 1, in the order of time.
    pub number: u64,
    /// The notebook.
    pub file: File,
    /// What somebody called this state of it.
    pub name: Option<String>,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Where the file was.
    pub path: String,
    /// When it was uploaded.
    pub time: Timestamp,
}

#[derive(Default)]
struct Parts {
    file: Option<File>,
    name: Option<String>,
    description: Option<String>,
    path: Option<String>,
    time: Option<Timestamp>,
}

impl StoredExperiment {
    /// Whether it is a notebook.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_notebook(&self) -> Result<bool> {
        let (store, key) = self.open()?;
        match store.variable(key, "sys/kind") {
            Ok(variable) => Ok(matches!(variable.value, VariableValue::Atom(AtomValue::String(kind)) if kind == KIND)),
            Err(error) if error.kind() == neptune_store::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The checkpoints of a notebook, in the order of time.
    ///
    /// # Errors
    /// `Invalid` when it is no notebook.
    pub fn notebook_checkpoints(&self) -> Result<Vec<NotebookCheckpoint>> {
        if !self.is_notebook()? {
            let message = format!("{} is no notebook but an experiment", self.short_id());
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let (store, key) = self.open()?;
        let mut all: BTreeMap<String, Parts> = BTreeMap::new();
        for variable in store.variables(key, "checkpoints/")? {
            let within = variable.path.strip_prefix(CHECKPOINTS).and_then(|path| path.strip_prefix('/'));
            let Some((id, part)) = within.and_then(|path| path.split_once('/')) else { continue };
            let VariableValue::Atom(value) = variable.value else { continue };
            let parts = all.entry(id.to_owned()).or_default();
            match (part, value) {
                ("file", AtomValue::File(file)) => parts.file = Some(file),
                ("name", AtomValue::String(name)) => parts.name = Some(name),
                ("description", AtomValue::String(description)) => parts.description = Some(description),
                ("path", AtomValue::String(path)) => parts.path = Some(path),
                ("time", AtomValue::Datetime(time)) => parts.time = Some(time),
                _ => {}
            }
        }
        let whole = all.into_values().filter_map(|parts| {
            Some((parts.file?, parts.time?, parts.name, parts.description, parts.path.unwrap_or_default()))
        });
        let numbered = (1..).zip(whole).map(|(number, (file, time, name, description, path))| NotebookCheckpoint {
            number,
            file,
            name,
            description,
            path,
            time,
        });
        Ok(numbered.collect())
    }

    /// A checkpoint of a notebook by its number; the last without one.
    ///
    /// # Errors
    /// `NotFound` when there is none of this number; as [`notebook_checkpoints`](Self::notebook_checkpoints).
    pub fn notebook_checkpoint(&self, number: Option<u64>) -> Result<NotebookCheckpoint> {
        let mut all = self.notebook_checkpoints()?;
        let last = all.len();
        let found = match number {
            None => all.pop(),
            Some(number) => all.into_iter().find(|checkpoint| checkpoint.number == number),
        };
        found.ok_or_else(|| {
            let which = number.map_or_else(String::new, |number| format!(" {number}"));
            let message = format!("{} has no checkpoint{which}; the last is {last}", self.short_id());
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// The bytes of a checkpoint: an `.ipynb` file, checked against what was uploaded.
    ///
    /// # Errors
    /// `FileNotFound` when the content is missing, `Corrupt` when it is damaged, `Unavailable` when it cannot be read.
    pub fn notebook_bytes(&self, checkpoint: &NotebookCheckpoint) -> Result<Vec<u8>> {
        let NotebookCheckpoint { number, file, .. } = checkpoint;
        let source = neptune_store::objects::file_of(self.session().folder(), file.object);
        download::read_whole(&format!("checkpoint {number} of {}", self.short_id()), &source, file.object)
    }

    /// The cells of a checkpoint.
    ///
    /// # Errors
    /// As [`notebook_bytes`](Self::notebook_bytes) and [`Cells::of`].
    pub fn notebook_cells(&self, checkpoint: &NotebookCheckpoint) -> Result<Cells> {
        Cells::of(&self.notebook_bytes(checkpoint)?)
    }
}
