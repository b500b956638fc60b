//! What the process prints, as part of an experiment: asked for, begun and ended.

#![cfg(target_os = "linux")]

use std::{io, sync::PoisonError, time::Duration};

use neptune_format::WriterId;

use super::{builder::ExperimentBuilder, ending::say, state::State};
use crate::{
    console::{Capture, Console, Destination},
    hardware::names,
    session::{Durability, Mode},
};

impl ExperimentBuilder {
    /// Keeps what the process prints on standard output and standard error, line by line, as the series
    /// `monitoring/WRITER/stdout` and `monitoring/WRITER/stderr`, where `WRITER` stands for this process. That is the
    /// default, unless `NEPTUNE_CONSOLE` (`all`, `stdout`, `stderr` or `off`) says otherwise.
    ///
    /// What is printed by Rust, by C and by child processes is kept, from the start of the experiment to its end or, when the
    /// process dies in whatever way, to its death. It reaches the terminal, file or pipe that it went to before, byte by
    /// byte, about a millisecond later; a terminal is still found to be one. Each stream keeps its order. What is printed
    /// on both at once may change places by a millisecond, as with any two pipes.
    ///
    /// - Of what is drawn over, such as a progress bar, the last state is kept. Escape sequences are left out. Nothing is kept of
    ///   what a program draws on the alternate screen of a terminal.
    /// - The time of a line is that of its end. A line of more than 64 KiB is kept in pieces, each of which but the last ends
    ///   with an ellipsis. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// The two files are replaced by pipes (by pseudoterminals where they are terminals), which another process reads: this
    /// program, started once more without coming to its `main`. It ends when nobody can print any more. It survives SIGKILL of
    /// this process, or of its process group; **not** of every process of a container, which its first process takes along.
    /// When it is killed itself, this process goes on and prints as before.
    ///
    /// One experiment of a process has the console at a time: the first that runs. Linux only; not in a program that loads
    /// neptune as a library, such as an extension of Python. Where it cannot be captured the experiment goes without, and
    /// says why on standard error.
    pub const fn console(mut self) -> Self {
        self.console = Some(Console::ALL);
        self
    }

    /// Keeps nothing of what is printed, and leaves standard output and standard error alone; see [`console`](Self::console).
    pub const fn without_console(mut self) -> Self {
        self.console = Some(Console::NONE);
        self
    }

    /// Of what is printed, keeps standard error alone; see [`console`](Self::console).
    pub const fn without_stdout(mut self) -> Self {
        let stderr = match self.console {
            Some(console) => console.stderr,
            None => true,
        };
        self.console = Some(Console { stdout: false, stderr });
        self
    }

    /// Of what is printed, keeps standard output alone; see [`console`](Self::console).
    pub const fn without_stderr(mut self) -> Self {
        let stdout = match self.console {
            Some(console) => console.stdout,
            None => true,
        };
        self.console = Some(Console { stdout, stderr: false });
        self
    }
}

impl State {
    /// Begins to capture what is printed. Where that cannot be the experiment goes without, and says why, unless another
    /// experiment of this process has the console and nobody asked for it here.
    pub(super) fn capture(&self, console: Console, is_asked_for: bool, writer: WriterId) {
        if console == Console::NONE || self.journal.keeps_nothing() {
            return;
        }
        let destination = Destination {
            folder: self.session.folder(),
            is_offline: self.session.mode() == Mode::Offline,
            is_power_safe: self.session.inner.durability == Durability::Disk,
            experiment: self.id,
            project: &self.project,
            namespace: names::namespace(writer),
        };
        match Capture::begin(console, destination) {
            Ok(capture) => *self.console.lock().unwrap_or_else(PoisonError::into_inner) = Some(capture),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && !is_asked_for => {}
            Err(error) => self.journal.losses().notice(|| format!("the console is not captured: {error}")),
        }
    }

    /// Keeps what was printed until now. It is given half of the deadline at most: whoever reads what is printed may have
    /// stopped reading.
    pub(super) fn finish_console(&self, patience: Duration) {
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(console) = console
            && !console.finish(patience)
        {
            say("neptune: not all that was printed is kept yet; it will be once it has come to where it is read");
        }
    }
}
