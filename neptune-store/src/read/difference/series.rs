//! The first step at which two series differ.
//!
//! Both are read piece by piece, so a long series that is equal takes no memory, and one that differs is read no further.

use std::{cmp::Ordering, collections::BTreeMap};

use neptune_format::{AtomValue, Container, VariableType};
use rusqlite::params;

use crate::{
    chunk::{Points, Values},
    error::Result,
    read::{
        ExperimentKey, Variable,
        series::{chunks_in_range, point_count},
    },
    store::Store,
};

/// Points that are compared at once.
const PIECE: usize = 1 << 16;

/// A series that differs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesDifference {
    /// The path.
    pub path: String,
    /// How it differs.
    pub change: SeriesChange,
}

/// How a series differs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesChange {
    /// Only the first experiment has it.
    OnlyLeft,
    /// Only the second experiment has it.
    OnlyRight,
    /// Both have it, with other content.
    Type {
        /// What the first experiment has.
        left: VariableType,
        /// What the second experiment has.
        right: VariableType,
    },
    /// It is equal up to a step.
    Diverges(Divergence),
}

/// Where two series differ first.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// The step.
    pub step: f64,
    /// The value of the first experiment there; `None` when it has no point at this step.
    pub left: Option<AtomValue>,
    /// The value of the second experiment there.
    pub right: Option<AtomValue>,
    /// How many points before it are equal.
    pub equal: u64,
    /// How many points the series of the first experiment has in all.
    pub left_count: u64,
    /// How many points the series of the second experiment has in all.
    pub right_count: u64,
}

impl Store {
    /// How many of the series that both have are equal, and which differ.
    pub(super) fn series_differences(
        &self,
        left: &ExperimentKey,
        left_variables: &[Variable],
        right: &ExperimentKey,
        right_variables: &[Variable],
    ) -> Result<(u64, Vec<SeriesDifference>)> {
        let mut kinds: BTreeMap<&str, (Option<VariableType>, Option<VariableType>)> = BTreeMap::new();
        for variable in compared(left_variables) {
            kinds.entry(&variable.path).or_default().0 = Some(variable.kind);
        }
        for variable in compared(right_variables) {
            kinds.entry(&variable.path).or_default().1 = Some(variable.kind);
        }
        let (mut equal, mut differing) = (0, Vec::new());
        for (path, kinds) in kinds {
            let change = match kinds {
                (Some(_), None) => SeriesChange::OnlyLeft,
                (None, Some(_)) => SeriesChange::OnlyRight,
                (Some(left), Some(right)) if left != right => SeriesChange::Type { left, right },
                _ => {
                    let Some(divergence) = self.divergence(left, right, path)? else {
                        equal += 1;
                        continue;
                    };
                    SeriesChange::Diverges(divergence)
                }
            };
            differing.push(SeriesDifference { path: path.to_owned(), change });
        }
        Ok((equal, differing))
    }

    /// The first step at which the series at `path` differs; `None` when it is equal.
    fn divergence(&self, left: &ExperimentKey, right: &ExperimentKey, path: &str) -> Result<Option<Divergence>> {
        let (starts, left_count) = self.starts_of_pieces(left, path)?;
        let mut equal = 0;
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).map_or(f64::INFINITY, |next| next.next_down());
            let ours = self.series(left, path, *start..=end)?;
            let theirs = self.series(right, path, *start..=end)?;
            if let Some((step, left, right_value, before)) = first_difference(&ours, &theirs) {
                let (_, right_count) = self.starts_of_pieces(right, path)?;
                equal += before;
                return Ok(Some(Divergence { step, left, right: right_value, equal, left_count, right_count }));
            }
            equal += ours.len() as u64;
        }
        Ok(None)
    }

    /// Steps at which pieces of a series begin, and how many points it has.
    fn starts_of_pieces(&self, experiment: &ExperimentKey, path: &str) -> Result<(Vec<f64>, u64)> {
        let series = self.find_series(experiment, path)?;
        let mut statement = self.connection.prepare_cached(&chunks_in_range("first_step, count"))?;
        let mut rows = statement.query(params![series.experiment, series.path, f64::NEG_INFINITY, f64::INFINITY])?;
        let mut starts = vec![f64::NEG_INFINITY];
        let (mut gathered, mut count) = (0, 0);
        while let Some(row) = rows.next()? {
            if gathered >= PIECE {
                starts.push(row.get(0)?);
                gathered = 0;
            }
            let points = point_count(row, 1)?;
            gathered += points;
            count += points as u64;
        }
        Ok((starts, count))
    }
}

/// The series that are compared: all but those of hardware, timings and other things that differ each time.
fn compared(variables: &[Variable]) -> impl Iterator<Item = &Variable> {
    let series = variables.iter().filter(|variable| variable.kind.container == Container::Series);
    series.filter(|variable| !variable.path.starts_with("monitoring/"))
}

/// The step of the first difference, the values there, and how many points before it are equal.
fn first_difference(left: &Points, right: &Points) -> Option<(f64, Option<AtomValue>, Option<AtomValue>, u64)> {
    let most = left.len().max(right.len());
    for at in 0..most {
        let (step, has_left, has_right) = match (left.steps.get(at), right.steps.get(at)) {
            (Some(ours), Some(theirs)) => match ours.total_cmp(theirs) {
                Ordering::Equal if is_same(&left.values, &right.values, at) => continue,
                Ordering::Equal => (*ours, true, true),
                Ordering::Less => (*ours, true, false),
                Ordering::Greater => (*theirs, false, true),
            },
            (Some(ours), None) => (*ours, true, false),
            (None, Some(theirs)) => (*theirs, false, true),
            (None, None) => return None,
        };
        let value = |has: bool, values: &Values| has.then(|| value_at(values, at)).flatten();
        return Some((step, value(has_left, &left.values), value(has_right, &right.values), at as u64));
    }
    None
}

fn is_same(left: &Values, right: &Values, at: usize) -> bool {
    match (left, right) {
        (Values::Float(left), Values::Float(right)) => {
            left.get(at).map(|value| value.to_bits()) == right.get(at).map(|value| value.to_bits())
        }
        (Values::Text(left), Values::Text(right)) => left.get(at) == right.get(at),
        _ => false,
    }
}

fn value_at(values: &Values, at: usize) -> Option<AtomValue> {
    match values {
        Values::Float(values) => values.get(at).copied().map(AtomValue::Float),
        Values::Text(values) => values.get(at).cloned().map(AtomValue::String),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(steps: &[f64], values: &[f64]) -> Points {
        Points { steps: steps.to_vec(), times: vec![0; steps.len()], values: Values::Float(values.to_vec()) }
    }

    #[test]
    fn the_first_step_that_differs_is_found_to_the_bit() {
        let ours = points(&[0.0, 1.0, 2.0], &[1.0, f64::NAN, 0.0]);
        assert_eq!(first_difference(&ours, &ours), None, "NaN is the same as itself");
        let theirs = points(&[0.0, 1.0, 2.0], &[1.0, f64::NAN, -0.0]);
        let found = first_difference(&ours, &theirs);
        assert_eq!(found, Some((2.0, Some(AtomValue::Float(0.0)), Some(AtomValue::Float(-0.0)), 2)));
    }

    #[test]
    fn a_step_that_only_one_has_differs() {
        let ours = points(&[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0]);
        let missing = points(&[0.0, 2.0], &[1.0, 3.0]);
        assert_eq!(first_difference(&ours, &missing), Some((1.0, Some(AtomValue::Float(2.0)), None, 1)));
        assert_eq!(first_difference(&missing, &ours), Some((1.0, None, Some(AtomValue::Float(2.0)), 1)));
        let shorter = points(&[0.0], &[1.0]);
        assert_eq!(first_difference(&shorter, &ours), Some((1.0, None, Some(AtomValue::Float(2.0)), 1)));
        assert_eq!(first_difference(&points(&[], &[]), &points(&[], &[])), None);
    }
}
