//! What is known of the versions of a family, and which of them are to be kept.

use std::collections::{BTreeMap, BTreeSet};

use neptune_format::File;

use super::{Checkpoint, Goal};

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) versions: BTreeMap<u64, Checkpoint>,
    /// Files of versions that are not complete.
    pub(super) unfinished: BTreeMap<u64, BTreeMap<String, File>>,
    /// Steps with unfinished files that wait to replace those of a version that was taken out meanwhile.
    pub(super) waiting: BTreeSet<u64>,
    /// The version that was said to be the best, by this process or, without a goal, by one before it.
    pub(super) marked: Option<u64>,
    /// Files of steps that are no version, left by a process that died: removed when the step becomes one.
    pub(super) orphans: BTreeMap<u64, BTreeSet<String>>,
    pub(super) keep_last: Option<usize>,
    pub(super) keep_best: Option<usize>,
    pub(super) goal: Option<Goal>,
}

impl Known {
    pub(super) fn latest(&self) -> Option<&Checkpoint> {
        self.versions.values().max_by_key(|version| version.completed)
    }

    /// Whether unfinished files of `step` wait beside those of a version, instead of in their place.
    pub(super) fn replaces(&self, step: u64) -> bool {
        self.versions.contains_key(&step) || self.waiting.contains(&step)
    }

    /// From now on the metric decides which version is the best.
    pub(super) fn decide_by(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.marked = None;
    }

    /// The best version: the one that was said to be it, or the one with the best metric.
    pub(super) fn best(&self) -> Option<u64> {
        self.marked.or_else(|| self.by_metric().first().copied())
    }

    /// The versions with a metric, best first; of equal ones the earlier first.
    fn by_metric(&self) -> Vec<u64> {
        let Some(goal) = self.goal else { return Vec::new() };
        let mut rated: Vec<_> =
            self.versions.values().filter_map(|version| Some((version.metric?, version.step))).collect();
        rated.sort_by(|(left, _), (right, _)| match goal {
            Goal::Minimize => left.total_cmp(right),
            Goal::Maximize => right.total_cmp(left),
        });
        rated.into_iter().map(|(_, step)| step).collect()
    }

    /// The versions that are not to be kept.
    pub(super) fn dropped(&self) -> Vec<u64> {
        if self.keep_last.is_none() && self.keep_best.is_none() {
            return Vec::new();
        }
        let mut newest: Vec<_> = self.versions.values().map(|version| (version.completed, version.step)).collect();
        newest.sort_unstable_by(|left, right| right.cmp(left));
        let last = newest.into_iter().take(self.keep_last.unwrap_or(1)).map(|(_, step)| step);
        let best = self.by_metric().into_iter().take(self.keep_best.unwrap_or(1));
        let kept: BTreeSet<u64> = last.chain(best).chain(self.marked).collect();
        self.versions.keys().copied().filter(|step| !kept.contains(step)).collect()
    }
}
