//! Panics: their messages are kept, so that an experiment that dies of one can say so.

use std::{
    cell::RefCell,
    panic,
    sync::{Mutex, Once, PoisonError, Weak},
};

use neptune_format::Record;

use super::state::State;
use crate::clock;

thread_local! {
    /// The message of the last panic of this thread.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The experiments that run in this process.
static RUNNING: Mutex<Vec<Weak<State>>> = Mutex::new(Vec::new());

/// Has the panics of this process noted in the journal of `state`, from now on. Hooks that were set before still run.
pub(super) fn watch(state: Weak<State>) {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|state| state.strong_count() > 0);
    running.push(state);
}

/// The message of the panic that is unwinding this thread.
pub(super) fn message() -> String {
    LAST.try_with(|last| last.borrow().clone()).ok().flatten().unwrap_or_else(|| "panicked".to_owned())
}

fn note(info: &panic::PanicHookInfo<'_>) {
    let payload = info.payload_as_str().unwrap_or("a value that is not text");
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = format!("panicked: {payload}{place}");
    // Never waits: the thread that panics may hold the lock.
    if let Ok(running) = RUNNING.try_lock() {
        for state in running.iter().filter_map(Weak::upgrade) {
            state.journal.record(&Record::Panicked { time: clock::now(), message: message.clone() });
        }
    }
    // Fails only in a thread that is going away, which has no experiment to drop any more.
    LAST.try_with(|last| *last.borrow_mut() = Some(message)).ok();
}
