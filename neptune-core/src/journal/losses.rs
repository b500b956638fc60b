//! The counts of what could not be kept, in a mapped file: they survive the death of the process like everything else, and
//! a forked child counts into the same file as its parent.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use neptune_format::{LostReason, LostReport};

use super::{mapping::Mapping, segment};

/// Bytes of the file: one page.
const BYTES: usize = 4096;

/// The word that says what is known of the end of the writer.
const DEATH: usize = SEGMENTS - 1;

/// What [`DEATH`] holds of a program that exited; smaller numbers are signals.
const EXITED: u64 = 256;

/// The word that says how many segments were ever made ready; the words before it are counts, by number of their reason.
const SEGMENTS: usize = BYTES / 8 - 1;

#[derive(Debug)]
pub(crate) struct Losses {
    mapping: Mapping,
    /// Nothing is kept on purpose: then that is no loss.
    keeps_nothing: bool,
    /// The first detail of each reason, for the warning; taken by the keeper when it warns.
    details: Mutex<[Option<String>; LostReason::ALL.len()]>,
    /// What integrations have to say, until the keeper says it.
    notices: Mutex<Vec<String>>,
}

/// Notices that wait at most; somebody who has more to say in a second is not read.
const MOST_NOTICES: usize = 64;

impl Losses {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(path)?;
        segment::allocate(&file, BYTES as u64)?;
        Ok(Self::over(Mapping::of(&file, BYTES)?, false))
    }

    /// Counts of a journal that keeps nothing: they go with the process.
    pub(super) fn of_nothing() -> io::Result<Self> {
        Ok(Self::over(Mapping::anonymous(BYTES)?, true))
    }

    fn over(mapping: Mapping, keeps_nothing: bool) -> Self {
        Self { mapping, keeps_nothing, details: Mutex::default(), notices: Mutex::default() }
    }

    /// Counts; never blocks and makes no system call.
    pub(crate) fn add(&self, reason: LostReason, count: u64) {
        if self.keeps_nothing && reason == LostReason::Stopped {
            return;
        }
        self.count(reason).fetch_add(count, Ordering::Relaxed);
    }

    /// Counts, and keeps `detail` for the warning when it is the first of its reason.
    pub(crate) fn explain(&self, reason: LostReason, count: u64, detail: impl FnOnce() -> String) {
        self.add(reason, count);
        if let Ok(mut details) = self.details.try_lock()
            && let Some(first @ None) = details.get_mut(usize::from(reason as u8))
        {
            *first = Some(detail());
        }
    }

    pub(crate) fn report(&self) -> LostReport {
        let mut report = LostReport::default();
        for reason in LostReason::ALL {
            report.add(reason, self.count(reason).load(Ordering::Relaxed));
        }
        report
    }

    /// Has the keeper say something; never blocks.
    pub(crate) fn notice(&self, notice: impl FnOnce() -> String) {
        if let Ok(mut notices) = self.notices.try_lock()
            && notices.len() < MOST_NOTICES
        {
            notices.push(notice());
        }
    }

    pub(super) fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn detail(&self, reason: LostReason) -> Option<String> {
        let details = self.details.lock().unwrap_or_else(PoisonError::into_inner);
        details.get(usize::from(reason as u8)).cloned().flatten()
    }

    /// Remembers that segment `number` is ready: from now on its file is whole, or was damaged.
    pub(super) fn segment_is_ready(&self, number: u64) {
        self.mapping.counter(SEGMENTS).store(number, Ordering::Release);
    }

    /// Remembers how the writer is about to end, if it does not come to end in good order.
    pub(crate) fn note_death(&self, death: Death) {
        let word = match death {
            Death::Signal(number) => number,
            Death::Exited => EXITED,
        };
        // What came first is the cause.
        self.mapping.counter(DEATH).compare_exchange(0, word, Ordering::AcqRel, Ordering::Relaxed).ok();
    }

    fn count(&self, reason: LostReason) -> &AtomicU64 {
        self.mapping.counter(usize::from(reason as u8))
    }
}

/// How a writer was about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// It was told to die by this signal.
    Signal(u64),
    /// Its program exited while it was open.
    Exited,
}

/// What the file of a writer says that is no longer alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Remains {
    pub(crate) lost: LostReport,
    /// How many segments were ever ready.
    pub(crate) segments: u64,
    /// How it was about to end, where it knew.
    pub(crate) death: Option<Death>,
}

impl Remains {
    /// Reads the file at `path`; nothing was lost when there is none.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let word = |index: usize| {
            let word = bytes.get(index * 8..).and_then(|rest| rest.first_chunk::<8>());
            word.map_or(0, |word| u64::from_le_bytes(*word))
        };
        let mut lost = LostReport::default();
        for reason in LostReason::ALL {
            lost.add(reason, word(usize::from(reason as u8)));
        }
        let death = match word(DEATH) {
            0 => None,
            EXITED => Some(Death::Exited),
            signal => Some(Death::Signal(signal)),
        };
        Ok(Self { lost, segments: word(SEGMENTS), death })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_again_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lost");
        let losses = Losses::create(&path).unwrap();
        losses.add(LostReason::DiskFull, 3);
        losses.explain(LostReason::TypeConflict, 1, || "first".into());
        losses.explain(LostReason::TypeConflict, 1, || "second".into());
        losses.segment_is_ready(4);
        losses.note_death(Death::Signal(15));
        losses.note_death(Death::Exited);
        assert_eq!(losses.detail(LostReason::TypeConflict).as_deref(), Some("first"));
        // The mapping is never flushed here: a reader of the file sees it all the same.
        let remains = Remains::read(&path).unwrap();
        assert_eq!(remains.lost, losses.report());
        assert_eq!(remains.lost.count(LostReason::DiskFull), 3);
        assert_eq!(remains.lost.count(LostReason::TypeConflict), 2);
        assert_eq!(remains.segments, 4);
        assert_eq!(remains.death, Some(Death::Signal(15)));
        assert_eq!(Remains::read(&folder.path().join("none")).unwrap(), Remains::default());
    }
}
