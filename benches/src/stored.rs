//! Stores to be measured: a long series, a large table, and the same points as Parquet.

use std::{io, path::Path, sync::Arc};

use neptune_core::{ExperimentId, Mode, Session, Timestamp};
use neptune_format::{AtomValue, Content, Entry, Position, Record, VariablePath, WriterId};
use neptune_store::{Piece, Store, StoreOptions, WriterKey};
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{DoubleType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use crate::trainer::Curve;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Logs `curve`, drains it, and returns the bytes of the store beyond those of an empty one.
///
/// # Errors
/// When the folder cannot be used.
pub fn store_curve(folder: &Path, curve: &Curve) -> Outcome<u64> {
    let session =
        Session::builder().folder(folder).project("bench/curve").mode(Mode::Embedded).without_code().open()?;
    let empty = {
        session.experiment().start()?.stop()?;
        size_of_store(folder)?
    };
    let experiment = session.experiment().start()?;
    let loss = experiment.series::<f32>("train/loss")?;
    for (step, (value, time)) in curve.losses.iter().zip(&curve.times).enumerate() {
        loss.append_with(step, Timestamp::from_micros(*time), *value);
    }
    experiment.stop()?;
    Ok(size_of_store(folder)?.saturating_sub(empty))
}

fn size_of_store(folder: &Path) -> Outcome<u64> {
    Store::open(folder, StoreOptions::default())?.vacuum()?;
    Ok(std::fs::metadata(folder.join("store.db"))?.len())
}

/// The bytes of the same points as Parquet with zstd: step, time and value in columns, and otherwise the defaults.
///
/// # Errors
/// When Parquet refuses.
pub fn parquet_bytes(curve: &Curve) -> Outcome<u64> {
    let schema = "message points { required int64 step; required int64 time; required double value; }";
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(parse_message_type(schema)?), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let steps: Vec<i64> = (0..).take(curve.losses.len()).collect();
    let values: Vec<f64> = curve.losses.iter().map(|loss| f64::from(*loss)).collect();
    for column in [&steps, &curve.times] {
        let mut writer = group.next_column()?.ok_or_else(|| io::Error::other("no column"))?;
        writer.typed::<Int64Type>().write_batch(column, None, None)?;
        writer.close()?;
    }
    let mut column = group.next_column()?.ok_or_else(|| io::Error::other("no column"))?;
    column.typed::<DoubleType>().write_batch(&values, None, None)?;
    column.close()?;
    group.close()?;
    writer.close()?;
    Ok(bytes.len() as u64)
}

/// Fills a store with `experiments` experiments of `columns` values each.
///
/// # Errors
/// When the folder cannot be used.
pub fn fill_table(folder: &Path, experiments: u32, columns: u32) -> Outcome<Store> {
    let mut store = Store::open(folder, StoreOptions::default())?;
    let paths = (0..columns)
        .map(|column| VariablePath::new(&format!("metrics/column{column:03}")))
        .collect::<Result<Vec<_>, _>>()?;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..experiments {
        let key = WriterKey { experiment: ExperimentId::new(), writer: WriterId::new() };
        let opened = Record::Opened {
            project: "bench/table".parse()?,
            time: Timestamp::from_micros(i64::from(number) * 1_000_000),
            host: "bench".into(),
            pid: number,
            owner: "bench".into(),
        };
        let values = paths.iter().map(|path| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = AtomValue::Float((random >> 11) as f64 / (1_u64 << 53) as f64);
            Record::Assign { path: path.clone(), value }
        });
        let entries: Vec<_> =
            std::iter::once(opened).chain(values).map(|record| Entry::Record(Box::new(record))).collect();
        let end = Position { segment: 1, offset: 4096 };
        store.apply(key, Piece { start: Position::START, end, damaged: 0 }, entries)?;
    }
    Ok(store)
}

/// Fills a store with series of `points` points each, one at each of `paths`, and returns it.
///
/// # Errors
/// When the folder cannot be used.
pub fn fill_series(folder: &Path, paths: &[&str], points: u32) -> Outcome<Store> {
    let mut store = Store::open(folder, StoreOptions::default())?;
    let key = WriterKey { experiment: ExperimentId::new(), writer: WriterId::new() };
    let mut records = vec![Record::Opened {
        project: "bench/series".parse()?,
        time: Timestamp::from_micros(0),
        host: "bench".into(),
        pid: 1,
        owner: "bench".into(),
    }];
    for (series, path) in (0..).zip(paths) {
        records.push(Record::Define { series, path: VariablePath::new(path)?, content: Content::Float });
    }
    let mut start = Position::START;
    let mut end = Position { segment: 1, offset: 1024 };
    let entries = records.into_iter().map(|record| Entry::Record(Box::new(record)));
    store.apply(key, Piece { start, end, damaged: 0 }, entries)?;
    for first in (0..points).step_by(65_536) {
        start = end;
        end = Position { segment: end.segment + 1, offset: 128 };
        let entries = (first..points.min(first + 65_536)).flat_map(|number| {
            // A noisy curve in 32-bit precision, like a loss.
            let noise = (f64::from(number) * 12.9898).sin() * 43_758.545_3;
            #[expect(clippy::cast_possible_truncation, reason = "32-bit precision is what models have")]
            let value = (1.0 / (1.0 + f64::from(number) / 1e5) + 0.05 * noise.fract()) as f32;
            let time = Timestamp::from_micros(1_700_000_000_000_000 + i64::from(number) * 200 + i64::from(number % 7));
            (0..).zip(paths).map(move |(series, _)| Entry::Float { series, time, step: None, value: f64::from(value) })
        });
        store.apply(key, Piece { start, end, damaged: 0 }, entries)?;
    }
    Ok(store)
}
