//! [`Experiment`] and [`ExperimentHandle`]: a running experiment, owned or shared, and what its variables share.

use std::{
    collections::BTreeSet,
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use neptune_format::{ExperimentId, ProjectName};

use super::{
    checkpoints::Families,
    classic::LastX,
    running::Watches,
    variables::{Refusal, Variables},
};
#[cfg(target_os = "linux")]
use crate::console::Capture;
#[cfg(feature = "images")]
use crate::encoder::Encoder;
#[cfg(feature = "hardware")]
use crate::hardware::Monitor;
#[cfg(feature = "embedded")]
use crate::reclaim::Reclaimer;
use crate::{
    code::Recorder,
    journal::{Journal, Keeper, Lock},
    objects::Objects,
    session::Session,
    sink::Drain,
};

/// A running experiment. It ends with [`stop`](Experiment::stop), [`fail`](Experiment::fail) or
/// [`run`](Experiment::run); dropped without one of these it is marked failed, so that an early `?` does not look like
/// success.
///
/// It logs and reads by the methods of its [`ExperimentHandle`], and is alone in deciding how the experiment ends.
///
/// Any number of threads may use it at once. Logging calls return nothing, never fail and never block.
#[must_use = "an experiment that is dropped at once is marked failed"]
pub struct Experiment {
    pub(super) handle: ExperimentHandle,
}

/// What logs to a running experiment and reads it back, without a say in its end. Cheap to clone; for threads, and for
/// integrations that log from where the [`Experiment`] cannot be reached.
///
/// A handle may outlive its experiment. What is logged once that has ended is not kept, and counted as `stopped`.
#[derive(Clone)]
pub struct ExperimentHandle {
    pub(super) state: Arc<State>,
}

/// A handle that does not keep what the experiment holds.
#[derive(Debug, Clone)]
pub(crate) struct WeakHandle(std::sync::Weak<State>);

impl WeakHandle {
    pub(super) const fn new(state: std::sync::Weak<State>) -> Self {
        Self(state)
    }

    /// Whether there is no other handle left.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// The handle, while there are others.
    pub(crate) fn upgrade(&self) -> Option<ExperimentHandle> {
        self.0.upgrade().map(|state| ExperimentHandle { state })
    }
}

/// What an experiment and the handles of its variables share.
pub(super) struct State {
    pub(super) id: ExperimentId,
    pub(super) project: ProjectName,
    pub(super) short_id: Option<String>,
    pub(super) session: Session,
    /// Whether this writer only edits; see [`Session::edit`].
    pub(super) edits: bool,
    pub(super) journal: Arc<Journal>,
    pub(super) variables: Variables,
    pub(super) keeper: Mutex<Keeper>,
    /// `None` offline; the lock is then held here.
    pub(super) drain: Option<Drain>,
    pub(super) lock: Mutex<Option<Lock>>,
    pub(super) objects: Objects,
    /// What encodes images, once there was one.
    #[cfg(feature = "images")]
    pub(super) encoder: Mutex<Option<Encoder>>,
    /// The namespaces that integrations log below; see [`ExperimentHandle::claim`].
    pub(super) claimed: Mutex<BTreeSet<String>>,
    /// Gives the room of objects back that are not needed any more, once there were some.
    #[cfg(feature = "embedded")]
    pub(super) reclaimer: Mutex<Option<Reclaimer>>,
    /// The families of checkpoints, by their names.
    pub(super) checkpoints: Families,
    /// What reads the hardware, once it was started.
    #[cfg(feature = "hardware")]
    pub(super) monitor: std::sync::OnceLock<Monitor>,
    /// What the process prints, while this experiment has it.
    #[cfg(target_os = "linux")]
    pub(super) console: Mutex<Option<Capture>>,
    /// What records the code, once it was started.
    pub(super) recorder: Mutex<Option<Recorder>>,
    pub(super) ended: AtomicBool,
    /// Held while it is ended, so that who comes second can wait for the first.
    pub(super) ending: Mutex<()>,
    pub(super) watches: Watches,
    pub(super) stop_deadline: Duration,
    /// Where the logs stand whose x must increase; see [`Classic`](super::Classic).
    pub(super) last_x: LastX,
    /// What integrations hold back is written by these; see [`ExperimentHandle::before_flush`].
    pub(super) held_back: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("id", &self.id).field("short_id", &self.short_id).finish_non_exhaustive()
    }
}

impl State {
    /// Counts what was refused, and keeps the first message of its reason for the warning.
    pub(super) fn refuse(&self, refusal: &Refusal, count: u64) {
        if !matches!(refusal, Refusal::NotKept { .. }) {
            self.journal.losses().explain(refusal.reason(), count, || refusal.message());
        }
    }
}

impl Experiment {
    /// A handle to the experiment, which others may keep.
    pub fn handle(&self) -> ExperimentHandle {
        self.handle.clone()
    }
}

impl Deref for Experiment {
    type Target = ExperimentHandle;

    fn deref(&self) -> &ExperimentHandle {
        &self.handle
    }
}

impl ExperimentHandle {
    /// The identity of the experiment; the same wherever it is sent.
    pub fn id(&self) -> ExperimentId {
        self.state.id
    }

    /// The short id that people use, such as `MNI-12`. `None` offline: it is given when the experiment is synced.
    pub fn short_id(&self) -> Option<&str> {
        self.state.short_id.as_deref()
    }

    /// Whether both log through the same writer: handles that were cloned from one another do, two that attached to one
    /// experiment do not.
    pub fn is_same_writer(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Takes a namespace for somebody who logs below it; whether nobody has it already. For integrations, so that two
    /// trainings of a process do not write over each other's points. Given back by [`ExperimentHandle::unclaim`].
    pub fn claim(&self, namespace: &str) -> bool {
        let mut claimed = self.state.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.insert(namespace.trim_matches('/').to_owned())
    }

    /// Gives a namespace back that was [claimed](ExperimentHandle::claim).
    pub fn unclaim(&self, namespace: &str) {
        self.state.claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(namespace.trim_matches('/'));
    }

    /// The project of the experiment.
    pub fn project(&self) -> &ProjectName {
        &self.state.project
    }
}

impl fmt::Debug for ExperimentHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment").field("id", &self.state.id).field("short_id", &self.state.short_id).finish()
    }
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.handle, f)
    }
}

impl fmt::Display for ExperimentHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state.short_id {
            Some(short_id) => write!(f, "Experiment({short_id})"),
            None => write!(f, "Experiment({})", self.state.id),
        }
    }
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.handle, f)
    }
}

impl PartialEq for ExperimentHandle {
    /// The same experiment, whoever writes to it.
    fn eq(&self, other: &Self) -> bool {
        self.state.id == other.state.id
    }
}

impl Eq for ExperimentHandle {}

impl PartialEq for Experiment {
    /// The same experiment, whoever writes to it.
    fn eq(&self, other: &Self) -> bool {
        self.handle == other.handle
    }
}

impl Eq for Experiment {}
