//! [`Figure`]: what a column or a sort asks of all values of a series of numbers, such as `min(loss)`, or of their steps, such as
//! `argmin(loss)`.
//!
//! Values that are not finite only count, as in a filter. A figure of values lies in the row of its series; a step is looked up
//! in the briefs of its chunks.

use neptune_format::VariableType;
use rusqlite::OptionalExtension as _;

use super::cell::Cell;
use crate::{error::Result, store::Store};

/// What of the values of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Least,
    Greatest,
    Mean,
    /// The first step with the least value.
    StepOfLeast,
    /// The first step with the greatest value.
    StepOfGreatest,
}

/// The words for them.
const FUNCTIONS: [(&str, Figure); 5] = [
    ("min", Figure::Least),
    ("max", Figure::Greatest),
    ("average", Figure::Mean),
    ("argmin", Figure::StepOfLeast),
    ("argmax", Figure::StepOfGreatest),
];

/// The series is of numbers, and one of them is finite.
pub(super) const HAS_FIGURES: (VariableType, &str) = (VariableType::FLOAT_SERIES, "minimum IS NOT NULL");

impl Figure {
    /// What `name` asks, and of which series: `min(loss)` of `loss`.
    pub(super) fn parse(name: &str) -> Option<(Self, &str)> {
        let (function, series) = name.split_once('(')?;
        let series = series.strip_suffix(')')?;
        let (_, figure) = FUNCTIONS.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(function))?;
        Some((figure, series))
    }

    /// The figure of the row `v` of a series, in SQL; `None` of a step, which is not in it.
    pub(super) fn sql(self, v: &str) -> Option<String> {
        match self {
            Self::Least => Some(format!("{v}.minimum")),
            Self::Greatest => Some(format!("{v}.maximum")),
            Self::Mean => Some(format!("{v}.total / ({v}.count - {v}.nonfinite)")),
            Self::StepOfLeast | Self::StepOfGreatest => None,
        }
    }
}

impl Store {
    /// The figure of the series at the path with id `path`; `None` where it is no series of numbers or none is finite.
    pub(super) fn figure(&self, figure: Figure, experiment: i64, path: i64) -> Result<Option<Cell>> {
        let (kind, is_there) = HAS_FIGURES;
        let value = figure.sql("v").unwrap_or_else(|| "v.minimum".to_owned());
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {value} FROM variable v WHERE experiment_id = $1 AND path_id = $2 AND type = $3 AND {is_there}"
        ))?;
        let value: Option<Option<f64>> =
            statement.query_row((experiment, path, kind.code()), |row| row.get(0)).optional()?;
        let Some(value) = value.flatten() else { return Ok(None) };
        let of_step = |point: Option<(f64, f64)>| point.map(|(step, _)| step);
        let value = match figure {
            Figure::StepOfLeast => self.as_one_bucket(experiment, path)?.and_then(|all| of_step(all.minimum)),
            Figure::StepOfGreatest => self.as_one_bucket(experiment, path)?.and_then(|all| of_step(all.maximum)),
            Figure::Least | Figure::Greatest | Figure::Mean => Some(value),
        };
        Ok(value.map(Cell::Float))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_function_of_a_series() {
        assert_eq!(Figure::parse("min(loss)"), Some((Figure::Least, "loss")));
        assert_eq!(Figure::parse("ArgMax(a (b)/c)"), Some((Figure::StepOfGreatest, "a (b)/c")));
        for name in ["loss", "min", "min(loss", "median(loss)", "(loss)", "min loss)"] {
            assert_eq!(Figure::parse(name), None, "{name}");
        }
    }
}
