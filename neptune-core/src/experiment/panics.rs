//! Panics: their messages are kept, so that an experiment that dies of one can say so.

use std::{any::Any, cell::RefCell, panic, sync::Once};

use neptune_format::Record;

use super::running;
use crate::clock;

/// Stands for what a panic was given that is no text.
const NO_TEXT: &str = "a value that is not text";

thread_local! {
    /// What the last panic of this thread said, and its message.
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
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
    let Some(payload) = payload else { return noted.map_or_else(|| "panicked".to_owned(), |(_, message)| message) };
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = shortened(text.unwrap_or(NO_TEXT));
    // Without the hook the place is not known. Nor is it where the panic is that of another thread, which is resumed here: then what
    // was noted last, if anything, is an earlier one.
    match noted {
        Some((noted, message)) if noted == text => message,
        _ => format!("panicked: {text}"),
    }
}

/// As much of a message as is kept: a panic may print the whole of a tensor.
pub(super) fn shortened(text: &str) -> &str {
    const MOST: usize = 16 << 10;
    text.get(..text.floor_char_boundary(MOST)).unwrap_or_default()
}

fn note(info: &panic::PanicHookInfo<'_>) {
    let payload = shortened(info.payload_as_str().unwrap_or(NO_TEXT));
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = format!("panicked: {payload}{place}");
    // Never waits: the thread that panics may hold the lock.
    for state in running::all_at_once() {
        if state.watches.panics {
            state.journal.record(&Record::Panicked { time: clock::now(), message: message.clone() });
        }
    }
    // Fails only in a thread that is going away, which has no experiment to drop any more.
    LAST.try_with(|last| *last.borrow_mut() = Some((payload.to_owned(), message))).ok();
}
