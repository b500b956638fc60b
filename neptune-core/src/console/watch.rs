//! [`Shared`]: what the trainer knows of its relay, and the thread that sees to it.
//!
//! The trainer keeps its own hold of the ends that the relay reads from. So when the relay dies, nobody who prints is
//! killed for it: the thread puts the files back that were there before, and sends on what is still in between.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
    process::Child,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use super::{
    channel,
    stream::forward_all,
    wire::{self, Which, Word},
};
use crate::{clock, stderr};

/// A standard file in whose place another stands.
#[derive(Debug)]
pub(super) struct Redirected {
    pub(super) which: Which,
    /// What was there before.
    pub(super) original: OwnedFd,
    /// Which file stands there now.
    pub(super) identity: (u64, u64),
    /// The end that the relay reads from.
    pub(super) read: Mutex<Option<OwnedFd>>,
    pub(super) is_restored: AtomicBool,
}

impl Redirected {
    /// Puts back what was there before, unless the program has put something else there since.
    pub(super) fn restore(&self) {
        let is_there = || channel::identity(self.which.file()).is_ok_and(|there| there == self.identity);
        if !self.is_restored.swap(true, Ordering::AcqRel) && is_there() {
            // It fails only for a number that is no file; the relay still forwards then.
            self.which.replace_by(&self.original).ok();
        }
    }

    fn take_read(&self) -> Option<OwnedFd> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How far the relay is.
#[derive(Debug, Default)]
struct Progress {
    is_forwarded: bool,
    is_finished: bool,
    is_gone: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) control: OwnedFd,
    pub(super) redirected: Vec<Redirected>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn new(control: OwnedFd, redirected: Vec<Redirected>) -> Arc<Self> {
        Arc::new(Self { control, redirected, progress: Mutex::default(), changed: Condvar::new() })
    }

    /// Starts the thread that sees to the relay, which `child` is or becomes the parent of.
    pub(super) fn watch(self: &Arc<Self>, child: Child) -> io::Result<()> {
        let shared = Arc::clone(self);
        thread::Builder::new().name("neptune:console".into()).spawn(move || shared.until_gone(child))?;
        Ok(())
    }

    /// Puts the standard files back, and has the relay keep what was printed until now.
    pub(super) fn finish(&self) {
        for redirected in &self.redirected {
            redirected.restore();
        }
        wire::say(&self.control, Word::Finish).ok();
    }

    /// Waits until the relay has kept everything, until `deadline`; says whether it has.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        self.wait_until(deadline, |progress| progress.is_finished)
    }

    /// Waits until everything has come to where it went before, until `deadline`.
    pub(super) fn wait_forwarded(&self, deadline: Instant) {
        self.wait_until(deadline, |progress| progress.is_forwarded);
    }

    fn wait_until(&self, deadline: Instant, is_done: impl Fn(&Progress) -> bool) -> bool {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = deadline.saturating_duration_since(clock::monotonic());
            if is_done(&progress) || progress.is_gone || left.is_zero() {
                return is_done(&progress);
            }
            progress = self.changed.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn until_gone(&self, mut child: Child) {
        let mut is_reaped = false;
        while let Some(word) = wire::hear(&self.control) {
            match word {
                Word::Detached => is_reaped = child.wait().is_ok(),
                Word::Broken(which) => {
                    for redirected in self.redirected.iter().filter(|it| it.which == which) {
                        redirected.restore();
                        drop(redirected.take_read());
                    }
                }
                Word::Forwarded => self.change(|progress| progress.is_forwarded = true),
                Word::Finished => self.change(|progress| progress.is_finished = true),
                Word::Attached | Word::Finish => {}
            }
        }
        if !is_reaped {
            // Somebody who waits for all children may have been faster.
            child.wait().ok();
        }
        let is_finished = self.progress.lock().unwrap_or_else(PoisonError::into_inner).is_finished;
        self.redirected.iter().for_each(Redirected::restore);
        self.change(|progress| progress.is_gone = true);
        let left = self.redirected.iter().filter_map(|it| Some((it.take_read()?, it.original.as_fd())));
        let left: Vec<_> = left.collect();
        if !is_finished && !left.is_empty() {
            let what = "the process that keeps what is printed is gone: what is printed from here on is not kept";
            // A thread that prints may wait for this one to take away what is in the pipe.
            stderr::say_at_once(&format!("neptune: {what}"));
        }
        forward_all(left);
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}
