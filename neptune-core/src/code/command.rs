//! [`Git`]: runs the git program, for a bounded time and a bounded output, so that it asks nobody, changes nothing and goes to
//! no network.

use std::{
    fs::File,
    io::{self, Read as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, Signal, kill_process_group},
    time::Timespec,
};

use crate::clock;

/// How often it is looked whether anybody still wants the answer.
const LOOK: Duration = Duration::from_millis(50);

/// What is kept of what git says about its trouble.
const MOST_COMPLAINT: usize = 4096;

/// What git is told each time: no pager and no prompt, no program that a repository names, no transport, no lock.
const SETTINGS: [&str; 8] = [
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.hooksPath=/dev/null",
    "color.ui=false",
    "protocol.allow=never",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "diff.submodule=short",
];

/// Variables that would have git look at another repository than that of the folder.
const OF_ANOTHER: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
];

/// Git in a folder, until a moment.
pub(super) struct Git<'a> {
    pub(super) folder: &'a Path,
    pub(super) until: Instant,
    /// Whether nobody wants the answer any more.
    pub(super) is_over: &'a dyn Fn() -> bool,
}

/// What git said.
pub(super) struct Said {
    pub(super) bytes: Vec<u8>,
    /// Whether there was more than was wanted.
    pub(super) is_cut: bool,
}

/// Why git said nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such program.
    NoGit,
    /// What it complained of.
    Refused(String),
    /// It took too long, or nobody wants to know any more.
    TooLong,
}

impl Git<'_> {
    /// Runs git with `arguments`; takes `most` bytes of what it says.
    pub(super) fn run(&self, arguments: &[&str], most: usize) -> Result<Said, Trouble> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder).args(["--no-pager", "--no-optional-locks"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        for name in OF_ANOTHER {
            command.env_remove(name);
        }
        command.envs([
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_PAGER", "cat"),
            ("LC_ALL", "C"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        command.process_group(0);
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::NoGit,
            _ => Trouble::Refused(error.to_string()),
        })?;
        self.listen(Running(child), most)
    }

    fn listen(&self, mut running: Running, most: usize) -> Result<Said, Trouble> {
        let child = &mut running.0;
        let mut said = Pipe::new(child.stdout.take().map(OwnedFd::from), most);
        let mut complaint = Pipe::new(child.stderr.take().map(OwnedFd::from), MOST_COMPLAINT);
        let failed = |error: io::Error| Trouble::Refused(error.to_string());
        while said.file.is_some() && !said.is_cut {
            if (self.is_over)() || clock::monotonic() >= self.until {
                return Err(Trouble::TooLong);
            }
            read_some([&mut said, &mut complaint]).map_err(failed)?;
        }
        if said.is_cut {
            return Ok(Said { bytes: said.bytes, is_cut: true });
        }
        while complaint.file.is_some() {
            if (self.is_over)() || clock::monotonic() >= self.until {
                return Err(Trouble::TooLong);
            }
            read_some([&mut complaint]).map_err(failed)?;
        }
        loop {
            match running.0.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(Said { bytes: said.bytes, is_cut: false }),
                Ok(Some(_)) => {
                    let complaint = String::from_utf8_lossy(&complaint.bytes);
                    return Err(Trouble::Refused(complaint.lines().next().unwrap_or_default().trim().to_owned()));
                }
                Ok(None) if (self.is_over)() || clock::monotonic() >= self.until => return Err(Trouble::TooLong),
                Ok(None) => thread::park_timeout(Duration::from_millis(1)),
                // Somebody in this program waited for a child of any kind, and it was this one.
                Err(_) if !said.bytes.is_empty() => return Ok(Said { bytes: said.bytes, is_cut: false }),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Git, which ends at the latest when this goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Only while it is ours: a process that somebody else waited for may be another by now.
        if matches!(self.0.try_wait(), Ok(None)) {
            let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
            if group.is_none_or(|group| kill_process_group(group, Signal::KILL).is_err()) {
                self.0.kill().ok();
            }
            self.0.wait().ok();
        }
    }
}

/// What comes out of git at one end.
struct Pipe {
    /// `None` once nothing more comes.
    file: Option<File>,
    bytes: Vec<u8>,
    most: usize,
    is_cut: bool,
}

impl Pipe {
    fn new(end: Option<OwnedFd>, most: usize) -> Self {
        Self { file: end.map(File::from), bytes: Vec::new(), most, is_cut: false }
    }

    fn read(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut piece = [0; 1 << 14];
        let read = match file.read(&mut piece) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        if read == 0 {
            self.file = None;
        }
        let room = self.most.saturating_sub(self.bytes.len());
        self.is_cut |= read > room;
        self.bytes.extend_from_slice(piece.get(..read.min(room)).unwrap_or_default());
        Ok(())
    }
}

/// Waits a little for something to come out of any of `pipes`, and takes it.
fn read_some<const N: usize>(mut pipes: [&mut Pipe; N]) -> io::Result<()> {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::try_from(LOOK.as_nanos()).unwrap_or(0) };
    let mut ready = [false; N];
    let mut places = Vec::with_capacity(N);
    let mut asked = Vec::with_capacity(N);
    for (place, pipe) in pipes.iter().enumerate() {
        if let Some(file) = &pipe.file {
            places.push(place);
            asked.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN));
        }
    }
    match poll(&mut asked, Some(&wait)) {
        Err(rustix::io::Errno::INTR) | Ok(0) => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(_) => {}
    }
    for (place, asked) in places.into_iter().zip(asked) {
        if let Some(ready) = ready.get_mut(place) {
            *ready = !asked.revents().is_empty();
        }
    }
    for (pipe, _) in pipes.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
        pipe.read()?;
    }
    Ok(())
}
