//! Frames: how bytes are laid down in a segment and found again.
//!
//! A frame is a header of 8 bytes and a body padded to a multiple of 8. The header is one little-endian word that is zero
//! until the frame is complete: length of the body (24 bits), kind (8 bits), checksum (32 bits). The checksum covers the
//! body, the kind, the place of the frame and the salt of its segment, so that no body that a user logs, and no bytes of
//! an older segment, can pass for a frame. Nothing here panics, whatever the bytes.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes of a frame's header. Frames begin at multiples of this.
pub const HEADER: u64 = HEADER_BYTES as u64;

/// [`HEADER`], as a length in memory.
pub const HEADER_BYTES: usize = 8;

/// The longest body, 1 MiB: text and records above it are refused where they are logged.
pub const MAX_BODY: usize = 1 << 20;

/// What a frame holds. A number is never reused.
pub mod kind {
    /// A [`Record`](crate::Record).
    pub const RECORD: u8 = 0x01;
    /// Nothing follows in this segment.
    pub const END: u8 = 0x02;
    /// Nothing: room that was reserved and not used.
    pub const SKIP: u8 = 0x03;
    /// A point of a number series at the step after the last.
    pub const FLOAT_NEXT: u8 = 0x10;
    /// A point of a number series at a step.
    pub const FLOAT_AT: u8 = 0x11;
    /// A point of a text series at the step after the last.
    pub const TEXT_NEXT: u8 = 0x20;
    /// A point of a text series at a step.
    pub const TEXT_AT: u8 = 0x21;
}

/// How many bytes a frame with a body of `body` bytes takes, header and padding included.
#[inline]
pub const fn frame_length(body: usize) -> u64 {
    HEADER + (body as u64).next_multiple_of(HEADER)
}

/// The header of a frame at `offset` in the segment with this `salt`.
///
/// `body` must not be longer than [`MAX_BODY`]; the length field keeps its low 24 bits.
#[inline]
pub fn header(salt: u64, offset: u64, kind: u8, body: &[u8]) -> u64 {
    let seed = salt ^ (offset << 8) ^ u64::from(kind);
    let checksum = xxh3_64_with_seed(body, seed) << 32;
    let length = body.len() as u64 & 0x00ff_ffff;
    checksum | (u64::from(kind) << 24) | length
}

/// The length of the body that `header` announces. Not checked.
#[inline]
pub const fn body_length(header: u64) -> u64 {
    header & 0x00ff_ffff
}

const fn kind_of(header: u64) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "one byte is taken out on purpose")]
    {
        (header >> 24) as u8
    }
}

/// What stands at a place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole, valid frame; the next begins at `end`.
    Frame {
        /// What it holds; see [`kind`]. May be a kind of a newer version.
        kind: u8,
        /// Its body.
        body: &'a [u8],
        /// Where the next frame begins.
        end: u64,
    },
    /// The header is zero: nothing was published here, yet or ever.
    Unpublished,
    /// The frame goes on behind the bytes at hand: read more, from its beginning, and ask again.
    Truncated,
    /// The bytes are not a frame: a torn write, or damage.
    Damaged,
}

/// A stretch of a segment, to be looked through for frames.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// The bytes at hand.
    pub bytes: &'a [u8],
    /// Where in the segment they begin; a multiple of [`HEADER`].
    pub begins: u64,
    /// Where the segment ends.
    pub capacity: u64,
    /// The salt of the segment.
    pub salt: u64,
}

impl<'a> Stretch<'a> {
    /// What stands at `offset` of the segment.
    pub fn at(&self, offset: u64) -> Found<'a> {
        let (header, found) = self.announced(offset);
        match found {
            Found::Frame { kind, body, .. } if self::header(self.salt, offset, kind, body) != header => Found::Damaged,
            found => found,
        }
    }

    /// The frame at `offset`, where [`Stretch::at`] found one before: its checksum is not looked at again.
    pub fn known(&self, offset: u64) -> Option<(u8, &'a [u8], u64)> {
        match self.announced(offset).1 {
            Found::Frame { kind, body, end } => Some((kind, body, end)),
            Found::Unpublished | Found::Truncated | Found::Damaged => None,
        }
    }

    /// The header at `offset`, and what it announces. The checksum is not looked at.
    #[inline]
    fn announced(&self, offset: u64) -> (u64, Found<'a>) {
        let Some(rest) = offset
            .checked_sub(self.begins)
            .and_then(|skip| usize::try_from(skip).ok())
            .and_then(|skip| self.bytes.get(skip..))
        else {
            return (0, Found::Truncated);
        };
        let Some((word, behind)) = rest.split_first_chunk::<8>() else {
            return (0, Found::Truncated);
        };
        let header = u64::from_le_bytes(*word);
        if header == 0 {
            return (0, Found::Unpublished);
        }
        let Ok(length) = usize::try_from(body_length(header)) else {
            return (header, Found::Damaged);
        };
        let end = offset.saturating_add(frame_length(length));
        if length > MAX_BODY || end > self.capacity {
            return (header, Found::Damaged);
        }
        let Some(body) = behind.get(..length) else {
            return (header, Found::Truncated);
        };
        (header, Found::Frame { kind: kind_of(header), body, end })
    }

    /// The first place behind `offset` at which a whole, valid frame stands: how reading goes on behind damage.
    pub fn resync(&self, offset: u64) -> Option<u64> {
        let last = self.begins.saturating_add(self.bytes.len() as u64);
        let mut place = offset.saturating_add(HEADER).max(self.begins);
        while place < last {
            if matches!(self.at(place), Found::Frame { .. }) {
                return Some(place);
            }
            place = place.saturating_add(HEADER);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u64 = 0x1234_5678_9abc_def0;

    fn lay(bytes: &mut Vec<u8>, begins: u64, kind: u8, body: &[u8]) {
        let offset = begins + bytes.len() as u64;
        bytes.extend(header(SALT, offset, kind, body).to_le_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }

    fn stretch(bytes: &[u8]) -> Stretch<'_> {
        Stretch { bytes, begins: 128, capacity: 4096, salt: SALT }
    }

    #[test]
    fn frames_are_found_one_behind_the_other() {
        let mut bytes = Vec::new();
        lay(&mut bytes, 128, kind::RECORD, b"hello");
        lay(&mut bytes, 128, kind::FLOAT_NEXT, &[7; 24]);
        bytes.extend([0; 16]);
        let found = stretch(&bytes).at(128);
        assert_eq!(found, Found::Frame { kind: kind::RECORD, body: b"hello", end: 144 });
        assert_eq!(stretch(&bytes).at(144), Found::Frame { kind: kind::FLOAT_NEXT, body: &[7; 24], end: 176 });
        assert_eq!(stretch(&bytes).known(128), Some((kind::RECORD, b"hello".as_slice(), 144)));
        assert_eq!(stretch(&bytes).at(176), Found::Unpublished);
        assert_eq!(stretch(&bytes).at(192), Found::Truncated);
        assert_eq!((stretch(&bytes).known(176), stretch(&bytes).known(192)), (None, None));
        assert_eq!(stretch(&bytes).at(8), Found::Truncated);
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed() {
        let mut whole = Vec::new();
        lay(&mut whole, 128, kind::RECORD, b"twelve bytes");
        for bit in 0..(8 + 12) * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches!(stretch(&bytes).at(128), Found::Frame { .. }),
                "bit {bit} was flipped and nothing was noticed"
            );
        }
    }

    #[test]
    fn a_frame_inside_a_body_is_not_taken_for_one() {
        let mut inner = Vec::new();
        lay(&mut inner, 0, kind::RECORD, b"forged");
        let mut bytes = Vec::new();
        lay(&mut bytes, 128, kind::TEXT_NEXT, &inner);
        let end = bytes.len();
        lay(&mut bytes, 128, kind::RECORD, b"real");
        bytes[0] = 0xff;
        assert_eq!(stretch(&bytes).resync(128), Some(128 + end as u64));
    }

    #[test]
    fn any_bytes_are_looked_through_without_a_panic() {
        proptest::proptest!(|(bytes: Vec<u8>, begins in 0u64..64, offset: u64, capacity: u64)| {
            let stretch = Stretch { bytes: &bytes, begins: begins * 8, capacity, salt: SALT };
            let _found = stretch.at(offset);
            let _found = stretch.at(begins * 8);
            let _next = stretch.resync(begins * 8);
        });
    }
}
