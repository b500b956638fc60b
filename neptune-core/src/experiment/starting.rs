//! Starting an experiment as its builder describes it.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use neptune_format::{ExperimentId, ProjectName, Record, Timestamp, WriterId};

#[cfg(feature = "hardware")]
use super::state::WeakHandle;
use super::{
    beginning::Beginning,
    builder::ExperimentBuilder,
    checkpoints::Families,
    classic::LastX,
    interrupted, panics,
    running::{self, Watches},
    state::{Experiment, ExperimentHandle, State},
};
#[cfg(target_os = "linux")]
use crate::console::Console;
#[cfg(feature = "hardware")]
use crate::hardware::{Monitor, Readings};
use crate::{
    clock, config,
    error::{Error, ErrorKind, Result},
    journal::{Journal, Lock, Opened, Syncing},
    session::{Mode, Session},
    sink::Drain,
};

impl ExperimentBuilder {
    /// Starts the experiment: from here on it is running.
    ///
    /// # Errors
    /// The first thing that was wrong with the description (`Invalid`, or `Immutable` for a parameter that an attached
    /// experiment has with another value); `NotFound` when there is no experiment of the short id; `Unavailable` when the
    /// folder cannot be written or its disk is full; `Unsupported` in a session that is read-only.
    pub fn start(self) -> Result<Experiment> {
        let may_make = self.may_make();
        self.wrong.map_or(Ok(()), Err)?;
        self.session.check_may_start()?;
        #[cfg(feature = "hardware")]
        let readings = if self.edits { Readings::Off } else { self.hardware.map_or_else(config::hardware, Ok)? };
        #[cfg(target_os = "linux")]
        let console = if self.edits { Console::NONE } else { self.console.map_or_else(config::console, Ok)? };
        let signals = self.watches_signals.map_or_else(config::signals, Ok)?;
        #[cfg(feature = "embedded")]
        let echoes = self.echoes.map_or_else(config::echo, Ok)?;
        #[cfg(not(feature = "embedded"))]
        let echoes = false;
        let Beginning { id, existing, is_maker, forked } = self.session.beginning(self.fork, self.id, self.known_in)?;
        if !may_make && existing.project.is_none() && self.session.mode() == Mode::Embedded {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no experiment {id} in this store")));
        }
        let project = existing.project.or(self.project).unwrap_or_else(|| self.session.default_project().clone());
        let mut params = Vec::new();
        for (path, value) in self.params {
            match existing.variables.atom(&path, value) {
                Ok(value) => params.extend(value.map(|value| Record::Assign { path, value })),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let writer = WriterId::new();
        let opened = self.session.make_journal(id, writer, self.edits)?;
        let journal = opened.journal;
        journal.record(&opening(self.edits, project.clone(), existing.latest));
        if let Some(forked) = &forked {
            journal.record(forked);
        }
        let (drain, lock, short_id) = self.session.drain(&journal, id, writer, opened.lock, echoes)?;
        if echoes && drain.is_none() {
            journal.losses().notice(|| format!("nothing is echoed in mode {}", self.session.mode()));
        }
        let objects = self.session.objects();
        let state = Arc::new(State {
            id,
            project,
            short_id,
            session: self.session,
            edits: self.edits,
            journal,
            variables: existing.variables,
            keeper: Mutex::new(opened.keeper),
            drain,
            lock: Mutex::new(lock),
            objects,
            #[cfg(feature = "images")]
            encoder: Mutex::default(),
            claimed: Mutex::default(),
            #[cfg(feature = "embedded")]
            reclaimer: Mutex::default(),
            checkpoints: Families::default(),
            #[cfg(feature = "hardware")]
            monitor: std::sync::OnceLock::new(),
            #[cfg(target_os = "linux")]
            console: Mutex::default(),
            recorder: Mutex::default(),
            ended: AtomicBool::new(false),
            ending: Mutex::default(),
            watches: Watches { panics: self.watches_panics, signals },
            stop_deadline: self.stop_deadline,
            last_x: LastX::default(),
            held_back: Mutex::default(),
        });
        if !self.edits {
            state.watch_process();
        }
        let experiment = Experiment { handle: ExperimentHandle { state } };
        self.on_abort.0.into_iter().for_each(|callback| experiment.on_abort(callback));
        let named = [("sys/name", self.name), ("sys/description", self.description)];
        experiment.describe(named, &params, self.properties, self.tags);
        #[cfg(feature = "hardware")]
        experiment.state.read_hardware(readings, writer);
        #[cfg(target_os = "linux")]
        experiment.state.capture(console, self.console.is_some(), writer);
        experiment.state.record_code(self.code, writer, is_maker);
        Ok(experiment)
    }
}

impl Experiment {
    /// Logs what is known of the experiment from the start.
    fn describe(
        &self,
        named: [(&str, Option<String>); 2],
        params: &[Record],
        properties: Vec<(String, String)>,
        tags: Vec<String>,
    ) {
        for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            self.atom(name).assign(value);
        }
        for param in params {
            self.state.journal.record(param);
        }
        for (key, value) in properties {
            self.set_property(&key, value);
        }
        if !tags.is_empty() {
            self.add_tags(tags);
        }
    }
}

/// The first record of a writer, which begins behind what it knows of.
fn opening(edits: bool, project: ProjectName, latest: Timestamp) -> Record {
    let time = clock::now().max(Timestamp::from_micros(latest.as_micros().saturating_add(1)));
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let (pid, owner) = (std::process::id(), config::owner());
    if edits {
        Record::Editing { project, time, host, pid, owner }
    } else {
        Record::Opened { project, time, host, pid, owner }
    }
}

impl State {
    /// Has it told of how the process ends.
    fn watch_process(self: &Arc<Self>) {
        if self.journal.keeps_nothing() {
            return;
        }
        running::add(self);
        if self.watches.panics {
            panics::watch();
        }
        if self.watches.signals {
            interrupted::watch_signals();
        }
        interrupted::watch_exit();
    }
}

#[cfg(feature = "hardware")]
impl State {
    /// Starts the thread that reads the hardware. Where no thread can be started the experiment goes without.
    fn read_hardware(self: &Arc<Self>, readings: Readings, writer: WriterId) {
        let Readings::Every(time) = readings else { return };
        if self.journal.keeps_nothing() {
            return;
        }
        let experiment = WeakHandle::new(Arc::downgrade(self));
        match Monitor::start(experiment, writer, self.session.folder().to_owned(), time) {
            Ok(monitor) => drop(self.monitor.set(monitor)),
            Err(error) => self.journal.losses().notice(|| format!("the hardware is not read: {error}")),
        }
    }
}

impl Session {
    fn make_journal(&self, experiment: ExperimentId, writer: WriterId, edits: bool) -> Result<Opened> {
        if self.mode() == Mode::Debug {
            return Journal::of_nothing(&self.inner.folder, experiment, writer)
                .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start a thread").because(error));
        }
        let syncing = Syncing { every: self.inner.durability.sync_every(), by_keeper: self.mode() == Mode::Offline };
        Journal::create(&self.inner.folder, experiment, writer, self.inner.segment_bytes, syncing, edits).map_err(
            |error| {
                let folder = self.folder().display();
                let message = format!(
                    "cannot make a journal in {folder}; free some space, or name another folder with NEPTUNE_DIR"
                );
                Error::new(ErrorKind::Unavailable, message).because(error)
            },
        )
    }

    /// Starts what drains the journal, if anybody does, and learns the short id.
    #[cfg(feature = "embedded")]
    fn drain(
        &self,
        journal: &Arc<Journal>,
        experiment: ExperimentId,
        writer: WriterId,
        lock: Option<Lock>,
        echoes: bool,
    ) -> Result<(Option<Drain>, Option<Lock>, Option<String>)> {
        let lock = match lock {
            Some(lock) if self.mode() == Mode::Embedded => lock,
            lock => return Ok((None, lock, None)),
        };
        let key = neptune_store::WriterKey { experiment, writer };
        let sink = Box::new(crate::sink::Embedded::new(self.store()?, key).echoing(echoes));
        let drain = Drain::start(Arc::clone(journal), lock, sink, self.inner.durability.sync_every())?;
        let short_id = self.store()?.experiment(experiment)?.short_id;
        Ok((Some(drain), None, Some(short_id)))
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same shape as with a store")]
    fn drain(
        &self,
        _journal: &Arc<Journal>,
        _experiment: ExperimentId,
        _writer: WriterId,
        lock: Option<Lock>,
        _echoes: bool,
    ) -> Result<(Option<Drain>, Option<Lock>, Option<String>)> {
        Ok((None, lock, None))
    }
}
