//! Scenarios of how experiments end, and how they are removed.

#![expect(unsafe_code, reason = "handlers of signals are installed by a call of the C library")]

use std::{
    ffi::c_int,
    fs,
    path::Path,
    sync::atomic::{AtomicI32, Ordering},
    time::Duration,
};

use neptune_core::{Experiment, Mode, Session};

use crate::{Outcome, kill_at, open, say};

/// Deletes an experiment and is killed on the way.
pub(crate) fn delete_killed_at(folder: &str, id: &str, point: &str) -> Outcome {
    // Offline, so that opening the session does not recover on a thread of its own.
    let session = Session::builder().folder(folder).project("tests/e2e").mode(Mode::Offline).open()?;
    session.recover(|_| ())?;
    kill_at(point, 1)?;
    session.delete([id])?;
    Ok(())
}

/// Exits in the middle of an experiment.
#[expect(clippy::exit, reason = "exiting is what is tested")]
pub(crate) fn exits(folder: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    experiment.log_metric("loss", 1.0);
    std::process::exit(3)
}

/// The signal that a handler of this program saw.
static SEEN: AtomicI32 = AtomicI32::new(0);

extern "C" fn see(number: c_int) {
    SEEN.store(number, Ordering::Release);
}

/// Has `see` called for SIGTERM, whatever was installed.
fn install_handler() {
    // SAFETY: `see` is a function for the life of the process, and only stores an atomic number.
    unsafe { libc::signal(libc::SIGTERM, see as extern "C" fn(c_int) as libc::sighandler_t) };
}

/// What SIGTERM did before `chain` was installed.
static BEFORE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

extern "C" fn chain(number: c_int) {
    see(number);
    let before = BEFORE.load(Ordering::Acquire);
    if before != libc::SIG_DFL && before != libc::SIG_IGN {
        // SAFETY: what was installed for a signal before, and is neither default nor ignored, is a function of this type.
        unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(before)(number) };
    }
}

/// Logs until a signal comes. `how` says what the program does about signals itself.
pub(crate) fn signalled(folder: &str, how: &str) -> Outcome {
    match how {
        "before" => install_handler(),
        // SAFETY: the call changes only what a signal does.
        "ignored" => drop(unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) }),
        _ => {}
    }
    let mode = if how == "offline" { Mode::Offline } else { Mode::Embedded };
    let session = Session::builder().folder(folder).project("tests/e2e").mode(mode).open()?;
    let builder = session.experiment().without_hardware();
    let experiment = if how == "off" { builder.without_signals() } else { builder }.start()?;
    match how {
        "after" => install_handler(),
        "chained" => {
            // SAFETY: as in `install_handler`.
            let before = unsafe { libc::signal(libc::SIGTERM, chain as extern "C" fn(c_int) as libc::sighandler_t) };
            BEFORE.store(before, Ordering::Release);
        }
        // Ending waits for this, longer than it has.
        "stuck" => experiment.before_flush(wait),
        "stopping" => {
            experiment.before_flush(|| {
                say("stopping").unwrap_or_default();
                pause(Duration::from_millis(300));
            });
            log_some(&experiment)?;
            say("ready")?;
            experiment.stop()?;
            // Not reached before the process dies.
            return say("stopped");
        }
        "returns" => {
            log_some(&experiment)?;
            say("ready")?;
            while !experiment.has_ended() {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            // As a training loop that is done just then.
            experiment.stop()?;
            return say("stopped");
        }
        "forked" => return forked(&experiment),
        _ => {}
    }
    log_some(&experiment)?;
    say("ready")?;
    let began = neptune_core::stopwatch::ticks();
    while SEEN.load(Ordering::Acquire) == 0 && seconds_since(began) < 60 {
        experiment.log_metric("loss", 1.0);
        std::thread::park_timeout(Duration::from_millis(1));
    }
    say(&format!("saw {}", SEEN.load(Ordering::Acquire)))?;
    experiment.abort("by its own handler")?;
    Ok(())
}

fn log_some(experiment: &Experiment) -> Outcome {
    let series = experiment.series::<f64>("train/loss")?;
    (0..1000_u32).for_each(|number| series.append(f64::from(number)));
    Ok(())
}

/// Forks a child that is told to die: the parent goes on.
fn forked(experiment: &Experiment) -> Outcome {
    // SAFETY: the child only waits for its end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        wait();
        return Ok(());
    }
    let mut status = 0;
    // SAFETY: the calls signal and wait for a child of this process.
    unsafe {
        libc::kill(child, libc::SIGTERM);
        libc::waitpid(child, &raw mut status, 0);
    }
    say(&format!("the child died of {}", libc::WTERMSIG(status)))?;
    say(&format!("ended: {}", experiment.has_ended()))
}

fn seconds_since(began: u64) -> u64 {
    neptune_core::stopwatch::nanos(neptune_core::stopwatch::ticks().saturating_sub(began)) / 1_000_000_000
}

fn pause(time: Duration) {
    let began = neptune_core::stopwatch::ticks();
    let passed = || neptune_core::stopwatch::ticks().saturating_sub(began);
    while Duration::from_nanos(neptune_core::stopwatch::nanos(passed())) < time {
        std::thread::park_timeout(time);
    }
}

/// Enters a control group with little memory and takes more of it than there is.
pub(crate) fn takes_memory(folder: &str, group: &str) -> Outcome {
    fs::write(Path::new(group).join("cgroup.procs"), std::process::id().to_string())?;
    let experiment = open(folder)?.experiment().without_hardware().start()?;
    log_some(&experiment)?;
    say("ready")?;
    let mut taken: Vec<Vec<u8>> = Vec::new();
    for _ in 0..4096 {
        taken.push(vec![1; 1 << 20]);
    }
    say(&format!("took {} MiB", taken.len()))
}

/// Waits for its end, for some minutes.
fn wait() {
    pause(Duration::from_mins(3));
}
