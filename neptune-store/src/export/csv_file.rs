//! Export as CSV.
//!
//! Nothing is rounded: what is parsed again has every bit that was logged, but the payload of a NaN.

use std::{fmt::Write as _, io::Write};

use neptune_format::Timestamp;

use super::{
    part::{COLUMNS, Cells, Part, each_part, paths as exported},
    write_error::unwritten,
};
use crate::{
    chunk::{Points, Values},
    error::{Error, ErrorKind, Result},
    read::ExperimentKey,
    store::Store,
};

/// How many bytes are gathered for one write. `out` is often a file without a buffer of its own.
pub(super) const BUFFER: usize = 64 << 10;

/// The whole numbers below this have a place in an f64 each.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes variables of an experiment to `out` as CSV, with the columns of [this module](super) and their names in the first
/// row. Returns how many rows follow it. No `paths` means every variable. `progress` is told how many rows there are so far.
///
/// The file is as RFC 4180 says, in UTF-8, with lines that end in a line feed:
///
/// - A number is written with as many digits as it needs to be read back, and as `NaN`, `inf` or `-inf` where it is not
///   finite. Steps are numbers too, so they have more than six digits behind the point where they need them.
/// - A time is written as RFC 3339 has it, in UTC and with microseconds: `2026-11-22T09:00:00.000000Z`.
/// - A set is written as an array of JSON: `["cnn","baseline"]`.
/// - A cell is empty in the columns that are not of the type of its row. The empty string is empty too: `attribute_type` says
///   which one it is.
/// - Text is written as it was logged, also where it begins with `=`, `+`, `-` or `@`. A spreadsheet may take it for a
///   formula: import such a file with all columns as text.
///
/// This blocks until everything is read and written. Memory is taken for one chunk of a series at a time. After an error
/// `out` has a part of the rows.
///
/// # Errors
/// `NotFound` when there is no variable at one of `paths`; then nothing was written. `Invalid` when a time is not within the
/// years -9999 to 9999. `Full` or `Unavailable` when `out` takes no more, `Corrupt` when what is
/// stored is damaged.
pub fn csv(
    store: &Store,
    experiment: &ExperimentKey,
    paths: &[String],
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    let paths = exported(store, experiment, paths)?;
    let writer = csv::WriterBuilder::new().buffer_capacity(BUFFER).from_writer(out);
    let mut table = Table { writer, project: experiment.project.as_str(), run: &experiment.short_id };
    table.record(&COLUMNS)?;
    let mut rows = 0;
    each_part(store, experiment, &paths, |part| {
        table.put(&part)?;
        rows += part.rows() as u64;
        progress(rows);
        Ok(())
    })?;
    table.writer.flush().map_err(unwritten)?;
    Ok(rows)
}

/// Where the rows of an experiment go.
struct Table<'a, W: Write> {
    writer: csv::Writer<W>,
    project: &'a str,
    run: &'a str,
}

/// The cells of a row that depend on what it holds.
#[derive(Default)]
struct Row<'a> {
    step: &'a str,
    timestamp: &'a str,
    int: &'a str,
    float: &'a str,
    text: &'a str,
    bool: &'a str,
    datetime: &'a str,
    set: &'a str,
}

impl<W: Write> Table<'_, W> {
    fn put(&mut self, part: &Part) -> Result<()> {
        let none = Row::default();
        match &part.cells {
            Cells::Float(value) => self.row(part, &Row { float: &format!("{value:?}"), ..none }),
            Cells::Int(value) => self.row(part, &Row { int: &value.to_string(), ..none }),
            Cells::Bool(value) => self.row(part, &Row { bool: if *value { "true" } else { "false" }, ..none }),
            Cells::Text(text) => self.row(part, &Row { text, ..none }),
            Cells::Datetime(time) => self.row(part, &Row { datetime: &moment(*time, &part.path)?.to_string(), ..none }),
            Cells::Set(members) => self.row(part, &Row { set: &json_array(members), ..none }),
            Cells::Points(points) => self.points(part, points),
        }
    }

    fn points(&mut self, part: &Part, points: &Points) -> Result<()> {
        let (mut step, mut timestamp, mut float) = (String::new(), String::new(), String::new());
        for (at, (x, time)) in points.steps.iter().zip(&points.times).enumerate() {
            // A whole step without a point, as people count; from 2^53 on with an exponent where that is shorter.
            let is_count = x.fract() == 0.0 && x.abs() < EXACT;
            if is_count {
                rewrite(&mut step, format_args!("{x}"));
            } else {
                rewrite(&mut step, format_args!("{x:?}"));
            }
            rewrite(&mut timestamp, format_args!("{}", moment(Timestamp::from_micros(*time), &part.path)?));
            let row = Row { step: &step, timestamp: &timestamp, ..Row::default() };
            match &points.values {
                Values::Float(values) => {
                    rewrite(&mut float, format_args!("{:?}", values[at]));
                    self.row(part, &Row { float: &float, ..row })?;
                }
                Values::Text(values) => self.row(part, &Row { text: &values[at], ..row })?,
            }
        }
        Ok(())
    }

    fn row(&mut self, part: &Part, row: &Row<'_>) -> Result<()> {
        self.record(&[
            self.project,
            self.run,
            &part.path,
            part.type_name(),
            row.step,
            row.timestamp,
            row.int,
            row.float,
            row.text,
            row.bool,
            row.datetime,
            row.set,
        ])
    }

    fn record(&mut self, cells: &[&str; COLUMNS.len()]) -> Result<()> {
        self.writer.write_record(cells).map_err(unwritable)
    }
}

/// What to say when `error` ended an export.
pub(super) fn unwritable(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unwritten(error),
        other => Error::new(ErrorKind::Unavailable, format!("the export cannot be written: {other:?}")),
    }
}

/// What is printed as RFC 3339 has it.
pub(super) struct Moment(jiff::Timestamp);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

pub(super) fn moment(time: Timestamp, path: &str) -> Result<Moment> {
    jiff::Timestamp::from_microsecond(time.as_micros()).map(Moment).map_err(|error| {
        let message = format!("a time of {path} is not within the years -9999 to 9999; export to Parquet instead");
        Error::new(ErrorKind::Invalid, message).because(error)
    })
}

pub(super) fn rewrite(text: &mut String, with: std::fmt::Arguments<'_>) {
    text.clear();
    text.write_fmt(with).expect("a String takes all that is written to it");
}

pub(super) fn json_array(members: &[String]) -> String {
    let mut json = String::from("[");
    for (at, member) in members.iter().enumerate() {
        json.push_str(if at == 0 { "\"" } else { ",\"" });
        for character in member.chars() {
            match character {
                '"' | '\\' => json.extend(['\\', character]),
                '\0'..'\u{20}' => {
                    write!(json, "\\u{:04x}", u32::from(character)).expect("a String takes all that is written to it");
                }
                _ => json.push(character),
            }
        }
        json.push('"');
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{super::sample::Sample, *};

    fn rows_of(text: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn export(sample: &Sample, paths: &[&str]) -> Vec<Vec<String>> {
        let paths: Vec<String> = paths.iter().copied().map(String::from).collect();
        let (mut text, mut told) = (Vec::new(), 0);
        let count = csv(&sample.store, &sample.experiment, &paths, &mut text, &mut |rows| told = rows).unwrap();
        let mut rows = rows_of(&text);
        assert_eq!(rows.remove(0), COLUMNS);
        assert_eq!((rows.len() as u64, told), (count, count));
        rows
    }

    /// The rows without the columns that are the same in each.
    fn short(rows: &[Vec<String>]) -> Vec<String> {
        rows.iter().map(|row| row[2..].join("|")).collect()
    }

    #[test]
    fn every_variable_comes_out_with_one_row_a_point() {
        let rows = export(&Sample::small(), &[]);
        for row in &rows {
            assert_eq!(row[..2], ["ada/mnist", "MNI-1"]);
        }
        let mut rows = short(&rows);
        rows.retain(|row| !row.starts_with("sys/") || row.starts_with("sys/creation_time"));
        assert_eq!(
            rows,
            [
                "logs/loss|float_series|-1.5|1969-12-31T23:59:59.999999Z||0.1||||",
                "logs/loss|float_series|0|2023-11-14T22:13:20.000000Z||NaN||||",
                "logs/loss|float_series|1|2023-11-14T22:13:20.000001Z||-inf||||",
                "logs/loss|float_series|2.0000001|2023-11-14T22:13:21.000000Z||1e-300||||",
                "logs/text|string_series|0|2023-11-14T22:13:20.000000Z|||=1+1, \"two\"\nlines|||",
                "logs/text|string_series|1|2023-11-14T22:13:20.000000Z||||||",
                "no_tags|string_set||||||||[]",
                "parameters/batch|int|||-7|||||",
                "parameters/config|string|||||{\"a\": [1]}|||",
                "parameters/lr|float||||inf||||",
                "parameters/name|string|||||h\u{e4}h|||",
                "parameters/start|datetime|||||||2023-11-14T22:13:20.123456Z|",
                "parameters/train|bool||||||true||",
                "sys/creation_time|datetime|||||||2023-11-14T22:13:20.000000Z|",
                "tags|string_set||||||||[\"a,\\\"b\\\"\",\"c\\u000a\\\\\"]",
            ]
        );
    }

    #[test]
    fn only_what_is_asked_for_comes_out_and_as_it_was_asked_for() {
        let rows = short(&export(&Sample::small(), &["tags", "parameters/batch"]));
        let paths: Vec<&str> = rows.iter().filter_map(|row| row.split('|').next()).collect();
        assert_eq!(paths, ["tags", "parameters/batch"]);
    }

    #[test]
    fn a_path_that_is_not_there_is_refused_before_anything_is_written() {
        let sample = Sample::small();
        let paths = [String::from("tags"), String::from("logs/los")];
        let mut text = Vec::new();
        let error = csv(&sample.store, &sample.experiment, &paths, &mut text, &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("logs/loss"), "{error}");
        assert!(text.is_empty());
    }

    #[test]
    fn a_long_series_comes_out_whole() {
        let sample = Sample::with_series(40_000);
        let rows = export(&sample, &["logs/loss"]);
        assert_eq!(rows.len(), 40_000);
        for (at, row) in rows.iter().enumerate() {
            assert_eq!((&row[4], &row[7]), (&at.to_string(), &format!("{:?}", Sample::value(at))));
        }
    }

    #[test]
    fn points_that_come_meanwhile_do_not_repeat_a_step() {
        let sample = Sample::with_series(40_000);
        let mut other = sample.another();
        let (mut text, mut has_grown) = (Vec::new(), false);
        let mut grow = |_| {
            if !has_grown {
                // In front of what is written, between its steps, and behind everything.
                other.log(&[-5.0, 100.5, 16_383.5, 16_384.5, 50_000.0]);
            }
            has_grown = true;
        };
        csv(&sample.store, &sample.experiment, &[String::from("logs/loss")], &mut text, &mut grow).unwrap();
        let steps: Vec<f64> = rows_of(&text)[1..].iter().map(|row| row[4].parse().unwrap()).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(steps.iter().filter(|step| step.fract() == 0.0 && **step < 40_000.0).count(), 40_000);
        assert_eq!(steps.last(), Some(&50_000.0));
    }

    #[test]
    fn a_time_too_far_away_is_refused_by_its_path() {
        let error = moment(Timestamp::from_micros(i64::MAX), "logs/loss").map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("logs/loss"), "{error}");
    }

    #[test]
    fn a_disk_without_room_is_told_apart_from_a_closed_pipe() {
        struct Refuses(io::ErrorKind);
        impl Write for Refuses {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sample = Sample::small();
        for (refusal, kind) in
            [(io::ErrorKind::StorageFull, ErrorKind::Full), (io::ErrorKind::BrokenPipe, ErrorKind::Unavailable)]
        {
            let error = csv(&sample.store, &sample.experiment, &[], &mut Refuses(refusal), &mut |_| {}).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }
}
