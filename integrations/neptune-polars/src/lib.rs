//! Tables of neptune as [`DataFrame`]s of [polars](https://docs.rs/polars).
//!
//! What [`Session::leaderboard`](neptune_core::Session::leaderboard), [`StoredExperiment::numeric_values`] and the other readers
//! return is a [`Table`], and [`ToPolars`] makes a data frame of it. It is a crate of its own because polars weighs more than all
//! of neptune; its minor version is that of polars.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let session = neptune_core::Session::builder().folder(folder.path()).without_code().open()?;
//! use neptune_polars::ToPolars as _;
//!
//! let experiment = session.experiment().start()?;
//! for step in 0..3 {
//!     experiment.log_metric_at("loss", step, 1.0 / f64::from(step + 1));
//! }
//! let losses = experiment.numeric_values(&["loss"])?.to_polars();
//! assert_eq!(losses.shape(), (3, 2));
//! assert_eq!(losses.column("loss")?.f64()?.get(1), Some(0.5));
//! # experiment.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`StoredExperiment::numeric_values`]: neptune_core::StoredExperiment::numeric_values

use neptune_core::store::table::{Column, Table, Values};
use polars_core::{
    chunked_array::builder::{ListBuilderTrait as _, ListStringChunkedBuilder},
    prelude::{
        BooleanChunked, DataFrame, Float64Chunked, Int64Chunked, IntoSeries as _, NewChunkedArray as _, StringChunked,
        TimeUnit, TimeZone,
    },
    series::Series,
};

/// Tables that become data frames.
pub trait ToPolars {
    /// The table as a data frame, with its columns and their names, in the same order.
    ///
    /// Numbers are `Float64`, whole numbers `Int64`, truth values `Boolean`, text is `String`, times are `Datetime` in
    /// microseconds in UTC, sets are `List` of `String`. What is missing is null, and NaN is NaN. The values are copied.
    fn to_polars(&self) -> DataFrame;
}

impl ToPolars for Table {
    fn to_polars(&self) -> DataFrame {
        let columns = self.columns().iter().map(|column| series(column).into()).collect();
        DataFrame::new(self.len(), columns).expect("every column has a name of its own and as many rows as the table")
    }
}

fn series(column: &Column) -> Series {
    let name = || column.name().into();
    // The value of each row, or none where it is missing.
    let present = |row| !column.is_missing(row);
    match column.values() {
        Values::Float(values) => Float64Chunked::from_iter_options(name(), present_of(values, present)).into_series(),
        Values::Int(values) => Int64Chunked::from_iter_options(name(), present_of(values, present)).into_series(),
        Values::Bool(values) => BooleanChunked::from_iter_options(name(), present_of(values, present)).into_series(),
        Values::String(values) => {
            let texts = values.iter().enumerate().map(|(row, text)| present(row).then_some(text.as_str()));
            StringChunked::from_iter_options(name(), texts).into_series()
        }
        Values::Datetime(values) => {
            let times = values.iter().enumerate().map(|(row, time)| present(row).then(|| time.as_micros()));
            Int64Chunked::from_iter_options(name(), times)
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_series()
        }
        Values::Set(values) => {
            let mut builder = ListStringChunkedBuilder::new(name(), values.len(), values.len());
            for (row, members) in values.iter().enumerate() {
                if present(row) {
                    builder.append_values_iter(members.iter().map(String::as_str));
                } else {
                    builder.append_null();
                }
            }
            builder.finish().into_series()
        }
        // A type that came after this version: its values as text.
        _ => {
            let texts = (0..column.len()).map(|row| column.cell(row).map(|cell| cell.to_string()));
            StringChunked::from_iter_options(name(), texts).into_series()
        }
    }
}

fn present_of<T: Copy>(values: &[T], present: impl Fn(usize) -> bool) -> impl Iterator<Item = Option<T>> {
    values.iter().enumerate().map(move |(row, value)| present(row).then_some(*value))
}

#[cfg(test)]
mod tests {
    use neptune_core::Timestamp;
    use polars_core::prelude::{AnyValue, DataType};

    use super::*;

    #[test]
    fn every_type_becomes_its_series_with_nulls_where_a_value_is_missing() {
        let present = || vec![true, false, true];
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let table = Table::new([
            Column::new("x", vec![0.5, f64::NAN, f64::NAN]).present(present()),
            Column::new("a.b/c, \u{e4}", vec![i64::MIN, 0, 7]).present(present()),
            Column::new("b", vec![true, true, false]).present(present()),
            Column::new("t", vec![Timestamp::from_micros(-7); 3]).present(present()),
            Column::new("s", text(&["", "hidden", "h\u{e4}\n"])).present(present()),
            Column::new("set", vec![text(&[]), text(&["hidden"]), text(&["a", "b"])]).present(present()),
            Column::new("whole", vec![1.0, 2.0, f64::NAN]),
        ])
        .unwrap();
        let frame = table.to_polars();
        assert_eq!(frame.shape(), (3, 7));
        assert!(frame.get_column_names().iter().map(|name| name.as_str()).eq(table.names()));
        for column in &frame.columns()[..6] {
            assert_eq!(column.null_count(), 1, "{column:?}");
            assert!(column.get(1).unwrap().is_null(), "{column:?}");
        }
        assert_eq!(frame.column("whole").unwrap().null_count(), 0);
        let x = frame.column("x").unwrap().f64().unwrap();
        assert_eq!((x.get(0), x.get(2).map(f64::is_nan)), (Some(0.5), Some(true)));
        assert_eq!(frame.column("a.b/c, \u{e4}").unwrap().get(0).unwrap(), AnyValue::Int64(i64::MIN));
        assert_eq!(frame.column("b").unwrap().get(2).unwrap(), AnyValue::Boolean(false));
        let times = frame.column("t").unwrap();
        assert_eq!(times.dtype(), &DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)));
        assert_eq!(times.cast(&DataType::Int64).unwrap().get(0).unwrap(), AnyValue::Int64(-7));
        assert_eq!(frame.column("s").unwrap().get(2).unwrap(), AnyValue::String("h\u{e4}\n"));
        let sets = frame.column("set").unwrap();
        assert_eq!(sets.dtype(), &DataType::List(Box::new(DataType::String)));
        let members = |row| sets.list().unwrap().get_as_series(row).unwrap().len();
        assert_eq!((members(0), members(2)), (0, 2));
    }

    #[test]
    fn a_table_without_rows_or_columns_is_a_frame_without() {
        let frame = Table::new([Column::new("x", Vec::<f64>::new())]).unwrap().to_polars();
        assert_eq!(frame.shape(), (0, 1));
        assert_eq!(Table::default().to_polars().shape(), (0, 0));
    }
}
