//! Panics: their messages are kept, so that an experiment that dies of one can say so.

use std::{any::Any, cell::RefCell, panic, sync::Once};

use neptune_format::Record;

use super::running;
use crate::clock;

thread_local! {
    /// The message of the last panic of this thread.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has the panics of this process noted in the journals of its experiments, from now on. Hooks that were set before still run.
pub(super) fn watch() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

/// The message of the panic that is unwinding this thread, or that was caught with `payload`.
pub(super) fn message(payload: Option<&(dyn Any + Send)>) -> String {
    let noted = LAST.try_with(|last| last.borrow().clone()).ok().flatten();
    // Without the hook the place is not known.
    let text = || {
        let text = payload.and_then(|payload| {
            payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        });
        text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
    };
    noted.unwrap_or_else(text)
}

fn note(info: &panic::PanicHookInfo<'_>) {
    let payload = info.payload_as_str().unwrap_or("a value that is not text");
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = format!("panicked: {payload}{place}");
    // Never waits: the thread that panics may hold the lock.
    for state in running::all_at_once() {
        if state.watches.panics {
            state.journal.record(&Record::Panicked { time: clock::now(), message: message.clone() });
        }
    }
    // Fails only in a thread that is going away, which has no experiment to drop any more.
    LAST.try_with(|last| *last.borrow_mut() = Some(message)).ok();
}
