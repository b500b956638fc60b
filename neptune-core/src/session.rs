//! [`Session`]: the way in. It says where experiments are kept and makes them.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use neptune_format::ProjectName;

use crate::{
    config,
    error::{Error, ErrorKind, Result},
    experiment::ExperimentBuilder,
    journal::{Folder, SEGMENT_BYTES},
    objects::Objects,
    project::Project,
    quota::Quota,
    token::{ApiToken, Unparsed},
};

/// Who drains the journals of a session's experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// A thread of this process writes them to the store in the local folder.
    #[default]
    Embedded,
    /// Nobody, until `neptune sync`.
    Offline,
    /// Nothing is kept: every call works and does nothing, and neither a folder nor a file is made. What would be read is
    /// `Unsupported`. For trying out a program.
    Debug,
    /// Nothing is changed: what is in the folder is read, by [`Session::get`], [`Session::project`] and the store, also where
    /// the folder cannot be written. Starting or changing an experiment is `Unsupported`, and journals of dead processes
    /// wait for somebody else to drain them. Where the folder can be written, SQLite may put its own two files beside the store.
    ReadOnly,
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "embedded" => Ok(Self::Embedded),
            "offline" => Ok(Self::Offline),
            "debug" => Ok(Self::Debug),
            "read-only" => Ok(Self::ReadOnly),
            _ => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "unknown mode {text:?} in NEPTUNE_MODE; the modes are \"embedded\", \"offline\", \"debug\" and \
                     \"read-only\""
                ),
            )),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Offline => "offline",
            Self::Debug => "debug",
            Self::ReadOnly => "read-only",
        })
    }
}

/// What a record survives once its logging call returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process in any way, SIGKILL included. **Not promised:** the loss of power or a crash of the
    /// operating system, which may take what was logged in the last half minute or so.
    #[default]
    Process,
    /// As [`Durability::Process`]; besides, everything is synced to the disk once a second. **Not promised:** the last
    /// second before the loss of power, and anything on a disk that lies about syncing. Costs disk writes in the
    /// background; the logging call costs the same. A call that keeps a file (an artifact, a checkpoint, an image file) waits
    /// for the disk; pixels are synced once they are encoded.
    Disk,
}

impl Durability {
    pub(crate) const fn sync_every(self) -> Option<Duration> {
        match self {
            Self::Process => None,
            Self::Disk => Some(Duration::from_secs(1)),
        }
    }
}

/// Where experiments are kept, and how. Cheap to clone; every clone is the same session.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let session = neptune_core::Session::builder().folder(folder.path()).project("ada/mnist").open()?;
/// let experiment = session.experiment().name("first try").start()?;
/// experiment.log_metric("loss", 0.7);
/// experiment.stop()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) inner: Arc<SessionInner>,
}

#[derive(Debug)]
pub(crate) struct SessionInner {
    pub(crate) folder: Folder,
    pub(crate) mode: Mode,
    pub(crate) project: ProjectName,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes: u64,
    #[cfg(feature = "embedded")]
    pub(crate) reader: crate::stored::IdleReader,
    /// How much the folder of objects may hold, if there is a limit.
    pub(crate) quota: Option<Arc<Quota>>,
    /// Whether experiments record their code, environment and build.
    pub(crate) records_code: bool,
    token: Option<ApiToken>,
}

/// Settings of a [`Session`]. What is not set here is taken from the environment, and then from the defaults.
#[derive(Debug, Clone, Default)]
#[must_use = "a session begins with `open`"]
pub struct SessionBuilder {
    folder: Option<PathBuf>,
    mode: Option<Mode>,
    project: Option<String>,
    durability: Durability,
    storage_limit: Option<u64>,
    segment_bytes: Option<u64>,
    records_code: Option<bool>,
    token: Option<Unparsed>,
    server: Option<Unparsed>,
}

impl Session {
    /// A session as the environment says: `NEPTUNE_DIR` (default `.neptune`), `NEPTUNE_PROJECT` (default
    /// `local/default`), `NEPTUNE_MODE` (`embedded`, the default, `offline`, `debug` or `read-only`), `NEPTUNE_STORAGE_LIMIT`
    /// (none).
    ///
    /// # Errors
    /// As [`SessionBuilder::open`].
    pub fn from_env() -> Result<Self> {
        Self::builder().open()
    }

    /// A project in a session as the environment says; see [`Session::from_env`]. What is `neptune.init` elsewhere.
    ///
    /// # Errors
    /// As [`SessionBuilder::open`].
    pub fn init(project: &str) -> Result<Project> {
        Self::builder().project(project).open()?.project(project)
    }

    /// Settings, to be changed before the session begins.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// A new experiment, to be described and started.
    pub fn experiment(&self) -> ExperimentBuilder {
        ExperimentBuilder::new(self.clone())
    }

    /// An experiment that exists, by short id or UUID, to log more to it: to resume it, or as another of its processes.
    /// An unknown UUID names a new experiment, so that processes can agree on one beforehand.
    pub fn attach(&self, id: &str) -> ExperimentBuilder {
        self.experiment().id(id)
    }

    /// An experiment that exists, by short id or UUID, to change what is known of it: its name, its tags, its variables.
    /// It does not begin to run again: its state, the time of its end and the reason of a failure stay as they are, however
    /// the editing ends. Nothing is read of the hardware, and dropping it is as good as [`Experiment::stop`](crate::Experiment::stop).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let id = session.experiment().start()?.id().to_string();
    /// let experiment = session.edit(&id).start()?;
    /// experiment.add_tags(["reviewed"]);
    /// experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit(&self, id: &str) -> ExperimentBuilder {
        self.experiment().id(id).editing()
    }

    /// A new experiment that begins with the series of another, by short id or UUID, up to and with `step`: to try another
    /// way from there, while what is there stays. Images are series too. Parameters, properties, tags and files are not taken
    /// over, nor what stands below `monitoring/` and `timing/`. Points without a step go on behind the last. It is in the
    /// project of the other unless it is told another, and names the other in `sys/forked_from` and `sys/fork_step`.
    ///
    /// No points are copied: the experiments share the bytes. What later becomes of the other, a rewind or its deletion,
    /// does not change the new one.
    ///
    /// It has all that was logged to the other before [`start`](crate::ExperimentBuilder::start) was called, which waits
    /// for what other processes, or this one, have not drained yet: half a second, and 5 seconds at most. What is not drained
    /// by then is not in the new experiment; so of an experiment that is logged to offline it has nothing.
    /// One for another process to train in is made [without a run](crate::ExperimentBuilder::without_run).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let experiment = session.experiment().start()?;
    /// # for step in 0..1000 { experiment.log_metric_at("loss", step, 1.0); }
    /// # let id = experiment.id().to_string();
    /// # experiment.stop()?;
    /// let fork = session.fork(&id, 499).name("half the learning rate").start()?;
    /// let loss = fork.series::<f64>("logs/loss")?;
    /// loss.append(0.5);
    /// assert_eq!(loss.last()?.step, 500.0);
    /// # fork.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fork(&self, id: &str, step: impl crate::IntoStep) -> ExperimentBuilder {
        self.experiment().forking(id, step.into_step().map(neptune_format::Step::get))
    }

    /// An experiment that exists, by short id or UUID, to read.
    ///
    /// # Errors
    /// `NotFound`, with the nearest short ids, when there is none.
    #[cfg(feature = "embedded")]
    pub fn get(&self, id: &str) -> Result<crate::StoredExperiment> {
        crate::StoredExperiment::find(self.clone(), id)
    }

    /// A project of this session.
    ///
    /// # Errors
    /// `Invalid` when `name` is not `workspace/name`.
    pub fn project(&self, name: &str) -> Result<Project> {
        Ok(Project::new(self.clone(), name.parse()?))
    }

    /// The projects that this session can use: those in its folder, by name.
    ///
    /// # Errors
    /// When the store cannot be read; `Unsupported` in a mode without one.
    #[cfg(feature = "embedded")]
    pub fn projects(&self) -> Result<Vec<Project>> {
        self.check_has_store()?;
        let projects = self.store()?.projects()?;
        Ok(projects.into_iter().map(|project| Project::new(self.clone(), project.name)).collect())
    }

    /// The token that the session was given, if any.
    pub fn token(&self) -> Option<&ApiToken> {
        self.inner.token.as_ref()
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> &Path {
        self.inner.folder.path()
    }

    /// Who drains the journals.
    pub fn mode(&self) -> Mode {
        self.inner.mode
    }

    /// The project of experiments that name none.
    pub fn default_project(&self) -> &ProjectName {
        &self.inner.project
    }

    /// Where files and images are kept.
    pub(crate) fn objects(&self) -> Objects {
        Objects::new(self.inner.folder.objects(), self.inner.durability == Durability::Disk, self.inner.quota.clone())
    }

    /// Refuses to change anything, in a mode in which nothing is.
    pub(crate) fn check_may_change(&self) -> Result<()> {
        match self.mode() {
            Mode::Embedded | Mode::Offline => Ok(()),
            Mode::Debug => Err(keeps_nothing()),
            Mode::ReadOnly => Err(Error::new(
                ErrorKind::Unsupported,
                "this session is read-only: it starts and changes no experiment; open one with mode \"embedded\"",
            )),
        }
    }

    /// Refuses to start an experiment, where none is started. In debug mode one that keeps nothing is.
    pub(crate) fn check_may_start(&self) -> Result<()> {
        if self.mode() == Mode::Debug { Ok(()) } else { self.check_may_change() }
    }

    /// Refuses to read experiments, in a mode that has no store.
    pub(crate) fn check_has_store(&self) -> Result<()> {
        match self.mode() {
            Mode::Embedded | Mode::ReadOnly => Ok(()),
            Mode::Debug => Err(keeps_nothing()),
            Mode::Offline => Err(Error::new(
                ErrorKind::Unsupported,
                "an offline experiment is read after `neptune sync`, or with mode \"embedded\"",
            )),
        }
    }

    /// Opens the store of this session.
    #[cfg(feature = "embedded")]
    pub(crate) fn store(&self) -> Result<neptune_store::Store> {
        match self.mode() {
            Mode::Debug => return Err(keeps_nothing()),
            Mode::ReadOnly => return Ok(neptune_store::Store::open_for_reading(self.folder())?),
            Mode::Embedded | Mode::Offline => crate::journal::check_file_limit(self.inner.segment_bytes)?,
        }
        let options = neptune_store::StoreOptions::default().power_safe(self.inner.durability == Durability::Disk);
        Ok(neptune_store::Store::open(self.folder(), options)?)
    }
}

fn keeps_nothing() -> Error {
    let message = "a debug session keeps nothing, so there is nothing to read or to change; use mode \"embedded\"";
    Error::new(ErrorKind::Unsupported, message)
}

impl SessionBuilder {
    /// The folder that holds everything. Made when it does not exist.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Where everything is kept: a folder, or the address of a server (`https://...`). Servers come with a later version:
    /// today [`open`](Self::open) refuses an address.
    pub fn backend(mut self, backend: &str) -> Self {
        if backend.starts_with("http://") || backend.starts_with("https://") {
            self.server = Some(Unparsed(backend.to_owned()));
            return self;
        }
        self.server = None;
        self.folder(backend)
    }

    /// Who this session is, to a server: an [`ApiToken`] as text. A folder needs none. Where a server is asked for and this
    /// is not said, it is `NEPTUNE_API_TOKEN`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Unparsed(token.into()));
        self
    }

    /// Who drains the journals.
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The project of experiments that name none, `workspace/name`.
    pub fn project(mut self, name: &str) -> Self {
        self.project = Some(name.to_owned());
        self
    }

    /// What a record survives.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many bytes the files of artifacts, checkpoints and images may take in the folder, of all experiments together. Without
    /// it as `NEPTUNE_STORAGE_LIMIT` says, such as `50GB`, or without a limit.
    ///
    /// What would go above it is not kept: [`log_artifact`](crate::ExperimentHandle::log_artifact) and checkpoints return
    /// `StorageLimitReached`, an image loses its bytes, which is counted. Content that is there already costs nothing. A
    /// checkpoint needs its room before the versions that it replaces give theirs back.
    ///
    /// The folder is looked through at the first file of the session and about once a minute, a few tenths of a second for
    /// 100,000 files; in between this session counts. So several processes together may go above the limit by what they keep within
    /// a minute, and images that are logged before the first look are not refused.
    pub const fn storage_limit(mut self, bytes: u64) -> Self {
        self.storage_limit = Some(bytes);
        self
    }

    /// Records nothing of the code of programs, of how they were built and of how they were run; as `NEPTUNE_CODE=off` does.
    /// [`ExperimentBuilder::sources`] says what is recorded otherwise.
    pub const fn without_code(mut self) -> Self {
        self.records_code = Some(false);
        self
    }

    /// Bytes of a segment of a journal; for tests that need many small ones.
    #[doc(hidden)]
    pub const fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = Some(bytes);
        self
    }

    /// Begins the session. In embedded mode, journals that dead processes left in the folder are drained into the store in the
    /// background.
    ///
    /// # Errors
    /// `Invalid` for an unknown mode, an empty folder, a bad token, a project that is not `workspace/name`, or a limit that is no size;
    /// `Unavailable` when the folder cannot be made or written; `TooNew` when a newer version wrote the store; `NotFound` when
    /// there is no store to read only; `Unsupported` for a server.
    pub fn open(mut self) -> Result<Session> {
        let token = match self.token.take() {
            Some(token) => Some(token.0.parse()?),
            None if self.server.is_some() => config::token()?,
            None => None,
        };
        if self.server.is_some() {
            // The address is not shown: it may have a password in it.
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the backend is a server, and this version of neptune talks to none; give a folder as the backend",
            ));
        }
        let mode = self.mode.map_or_else(config::mode, Ok)?;
        let project = self.project.as_deref().map_or_else(config::project, |name| Ok(name.parse()?))?;
        let folder = Folder::named(&self.folder.take().unwrap_or_else(config::folder))?;
        if matches!(mode, Mode::Embedded | Mode::Offline) {
            std::fs::create_dir_all(folder.path()).map_err(|error| {
                let path = folder.path().display();
                Error::new(
                    ErrorKind::Unavailable,
                    format!("cannot make the folder {path}; name another with NEPTUNE_DIR or `folder`"),
                )
                .because(error)
            })?;
        }
        let limit = self.storage_limit.map_or_else(config::storage_limit, |limit| Ok(Some(limit)))?;
        let quota = limit.map(|limit| Arc::new(Quota::new(folder.objects(), limit)));
        let records_code = self.records_code.map_or_else(config::records_code, Ok)?;
        let session =
            Self { mode: Some(mode), records_code: Some(records_code), ..self }.make(folder, project, quota, token);
        session.begin()?;
        Ok(session)
    }

    /// A session in the folder of another one, of another process: it makes no folder, looks for nothing that dead processes
    /// left, and keeps no files.
    ///
    /// # Errors
    /// `NotFound` when the folder is gone.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_beside_another(mut self, project: ProjectName) -> Result<Session> {
        let folder = Folder::new(&self.folder.take().unwrap_or_default());
        if !folder.path().is_dir() {
            return Err(Error::new(ErrorKind::NotFound, format!("the folder {} is gone", folder.path().display())));
        }
        Ok(self.make(folder, project, None, None))
    }

    fn make(self, folder: Folder, project: ProjectName, quota: Option<Arc<Quota>>, token: Option<ApiToken>) -> Session {
        let inner = SessionInner {
            folder,
            quota,
            mode: self.mode.unwrap_or_default(),
            project,
            durability: self.durability,
            segment_bytes: self.segment_bytes.unwrap_or(SEGMENT_BYTES),
            #[cfg(feature = "embedded")]
            reader: crate::stored::IdleReader::default(),
            records_code: self.records_code.unwrap_or_default(),
            token,
        };
        Session { inner: Arc::new(inner) }
    }
}

#[cfg(feature = "embedded")]
impl Session {
    fn begin(&self) -> Result<()> {
        if matches!(self.mode(), Mode::Embedded | Mode::ReadOnly) {
            // Opening it now brings its schema up to date and says at once when it cannot be used.
            drop(self.store()?);
            crate::recovery::recover_in_background(self);
        }
        Ok(())
    }
}

#[cfg(not(feature = "embedded"))]
impl Session {
    fn begin(&self) -> Result<()> {
        match self.mode() {
            Mode::Offline | Mode::Debug => Ok(()),
            Mode::Embedded | Mode::ReadOnly => Err(Error::new(
                ErrorKind::Unsupported,
                "this program was built without the feature \"embedded\"; set NEPTUNE_MODE=offline",
            )),
        }
    }
}
