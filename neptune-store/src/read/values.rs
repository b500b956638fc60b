//! The values of several logs as a [`Table`], side by side on the x axis.

use std::ops::RangeInclusive;

use super::{
    ExperimentKey,
    aligned::{all_steps, column},
};
use crate::{
    chunk::Values as Points,
    error::{Error, ErrorKind, Result},
    store::Store,
    table::{Column, Table, Values},
};

/// The name of the column of steps.
const X: &str = "x";

const ALL: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

impl Store {
    /// The points of the logs of numbers `names` as a table, joined on their steps: the column `x` with every step that one of
    /// them has, in order, and a column for each name with its values. Where a log has no point at a step, its value is
    /// missing and NaN.
    ///
    /// A name is one of [`Store::logs`], or the path of any series of numbers. Each column is called as it was asked for, a
    /// name that comes twice once; but a log named `x` by its path, `logs/x`. All points are in memory at once.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log; `Invalid` when it is no series of numbers, and when
    /// there are no names; `Corrupt` when what is stored is damaged.
    pub fn values(&self, experiment: &ExperimentKey, names: &[&str]) -> Result<Table> {
        if names.is_empty() {
            let message = "there are no names of logs; name at least one, such as \"loss\"";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        // All series as they are at one moment.
        let snapshot = self.connection.unchecked_transaction()?;
        let (mut titles, mut series) = (Vec::new(), Vec::new());
        for name in names {
            let path = self.log(experiment, name)?.path;
            let title = if *name == X { path.as_str() } else { name };
            if !titles.iter().any(|other| other == title) {
                self.find_numbers(experiment, &path)?;
                titles.push(title.to_owned());
                series.push(self.series(experiment, &path, ALL)?);
            }
        }
        snapshot.finish()?;
        let steps = all_steps(&series);
        let mut columns = Vec::with_capacity(series.len());
        for (title, points) in titles.into_iter().zip(series) {
            let (values, present) = column(points, &steps);
            let column = Column::new(title, values);
            columns.push(match present {
                Some(present) => column.present(present),
                None => column,
            });
        }
        Table::new(std::iter::once(Column::new(X, steps)).chain(columns))
    }

    /// The points of the log `name` as a table with the columns `x`, `time` and `value`. Images and histograms are the
    /// documents that describe them, as text.
    ///
    /// # Errors
    /// `NotFound`, with the nearest names, when there is no such log; `Invalid` when it is no series; `Corrupt` when what is
    /// stored is damaged.
    pub fn series_table(&self, experiment: &ExperimentKey, name: &str) -> Result<Table> {
        let path = self.log(experiment, name)?.path;
        let points = self.series(experiment, &path, ALL)?;
        let times = points.times.into_iter().map(neptune_format::Timestamp::from_micros).collect();
        let values = match points.values {
            Points::Float(values) => Values::Float(values),
            Points::Text(values) => Values::String(values),
        };
        Table::new([
            Column::new(X, points.steps),
            Column::new("time", Values::Datetime(times)),
            Column::new("value", values),
        ])
    }
}
