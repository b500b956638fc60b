//! [`Bucket`]: a run of neighbouring points of a series of numbers in brief.
//!
//! The least and the greatest value in a bucket are values of points in it, with their steps; nothing is interpolated.

/// A run of neighbouring points in brief: enough to draw it as one column of pixels.
///
/// A line through the first, the least, the greatest and the last point of each column of pixels looks the same as a line
/// through all points (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", 2014).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Bucket {
    /// The step of the first point.
    pub first_step: f64,
    /// The step of the last point.
    pub last_step: f64,
    /// When the first point was logged, in microseconds since the epoch, UTC.
    pub first_time: i64,
    /// When the last point was logged, in microseconds since the epoch, UTC.
    pub last_time: i64,
    /// The value of the first point; it may be NaN or infinite.
    pub first: f64,
    /// The value of the last point; it may be NaN or infinite.
    pub last: f64,
    /// How many points there are; at least one.
    pub count: u64,
    /// How many of them are NaN or infinite. These are in `count`, `first` and `last` and in nothing else.
    pub nonfinite: u64,
    /// How many of these are positive infinity, and how many negative; the others are NaN. The brief of a sealed chunk does not
    /// tell them apart, and has 0.
    pub infinite: [u64; 2],
    /// The step and the value of the least point; `None` when no point is finite. Of equal ones, the first.
    pub minimum: Option<(f64, f64)>,
    /// The step and the value of the greatest point; `None` when no point is finite. Of equal ones, the first.
    pub maximum: Option<(f64, f64)>,
    /// The sum of the finite values.
    pub total: f64,
}

/// What a pass over values finds, by their places.
struct Extremes {
    nonfinite: usize,
    infinite: [u64; 2],
    minimum: Option<usize>,
    maximum: Option<usize>,
    total: f64,
}

impl Extremes {
    fn of(values: &[f64]) -> Self {
        let mut found = Self { nonfinite: 0, infinite: [0; 2], minimum: None, maximum: None, total: 0.0 };
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (at, &value) in values.iter().enumerate() {
            if !value.is_finite() {
                found.nonfinite += 1;
                found.infinite[0] += u64::from(value == f64::INFINITY);
                found.infinite[1] += u64::from(value == f64::NEG_INFINITY);
                continue;
            }
            found.total += value;
            if value < least {
                (least, found.minimum) = (value, Some(at));
            }
            if value > greatest {
                (greatest, found.maximum) = (value, Some(at));
            }
        }
        found
    }
}

impl Bucket {
    /// The mean of the finite values, or `None` when there are none.
    pub fn mean(&self) -> Option<f64> {
        let finite = self.count - self.nonfinite;
        (finite > 0).then(|| self.total / finite as f64)
    }

    /// The brief of points given in columns of one length, or `None` when there are none.
    pub(crate) fn of(steps: &[f64], times: &[i64], values: &[f64]) -> Option<Self> {
        let extremes = Extremes::of(values);
        let point = |at: Option<usize>| at.map(|at| (steps[at], values[at]));
        Some(Self {
            first_step: *steps.first()?,
            last_step: *steps.last()?,
            first_time: *times.first()?,
            last_time: *times.last()?,
            first: *values.first()?,
            last: *values.last()?,
            count: values.len() as u64,
            nonfinite: extremes.nonfinite as u64,
            infinite: extremes.infinite,
            minimum: point(extremes.minimum),
            maximum: point(extremes.maximum),
            total: extremes.total,
        })
    }

    /// Takes in the bucket that lies behind this one.
    pub(crate) fn append(&mut self, next: &Self) {
        self.last_step = next.last_step;
        self.last_time = next.last_time;
        self.last = next.last;
        self.count += next.count;
        self.nonfinite += next.nonfinite;
        self.infinite = [self.infinite[0] + next.infinite[0], self.infinite[1] + next.infinite[1]];
        self.minimum = either(self.minimum, next.minimum, |ours, theirs| theirs < ours);
        self.maximum = either(self.maximum, next.maximum, |ours, theirs| theirs > ours);
        self.total += next.total;
    }
}

fn either(ours: Option<(f64, f64)>, theirs: Option<(f64, f64)>, is_better: fn(f64, f64) -> bool) -> Option<(f64, f64)> {
    match (ours, theirs) {
        (Some(one), Some(other)) if is_better(one.1, other.1) => theirs,
        (None, _) => theirs,
        _ => ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_tells_where_its_extremes_are_and_leaves_out_what_is_not_finite() {
        let values = [f64::NAN, 3.0, -1.0, f64::INFINITY, 7.0, -1.0];
        let steps = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0];
        let times = [5, 6, 7, 8, 9, 10];
        let whole = Bucket::of(&steps, &times, &values).unwrap();
        assert_eq!((whole.count, whole.nonfinite, whole.infinite, whole.total), (6, 2, [1, 0], 8.0));
        assert_eq!((whole.minimum, whole.maximum), (Some((20.0, -1.0)), Some((40.0, 7.0))));
        assert_eq!((whole.first_time, whole.last_time, whole.last), (5, 10, -1.0));
        assert!(whole.first.is_nan());
        assert_eq!(whole.mean(), Some(2.0));
    }

    #[test]
    fn buckets_put_together_are_the_bucket_of_the_whole() {
        let values = [2.0, f64::NAN, 9.0, 1.0, 9.0, f64::NAN];
        let steps = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let times = [0, 1, 2, 3, 4, 5];
        for cut in 1..5 {
            let mut head = Bucket::of(&steps[..cut], &times[..cut], &values[..cut]).unwrap();
            head.append(&Bucket::of(&steps[cut..], &times[cut..], &values[cut..]).unwrap());
            let whole = Bucket::of(&steps, &times, &values).unwrap();
            // Debug, because a bucket whose last value is NaN is not equal to itself.
            assert_eq!(format!("{head:?}"), format!("{whole:?}"));
        }
    }

    #[test]
    fn without_a_finite_value_there_is_no_extreme_and_no_mean() {
        let bucket = Bucket::of(&[1.0], &[1], &[f64::NAN]).unwrap();
        assert_eq!((bucket.minimum, bucket.maximum, bucket.mean()), (None, None, None));
        assert_eq!(Bucket::of(&[], &[], &[]), None);
    }
}
