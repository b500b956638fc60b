//! [`NeptuneCheckpointingStrategy`]: gives each checkpoint the metric by which it is judged.
//!
//! Invariant: the strategy within is asked as it would be without neptune, and what it answers is done.

use std::{fmt, mem, sync::Arc};

use burn::train::{
    checkpoint::{CheckpointingAction, CheckpointingStrategy},
    metric::{
        MetricName,
        store::{Aggregate, EventStoreClient, Split},
    },
};

use super::versions::Versions;

/// Asks a strategy of burn's what to do, and notes the metric of each checkpoint that is saved, so that the alias `best`
/// points to the best of them.
pub struct NeptuneCheckpointingStrategy<S> {
    pub(super) inner: S,
    pub(super) metric: MetricName,
    pub(super) split: Split,
    pub(super) versions: Arc<Versions>,
    /// Whether it was said that there is no such metric.
    pub(super) is_missing_said: bool,
    /// Called with each epoch, by the thread that trains, once everything that was logged in it is in the journal.
    pub(super) at_epoch: Option<Box<dyn Fn(usize) + Send>>,
}

impl<S: CheckpointingStrategy> CheckpointingStrategy for NeptuneCheckpointingStrategy<S> {
    fn checkpointing(&mut self, epoch: usize, store: &EventStoreClient) -> Vec<CheckpointingAction> {
        let actions = self.inner.checkpointing(epoch, store);
        if actions.contains(&CheckpointingAction::Save) {
            // The store answers behind everything that it was told before.
            let metric = store.find_metric(&self.metric, epoch, Aggregate::Mean, &self.split);
            if metric.is_none() && !mem::replace(&mut self.is_missing_said, true) {
                self.versions.tell_missing(&self.metric, &self.split);
            }
            if let Some(at_epoch) = &self.at_epoch {
                at_epoch(epoch);
            }
            self.versions.begin(epoch, metric);
        }
        actions
    }
}

impl<S> fmt::Debug for NeptuneCheckpointingStrategy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeptuneCheckpointingStrategy")
            .field("metric", &self.metric)
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}
