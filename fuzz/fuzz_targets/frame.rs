//! Frames in arbitrary bytes, and in segments that were whole before they were damaged.
//!
//! Whatever the bytes, a frame that is found lies within the segment, ends behind its beginning, and is one that its
//! checksum was made for.

#![no_main]

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use neptune_format::frame::{self, Found, Stretch};

/// A stretch of a segment.
#[derive(Arbitrary, Debug)]
struct Segment<'a> {
    /// Frames that are whole: kind and body.
    frames: Vec<(u8, &'a [u8])>,
    /// What stands behind them.
    rest: &'a [u8],
    /// Bytes that are changed: where and to what.
    damage: Vec<(u16, u8)>,
    /// How many of the bytes are at hand.
    at_hand: u16,
    /// Where they begin, in multiples of 8.
    begins: u16,
    /// How much longer the segment is; less when it is negative.
    beyond: i16,
    salt: u64,
    /// Where to look besides.
    offset: u64,
}

fuzz_target!(|segment: Segment<'_>| {
    let begins = u64::from(segment.begins) * frame::HEADER;
    let mut bytes = Vec::new();
    for (kind, body) in &segment.frames {
        let offset = begins + bytes.len() as u64;
        bytes.extend(frame::header(segment.salt, offset, *kind, body).to_le_bytes());
        bytes.extend(*body);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    let whole = bytes.len();
    bytes.extend(segment.rest);
    let capacity = (begins + bytes.len() as u64).saturating_add_signed(segment.beyond.into());
    let is_whole = segment.damage.is_empty() && segment.at_hand == u16::MAX && segment.beyond >= 0;
    for (at, byte) in segment.damage {
        if let Some(place) = bytes.get_mut(usize::from(at)) {
            *place = byte;
        }
    }
    if segment.at_hand < u16::MAX {
        bytes.truncate(segment.at_hand.into());
    }

    let stretch = Stretch { bytes: &bytes, begins, capacity, salt: segment.salt };
    let check = |offset: u64| {
        let found = stretch.at(offset);
        if let Found::Frame { kind, body, end } = found {
            assert!(end > offset && end <= capacity);
            assert_eq!(end, offset + frame::frame_length(body.len()));
            let at = usize::try_from(offset - begins).expect("a frame lies in the bytes at hand");
            let header = frame::header(segment.salt, offset, kind, body).to_le_bytes();
            assert!(bytes[at..].starts_with(&header) && bytes[at + header.len()..].starts_with(body));
        }
        found
    };
    check(segment.offset);
    for place in (0..=bytes.len() as u64).step_by(8) {
        check(begins + place);
    }
    // A reader goes on from where it is, which is never before the bytes at hand.
    for from in [begins, segment.offset.max(begins)] {
        if let Some(next) = stretch.resync(from) {
            assert!(next > from && matches!(check(next), Found::Frame { .. }));
        }
    }
    if is_whole {
        let mut offset = begins;
        while offset < begins + whole as u64 {
            match check(offset) {
                Found::Frame { end, .. } => offset = end,
                // The header of kind 0 without a body whose checksum is 0 reads as no header.
                Found::Unpublished => break,
                found => panic!("a whole frame at {offset} reads as {found:?}"),
            }
        }
    }
});
