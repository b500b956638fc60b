//! A [`Table`] as CSV.

use std::io::Write;

use super::{
    csv_file::{BUFFER, json_array, moment, rewrite, unwritable},
    write_error::unwritten,
};
use crate::{
    error::Result,
    table::{Column, Table, Values},
};

impl Table {
    /// Writes the table to `out` as CSV, with the names of its columns in the first row.
    ///
    /// The file is as RFC 4180 says, in UTF-8, with lines that end in a line feed. What is parsed again has every bit:
    ///
    /// - A number is written with as many digits as it needs to be read back, always with a point or an exponent, and as `NaN`,
    ///   `inf` or `-inf` where it is not finite. A whole number has no point.
    /// - A time is written as RFC 3339 has it, in UTC and with microseconds: `2026-11-22T09:00:00.000000Z`.
    /// - A set is written as an array of JSON: `["cnn","baseline"]`.
    /// - A value that is missing is an empty cell. So is the empty string.
    /// - Text is written as it was logged, also where it begins with `=`, `+`, `-` or `@`. A spreadsheet may take it for a
    ///   formula: import such a file with all columns as text.
    ///
    /// # Errors
    /// `Invalid` when a time is not within the years -9999 to 9999; `Full` or `Unavailable` when `out` takes no more. Then `out`
    /// has a part of the rows.
    pub fn to_csv(&self, out: impl Write) -> Result<()> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(BUFFER).from_writer(out);
        if self.columns().is_empty() {
            return Ok(());
        }
        writer.write_record(self.names()).map_err(unwritable)?;
        let mut cell = String::new();
        for row in 0..self.len() {
            for column in self.columns() {
                cell.clear();
                if !column.is_missing(row) {
                    write_cell(&mut cell, column, row)?;
                }
                writer.write_field(&cell).map_err(unwritable)?;
            }
            writer.write_record(None::<&[u8]>).map_err(unwritable)?;
        }
        writer.flush().map_err(unwritten)
    }
}

fn write_cell(cell: &mut String, column: &Column, row: usize) -> Result<()> {
    match column.values() {
        Values::Float(values) => rewrite(cell, format_args!("{:?}", values[row])),
        Values::Int(values) => rewrite(cell, format_args!("{}", values[row])),
        Values::Bool(values) => rewrite(cell, format_args!("{}", values[row])),
        Values::String(values) => cell.push_str(&values[row]),
        Values::Datetime(values) => rewrite(cell, format_args!("{}", moment(values[row], column.name())?)),
        Values::Set(values) => cell.push_str(&json_array(&values[row])),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use neptune_format::Timestamp;

    use super::*;
    use crate::error::ErrorKind;

    fn text(table: &Table) -> String {
        let mut text = Vec::new();
        table.to_csv(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn every_type_is_written_so_that_it_can_be_read_back() {
        let time = Timestamp::from_micros(1_700_000_000_000_001);
        let table = Table::new([
            Column::new("x", vec![0.0, 0.1, f64::NAN, f64::NEG_INFINITY]).present(vec![true, true, true, false]),
            Column::new("a,\"b\"\n", vec![1_i64, i64::MIN, 0, 3]).present(vec![true, true, false, true]),
            Column::new("b", vec![true, false, true, true]),
            Column::new("t", vec![time; 4]).present(vec![true, false, false, false]),
            Column::new("s", ["=1+1", "", "h\u{e4}, \"x\"", "\n"].map(String::from).to_vec()),
            Column::new("set", vec![vec!["a".to_owned(), "\"".to_owned()], vec![], vec![], vec![]])
                .present(vec![true, true, false, true]),
        ]);
        assert_eq!(
            text(&table.unwrap()),
            "x,\"a,\"\"b\"\"\n\",b,t,s,set\n\
             0.0,1,true,2023-11-14T22:13:20.000001Z,=1+1,\"[\"\"a\"\",\"\"\\\"\"\"\"]\"\n\
             0.1,-9223372036854775808,false,,,[]\n\
             NaN,,true,,\"h\u{e4}, \"\"x\"\"\",\n\
             ,3,true,,\"\n\",[]\n"
        );
    }

    #[test]
    fn a_table_without_rows_has_its_names_and_one_without_columns_nothing() {
        assert_eq!(text(&Table::new([Column::new("x", Vec::<f64>::new())]).unwrap()), "x\n");
        assert_eq!(text(&Table::default()), "");
        let missing = Table::new([Column::new("x", vec![0.0]).present(vec![false])]).unwrap();
        assert_eq!(text(&missing), "x\n\"\"\n", "an empty line would be no row");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_refused_by_its_column() {
        let table = Table::new([Column::new("created", vec![Timestamp::from_micros(i64::MAX)])]).unwrap();
        let error = table.to_csv(Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("created"), "{error}");
    }
}
