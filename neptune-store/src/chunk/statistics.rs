//! [`Statistics`]: what a table shows of a series beside its last point.
//!
//! NaN and infinities are counted and left out of everything else.

use super::{blocks::BLOCK, bucket::Bucket, points::Values};

/// The count of some points, and the least, the greatest and the sum of those of their values that are finite.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    /// How many points there are.
    pub count: u64,
    /// How many of them are NaN or infinite.
    pub nonfinite: u64,
    /// The least finite value; `None` when there is none, and for text.
    pub minimum: Option<f64>,
    /// The greatest finite value; `None` when there is none, and for text.
    pub maximum: Option<f64>,
    /// The sum of the finite values; zero for text. Its last digits depend on how the points came to lie in chunks.
    pub total: f64,
}

impl Statistics {
    /// Those of `values`.
    pub fn of(values: &Values) -> Self {
        match values {
            Values::Text(values) => Self { count: values.len() as u64, ..Self::default() },
            Values::Float(values) => {
                let mut statistics = Self::default();
                // Block by block, as a sealed chunk does it, so that sealing does not change the last digit of a sum.
                for block in values.chunks(BLOCK) {
                    let bucket = Bucket::of(&[0.0; BLOCK][..block.len()], &[0; BLOCK][..block.len()], block);
                    statistics.add(&bucket.as_ref().map(Self::from).unwrap_or_default());
                }
                statistics
            }
        }
    }

    /// Takes in those of other points.
    pub fn add(&mut self, other: &Self) {
        let pick = |ours: Option<f64>, theirs: Option<f64>, better: fn(f64, f64) -> f64| match (ours, theirs) {
            (Some(one), Some(another)) => Some(better(one, another)),
            (one, another) => one.or(another),
        };
        self.count += other.count;
        self.nonfinite += other.nonfinite;
        self.minimum = pick(self.minimum, other.minimum, f64::min);
        self.maximum = pick(self.maximum, other.maximum, f64::max);
        self.total += other.total;
    }
}

impl From<&Bucket> for Statistics {
    fn from(bucket: &Bucket) -> Self {
        Self {
            count: bucket.count,
            nonfinite: bucket.nonfinite,
            minimum: bucket.minimum.map(|(_, value)| value),
            maximum: bucket.maximum.map(|(_, value)| value),
            total: bucket.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_counted_and_left_out() {
        let statistics = Statistics::of(&Values::Float(vec![1.0, f64::NAN, -2.0, f64::NEG_INFINITY, 4.0]));
        let wanted = Statistics { count: 5, nonfinite: 2, minimum: Some(-2.0), maximum: Some(4.0), total: 3.0 };
        assert_eq!(statistics, wanted);
        let nothing = Statistics::of(&Values::Float(vec![f64::NAN]));
        assert_eq!((nothing.count, nothing.minimum, nothing.total), (1, None, 0.0));
    }

    #[test]
    fn text_is_only_counted() {
        let statistics = Statistics::of(&Values::Text(vec!["a".into(), "b".into()]));
        assert_eq!(statistics, Statistics { count: 2, ..Statistics::default() });
    }

    #[test]
    fn parts_add_up() {
        let mut sum = Statistics::default();
        for part in [vec![1.0, 5.0], vec![f64::NAN], vec![], vec![-1.0]] {
            sum.add(&Statistics::of(&Values::Float(part)));
        }
        let wanted = Statistics { count: 4, nonfinite: 1, minimum: Some(-1.0), maximum: Some(5.0), total: 5.0 };
        assert_eq!(sum, wanted);
    }
}
