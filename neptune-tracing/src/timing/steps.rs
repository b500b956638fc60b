//! [`Steps`]: the steps that a thread has done and that may be kept, with what it did in them.
//!
//! A step is looked at when it is done, because a fast loop does thousands before anybody collects them. Only those are copied
//! that are to be kept, and the slowest so far.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use super::ring::Sample;

/// Steps that a thread keeps at most until they are collected, beside the slowest.
const MOST: usize = 16;

/// Which steps are drawn.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// Steps were said.
    is_on: AtomicBool,
    /// Every step whose number this divides is kept; 0 for no steps at all.
    keep_every: u64,
}

impl Drawing {
    pub(crate) const fn of_every(keep_every: u64) -> Self {
        Self { is_on: AtomicBool::new(false), keep_every }
    }

    /// Has threads keep samples from now on.
    #[inline]
    pub(crate) fn begin(&self) {
        if self.keep_every > 0 && !self.is_on() {
            self.is_on.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    fn keeps(&self, step: f64) -> bool {
        self.keep_every > 0 && step % self.keep_every as f64 == 0.0
    }
}

/// A step that may be kept.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) step: Sample,
    /// What the thread did in it.
    pub(crate) spans: Vec<Sample>,
    /// None of that was forgotten.
    pub(crate) is_whole: bool,
    /// It is to be kept however long it took.
    pub(crate) is_kept: bool,
}

/// The steps of a thread since they were collected.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Done>);

impl Steps {
    /// Looks at a step that was done just now. `recent` are the last samples, in the order in which they ended, and
    /// `forgotten` is when the last one ended that is not among them.
    pub(crate) fn done(&mut self, step: &Sample, recent: &VecDeque<Sample>, forgotten: u64, drawing: &Drawing) {
        if !drawing.is_on() {
            return;
        }
        let is_kept =
            drawing.keeps(f64::from_bits(step.extra)) && self.0.iter().filter(|done| done.is_kept).count() < MOST;
        let is_rival = |done: &Done| !done.is_kept && done.step.position == step.position;
        let slower = self.0.iter().filter(|done| done.step.position == step.position).map(|done| done.step.ticks).max();
        let is_slowest = slower.is_none_or(|slower| step.ticks > slower);
        if !is_kept && !is_slowest {
            return;
        }
        if is_slowest {
            self.0.retain(|done| !is_rival(done));
        }
        let end = step.began.saturating_add(step.ticks);
        let ended_in_it =
            recent.iter().rev().take_while(|sample| sample.began.saturating_add(sample.ticks) > step.began);
        let mut spans: Vec<_> = ended_in_it.filter(|sample| sample.began < end).copied().collect();
        spans.reverse();
        self.0.push(Done { step: *step, spans, is_whole: forgotten <= step.began, is_kept });
    }

    pub(crate) fn take(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ring::Kind, *};

    #[test]
    fn of_thousands_of_steps_those_are_kept_that_are_to_be_and_the_slowest_with_their_spans() {
        let drawing = Drawing::of_every(1_000);
        let mut steps = Steps::default();
        let mut recent = VecDeque::new();
        let sample = |kind, began, ticks, extra| Sample { kind, position: 1, began, ticks, extra };
        for turn in 0..2 {
            for number in 0..5_000_u64 {
                let (began, ticks) = (number * 100 + 1, if number == 2_345 { 90 } else { 50 });
                recent.push_back(sample(Kind::Stretch, began + 10, 20, 0));
                recent.push_back(sample(Kind::Stretch, began, ticks, 0));
                while recent.len() > 10 {
                    recent.pop_front();
                }
                let step = sample(Kind::Step, began, ticks, (number as f64).to_bits());
                steps.done(&step, &recent, began - 1, &drawing);
            }
            let taken: Vec<_> =
                steps.take().iter().map(|done| (f64::from_bits(done.step.extra), done.spans.len())).collect();
            let expected: &[(f64, usize)] =
                &[(0.0, 2), (1_000.0, 2), (2_000.0, 2), (2_345.0, 2), (3_000.0, 2), (4_000.0, 2)];
            // At first nobody had said a step.
            assert_eq!(taken, if turn == 0 { &[] } else { expected });
            drawing.begin();
            recent.clear();
        }
    }
}
