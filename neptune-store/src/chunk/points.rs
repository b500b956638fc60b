//! [`Points`]: points of a series in columns.
//!
//! The columns are of one length. Whatever comes out of a chunk or a merge is in the order of its steps, each step once.

use std::mem;

use neptune_format::Content;

/// Points of a series in columns of one length, in the order of their steps, each step once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// The steps; finite.
    pub steps: Vec<f64>,
    /// When each point was logged, in microseconds since the epoch, UTC.
    pub times: Vec<i64>,
    /// What was logged.
    pub values: Values,
}

/// Which of two points at one step stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// The one that was logged last: a writer corrects itself.
    LastLogged,
    /// The one with the later time, and of equal times the one that was logged last: for points of several writers at once,
    /// whose journals reach the store in any order.
    Latest,
}

/// The values of [`Points`]: a series holds numbers or text, never both.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers, NaN and infinities among them.
    Float(Vec<f64>),
    /// Text.
    Text(Vec<String>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Float(Vec::new())
    }
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, or `None` when this is text.
    pub fn as_floats(&self) -> Option<&[f64]> {
        match self {
            Self::Float(values) => Some(values),
            Self::Text(_) => None,
        }
    }

    /// The text, or `None` when these are numbers.
    pub fn as_texts(&self) -> Option<&[String]> {
        match self {
            Self::Text(values) => Some(values),
            Self::Float(_) => None,
        }
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Self::Float(values) => values.truncate(length),
            Self::Text(values) => values.truncate(length),
        }
    }

    fn drop_first(&mut self, n: usize) {
        match self {
            Self::Float(values) => drop(values.drain(..n)),
            Self::Text(values) => drop(values.drain(..n)),
        }
    }

    fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Float(values) => Self::Float(values.split_off(at)),
            Self::Text(values) => Self::Text(values.split_off(at)),
        }
    }

    /// Takes those at `places` out; what is left is not used any more.
    fn take(&mut self, places: &[usize]) -> Self {
        match self {
            Self::Float(values) => Self::Float(places.iter().map(|&at| values[at]).collect()),
            Self::Text(values) => Self::Text(places.iter().map(|&at| mem::take(&mut values[at])).collect()),
        }
    }
}

impl Points {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// No points of a series of this content, or `None` when there is no series of it.
    pub(crate) const fn none_of(content: Content) -> Option<Self> {
        let values = match content {
            Content::Float => Values::Float(Vec::new()),
            Content::String | Content::Image | Content::Histogram => Values::Text(Vec::new()),
            _ => return None,
        };
        Some(Self { steps: Vec::new(), times: Vec::new(), values })
    }

    /// How the points are kept: as numbers or as text.
    pub(crate) const fn content(&self) -> Content {
        match self.values {
            Values::Float(_) => Content::Float,
            Values::Text(_) => Content::String,
        }
    }

    /// Makes room for `n` more numbers, or for texts without their bytes.
    pub(crate) fn reserve(&mut self, n: usize) {
        self.steps.reserve(n);
        self.times.reserve(n);
        match &mut self.values {
            Values::Float(values) => values.reserve(n),
            Values::Text(values) => values.reserve(n),
        }
    }

    /// The bytes of the values: what decides, beside the count, when text has grown to a chunk.
    pub(crate) fn value_bytes(&self) -> usize {
        match &self.values {
            Values::Float(values) => mem::size_of_val(values.as_slice()),
            Values::Text(values) => values.iter().map(String::len).sum(),
        }
    }

    /// Puts points as they were logged in the order of their steps. Of equal steps one stays.
    pub(crate) fn sort_and_dedup(&mut self, stays: Stays) {
        if is_ascending(&self.steps) {
            return;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        // Adding zero makes -0.0 and 0.0 one step here too. The sort is stable, so what is equal stays as it was logged.
        order.sort_by(|&a, &b| {
            let steps = (self.steps[a] + 0.0).total_cmp(&(self.steps[b] + 0.0));
            if stays == Stays::Latest { steps.then(self.times[a].cmp(&self.times[b])) } else { steps }
        });
        let is_last =
            |place: usize| order.get(place + 1).is_none_or(|&next| self.steps[order[place]] < self.steps[next]);
        let kept: Vec<usize> = (0..order.len()).filter(|&place| is_last(place)).map(|place| order[place]).collect();
        *self = self.take(&kept);
    }

    /// The points at `places`; what is left is not used any more.
    fn take(&mut self, places: &[usize]) -> Self {
        Self {
            steps: places.iter().map(|&at| self.steps[at]).collect(),
            times: places.iter().map(|&at| self.times[at]).collect(),
            values: self.values.take(places),
        }
    }

    /// The points of whose step and time `is_first` holds, and the others.
    pub(crate) fn partition(mut self, is_first: impl Fn(f64, i64) -> bool) -> (Self, Self) {
        let (first, second): (Vec<usize>, Vec<usize>) =
            (0..self.len()).partition(|&at| is_first(self.steps[at], self.times[at]));
        let first = self.take(&first);
        (first, self.take(&second))
    }

    /// Both in one. Each must be sorted; where both have a step, one stays, and `newer` was logged later.
    ///
    /// # Panics
    /// When one holds numbers and the other text.
    pub(crate) fn merge(mut older: Self, mut newer: Self, stays: Stays) -> Self {
        match (older.steps.last(), newer.steps.first()) {
            (None, _) => newer,
            (_, None) => older,
            (Some(last), Some(first)) if last < first => {
                older.extend(newer);
                older
            }
            _ if newer.steps.last() < older.steps.first() => {
                newer.extend(older);
                newer
            }
            _ => {
                older.extend(newer);
                older.sort_and_dedup(stays);
                older
            }
        }
    }

    /// Appends `next` as it is. The result is sorted only if `next` lies behind all of `self`.
    ///
    /// # Panics
    /// When both have points and one holds numbers and the other text.
    pub(crate) fn extend(&mut self, next: Self) {
        if self.is_empty() {
            *self = next;
            return;
        }
        match (&mut self.values, next.values) {
            (Values::Float(values), Values::Float(more)) => values.extend(more),
            (Values::Text(values), Values::Text(more)) => values.extend(more),
            (_, more) => assert!(more.is_empty(), "a series holds numbers or text, never both"),
        }
        self.steps.extend(next.steps);
        self.times.extend(next.times);
    }

    /// Takes away the points from the one at place `at` on.
    ///
    /// # Panics
    /// When there are fewer than `at` points.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        Self { steps: self.steps.split_off(at), times: self.times.split_off(at), values: self.values.split_off(at) }
    }

    /// The last point alone, or none of none.
    pub(crate) fn last_point(&self) -> Self {
        let last = self.len().saturating_sub(1);
        let values = match &self.values {
            Values::Float(values) => Values::Float(values[last..].to_vec()),
            Values::Text(values) => Values::Text(values[last..].to_vec()),
        };
        Self { steps: self.steps[last..].to_vec(), times: self.times[last..].to_vec(), values }
    }

    /// Keeps the points with `first <= step <= last`; these must be sorted.
    pub(crate) fn keep_steps(&mut self, first: f64, last: f64) {
        let end = self.steps.partition_point(|&step| step <= last);
        self.steps.truncate(end);
        self.times.truncate(end);
        self.values.truncate(end);
        self.drop_first(self.steps.partition_point(|&step| step < first));
    }

    /// Takes the first `n` points away, or all when there are fewer.
    pub(crate) fn drop_first(&mut self, n: usize) {
        let n = n.min(self.len());
        if n > 0 {
            self.steps.drain(..n);
            self.times.drain(..n);
            self.values.drop_first(n);
        }
    }
}

/// Whether each step is less than the next, which also says that none of several is NaN.
pub(super) fn is_ascending(steps: &[f64]) -> bool {
    // Blocks without an early exit inside let the compiler compare several steps at once.
    let ascends = |block: &[f64]| block.windows(2).filter(|pair| pair[0] < pair[1]).count() + 1 == block.len();
    (0..steps.len()).step_by(BLOCK).all(|start| ascends(&steps[start..steps.len().min(start + BLOCK + 1)]))
}

/// Large enough for the compiler's loop, small enough to stop early. Not measured further: it is well below the rest.
const BLOCK: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(steps: &[f64]) -> Points {
        let values = (0_u32..).zip(steps).map(|(at, _)| f64::from(at)).collect();
        Points { steps: steps.to_vec(), times: (0..).take(steps.len()).collect(), values: Values::Float(values) }
    }

    fn texts(steps: &[f64]) -> Points {
        let values = steps.iter().enumerate().map(|(at, step)| format!("{step} {at}")).collect();
        Points { values: Values::Text(values), ..points(steps) }
    }

    #[test]
    fn of_equal_steps_the_last_one_logged_stays() {
        let mut numbers = points(&[3.0, 1.0, 3.0, 2.0, 1.0]);
        numbers.sort_and_dedup(Stays::LastLogged);
        assert_eq!(numbers.steps, [1.0, 2.0, 3.0]);
        assert_eq!(numbers.times, [4, 3, 2]);
        assert_eq!(numbers.values, Values::Float(vec![4.0, 3.0, 2.0]));
        let mut text = texts(&[3.0, 1.0, 3.0]);
        text.sort_and_dedup(Stays::LastLogged);
        assert_eq!(text.values, Values::Text(vec!["1 1".into(), "3 2".into()]));
    }

    #[test]
    fn of_equal_steps_the_latest_stays_whatever_the_order() {
        let mut numbers = points(&[3.0, 1.0, 3.0, 2.0, 3.0]);
        numbers.times = vec![9, 1, 5, 2, 9];
        numbers.sort_and_dedup(Stays::Latest);
        assert_eq!((numbers.steps, numbers.times), (vec![1.0, 2.0, 3.0], vec![1, 2, 9]));
        assert_eq!(numbers.values, Values::Float(vec![1.0, 3.0, 4.0]), "of equal times the last one logged stays");
    }

    #[test]
    fn points_are_parted_by_step_and_time() {
        let (first, second) = texts(&[1.0, 2.0, 3.0, 4.0]).partition(|step, time| step >= 2.0 && time < 3);
        assert_eq!((first.steps, second.steps), (vec![2.0, 3.0], vec![1.0, 4.0]));
        assert_eq!(first.values, Values::Text(vec!["2 1".into(), "3 2".into()]));
        assert_eq!(second.times, [0, 3]);
    }

    #[test]
    fn the_zeros_are_one_step() {
        let mut numbers = points(&[0.0, 1.0, -0.0]);
        numbers.sort_and_dedup(Stays::LastLogged);
        assert_eq!(numbers.steps, [0.0, 1.0]);
        assert_eq!(numbers.times, [2, 1]);
    }

    #[test]
    fn a_break_of_the_order_is_found_wherever_it_is() {
        let ascending: Vec<f64> = (0_u16..300).map(f64::from).collect();
        assert!(is_ascending(&ascending) && is_ascending(&[]) && is_ascending(&[1.0]));
        for at in 1..ascending.len() {
            let mut steps = ascending.clone();
            steps[at] = steps[at - 1];
            assert!(!is_ascending(&steps), "an equal step at {at} was not seen");
        }
    }

    #[test]
    fn points_are_cut_by_steps_and_by_count() {
        let mut cut = points(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        cut.keep_steps(1.5, 4.0);
        assert_eq!((cut.steps.as_slice(), cut.times.as_slice()), ([2.0, 3.0, 4.0].as_slice(), [1, 2, 3].as_slice()));
        assert_eq!(cut.values, Values::Float(vec![1.0, 2.0, 3.0]));
        let tail = cut.split_off(2);
        assert_eq!((cut.len(), tail.steps.as_slice()), (2, [4.0].as_slice()));
        cut.drop_first(9);
        assert!(cut.is_empty() && cut.values.is_empty());
    }

    #[test]
    fn the_last_point_stands_alone() {
        let last = texts(&[1.0, 2.0, 3.0]).last_point();
        let wanted = Points { steps: vec![3.0], times: vec![2], values: Values::Text(vec!["3 2".into()]) };
        assert_eq!(last, wanted);
        assert_eq!(points(&[]).last_point(), Points::default());
    }

    proptest! {
        #[test]
        fn a_merge_is_what_logging_one_after_the_other_gives(older in prop::collection::vec(0_u8..40, 0..30),
                                                             newer in prop::collection::vec(0_u8..40, 0..30)) {
            let steps = |steps: &[u8]| steps.iter().map(|&step| f64::from(step)).collect::<Vec<_>>();
            let (mut first, mut second) = (texts(&steps(&older)), texts(&steps(&newer)));
            let mut wanted = std::collections::BTreeMap::new();
            for logged in [&first, &second] {
                for (at, step) in logged.steps.iter().enumerate() {
                    wanted.insert(step.to_bits(), (logged.times[at], logged.values.as_texts().unwrap()[at].clone()));
                }
            }
            first.sort_and_dedup(Stays::LastLogged);
            second.sort_and_dedup(Stays::LastLogged);
            let merged = Points::merge(first, second, Stays::LastLogged);
            // The bits of numbers that are not negative are ordered as the numbers are.
            prop_assert_eq!(merged.steps.iter().map(|step| step.to_bits()).collect::<Vec<_>>(),
                            wanted.keys().copied().collect::<Vec<_>>());
            let found: Vec<_> = merged.times.iter().copied().zip(
                merged.values.as_texts().unwrap_or_default().iter().cloned()).collect();
            prop_assert_eq!(found, wanted.into_values().collect::<Vec<_>>());
        }
    }
}
