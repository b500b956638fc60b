//! Signals that end the process: told of once, and then passed on, so that the process dies as it would have without neptune.
//!
//! Invariant: a signal is taken only where nobody else has, before or behind us. A handler that somebody installed before is
//! left alone; where somebody installed one behind ours, which may call ours, ours does nothing.

#![expect(unsafe_code, reason = "the disposition of a signal is changed by a call of the C library only")]

use std::{
    io::{self, PipeWriter, Read as _},
    mem::MaybeUninit,
    ptr,
    sync::{
        Once, OnceLock,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    thread,
    time::Duration,
};

use libc::c_int;

/// The signals that are taken, and their names: of a terminal that closes, of Ctrl-C, and of whoever wants the process to end.
pub(crate) const TAKEN: [(c_int, &str); 3] =
    [(libc::SIGHUP, "SIGHUP"), (libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM")];

/// How long a thread that is done waits for the process to die, at most: more than is taken to end experiments.
const DEATH: Duration = Duration::from_secs(4);

/// Wakes the thread. Set before a handler is installed.
static WAKE: OnceLock<PipeWriter> = OnceLock::new();

/// The process whose thread it is. Its number and not its generation, because a forked child may get a signal before it has
/// counted; and what wakes the thread is shared with its parent.
static PROCESS: AtomicI32 = AtomicI32::new(0);

/// Whether a signal was taken: the process is about to die.
static IS_DYING: AtomicBool = AtomicBool::new(false);

/// The name of a signal that is taken.
pub(crate) fn name_of(number: u64) -> Option<&'static str> {
    TAKEN.iter().find(|(taken, _)| u64::try_from(*taken) == Ok(number)).map(|(_, name)| *name)
}

/// Has `react` called, by a thread of its own, with the first of the signals that arrives; when it returns the process dies
/// of that signal. A second signal does not wait for it. Once in a process is enough.
pub(crate) fn watch(react: fn(c_int, &'static str)) {
    static WATCHED: Once = Once::new();
    // Without a thread or a pipe signals do what they always did.
    WATCHED.call_once(|| start(react).unwrap_or_default());
}

fn start(react: fn(c_int, &'static str)) -> io::Result<()> {
    let (mut reader, writer) = io::pipe()?;
    PROCESS.store(this_process(), Ordering::Release);
    thread::Builder::new().name("neptune:signals".into()).spawn(move || {
        let mut number = [0];
        if reader.read_exact(&mut number).is_ok() {
            let number = c_int::from(number[0]);
            if let Some((_, name)) = TAKEN.iter().find(|(taken, _)| *taken == number) {
                react(number, name);
            }
            die_of(number);
        }
    })?;
    if WAKE.set(writer).is_ok() {
        for (number, _) in TAKEN {
            if disposition(number) == libc::SIG_DFL {
                set_disposition(number, handler_address());
            }
        }
    }
    Ok(())
}

/// Waits, where a signal was taken, until the process dies: so that it does not end in another way before.
pub(crate) fn wait_for_death() {
    if IS_DYING.load(Ordering::Acquire) && is_ours() {
        let began = crate::clock::monotonic();
        while let Some(left) = DEATH.checked_sub(began.elapsed()) {
            thread::park_timeout(left);
        }
    }
}

/// Has the calling thread get an error, and the process not die, when it writes beyond the limit that the process has for the size
/// of its files.
pub(crate) fn survive_limits() {
    let mut signals = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the calls write to `signals`, which is large enough, before it is read, and change what this thread alone is
    // sent. The number is that of a signal.
    unsafe {
        libc::sigemptyset(signals.as_mut_ptr());
        libc::sigaddset(signals.as_mut_ptr(), libc::SIGXFSZ);
        libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), ptr::null_mut());
    }
}

fn this_process() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn is_ours() -> bool {
    PROCESS.load(Ordering::Acquire) == this_process()
}

fn handler_address() -> libc::sighandler_t {
    handler as extern "C" fn(c_int) as libc::sighandler_t
}

/// Runs in whatever thread the signal interrupts, so it does only what is allowed there: loads and stores of atomics, and
/// system calls.
extern "C" fn handler(number: c_int) {
    if disposition(number) != handler_address() {
        // Somebody took the signal behind us and calls us from there: it is theirs.
        return;
    }
    if !is_ours() || IS_DYING.swap(true, Ordering::AcqRel) {
        die_of(number);
        return;
    }
    let byte = u8::try_from(number).unwrap_or_default();
    match WAKE.get().map(|wake| rustix::io::write(wake, &[byte])) {
        Some(Ok(1)) => {}
        _ => die_of(number),
    }
}

/// Gives the signal back what it does by itself, and sends it to this process.
fn die_of(number: c_int) {
    set_disposition(number, libc::SIG_DFL);
    if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
        // A process may send itself any signal.
        rustix::process::kill_process(rustix::process::getpid(), signal).ok();
    }
}

/// What a signal does now: a handler, or `SIG_DFL` or `SIG_IGN`.
fn disposition(number: c_int) -> libc::sighandler_t {
    let mut found = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the call writes to `found`, which is large enough, and reads nothing. Zero is a valid value for each field,
    // should it fail.
    unsafe {
        libc::sigaction(number, ptr::null(), found.as_mut_ptr());
        found.assume_init().sa_sigaction
    }
}

fn set_disposition(number: c_int, disposition: libc::sighandler_t) {
    // SAFETY: zero is a valid value for each field: no flags, and an empty set of signals.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = disposition;
    // A call that is interrupted goes on; a thread may have its stack for signals elsewhere.
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the call reads `action`, which lives until it returns. What is installed is `SIG_DFL` or `handler`, which is a
    // function for the life of the process that does only what is allowed in a handler. It fails for no signal of `TAKEN`.
    unsafe { libc::sigaction(number, &raw const action, ptr::null_mut()) };
}
