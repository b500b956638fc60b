//! The experiments that run in this process, for what ends all of them at once: a panic, a signal, `exit`.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::state::State;

static RUNNING: Mutex<Vec<Weak<State>>> = Mutex::new(Vec::new());

/// Which ends of the process an experiment is told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watches {
    pub(super) panics: bool,
    pub(super) signals: bool,
}

pub(super) fn add(state: &Arc<State>) {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|state| state.strong_count() > 0);
    running.push(Arc::downgrade(state));
}

/// Those that have not gone. Waits for whoever starts an experiment.
pub(super) fn all() -> Vec<Arc<State>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
}

/// As [`all`], for a thread that may hold the lock itself: then there is none.
pub(super) fn all_at_once() -> Vec<Arc<State>> {
    RUNNING.try_lock().map(|running| running.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
}
