//! A [`Table`] as a record batch of Arrow.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchOptions,
    builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder},
};
use arrow_schema::{Field, Schema};

use super::{Column, Table, Values};

impl Table {
    /// The table as a record batch of Arrow, with its columns and their names.
    ///
    /// Numbers are Float64, whole numbers Int64, text is Utf8, times are Timestamp in microseconds with the zone `UTC`, sets are
    /// List of Utf8. Every column may be null: what is missing is null, and NaN is NaN. The values are copied.
    pub fn to_record_batch(&self) -> RecordBatch {
        let columns: Vec<ArrayRef> = self.columns().iter().map(array).collect();
        let fields = self.columns().iter().zip(&columns);
        let fields: Vec<Field> =
            fields.map(|(column, array)| Field::new(column.name(), array.data_type().clone(), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .expect("every column has the type of its field and as many rows as the table")
    }
}

fn array(column: &Column) -> ArrayRef {
    let rows = column.len();
    let all = if column.presence().is_none() { vec![true; rows] } else { Vec::new() };
    let present = column.presence().unwrap_or(&all);
    match column.values() {
        Values::Float(values) => {
            let mut builder = Float64Builder::with_capacity(rows);
            builder.append_values(values, present);
            Arc::new(builder.finish())
        }
        Values::Int(values) => {
            let mut builder = Int64Builder::with_capacity(rows);
            builder.append_values(values, present);
            Arc::new(builder.finish())
        }
        Values::Bool(values) => {
            let mut builder = BooleanBuilder::with_capacity(rows);
            for (value, present) in values.iter().zip(present) {
                builder.append_option(present.then_some(*value));
            }
            Arc::new(builder.finish())
        }
        Values::Datetime(values) => {
            let mut builder = TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
            for (value, present) in values.iter().zip(present) {
                builder.append_option(present.then_some(value.as_micros()));
            }
            Arc::new(builder.finish())
        }
        Values::String(values) => {
            let mut builder = StringBuilder::new();
            for (value, present) in values.iter().zip(present) {
                builder.append_option(present.then_some(value));
            }
            Arc::new(builder.finish())
        }
        Values::Set(values) => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for (members, present) in values.iter().zip(present) {
                for member in members.iter().filter(|_| *present) {
                    builder.values().append_value(member);
                }
                builder.append(*present);
            }
            Arc::new(builder.finish())
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        Array as _,
        cast::AsArray as _,
        types::{Float64Type, Int64Type, TimestampMicrosecondType},
    };

    use super::{super::sample::one_of_each, *};

    #[test]
    fn every_type_becomes_its_array_with_nulls_where_a_value_is_missing() {
        let table = one_of_each();
        let batch = table.to_record_batch();
        assert!(batch.schema().fields().iter().map(|field| field.name()).eq(table.names()));
        for column in &batch.columns()[..6] {
            assert_eq!((column.null_count(), column.is_null(1)), (1, true), "{column:?}");
        }
        assert_eq!(batch.column(6).null_count(), 0);
        let x = batch.column(0).as_primitive::<Float64Type>();
        assert!(x.value(0).to_bits() == 0.5_f64.to_bits() && x.value(2).is_nan());
        assert_eq!(batch.column(1).as_primitive::<Int64Type>().value(0), i64::MIN);
        assert!(batch.column(2).as_boolean().value(0) && !batch.column(2).as_boolean().value(2));
        let times = batch.column(3).as_primitive::<TimestampMicrosecondType>();
        assert_eq!((times.value(0), times.timezone()), (-7, Some("UTC")));
        let texts = batch.column(4).as_string::<i32>();
        assert_eq!((texts.value(0), texts.value(2)), ("", "h\u{e4}\n"));
        let sets = batch.column(5).as_list::<i32>();
        assert_eq!(sets.value(0).len(), 0);
        assert_eq!(sets.value(2).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("a"), Some("b")]);
    }

    #[test]
    fn a_table_without_rows_or_columns_is_a_batch_without() {
        let batch = Table::new([Column::new("x", Vec::<f64>::new())]).unwrap().to_record_batch();
        assert_eq!((batch.num_columns(), batch.num_rows()), (1, 0));
        assert_eq!(Table::default().to_record_batch().num_columns(), 0);
    }
}
