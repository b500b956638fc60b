//! [`Cursor`]: reads bytes of a chunk from the front.
//!
//! It hands out what is there and says `Corrupt` where bytes are missing; it never panics and allocates nothing.

use crate::error::{Error, Result};

/// The bytes not yet read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `n` bytes.
    pub(super) fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// A length or a count, as the machine counts.
    pub(super) fn length(&mut self) -> Result<usize> {
        usize::try_from(self.u32()?).map_err(|error| Error::corrupt("a length in a chunk is too large").because(error))
    }

    /// A number in 7 bits a byte, least first, at most 10 bytes; the high bit says that more follow.
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = u64::from(self.u8()?);
            let bits = byte & 0x7f;
            if (bits << shift) >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Error::corrupt("a number in a chunk is too large"))
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.0.len()
    }

    /// Makes sure that nothing is left.
    pub(super) fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt("there are bytes behind the end of a chunk"))
    }
}

/// Writes what [`Cursor::varint`] reads.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn ends_early() -> Error {
    Error::corrupt("a chunk ends in the middle")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_is_read_as_it_was_written(number: u64, shift in 0_u32..64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number >> shift);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.varint().unwrap(), number >> shift);
            prop_assert!(cursor.finish().is_ok());
        }
    }

    #[test]
    fn a_varint_that_does_not_fit_or_does_not_end_is_damage() {
        assert!(Cursor::new(&[0xff; 9]).varint().is_err());
        assert!(Cursor::new(&[0xff; 10]).varint().is_err());
        assert!(Cursor::new(&[0x80; 11]).varint().is_err());
        let (mut above, last) = ([0xff; 10], 9);
        above[last] = 0x02;
        assert!(Cursor::new(&above).varint().is_err(), "a number of 65 bits was accepted");
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new(&largest).varint().unwrap(), u64::MAX);
    }
}
