//! Several series of numbers side by side, for tables and comparisons.
//!
//! Every step at which one of them has a point is one row, in order; nothing is interpolated.

use std::ops::RangeInclusive;

use super::ExperimentKey;
use crate::{
    chunk::{Points, Values},
    error::Result,
    store::Store,
};

/// Series of numbers in columns, one row for each step that any of them has.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Aligned {
    /// The paths of the series, as they were asked for.
    pub paths: Vec<String>,
    /// The steps in order, each once.
    pub steps: Vec<f64>,
    /// For each path a value for each step; NaN where the series has no point there, or one that is NaN.
    pub columns: Vec<Vec<f64>>,
}

impl Store {
    /// The points with `first <= step <= last` of the series of numbers at `paths`, joined on the step.
    ///
    /// All of them are in memory at once, 8 bytes for each row and path.
    ///
    /// # Errors
    /// `NotFound` when there is no variable at one of the paths, `Invalid` when it is not a series of numbers, `Corrupt` when
    /// what is stored is damaged.
    pub fn aligned(&self, experiment: &ExperimentKey, paths: &[&str], range: RangeInclusive<f64>) -> Result<Aligned> {
        // All series as they are at one moment.
        let snapshot = self.connection.unchecked_transaction()?;
        let mut series = Vec::with_capacity(paths.len());
        for path in paths {
            self.find_numbers(experiment, path)?;
            series.push(self.series(experiment, path, range.clone())?);
        }
        snapshot.finish()?;
        let steps = all_steps(&series);
        let columns = series.into_iter().map(|points| column(points, &steps).0).collect();
        Ok(Aligned { paths: paths.iter().copied().map(str::to_owned).collect(), steps, columns })
    }
}

/// The steps of all series, in order, each once.
pub(super) fn all_steps(series: &[Points]) -> Vec<f64> {
    let Some((first, others)) = series.split_first() else { return Vec::new() };
    // What is logged together has the same steps.
    if others.iter().all(|other| other.steps == first.steps) {
        return first.steps.clone();
    }
    let mut steps: Vec<f64> = series.iter().flat_map(|points| points.steps.iter().copied()).collect();
    // The stable sort finds the runs that the series are and merges them.
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    steps
}

/// The value of each of `steps`, among which are those of `points`, NaN where there is none; and where there is one, or
/// `None` when there is one everywhere.
pub(super) fn column(points: Points, steps: &[f64]) -> (Vec<f64>, Option<Vec<bool>>) {
    let Values::Float(values) = points.values else {
        return (vec![f64::NAN; steps.len()], Some(vec![false; steps.len()]));
    };
    if values.len() == steps.len() {
        return (values, None);
    }
    let mut own = points.steps.into_iter().zip(values).peekable();
    // No step of its own is passed over, so one that is not greater is equal.
    let found = steps
        .iter()
        .map(|step| own.next_if(|(at, _)| at <= step).map_or((f64::NAN, false), |(_, value)| (value, true)));
    let (values, present) = found.unzip();
    (values, Some(present))
}

#[cfg(test)]
mod tests {
    use neptune_format::VariableType;

    use super::{
        super::series::tests::{add_series, numbers, store_with},
        *,
    };
    use crate::{chunk::Chunk, error::ErrorKind};

    const ALL: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

    fn store() -> (Store, ExperimentKey) {
        let chunks = [&[0.0, 1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]].map(|steps| Chunk::plain(&numbers(steps)));
        let (store, experiment) = store_with(&chunks, VariableType::FLOAT_SERIES);
        let rare = [Chunk::plain(&numbers(&[1.0, 3.5, 7.0]))];
        add_series(&store.connection, 2, "accuracy", &rare, VariableType::FLOAT_SERIES);
        add_series(&store.connection, 3, "console", &[], VariableType::STRING_SERIES);
        (store, experiment)
    }

    /// Debug, because NaN is not equal to itself.
    fn shown(columns: &[Vec<f64>]) -> String {
        format!("{columns:?}")
    }

    #[test]
    fn series_are_joined_on_every_step_that_one_of_them_has() {
        let (store, experiment) = store();
        let aligned = store.aligned(&experiment, &["accuracy", "loss"], 1.0..=4.0).unwrap();
        assert_eq!(aligned.paths, ["accuracy", "loss"]);
        assert_eq!(aligned.steps, [1.0, 2.0, 3.0, 3.5, 4.0]);
        let missing = f64::NAN;
        let wanted = [vec![-1.0, missing, missing, -3.5, missing], vec![-1.0, -2.0, -3.0, missing, -4.0]];
        assert_eq!(shown(&aligned.columns), shown(&wanted));
    }

    #[test]
    fn series_with_the_same_steps_lie_side_by_side() {
        let (store, experiment) = store();
        let aligned = store.aligned(&experiment, &["loss", "loss"], ALL).unwrap();
        assert_eq!(aligned.steps.len(), 8);
        assert_eq!(aligned.columns[0], aligned.columns[1]);
        assert_eq!(store.aligned(&experiment, &[], ALL).unwrap(), Aligned::default());
    }

    #[test]
    fn a_path_that_is_not_a_series_of_numbers_is_refused() {
        let (store, experiment) = store();
        let kind = |paths: &[&str]| store.aligned(&experiment, paths, ALL).unwrap_err().kind();
        assert_eq!(kind(&["loss", "console"]), ErrorKind::Invalid);
        assert_eq!(kind(&["loss", "gain"]), ErrorKind::NotFound);
    }
}
