//! Steps: where on the x axis the batches of one split stand, over all epochs and all resumptions.
//!
//! Invariant: the batches of a split are numbered from 1, without gaps, in the order in which burn reports them; an epoch
//! that is trained again gets the steps that it had.

use std::collections::BTreeMap;

/// The steps of one split.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// For each epoch that is over, the step of its last batch; of this process and, when it resumed, of those before it.
    last: BTreeMap<usize, u64>,
    epoch: usize,
    /// The step of the last batch before `epoch`.
    before: u64,
    /// The batches of `epoch` so far.
    batches: u64,
}

impl Steps {
    /// Goes on behind the epochs whose last steps are `last`.
    pub(crate) fn resuming(last: BTreeMap<usize, u64>) -> Self {
        Self { last, ..Self::default() }
    }

    /// The step of the next batch, which is of `epoch`. `estimate` is asked how many batches an epoch has when one before
    /// this was not seen by anybody.
    pub(crate) fn next(&mut self, epoch: usize, estimate: impl FnOnce() -> u64) -> u64 {
        if epoch != self.epoch {
            self.end(self.epoch);
            self.epoch = epoch;
            self.batches = 0;
            let (seen, last) = self.last.range(..epoch).next_back().map_or((0, 0), |(&epoch, &last)| (epoch, last));
            let unseen = epoch.saturating_sub(seen + 1) as u64;
            self.before = if unseen == 0 { last } else { last.saturating_add(unseen.saturating_mul(estimate())) };
        }
        self.batches += 1;
        self.before.saturating_add(self.batches)
    }

    /// Notes that `epoch` is over and returns the step of its last batch; nothing when it had none.
    pub(crate) fn end(&mut self, epoch: usize) -> Option<u64> {
        if epoch != self.epoch || self.batches == 0 {
            return None;
        }
        let last = self.before.saturating_add(self.batches);
        self.last.insert(epoch, last);
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> u64 {
        panic!("nothing is to be estimated")
    }

    #[test]
    fn steps_go_on_over_epochs_of_any_length() {
        let mut steps = Steps::default();
        let seen: Vec<u64> = [1, 1, 1, 2, 3, 3].map(|epoch| steps.next(epoch, never)).into();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
        assert_eq!(steps.end(3), Some(6));
        assert_eq!(steps.end(4), None, "it has no batch");
    }

    #[test]
    fn a_resumed_training_goes_on_behind_its_checkpoint() {
        let mut steps = Steps::resuming(BTreeMap::from([(1, 10), (2, 19)]));
        assert_eq!(steps.next(3, never), 20);
        let mut again = Steps::resuming(BTreeMap::from([(1, 10), (2, 19)]));
        assert_eq!(again.next(2, never), 11, "the epoch that is trained again gets its steps again");
    }

    #[test]
    fn epochs_that_nobody_saw_are_estimated() {
        let mut steps = Steps::resuming(BTreeMap::from([(1, 7)]));
        assert_eq!(steps.next(4, || 10), 28);
        assert_eq!(Steps::default().next(3, || 10), 21);
    }
}
