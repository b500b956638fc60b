//! Where something stands that is logged: its step, epoch and split, as given by an event or by the spans around it.

use neptune_core::Step;

/// What is known of the place of a point. What is not known is NaN, or [`Context::NO_SPLIT`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) step: f64,
    pub(crate) epoch: f64,
    /// The number of the split, as [`crate::splits::Splits`] gives it.
    pub(crate) split: u32,
}

impl Context {
    pub(crate) const NO_SPLIT: u32 = 0;

    pub(crate) const NONE: Self = Self { step: f64::NAN, epoch: f64::NAN, split: Self::NO_SPLIT };

    /// This, and what `outer` knows besides.
    #[inline]
    pub(crate) const fn or(self, outer: Self) -> Self {
        Self {
            step: if self.step.is_nan() { outer.step } else { self.step },
            epoch: if self.epoch.is_nan() { outer.epoch } else { self.epoch },
            split: if self.split == Self::NO_SPLIT { outer.split } else { self.split },
        }
    }

    /// The step, where it is known.
    #[inline]
    pub(crate) fn step(self) -> Option<Step> {
        Step::new(self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearer_wins_and_the_rest_is_inherited() {
        let outer = Context { step: 1.0, epoch: 2.0, split: 3 };
        let inner = Context { step: 7.0, ..Context::NONE };
        let both = inner.or(outer);
        assert_eq!((both.step, both.epoch, both.split), (7.0, 2.0, 3));
        assert_eq!(both.step(), Step::new(7.0));
        assert_eq!(Context { epoch: 4.0, ..Context::NONE }.step(), None);
    }
}
