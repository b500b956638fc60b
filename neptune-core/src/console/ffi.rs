//! The calls of the C library that nothing else offers: running before `main`, leaving the parent, ending without a
//! farewell, and C's own buffer of standard output.

#![expect(unsafe_code, reason = "these are calls of the C library, and a section of the program")]

use std::{os::fd::RawFd, panic, sync::Once};

use super::relay;

/// The C library calls what stands in this section before `main`.
#[used]
// SAFETY: the section holds pointers to functions that are called as C functions; with the arguments of `main` or without
// any, which a function that takes none does not notice.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    // Almost always this returns at once. A panic must not pass through C.
    drop(panic::catch_unwind(relay::become_relay_if_asked));
}

/// Where this program has the function that runs before `main`.
pub(super) fn entry() -> usize {
    (&raw const BEFORE_MAIN).addr()
}

/// Goes on in a process that is no child of the one that started this one, if this is the only thread; says whether it is.
pub(super) fn leave_parent(is_only_thread: bool) -> bool {
    if !is_only_thread {
        return false;
    }
    // SAFETY: there is no other thread, so no lock is held by one that the child would lack.
    match unsafe { libc::fork() } {
        0 => true,
        // It is not as bad to be a child of the trainer.
        ..0 => false,
        _ => end(),
    }
}

/// Ends the process at once.
pub(super) fn end() -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(0) }
}

/// Has the signals ignored by which a terminal, a shell or a scheduler ends or stops a program: the relay ends when there is
/// nobody left who could print.
pub(super) fn ignore_signals() {
    for signal in [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGPIPE,
        libc::SIGUSR1,
        libc::SIGUSR2,
        // Of limits that the program has: a file that may not grow is an error then, as a full disk is.
        libc::SIGXFSZ,
        libc::SIGXCPU,
    ] {
        // SAFETY: the numbers are those of signals, and no handler is installed.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Closes files that were inherited.
pub(super) fn close(files: impl IntoIterator<Item = RawFd>) {
    for file in files {
        // SAFETY: called before anything in this process has opened a file that is not among those that are kept, so nobody
        // owns these.
        unsafe { libc::close(file) };
    }
}

/// Has `call` called when the process exits: at the end of `main`, or by `exit`. Once is enough.
pub(super) fn at_exit(call: extern "C" fn()) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function is there for the life of the process, since it is of the program itself. It fails only without
        // memory; an exit is then not waited for.
        unsafe { libc::atexit(call) };
    });
}

/// Writes out what the C library holds back of standard output.
pub(super) fn flush_c_output() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
    }
    // SAFETY: the variable is one of the C library, set before `main`; the call takes the lock of the stream.
    unsafe { libc::fflush(stdout) };
}
