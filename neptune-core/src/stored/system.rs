//! What every experiment has: its name, its state, and its system properties.

use std::{fmt, str::FromStr, time::Duration};

use neptune_format::{AtomValue, Timestamp};
use neptune_store::{
    Store,
    read::{ExperimentKey, VariableValue},
};

use super::StoredExperiment;
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    experiment::ExperimentHandle,
};

/// How an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExperimentState {
    /// A process logs to it.
    Running,
    /// It was stopped in good order.
    Succeeded,
    /// It failed, or its process died; `sys/failure` says why.
    Failed,
    /// Somebody stopped it before its work was done; `sys/failure` says why.
    Aborted,
    /// It was made and no process has run it yet; see
    /// [`without_run`](crate::ExperimentBuilder::without_run). `sys/state` is not there then, so no query asks for it by this word.
    New,
}

impl ExperimentState {
    /// Those that are kept by their names.
    const KEPT: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Aborted];

    /// The word for it, as `sys/state` has it: `running`, `succeeded`, `failed` or `aborted`; and `new`, where that is not there.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::New => "new",
        }
    }
}

impl fmt::Display for ExperimentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ExperimentState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::KEPT.into_iter().find(|state| state.name() == text).ok_or_else(|| {
            let message = format!("there is no state {text:?}; the states are running, succeeded, failed and aborted");
            Error::new(ErrorKind::Invalid, message)
        })
    }
}

/// What every experiment has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SystemProperties {
    /// The short id, such as `MNI-12`.
    pub id: String,
    /// The name, when it has one.
    pub name: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ended; `None` while it runs, and before it has run.
    pub finished: Option<Timestamp>,
    /// How long processes logged to it until now, without what lay between when it was resumed.
    pub running_time: Duration,
    /// Who made it.
    pub owner: String,
    /// Bytes of the files and images that it needs. Each content counts once; what other experiments need too counts here.
    pub storage_size: u64,
    /// Bytes of the points of its series, as the store keeps them.
    pub channels_size: u64,
    /// Both together, in bytes.
    pub size: u64,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Another word for the description.
    pub notes: Option<String>,
    /// What it is about, when somebody said so.
    pub description: Option<String>,
    /// The machine on which it was made.
    pub hostname: String,
}

impl StoredExperiment {
    /// The name, when it has one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn name(&self) -> Result<Option<String>> {
        let (store, key) = self.open()?;
        text(&store, key, "sys/name")
    }

    /// What it is about, when somebody said so.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn description(&self) -> Result<Option<String>> {
        let (store, key) = self.open()?;
        text(&store, key, "sys/description")
    }

    /// How it is. Of a process that died it is `Running` until somebody recovers the folder, which a session does when it is
    /// opened.
    ///
    /// # Errors
    /// When the store cannot be read; `Invalid` for a state that a newer version gave it.
    pub fn state(&self) -> Result<ExperimentState> {
        let (store, key) = self.open()?;
        text(&store, key, "sys/state")?.map_or(Ok(ExperimentState::New), |state| state.parse())
    }

    /// What every experiment has: id, name, times, owner, sizes, tags, description and host.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).project("ada/mnist").open()?;
    /// let experiment = session.experiment().name("baseline").start()?;
    /// experiment.log_artifact(&b"12345"[..], Some("notes.txt"))?;
    /// experiment.stop()?;
    /// let properties = session.get("MNI-1")?.system_properties()?;
    /// assert_eq!((properties.id.as_str(), properties.name.as_deref()), ("MNI-1", Some("baseline")));
    /// assert!(properties.storage_size >= 5); // and what is kept of the sources
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn system_properties(&self) -> Result<SystemProperties> {
        let (store, key) = self.open()?;
        let created = time(&store, key, "sys/creation_time")?.unwrap_or_default();
        let finished = time(&store, key, "sys/completion_time")?;
        let sizes = store.sizes(key)?;
        let description = text(&store, key, "sys/description")?;
        Ok(SystemProperties {
            id: key.short_id.clone(),
            name: text(&store, key, "sys/name")?,
            created,
            finished,
            running_time: store.running_time(key, clock::now())?,
            owner: text(&store, key, "sys/owner")?.unwrap_or_default(),
            storage_size: sizes.objects,
            channels_size: sizes.series,
            size: sizes.objects.saturating_add(sizes.series),
            tags: tags(&store, key)?,
            notes: description.clone(),
            description,
            hostname: text(&store, key, "sys/hostname")?.unwrap_or_default(),
        })
    }
}

impl ExperimentHandle {
    /// The name, when it has one; as [`StoredExperiment::name`], once the store has what this process logged until now.
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn name(&self) -> Result<Option<String>> {
        self.stored()?.name()
    }

    /// How it is; as [`StoredExperiment::state`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn state(&self) -> Result<ExperimentState> {
        self.stored()?.state()
    }

    /// What every experiment has; as [`StoredExperiment::system_properties`].
    ///
    /// # Errors
    /// When the store cannot be written or read; `Unsupported` offline.
    pub fn system_properties(&self) -> Result<SystemProperties> {
        self.stored()?.system_properties()
    }
}

fn atom(store: &Store, key: &ExperimentKey, path: &str) -> Result<Option<AtomValue>> {
    match store.variable(key, path) {
        Ok(variable) => Ok(match variable.value {
            VariableValue::Atom(value) => Some(value),
            _ => None,
        }),
        Err(error) if error.kind() == neptune_store::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn text(store: &Store, key: &ExperimentKey, path: &str) -> Result<Option<String>> {
    Ok(atom(store, key, path)?.and_then(|value| value.as_str().map(str::to_owned)))
}

fn time(store: &Store, key: &ExperimentKey, path: &str) -> Result<Option<Timestamp>> {
    Ok(match atom(store, key, path)? {
        Some(AtomValue::Datetime(time)) => Some(time),
        _ => None,
    })
}

fn tags(store: &Store, key: &ExperimentKey) -> Result<Vec<String>> {
    match store.variable(key, "sys/tags") {
        Ok(variable) => Ok(match variable.value {
            VariableValue::Set(members) => members,
            _ => Vec::new(),
        }),
        Err(error) if error.kind() == neptune_store::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
