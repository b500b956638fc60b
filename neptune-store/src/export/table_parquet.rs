//! A [`Table`] as Parquet.

use std::{io::Write, sync::Arc};

use neptune_format::Timestamp;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::parquet_file::{MEMBER, NO_LIST, NO_MEMBER, failed};
use crate::{
    error::Result,
    table::{Column, Table, Values},
};

/// How many rows a row group has at most; about what other writers put into one.
const GROUP: usize = 1_000_000;

impl Table {
    /// Writes the table to `out` as a Parquet file with its columns.
    ///
    /// Numbers are DOUBLE, whole numbers INT64, text is UTF-8, times are TIMESTAMP in microseconds UTC, sets are LIST of UTF-8.
    /// Every column may be null: what is missing is null, and NaN is NaN. Row groups have at most 1,000,000 rows and are
    /// compressed with zstd.
    ///
    /// # Errors
    /// `Full` or `Unavailable` when `out` takes no more. Then what was written is not a Parquet file.
    pub fn to_parquet(&self, out: impl Write + Send) -> Result<()> {
        let fields = self.columns().iter().map(field).collect::<parquet::errors::Result<Vec<TypePtr>>>();
        let schema = fields.and_then(|fields| Type::group_type_builder("table").with_fields(fields).build());
        let schema = schema.map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        for first in (0..self.len()).step_by(GROUP) {
            let rows = first..self.len().min(first + GROUP);
            let mut group = file.next_row_group().map_err(failed)?;
            for column in self.columns() {
                write_column(&mut group, column, rows.clone())?;
            }
            group.close().map_err(failed)?;
        }
        file.close().map_err(failed)?;
        Ok(())
    }
}

fn field(column: &Column) -> parquet::errors::Result<TypePtr> {
    let (physical, logical) = match column.values() {
        Values::Float(_) => (Physical::DOUBLE, None),
        Values::Int(_) => (Physical::INT64, None),
        Values::Bool(_) => (Physical::BOOLEAN, None),
        Values::String(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Values::Datetime(_) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Values::Set(_) => return list(column.name()),
    };
    let field = Type::primitive_type_builder(column.name(), physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(field))
}

/// A list in the three levels of the format.
fn list(name: &str) -> parquet::errors::Result<TypePtr> {
    let element = Type::primitive_type_builder("element", Physical::BYTE_ARRAY)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::String))
        .build()?;
    let repeated = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(element)])
        .build()?;
    let list = Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated)])
        .build()?;
    Ok(Arc::new(list))
}

fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    rows: std::ops::Range<usize>,
) -> Result<()> {
    match column.values() {
        Values::Float(values) => plain::<DoubleType, _, _>(group, column, rows, |row| values[row]),
        Values::Int(values) => plain::<Int64Type, _, _>(group, column, rows, |row| values[row]),
        Values::Bool(values) => plain::<BoolType, _, _>(group, column, rows, |row| values[row]),
        Values::Datetime(values) => {
            plain::<Int64Type, _, _>(group, column, rows, |row| Timestamp::as_micros(values[row]))
        }
        Values::String(values) => {
            plain::<ByteArrayType, _, _>(group, column, rows, |row| ByteArray::from(values[row].as_str()))
        }
        Values::Set(values) => sets(group, column, values, rows),
    }
}

/// Writes the next column: the values of the rows that have one, and which have.
fn plain<T: DataType, V: Fn(usize) -> T::T, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    rows: std::ops::Range<usize>,
    value: V,
) -> Result<()> {
    let levels: Vec<i16> = rows.clone().map(|row| i16::from(!column.is_missing(row))).collect();
    let values: Vec<T::T> = rows.filter(|row| !column.is_missing(*row)).map(value).collect();
    let mut column = group.next_column().map_err(failed)?.expect("the schema has every column");
    column.typed::<T>().write_batch(&values, Some(&levels), None).map_err(failed)?;
    column.close().map_err(failed)
}

fn sets<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    values: &[Vec<String>],
    rows: std::ops::Range<usize>,
) -> Result<()> {
    let (mut filled, mut repeated, mut members) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        repeated.push(0);
        if column.is_missing(row) {
            filled.push(NO_LIST);
        } else if values[row].is_empty() {
            filled.push(NO_MEMBER);
        } else {
            // The first member begins the row and the others go on with it.
            repeated.resize(repeated.len() + values[row].len() - 1, 1);
            filled.resize(repeated.len(), MEMBER);
            members.extend(values[row].iter().map(|member| ByteArray::from(member.as_str())));
        }
    }
    let mut column = group.next_column().map_err(failed)?.expect("the schema has every column");
    column.typed::<ByteArrayType>().write_batch(&members, Some(&filled), Some(&repeated)).map_err(failed)?;
    column.close().map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::{
        file::reader::{FileReader as _, SerializedFileReader},
        record::Field,
    };

    use super::*;
    use crate::table::sample::one_of_each;

    fn read(table: &Table) -> SerializedFileReader<File> {
        let file = tempfile::tempfile().unwrap();
        table.to_parquet(&file).unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    /// The rows, with one word for each cell.
    fn rows(table: &Table) -> Vec<String> {
        let shown = |field: &Field| match field {
            Field::Null => "-".to_owned(),
            Field::Double(value) => format!("{value:?}"),
            Field::TimestampMicros(micros) => micros.to_string(),
            Field::ListInternal(list) => format!("{:?}", list.elements()),
            other => other.to_string(),
        };
        let rows = read(table).into_iter().map(|row| row.unwrap());
        rows.map(|row| row.get_column_iter().map(|(_, field)| shown(field)).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn every_type_comes_back_with_its_nulls() {
        let table = one_of_each();
        assert_eq!(
            rows(&table),
            [
                "0.5|-9223372036854775808|true|-7|\"\"|[]|1.0",
                "-|-|-|-|-|-|2.0",
                "NaN|7|false|-7|\"h\u{e4}\n\"|[Str(\"a\"), Str(\"b\")]|NaN"
            ]
        );
        let reader = read(&table);
        let names: Vec<_> = reader
            .metadata()
            .file_metadata()
            .schema()
            .get_fields()
            .iter()
            .map(|field| field.name().to_owned())
            .collect();
        assert_eq!(names, table.names().collect::<Vec<_>>());
    }

    #[test]
    fn a_long_table_has_several_row_groups_and_an_empty_one_none() {
        let long = Table::new([Column::new("x", vec![1.0; GROUP + 1])]).unwrap();
        let reader = read(&long);
        assert_eq!(reader.metadata().num_row_groups(), 2);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 1_000_001);
        let empty = Table::new([Column::new("t", Vec::<Timestamp>::new())]).unwrap();
        assert_eq!(read(&empty).metadata().file_metadata().num_rows(), 0);
    }
}
