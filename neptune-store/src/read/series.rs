//! The points of one series.
//!
//! Points come in the order of their steps, each step once. Of a range or a tail, only the chunks that have points in it are
//! decoded.

use std::ops::RangeInclusive;

use neptune_format::{Container, Content, VariableType};
use rusqlite::{OptionalExtension as _, Row, params};

use super::ExperimentKey;
use crate::{
    apply::BYTES,
    chunk::{MAX_POINTS, Points, decode_onto},
    error::{Error, ErrorKind, Result},
    store::Store,
};

impl Store {
    /// The points of the series at `path` with `first <= step <= last`, in the order of their steps.
    ///
    /// `f64::NEG_INFINITY..=f64::INFINITY` gives all of them. They are all in memory at once, 24 bytes each for numbers; for
    /// a drawing of a long series, [`Store::overview`] is a hundred times cheaper.
    ///
    /// # Errors
    /// `NotFound` when there is no such variable, `Invalid` when it is not a series, `Corrupt` when what is stored is damaged.
    pub fn series(&self, experiment: &ExperimentKey, path: &str, range: RangeInclusive<f64>) -> Result<Points> {
        let series = self.find_series(experiment, path)?;
        let (start, end) = range.into_inner();
        let mut points = series.no_points();
        // Room for all of a long series at once saves a quarter of the time. Another process may add points before they are
        // read: then there is not quite enough room.
        let range = params![series.experiment, series.path, start, end];
        let mut counts = self.connection.prepare_cached(&chunks_in_range("count"))?;
        points.reserve(counts.query_and_then(range, |row| point_count(row, 0))?.sum::<Result<usize>>()?);
        let mut statement = self.connection.prepare_cached(&chunks_in_range(&format!("first_step, {BYTES}")))?;
        let mut rows = statement.query(range)?;
        while let Some(row) = rows.next()? {
            decode_onto(&mut points, blob(row, 1)?)?;
            if row.get::<_, f64>(0)? < start {
                // While this is the first chunk, cutting its front off moves few points.
                points.keep_steps(start, end);
            }
        }
        points.keep_steps(start, end);
        Ok(points)
    }

    /// The `n` points of the series at `path` with the greatest steps, or all when there are fewer, in the order of their
    /// steps.
    ///
    /// # Errors
    /// As [`Store::series`].
    pub fn series_tail(&self, experiment: &ExperimentKey, path: &str, n: usize) -> Result<Points> {
        let series = self.find_series(experiment, path)?;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {BYTES} FROM chunk WHERE experiment_id = $1 AND path_id = $2 ORDER BY first_step DESC"
        ))?;
        let mut rows = statement.query(params![series.experiment, series.path])?;
        let mut found = 0;
        let mut chunks = Vec::new();
        while found < n
            && let Some(row) = rows.next()?
        {
            let mut points = series.no_points();
            decode_onto(&mut points, blob(row, 0)?)?;
            found += points.len();
            chunks.push(points);
        }
        let mut tail = series.no_points();
        for chunk in chunks.into_iter().rev() {
            if tail.steps.last() >= chunk.steps.first() && !tail.is_empty() {
                return Err(Error::corrupt(format!("the chunks of {path} overlap")));
            }
            tail.extend(chunk);
        }
        tail.drop_first(found.saturating_sub(n));
        Ok(tail)
    }

    /// The points of the series at `path` that stand together before the step `before`, in the order of their steps; none when
    /// there is none before it. For reading a long series from its end.
    ///
    /// # Errors
    /// As [`Store::series`].
    pub fn piece_before(&self, experiment: &ExperimentKey, path: &str, before: f64) -> Result<Points> {
        self.piece(
            experiment,
            path,
            "first_step < $3 ORDER BY first_step DESC",
            before,
            (f64::NEG_INFINITY, before.next_down()),
        )
    }

    /// As [`Store::piece_before`], from the step `from` on.
    ///
    /// # Errors
    /// As [`Store::series`].
    pub fn piece_from(&self, experiment: &ExperimentKey, path: &str, from: f64) -> Result<Points> {
        self.piece(experiment, path, "last_step >= $3 ORDER BY first_step", from, (from, f64::INFINITY))
    }

    fn piece(&self, experiment: &ExperimentKey, path: &str, which: &str, at: f64, steps: (f64, f64)) -> Result<Points> {
        let series = self.find_series(experiment, path)?;
        let mut points = series.no_points();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {BYTES} FROM chunk WHERE experiment_id = $1 AND path_id = $2 AND {which} LIMIT 1"
        ))?;
        let mut rows = statement.query(params![series.experiment, series.path, at])?;
        if let Some(row) = rows.next()? {
            decode_onto(&mut points, blob(row, 0)?)?;
            points.keep_steps(steps.0, steps.1);
        }
        Ok(points)
    }

    /// The series at `path`.
    pub(super) fn find_series(&self, experiment: &ExperimentKey, path: &str) -> Result<FoundSeries> {
        let mut statement = self.connection.prepare_cached(
            "SELECT variable.path_id, variable.type FROM variable JOIN path ON path.id = variable.path_id
             WHERE path.name = $1 AND variable.experiment_id = $2",
        )?;
        let found = statement
            .query_row(params![path, experiment.id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((path_id, code)) = found else { return Err(self.variable_not_found(experiment, path)) };
        let kind = u8::try_from(code).ok().and_then(VariableType::from_code).ok_or_else(|| {
            Error::new(
                ErrorKind::TooNew,
                format!("{path} has a type that this program does not know; use a newer neptune"),
            )
        })?;
        let content = kind.content;
        match Points::none_of(content) {
            Some(_) if kind.container == Container::Series => {
                Ok(FoundSeries { experiment: experiment.id, path: path_id, content })
            }
            _ => Err(Error::new(ErrorKind::Invalid, format!("{path} is {kind}; only a series has points"))),
        }
    }

    /// The series of numbers at `path`.
    pub(super) fn find_numbers(&self, experiment: &ExperimentKey, path: &str) -> Result<FoundSeries> {
        let series = self.find_series(experiment, path)?;
        if series.content == Content::Float {
            return Ok(series);
        }
        let kind = VariableType { container: Container::Series, content: series.content };
        Err(Error::new(ErrorKind::Invalid, format!("{path} is {kind}; this needs {}", VariableType::FLOAT_SERIES)))
    }
}

/// A series by its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundSeries {
    pub(super) experiment: i64,
    pub(super) path: i64,
    content: Content,
}

impl FoundSeries {
    /// A series of numbers that somebody found.
    pub(super) const fn of_numbers(experiment: i64, path: i64) -> Self {
        Self { experiment, path, content: Content::Float }
    }

    /// Where the points of its chunks go.
    pub(super) fn no_points(self) -> Points {
        Points::none_of(self.content).expect("only a content that has points is found")
    }
}

/// The query for `columns` of the chunks of a series that may have points in a range, in the order of their steps. Its
/// parameters are the experiment, the path, and the ends of the range.
pub(super) fn chunks_in_range(columns: &str) -> String {
    // Chunks do not overlap, so the last one that begins before the range is the only one that can reach into it from there.
    // Each parameter first appears in its place in the list, which is how SQLite numbers them.
    format!(
        "SELECT {columns} FROM chunk
         WHERE experiment_id = $1 AND path_id = $2 AND last_step >= $3 AND first_step <= $4
           AND first_step >= COALESCE((SELECT MAX(first_step) FROM chunk
                                       WHERE experiment_id = $1 AND path_id = $2 AND first_step <= $3), $3)
         ORDER BY first_step"
    )
}

/// The count of points of a chunk, which is what a chunk can have.
pub(super) fn point_count(row: &Row<'_>, column: usize) -> Result<usize> {
    let count: i64 = row.get(column)?;
    usize::try_from(count)
        .ok()
        .filter(|&count| count <= MAX_POINTS)
        .ok_or_else(|| Error::corrupt(format!("a chunk claims {count} points; see neptune doctor")))
}

/// The bytes in a column, where SQLite has them.
pub(super) fn blob<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row [u8]> {
    row.get_ref(column)?
        .as_blob()
        .map_err(|error| Error::corrupt("a chunk is not made of bytes; see neptune doctor").because(error))
}

#[cfg(test)]
pub(super) mod tests {
    use neptune_format::ExperimentId;
    use rusqlite::Connection;

    use super::*;
    use crate::chunk::{Chunk, Values};

    /// A store with one experiment that has a series `loss` of these chunks.
    pub(in crate::read) fn store_with(chunks: &[Chunk], kind: VariableType) -> (Store, ExperimentKey) {
        let store = Store::in_memory().unwrap();
        add_series(&store.connection, 1, "loss", chunks, kind);
        let uuid = ExperimentId::from_bytes([1; 16]);
        let project = "ada/mnist".parse().unwrap();
        (store, ExperimentKey { id: 1, uuid, short_id: String::from("MNI-1"), project })
    }

    pub(in crate::read) fn add_series(
        connection: &Connection,
        id: i64,
        path: &str,
        chunks: &[Chunk],
        kind: VariableType,
    ) {
        // The rows of the experiment are not looked at here.
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute("INSERT INTO path (id, name) VALUES ($1, $2)", params![id, path]).unwrap();
        connection
            .execute("INSERT INTO variable (experiment_id, path_id, type) VALUES (1, $1, $2)", params![id, kind.code()])
            .unwrap();
        for chunk in chunks {
            let count = i64::try_from(chunk.statistics.count).unwrap();
            connection
                .execute(
                    "INSERT INTO chunk (experiment_id, path_id, first_step, last_step, count, sealed, nonfinite, blocks, data)
                     VALUES (1, $1, $2, $3, $4, $5, 0, $6, $7)",
                    params![id, chunk.first_step, chunk.last_step, count, chunk.sealed, chunk.blocks, chunk.data],
                )
                .unwrap();
        }
    }

    /// Points at these steps.
    pub(in crate::read) fn numbers(steps: &[f64]) -> Points {
        Points {
            steps: steps.to_vec(),
            times: (0..).take(steps.len()).collect(),
            values: Values::Float(steps.iter().map(|step| -step).collect()),
        }
    }

    fn three_chunks() -> (Store, ExperimentKey) {
        let chunks = [
            Chunk::sealed(&numbers(&[0.0, 1.0, 2.0])).unwrap(),
            Chunk::sealed(&numbers(&[4.0, 5.0, 6.0])).unwrap(),
            Chunk::plain(&numbers(&[8.0, 9.0])),
        ];
        store_with(&chunks, VariableType::FLOAT_SERIES)
    }

    const ALL: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

    #[test]
    fn a_series_is_read_over_its_chunks_and_cut_to_the_range() {
        let (store, experiment) = three_chunks();
        let steps = |range| store.series(&experiment, "loss", range).unwrap().steps;
        let all = [0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 9.0];
        assert_eq!(steps(ALL), all);
        for first in -1..11 {
            for last in -1..11 {
                let range = f64::from(first)..=f64::from(last);
                let wanted: Vec<f64> = all.into_iter().filter(|step| range.contains(step)).collect();
                assert_eq!(steps(range), wanted, "{first} to {last}");
            }
        }
        assert_eq!(steps(f64::NAN..=9.0), [0.0; 0]);
        let points = store.series(&experiment, "loss", 5.0..=8.0).unwrap();
        assert_eq!(points.values, Values::Float(vec![-5.0, -6.0, -8.0]));
        assert_eq!(points.times, [1, 2, 0]);
    }

    #[test]
    fn a_tail_has_the_last_points_in_the_order_of_their_steps() {
        let (store, experiment) = three_chunks();
        let tail = |n| store.series_tail(&experiment, "loss", n).unwrap().steps;
        assert_eq!(tail(0), [0.0; 0]);
        assert_eq!(tail(1), [9.0]);
        assert_eq!(tail(4), [5.0, 6.0, 8.0, 9.0]);
        assert_eq!(tail(100), [0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 9.0]);
    }

    #[test]
    fn a_tail_and_a_range_do_not_decode_what_they_do_not_need() {
        let (store, experiment) = three_chunks();
        store.connection.execute("UPDATE chunk SET data = x'ff' WHERE first_step = 0", []).unwrap();
        assert_eq!(store.series_tail(&experiment, "loss", 5).unwrap().len(), 5);
        assert_eq!(store.series(&experiment, "loss", 3.0..=8.0).unwrap().len(), 4);
        assert!(store.series(&experiment, "loss", 2.0..=8.0).is_err());
    }

    #[test]
    fn a_series_is_read_piece_by_piece_from_both_ends() {
        let (store, experiment) = three_chunks();
        let before = |step| store.piece_before(&experiment, "loss", step).unwrap().steps;
        assert_eq!(before(f64::INFINITY), [8.0, 9.0]);
        assert_eq!(before(9.0), [8.0]);
        assert_eq!(before(8.0), [4.0, 5.0, 6.0]);
        assert_eq!(before(3.0), [0.0, 1.0, 2.0]);
        assert_eq!(before(0.0), [0.0; 0]);
        let from = |step| store.piece_from(&experiment, "loss", step).unwrap().steps;
        assert_eq!(from(f64::NEG_INFINITY), [0.0, 1.0, 2.0]);
        assert_eq!(from(1.0), [1.0, 2.0]);
        assert_eq!(from(3.0), [4.0, 5.0, 6.0]);
        assert_eq!(from(10.0), [0.0; 0]);
        assert_eq!(from(f64::NAN), [0.0; 0]);
    }

    #[test]
    fn a_series_without_points_keeps_its_content() {
        let (store, experiment) = store_with(&[], VariableType::STRING_SERIES);
        let wanted = Values::Text(Vec::new());
        assert_eq!(store.series(&experiment, "loss", ALL).unwrap().values, wanted);
        assert_eq!(store.series_tail(&experiment, "loss", 3).unwrap().values, wanted);
    }

    #[test]
    fn what_is_not_a_series_is_refused_by_its_type() {
        let (store, experiment) = store_with(&[], VariableType::atom(Content::Float));
        let error = store.series(&experiment, "loss", ALL).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Invalid, "loss is Atom(float); only a series has points")
        );
        assert_eq!(store.series(&experiment, "gain", ALL).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn chunks_that_overlap_are_damage() {
        let chunks = [numbers(&[0.0, 5.0]), numbers(&[3.0, 9.0])].map(|points| Chunk::plain(&points));
        let (store, experiment) = store_with(&chunks, VariableType::FLOAT_SERIES);
        assert_eq!(store.series(&experiment, "loss", ALL).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(store.series_tail(&experiment, "loss", 9).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn text_in_a_series_of_numbers_is_damage() {
        let text = Points { values: Values::Text(vec![String::new()]), ..numbers(&[1.0]) };
        let (store, experiment) = store_with(&[Chunk::plain(&text)], VariableType::FLOAT_SERIES);
        assert_eq!(store.series(&experiment, "loss", ALL).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
