//! [`Capture`]: the trainer's side: what is put in place of standard output and standard error, and taken away again.

use std::{
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::sync_channel,
    },
    thread,
    time::Duration,
};

use neptune_format::{ExperimentId, ProjectName};

use super::{
    channel::{self, Channel},
    ffi,
    watch::{Redirected, Shared},
    wire::{self, Order, Ordered, Which},
};
use crate::{clock, config, fork};

/// How long the end of an experiment waits for C's buffer of standard output to be written: longer only when whoever reads
/// it has the program wait.
const C_PATIENCE: Duration = Duration::from_secs(1);

/// How long it waits for that of Rust, whose lock the thread that waits may hold itself.
const RUST_PATIENCE: Duration = Duration::from_millis(25);

/// Whether an experiment of this process has the console.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// What is captured, and in which process, for when that ends without having ended the experiment.
static AT_EXIT: Mutex<Option<(u32, Weak<Shared>)>> = Mutex::new(None);

/// How long a process that exits waits until what it printed has come to where it went before: whoever waits for the process
/// reads it then.
const EXIT_PATIENCE: Duration = Duration::from_secs(2);

/// What is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Console {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

impl Console {
    pub(crate) const ALL: Self = Self { stdout: true, stderr: true };
    pub(crate) const NONE: Self = Self { stdout: false, stderr: false };
}

/// Where lines are to go.
#[derive(Debug)]
pub(crate) struct Destination<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) is_offline: bool,
    pub(crate) is_power_safe: bool,
    pub(crate) experiment: ExperimentId,
    pub(crate) project: &'a ProjectName,
    pub(crate) namespace: String,
}

/// A running capture. Dropped without [`Capture::finish`], it is not waited for.
#[derive(Debug)]
pub(crate) struct Capture {
    generation: u32,
    shared: Arc<Shared>,
}

impl Capture {
    /// Begins.
    ///
    /// # Errors
    /// `ResourceBusy` when another experiment of this process has the console. Whatever the error, the program prints as
    /// before.
    pub(crate) fn begin(console: Console, to: Destination<'_>) -> io::Result<Self> {
        if IS_TAKEN.swap(true, Ordering::AcqRel) {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another experiment of this process has it"));
        }
        let begun = begin(console, to);
        if begun.is_err() {
            IS_TAKEN.store(false, Ordering::Release);
        }
        let shared = begun?;
        let generation = fork::generation();
        *AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner) = Some((generation, Arc::downgrade(&shared)));
        ffi::at_exit(finish_at_exit);
        Ok(Self { generation, shared })
    }

    /// Ends: the program prints as before, and what it printed until now is kept. Waits for that, for `patience` at most;
    /// says whether it is.
    pub(crate) fn finish(self, patience: Duration) -> bool {
        if self.generation != fork::generation() {
            return true;
        }
        let deadline = clock::monotonic() + patience;
        flush(patience);
        self.shared.finish();
        self.shared.wait(deadline)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // What a forked child prints goes the way of what its parent prints.
        if self.generation == fork::generation() {
            self.shared.finish();
            drop(AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner).take());
            IS_TAKEN.store(false, Ordering::Release);
        }
    }
}

/// Where standard error went before it was captured, while it is: what is written there is not kept.
pub(crate) fn uncaptured_stderr() -> Option<OwnedFd> {
    let current = AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (_, shared) = current.filter(|(generation, _)| *generation == fork::generation())?;
    let shared = shared.upgrade()?;
    let stderr = shared.redirected.iter().find(|it| it.which == Which::Stderr)?;
    if stderr.is_restored.load(Ordering::Acquire) { None } else { stderr.original.try_clone().ok() }
}

/// Called at the exit of the process, by whichever thread that is, while others go on.
extern "C" fn finish_at_exit() {
    let current = AT_EXIT.try_lock().ok().and_then(|mut current| current.take());
    if let Some((generation, shared)) = current
        && generation == fork::generation()
        && let Some(shared) = shared.upgrade()
    {
        flush(EXIT_PATIENCE);
        shared.finish();
        shared.wait_forwarded(clock::monotonic() + EXIT_PATIENCE);
    }
}

fn begin(console: Console, to: Destination<'_>) -> io::Result<Arc<Shared>> {
    if !channel::is_in_program(ffi::entry())? {
        return Err(io::Error::other("this is not the program itself, but a library that it loaded"));
    }
    let wanted = Which::ALL.into_iter().filter(|which| match which {
        Which::Stdout => console.stdout,
        Which::Stderr => console.stderr,
    });
    let (mut redirected, mut channels) = (Vec::new(), Vec::new());
    for which in wanted {
        // Not among the standard ones, should one of them be closed.
        let original = rustix::io::fcntl_dupfd_cloexec(which.file(), 3)?;
        let channel = Channel::like(original.as_fd())?;
        redirected.push(Redirected {
            which,
            original,
            identity: channel::identity(&channel.write)?,
            read: Mutex::default(),
            is_restored: AtomicBool::new(false),
        });
        channels.push(channel);
    }
    let streams = redirected.iter().zip(&channels);
    let order = Order {
        folder: std::path::absolute(to.folder)?,
        is_offline: to.is_offline,
        is_power_safe: to.is_power_safe,
        experiment: to.experiment,
        project: to.project.clone(),
        namespace: to.namespace,
        streams: streams.map(|(it, channel)| Ordered { which: it.which, is_terminal: channel.is_terminal }).collect(),
    };
    let (control, theirs) = wire::pair()?;
    let ends: Vec<BorrowedFd<'_>> = channels.iter().map(|channel| channel.read.as_fd()).collect();
    // The order and the files wait in the socket: from the moment that the relay is there, nothing depends on this process.
    wire::order(&control, &order, &ends)?;
    for (redirected, channel) in redirected.iter_mut().zip(&channels) {
        redirected.read = Mutex::new(Some(channel.read.try_clone()?));
    }
    let child = relay(theirs)?;
    let shared = Shared::new(control, redirected);
    shared.watch(child)?;
    for (redirected, channel) in shared.redirected.iter().zip(&channels) {
        if let Err(error) = redirected.which.replace_by(&channel.write) {
            shared.finish();
            return Err(error);
        }
    }
    Ok(shared)
}

/// Starts this program once more, with what is standard output and standard error now.
fn relay(control: OwnedFd) -> io::Result<std::process::Child> {
    let (_, name) = channel::identity(&control)?;
    Command::new("/proc/self/exe")
        .arg0("neptune: console")
        .env(config::CONSOLE_RELAY, name.to_string())
        .stdin(Stdio::from(control))
        // From its first moment, who kills the processes of the program's group does not mean what it has printed.
        .process_group(0)
        .spawn()
}

/// Writes out what the program has printed and its libraries hold back. On a thread of its own: whoever holds a lock there
/// may not let go of it for long.
fn flush(patience: Duration) {
    let (tell, told) = sync_channel(2);
    let flushing = thread::Builder::new().name("neptune:flush".into()).spawn(move || {
        ffi::flush_c_output();
        tell.send(()).ok();
        io::stdout().flush().ok();
        tell.send(()).ok();
    });
    if flushing.is_ok() && told.recv_timeout(C_PATIENCE.min(patience)).is_ok() {
        told.recv_timeout(RUST_PATIENCE.min(patience)).ok();
    }
}
