//! Columns of text.
//!
//! No memory is taken for a length that is not covered by bytes at hand, except what compressed text claims, up to
//! [`MAX_RAW`].

use super::{
    codec::{Form, put_column},
    column::unknown,
    cursor::{Cursor, put_varint},
};
use crate::error::{Error, ErrorKind, Result};

/// Each text as the varint of its length in bytes and its bytes.
pub(super) const PLAIN: u8 = 8;
/// The length of the above as u32 LE, and the above as one frame of zstd.
pub(super) const COMPRESSED: u8 = 9;

/// The most bytes that are compressed in one chunk; more stay plain. It bounds what a damaged length can make us allocate,
/// and is 16 times what apply puts into a chunk.
const MAX_RAW: usize = 64 << 20;

/// The level that zstd itself has as its default.
const LEVEL: i32 = 3;

/// Writes a column of text.
pub(super) fn put_texts(out: &mut Vec<u8>, texts: &[String], form: Form) -> Result<()> {
    let mut raw = Vec::with_capacity(texts.iter().map(|text| text.len() + 2).sum());
    for text in texts {
        put_varint(&mut raw, text.len() as u64);
        raw.extend_from_slice(text.as_bytes());
    }
    match u32::try_from(raw.len()) {
        Ok(length) if form == Form::Sealed && raw.len() <= MAX_RAW => {
            let frame = zstd::bulk::compress(&raw, LEVEL)
                .map_err(|error| Error::new(ErrorKind::Invalid, "zstd did not compress text").because(error))?;
            if frame.len() + size_of_val(&length) < raw.len() {
                put_column(out, COMPRESSED, &[&length.to_le_bytes(), frame.as_slice()].concat());
                return Ok(());
            }
        }
        _ => {}
    }
    put_column(out, PLAIN, &raw);
    Ok(())
}

/// Appends the `count` texts of a column.
pub(super) fn take_texts(codec: u8, bytes: &[u8], count: usize, form: Form, out: &mut Vec<String>) -> Result<()> {
    match (codec, form) {
        (PLAIN, _) => split(bytes, count, out),
        (COMPRESSED, Form::Sealed) => {
            let mut cursor = Cursor::new(bytes);
            let length = cursor.length()?;
            if length > MAX_RAW {
                return Err(Error::corrupt("the text of a chunk claims to be larger than any that is written"));
            }
            let raw = zstd::bulk::decompress(cursor.bytes(cursor.left())?, length)
                .map_err(|error| Error::corrupt("the text of a chunk is damaged").because(error))?;
            if raw.len() != length {
                return Err(Error::corrupt("the text of a chunk has the wrong length"));
            }
            split(&raw, count, out)
        }
        _ => Err(unknown(codec)),
    }
}

fn split(raw: &[u8], count: usize, out: &mut Vec<String>) -> Result<()> {
    let mut cursor = Cursor::new(raw);
    // Every text has at least the byte of its length.
    out.reserve(count.min(raw.len()));
    for _ in 0..count {
        let length = usize::try_from(cursor.varint()?)
            .map_err(|error| Error::corrupt("a text in a chunk is too long").because(error))?;
        let text = str::from_utf8(cursor.bytes(length)?)
            .map_err(|error| Error::corrupt("a text in a chunk is not UTF-8").because(error))?;
        out.push(text.to_owned());
    }
    cursor.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_size_is_not_believed() {
        for length in [u32::MAX, 1 << 26, 3] {
            let bytes = [&length.to_le_bytes(), zstd::bulk::compress(b"\x01a", 3).unwrap().as_slice()].concat();
            let error = take_texts(COMPRESSED, &bytes, 1, Form::Sealed, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert_eq!(error.to_string().contains("claims"), length == u32::MAX, "{error}");
        }
    }

    #[test]
    fn bytes_behind_the_last_text_are_damage() {
        let texts = |bytes: &[u8]| take_texts(PLAIN, bytes, 2, Form::Plain, &mut Vec::new());
        assert!(texts(&[1, b'a', 0]).is_ok());
        assert!(texts(&[1, b'a', 0, 0]).is_err());
    }

    #[test]
    fn text_that_is_not_utf8_is_damage() {
        assert!(take_texts(PLAIN, &[1, 0xff], 1, Form::Plain, &mut Vec::new()).is_err());
    }
}
