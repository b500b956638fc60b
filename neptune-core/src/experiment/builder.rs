//! [`ExperimentBuilder`]: describing an experiment before it starts.

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use neptune_format::{AtomValue, ExperimentId, ProjectName, Record, VariablePath, WriterId};
use serde::Serialize;

#[cfg(feature = "hardware")]
use super::state::WeakHandle;
use super::{
    beginning::Beginning,
    checkpoints::Families,
    classic::LastX,
    flatten, interrupted, panics,
    running::{self, Watches},
    state::{Experiment, ExperimentHandle, State},
};
#[cfg(target_os = "linux")]
use crate::console::Console;
#[cfg(feature = "hardware")]
use crate::hardware::{Monitor, Readings};
use crate::{
    clock,
    code::CodeSettings,
    config,
    error::{Error, ErrorKind, Result},
    journal::{Journal, Lock, Opened, Syncing},
    session::{Mode, Session},
    sink::Drain,
};

/// How long `stop` waits for the store unless it is told otherwise.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A description of an experiment, to be started. Setters that can fail say so at [`start`](ExperimentBuilder::start).
#[derive(Debug)]
#[must_use = "an experiment begins with `start`"]
pub struct ExperimentBuilder {
    session: Session,
    project: Option<ProjectName>,
    id: Option<String>,
    edits: bool,
    /// The project of the experiment, from who knows that it exists.
    known_in: Option<ProjectName>,
    /// Whether an editor may make what is not there yet.
    #[cfg(feature = "import")]
    makes: bool,
    /// The experiment that this one goes on from, and the step.
    fork: Option<(String, f64)>,
    name: Option<String>,
    description: Option<String>,
    params: Vec<(VariablePath, AtomValue)>,
    properties: Vec<(String, String)>,
    tags: Vec<String>,
    stop_deadline: Duration,
    watches_panics: bool,
    watches_signals: Option<bool>,
    on_abort: Callbacks,
    #[cfg(feature = "hardware")]
    hardware: Option<Readings>,
    #[cfg(target_os = "linux")]
    pub(super) console: Option<Console>,
    pub(super) code: CodeSettings,
    pub(super) wrong: Option<Error>,
}

impl ExperimentBuilder {
    pub(crate) const fn new(session: Session) -> Self {
        Self {
            session,
            project: None,
            id: None,
            edits: false,
            known_in: None,
            #[cfg(feature = "import")]
            makes: false,
            fork: None,
            name: None,
            description: None,
            params: Vec::new(),
            properties: Vec::new(),
            tags: Vec::new(),
            stop_deadline: STOP_DEADLINE,
            watches_panics: true,
            watches_signals: None,
            on_abort: Callbacks(Vec::new()),
            #[cfg(feature = "hardware")]
            hardware: None,
            #[cfg(target_os = "linux")]
            console: None,
            code: CodeSettings::new(),
            wrong: None,
        }
    }

    /// The project, `workspace/name`; the session's when it is not said.
    pub fn project(mut self, name: &str) -> Self {
        match name.parse() {
            Ok(project) => self.project = Some(project),
            Err(error) => self.wrong = self.wrong.or(Some(Error::from(error))),
        }
        self
    }

    pub(crate) fn in_project(mut self, project: ProjectName) -> Self {
        self.project = Some(project);
        self
    }

    /// Attaches to an experiment, by short id or UUID; see [`Session::attach`]. Wins over `NEPTUNE_EXPERIMENT_ID`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(crate) const fn editing(mut self) -> Self {
        self.edits = true;
        self
    }

    /// The experiment exists, in this project, and nothing else of it needs to be known.
    #[cfg(target_os = "linux")]
    pub(crate) fn known_in(mut self, project: ProjectName) -> Self {
        self.known_in = Some(project);
        self
    }

    /// Edits what is there, or makes a container that is no run of a program: without a state, and never running.
    #[cfg(feature = "import")]
    pub(crate) const fn making(mut self) -> Self {
        self.edits = true;
        self.makes = true;
        self
    }

    /// Records nothing of this process: neither its hardware, nor its output, nor its code. Another program made what is logged.
    #[cfg(feature = "import")]
    pub(crate) fn of_another_program(mut self) -> Self {
        #[cfg(feature = "hardware")]
        {
            self.hardware = Some(Readings::Off);
        }
        #[cfg(target_os = "linux")]
        {
            self.console = Some(Console::NONE);
        }
        self.code.is_off = true;
        self
    }

    #[cfg(feature = "import")]
    const fn may_make(&self) -> bool {
        !self.edits || self.makes
    }

    #[cfg(not(feature = "import"))]
    const fn may_make(&self) -> bool {
        !self.edits
    }

    pub(crate) fn forking(mut self, parent: &str, step: Option<f64>) -> Self {
        self.fork = step.map(|step| (parent.to_owned(), step));
        if step.is_none() {
            let wrong = Error::new(ErrorKind::Invalid, "a step must be a finite number");
            self.wrong = self.wrong.or(Some(wrong));
        }
        self
    }

    /// The name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the experiment is about.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Parameters, from anything that serialises to a map or a struct; see [`ExperimentHandle::log_params`].
    pub fn params<T: Serialize + ?Sized>(mut self, params: &T) -> Self {
        match flatten::parameters(params) {
            Ok(params) => self.params.extend(params),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// A property; see [`ExperimentHandle::set_property`].
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((key.into(), value.into()));
        self
    }

    /// Tags.
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// How long [`Experiment::stop`] waits for the store at most; 10 seconds when it is not said.
    pub const fn stop_deadline(mut self, deadline: Duration) -> Self {
        self.stop_deadline = deadline;
        self
    }

    /// Has `callback` called once somebody asks for the experiment to be aborted; see [`ExperimentHandle::on_abort`].
    pub fn on_abort(mut self, callback: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_abort.0.push(Box::new(callback));
        self
    }

    /// Leaves panics alone: no hook is set for them. An experiment that a panic drops or that [`Experiment::run`] ends by one
    /// still fails; one whose process dies of it does not know why.
    pub const fn without_panics(mut self) -> Self {
        self.watches_panics = false;
        self
    }

    /// Leaves signals alone; `NEPTUNE_SIGNALS=off` does so for every experiment.
    ///
    /// Otherwise SIGTERM, SIGINT (Ctrl-C) and SIGHUP end the experiment as aborted, with the name of the signal as the reason,
    /// and the process dies of the signal within two seconds, as it would have at once. What was logged is kept in any case. A
    /// second signal does not wait. A signal that the program ignores or has a handler for, whenever it was installed, is the
    /// program's: it may end the experiment with [`Experiment::abort`]. A program that insists on being the first to install a
    /// handler (`ctrlc::try_set_handler`) does so before the experiment starts, or uses this.
    pub const fn without_signals(mut self) -> Self {
        self.watches_signals = Some(false);
        self
    }

    /// How often the hardware is read: every 3 seconds when neither this nor `NEPTUNE_HARDWARE` (seconds, or `off`) says
    /// otherwise, and at most four times a second.
    ///
    /// A background thread reads it, for the first time a second after the start, and once more at the end; an experiment
    /// that is shorter has no readings. A reading takes about a thousandth of a second. The readings are series under
    /// `monitoring/WRITER/`, where `WRITER` stands for this process:
    ///
    /// | series | meaning |
    /// |---|---|
    /// | `cpu` | processors of the whole machine, in percent, 0 to 100 |
    /// | `ram` | memory in use, in GB (10^9 bytes), without cached files |
    /// | `process/cpu` | this process, in percent of one processor: 400 is four of them |
    /// | `process/ram` | resident memory of this process, in GB |
    /// | `disk/read`, `disk/written` | all disks of the machine, in MB/s |
    /// | `disk/free` | free space where the experiments are kept, in GB |
    /// | `network/received`, `network/sent` | all network interfaces, in MB/s |
    /// | `gpu_0/utilization` | share of the time in which the GPU worked, in percent |
    /// | `gpu_0/memory`, `gpu_0/process_memory` | memory in use on the GPU, in all and by this process, in GB |
    /// | `gpu_0/power`, `gpu_0/temperature` | in W, and in degrees Celsius |
    ///
    /// Memory is that of the machine or, where a control group gives this process less, as in most containers, that of the
    /// group: reaching its limit is what kills the process. Real disks and interfaces count; in a container without any,
    /// every interface but the loopback. Children of this process are no part of `process`.
    ///
    /// Beside them stand atoms: `hostname`, `cpus` (how many this process may use), `ram_total`, `gpu_driver`,
    /// `gpu_0/name`, `gpu_0/memory_total`, and `gpu_state`: `ok`, or what is wrong. GPUs are those of NVIDIA that the driver
    /// shows this process, numbered as by `nvidia-smi`. Its library is found as usual, or at `NEPTUNE_NVML_LIBRARY`. What
    /// cannot be read is left out; in some containers that is `gpu_0/process_memory`.
    #[cfg(feature = "hardware")]
    pub fn hardware_every(mut self, time: Duration) -> Self {
        self.hardware = Some(Readings::every(time));
        self
    }

    /// Does not read the hardware; see [`hardware_every`](Self::hardware_every).
    #[cfg(feature = "hardware")]
    pub const fn without_hardware(mut self) -> Self {
        self.hardware = Some(Readings::Off);
        self
    }

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
        let opened = self.session.make_journal(id, writer)?;
        let journal = opened.journal;
        journal.record(&opening(self.edits, project.clone()));
        if let Some(forked) = &forked {
            journal.record(forked);
        }
        let (drain, lock, short_id) = self.session.drain(&journal, id, writer, opened.lock)?;
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

/// The first record of a writer.
fn opening(edits: bool, project: ProjectName) -> Record {
    let (time, host) = (clock::now(), gethostname::gethostname().to_string_lossy().into_owned());
    let (pid, owner) = (std::process::id(), config::owner());
    if edits {
        Record::Editing { project, time, host, pid, owner }
    } else {
        Record::Opened { project, time, host, pid, owner }
    }
}

/// What is to be called when somebody asks for the experiment to be aborted.
struct Callbacks(Vec<Callback>);

type Callback = Box<dyn Fn(&str) + Send + Sync>;

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} callbacks", self.0.len())
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
    fn make_journal(&self, experiment: ExperimentId, writer: WriterId) -> Result<Opened> {
        if self.mode() == Mode::Debug {
            return Journal::of_nothing(&self.inner.folder, experiment, writer)
                .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start a thread").because(error));
        }
        let syncing = Syncing { every: self.inner.durability.sync_every(), by_keeper: self.mode() == Mode::Offline };
        Journal::create(&self.inner.folder, experiment, writer, self.inner.segment_bytes, syncing).map_err(|error| {
            let folder = self.folder().display();
            let message =
                format!("cannot make a journal in {folder}; free some space, or name another folder with NEPTUNE_DIR");
            Error::new(ErrorKind::Unavailable, message).because(error)
        })
    }

    /// Starts what drains the journal, if anybody does, and learns the short id.
    #[cfg(feature = "embedded")]
    fn drain(
        &self,
        journal: &Arc<Journal>,
        experiment: ExperimentId,
        writer: WriterId,
        lock: Option<Lock>,
    ) -> Result<(Option<Drain>, Option<Lock>, Option<String>)> {
        let lock = match lock {
            Some(lock) if self.mode() == Mode::Embedded => lock,
            lock => return Ok((None, lock, None)),
        };
        let key = neptune_store::WriterKey { experiment, writer };
        let sink = Box::new(crate::sink::Embedded::new(self.store()?, key));
        let drain = Drain::start(Arc::clone(journal), lock, sink, self.inner.durability.sync_every())?;
        let short_id = self.store()?.experiment(experiment)?.short_id;
        Ok((Some(drain), None, Some(short_id)))
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as with a store")]
    fn drain(
        &self,
        _journal: &Arc<Journal>,
        _experiment: ExperimentId,
        _writer: WriterId,
        lock: Option<Lock>,
    ) -> Result<(Option<Drain>, Option<Lock>, Option<String>)> {
        Ok((None, lock, None))
    }
}
