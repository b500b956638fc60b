//! What a training that resumes finds in its experiment.

use std::collections::BTreeMap;

use burn::train::metric::store::Split;
use neptune_core::{ErrorKind, ExperimentHandle, NamespaceEntry, Result};

use crate::{
    names::{self, Namespace},
    split_log::LAST_STEP,
};

/// The values of epochs, by epoch.
pub(crate) type ByEpoch = BTreeMap<usize, f64>;

/// What was logged of the epochs up to the checkpoint that a training resumes from.
#[derive(Debug)]
pub(crate) struct Resumed {
    train: BTreeMap<String, ByEpoch>,
    valid: BTreeMap<String, ByEpoch>,
}

impl Resumed {
    /// Waits until the store has what was logged before. Offline nothing is found.
    pub(crate) fn read(handle: &ExperimentHandle, namespace: &Namespace, epoch: usize) -> Result<Self> {
        let values = |split| epoch_values(handle, &namespace.path(&format!("{}/epoch", names::split(&split))), epoch);
        Ok(Self { train: values(Split::Train)?, valid: values(Split::Valid)? })
    }

    /// The values at `SPLIT/epoch/SEGMENT`.
    pub(crate) fn values(&self, split: &Split, segment: &str) -> Option<&ByEpoch> {
        match split {
            Split::Train => self.train.get(segment),
            Split::Valid => self.valid.get(segment),
            Split::Test(_) => None,
        }
    }

    /// For each epoch, the step of its last batch.
    pub(crate) fn last_steps(&self, split: &Split) -> BTreeMap<usize, u64> {
        let steps = self.values(split, LAST_STEP).into_iter().flatten();
        steps.map(|(&epoch, &step)| (epoch, whole(step))).collect()
    }
}

/// The values up to `last_epoch` of each series of numbers below `path`.
fn epoch_values(handle: &ExperimentHandle, path: &str, last_epoch: usize) -> Result<BTreeMap<String, ByEpoch>> {
    let entries = match handle.namespace_contents(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(error),
    };
    let mut values = BTreeMap::new();
    for (segment, entry) in entries {
        if let NamespaceEntry::Variable(_) = entry
            && let Ok(series) = handle.series::<f64>(&format!("{path}/{segment}"))
        {
            let points = series.all()?.into_iter().map(|point| (whole_usize(point.step), point.value));
            values.insert(segment, points.filter(|&(epoch, _)| epoch <= last_epoch).collect());
        }
    }
    Ok(values)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a whole number when it was logged")]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was an epoch when it was logged")]
fn whole_usize(step: f64) -> usize {
    step as usize
}
