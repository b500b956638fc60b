//! [`Chunk`]: a row of the table of chunks, made from points.
//!
//! The statistics and the brief say what the points say: sealing the same points again gives the same row.

use super::{
    blocks::{BLOCK, buckets, encode_blocks},
    codec::{Form, MAX_POINTS, encode},
    points::{Points, Values},
    statistics::Statistics,
};
use crate::error::Result;

/// How many points are put into a sealed chunk.
///
/// More points cost less each, because the bins of a packed column are paid once, but a zoom decodes whole chunks. Sealing a
/// loss curve (see `packed`) takes 45 ns a point in chunks of 4,096, 35 in 16,384 and 31 in 65,536, at 3.39, 3.36 and 3.35
/// bytes a point. A chunk of 16,384 is decoded in 0.1 ms.
pub(crate) const SEALED_POINTS: usize = 16_384;

/// How many bytes of text make a sealed chunk before there are [`SEALED_POINTS`]. Twice the window in which zstd finds what
/// repeats, and small enough to read the tail of a log without a wait.
const SEALED_BYTES: usize = 4 << 20;

/// A piece of a series, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    /// The step of the first point; 0 when there is none.
    pub(crate) first_step: f64,
    /// The step of the last point; 0 when there is none.
    pub(crate) last_step: f64,
    pub(crate) statistics: Statistics,
    pub(crate) sealed: bool,
    /// The brief of the blocks of a sealed chunk of numbers with more than one block.
    pub(crate) blocks: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
}

impl Chunk {
    /// All of `points`: sealed, as long as there are enough, and what is left over in a plain chunk.
    pub(crate) fn cut(points: Points) -> impl Iterator<Item = Result<Self>> {
        into_pieces(points).into_iter().map(|piece| {
            let is_full = piece.len() >= SEALED_POINTS || piece.value_bytes() >= SEALED_BYTES;
            if is_full { Self::sealed(&piece) } else { Ok(Self::plain(&piece)) }
        })
    }

    /// All of `points`, sealed: for points that no more will follow soon.
    pub(crate) fn seal(points: Points) -> impl Iterator<Item = Result<Self>> {
        into_pieces(points).into_iter().map(|piece| Self::sealed(&piece))
    }

    /// A chunk that is cheap to make and to read, for recent points.
    ///
    /// # Panics
    /// With more than [`MAX_POINTS`]: seal in pieces before there are so many.
    pub(crate) fn plain(points: &Points) -> Self {
        assert!(points.len() <= MAX_POINTS, "{} points are too many for a chunk; seal earlier", points.len());
        let data = encode(points, Form::Plain).expect("plain columns are not packed, which is all that can fail");
        let (first_step, last_step) = ends(points);
        Self { first_step, last_step, statistics: Statistics::of(&points.values), sealed: false, blocks: None, data }
    }

    /// A chunk that is small, for points that are expected to stay as they are.
    ///
    /// # Errors
    /// `Invalid` with more than [`MAX_POINTS`].
    pub(crate) fn sealed(points: &Points) -> Result<Self> {
        let (first_step, last_step) = ends(points);
        let data = encode(points, Form::Sealed)?;
        let (statistics, blocks) = match &points.values {
            Values::Float(values) => {
                let buckets = buckets(&points.steps, &points.times, values);
                let mut statistics = Statistics::default();
                for bucket in &buckets {
                    statistics.add(&bucket.into());
                }
                (statistics, (points.len() > BLOCK).then(|| encode_blocks(&points.steps, &buckets)))
            }
            Values::Text(_) => (Statistics::of(&points.values), None),
        };
        Ok(Self { first_step, last_step, statistics, sealed: true, blocks, data })
    }
}

/// Points in pieces, each of which but the last is enough for a sealed chunk. No piece is empty.
fn into_pieces(mut points: Points) -> Vec<Points> {
    let mut ends = Vec::new();
    match &points.values {
        Values::Float(values) => ends.extend((SEALED_POINTS..values.len()).step_by(SEALED_POINTS)),
        Values::Text(values) => {
            let (mut start, mut bytes) = (0, 0);
            for (at, text) in values.iter().enumerate() {
                if at - start == SEALED_POINTS || bytes >= SEALED_BYTES {
                    ends.push(at);
                    (start, bytes) = (at, 0);
                }
                bytes += text.len();
            }
        }
    }
    // From the back, so that each point moves once.
    let mut pieces: Vec<Points> = ends.into_iter().rev().map(|end| points.split_off(end)).collect();
    pieces.push(points);
    pieces.retain(|piece| !piece.is_empty());
    pieces.reverse();
    pieces
}

fn ends(points: &Points) -> (f64, f64) {
    let or_zero = |step: Option<&f64>| step.copied().unwrap_or_default();
    (or_zero(points.steps.first()), or_zero(points.steps.last()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{blocks::decode_blocks, codec::decode, points::Stays},
        *,
    };

    fn wave(n: u32) -> Points {
        let steps: Vec<f64> = (0..n).map(f64::from).collect();
        Points {
            times: (0..).take(steps.len()).map(|at: i64| 1_000_000 + 200 * at + at % 3).collect(),
            values: Values::Float(steps.iter().map(|step| (step / 50.0).sin() / 3.0).collect()),
            steps,
        }
    }

    #[test]
    fn a_sealed_chunk_says_the_same_as_a_plain_one_in_fewer_bytes() {
        let points = wave(3000);
        let (plain, sealed) = (Chunk::plain(&points), Chunk::sealed(&points).unwrap());
        assert_eq!(plain.statistics, sealed.statistics);
        assert_eq!((plain.first_step, plain.last_step), (0.0, 2999.0));
        assert_eq!((sealed.first_step, sealed.last_step), (0.0, 2999.0));
        assert_eq!(decode(&plain.data).unwrap(), points);
        assert_eq!(decode(&sealed.data).unwrap(), points);
        assert!(sealed.data.len() < plain.data.len() * 3 / 4, "{} of {}", sealed.data.len(), plain.data.len());
    }

    #[test]
    fn only_a_sealed_chunk_of_numbers_with_more_than_one_block_has_a_brief() {
        assert_eq!(Chunk::plain(&wave(3000)).blocks, None);
        assert_eq!(Chunk::sealed(&wave(256)).unwrap().blocks, None);
        let brief = Chunk::sealed(&wave(257)).unwrap().blocks.unwrap();
        let buckets = decode_blocks(&brief).unwrap();
        assert_eq!(buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [256, 1]);
        let text = Points { values: Values::Text(vec![String::from("epoch"); 3000]), ..wave(3000) };
        assert_eq!(Chunk::sealed(&text).unwrap().blocks, None);
    }

    #[test]
    fn points_are_cut_into_full_sealed_chunks_and_a_plain_rest() {
        let shape = |points: Points| -> Vec<(bool, u64)> {
            Chunk::cut(points).map(|chunk| chunk.map(|chunk| (chunk.sealed, chunk.statistics.count)).unwrap()).collect()
        };
        assert_eq!(shape(wave(40_000)), [(true, 16_384), (true, 16_384), (false, 7232)]);
        assert_eq!(shape(wave(16_384)), [(true, 16_384)]);
        assert_eq!(shape(wave(5)), [(false, 5)]);
        assert_eq!(shape(wave(0)), []);
        let long = Points { values: Values::Text(vec!["x".repeat(1 << 20); 10]), ..wave(10) };
        assert_eq!(shape(long), [(true, 4), (true, 4), (false, 2)]);
        let short = Points { values: Values::Text(vec![String::new(); 20_000]), ..wave(20_000) };
        assert_eq!(shape(short), [(true, 16_384), (false, 3616)]);
        let chunks = Chunk::cut(wave(40_000)).map(|chunk| decode(&chunk.unwrap().data).unwrap());
        assert_eq!(chunks.reduce(|one, next| Points::merge(one, next, Stays::LastLogged)).unwrap(), wave(40_000));
    }

    #[test]
    fn text_that_repeats_is_small() {
        let lines = (0..5000).map(|at| format!("epoch {at}: loss 0.{at}")).collect();
        let text = Points { values: Values::Text(lines), ..wave(5000) };
        let sealed = Chunk::sealed(&text).unwrap();
        assert_eq!(sealed.statistics, Statistics { count: 5000, ..Statistics::default() });
        assert!(sealed.data.len() * 4 < Chunk::plain(&text).data.len(), "{} bytes", sealed.data.len());
        assert_eq!(decode(&sealed.data).unwrap(), text);
    }
}
