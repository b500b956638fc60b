//! Reading segments as files: what is published, of a living writer or of a dead one.
//!
//! A reader changes nothing. It hands out every whole, valid frame, and says where bytes were damaged.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use neptune_format::{
    Entry, Position,
    frame::{self, Found, Stretch, kind},
    segment::{self, HeaderError, SegmentHeader},
};

use super::folder::WriterFolder;

/// How much of a gap without a header may be left by calls that were cut off between reserving room and publishing: room
/// for a hundred points. Anything longer with frames behind it is taken for damage.
const CUT_OFF: u64 = 4096;

/// How much of a living journal is read at once: bounds the memory of the drain, and holds the longest frame.
const WINDOW: u64 = frame::MAX_BODY as u64 + (64 << 10);

/// What the writer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It may still publish: what is not published is waited for.
    Alive,
    /// As `Alive`, but a frame that has looked damaged for long is taken for damaged, and reading goes on behind it.
    AlivePastDamage,
    /// It is dead, or stopped and settled: what is not published never will be.
    Dead,
}

/// Frames of one segment that follow each other in the journal.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// Where it begins.
    pub(crate) start: Position,
    /// Where the next batch begins.
    pub(crate) end: Position,
    /// Stretches of the segment that are damaged; of a dead writer only.
    pub(crate) damaged: u64,
    /// A damaged frame stops a living journal here.
    pub(crate) stuck: bool,
    stretch: Stretch<'a>,
    whole: Vec<Range<u64>>,
}

impl Batch<'_> {
    /// Whether there is nothing to apply and nowhere to advance to.
    pub(crate) fn is_empty(&self) -> bool {
        self.end == self.start && self.damaged == 0
    }

    /// How many bytes of frames it has.
    pub(crate) fn bytes(&self) -> u64 {
        self.whole.iter().map(|range| range.end - range.start).sum()
    }

    /// The entries, in order. Frames that are whole but not understood are left out; see [`Batch::not_understood`].
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.frames().filter_map(|(kind, body)| Entry::decode(kind, body).ok())
    }

    /// How many frames are whole but cannot be understood: damage that kept its checksum, or a kind of a newer version.
    pub(crate) fn not_understood(&self) -> u64 {
        self.frames().filter(|(kind, body)| Entry::decode(*kind, body).is_err()).count() as u64
    }

    /// How many frames there are.
    pub(crate) fn count(&self) -> u64 {
        self.frames().filter(|(kind, _)| !matches!(*kind, kind::END | kind::SKIP)).count() as u64
    }

    fn frames(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.whole.iter().flat_map(move |range| {
            let mut offset = range.start;
            std::iter::from_fn(move || {
                if offset >= range.end {
                    return None;
                }
                // The walk found them whole.
                let (kind, body, end) = self.stretch.known(offset)?;
                offset = end;
                Some((kind, body))
            })
        })
    }
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("cannot read {}: {error}", path.display())]
    TooNew { path: PathBuf, error: HeaderError },
}

/// Reads one journal.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: WriterFolder,
    /// How many segments were ever ready, when that is known: a file of those that is short was cut.
    ready: Option<u64>,
    buffer: Vec<u8>,
}

impl Reader {
    pub(crate) const fn new(folder: WriterFolder, ready: Option<u64>) -> Self {
        Self { folder, ready, buffer: Vec::new() }
    }

    /// The frames from `from` on, to the end of its segment at most.
    pub(crate) fn read(&mut self, from: Position, reading: Reading) -> Result<Batch<'_>, ReadError> {
        let path = self.folder.segment(from.segment);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.missing(from, reading);
            }
            Err(error) => return Err(ReadError::Io { path, error }),
        };
        let failed = |error| ReadError::Io { path: path.clone(), error };
        let length = file.metadata().map_err(failed)?.len();
        let header = self.header(&file, &path)?;
        let capacity = header.map_or(length, |header| header.capacity).max(length);
        // Of a dead journal the whole segment is looked at, because reading may have to go on behind damage.
        let until = if reading == Reading::Alive { length.min(from.offset + WINDOW) } else { length };
        self.fill(&file, from.offset, until).map_err(failed)?;
        let stretch = Stretch {
            bytes: &self.buffer,
            begins: from.offset,
            capacity,
            salt: segment::salt(self.folder.writer, from.segment),
        };
        let mut walk = Walk { stretch, offset: from.offset, whole: Vec::new(), damaged: 0, ended: false, stuck: false };
        walk.run(reading);
        if reading == Reading::Dead {
            let cut = length < header.map_or(0, |header| header.capacity);
            let was_ready = self.ready.is_some_and(|ready| from.segment <= ready);
            if cut || (length < segment::HEADER && was_ready) || (header.is_none() && !walk.whole.is_empty()) {
                walk.damaged += 1;
            }
        }
        let next = Position::start_of(from.segment + 1);
        let end = if walk.ended || reading == Reading::Dead {
            next
        } else {
            Position { segment: from.segment, offset: walk.offset }
        };
        Ok(Batch { start: from, end, damaged: walk.damaged, stuck: walk.stuck, stretch, whole: walk.whole })
    }

    /// There is no such segment: the end of the journal, or a hole in it.
    fn missing(&mut self, from: Position, reading: Reading) -> Result<Batch<'_>, ReadError> {
        self.buffer.clear();
        let later = match reading {
            Reading::Alive | Reading::AlivePastDamage => None,
            Reading::Dead => self
                .folder
                .segments()
                .map_err(|error| ReadError::Io { path: self.folder.path.clone(), error })?
                .into_iter()
                .find(|number| *number > from.segment),
        };
        let (end, damaged) = later.map_or((from, 0), |number| (Position::start_of(number), 1));
        let stretch = Stretch { bytes: &self.buffer, begins: from.offset, capacity: 0, salt: 0 };
        Ok(Batch { start: from, end, damaged, stuck: false, stretch, whole: Vec::new() })
    }

    /// The header of a segment; `None` when it is damaged or was never written.
    fn header(&self, file: &File, path: &Path) -> Result<Option<SegmentHeader>, ReadError> {
        let mut bytes = [0; segment::HEADER_BYTES];
        let read = read_up_to(file, &mut bytes, 0).map_err(|error| ReadError::Io { path: path.to_owned(), error })?;
        match SegmentHeader::decode(bytes.get(..read).unwrap_or_default()) {
            Ok(header) if header.writer == self.folder.writer => Ok(Some(header)),
            Err(error @ HeaderError::TooNew { .. }) => Err(ReadError::TooNew { path: path.to_owned(), error }),
            _ => Ok(None),
        }
    }

    fn fill(&mut self, file: &File, from: u64, until: u64) -> io::Result<()> {
        let length = usize::try_from(until.saturating_sub(from)).map_err(io::Error::other)?;
        self.buffer.resize(length, 0);
        let read = read_up_to(file, &mut self.buffer, from)?;
        self.buffer.truncate(read);
        Ok(())
    }
}

fn read_up_to(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A walk over the frames of a stretch.
struct Walk<'a> {
    stretch: Stretch<'a>,
    offset: u64,
    whole: Vec<Range<u64>>,
    damaged: u64,
    ended: bool,
    stuck: bool,
}

impl Walk<'_> {
    fn run(&mut self, reading: Reading) {
        loop {
            let from = self.offset;
            self.frames();
            if self.offset > from {
                self.whole.push(from..self.offset);
            }
            if self.ended {
                return;
            }
            let is_damaged = self.stretch.at(self.offset) == Found::Damaged;
            if reading == Reading::Alive || (reading == Reading::AlivePastDamage && !is_damaged) {
                self.stuck = is_damaged;
                return;
            }
            let behind = self.stretch.resync(self.offset);
            if behind.is_none() && reading == Reading::AlivePastDamage {
                self.stuck = true;
                return;
            }
            let is_gap = behind.is_some_and(|behind| behind - self.offset >= CUT_OFF);
            if is_damaged || is_gap {
                self.damaged += 1;
            }
            match behind {
                Some(behind) => self.offset = behind,
                None => return,
            }
        }
    }

    /// Walks over whole frames as far as they stand one behind the other.
    fn frames(&mut self) {
        loop {
            if self.offset + frame::HEADER > self.stretch.capacity {
                self.ended = true;
                return;
            }
            match self.stretch.at(self.offset) {
                Found::Frame { kind: kind::END, end, .. } => {
                    self.offset = end;
                    self.ended = true;
                    return;
                }
                Found::Frame { end, .. } => self.offset = end,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use neptune_format::{ExperimentId, Timestamp, WriterId, entry, segment::SegmentHeader};

    use super::*;

    const CAPACITY: u64 = 1024;
    const POINTS: u32 = 45;

    /// Two segments of points and text as a writer leaves them: the first ended, the second cut off by a kill.
    fn journal(folder: &Path) -> WriterFolder {
        let experiment = ExperimentId::from_bytes([1; 16]);
        let writer = WriterFolder { path: folder.to_owned(), experiment, writer: WriterId::from_bytes([2; 16]) };
        let mut number = 0;
        for segment in 1..=2 {
            let salt = segment::salt(writer.writer, segment);
            let header = SegmentHeader {
                experiment,
                writer: writer.writer,
                number: segment,
                capacity: CAPACITY,
                created: Timestamp::default(),
            };
            let mut bytes = header.encode().to_vec();
            let mut lay = |kind: u8, body: &[u8]| {
                let word = frame::header(salt, bytes.len() as u64, kind, body);
                bytes.extend(word.to_le_bytes());
                bytes.extend(body);
                bytes.resize(bytes.len().next_multiple_of(8), 0);
            };
            let last = if segment == 1 { 25 } else { POINTS };
            while number < last {
                lay(kind::FLOAT_NEXT, &entry::encode_float_next(7, Timestamp::default(), f64::from(number)));
                number += 1;
            }
            if segment == 1 {
                lay(kind::END, &[]);
            }
            bytes.resize(usize::try_from(CAPACITY).unwrap(), 0);
            fs::write(writer.segment(segment), bytes).unwrap();
        }
        writer
    }

    /// The points that a reader of the dead finds, and how often it found damage.
    fn read(folder: &WriterFolder, ready: Option<u64>) -> (Vec<u32>, u64) {
        let mut reader = Reader::new(folder.clone(), ready);
        let mut position = Position::START;
        let (mut points, mut damaged) = (Vec::new(), 0);
        loop {
            let batch = reader.read(position, Reading::Dead).unwrap();
            if batch.is_empty() {
                return (points, damaged);
            }
            damaged += batch.damaged + batch.not_understood();
            points.extend(batch.entries().filter_map(|entry| match entry {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole numbers")]
                Entry::Float { value, .. } => Some(value as u32),
                _ => None,
            }));
            position = batch.end;
        }
    }

    #[test]
    fn a_whole_journal_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        assert_eq!(read(&journal, Some(2)), ((0..POINTS).collect(), 0));
        assert_eq!(read(&journal, None), ((0..POINTS).collect(), 0));
    }

    #[test]
    fn a_flip_of_any_byte_loses_one_frame_at_most_and_never_silently() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        for segment in [1, 2] {
            let path = journal.segment(segment);
            let whole = fs::read(&path).unwrap();
            for at in 0..whole.len() {
                // The version must stay readable: a newer one is refused as a whole, with an error.
                if (8..10).contains(&at) {
                    continue;
                }
                for flip in [0x01, 0xff] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= flip;
                    fs::write(&path, &bytes).unwrap();
                    let (points, damaged) = read(&journal, Some(2));
                    let missing = (0..POINTS).filter(|number| !points.contains(number)).count();
                    assert!(missing <= 1, "segment {segment}, byte {at}: {missing} points are lost");
                    assert!(missing == 0 || damaged > 0, "segment {segment}, byte {at}: a point is lost silently");
                    assert!(points.is_sorted() && points.iter().all(|number| *number < POINTS), "made up: {points:?}");
                    assert_eq!(points.len() + missing, POINTS as usize, "a point came twice");
                }
            }
            fs::write(&path, &whole).unwrap();
        }
    }

    #[test]
    fn a_cut_at_any_offset_keeps_what_is_before_it_and_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        for segment in [1, 2] {
            let path = journal.segment(segment);
            let whole = fs::read(&path).unwrap();
            let (first, last) = if segment == 1 { (0, 25) } else { (25, POINTS) };
            for cut in 0..whole.len() {
                fs::write(&path, &whole[..cut]).unwrap();
                let (points, damaged) = read(&journal, Some(2));
                let here = points.iter().filter(|number| (first..last).contains(*number)).count();
                let there = points.len() - here;
                let frames = cut.saturating_sub(segment::HEADER_BYTES) / 32;
                let all = (last - first) as usize;
                assert_eq!(here, frames.min(all), "segment {segment} cut at {cut}");
                assert_eq!(there, POINTS as usize - all, "the other segment is whole");
                assert!(damaged > 0, "segment {segment} cut at {cut} was not noticed");
            }
            fs::write(&path, &whole).unwrap();
        }
    }

    #[test]
    fn what_a_killed_thread_left_unpublished_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let path = journal.segment(1);
        let mut bytes = fs::read(&path).unwrap();
        // Reserved, half written, and never published.
        let at = segment::HEADER_BYTES + 32 * 3;
        bytes[at..at + 8].fill(0);
        bytes[at + 20..at + 32].fill(0);
        fs::write(&path, &bytes).unwrap();
        let (points, damaged) = read(&journal, Some(2));
        assert_eq!((points.len(), damaged), (POINTS as usize - 1, 0));
        assert!(!points.contains(&3));
    }

    #[test]
    fn a_segment_that_was_being_made_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        for unfinished in [vec![], vec![0; 100], vec![0; 1024]] {
            fs::write(journal.segment(3), unfinished).unwrap();
            assert_eq!(read(&journal, Some(2)), ((0..POINTS).collect(), 0));
        }
    }

    #[test]
    fn damage_in_a_living_journal_is_passed_and_what_is_unpublished_still_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let path = journal.segment(2);
        let mut bytes = fs::read(&path).unwrap();
        bytes[segment::HEADER_BYTES + 40] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let mut reader = Reader::new(journal, None);
        let stopped = reader.read(Position::start_of(2), Reading::Alive).unwrap();
        assert!(stopped.stuck && stopped.count() == 1);
        let from = stopped.end;
        let passed = reader.read(from, Reading::AlivePastDamage).unwrap();
        assert_eq!((passed.count(), passed.damaged, passed.end.segment), (18, 1, 2));
    }

    #[test]
    fn a_living_journal_is_read_up_to_what_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let mut reader = Reader::new(journal, None);
        let first = reader.read(Position::START, Reading::Alive).unwrap();
        assert_eq!((first.count(), first.end), (25, Position::start_of(2)));
        let second = reader.read(Position::start_of(2), Reading::Alive).unwrap();
        let end = second.end;
        assert_eq!((second.count(), end.segment), (20, 2));
        assert!(reader.read(end, Reading::Alive).unwrap().is_empty(), "the rest is waited for");
    }
}
