//! Checkpoints of processes before this one, and the room of those that are not kept.

use neptune_format::{AtomValue, VariablePath};

use super::{ARTIFACTS, BEST, Checkpoint, known::Known};
use crate::{error::Result, experiment::state::State};

#[cfg(feature = "embedded")]
impl State {
    /// The versions that were complete before this process came, and the files of those that never were.
    pub(super) fn known_checkpoints(&self, path: &VariablePath) -> Result<Known> {
        let mut known = Known::default();
        if self.is_offline() {
            return Ok(known);
        }
        let (store, key) = self.read()?;
        let within = |name: &str, prefix: &str| {
            name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned)
        };
        for variable in store.variables(&key, &format!("{path}/"))? {
            let neptune_store::read::VariableValue::Atom(value) = variable.value else { continue };
            match (within(&variable.path, path.as_str()).as_deref(), value) {
                (Some(BEST), AtomValue::Int(step)) => known.marked = u64::try_from(step).ok(),
                (Some(step), AtomValue::Json(document)) => {
                    let checkpoint = serde_json::from_str::<Checkpoint>(&document).ok();
                    if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.step.to_string() == step) {
                        known.versions.insert(checkpoint.step, checkpoint);
                    }
                }
                _ => {}
            }
        }
        known.marked = known.marked.filter(|step| known.versions.contains_key(step));
        let files = format!("{ARTIFACTS}/{path}");
        for variable in store.variables(&key, &format!("{files}/"))? {
            let is_of_a_version = within(&variable.path, &files).is_some_and(|rest| {
                let step = rest.split_once('/').and_then(|(step, _)| step.parse::<u64>().ok());
                step.is_none_or(|step| known.versions.contains_key(&step))
            });
            if !is_of_a_version && let Ok(path) = VariablePath::new(&variable.path) {
                self.delete(&path);
            }
        }
        Ok(known)
    }

    /// Removes objects that nothing needs any more, once the store knows of that.
    pub(super) fn reclaim(&self, objects: &[neptune_format::ObjectId]) -> Result<()> {
        // Offline nobody can say what is needed. `neptune gc` can, once it is synced.
        if self.is_offline() {
            return Ok(());
        }
        self.flush(std::time::Duration::from_secs(10))?;
        self.session.reclaim_some(objects)
    }

    fn is_offline(&self) -> bool {
        self.session.mode() == crate::session::Mode::Offline
    }
}

#[cfg(not(feature = "embedded"))]
impl State {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the same shape as with a store")]
    pub(super) fn known_checkpoints(&self, _path: &VariablePath) -> Result<Known> {
        Ok(Known::default())
    }

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the same shape as with a store")]
    pub(super) fn reclaim(&self, _objects: &[neptune_format::ObjectId]) -> Result<()> {
        Ok(())
    }
}
