//! Headers of segments, as they are and with a checksum that fits.
//!
//! A header that is read says the same when it is written again. The reserved bytes are the exception: they are written as
//! zero and not looked at.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_format::segment::SegmentHeader;
use xxhash_rust::xxh3::xxh3_64;

/// The bytes that the checksum covers.
const CHECKED: usize = 120;

/// The bytes that have a meaning: what it is and its version, and the fields.
const MEANING: [std::ops::Range<usize>; 2] = [0..10, 24..80];

fn check(file: &[u8]) {
    let Ok(header) = SegmentHeader::decode(file) else { return };
    let encoded = header.encode();
    for bytes in MEANING {
        assert_eq!(encoded[bytes.clone()], file[bytes]);
    }
    assert_eq!(SegmentHeader::decode(&encoded), Ok(header));
}

fuzz_target!(|data: &[u8]| {
    check(data);
    if let Some(checked) = data.first_chunk::<CHECKED>() {
        check(&[checked.as_slice(), &xxh3_64(checked).to_le_bytes()].concat());
    }
});
