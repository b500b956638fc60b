//! Recovery: what writers left that died, or that nobody drained.
//!
//! First a survey, which changes nothing; then a plan, which is the survey read by a person or by [`Session::recover`];
//! then the draining of one journal after the other. Every whole record of a journal reaches the store, exactly once;
//! segments with damage are set aside, counted and reported, never thrown away (guarantee G4).

use std::{fs, io, path::PathBuf, thread, time::Duration};

use neptune_format::{Entry, ExperimentId, LostReport, Position, Timestamp, WriterId};
use neptune_store::{Piece, Store, WriterKey};

use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    journal::{Death, Lock, Process, ReadError, Reader, Reading, Remains, WriterFolder},
    session::{Mode, Session},
    signal,
};

/// What stands in the folder of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalSurvey {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The writer.
    pub writer: WriterId,
    /// The folder of the journal.
    pub folder: PathBuf,
    /// Whether its process lives. Then nothing else here was looked at.
    pub alive: bool,
    /// Segments that are still there.
    pub segments: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Whole records that the store does not have yet.
    pub waiting: u64,
    /// Stretches of bytes that are damaged.
    pub damaged: u64,
    /// What the writer itself could not keep.
    pub lost: LostReport,
    /// Why the journal cannot be drained, when it cannot.
    pub obstacle: Option<String>,
}

/// What stands in a neptune folder besides the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Survey {
    /// The journals, oldest first.
    pub journals: Vec<JournalSurvey>,
    /// Folders of journals that were being made when their process died. Nothing was logged to them.
    pub unfinished: Vec<PathBuf>,
    /// Segments that were set aside because of damage.
    pub quarantined: Vec<PathBuf>,
}

/// What became of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The writer.
    pub writer: WriterId,
    /// Records that were drained now.
    pub records: u64,
    /// Stretches that were damaged and set aside.
    pub damaged: u64,
    /// Whether its experiment was deleted: the journal was thrown away.
    pub deleted: bool,
    /// Why the journal stays where it is, when it does.
    pub obstacle: Option<String>,
}

/// How far [`Session::recover`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Journals that are done.
    pub journals_done: u64,
    /// Journals in all.
    pub journals: u64,
    /// Records that were drained so far.
    pub records: u64,
}

impl Session {
    /// Looks at every journal in the folder and changes nothing.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be read.
    pub fn survey(&self) -> Result<Survey> {
        let folder = &self.inner.folder;
        let read = |error: io::Error| unavailable("cannot look into the folder of journals", error);
        let store = match self.mode() {
            Mode::ReadOnly => Store::open_for_reading(self.folder()),
            _ => Store::open_existing(self.folder(), neptune_store::StoreOptions::default()),
        };
        let store = store.ok();
        let mut survey = Survey {
            unfinished: folder.unfinished().map_err(read)?,
            quarantined: folder.quarantine().map_err(read)?,
            ..Survey::default()
        };
        for writer in folder.writers().map_err(read)? {
            survey.journals.push(survey_of(&writer, store.as_ref())?);
        }
        Ok(survey)
    }

    /// Drains every journal whose process is dead, marks experiments failed whose writers died, and removes what is
    /// drained. Safe to run by any number of processes at once, and to be killed at any moment.
    ///
    /// # Errors
    /// When the store or the folder cannot be used. A journal that cannot be drained is not an error: it stays, and its
    /// [`Recovered::obstacle`] says why.
    pub fn recover(&self, mut progress: impl FnMut(Progress)) -> Result<Vec<Recovered>> {
        self.check_may_change()?;
        let folder = &self.inner.folder;
        let read = |error: io::Error| unavailable("cannot look into the folder of journals", error);
        let mut store = self.store()?;
        // One at a time, so that whoever returns from here finds everything drained, by itself or by another.
        let _alone = self.recovery_lock()?;
        self.remove_unfinished()?;
        let writers = folder.writers().map_err(read)?;
        let mut state = Progress { journals_done: 0, journals: writers.len() as u64, records: 0 };
        let mut recovered = Vec::new();
        for writer in writers {
            if let Some(lock) = take_lock(&writer)? {
                let drained = self.drain_dead(&mut store, &writer, |records| {
                    state.records += records;
                    progress(state);
                });
                drop(lock);
                recovered.push(drained?);
            }
            state.journals_done += 1;
            progress(state);
        }
        self.close_lost_writers(&mut store)?;
        Ok(recovered)
    }

    /// The lock of whoever recovers; waits while another thread or process does.
    pub(crate) fn recovery_lock(&self) -> Result<Lock> {
        const POLL: Duration = Duration::from_millis(20);
        loop {
            let lock = Lock::take(&self.inner.folder.recovery_lock());
            match lock.map_err(|error| unavailable("cannot lock the folder for recovery", error))? {
                Some(lock) => return Ok(lock),
                None => thread::park_timeout(POLL),
            }
        }
    }

    /// Folders that were being made: nothing was logged to them, so they are removed when their process is dead.
    fn remove_unfinished(&self) -> Result<()> {
        let unfinished =
            self.inner.folder.unfinished().map_err(|error| unavailable("cannot look for journals", error))?;
        for path in unfinished {
            let lock = Lock::take(&path.join("lock"));
            // A folder that vanishes or that another process removes is as good as removed.
            if let Ok(Some(lock)) = lock {
                drop(fs::remove_dir_all(&path));
                drop(path.parent().map(fs::remove_dir));
                drop(lock);
            }
        }
        Ok(())
    }

    fn drain_dead(&self, store: &mut Store, folder: &WriterFolder, mut progress: impl FnMut(u64)) -> Result<Recovered> {
        let key = WriterKey { experiment: folder.experiment, writer: folder.writer };
        let mut recovered = Recovered {
            experiment: key.experiment,
            writer: key.writer,
            records: 0,
            damaged: 0,
            deleted: store.is_deleted(key.experiment)?,
            obstacle: None,
        };
        if recovered.deleted {
            folder.remove().map_err(|error| unavailable("cannot remove the journal of a deleted experiment", error))?;
            return Ok(recovered);
        }
        let remains = Remains::read(&folder.lost()).map_err(|error| unavailable("cannot read what was lost", error))?;
        let mut reader = Reader::new(folder.clone(), Some(remains.segments));
        let mut position = store.position(key.writer)?;
        let mut damaged_segments = Vec::new();
        let mut last_time = Timestamp::default();
        loop {
            let batch = match reader.read(position, Reading::Dead) {
                Ok(batch) => batch,
                Err(error @ ReadError::TooNew { .. }) => {
                    recovered.obstacle = Some(error.to_string());
                    return Ok(recovered);
                }
                Err(error) => return Err(Error::new(ErrorKind::Unavailable, error.to_string())),
            };
            if batch.is_empty() {
                break;
            }
            let damaged = batch.damaged + batch.not_understood();
            let records = batch.count();
            let piece = Piece { start: batch.start, end: batch.end, damaged };
            if damaged > 0 {
                damaged_segments.push(position.segment);
            }
            let entries = batch.entries().inspect(|entry| last_time = last_time.max(time_of(entry)));
            fail::fail_point!("recover-read");
            if records > 0 || damaged > 0 {
                store.apply(key, piece, entries)?;
            }
            fail::fail_point!("recover-taken");
            recovered.records += records;
            recovered.damaged += damaged;
            position = batch.end;
            progress(records);
        }
        if store.has_writer(key.writer)? {
            store.record_losses(key.writer, &remains.lost)?;
            // Points may have been given times of their own, which say nothing of its end.
            let now = clock::now();
            let time = if last_time == Timestamp::default() { now } else { last_time.min(now) };
            store.close_dead(key.writer, time, &death(store, folder, remains.death)?)?;
        }
        fail::fail_point!("recover-closed");
        self.set_aside(folder, &damaged_segments)?;
        folder.remove().map_err(|error| unavailable("cannot remove a drained journal", error))?;
        fail::fail_point!("recover-removed");
        Ok(recovered)
    }

    /// Moves segments with damage out of the way, for whoever wants to look at them.
    fn set_aside(&self, folder: &WriterFolder, segments: &[u64]) -> Result<()> {
        for number in segments {
            let from = folder.segment(*number);
            let to = self.inner.folder.quarantined(folder, *number);
            let moved = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
                #[expect(clippy::disallowed_methods, reason = "what is undone by the loss of power is done again")]
                fs::rename(&from, &to)
            });
            match moved {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unavailable("cannot set a damaged segment aside", error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writers that the store takes for open and whose journal is gone: somebody removed it.
    fn close_lost_writers(&self, store: &mut Store) -> Result<()> {
        for open in store.open_writers()? {
            let folder = self.inner.folder.writer(open.experiment, open.writer);
            if !folder.path.exists() {
                store.close_dead(open.writer, clock::now(), "its journal is gone, and with it what was not drained")?;
            }
        }
        Ok(())
    }
}

/// Recovers on a thread of its own, so that a new experiment starts at once. What goes wrong there goes wrong again in
/// `neptune sync`, which says it.
pub(crate) fn recover_in_background(session: &Session) {
    if session.mode() != Mode::Embedded || session.inner.folder.writers().is_ok_and(|writers| writers.is_empty()) {
        return;
    }
    let session = session.clone();
    let recover = move || drop(session.recover(|_| ()));
    drop(thread::Builder::new().name("neptune:recover".into()).spawn(recover));
}

fn survey_of(folder: &WriterFolder, store: Option<&Store>) -> Result<JournalSurvey> {
    let mut survey = JournalSurvey {
        experiment: folder.experiment,
        writer: folder.writer,
        folder: folder.path.clone(),
        alive: false,
        segments: 0,
        bytes: 0,
        waiting: 0,
        damaged: 0,
        lost: LostReport::default(),
        obstacle: None,
    };
    if Lock::is_held(&folder.lock()).map_err(|error| unavailable("cannot look at the lock of a journal", error))? {
        survey.alive = true;
        return Ok(survey);
    }
    let read = |error: io::Error| unavailable("cannot read a journal", error);
    for number in folder.segments().map_err(read)? {
        survey.segments += 1;
        survey.bytes += fs::metadata(folder.segment(number)).map_or(0, |file| file.len());
    }
    let remains = Remains::read(&folder.lost()).map_err(read)?;
    survey.lost = remains.lost;
    let mut reader = Reader::new(folder.clone(), Some(remains.segments));
    // A store that cannot answer is looked at by itself; the journal is then counted from its beginning.
    let stored = store.and_then(|store| store.position(folder.writer).ok());
    let mut position = stored.unwrap_or(Position::START);
    loop {
        match reader.read(position, Reading::Dead) {
            Ok(batch) if batch.is_empty() => break,
            Ok(batch) => {
                survey.waiting += batch.count();
                survey.damaged += batch.damaged + batch.not_understood();
                position = batch.end;
            }
            Err(error) => {
                survey.obstacle = Some(error.to_string());
                break;
            }
        }
    }
    Ok(survey)
}

/// The lock of a journal; `None` while its process lives, or when it vanished.
fn take_lock(folder: &WriterFolder) -> Result<Option<Lock>> {
    match Lock::take(&folder.lock()) {
        Ok(lock) => Ok(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable("cannot lock a journal", error)),
    }
}

/// The best reason for the end of a writer that is known.
fn death(store: &Store, folder: &WriterFolder, noted: Option<Death>) -> Result<String> {
    let cause = match noted {
        Some(Death::Exited) => "it exited, by `exit` or by the end of `main`".to_owned(),
        Some(Death::Signal(number)) => match signal::name_of(number) {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {number}"),
        },
        None => match Process::read(&folder.process()) {
            Some(process) => process.cause(),
            None => "killed, out of memory, or the machine went down".to_owned(),
        },
    };
    let panic = store.last_panic(folder.writer)?.map(|panic| format!("; a thread {panic}")).unwrap_or_default();
    Ok(format!("its process ended without stopping it: {cause}{panic}"))
}

fn time_of(entry: &Entry<'_>) -> Timestamp {
    match entry {
        Entry::Float { time, .. } | Entry::Text { time, .. } => *time,
        _ => Timestamp::default(),
    }
}

fn unavailable(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, what).because(error)
}
