//! The brief of a sealed chunk of numbers: a [`Bucket`] for each block of 256 points, so that an overview need not decode it.
//!
//! A brief says of its chunk what decoding the chunk would say. It is checked when it is read: its points are in order, its
//! least and greatest values are finite, and no memory is taken for a length that was not checked.
//!
//! # Layout
//!
//! All integers are little-endian. With B blocks, in this order and nothing behind it:
//!
//! | bytes      | what                                                                                     |
//! |------------|------------------------------------------------------------------------------------------|
//! | 1          | version; 1 here                                                                          |
//! | 1          | flags: 1 values are f32, not f64; 2 steps are a progression; 4 there are nonfinite values |
//! | 4          | count of points, u32; B is that by 256, rounded up, and all blocks but the last have 256 |
//! | 16         | with flag 2: the first step of the chunk and the stride, f64                             |
//! | 2 B        | with flag 2: the place of the least and of the greatest point in each block, u8          |
//! | 32 B       | without: the steps of the first, last, least and greatest point of each block, f64       |
//! | 2 B        | with flag 4: the nonfinite values of each block, u16                                     |
//! | 16 or 32 B | the first, last, least and greatest value of each block, f32 or f64                      |
//! | 8 B        | the sum of the finite values of each block, f64                                          |
//! | 4 to 20 B  | the times of the first and the last point of each block: varints                         |
//!
//! A varint is as in `codec`, here of a difference modulo 2^64 with the sign in its lowest bit (0, -1, 1, -2, ...). The first
//! time is the difference from 0, each other one from the time before it.
//!
//! # Rules
//!
//! - A reader must refuse a version that it does not know, as written by a newer neptune. It must refuse, as damage, other
//!   flags, a count of 0 or above 65,536, and bytes that are missing or left.
//! - The steps must be finite and ascend from block to block, and least and greatest must lie within their block.
//! - In a block whose values are all nonfinite, the steps, places and values of least and greatest must be 0 and a reader must
//!   not use them. In every other, least and greatest must be finite.
//! - Flag 1 must not be set unless each of the values, but not the sums, keeps its bits; f64 is made as in codec 3.

use super::{
    bucket::Bucket,
    codec::MAX_POINTS,
    column::{float_progression, narrow, widen},
    cursor::{Cursor, put_varint},
};
use crate::error::{Error, ErrorKind, Result};

/// The points of a block, which the version fixes. With 256 an overview of 1,000 buckets decodes chunks of a series below some
/// 256,000 points only, which takes under 3 ms, and the brief costs 0.12 bytes a point; 512 would halve that cost and decode
/// up to twice as much.
pub(super) const BLOCK: usize = 256;

const VERSION: u8 = 1;
const NARROW: u8 = 1;
const PROGRESSION: u8 = 2;
const NONFINITE: u8 = 4;

/// The buckets of the blocks of a chunk. The columns are of one length.
pub(super) fn buckets(steps: &[f64], times: &[i64], values: &[f64]) -> Vec<Bucket> {
    let columns = steps.chunks(BLOCK).zip(times.chunks(BLOCK)).zip(values.chunks(BLOCK));
    columns.filter_map(|((steps, times), values)| Bucket::of(steps, times, values)).collect()
}

/// The brief of a chunk with these steps and [`buckets`].
pub(super) fn encode_blocks(steps: &[f64], buckets: &[Bucket]) -> Vec<u8> {
    let extremes = |bucket: &Bucket| [bucket.minimum.unwrap_or_default(), bucket.maximum.unwrap_or_default()];
    let values: Vec<f64> = buckets
        .iter()
        .flat_map(|bucket| {
            let [least, greatest] = extremes(bucket);
            [bucket.first, bucket.last, least.1, greatest.1]
        })
        .collect();
    let narrowed: Option<Vec<f32>> = values.iter().map(|&value| narrow(value)).collect();
    let progression = float_progression(steps);
    let has_nonfinite = buckets.iter().any(|bucket| bucket.nonfinite > 0);

    let mut out = Vec::with_capacity(24 + buckets.len() * 32);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    let flags =
        flag(narrowed.is_some(), NARROW) | flag(progression.is_some(), PROGRESSION) | flag(has_nonfinite, NONFINITE);
    let count = u32::try_from(steps.len()).expect("a chunk has at most 65,536 points");
    out.extend_from_slice(&[VERSION, flags]);
    out.extend_from_slice(&count.to_le_bytes());
    if let Some((first, stride)) = progression {
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&stride.to_le_bytes());
        for (bucket, steps) in buckets.iter().zip(steps.chunks(BLOCK)) {
            out.extend(
                [bucket.minimum, bucket.maximum].map(|extreme| extreme.map_or(0, |(step, _)| place(steps, step))),
            );
        }
    } else {
        for bucket in buckets {
            let [least, greatest] = extremes(bucket);
            for step in [bucket.first_step, bucket.last_step, least.0, greatest.0] {
                out.extend_from_slice(&step.to_le_bytes());
            }
        }
    }
    if has_nonfinite {
        for bucket in buckets {
            let nonfinite = u16::try_from(bucket.nonfinite).expect("a block has at most 256 points");
            out.extend_from_slice(&nonfinite.to_le_bytes());
        }
    }
    match narrowed {
        Some(narrowed) => out.extend(narrowed.into_iter().flat_map(f32::to_le_bytes)),
        None => out.extend(values.into_iter().flat_map(f64::to_le_bytes)),
    }
    out.extend(buckets.iter().flat_map(|bucket| bucket.total.to_le_bytes()));
    let mut before = 0_i64;
    for time in buckets.iter().flat_map(|bucket| [bucket.first_time, bucket.last_time]) {
        let difference = time.wrapping_sub(before);
        put_varint(&mut out, (difference.cast_unsigned() << 1) ^ (difference >> 63).cast_unsigned());
        before = time;
    }
    out
}

/// Where `step` is in a block that has it.
fn place(steps: &[f64], step: f64) -> u8 {
    u8::try_from(steps.partition_point(|&other| other < step)).expect("a block has at most 256 points")
}

/// The buckets of the blocks of a chunk, in order; at least one.
pub(crate) fn decode_blocks(brief: &[u8]) -> Result<Vec<Bucket>> {
    let mut cursor = Cursor::new(brief);
    let version = cursor.u8()?;
    if version != VERSION {
        return Err(Error::new(
            ErrorKind::TooNew,
            format!("the brief of a chunk has version {version} and this program knows {VERSION}; use a newer neptune"),
        ));
    }
    let flags = cursor.u8()?;
    let count = cursor.length()?;
    if flags & !(NARROW | PROGRESSION | NONFINITE) != 0 || count == 0 || count > MAX_POINTS {
        return Err(damaged());
    }
    let points_of = |block: usize| BLOCK.min(count - block * BLOCK);
    let blocks = count.div_ceil(BLOCK);

    let steps = take_steps(&mut cursor, flags, blocks, points_of)?;
    let nonfinite = cursor.bytes(if flags & NONFINITE == 0 { 0 } else { 2 * blocks })?.as_chunks::<2>().0;
    let values = take_values(&mut cursor, flags, blocks)?;
    let totals = cursor.bytes(8 * blocks)?.as_chunks::<8>().0;
    let mut before = 0_i64;
    let mut time = || -> Result<i64> {
        let folded = cursor.varint()?;
        before = before.wrapping_add(((folded >> 1) ^ (folded & 1).wrapping_neg()).cast_signed());
        Ok(before)
    };
    let mut buckets = Vec::with_capacity(blocks);
    for (block, (steps, values)) in steps.into_iter().zip(values).enumerate() {
        let points = points_of(block) as u64;
        let nonfinite = nonfinite.get(block).map_or(0, |bytes| u64::from(u16::from_le_bytes(*bytes)));
        let has_finite = nonfinite < points;
        let bucket = Bucket {
            first_step: steps[0],
            last_step: steps[1],
            first_time: time()?,
            last_time: time()?,
            first: values[0],
            last: values[1],
            count: points,
            nonfinite,
            infinite: [0; 2],
            minimum: has_finite.then_some((steps[2], values[2])),
            maximum: has_finite.then_some((steps[3], values[3])),
            total: f64::from_le_bytes(*totals.get(block).ok_or_else(damaged)?),
        };
        check(buckets.last(), &bucket)?;
        buckets.push(bucket);
    }
    cursor.finish()?;
    Ok(buckets)
}

/// The steps of the first, last, least and greatest point of each block.
fn take_steps(
    cursor: &mut Cursor<'_>,
    flags: u8,
    blocks: usize,
    points_of: impl Fn(usize) -> usize,
) -> Result<Vec<[f64; 4]>> {
    if flags & PROGRESSION == 0 {
        return Ok(cursor.bytes(32 * blocks)?.as_chunks::<8>().0.as_chunks::<4>().0.iter().map(floats).collect());
    }
    let (first, stride) = (cursor.f64()?, cursor.f64()?);
    let places = cursor.bytes(2 * blocks)?.as_chunks::<2>().0;
    Ok(places
        .iter()
        .enumerate()
        .map(|(block, &[least, greatest])| {
            let step = |place: usize| first + stride * (block * BLOCK + place) as f64;
            [step(0), step(points_of(block) - 1), step(least.into()), step(greatest.into())]
        })
        .collect())
}

/// The values of the first, last, least and greatest point of each block.
fn take_values(cursor: &mut Cursor<'_>, flags: u8, blocks: usize) -> Result<Vec<[f64; 4]>> {
    if flags & NARROW == 0 {
        return Ok(cursor.bytes(32 * blocks)?.as_chunks::<8>().0.as_chunks::<4>().0.iter().map(floats).collect());
    }
    let values = cursor.bytes(16 * blocks)?.as_chunks::<4>().0.as_chunks::<4>().0;
    Ok(values.iter().map(|values| values.map(|bytes| widen(f32::from_le_bytes(bytes)))).collect())
}

fn floats(words: &[[u8; 8]; 4]) -> [f64; 4] {
    words.map(f64::from_le_bytes)
}

fn check(before: Option<&Bucket>, bucket: &Bucket) -> Result<()> {
    let steps = bucket.first_step..=bucket.last_step;
    let is_inside =
        |extreme: Option<(f64, f64)>| extreme.is_none_or(|(step, value)| steps.contains(&step) && value.is_finite());
    let is_behind = before.is_none_or(|before| before.last_step < bucket.first_step);
    let is_finite = bucket.first_step.is_finite() && bucket.last_step.is_finite();
    let is_good = is_finite
        && is_behind
        && !steps.is_empty()
        && is_inside(bucket.minimum)
        && is_inside(bucket.maximum)
        && bucket.nonfinite <= bucket.count;
    if is_good { Ok(()) } else { Err(damaged()) }
}

fn damaged() -> Error {
    Error::corrupt("the brief of a chunk is damaged")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns() -> impl Strategy<Value = (Vec<f64>, Vec<i64>, Vec<f64>)> {
        let value = prop_oneof![
            4 => any::<i16>().prop_map(|value| f64::from(value) / 16.0).boxed(),
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0)].boxed(),
        ];
        let values = prop_oneof![
            prop::collection::vec(value, 1..1200).boxed(),
            prop::collection::vec(-1.0_f64..1.0, 1..600).boxed(),
            prop::collection::vec(Just(f64::NAN), 1..600).boxed(),
        ];
        (values, any::<bool>(), any::<[i64; 2]>()).prop_map(|(values, even, [time, pace])| {
            let n = values.len();
            let steps = (0..n).map(|at| if even { 10.0 * at as f64 } else { (at * at) as f64 / 3.0 }).collect();
            let times = (0_i64..).take(n).map(|at| time.wrapping_add(pace.wrapping_mul(at))).collect();
            (steps, times, values)
        })
    }

    #[test]
    fn blocks_that_cannot_be_and_bytes_behind_the_end_are_damage() {
        let steps: Vec<f64> = (0_u32..600).map(|at| f64::from(at * at)).collect();
        let mut buckets = buckets(&steps, &[0; 600], &steps);
        let brief = encode_blocks(&steps, &buckets);
        assert_eq!(decode_blocks(&brief).unwrap(), buckets);
        assert!(decode_blocks(&[brief.as_slice(), &[0]].concat()).is_err());
        buckets[0].nonfinite = 257;
        assert!(decode_blocks(&encode_blocks(&steps, &buckets)).is_err());
        buckets[0].nonfinite = 0;
        buckets.swap(0, 1);
        assert!(decode_blocks(&encode_blocks(&steps, &buckets)).is_err());
    }

    proptest! {
        #[test]
        fn a_brief_says_what_the_points_say((steps, times, values) in columns()) {
            let mut wanted = buckets(&steps, &times, &values);
            for bucket in &mut wanted {
                bucket.infinite = [0; 2];
            }
            let decoded = decode_blocks(&encode_blocks(&steps, &wanted)).unwrap();
            // Debug, because a bucket whose first value is NaN is not equal to itself. It tells the zeros apart too.
            prop_assert_eq!(format!("{decoded:?}"), format!("{wanted:?}"));
        }

        #[test]
        fn a_damaged_brief_is_an_error_or_in_order((steps, times, values) in columns(),
                                                   damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
                                                   cut in any::<prop::sample::Index>()) {
            let mut brief = encode_blocks(&steps, &buckets(&steps, &times, &values));
            prop_assert!(decode_blocks(&brief[..cut.index(brief.len())]).is_err());
            for (at, byte) in damage {
                let at = at.index(brief.len());
                brief[at] = byte;
            }
            if let Ok(decoded) = decode_blocks(&brief) {
                prop_assert!(decoded.windows(2).all(|pair| pair[0].last_step < pair[1].first_step));
                for bucket in &decoded {
                    for (step, value) in [bucket.minimum, bucket.maximum].into_iter().flatten() {
                        prop_assert!(bucket.first_step <= step && step <= bucket.last_step && value.is_finite());
                    }
                }
            }
        }
    }
}
