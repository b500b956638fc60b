//! A series of numbers in few buckets, for drawing.
//!
//! Every point in the range is in exactly one bucket, and the least and the greatest value of a bucket are values of points in
//! it: whatever the number of buckets, no spike is lost.

use std::ops::RangeInclusive;

use rusqlite::params;

use super::{
    ExperimentKey,
    series::{FoundSeries, blob, chunks_in_range, point_count},
};
pub use crate::chunk::Bucket;
use crate::{
    apply::{BRIEF, BYTES},
    chunk::{Points, Values, decode_blocks, decode_onto},
    error::{Error, Result},
    store::Store,
};

impl Store {
    /// The points of the series of numbers at `path` with `first <= step <= last` in at most `buckets` buckets, in order.
    ///
    /// Each bucket has the points of an equal share of the steps; shares without points give none. When there are no more
    /// points than buckets, each point is a bucket. A bucket may have up to 255 points that lie in the share of the next:
    /// the range is cut exactly at its ends, and inside of it a block of 256 points that is narrower than a share is not
    /// taken apart.
    ///
    /// # Errors
    /// `NotFound` when there is no such variable, `Invalid` when it is not a series of numbers, `Corrupt` when what is stored
    /// is damaged.
    pub fn overview(
        &self,
        experiment: &ExperimentKey,
        path: &str,
        range: RangeInclusive<f64>,
        buckets: usize,
    ) -> Result<Vec<Bucket>> {
        let series = self.find_numbers(experiment, path)?;
        let snapshot = self.connection.unchecked_transaction()?;
        let buckets = self.buckets(series, range, buckets, Infinite::Told)?;
        snapshot.finish()?;
        Ok(buckets)
    }

    /// All points of a series of numbers in one bucket, as the transaction of the caller sees them; `None` when there are none.
    /// It does not tell infinities from NaN.
    pub(crate) fn as_one_bucket(&self, experiment: i64, path: i64) -> Result<Option<Bucket>> {
        let series = FoundSeries::of_numbers(experiment, path);
        Ok(self.buckets(series, f64::NEG_INFINITY..=f64::INFINITY, 1, Infinite::Untold)?.pop())
    }

    /// Chunks are looked up first and read after, and both must see the same ones: this is called within a transaction.
    fn buckets(
        &self,
        series: FoundSeries,
        range: RangeInclusive<f64>,
        buckets: usize,
        infinite: Infinite,
    ) -> Result<Vec<Bucket>> {
        let pieces = self.pieces(series, range)?;
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(Vec::new()) };
        let points: usize = pieces.iter().map(Piece::count).sum();
        let mut drawing = Drawing {
            grid: Grid::new(first.steps().0, last.steps().1, buckets),
            point_by_point: points <= buckets,
            infinite,
            buckets: Vec::new(),
            share: 0,
        };
        if buckets > 0 {
            for piece in pieces {
                self.draw(series, piece, &mut drawing)?;
            }
        }
        Ok(drawing.buckets)
    }

    /// The chunks that have points in the range. Those at its ends, which it may cut, are decoded and cut.
    fn pieces(&self, series: FoundSeries, range: RangeInclusive<f64>) -> Result<Vec<Piece>> {
        let (start, end) = range.into_inner();
        // The row holds the blocks before the data, so that the pages of the data are not read.
        let columns = format!("id, first_step, last_step, count, {BRIEF}");
        let mut statement = self.connection.prepare_cached(&chunks_in_range(&columns))?;
        let mut rows = statement.query(params![series.experiment, series.path, start, end])?;
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, first, last): (i64, f64, f64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let piece = if first < start || last > end {
                let mut points = self.points_of(series, id)?;
                points.keep_steps(start, end);
                if points.is_empty() {
                    continue;
                }
                Piece::Points(points)
            } else {
                Piece::Chunk { id, steps: (first, last), count: point_count(row, 3)?, blocks: row.get(4)? }
            };
            // A step that is NaN is behind nothing.
            let is_behind = pieces.last().is_none_or(|before| before.steps().1 < piece.steps().0);
            if !is_behind || piece.steps().0 > piece.steps().1 {
                return Err(damaged("the order of"));
            }
            pieces.push(piece);
        }
        Ok(pieces)
    }

    fn points_of(&self, series: FoundSeries, chunk: i64) -> Result<Points> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {BYTES} FROM chunk WHERE id = $1"))?;
        let mut rows = statement.query([chunk])?;
        let row = rows.next()?.ok_or_else(|| damaged("the row of"))?;
        let mut points = series.no_points();
        decode_onto(&mut points, blob(row, 0)?)?;
        Ok(points)
    }

    fn draw(&self, series: FoundSeries, piece: Piece, drawing: &mut Drawing) -> Result<()> {
        let (id, steps, count, blocks) = match piece {
            Piece::Points(points) => {
                drawing.add_points(&points);
                return Ok(());
            }
            Piece::Chunk { id, steps, count, blocks } => (id, steps, count, blocks),
        };
        if let Some(blocks) = blocks.filter(|_| !drawing.point_by_point) {
            let blocks = decode_blocks(&blocks)?;
            let ends = blocks.first().zip(blocks.last()).map(|(first, last)| (first.first_step, last.last_step));
            if ends != Some(steps) || blocks.iter().map(|block| block.count).sum::<u64>() != count as u64 {
                return Err(damaged("the brief of"));
            }
            let is_told = drawing.infinite == Infinite::Untold || blocks.iter().all(|block| block.nonfinite == 0);
            if is_told && blocks.iter().all(|block| drawing.grid.is_narrow(block)) {
                for block in &blocks {
                    drawing.add(drawing.grid.share(block.first_step), block);
                }
                return Ok(());
            }
        }
        let points = self.points_of(series, id)?;
        if points.len() != count || points.steps.first().copied().zip(points.steps.last().copied()) != Some(steps) {
            return Err(damaged("the row of"));
        }
        drawing.add_points(&points);
        Ok(())
    }
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("{what} a chunk is damaged; see neptune doctor"))
}

/// A chunk with points in the range.
#[derive(Debug)]
enum Piece {
    /// One that lies in the range as a whole.
    Chunk { id: i64, steps: (f64, f64), count: usize, blocks: Option<Vec<u8>> },
    /// What the range leaves of one at its ends; not empty.
    Points(Points),
}

impl Piece {
    fn count(&self) -> usize {
        match self {
            Self::Chunk { count, .. } => *count,
            Self::Points(points) => points.len(),
        }
    }

    /// The first and the last step.
    fn steps(&self) -> (f64, f64) {
        match self {
            Self::Chunk { steps, .. } => *steps,
            Self::Points(points) => {
                let or_nan = |step: Option<&f64>| step.copied().unwrap_or(f64::NAN);
                (or_nan(points.steps.first()), or_nan(points.steps.last()))
            }
        }
    }
}

/// Equal shares of a range of steps. All numbers are halves, so that the width of any range is finite.
#[derive(Debug, Clone, Copy)]
struct Grid {
    start: f64,
    width: f64,
    shares: usize,
}

impl Grid {
    fn new(first: f64, last: f64, shares: usize) -> Self {
        Self { start: first / 2.0, width: (last / 2.0 - first / 2.0) / shares.max(1) as f64, shares }
    }

    /// The number of the share that has `step`. It never falls as steps rise.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, NaN gives 0")]
    fn share(&self, step: f64) -> usize {
        (((step / 2.0 - self.start) / self.width) as usize).min(self.shares.saturating_sub(1))
    }

    /// Whether a block need not be taken apart.
    fn is_narrow(&self, block: &Bucket) -> bool {
        block.last_step / 2.0 - block.first_step / 2.0 <= self.width
    }
}

/// Whether infinities are told from NaN: chunks that have any of them are decoded for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Infinite {
    Told,
    Untold,
}

/// The buckets so far.
#[derive(Debug)]
struct Drawing {
    grid: Grid,
    point_by_point: bool,
    infinite: Infinite,
    buckets: Vec<Bucket>,
    /// The share of the last bucket.
    share: usize,
}

impl Drawing {
    /// Adds what lies behind everything so far.
    fn add(&mut self, share: usize, next: &Bucket) {
        match self.buckets.last_mut() {
            Some(bucket) if self.share == share && !self.point_by_point => bucket.append(next),
            _ => self.buckets.push(*next),
        }
        self.share = share;
    }

    fn add_points(&mut self, points: &Points) {
        let Values::Float(values) = &points.values else { return };
        let mut start = 0;
        while let Some(&step) = points.steps.get(start) {
            let share = self.grid.share(step);
            let more = if self.point_by_point {
                1
            } else {
                points.steps[start..].partition_point(|&step| self.grid.share(step) <= share)
            };
            let run = start..start + more;
            if let Some(bucket) = Bucket::of(&points.steps[run.clone()], &points.times[run.clone()], &values[run]) {
                self.add(share, &bucket);
            }
            start += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use neptune_format::VariableType;
    use proptest::prelude::*;

    use super::{
        super::series::tests::{numbers, store_with},
        *,
    };
    use crate::{chunk::Chunk, error::ErrorKind};

    const ALL: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

    /// Cuts points into chunks of these sizes, over and over, sealing all but the last.
    fn chunks_of(mut points: Points, sizes: &[usize]) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for &size in sizes.iter().cycle() {
            if points.len() <= size {
                break;
            }
            let rest = points.split_off(size);
            chunks.push(Chunk::sealed(&points).unwrap());
            points = rest;
        }
        chunks.push(Chunk::plain(&points));
        chunks
    }

    fn series() -> impl Strategy<Value = Points> {
        let value = prop_oneof![
            20 => -100.0_f64..100.0,
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        ];
        // Mostly one apart, and gaps of every size between.
        let gap = prop_oneof![30 => Just(1.0), 1 => 1.0_f64..1e6];
        prop::collection::vec((gap, value), 1..6000).prop_map(|points| {
            let (gaps, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
            let steps: Vec<f64> = gaps
                .iter()
                .scan(0.0, |step, gap| {
                    *step += gap;
                    Some(*step)
                })
                .collect();
            Points { times: (0..).take(steps.len()).collect(), steps, values: Values::Float(values) }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn an_overview_has_every_point_once_and_every_extreme(
            points in series(), sizes in prop::collection::vec(1_usize..2500, 1..4), buckets in 1_usize..60,
            ends in prop::array::uniform2(prop_oneof![any::<prop::sample::Index>().prop_map(Some), Just(None)])
        ) {
            let (store, experiment) = store_with(&chunks_of(points.clone(), &sizes), VariableType::FLOAT_SERIES);
            let end = |end: Option<prop::sample::Index>, or| end.map_or(or, |at| *at.get(&points.steps));
            let range = end(ends[0], f64::NEG_INFINITY)..=end(ends[1], f64::INFINITY);
            let overview = store.overview(&experiment, "loss", range.clone(), buckets).unwrap();

            let values = points.values.as_floats().unwrap();
            let inside: Vec<(f64, f64)> = points.steps.iter().copied().zip(values.iter().copied())
                .filter(|(step, _)| range.contains(step)).collect();
            prop_assert!(overview.len() <= buckets);
            prop_assert_eq!(overview.iter().map(|bucket| bucket.count).sum::<u64>(), inside.len() as u64);
            prop_assert!(overview.windows(2).all(|pair| pair[0].last_step < pair[1].first_step));
            let mut rest = inside.as_slice();
            for bucket in &overview {
                let (own, others) = rest.split_at(usize::try_from(bucket.count).unwrap());
                rest = others;
                let finite: Vec<(f64, f64)> = own.iter().copied().filter(|(_, value)| value.is_finite()).collect();
                let least = finite.iter().map(|(_, value)| *value).reduce(f64::min);
                let greatest = finite.iter().map(|(_, value)| *value).reduce(f64::max);
                prop_assert_eq!(bucket.minimum.map(|(_, value)| value), least);
                prop_assert_eq!(bucket.maximum.map(|(_, value)| value), greatest);
                for extreme in [bucket.minimum, bucket.maximum].into_iter().flatten() {
                    prop_assert!(own.contains(&extreme), "{extreme:?} is not a point of {bucket:?}");
                }
                prop_assert_eq!(bucket.nonfinite, (own.len() - finite.len()) as u64);
                let of = |wanted: f64| own.iter().filter(|(_, value)| value.to_bits() == wanted.to_bits()).count() as u64;
                prop_assert_eq!(bucket.infinite, [of(f64::INFINITY), of(f64::NEG_INFINITY)]);
                prop_assert_eq!((bucket.first_step, bucket.last_step), (own[0].0, own[own.len() - 1].0));
                prop_assert_eq!(bucket.first.to_bits(), own[0].1.to_bits());
                prop_assert_eq!(bucket.last.to_bits(), own[own.len() - 1].1.to_bits());
                let total: f64 = finite.iter().map(|(_, value)| value).sum();
                prop_assert!((bucket.total - total).abs() < 1e-6, "{} is not {total}", bucket.total);
            }
        }
    }

    fn steps(n: u32) -> Vec<f64> {
        (0..n).map(f64::from).collect()
    }

    #[test]
    fn no_more_points_than_buckets_are_given_point_by_point() {
        let (store, experiment) = store_with(&chunks_of(numbers(&steps(1000)), &[600]), VariableType::FLOAT_SERIES);
        let overview = store.overview(&experiment, "loss", ALL, 1000).unwrap();
        assert_eq!(overview.iter().map(|bucket| bucket.first_step).collect::<Vec<_>>(), steps(1000));
        let zoom = store.overview(&experiment, "loss", 590.0..=610.0, 100).unwrap();
        assert_eq!(
            zoom.iter().map(|bucket| bucket.last).collect::<Vec<_>>(),
            steps(611)[590..].iter().map(|step| -step).collect::<Vec<_>>()
        );
    }

    #[test]
    fn few_points_that_lie_close_are_not_put_together() {
        let (store, experiment) =
            store_with(&[Chunk::plain(&numbers(&[0.0, 1.0, 1000.0]))], VariableType::FLOAT_SERIES);
        assert_eq!(store.overview(&experiment, "loss", ALL, 3).unwrap().len(), 3);
        assert_eq!(store.overview(&experiment, "loss", ALL, 2).unwrap().len(), 2);
    }

    #[test]
    fn an_overview_of_a_long_series_does_not_decode_its_chunks() {
        let (store, experiment) = store_with(&chunks_of(numbers(&steps(20_000)), &[8192]), VariableType::FLOAT_SERIES);
        store.connection.execute("UPDATE chunk SET data = x'ff' WHERE first_step = 8192", []).unwrap();
        let overview = store.overview(&experiment, "loss", ALL, 50).unwrap();
        assert_eq!((overview.len(), overview[49].minimum), (50, Some((19_999.0, -19_999.0))));
        // A zoom into the chunk needs its points.
        assert!(store.overview(&experiment, "loss", 9000.0..=9100.0, 50).is_err());
    }

    #[test]
    fn a_bucket_has_the_points_of_its_share_where_points_are_few() {
        // A crowd at the left end and stragglers: the crowd is one bucket, the stragglers are each their own.
        let mut crowd: Vec<f64> = steps(3000).iter().map(|step| step / 1000.0).collect();
        crowd.extend((1_u32..=300).map(|step| f64::from(step) * 100.0));
        let (store, experiment) = store_with(&chunks_of(numbers(&crowd), &[4000]), VariableType::FLOAT_SERIES);
        let sealed = store_with(&[Chunk::sealed(&numbers(&crowd)).unwrap()], VariableType::FLOAT_SERIES);
        for (store, experiment) in [(store, experiment), sealed] {
            let overview = store.overview(&experiment, "loss", ALL, 500).unwrap();
            assert_eq!(overview.len(), 301);
            assert_eq!(overview[0].count, 3000);
        }
    }

    #[test]
    fn the_widest_range_has_shares() {
        let points = numbers(&[-f64::MAX, -1e307, 0.0, 1e307, f64::MAX]);
        let (store, experiment) = store_with(&[Chunk::plain(&points)], VariableType::FLOAT_SERIES);
        let counts = |buckets| -> Vec<u64> {
            store.overview(&experiment, "loss", ALL, buckets).unwrap().iter().map(|bucket| bucket.count).collect()
        };
        assert_eq!(counts(2), [2, 3]);
        assert_eq!(counts(3), [1, 3, 1]);
        assert_eq!(counts(1), [5]);
        assert_eq!(counts(0), [0; 0]);
    }

    #[test]
    fn a_series_of_text_has_no_overview() {
        let (store, experiment) = store_with(&[], VariableType::STRING_SERIES);
        let error = store.overview(&experiment, "loss", ALL, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("Series(string)"), "{error}");
    }

    #[test]
    fn a_brief_that_is_of_another_chunk_is_damage() {
        let mut chunks = chunks_of(numbers(&steps(3000)), &[1000]);
        chunks[1].blocks = chunks[0].blocks.clone();
        let (store, experiment) = store_with(&chunks, VariableType::FLOAT_SERIES);
        assert_eq!(store.overview(&experiment, "loss", ALL, 3).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
