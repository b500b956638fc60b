//! Columns of numbers: which of five ways keeps one in the fewest bytes, and back again.
//!
//! What is decoded has the bits that were encoded: the payload of a NaN and the sign of a zero are kept. FORMAT.md, or the
//! page of `codec`, has the bytes of each way.

use super::{
    codec::{Form, put_column},
    cursor::Cursor,
    packed::{Kind, pack, unpack},
};
use crate::error::{Error, Result};

/// 8 bytes a number.
pub(super) const PLAIN: u8 = 0;
/// The first number and the stride.
pub(super) const PROGRESSION: u8 = 1;
/// `f64`, packed.
pub(super) const PACKED_F64: u8 = 2;
/// `f64` that an `f32` holds without loss, packed as `f32`.
pub(super) const PACKED_F32: u8 = 3;
/// `i64`, or `f64` that are whole, packed as `i64`.
pub(super) const PACKED_I64: u8 = 4;

/// Writes a column of steps or values.
pub(super) fn put_floats(out: &mut Vec<u8>, numbers: &[f64], kind: Kind, form: Form) -> Result<()> {
    if let Some((first, stride)) = float_progression(numbers) {
        put_column(out, PROGRESSION, &[first.to_le_bytes(), stride.to_le_bytes()].concat());
        return Ok(());
    }
    let plain = || numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    if form == Form::Plain || numbers.is_empty() {
        put_column(out, PLAIN, &plain());
        return Ok(());
    }
    let (codec, packed) = if let Some(whole) = all(numbers, whole) {
        (PACKED_I64, pack(&whole, kind)?)
    } else if let Some(narrow) = all(numbers, narrow) {
        (PACKED_F32, pack(&narrow, kind)?)
    } else {
        (PACKED_F64, pack(numbers, kind)?)
    };
    if packed.len() < size_of_val(numbers) {
        put_column(out, codec, &packed);
    } else {
        put_column(out, PLAIN, &plain());
    }
    Ok(())
}

/// Writes a column of times.
pub(super) fn put_times(out: &mut Vec<u8>, times: &[i64], form: Form) -> Result<()> {
    if let Some((first, stride)) = whole_progression(times) {
        put_column(out, PROGRESSION, &[first.to_le_bytes(), stride.to_le_bytes()].concat());
        return Ok(());
    }
    if form == Form::Sealed && !times.is_empty() {
        let packed = pack(times, Kind::Times)?;
        if packed.len() < size_of_val(times) {
            put_column(out, PACKED_I64, &packed);
            return Ok(());
        }
    }
    put_column(out, PLAIN, &times.iter().flat_map(|time| time.to_le_bytes()).collect::<Vec<u8>>());
    Ok(())
}

/// Appends the `count` numbers of a column of steps or values. `count` was checked.
pub(super) fn take_floats(codec: u8, bytes: &[u8], count: usize, form: Form, out: &mut Vec<f64>) -> Result<()> {
    let start = out.len();
    match (codec, form) {
        (PLAIN, _) => out.extend(words(bytes, count)?.map(f64::from_le_bytes)),
        (PROGRESSION, _) => {
            let mut cursor = Cursor::new(bytes);
            let (first, stride) = (cursor.f64()?, cursor.f64()?);
            cursor.finish()?;
            out.extend((0..count).map(|at| in_progression(first, stride, at)));
        }
        (PACKED_F64, Form::Sealed) => {
            out.resize(start + count, 0.0);
            unpack(bytes, &mut out[start..])?;
        }
        (PACKED_F32, Form::Sealed) => {
            let mut narrow = vec![0_f32; count];
            unpack(bytes, &mut narrow)?;
            out.extend(narrow.into_iter().map(widen));
        }
        (PACKED_I64, Form::Sealed) => {
            let mut whole = vec![0_i64; count];
            unpack(bytes, &mut whole)?;
            out.extend(whole.into_iter().map(|number| number as f64));
        }
        _ => return Err(unknown(codec)),
    }
    Ok(())
}

/// Appends the `count` times of a column. `count` was checked.
pub(super) fn take_times(codec: u8, bytes: &[u8], count: usize, form: Form, out: &mut Vec<i64>) -> Result<()> {
    let start = out.len();
    match (codec, form) {
        (PLAIN, _) => out.extend(words(bytes, count)?.map(i64::from_le_bytes)),
        (PROGRESSION, _) => {
            let mut cursor = Cursor::new(bytes);
            let (first, stride) = (cursor.i64()?, cursor.i64()?);
            cursor.finish()?;
            out.extend((0_i64..).take(count).map(|at| first.wrapping_add(stride.wrapping_mul(at))));
        }
        (PACKED_I64, Form::Sealed) => {
            out.resize(start + count, 0);
            unpack(bytes, &mut out[start..])?;
        }
        _ => return Err(unknown(codec)),
    }
    Ok(())
}

pub(super) fn unknown(codec: u8) -> Error {
    Error::corrupt(format!("a column of a chunk has the unknown codec {codec}"))
}

/// The `count` words that `bytes` must be.
fn words(bytes: &[u8], count: usize) -> Result<impl Iterator<Item = [u8; 8]>> {
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() != count || !rest.is_empty() {
        return Err(Error::corrupt("a plain column of a chunk has the wrong length"));
    }
    Ok(words.iter().copied())
}

/// Two operations, each rounded: no machine may join them, or steps such as multiples of 0.1 would differ.
fn in_progression(first: f64, stride: f64, at: usize) -> f64 {
    first + stride * at as f64
}

/// The first number and the stride when they give every bit of `numbers`, of which there must be more than these two.
pub(super) fn float_progression(numbers: &[f64]) -> Option<(f64, f64)> {
    let &[first, second, _, ..] = numbers else { return None };
    let stride = second - first;
    let gives = |(at, number): (usize, &f64)| in_progression(first, stride, at).to_bits() == number.to_bits();
    // What comes of a calculation with NaN is not the same on every machine.
    let is_safe = first.is_finite() && stride.is_finite();
    (is_safe && numbers.iter().enumerate().all(gives)).then_some((first, stride))
}

fn whole_progression(numbers: &[i64]) -> Option<(i64, i64)> {
    let &[first, second, _, ..] = numbers else { return None };
    let stride = second.wrapping_sub(first);
    numbers.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == stride).then_some((first, stride))
}

/// All of `numbers` in a narrower type, or `None` when one of them has no place there.
fn all<T>(numbers: &[f64], place: fn(f64) -> Option<T>) -> Option<Vec<T>> {
    numbers.iter().map(|&number| place(number)).collect()
}

/// The whole number with the value of `number`, if `f64` makes the same bits of it again.
#[expect(clippy::cast_possible_truncation, reason = "what is cut off shows in the comparison")]
fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    ((whole as f64).to_bits() == number.to_bits()).then_some(whole)
}

/// The `f32` of which [`widen`] makes the same bits again.
#[expect(clippy::cast_possible_truncation, reason = "what is cut off shows in the comparison")]
pub(super) fn narrow(number: f64) -> Option<f32> {
    let narrow = if number.is_nan() {
        let bits = number.to_bits();
        f32::from_bits((bits >> 32) as u32 & 0x8000_0000 | 0x7f80_0000 | (bits >> 29) as u32 & 0x007f_ffff)
    } else {
        number as f32
    };
    (widen(narrow).to_bits() == number.to_bits()).then_some(narrow)
}

/// `number` as an `f64`. The payload of a NaN moves over as it is, which a cast does not promise.
pub(super) fn widen(number: f32) -> f64 {
    if number.is_nan() {
        let bits = u64::from(number.to_bits());
        f64::from_bits((bits >> 31) << 63 | 0x7ff0_0000_0000_0000 | (bits & 0x007f_ffff) << 29)
    } else {
        f64::from(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_narrowed_only_without_loss() {
        for exact in [0.0, -0.0, 1.5, f64::INFINITY, f64::NEG_INFINITY, f64::from(f32::MIN_POSITIVE) / 4.0] {
            assert_eq!(narrow(exact).map(|narrow| widen(narrow).to_bits()), Some(exact.to_bits()));
        }
        for payload in [0xfff8_0000_0000_0000, 0x7ff0_0000_2000_0000, 0x7ff8_1234_4000_0000] {
            assert_eq!(narrow(f64::from_bits(payload)).map(|narrow| widen(narrow).to_bits()), Some(payload));
        }
        for lossy in [0.1, 1e300, f64::MIN_POSITIVE, f64::from_bits(0x7ff0_0000_0000_0001)] {
            assert_eq!(narrow(lossy), None, "{lossy}");
        }
    }

    #[test]
    fn a_number_is_whole_only_without_loss() {
        let largest = 2_f64.powi(53);
        assert_eq!((whole(-3.0), whole(largest)), (Some(-3), Some(1 << 53)));
        for lossy in [-0.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(whole(lossy), None, "{lossy}");
        }
    }

    #[test]
    fn a_progression_gives_every_bit_or_is_none() {
        let tenths: Vec<f64> = (0_u32..1000).map(|at| 0.1 * f64::from(at)).collect();
        assert_eq!(float_progression(&tenths), Some((0.0, 0.1)));
        let mut summed = vec![0.0];
        summed.extend((0..999).scan(0.0, |sum, _| {
            *sum += 0.1;
            Some(*sum)
        }));
        assert_eq!(float_progression(&summed), None);
        assert_eq!(float_progression(&[f64::NAN; 9]), None);
        assert_eq!(float_progression(&[-0.0; 9]), None);
        assert_eq!(float_progression(&[1.0, 2.0]), None);
        assert_eq!(whole_progression(&[i64::MAX, i64::MIN, i64::MIN + 1]), Some((i64::MAX, 1)));
    }
}
