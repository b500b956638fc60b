//! [`Journal`]: what logging calls write to.
//!
//! Nothing here blocks, allocates without bound or returns an error: what cannot be kept is counted.

use std::{
    fs, io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use neptune_format::{
    ExperimentId, LostReason, Position, Record, Timestamp, WriterId, entry,
    frame::{self, kind},
    segment::{self, SegmentHeader},
};

use super::{
    abort::AbortRequest,
    folder::{Folder, WriterFolder},
    keeper::{Keeper, KeptFiles},
    lock::Lock,
    losses::Losses,
    process::Process,
    ring::{Refused, Ring},
    segment as files,
};
use crate::{clock, fork};

/// The journal of one writer.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(super) ring: Ring,
    pub(super) losses: Losses,
    pub(super) folder: WriterFolder,
    pub(super) capacity: u64,
    /// Whether what was logged is synced to the disk now and then.
    pub(super) is_power_safe: bool,
    /// The files of segments that are ready or written to, for syncing.
    pub(super) files: Mutex<KeptFiles>,
    pub(super) abort: AbortRequest,
    keeps_nothing: bool,
}

/// Who syncs a journal to the disk, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syncing {
    pub(crate) every: Option<Duration>,
    /// The keeper does it, because there is no drain.
    pub(crate) by_keeper: bool,
}

/// A journal that was made, with what keeps it going.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Arc<Journal>,
    pub(crate) keeper: Keeper,
    /// `None` of a journal that keeps nothing.
    pub(crate) lock: Option<Lock>,
}

impl Journal {
    /// Makes the journal of a new writer, locked, with its first segment ready.
    pub(crate) fn create(
        folder: &Folder,
        experiment: ExperimentId,
        writer: WriterId,
        capacity: u64,
        syncing: Syncing,
        edits: bool,
    ) -> io::Result<Opened> {
        fork::watch();
        clock::start();
        let named = folder.writer(experiment, writer);
        let unfinished = named.unfinished();
        let (ring, losses, first, lock) = Self::make_again(&unfinished, &named, capacity, edits)?;
        let journal = Arc::new(Self {
            ring,
            losses,
            folder: named,
            capacity,
            is_power_safe: syncing.every.is_some(),
            files: Mutex::new(KeptFiles::with_first(first)),
            abort: AbortRequest::default(),
            keeps_nothing: false,
        });
        let sync_every = if syncing.by_keeper { syncing.every } else { None };
        let keeper = Keeper::start(Arc::clone(&journal), sync_every)?;
        Ok(Opened { journal, keeper, lock: Some(lock) })
    }

    /// Makes a journal that keeps nothing and has no folder: its ring was stopped before it began, so a logging call goes the
    /// way that it goes after the end of an experiment.
    pub(crate) fn of_nothing(folder: &Folder, experiment: ExperimentId, writer: WriterId) -> io::Result<Opened> {
        fork::watch();
        clock::start();
        let ring = Ring::new(super::SEGMENT_BYTES);
        ring.stop();
        let journal = Arc::new(Self {
            ring,
            losses: Losses::of_nothing()?,
            folder: folder.writer(experiment, writer),
            capacity: super::SEGMENT_BYTES,
            is_power_safe: false,
            files: Mutex::default(),
            abort: AbortRequest::default(),
            keeps_nothing: true,
        });
        // It has no segments to make, but warnings to say and a clock to anchor.
        let keeper = Keeper::start(Arc::clone(&journal), None)?;
        Ok(Opened { journal, keeper, lock: None })
    }

    /// As [`Journal::make`], again when another process took the unfinished folder away: whoever recovers may find it
    /// before its lock is held, and the last writer of an experiment removes the folder around it.
    fn make_again(
        unfinished: &WriterFolder,
        named: &WriterFolder,
        capacity: u64,
        edits: bool,
    ) -> io::Result<(Ring, Losses, fs::File, Lock)> {
        const TRIES: u32 = 50;
        const PAUSE: Duration = Duration::from_millis(2);
        let mut tries = 0;
        loop {
            let made = Self::make(unfinished, named, capacity, edits);
            let Err(error) = &made else { return made };
            let was_taken_away = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::WouldBlock);
            tries += 1;
            if !was_taken_away || tries == TRIES {
                drop(unfinished.remove());
                return made;
            }
            thread::park_timeout(PAUSE);
        }
    }

    /// Makes the folder, its lock and its first segment, and then gives the folder its name.
    fn make(
        unfinished: &WriterFolder,
        named: &WriterFolder,
        capacity: u64,
        edits: bool,
    ) -> io::Result<(Ring, Losses, fs::File, Lock)> {
        fs::create_dir_all(&unfinished.path)?;
        let mut lock = Lock::take(&unfinished.lock())?
            .ok_or_else(|| io::Error::new(io::ErrorKind::WouldBlock, "the lock of a new journal is held by another"))?;
        let losses = Losses::create(&unfinished.lost())?;
        Process { edits, ..Process::now() }.write(&unfinished.process())?;
        let ring = Ring::new(capacity);
        let first = files::prepare(unfinished, &header_of(named, 1, capacity))?;
        losses.segment_is_ready(1);
        ring.install(1, first.mapping, segment::salt(named.writer, 1));
        // From here on the folder can be found by whoever looks for dead writers, and it is locked.
        lock.rename_folder(&unfinished.path, &named.path)?;
        Ok((ring, losses, first.file, lock))
    }

    /// A point at the step behind the last.
    #[inline]
    pub(crate) fn float_next(&self, series: u32, value: f64) {
        const LENGTH: u64 = frame::frame_length(entry::POINT_NEXT);
        let time = clock::now();
        match self.room(LENGTH) {
            Ok(mut room) => room.put(kind::FLOAT_NEXT, &entry::encode_float_next(series, time, value)),
            Err(reason) => self.losses.add(reason, 1),
        }
    }

    /// A point at `step`, logged at `time`.
    #[inline]
    pub(crate) fn float_at(&self, series: u32, time: Timestamp, value: f64, step: f64) {
        const LENGTH: u64 = frame::frame_length(entry::POINT_AT);
        match self.room(LENGTH) {
            Ok(mut room) => room.put(kind::FLOAT_AT, &entry::encode_float_at(series, time, value, step)),
            Err(reason) => self.losses.add(reason, 1),
        }
    }

    /// `count` points of several series, at one step or each at the step behind its last. At most
    /// [`Journal::most_points`]. Takes all of them from `points`, whether they can be kept or not.
    #[inline]
    pub(crate) fn floats(
        &self,
        time: Timestamp,
        step: Option<f64>,
        count: usize,
        points: impl Iterator<Item = (u32, f64)>,
    ) {
        const NEXT: u64 = frame::frame_length(entry::POINT_NEXT);
        const AT: u64 = frame::frame_length(entry::POINT_AT);
        let length = if step.is_some() { AT } else { NEXT };
        match self.room(length * count as u64) {
            Ok(room) => {
                let mut room = room.filled();
                for (series, value) in points {
                    match step {
                        Some(step) => {
                            room.put(kind::FLOAT_AT, &entry::encode_float_at(series, time, value, step));
                        }
                        None => room.put(kind::FLOAT_NEXT, &entry::encode_float_next(series, time, value)),
                    }
                }
            }
            Err(reason) => {
                points.for_each(drop);
                self.losses.add(reason, count as u64);
            }
        }
    }

    /// Text at a step, or at the one behind the last.
    pub(crate) fn text(&self, series: u32, time: Timestamp, step: Option<f64>, text: &str) {
        // Asked before the text is copied, so that no text of any length makes a logging call allocate for it.
        if self.is_too_large(text.len()) {
            return;
        }
        let (kind, body) = entry::encode_text(series, time, step, text);
        self.bytes(kind, &body).ok();
    }

    /// A record.
    pub(crate) fn record(&self, record: &Record) {
        self.try_record(record).ok();
    }

    /// A record; says why it was not kept, which is counted too.
    pub(crate) fn try_record(&self, record: &Record) -> Result<(), LostReason> {
        if self.is_too_large(record.text_bytes()) {
            return Err(LostReason::TooLarge);
        }
        if self.keeps_nothing {
            return Ok(());
        }
        self.bytes(kind::RECORD, &record.encode())
    }

    fn bytes(&self, kind: u8, body: &[u8]) -> Result<(), LostReason> {
        if self.is_too_large(body.len()) {
            return Err(LostReason::TooLarge);
        }
        let mut room = self.room(frame::frame_length(body.len())).inspect_err(|reason| self.losses.add(*reason, 1))?;
        room.put_bytes(kind, body);
        Ok(())
    }

    /// Whether a body of `length` bytes cannot be logged; counts it then.
    fn is_too_large(&self, length: usize) -> bool {
        let too_large = length > frame::MAX_BODY || frame::frame_length(length) > self.capacity - segment::HEADER;
        if too_large {
            self.losses.explain(LostReason::TooLarge, 1, || format!("{length} bytes at once"));
        }
        too_large
    }

    /// How many points [`Journal::floats`] takes at once.
    pub(crate) fn most_points(&self) -> usize {
        const MOST: u64 = 1024;
        let fit = (self.capacity - segment::HEADER) / frame::frame_length(entry::POINT_AT);
        usize::try_from(fit.min(MOST)).unwrap_or(1)
    }

    /// What could not be kept, to be counted by the caller as well.
    pub(crate) const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Whether somebody wants the experiment aborted.
    pub(crate) const fn abort(&self) -> &AbortRequest {
        &self.abort
    }

    /// Whether this journal keeps nothing, on purpose.
    pub(crate) const fn keeps_nothing(&self) -> bool {
        self.keeps_nothing
    }

    /// Whether this process is the one that made the journal.
    #[inline]
    pub(crate) fn is_ours(&self) -> bool {
        self.ring.is_ours()
    }

    /// Whether nothing more is taken.
    pub(crate) fn is_stopped(&self) -> bool {
        self.ring.is_stopped()
    }

    /// A place behind everything that was logged before this call.
    pub(crate) fn logged(&self) -> Position {
        self.ring.given_out()
    }

    /// Takes nothing more; returns the place behind everything that was taken.
    pub(crate) fn stop(&self) -> Position {
        self.ring.stop()
    }

    pub(crate) const fn folder(&self) -> &WriterFolder {
        &self.folder
    }

    /// Puts everything that was logged before this call on the disk. Blocks; never called by a logging call.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).handles()?;
        for file in files {
            file.sync_data()?;
        }
        Ok(())
    }

    #[inline]
    fn room(&self, length: u64) -> Result<super::mapping::Room, LostReason> {
        self.ring.reserve(length).map_err(|refused| self.reason(refused))
    }

    #[cold]
    fn reason(&self, refused: Refused) -> LostReason {
        match refused {
            Refused::Stopped => LostReason::Stopped,
            Refused::Forked => LostReason::Forked,
            Refused::NoRoom if self.ring.is_barren() => LostReason::DiskFull,
            Refused::NoRoom => LostReason::Overrun,
        }
    }
}

pub(super) fn header_of(folder: &WriterFolder, number: u64, capacity: u64) -> SegmentHeader {
    SegmentHeader { experiment: folder.experiment, writer: folder.writer, number, capacity, created: clock::now() }
}
