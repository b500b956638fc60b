//! Panics: message, span trace and backtrace go to the experiment, as a text of `monitoring/traceback`.
//!
//! That the experiment failed is said by neptune-core, when the panic ends it or the process.

use std::{
    backtrace::Backtrace,
    fmt::Write as _,
    panic::{self, PanicHookInfo},
    sync::Once,
    thread,
};

use crate::{shared::Shared, spans, thread as threads};

/// How much of a backtrace is kept, in bytes.
const LONGEST: usize = 256 << 10;

/// Installs the hook, once. Hooks that were set before still run.
pub(crate) fn hook() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let Some(mut layers) = Shared::all() else { return };
    layers.retain(|layer| layer.settings.notes_panics);
    // A thread that has used some of the layers panics for those.
    if layers.iter().any(|layer| threads::knows(layer)) {
        layers.retain(|layer| threads::knows(layer));
    }
    let mut backtrace = None;
    for shared in layers {
        let here = threads::with(&shared, |thread| (thread.target(&shared), spans::trace(&shared, thread)));
        // A panic of our own code under way finds itself locked out, and is told without its spans.
        let (target, trace) = here.unwrap_or_else(|| (shared.target(&mut Vec::new()).0, Vec::new()));
        let Some(target) = target.filter(|target| target.is_running()) else { continue };
        let backtrace = backtrace.get_or_insert_with(|| {
            let mut text = Backtrace::force_capture().to_string();
            text.truncate(text.floor_char_boundary(LONGEST));
            text
        });
        target.traceback(&text(info, &trace, backtrace));
    }
}

fn text(info: &PanicHookInfo<'_>, trace: &[String], backtrace: &str) -> String {
    let payload = info.payload_as_str().unwrap_or("a value that is not text");
    let thread = thread::current();
    let mut text = format!("thread '{}' panicked: {payload}\n", thread.name().unwrap_or("<unnamed>"));
    if let Some(place) = info.location() {
        writeln!(text, "at {}:{}:{}", place.file(), place.line(), place.column()).ok();
    }
    if !trace.is_empty() {
        text.push_str("\nspans, the innermost first:\n");
        for span in trace {
            writeln!(text, "  {span}").ok();
        }
    }
    write!(text, "\nbacktrace:\n{backtrace}").ok();
    text
}
