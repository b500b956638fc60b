//! Deleting artifacts of an experiment.

#![cfg(feature = "embedded")]

use std::{collections::BTreeSet, sync::PoisonError, time::Duration};

use neptune_format::{AtomValue, LostReason, Record, VariablePath};
use neptune_store::read::VariableValue;

use super::{
    artifacts::ARTIFACTS,
    checkpoints::{Checkpoint, Checkpoints},
    state::ExperimentHandle,
};
use crate::{
    error::{Error, ErrorKind, Result},
    stored::Artifact,
};

/// How long the store may take to have the deletion.
const PATIENCE: Duration = Duration::from_secs(30);

impl ExperimentHandle {
    /// Deletes artifacts: each of `paths` is a file, or a folder with everything in it; `""` is all of them. Returns how many
    /// files there were.
    ///
    /// When this returns they are not in the experiment any more: what is logged from now on under these names, by any process,
    /// stays. Their room is given back by a thread, where nothing else needs the same content. Where the process dies meanwhile
    /// some of them may be left, each whole, and `neptune gc` gives the room of the others back.
    ///
    /// A version of a checkpoint that loses a file is no version any more, and its other files stay as artifacts; use
    /// [`Checkpoints::remove`](crate::Checkpoints::remove) for a whole one. Files of a version that this process is about to save are
    /// left alone. Another process that saves checkpoints does not hear of what is deleted here.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// experiment.log_artifact(&b"a"[..], Some("data/a.txt"))?;
    /// experiment.log_artifact(&b"b"[..], Some("report.html"))?;
    /// assert_eq!(experiment.delete_artifacts(["data", "report.html"])?, 2);
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `FileNotFound`, with the nearest paths, when nothing is at one of them: nothing is deleted then. `Unsupported` offline and in a
    /// forked process. `Unavailable` when it cannot be logged, `Deadline` when the store does not come to it: some may be deleted
    /// then.
    pub fn delete_artifacts<P: AsRef<str>>(&self, paths: impl IntoIterator<Item = P>) -> Result<u64> {
        if !self.state.journal.is_ours() {
            return Err(Error::new(ErrorKind::Unsupported, LostReason::Forked.explanation()));
        }
        let mut files = self.stored()?.artifacts_at(paths)?;
        let unfinished = self.unfinished_files();
        files.retain(|file| !unfinished.contains(&file.path));
        self.dissolve_versions(&files)?;
        for file in &files {
            let path = VariablePath::within(ARTIFACTS, &file.path)?;
            self.state.variables.delete(&path);
            self.state.journal.try_record(&Record::Delete { path: path.clone() }).map_err(|reason| {
                Error::new(ErrorKind::Unavailable, format!("{path} cannot be deleted: {}", reason.explanation()))
            })?;
            fail::fail_point!("artifact-deleted");
        }
        if !files.is_empty() {
            self.state.flush(PATIENCE)?;
            self.state.reclaim(files.iter().map(|file| file.digest).collect());
        }
        Ok(files.len() as u64)
    }

    /// Takes the versions of checkpoints out that are about to lose files.
    fn dissolve_versions(&self, files: &[Artifact]) -> Result<()> {
        let (store, key) = self.state.read()?;
        let mut versions = BTreeSet::new();
        for file in files {
            for (end, _) in file.path.match_indices('/') {
                let (Some(version), Some(name)) = (file.path.get(..end), file.path.get(end + 1..)) else { continue };
                if let Some((family, step)) = version.rsplit_once('/')
                    && let Ok(step) = step.parse::<u64>()
                    && !versions.contains(&(family, step))
                    && let Ok(variable) = store.variable(&key, version)
                    && let VariableValue::Atom(AtomValue::Json(document)) = variable.value
                    && Checkpoint::from_document(&document, step)
                        .is_some_and(|version| version.files.contains_key(name))
                {
                    versions.insert((family, step));
                }
            }
        }
        for (family, step) in versions {
            self.checkpoints(family)?.dissolve(step);
        }
        Ok(())
    }

    /// The files, among the artifacts, of versions that are being saved by this process.
    fn unfinished_files(&self) -> BTreeSet<String> {
        let families = self.state.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let families: Vec<_> = families.values().map(|family| Checkpoints::of(self, family)).collect();
        families.iter().flat_map(Checkpoints::unfinished_files).collect()
    }
}
