//! [`Versions`]: the checkpoints of one training in its experiment, as they come and go.
//!
//! Invariant: a version exists once all three of its files are kept, and the latest version stays until there is a later
//! one, whatever burn deletes. What goes wrong here is said; burn never hears of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use burn::train::metric::store::Split;
use neptune_core::{Checkpoint, Checkpoints, ExperimentHandle, Goal};

/// The model, the optimizer and the scheduler of the learning rate.
const FILES: usize = 3;

/// The versions of a training. Called by three threads of burn's, and by the one that trains.
#[derive(Debug)]
pub(crate) struct Versions {
    handle: ExperimentHandle,
    pub(crate) checkpoints: Checkpoints,
    /// What the best version has: the least or the greatest metric.
    goal: Goal,
    /// How many of the best versions stay when burn deletes its files.
    keep_best: usize,
    /// Never held while files are written or removed: the thread that trains takes it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The versions whose files are coming.
    pending: BTreeMap<usize, Pending>,
    /// The versions that burn deleted and that are here still: they are coming, among the best, or the latest.
    deleted: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Pending {
    metric: Option<f64>,
    kept: usize,
    lost: usize,
}

impl Versions {
    pub(crate) fn new(handle: &ExperimentHandle, checkpoints: Checkpoints, goal: Goal, keep_best: usize) -> Self {
        let checkpoints = checkpoints.goal(goal);
        Self { handle: handle.clone(), checkpoints, goal, keep_best, state: Mutex::default() }
    }

    /// A version is about to be saved, and `metric` says how good it is.
    pub(crate) fn begin(&self, epoch: usize, metric: Option<f64>) {
        self.state().pending.entry(epoch).or_default().metric = metric;
    }

    /// burn saved a file of a version: keeps it, and the version when it is the last of its files.
    pub(crate) fn keep_file(&self, epoch: usize, name: &str, path: &Path) {
        let kept = self.checkpoints.add_file(epoch as u64, name, path);
        let is_kept = kept.is_ok();
        self.tell(epoch, kept);
        self.file_is_done(epoch, is_kept);
    }

    fn file_is_done(&self, epoch: usize, is_kept: bool) {
        let mut state = self.state();
        // Where no strategy of ours announced the version, its first file does.
        let pending = state.pending.entry(epoch).or_default();
        *(if is_kept { &mut pending.kept } else { &mut pending.lost }) += 1;
        if pending.kept + pending.lost < FILES {
            return;
        }
        let (metric, is_whole) = (pending.metric, pending.lost == 0);
        drop(state);
        // Of a version that is not whole the files are left alone: they are removed when the epoch is saved again and whole.
        if is_whole {
            self.tell(epoch, self.checkpoints.complete(epoch as u64, metric));
        }
        self.state().pending.remove(&epoch);
        self.follow_deletions();
    }

    /// burn deleted its files of a version.
    pub(crate) fn delete(&self, epoch: usize) {
        self.state().deleted.insert(epoch);
        self.follow_deletions();
    }

    /// Removes what burn deleted, but for what is coming, the best, and the latest: a strategy may delete the only version
    /// before it saves the next.
    fn follow_deletions(&self) {
        let mut state = self.state();
        if state.deleted.is_empty() {
            return;
        }
        let best = self.best();
        let latest = self.checkpoints.find("latest").ok().flatten().as_ref().map(epoch_of);
        let State { pending, deleted } = &mut *state;
        let (stays, goes): (BTreeSet<usize>, BTreeSet<usize>) = deleted
            .iter()
            .partition(|&epoch| best.contains(epoch) || pending.contains_key(epoch) || latest == Some(*epoch));
        *deleted = stays;
        drop(state);
        for epoch in goes {
            self.tell(epoch, self.checkpoints.remove(epoch as u64));
        }
    }

    /// The epochs that stay because they are the best; of equals, the earlier.
    fn best(&self) -> BTreeSet<usize> {
        let mut rated: Vec<(f64, usize)> =
            self.checkpoints.list().iter().filter_map(|version| Some((version.metric?, epoch_of(version)))).collect();
        rated.sort_by(|left, right| match self.goal {
            Goal::Maximize => right.0.total_cmp(&left.0),
            _ => left.0.total_cmp(&right.0),
        });
        rated.into_iter().take(self.keep_best).map(|(_, epoch)| epoch).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the metric by which the best is chosen does not exist.
    pub(crate) fn tell_missing(&self, metric: &str, split: &Split) {
        self.handle.notice(|| {
            format!(
                "no checkpoint becomes the best: there is no metric {metric:?} of the split {split}; choose one that the \
                 training has with Hooks::best"
            )
        });
    }

    /// Says what went wrong with a version.
    fn tell(&self, epoch: usize, result: neptune_core::Result<()>) {
        if let Err(error) = result {
            self.handle.notice(|| format!("the checkpoint of epoch {epoch} is not kept as burn has it: {error}"));
        }
    }
}

/// The epoch of a version.
pub(crate) fn epoch_of(version: &Checkpoint) -> usize {
    usize::try_from(version.step).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use neptune_core::Session;

    use super::*;

    #[test]
    fn the_only_version_stays_until_the_next_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::builder().folder(folder.path().join("neptune")).without_code().open().unwrap();
        let experiment = session.experiment().start().unwrap();
        let checkpoints = experiment.checkpoints("checkpoints").unwrap();
        let versions = Versions::new(&experiment, checkpoints.clone(), Goal::Minimize, 0);
        let epochs = || checkpoints.list().iter().map(epoch_of).collect::<Vec<_>>();
        let path = folder.path().join("file");
        fs::write(&path, "weights").unwrap();
        let save = |epoch| {
            for name in ["model", "optim", "scheduler"] {
                versions.keep_file(epoch, name, &path);
            }
        };
        versions.begin(1, None);
        save(1);
        // A strategy that answers [Delete(1), Save] in epoch 2.
        versions.begin(2, None);
        versions.delete(1);
        assert_eq!(epochs(), [1]);
        versions.keep_file(2, "model", &path);
        versions.keep_file(2, "optim", &path);
        assert_eq!(epochs(), [1]);
        versions.keep_file(2, "scheduler", &path);
        assert_eq!(epochs(), [2]);
        experiment.stop().unwrap();
    }
}
