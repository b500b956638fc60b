//! Export as Parquet.
//!
//! The file has the schema that neptune-exporter writes and that its loaders check when they read.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};

use super::{
    part::{Cells, Part, each_part, paths as exported},
    step::decimal,
    write_error::unwritten,
};
use crate::{
    chunk::{Points, Values},
    error::{Error, ErrorKind, Result},
    read::ExperimentKey,
    store::Store,
};

/// As neptune-exporter writes it: every column may be empty, and a set is a list in the three levels of the format.
const SCHEMA: &str = "message schema {
    optional binary project_id (STRING);
    optional binary run_id (STRING);
    optional binary attribute_path (STRING);
    optional binary attribute_type (STRING);
    optional int64 step (DECIMAL(18, 6));
    optional int64 timestamp (TIMESTAMP(MILLIS, true));
    optional int64 int_value;
    optional double float_value;
    optional binary string_value (STRING);
    optional boolean bool_value;
    optional int64 datetime_value (TIMESTAMP(MILLIS, true));
    optional group string_set_value (LIST) {
        repeated group list {
            optional binary element (STRING);
        }
    }
}";

/// How much of an experiment is in memory before it is written as a row group.
#[derive(Debug, Clone, Copy)]
struct Limits {
    rows: usize,
    bytes: usize,
}

impl Limits {
    /// A million rows, which is about what other writers put into a row group, are 24 MB of numbers. Text may be longer: 64 MiB
    /// of it are as much as such a row group should be once it is read.
    const USUAL: Self = Self { rows: 1_000_000, bytes: 64 << 20 };
}

/// Writes variables of an experiment to `out` as one Parquet file, with the columns of [this module](super). Returns how many
/// rows it has. No `paths` means every variable. `progress` is told how many rows there are so far.
///
/// The columns have the types that neptune-exporter gives them, and its loaders read the file:
///
/// - `step` is a decimal number of 18 digits, 6 of them behind the point. A step with more is rounded to the nearest, so two
///   steps may become one.
/// - `timestamp` and `datetime_value` are in milliseconds, UTC, rounded down: the loaders refuse a file with microseconds.
///   [`csv`](super::csv) keeps them.
/// - `string_set_value` is a list of strings.
/// - What is not of the type of its row is null.
///
/// Row groups have at most 1,000,000 rows and are compressed with zstd. This blocks until everything is read and written.
/// Memory is taken for one row group, which has fewer rows where 64 MiB of text come first, however long the experiment is.
/// After an error what was written is not a Parquet file: write to a file of another name, and rename it at the end.
///
/// # Errors
/// `NotFound` when there is no variable at one of `paths`; then nothing was written. `Invalid` when a step is not between
/// -10^12 and 10^12. `Full` or `Unavailable` when `out` takes no more, `Corrupt` when what is stored is damaged.
pub fn parquet<W: Write + Send>(
    store: &Store,
    experiment: &ExperimentKey,
    paths: &[String],
    out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    parquet_within(Limits::USUAL, store, experiment, paths, out, progress)
}

fn parquet_within<W: Write + Send>(
    limits: Limits,
    store: &Store,
    experiment: &ExperimentKey,
    paths: &[String],
    out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    let paths = exported(store, experiment, paths)?;
    let schema = Arc::new(parse_message_type(SCHEMA).expect("the schema is a valid one"));
    let mut table = Table {
        file: SerializedFileWriter::new(out, schema, Arc::new(properties())).map_err(failed)?,
        project: experiment.project.as_str().into(),
        run: experiment.short_id.as_str().into(),
        limits,
        parts: Vec::new(),
        rows: 0,
        bytes: 0,
    };
    let mut rows = 0;
    each_part(store, experiment, &paths, |part| {
        rows += part.rows() as u64;
        table.add(part)?;
        progress(rows);
        Ok(())
    })?;
    table.write_group()?;
    table.file.close().map_err(failed)?;
    Ok(rows)
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    // Steps and times of a series are evenly spaced or nearly so, and no two of them are the same.
    for column in ["step", "timestamp"] {
        let column = ColumnPath::from(column);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// The file, and the row group that is gathered for it.
struct Table<W: Write> {
    file: SerializedFileWriter<W>,
    project: ByteArray,
    run: ByteArray,
    limits: Limits,
    parts: Vec<Part>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> Table<W> {
    fn add(&mut self, part: Part) -> Result<()> {
        let mut next = Some(part);
        while let Some(mut part) = next {
            next = part.split_off(self.limits.rows - self.rows);
            self.rows += part.rows();
            self.bytes += part.bytes();
            self.parts.push(part);
            if self.rows >= self.limits.rows || self.bytes >= self.limits.bytes {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group().map_err(failed)?;
        let parts = &self.parts;
        let each = |part: &Part, text: ByteArray| Ok(Some(vec![text; part.rows()]));
        column::<ByteArrayType, _>(&mut group, parts, |part| each(part, self.project.clone()))?;
        column::<ByteArrayType, _>(&mut group, parts, |part| each(part, self.run.clone()))?;
        column::<ByteArrayType, _>(&mut group, parts, |part| each(part, part.path.as_str().into()))?;
        column::<ByteArrayType, _>(&mut group, parts, |part| each(part, part.type_name().into()))?;
        column::<Int64Type, _>(&mut group, parts, steps)?;
        column::<Int64Type, _>(&mut group, parts, |part| {
            Ok(points(part).map(|points| points.times.iter().copied().map(millis).collect()))
        })?;
        column::<Int64Type, _>(&mut group, parts, |part| {
            Ok(if let Cells::Int(value) = part.cells { Some(vec![value]) } else { None })
        })?;
        column::<DoubleType, _>(&mut group, parts, |part| Ok(floats(part)))?;
        column::<ByteArrayType, _>(&mut group, parts, |part| Ok(texts(part)))?;
        column::<BoolType, _>(&mut group, parts, |part| {
            Ok(if let Cells::Bool(value) = part.cells { Some(vec![value]) } else { None })
        })?;
        column::<Int64Type, _>(&mut group, parts, |part| {
            Ok(if let Cells::Datetime(time) = part.cells { Some(vec![millis(time.as_micros())]) } else { None })
        })?;
        column_of_sets(&mut group, parts)?;
        group.close().map_err(failed)?;
        self.parts.clear();
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

/// Writes the next column: for each part a value for each of its rows, or none.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    parts: &[Part],
    values_of: impl Fn(&Part) -> Result<Option<Vec<T::T>>>,
) -> Result<()> {
    let mut column = group.next_column().map_err(failed)?.expect("the schema has a column for every call");
    for part in parts {
        let values = values_of(part)?;
        let levels = vec![i16::from(values.is_some()); part.rows()];
        let values = values.unwrap_or_default();
        column.typed::<T>().write_batch(&values, Some(&levels), None).map_err(failed)?;
    }
    column.close().map_err(failed)
}

/// How far a place of a column of sets is filled in: no list, a list without members, and a member. A level between these
/// says that a member is null, which none is.
pub(super) const NO_LIST: i16 = 0;
pub(super) const NO_MEMBER: i16 = 1;
pub(super) const MEMBER: i16 = 3;

/// Writes the column of sets, the last.
fn column_of_sets<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, parts: &[Part]) -> Result<()> {
    let mut column = group.next_column().map_err(failed)?.expect("the schema has a column of sets");
    for part in parts {
        let members = if let Cells::Set(members) = &part.cells { members.as_slice() } else { &[] };
        let filled = match (&part.cells, members.len()) {
            (Cells::Set(_), 0) => vec![NO_MEMBER],
            (Cells::Set(_), members) => vec![MEMBER; members],
            _ => vec![NO_LIST; part.rows()],
        };
        // Of a list, the first member begins a row and the others go on with it.
        let is_set = matches!(part.cells, Cells::Set(_));
        let repeated: Vec<i16> = (0..filled.len()).map(|at| i16::from(is_set && at > 0)).collect();
        let members: Vec<ByteArray> = members.iter().map(|member| member.as_str().into()).collect();
        column.typed::<ByteArrayType>().write_batch(&members, Some(&filled), Some(&repeated)).map_err(failed)?;
    }
    column.close().map_err(failed)
}

fn points(part: &Part) -> Option<&Points> {
    if let Cells::Points(points) = &part.cells { Some(points) } else { None }
}

fn steps(part: &Part) -> Result<Option<Vec<i64>>> {
    let Some(points) = points(part) else { return Ok(None) };
    let decimals = points.steps.iter().map(|&step| {
        decimal(step).ok_or_else(|| {
            let path = &part.path;
            let message = format!(
                "step {step:?} of {path} has more than the 12 digits that a Parquet export keeps before the point; \
                 export to CSV instead"
            );
            Error::new(ErrorKind::Invalid, message)
        })
    });
    decimals.collect::<Result<_>>().map(Some)
}

fn floats(part: &Part) -> Option<Vec<f64>> {
    match &part.cells {
        Cells::Float(value) => Some(vec![*value]),
        Cells::Points(Points { values: Values::Float(values), .. }) => Some(values.clone()),
        _ => None,
    }
}

fn texts(part: &Part) -> Option<Vec<ByteArray>> {
    match &part.cells {
        Cells::Text(text) => Some(vec![text.as_str().into()]),
        Cells::Points(Points { values: Values::Text(texts), .. }) => {
            Some(texts.iter().map(|text| text.as_str().into()).collect())
        }
        _ => None,
    }
}

const fn millis(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

/// What to say when `error` ended an export.
pub(super) fn failed(error: ParquetError) -> Error {
    let message = "the export cannot be written";
    match error {
        ParquetError::External(error) => match error.downcast() {
            Ok(error) => unwritten(*error),
            Err(error) => Error::new(ErrorKind::Unavailable, message).because(error),
        },
        error => Error::new(ErrorKind::Unavailable, message).because(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io};

    use parquet::{
        file::{
            metadata::RowGroupMetaData,
            reader::{FileReader as _, SerializedFileReader},
        },
        record::{Field, Row},
    };

    use super::{
        super::{part::COLUMNS, sample::Sample},
        *,
    };

    type Reader = SerializedFileReader<File>;

    fn export_within(limits: Limits, sample: &Sample, paths: &[&str]) -> Reader {
        let paths: Vec<String> = paths.iter().copied().map(String::from).collect();
        let file = tempfile::tempfile().unwrap();
        let mut told = 0;
        let mut progress = |rows| told = rows;
        let count = parquet_within(limits, &sample.store, &sample.experiment, &paths, &file, &mut progress).unwrap();
        let reader = Reader::new(file).unwrap();
        let kept = reader.metadata().file_metadata().num_rows();
        assert_eq!((kept, told), (i64::try_from(count).unwrap(), count));
        reader
    }

    fn export(sample: &Sample, paths: &[&str]) -> Reader {
        export_within(Limits::USUAL, sample, paths)
    }

    fn rows(reader: &Reader) -> Vec<Row> {
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect()
    }

    fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
        row.get_column_iter().find(|(column, _)| *column == name).unwrap().1
    }

    fn group_rows(reader: &Reader) -> Vec<i64> {
        reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect()
    }

    /// The columns behind the path.
    fn shown(row: &Row) -> String {
        let cell = |(_, field): (&String, &Field)| match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Double(value) => format!("{value:?}"),
            Field::TimestampMillis(millis) => millis.to_string(),
            field => field.to_string(),
        };
        row.get_column_iter().skip(2).map(cell).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn every_variable_reads_back_with_one_row_a_point() {
        let rows = rows(&export(&Sample::small(), &[]));
        for row in &rows {
            assert_eq!(field(row, "project_id"), &Field::Str(String::from("ada/mnist")));
            assert_eq!(field(row, "run_id"), &Field::Str(String::from("MNI-1")));
        }
        let mut rows: Vec<String> = rows.iter().map(shown).collect();
        rows.retain(|row| !row.starts_with("sys/") || row.starts_with("sys/creation_time"));
        assert_eq!(
            rows,
            [
                "logs/loss|float_series|-1.500000|-1||0.1||||",
                "logs/loss|float_series|0.000000|1700000000000||NaN||||",
                "logs/loss|float_series|1.000000|1700000000000||-inf||||",
                "logs/loss|float_series|2.000000|1700000001000||1e-300||||",
                "logs/text|string_series|0.000000|1700000000000|||=1+1, \"two\"\nlines|||",
                "logs/text|string_series|1.000000|1700000000000||||||",
                "no_tags|string_set||||||||[]",
                "parameters/batch|int|||-7|||||",
                "parameters/config|string|||||{\"a\": [1]}|||",
                "parameters/lr|float||||inf||||",
                "parameters/name|string|||||h\u{e4}h|||",
                "parameters/start|datetime|||||||1700000000123|",
                "parameters/train|bool||||||true||",
                "sys/creation_time|datetime|||||||1700000000000|",
                "tags|string_set||||||||[\"a,\"b\"\", \"c\n\\\"]",
            ]
        );
    }

    #[test]
    fn an_empty_text_is_not_null_and_an_atom_has_no_step() {
        let reader = export(&Sample::small(), &["logs/text", "parameters/name"]);
        let rows = rows(&reader);
        assert_eq!(field(&rows[1], "string_value"), &Field::Str(String::new()));
        assert_eq!(field(&rows[2], "step"), &Field::Null);
        assert_eq!(field(&rows[2], "string_set_value"), &Field::Null);
    }

    #[test]
    fn the_columns_are_those_of_every_export() {
        let reader = export(&Sample::small(), &[]);
        let schema = reader.metadata().file_metadata().schema().get_fields();
        assert_eq!(schema.iter().map(|field| field.name()).collect::<Vec<_>>(), COLUMNS);
    }

    #[test]
    fn a_long_series_comes_out_whole_in_groups_of_a_size() {
        let sample = Sample::with_series(40_000);
        let limits = Limits { rows: 15_000, ..Limits::USUAL };
        let reader = export_within(limits, &sample, &["logs/loss"]);
        assert_eq!(group_rows(&reader), [15_000, 15_000, 10_000]);
        for (at, row) in rows(&reader).iter().enumerate() {
            assert_eq!(field(row, "float_value"), &Field::Double(Sample::value(at)));
            assert_eq!(shown(row).split('|').nth(2), Some(format!("{at}.000000").as_str()));
        }
    }

    #[test]
    fn a_group_of_long_texts_has_fewer_rows() {
        let texts: Vec<String> = (0..40).map(|at| at.to_string().repeat(100_000)).collect();
        // The first ten have 1 MB together, each further ten 2 MB.
        let limits = Limits { bytes: 1_900_000, ..Limits::USUAL };
        let reader = export_within(limits, &Sample::with_texts(&texts), &["logs/text"]);
        assert_eq!(group_rows(&reader), [20, 10, 10]);
        let rows = rows(&reader);
        for (row, text) in rows.iter().zip(&texts) {
            assert_eq!(field(row, "string_value"), &Field::Str(text.clone()));
        }
    }

    #[test]
    fn an_export_without_rows_is_a_file() {
        let sample = Sample::with_series(0);
        sample.store.connection.execute("DELETE FROM variable", []).unwrap();
        let reader = export(&sample, &[]);
        assert_eq!((rows(&reader).len(), group_rows(&reader).len()), (0, 0));
    }

    #[test]
    fn a_step_that_a_decimal_cannot_hold_is_refused_by_name() {
        let sample = Sample::with_steps(&[0.0, 2e12]);
        let error = parquet(&sample.store, &sample.experiment, &[], Vec::new(), &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().starts_with("step 2000000000000.0 of logs/loss has more than"), "{error}");
    }

    #[test]
    fn a_path_that_is_not_there_is_refused_before_anything_is_written() {
        let sample = Sample::small();
        let mut file = Vec::new();
        let paths = [String::from("logs/los")];
        let error = parquet(&sample.store, &sample.experiment, &paths, &mut file, &mut |_| {}).unwrap_err();
        assert_eq!((error.kind(), file.len()), (ErrorKind::NotFound, 0));
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
            let error = parquet(&sample.store, &sample.experiment, &[], Refuses(refusal), &mut |_| {}).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }
}
