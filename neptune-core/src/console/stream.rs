//! [`Stream`]: one of the two streams in the relay: read, written to where it went before, then taken apart into lines.
//!
//! A thread for each, so that a reader who has enough of one holds up that one alone. What is written on is always what was
//! read, byte by byte, and before it is logged.

use std::{
    io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::FileType,
    io::Errno,
    pipe::PIPE_BUF,
};

use super::{
    lines::Lines,
    log::{Log, LoggedLines},
    wire::{Ordered, Which},
};
use crate::clock;

/// What is read at once: as much as fits into a pipe.
const READ_BYTES: usize = 1 << 20;

/// How long the relay looks away after it has read something: whoever prints meanwhile has nobody to wake, which costs more
/// than printing does. A pipe holds a megabyte.
const NAP: Duration = Duration::from_millis(1);

/// How long a stream must be quiet, once the program says that it prints no more, while somebody still holds its other end:
/// a thread that is just printing, or a child.
const QUIET: Duration = Duration::from_millis(20);

/// How long it is waited for that quiet.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often lines are looked at that wait, for the experiment or to be written over.
const SOON: Duration = Duration::from_millis(20);

/// How long a line waits to be written over.
const SETTLED: Duration = Duration::from_secs(5);

/// What threads are told, and tell.
#[derive(Debug)]
pub(super) struct Signals {
    /// Readable once the program says that it prints no more.
    pub(super) finish: OwnedFd,
    /// Made readable when a stream came to an end of some kind.
    pub(super) news: OwnedFd,
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nobody reads any more what is printed.
    Broken(Which),
    /// All lines are logged.
    Logged,
    /// Nobody can print any more.
    Over,
}

pub(super) struct Stream {
    which: Which,
    input: Option<OwnedFd>,
    is_terminal: bool,
    is_broken: bool,
    lines: Lines,
    /// `None` once the program said that it prints no more.
    logged: Option<LoggedLines>,
    signals: Arc<Signals>,
    tell: SyncSender<News>,
}

impl Stream {
    pub(super) fn new(
        ordered: Ordered,
        input: OwnedFd,
        log: &Arc<Log>,
        signals: Arc<Signals>,
        tell: SyncSender<News>,
    ) -> Self {
        let Ordered { which, is_terminal } = ordered;
        let logged = Some(log.lines_of(which));
        Self {
            which,
            input: Some(input),
            is_terminal,
            is_broken: false,
            lines: Lines::default(),
            logged,
            signals,
            tell,
        }
    }

    /// Until nobody can print any more.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; READ_BYTES];
        let mut ending: Option<Ending> = None;
        while let Some(input) = &self.input {
            let wait = match &self.logged {
                Some(_) if ending.is_some() => Some(QUIET),
                Some(logged) if logged.is_waiting() => Some(SOON),
                Some(_) if self.lines.is_waiting() => Some(SETTLED),
                _ => None,
            };
            // Once it was heard that the program prints no more, there is nothing else to hear.
            let finish = (self.logged.is_some() && ending.is_none()).then(|| self.signals.finish.as_fd());
            match readable(input.as_fd(), finish, wait) {
                Ready::Input => {}
                Ready::Finish => {
                    let left = rustix::io::ioctl_fionread(input).unwrap_or_default();
                    ending = Some(Ending { left, until: None });
                    continue;
                }
                Ready::Neither if ending.is_some() => {
                    self.end_log();
                    continue;
                }
                Ready::Neither => {
                    self.settle();
                    continue;
                }
            }
            match rustix::io::read(input, &mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let read = buffer.get(..count).unwrap_or_default();
                    self.take(read);
                    let is_over = ending.as_mut().map(|ending| ending.is_over(count));
                    match is_over {
                        Some(true) => self.end_log(),
                        // A pseudoterminal gives four kilobytes at once and holds little more.
                        None if count < READ_BYTES / 4 && !self.is_terminal => nap(self.signals.finish.as_fd()),
                        _ => {}
                    }
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                // Of a pseudoterminal that nobody holds any more.
                Err(_) => break,
            }
        }
        self.end_log();
        self.tell(News::Over);
    }

    fn take(&mut self, read: &[u8]) {
        if !self.is_broken && forward(self.which.file(), read).is_err() {
            self.is_broken = true;
            self.tell(News::Broken(self.which));
            if !self.is_terminal {
                // What is there is still logged. Then whoever prints learns that nobody reads.
                self.log(read);
                let rest = self.input.take().as_ref().map(rest_of).unwrap_or_default();
                self.log(&rest);
                return;
            }
        }
        self.log(read);
    }

    fn log(&mut self, read: &[u8]) {
        let Some(logged) = &mut self.logged else { return };
        let now = clock::now().as_micros();
        self.lines.feed(read, now, &mut |time, line| logged.add(time, line));
        logged.settle(false);
    }

    fn settle(&mut self) {
        let Some(logged) = &mut self.logged else { return };
        if logged.is_waiting() {
            logged.settle(false);
        } else {
            self.lines.settle(&mut |time, line| logged.add(time, line));
        }
    }

    /// Logs what is left, and nothing from here on.
    fn end_log(&mut self) {
        let Some(mut logged) = self.logged.take() else { return };
        let now = clock::now().as_micros();
        self.lines.finish(now, &mut |time, line| logged.add(time, line));
        logged.settle(true);
        drop(logged);
        self.tell(News::Logged);
    }

    fn tell(&self, news: News) {
        self.tell.send(news).ok();
        rustix::io::write(&self.signals.news, &1_u64.to_ne_bytes()).ok();
    }
}

/// What is still to be logged once the program has said that it prints no more.
struct Ending {
    /// Bytes that were there already.
    left: u64,
    /// When enough was logged of what still comes, of threads that were just printing and of children, who may never be quiet.
    until: Option<Instant>,
}

impl Ending {
    /// Whether enough was logged, now that so many more bytes were.
    fn is_over(&mut self, count: usize) -> bool {
        self.left = self.left.saturating_sub(count as u64);
        let now = clock::monotonic();
        self.left == 0 && now > *self.until.get_or_insert(now + PATIENCE)
    }
}

enum Ready {
    Input,
    Finish,
    Neither,
}

/// Waits until there is something to read.
fn readable(input: BorrowedFd<'_>, finish: Option<BorrowedFd<'_>>, wait: Option<Duration>) -> Ready {
    let timeout = wait.and_then(|wait| Timespec::try_from(wait).ok());
    let mut files = [
        PollFd::from_borrowed_fd(input, PollFlags::IN),
        PollFd::from_borrowed_fd(finish.unwrap_or(input), PollFlags::IN),
    ];
    let count = if finish.is_some() { 2 } else { 1 };
    match poll(files.get_mut(..count).unwrap_or_default(), timeout.as_ref()) {
        Ok(1..) if !files[0].revents().is_empty() => Ready::Input,
        Ok(1..) => Ready::Finish,
        Ok(0) => Ready::Neither,
        // Interrupted: whoever reads then finds out.
        Err(_) => Ready::Input,
    }
}

/// Looks away, unless the program says that it prints no more.
fn nap(finish: BorrowedFd<'_>) {
    let timeout = Timespec::try_from(NAP).ok();
    poll(&mut [PollFd::from_borrowed_fd(finish, PollFlags::IN)], timeout.as_ref()).ok();
}

/// Writes all of `bytes`. Waits as long as whoever reads there has them wait.
fn forward(output: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    let is_pipe = rustix::fs::fstat(output).is_ok_and(|file| FileType::from_raw_mode(file.st_mode) == FileType::Fifo);
    while !bytes.is_empty() {
        let piece = if is_pipe { whole_lines(bytes) } else { bytes };
        match rustix::io::write(output, piece) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Somebody else who has the file open does not want to wait there.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(output, PollFlags::OUT)], None).ok();
            }
            // A full disk: the program would have lost this as well.
            Err(Errno::NOSPC | Errno::DQUOT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// As many whole lines as a pipe takes at once. Several programs may print to it, each line with one write, which the system does
/// not tear; nor may ours be torn because many come together. See pipe(7) on `PIPE_BUF`.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let Some(piece) = bytes.get(..PIPE_BUF) else { return bytes };
    let end = piece.iter().rposition(|byte| *byte == b'\n').map_or(PIPE_BUF, |at| at + 1);
    piece.get(..end).unwrap_or(piece)
}

/// What is still in a pipe.
fn rest_of(input: &OwnedFd) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut piece = vec![0; READ_BYTES];
    while matches!(readable(input.as_fd(), None, Some(Duration::ZERO)), Ready::Input) {
        match rustix::io::read(input, &mut piece) {
            Ok(count @ 1..) if rest.len() <= READ_BYTES => {
                rest.extend_from_slice(piece.get(..count).unwrap_or_default());
            }
            _ => break,
        }
    }
    rest
}

/// Sends on what comes from each input to its output, until nobody prints there any more: in place of a relay that died.
pub(super) fn forward_all(mut streams: Vec<(OwnedFd, BorrowedFd<'_>)>) {
    let mut buffer = vec![0; READ_BYTES];
    while !streams.is_empty() {
        let mut files: Vec<_> =
            streams.iter().map(|(input, _)| PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)).collect();
        if poll(&mut files, None).is_err() {
            continue;
        }
        let ready: Vec<bool> = files.iter().map(|file| !file.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        streams.retain(|(input, output)| {
            if ready.next() != Some(true) {
                return true;
            }
            match rustix::io::read(input, &mut buffer) {
                Ok(count @ 1..) => forward(*output, buffer.get(..count).unwrap_or_default()).is_ok(),
                Err(Errno::INTR) => true,
                Ok(0) | Err(_) => false,
            }
        });
    }
}
