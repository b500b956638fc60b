//! Checkpoints of processes before this one, and the room of those that are not kept.

use std::sync::Arc;
#[cfg(feature = "embedded")]
use std::sync::{PoisonError, atomic::Ordering};

#[cfg(feature = "embedded")]
use neptune_format::AtomValue;
use neptune_format::{ObjectId, VariablePath};

use super::known::Known;
#[cfg(feature = "embedded")]
use super::{ARTIFACTS, BEST, Checkpoint, Checkpoints};
#[cfg(feature = "embedded")]
use crate::reclaim::Reclaimer;
use crate::{error::Result, experiment::state::State};

/// How long the store may take to know that an object is not needed any more.
#[cfg(feature = "embedded")]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

#[cfg(feature = "embedded")]
impl State {
    /// The versions that were complete before this process came, and the names of files of those that never were. Changes
    /// nothing: somebody else may be at it.
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
                    let version = step.parse().ok().and_then(|step| Checkpoint::from_document(&document, step));
                    if let Some(checkpoint) = version.filter(|checkpoint| checkpoint.step.to_string() == step) {
                        known.versions.insert(checkpoint.step, checkpoint);
                    }
                }
                _ => {}
            }
        }
        known.marked = known.marked.filter(|step| known.versions.contains_key(step));
        let files = format!("{ARTIFACTS}/{path}");
        for variable in store.variables(&key, &format!("{files}/"))? {
            // Deeper files may be of another family, whose name goes on there.
            let Some(rest) = within(&variable.path, &files) else { continue };
            if let Some((step, name)) = rest.split_once('/')
                && let Ok(step) = step.parse::<u64>()
                && !known.versions.contains_key(&step)
                && !name.contains('/')
            {
                known.orphans.entry(step).or_default().insert(name.to_owned());
            }
        }
        Ok(known)
    }

    /// Has objects removed that nothing needs any more: by a thread, because the store must know of that first.
    pub(in crate::experiment) fn reclaim(self: &Arc<Self>, objects: Vec<ObjectId>) {
        // Offline nobody can say what is needed. `neptune gc` can, once it is synced.
        if self.is_offline() {
            return;
        }
        let mut reclaimer = self.reclaimer.lock().unwrap_or_else(PoisonError::into_inner);
        if reclaimer.is_none() && !self.ended.load(Ordering::Acquire) {
            let state = Arc::downgrade(self);
            *reclaimer = Reclaimer::start(move |objects| {
                let Some(state) = state.upgrade() else { return };
                let done = state.flush(PATIENCE).and_then(|_| state.session.reclaim_some(objects));
                if let Err(error) = done {
                    let message = || format!("files that are not kept still take room, until `neptune gc`: {error}");
                    state.journal.losses().notice(message);
                }
            })
            .ok();
        }
        if let Some(reclaimer) = &*reclaimer {
            reclaimer.remove(objects);
        }
    }

    fn is_offline(&self) -> bool {
        self.session.mode() != crate::session::Mode::Embedded
    }
}

#[cfg(feature = "embedded")]
impl Checkpoints {
    /// Takes a version out that is about to lose files. The others stay.
    pub(in crate::experiment) fn dissolve(&self, step: u64) {
        let mut known = self.known();
        let version = known.versions.remove(&step);
        if known.unfinished.contains_key(&step) {
            known.waiting.insert(step);
        }
        if known.marked == Some(step) {
            known.marked = None;
        }
        self.delete(&self.version_path(step));
        let files = version.map(|version| version.files.into_keys()).into_iter().flatten();
        known.orphans.entry(step).or_default().extend(files);
        self.say_which(&known);
    }

    /// The files, among the artifacts, of versions that are not complete.
    pub(in crate::experiment) fn unfinished_files(&self) -> Vec<String> {
        let known = self.known();
        let files = known.unfinished.iter().flat_map(|(step, files)| files.keys().map(move |name| (*step, name)));
        let paths =
            files.map(
                |(step, name)| {
                    if known.replaces(step) { self.waiting_path(step, name) } else { self.file_path(step, name) }
                },
            );
        let names = paths.flatten().filter_map(|path| {
            let name = path.as_str().strip_prefix(ARTIFACTS)?.strip_prefix('/')?;
            Some(name.to_owned())
        });
        names.collect()
    }
}

#[cfg(not(feature = "embedded"))]
impl State {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the same shape as with a store")]
    pub(super) fn known_checkpoints(&self, _path: &VariablePath) -> Result<Known> {
        Ok(Known::default())
    }

    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    pub(in crate::experiment) fn reclaim(self: &Arc<Self>, _objects: Vec<ObjectId>) {}
}
