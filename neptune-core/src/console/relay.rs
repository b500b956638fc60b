//! The relay: the process that reads what the program prints. It is the same program, and never comes to its `main`.
//!
//! It goes on until nobody can print any more, whatever becomes of the program; whatever becomes of the experiment, what is
//! printed comes to where it went before.

use std::{
    fs,
    io::{self, Write as _},
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd},
    panic::{self, AssertUnwindSafe},
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fs::FileType,
};

use super::{
    channel, ffi,
    log::Log,
    stream::{News, Signals, Stream},
    wire::{self, Order, Ordered, Word},
};
use crate::config;

/// How often the size of the terminal is looked at.
const SIZE_EVERY: Duration = Duration::from_millis(100);

/// Called in every process before `main`. Returns, unless this process was started to be a relay.
pub(super) fn become_relay_if_asked() {
    let Some(name) = config::console_relay() else { return };
    let control = rustix::stdio::stdin();
    // The variable may have come here by inheritance: only the file that it names proves that this is meant.
    let is_meant = rustix::fs::fstat(control)
        .is_ok_and(|file| FileType::from_raw_mode(file.st_mode) == FileType::Socket && file.st_ino.to_string() == name);
    if !is_meant {
        return;
    }
    panic::set_hook(Box::new(|info| complain(&format!("the relay of the console panicked: {info}"))));
    // Never back to where a second training would begin.
    drop(panic::catch_unwind(|| run(control)));
    ffi::end()
}

fn run(control: BorrowedFd<'_>) {
    ffi::ignore_signals();
    let Ok((order, ends)) = wire::take_order(control) else { return };
    rustix::thread::set_name(c"neptune:console").ok();
    close_inherited(&ends);
    let is_detached = ffi::leave_parent(is_only_thread());
    // Away from the terminal, which stops processes that print to it from the background.
    rustix::process::setsid().ok();
    // No folder of the program is in use for longer than it is.
    rustix::process::chdir("/").ok();
    wire::say(control, if is_detached { Word::Detached } else { Word::Attached }).ok();
    if let Err(error) = relay(control, order, ends) {
        complain(&format!("what is printed is not kept: {error}"));
    }
}

fn relay(control: BorrowedFd<'_>, order: Order, ends: Vec<OwnedFd>) -> io::Result<()> {
    let event = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    let signals = Arc::new(Signals { finish: event()?, news: event()? });
    // Each stream has three things to tell at most, so that telling never waits.
    let (tell, told) = sync_channel(8);
    let streams = order.streams.clone();
    let log = Log::new(order);
    let mut sizes = Vec::new();
    for (&ordered, end) in streams.iter().zip(ends) {
        let Ordered { which, is_terminal } = ordered;
        if is_terminal {
            sizes.push((which, end.try_clone()?));
        }
        let stream = Stream::new(ordered, end, &log, Arc::clone(&signals), tell.clone());
        let run = move || {
            // With the whole relay gone the program prints as if it had never been; with half of it, it would wait.
            if panic::catch_unwind(AssertUnwindSafe(|| stream.run())).is_err() {
                ffi::end();
            }
        };
        thread::Builder::new().name(format!("neptune:{}", which.name())).spawn(run)?;
    }
    let (mut logging, mut reading) = (streams.len(), streams.len());
    let mut is_trainer_there = true;
    while reading > 0 {
        let mut files = [
            PollFd::from_borrowed_fd(signals.news.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(control, PollFlags::IN),
        ];
        let watched = files.get_mut(..if is_trainer_there { 2 } else { 1 }).unwrap_or_default();
        let timeout = if sizes.is_empty() { None } else { Timespec::try_from(SIZE_EVERY).ok() };
        if poll(watched, timeout.as_ref()).is_err() {
            continue;
        }
        let (has_news, has_word) = (!files[0].revents().is_empty(), !files[1].revents().is_empty());
        for (which, pseudoterminal) in &sizes {
            channel::copy_size(which.file(), pseudoterminal.as_fd());
        }
        if is_trainer_there && has_word {
            match wire::hear(control) {
                Some(Word::Finish) => drop(rustix::io::write(&signals.finish, &1_u64.to_ne_bytes())),
                Some(_) => {}
                // It died, or became another program: what is printed tells when that is the end.
                None => is_trainer_there = false,
            }
        }
        if has_news {
            rustix::io::read(&signals.news, &mut [0; 8]).ok();
        }
        for news in told.try_iter() {
            match news {
                News::Broken(which) => drop(wire::say(control, Word::Broken(which))),
                News::Over => reading -= 1,
                News::Logged => {
                    logging -= 1;
                    if logging == 0 {
                        wire::say(control, Word::Forwarded).ok();
                        log.finish();
                        wire::say(control, Word::Finished).ok();
                    }
                }
            }
        }
    }
    Ok(())
}

/// Closes what the program had open: a pipe that the relay holds would not end for whoever reads it.
fn close_inherited(ends: &[OwnedFd]) {
    let Ok(files) = fs::read_dir("/proc/self/fd") else { return };
    let is_kept = |file: RawFd| file <= 2 || ends.iter().any(|end| end.as_raw_fd() == file);
    let numbers = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse().ok());
    let others: Vec<RawFd> = numbers.filter(|file| !is_kept(*file)).collect();
    ffi::close(others);
}

fn is_only_thread() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Says what is wrong, where the program's standard error went before.
pub(super) fn complain(what: &str) {
    drop(writeln!(io::stderr(), "neptune: {what}"));
}
