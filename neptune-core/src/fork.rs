//! Noticing that this process is a forked child, and that it exits.
//!
//! A child shares the mapped segments with its parent, but not the counters that share them out: if it logged to them, it
//! would write over its parent's records. So every writer remembers the generation it was opened in.

use std::sync::{
    Once,
    atomic::{AtomicU32, Ordering},
};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How often this process was forked from one that had neptune running.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Makes children count their generation. Once in a process is enough.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        #[expect(unsafe_code, reason = "the only way to be told of a fork is a call of the C library")]
        // SAFETY: `child` is a function for the life of the process, takes nothing and only adds to an atomic number,
        // which is allowed between a fork and an exec.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(child)) };
        // It fails only without memory for one entry of a list; forked children are then not noticed, which is how it
        // would be without this.
        debug_assert_eq!(failed, 0, "pthread_atfork failed");
    });
}

/// Has `exiting` called when this process exits: by `exit`, or by the end of `main`.
pub(crate) fn at_exit(exiting: extern "C" fn()) {
    #[expect(unsafe_code, reason = "the only way to be told of it is a call of the C library")]
    // SAFETY: `exiting` is a function for the life of the process, as every function here is.
    let failed = unsafe { libc::atexit(exiting) };
    // As above; how the process ended is then not known.
    debug_assert_eq!(failed, 0, "atexit failed");
}

extern "C" fn child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
