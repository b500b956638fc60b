//! A process that is told to die, or that exits: its experiments end as aborted, or leave a word behind.
//!
//! Nothing here is needed to keep what was logged, which is in the journals. So there is a limit to how long a process is held
//! up that somebody wants to end.

use std::{
    ffi::c_int,
    sync::{Arc, Once, mpsc::sync_channel},
    thread,
    time::Duration,
};

use neptune_format::Outcome;

use super::{running, state::State};
use crate::{clock, fork, journal::Death, signal};

/// How long ending the experiments may take before the process dies.
const PATIENCE: Duration = Duration::from_secs(2);

/// Has the experiments of this process end when it is told to die.
pub(super) fn watch_signals() {
    signal::watch(end_all);
}

/// Has the experiments of this process that still run when it exits say so in their journals.
pub(super) fn watch_exit() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| fork::at_exit(exiting));
}

fn end_all(number: c_int, name: &'static str) {
    let mut states = running::all();
    states.retain(|state| state.watches.signals && state.journal.is_ours());
    for state in &states {
        state.journal.losses().note_death(Death::Signal(u64::try_from(number).unwrap_or_default()));
    }
    let (done, ended) = sync_channel::<()>(1);
    let end = move || {
        let began = clock::monotonic();
        for state in &states {
            state.end_interrupted(name, PATIENCE.saturating_sub(began.elapsed()));
        }
        drop(done);
    };
    // By another thread, so that whatever it waits for, the process dies in time.
    if thread::Builder::new().name("neptune:ending".into()).spawn(end).is_ok() {
        ended.recv_timeout(PATIENCE).unwrap_or_default();
    }
}

/// Called by the C library while the process exits.
extern "C" fn exiting() {
    for state in running::all_at_once() {
        if state.journal.is_ours() && !state.ended.load(std::sync::atomic::Ordering::Acquire) {
            state.journal.losses().note_death(Death::Exited);
        }
    }
    signal::wait_for_death();
}

impl State {
    fn end_interrupted(self: &Arc<Self>, signal: &str, patience: Duration) {
        // Who stops it already is waited for; what could not be written is in the journal.
        drop(self.end_within(Outcome::Aborted, Some(format!("the process was told to end by {signal}")), patience));
    }
}
