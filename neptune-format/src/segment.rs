//! The header of a segment: the first 128 bytes of each file of a journal.
//!
//! A segment whose header is whole says by itself which experiment and writer it belongs to and which place it has in the
//! journal, so a lost file name loses nothing.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{
    ids::{ExperimentId, WriterId},
    value::Timestamp,
    version,
};

/// The first eight bytes of every segment.
pub const MAGIC: [u8; 8] = *b"NEPTJNL\n";

/// Bytes of the header; the first frame begins here.
pub const HEADER: u64 = HEADER_BYTES as u64;

/// [`HEADER`], as a length in memory.
pub const HEADER_BYTES: usize = 128;

const CHECKED_BYTES: usize = 120;

/// A place in a journal: a segment, and an offset in its file at which a frame begins or will begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The number of the segment, from 1.
    pub segment: u64,
    /// The offset in bytes from the beginning of the segment's file.
    pub offset: u64,
}

impl Position {
    /// Where every journal begins.
    pub const START: Self = Self { segment: 1, offset: HEADER };

    /// Where `segment` begins.
    pub const fn start_of(segment: u64) -> Self {
        Self { segment, offset: HEADER }
    }
}

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The experiment that the records belong to.
    pub experiment: ExperimentId,
    /// Who wrote them.
    pub writer: WriterId,
    /// The number of the segment in its journal, from 1.
    pub number: u64,
    /// The size of the file in bytes; a multiple of 8.
    pub capacity: u64,
    /// When the segment was made.
    pub created: Timestamp,
}

/// What is mixed into every checksum of segment `number` of `writer`.
///
/// It follows from the random id of the writer, so that nobody who logs can imitate a frame; and from nothing that is
/// stored in the segment, so that the frames behind a damaged header are still found.
pub fn salt(writer: WriterId, number: u64) -> u64 {
    xxh3_64_with_seed(writer.as_bytes(), number)
}

/// Why the header of a segment cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is shorter than a header: it was cut, or never finished.
    #[error("the file is shorter than the {HEADER_BYTES} bytes of a segment header")]
    Truncated,
    /// The file does not begin as a segment does.
    #[error("the file is not a segment of a journal")]
    NotASegment,
    /// A newer version of neptune wrote it.
    #[error(
        "the segment has format version {found} and this program reads up to {supported}; use a newer neptune",
        supported = version::JOURNAL
    )]
    TooNew {
        /// The version of the file.
        found: u16,
    },
    /// The checksum does not match: the header is damaged.
    #[error("the header of the segment is damaged")]
    Damaged,
}

impl SegmentHeader {
    /// The bytes of the header.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut checked = Vec::with_capacity(HEADER_BYTES);
        checked.extend(MAGIC);
        checked.extend(version::JOURNAL.to_le_bytes());
        checked.extend([0; 6]);
        checked.extend([0; 8]);
        checked.extend(self.experiment.as_bytes());
        checked.extend(self.writer.as_bytes());
        checked.extend(self.number.to_le_bytes());
        checked.extend(self.created.as_micros().to_le_bytes());
        checked.extend(self.capacity.to_le_bytes());
        checked.resize(CHECKED_BYTES, 0);
        let checksum = xxh3_64(&checked);
        checked.extend(checksum.to_le_bytes());
        checked.try_into().expect("the fields add up to the length of the header")
    }

    /// The header at the beginning of `file`.
    ///
    /// # Errors
    /// A [`HeaderError`] that says whether the file was cut, is foreign, is newer than this crate, or is damaged.
    pub fn decode(file: &[u8]) -> Result<Self, HeaderError> {
        let header = file.first_chunk::<HEADER_BYTES>().ok_or(HeaderError::Truncated)?;
        if !header.starts_with(&MAGIC) {
            return Err(HeaderError::NotASegment);
        }
        let found = u16::from_le_bytes(field(header, 8));
        if found > version::JOURNAL {
            return Err(HeaderError::TooNew { found });
        }
        let (checked, checksum) = header.split_at(CHECKED_BYTES);
        if checksum != xxh3_64(checked).to_le_bytes() || !version::can_read_journal(found) {
            return Err(HeaderError::Damaged);
        }
        let capacity = u64::from_le_bytes(field(header, 72));
        if capacity < HEADER || !capacity.is_multiple_of(crate::frame::HEADER) {
            return Err(HeaderError::Damaged);
        }
        Ok(Self {
            experiment: ExperimentId::from_bytes(field(header, 24)),
            writer: WriterId::from_bytes(field(header, 40)),
            number: u64::from_le_bytes(field(header, 56)),
            created: Timestamp::from_micros(i64::from_le_bytes(field(header, 64))),
            capacity,
        })
    }
}

/// The `N` bytes of the header at `at`.
fn field<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    header.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().expect("the fields of a header lie inside of it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            experiment: ExperimentId::from_bytes([1; 16]),
            writer: WriterId::from_bytes([2; 16]),
            number: 3,
            capacity: 4096,
            created: Timestamp::from_micros(5),
        }
    }

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        assert_eq!(SegmentHeader::decode(&header().encode()), Ok(header()));
    }

    #[test]
    fn cut_foreign_newer_and_damaged_headers_are_told_apart() {
        let bytes = header().encode();
        assert_eq!(SegmentHeader::decode(&bytes[..127]), Err(HeaderError::Truncated));
        assert_eq!(SegmentHeader::decode(&[b'x'; 128]), Err(HeaderError::NotASegment));
        let mut newer = bytes;
        newer[8] = 2;
        assert_eq!(SegmentHeader::decode(&newer), Err(HeaderError::TooNew { found: 2 }));
        for at in 10..128 {
            let mut damaged = bytes;
            damaged[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&damaged), Err(HeaderError::Damaged), "byte {at}");
        }
    }
}
