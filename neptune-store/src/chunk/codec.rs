//! The bytes of a chunk.
//!
//! What is decoded holds the bits that were encoded, in ascending order of steps. Decoding never panics, and takes no
//! memory for a length that was not checked.
//!
//! # Layout
//!
//! All integers are little-endian. A chunk is a head and three columns, in this order, and nothing behind them:
//!
//! | bytes | what                                                                                          |
//! |-------|-----------------------------------------------------------------------------------------------|
//! | 1     | version; 1 here                                                                               |
//! | 1     | form; 0 plain (recent points, cheap to write), 1 sealed                                       |
//! | 4     | count of points, u32                                                                          |
//! | ...   | the column of steps                                                                           |
//! | ...   | the column of times                                                                           |
//! | ...   | the column of values                                                                          |
//!
//! A column is:
//!
//! | bytes | what                                                                                          |
//! |-------|-----------------------------------------------------------------------------------------------|
//! | 1     | codec                                                                                         |
//! | 4     | length of what follows, u32                                                                   |
//! | ...   | as many bytes                                                                                 |
//!
//! The codecs of a column:
//!
//! | codec | of            | bytes                                                                                |
//! |-------|---------------|--------------------------------------------------------------------------------------|
//! | 0     | f64, times    | each number in 8 bytes: f64 for steps and values, i64 for times                      |
//! | 1     | f64, times    | the first number and the stride, 8 bytes each. Number i is first + stride * i: for   |
//! |       |               | f64 rounded after the product and after the sum, for times modulo 2^64               |
//! | 2     | f64           | the numbers packed as f64                                                            |
//! | 3     | f64           | the numbers packed as f32                                                            |
//! | 4     | f64, times    | the numbers packed as i64                                                            |
//! | 8     | text          | each text as the varint of its length in bytes, and its bytes in UTF-8               |
//! | 9     | text          | the length of what codec 8 has, u32, and that in one frame of zstd                   |
//!
//! Packed numbers are a chunk of `pco` in its wrapped format: its header, the meta of the chunk, one page with all numbers.
//!
//! A varint has 7 bits a byte, least first, the high bit set in all bytes but the last.
//!
//! # Rules
//!
//! - A reader must refuse a version that it does not know, as written by a newer neptune. It must refuse, as damage, a form or
//!   a codec that is not above, a count above 65,536, a column that gives more or fewer points than the count, and bytes
//!   behind the last column.
//! - The steps must be finite and ascend strictly; a reader must refuse others. A step must not be -0.0.
//! - The column of values says by its codec whether the series holds numbers or text; columns of steps and of times must not
//!   have a codec of text. All chunks of a series must hold the same.
//! - A chunk of the plain form must not have a codec other than 0, 1 and 8.
//! - A writer must keep every bit of a value, the payload of a NaN and the sign of a zero included. It must not use codec 1
//!   for f64 unless every number comes out again, with first and stride finite, nor 3 or 4 unless every number does. From
//!   codec 3 a reader must make f64 by moving the bits of a NaN (sign, and fraction to the high end), not by calculating.
//! - Packed numbers must have the major version 4 of `pco`, a mode other than Dict, and no delta encoding or the consecutive
//!   one; a reader must refuse others before it allocates for them.
//! - The text of codec 9 must not be longer than 64 MiB; a reader must refuse a length above that before it allocates, and a
//!   frame that does not give exactly that length.
//! - A writer may choose any codec that these rules allow. A reader must not expect that the smallest was chosen.

use super::{
    column::{put_floats, put_times, take_floats, take_times},
    cursor::Cursor,
    packed::Kind,
    points::{Points, Values, is_ascending},
    text::{self, put_texts, take_texts},
};
use crate::error::{Error, ErrorKind, Result};

/// The most points of a chunk. Bounds what a damaged count can make us allocate (1.5 MiB) and is four times what apply seals.
pub(crate) const MAX_POINTS: usize = 65_536;

/// The version that is written, and the only one there is.
const VERSION: u8 = 1;

/// How a chunk is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Cheap to write and to read: for recent points, which are written again as more come.
    Plain = 0,
    /// Small: for points that are expected to stay as they are.
    Sealed = 1,
}

/// The bytes of a chunk with `points`, at most [`MAX_POINTS`].
pub(super) fn encode(points: &Points, form: Form) -> Result<Vec<u8>> {
    let count = u32::try_from(points.len()).ok().filter(|_| points.len() <= MAX_POINTS).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("a chunk holds at most {MAX_POINTS} points; split them"))
    })?;
    debug_assert!(is_ascending(&points.steps), "the points of a chunk are sorted");
    // A plain chunk of numbers takes 24 bytes a point at most, a sealed one is grown to what it needs.
    let capacity = if form == Form::Plain { 32 + 16 * points.len() + points.value_bytes() } else { 0 };
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(&[VERSION, form as u8]);
    out.extend_from_slice(&count.to_le_bytes());
    put_floats(&mut out, &points.steps, Kind::Steps, form)?;
    put_times(&mut out, &points.times, form)?;
    match &points.values {
        Values::Float(values) => put_floats(&mut out, values, Kind::Values, form)?,
        Values::Text(values) => put_texts(&mut out, values, form)?,
    }
    Ok(out)
}

/// Appends a column.
pub(super) fn put_column(out: &mut Vec<u8>, codec: u8, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("text is sealed long before it has 4 GiB, see SEALED_BYTES");
    out.push(codec);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The points of a chunk, numbers or text. For whoever reads the column `data` of the table `chunk`.
///
/// # Errors
/// `TooNew` when a newer version wrote the chunk; `Corrupt` when the bytes are not one.
pub fn decode(data: &[u8]) -> Result<Points> {
    let mut points = Points::default();
    decode_columns(&mut points, data, true)?;
    Ok(points)
}

/// Appends the points of a chunk to those of the chunks before it. After an error `points` is of no use.
///
/// # Errors
/// `Corrupt` also when the chunk holds text and `points` numbers, or the reverse, or when its steps do not lie behind.
pub(crate) fn decode_onto(points: &mut Points, data: &[u8]) -> Result<()> {
    decode_columns(points, data, false)
}

fn decode_columns(points: &mut Points, data: &[u8], either: bool) -> Result<()> {
    let mut cursor = Cursor::new(data);
    let (form, count) = take_head(&mut cursor)?;
    let before = points.len();
    let (codec, bytes) = take_column(&mut cursor)?;
    take_floats(codec, bytes, count, form, &mut points.steps)?;
    // The last step from before is looked at too.
    let fresh = points.steps.get(before.saturating_sub(1)..).unwrap_or_default();
    if !is_ascending(fresh) || !fresh.iter().take(1).chain(fresh.last()).all(|step| step.is_finite()) {
        return Err(Error::corrupt("the steps of a chunk are not in order"));
    }
    let (codec, bytes) = take_column(&mut cursor)?;
    take_times(codec, bytes, count, form, &mut points.times)?;
    let (codec, bytes) = take_column(&mut cursor)?;
    if either && matches!(codec, text::PLAIN | text::COMPRESSED) {
        points.values = Values::Text(Vec::new());
    }
    match &mut points.values {
        Values::Float(values) => take_floats(codec, bytes, count, form, values)?,
        Values::Text(values) => take_texts(codec, bytes, count, form, values)?,
    }
    cursor.finish()
}

fn take_head(cursor: &mut Cursor<'_>) -> Result<(Form, usize)> {
    let version = cursor.u8()?;
    if version != VERSION {
        return Err(Error::new(
            ErrorKind::TooNew,
            format!("a chunk has version {version} and this program knows {VERSION}; use a newer neptune"),
        ));
    }
    let form = match cursor.u8()? {
        0 => Form::Plain,
        1 => Form::Sealed,
        form => return Err(Error::corrupt(format!("a chunk has the unknown form {form}"))),
    };
    let count = cursor.length()?;
    if count > MAX_POINTS {
        return Err(Error::corrupt(format!("a chunk claims {count} points; there are at most {MAX_POINTS}")));
    }
    Ok((form, count))
}

fn take_column<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, &'a [u8])> {
    let codec = cursor.u8()?;
    let length = cursor.length()?;
    Ok((codec, cursor.bytes(length)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of every kind that a way of keeping them was made for, and any bits at all.
    fn numbers(n: usize) -> impl Strategy<Value = Vec<f64>> {
        let column = |number: BoxedStrategy<f64>| prop::collection::vec(number, n).boxed();
        prop_oneof![
            column(any::<u64>().prop_map(f64::from_bits).boxed()),
            column(any::<u32>().prop_map(|bits| widened(f32::from_bits(bits))).boxed()),
            column(any::<i32>().prop_map(f64::from).boxed()),
            column((0_u8..40).prop_map(|k| f64::from(k) / 37.0).boxed()),
            column(prop_oneof![Just(-0.0), Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(1.0)].boxed()),
            (any::<u64>(), -1e3_f64..1e3)
                .prop_map(move |(first, stride)| (0..n).map(|at| f64::from_bits(first) + stride * at as f64).collect()),
        ]
    }

    fn widened(number: f32) -> f64 {
        super::super::column::widen(number)
    }

    fn points() -> impl Strategy<Value = Points> {
        (0_usize..700).prop_flat_map(|n| {
            let times = prop_oneof![
                prop::collection::vec(any::<i64>(), n),
                prop::collection::vec(1_000_000_i64..1_000_900, n),
                (any::<i64>(), any::<i64>()).prop_map(move |(first, stride)| (0..)
                    .take(n)
                    .map(|at: i64| first.wrapping_add(stride.wrapping_mul(at)))
                    .collect()),
            ];
            let steps = prop_oneof![
                numbers(n),
                (-100_i32..100, 1_i32..9)
                    .prop_map(move |(first, stride)| (0..).take(n).map(|at| f64::from(first + stride * at)).collect())
            ];
            let values = prop_oneof![
                numbers(n).prop_map(Values::Float),
                prop::collection::vec("[a-z\u{0}\u{e9}\u{1f600}]{0,20}", n).prop_map(Values::Text),
            ];
            (steps, times, values).prop_map(|(steps, times, values)| {
                let mut points = Points { steps, times, values };
                // Only finite steps ascend.
                for step in &mut points.steps {
                    *step = if step.is_finite() { *step + 0.0 } else { 0.0 };
                }
                points.sort_and_dedup(super::super::points::Stays::LastLogged);
                points
            })
        })
    }

    /// Compares the bits, because NaN is not equal to itself.
    fn same_bits(one: &Points, another: &Points) -> bool {
        let bits = |floats: &[f64]| floats.iter().map(|float| float.to_bits()).collect::<Vec<_>>();
        let values = match (&one.values, &another.values) {
            (Values::Float(one), Values::Float(another)) => bits(one) == bits(another),
            (one, another) => one == another,
        };
        values && bits(&one.steps) == bits(&another.steps) && one.times == another.times
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn what_is_decoded_has_the_bits_that_were_encoded(points in points()) {
            for form in [Form::Plain, Form::Sealed] {
                let decoded = decode(&encode(&points, form).unwrap()).unwrap();
                prop_assert!(same_bits(&decoded, &points), "{form:?}: {decoded:?} of {points:?}");
            }
        }

        #[test]
        fn damage_is_an_error_or_other_points_and_never_a_panic(
            points in points(), sealed: bool, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<prop::sample::Index>()
        ) {
            let form = if sealed { Form::Sealed } else { Form::Plain };
            let mut bytes = encode(&points, form).unwrap();
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err(), "a chunk that was cut short was accepted");
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(decoded) = decode(&bytes) {
                prop_assert!(is_ascending(&decoded.steps) && decoded.steps.iter().all(|step| step.is_finite()));
                prop_assert!(decoded.times.len() == decoded.len() && decoded.values.len() == decoded.len());
            }
        }

        #[test]
        fn bytes_of_any_kind_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), form in 0_u8..2,
                                                      codecs in any::<[u8; 3]>(), count in 0_u16..600) {
            let mut chunk = vec![VERSION, form];
            chunk.extend(u32::from(count).to_le_bytes());
            for (column, codec) in bytes.chunks(bytes.len() / 3 + 1).zip(codecs) {
                let mut column = column.to_vec();
                // As far into pco as it goes: its version and no dictionary.
                if let [major, _, mode, ..] = column.as_mut_slice() {
                    (*major, *mode) = (4, *mode & 0xf3);
                }
                put_column(&mut chunk, codec % 10, &column);
            }
            assert!(decode(&chunk).is_ok_and(|points| points.len() == usize::from(count)) || decode(&chunk).is_err());
        }
    }

    fn loss() -> Points {
        let values = (0_u16..2000).map(|at| f64::from((-f32::from(at) / 500.0).exp())).collect();
        Points {
            steps: (0_u16..2000).map(f64::from).collect(),
            times: (0..2000).map(|at| 1_760_000_000_000_000 + 200 * at + at % 7).collect(),
            values: Values::Float(values),
        }
    }

    #[test]
    fn a_version_that_is_not_known_was_written_by_a_newer_neptune() {
        let mut bytes = encode(&loss(), Form::Sealed).unwrap();
        bytes[0] = 2;
        assert_eq!(decode(&bytes).unwrap_err().kind(), ErrorKind::TooNew);
    }

    #[test]
    fn a_count_is_refused_before_anything_is_made_of_it() {
        let mut bytes = encode(&loss(), Form::Sealed).unwrap();
        for count in [65_537, u32::MAX] {
            bytes[2..6].copy_from_slice(&count.to_le_bytes());
            let error = decode(&bytes).unwrap_err();
            assert!(error.to_string().contains(&format!("claims {count} points")), "{error}");
        }
    }

    #[test]
    fn a_plain_chunk_has_no_packed_column() {
        let even = || vec![0; 2000];
        let only_values = Points { times: even(), ..loss() };
        let only_times = Points { values: Values::Float(vec![0.0; 2000]), ..loss() };
        let only_text = Points { times: even(), values: Values::Text(vec!["again".into(); 2000]), ..loss() };
        let thirds = loss().steps.iter().map(|step| step + (step % 3.0) / 4.0).collect();
        let only_steps = Points { steps: thirds, times: even(), values: Values::Float(vec![0.0; 2000]) };
        for points in [only_values, only_times, only_text, only_steps] {
            let mut bytes = encode(&points, Form::Sealed).unwrap();
            assert!(decode(&bytes).is_ok());
            bytes[1] = 0;
            let error = decode(&bytes).unwrap_err();
            assert!(error.to_string().contains("unknown codec"), "{error}");
        }
    }

    #[test]
    fn a_byte_behind_the_end_is_damage() {
        for form in [Form::Plain, Form::Sealed] {
            let mut bytes = encode(&loss(), form).unwrap();
            bytes.push(0);
            assert!(decode(&bytes).is_err());
        }
    }

    #[test]
    fn steps_that_do_not_ascend_are_damage() {
        let mut bytes = encode(
            &Points { steps: vec![1.0, 2.0], times: vec![0, 0], values: Values::Float(vec![0.0; 2]) },
            Form::Plain,
        )
        .unwrap();
        for step in [1.0, 0.0, f64::NAN, f64::INFINITY] {
            bytes[19..27].copy_from_slice(&f64::to_le_bytes(step));
            assert!(decode(&bytes).is_err(), "{step}");
        }
        bytes[19..27].copy_from_slice(&f64::to_le_bytes(7.0));
        assert_eq!(decode(&bytes).unwrap().steps, [1.0, 7.0]);
    }

    #[test]
    fn chunks_are_put_together_only_in_order_and_of_one_content() {
        let whole = loss();
        let mut head = whole.clone();
        let tail = head.split_off(700);
        let [head, tail] = [head, tail].map(|part| encode(&part, Form::Sealed).unwrap());
        let mut joined = Points::none_of(neptune_format::Content::Float).unwrap();
        decode_onto(&mut joined, &head).unwrap();
        decode_onto(&mut joined, &tail).unwrap();
        assert_eq!(joined, whole);
        assert!(decode_onto(&mut joined, &head).is_err(), "a chunk was put behind a later one");
        let mut text = Points::none_of(neptune_format::Content::String).unwrap();
        assert!(decode_onto(&mut text, &head).is_err(), "numbers were read as text");
    }

    #[test]
    fn more_points_than_a_chunk_holds_are_refused() {
        let steps: Vec<f64> = (0_u32..65_537).map(f64::from).collect();
        let points = Points { times: vec![0; steps.len()], values: Values::Float(steps.clone()), steps };
        assert_eq!(encode(&points, Form::Sealed).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
