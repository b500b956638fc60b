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

/// What the writer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It may still publish: what is not published is waited for.
    Alive,
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
                match self.stretch.at(offset) {
                    Found::Frame { kind, body, end } => {
                        offset = end;
                        Some((kind, body))
                    }
                    _ => None,
                }
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

    /// The frames from `from` on, to the end of its segment at most and `upto` at most.
    pub(crate) fn read(
        &mut self,
        from: Position,
        reading: Reading,
        upto: Option<Position>,
    ) -> Result<Batch<'_>, ReadError> {
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
        let until = match upto {
            Some(upto) if upto.segment == from.segment => upto.offset.min(length),
            _ => length,
        };
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
            Reading::Alive => None,
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
            if reading == Reading::Alive {
                self.stuck = is_damaged;
                return;
            }
            let behind = self.stretch.resync(self.offset);
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
