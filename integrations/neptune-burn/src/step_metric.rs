//! [`StepMetric`]: brings what only metrics see, the learning rate and the progress of an epoch, to the metric logger.

use std::sync::Arc;

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    tensor::TensorReadError,
    train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry},
};

/// The name of the metric: how the logger knows its entries.
pub(crate) const NAME: &str = "Neptune step";

/// A text metric for any model that tells [`NeptuneMetricLogger`](crate::NeptuneMetricLogger) the learning rate and where
/// an epoch ends. burn gives these to metrics only.
///
/// [`Hooks::attach`](crate::Hooks::attach) registers it. Whoever uses the logger alone registers it for both splits, with
/// `.metric_train(StepMetric::new()).metric_valid(StepMetric::new())`. It reads no tensor. The logger keeps its entries from
/// burn's files; a terminal interface shows them as one more text.
#[derive(Debug, Clone)]
pub struct StepMetric {
    name: MetricName,
    shown: String,
}

/// What an entry of the metric says of the batch it came with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Batch {
    /// The number of the batch in its epoch, as burn counts: from 1, or in steps of the number of peers.
    pub(crate) iteration: usize,
    /// The base learning rate; there is none in validation.
    pub(crate) learning_rate: Option<f64>,
    pub(crate) items_processed: usize,
    pub(crate) items_total: usize,
}

impl Batch {
    /// How many batches an epoch has if all are like this one, which is its first.
    pub(crate) const fn batches_per_epoch(&self) -> u64 {
        if self.items_processed == 0 {
            return 0;
        }
        (self.iteration * self.items_total.div_ceil(self.items_processed)) as u64
    }

    fn serialized(&self) -> String {
        let rate = self.learning_rate.map(|rate| rate.to_string()).unwrap_or_default();
        format!("{};{rate};{};{}", self.iteration, self.items_processed, self.items_total)
    }

    /// `None` for the entry at the end of an epoch, which is of no batch.
    pub(crate) fn parse(serialized: &str) -> Option<Self> {
        let mut fields = serialized.split(';');
        Some(Self {
            iteration: fields.next()?.parse().ok()?,
            learning_rate: fields.next()?.parse().ok(),
            items_processed: fields.next()?.parse().ok()?,
            items_total: fields.next()?.parse().ok()?,
        })
    }
}

impl StepMetric {
    /// The metric; both splits may share it.
    pub fn new() -> Self {
        Self { name: Arc::new(NAME.to_owned()), shown: String::new() }
    }
}

impl Default for StepMetric {
    fn default() -> Self {
        Self::new()
    }
}

impl Metric for StepMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn update(&mut self, (): &(), metadata: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        let batch = Batch {
            iteration: metadata.iteration.unwrap_or(1),
            learning_rate: metadata.lr.as_ref().map(ModuleLearningRate::base),
            items_processed: metadata.progress.items_processed,
            items_total: metadata.progress.items_total,
        };
        self.shown = match batch.learning_rate {
            Some(rate) => format!("iteration {}, learning rate {rate:e}", batch.iteration),
            None => format!("iteration {}", batch.iteration),
        };
        Ok(SerializedEntry::new(self.shown.clone(), batch.serialized()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        // Empty: the end of an epoch. burn's own file logger skips empty entries.
        Ok(SerializedEntry::new(self.shown.clone(), String::new()))
    }

    fn clear(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_survives_its_text() {
        let batch = Batch { iteration: 3, learning_rate: Some(0.1 + 0.2), items_processed: 96, items_total: 1_438 };
        assert_eq!(Batch::parse(&batch.serialized()), Some(batch));
        let valid = Batch { learning_rate: None, ..batch };
        assert_eq!(Batch::parse(&valid.serialized()), Some(valid));
        assert_eq!(Batch::parse(""), None);
    }

    #[test]
    fn the_first_batch_tells_the_length_of_the_epoch() {
        let first = Batch { iteration: 1, learning_rate: None, items_processed: 32, items_total: 100 };
        assert_eq!(first.batches_per_epoch(), 4);
        assert_eq!(
            Batch { iteration: 2, items_processed: 64, ..first }.batches_per_epoch(),
            4,
            "two peers, two rounds"
        );
        assert_eq!(Batch { items_processed: 0, ..first }.batches_per_epoch(), 0);
    }
}
