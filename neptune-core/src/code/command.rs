//! [`Git`]: runs the git program, for a bounded time and a bounded output, so that it asks nobody, changes nothing, goes to no
//! network, and runs no program that the repository names: who looks at the code of others must not run it.

use std::{
    cell::OnceCell,
    collections::BTreeSet,
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

/// What git is told each time: no pager and no prompt, no program that a repository names, no transport, no lock; and a diff that
/// does not depend on the taste of the user. A repository without a work tree that lies among other files, as one that was
/// checked out with them, is none: its settings would be those of whoever wrote the files.
const SETTINGS: [&str; 15] = [
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.hooksPath=/dev/null",
    "color.ui=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "diff.submodule=short",
    "diff.relative=false",
    "diff.context=3",
    "diff.interHunkContext=0",
    "diff.algorithm=myers",
    "diff.suppressBlankEmpty=false",
    "diff.orderFile=/dev/null",
];

/// Variables that would have git look at another repository than that of the folder, or at it in another way.
const OF_ANOTHER: [&str; 18] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_ATTR_SOURCE",
    "GIT_CONFIG",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// The settings that name a program which git runs to compare a file, and that one which makes it complain without.
const FILTERS: &str = r"^(filter|lfs\.extension)\..*\.(clean|process|required)$";

/// What git says of settings.
const MOST_SETTINGS: usize = 1 << 20;

/// Git in a folder, until a moment.
pub(super) struct Git<'a> {
    pub(super) folder: &'a Path,
    until: Instant,
    /// Whether nobody wants the answer any more.
    is_over: &'a dyn Fn() -> bool,
    /// The settings that keep the filters of the repository from being run, once they are known.
    without_filters: OnceCell<Vec<String>>,
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

impl<'a> Git<'a> {
    pub(super) const fn new(folder: &'a Path, until: Instant, is_over: &'a dyn Fn() -> bool) -> Self {
        Self { folder, until, is_over, without_filters: OnceCell::new() }
    }

    /// Git in another folder, until the same moment.
    pub(super) const fn within(&self, folder: &'a Path) -> Self {
        Self::new(folder, self.until, self.is_over)
    }

    /// Runs git with `arguments`; takes `most` bytes of what it says. Filters that the repository itself names are not run.
    pub(super) fn run(&self, arguments: &[&str], most: usize) -> Result<Said, Trouble> {
        let without_filters = if let Some(known) = self.without_filters.get() {
            known
        } else {
            let found = self.find_filters()?;
            self.without_filters.get_or_init(|| found)
        };
        self.run_with(without_filters, arguments, most)
    }

    /// The settings by which git runs none of the filters that the repository names. Those that the user or the system names
    /// are run: they are of this machine.
    fn find_filters(&self) -> Result<Vec<String>, Trouble> {
        let scoped = ["config", "--show-scope", "--name-only", "-z", "--get-regexp", FILTERS];
        let said = match self.run_with(&[], &scoped, MOST_SETTINGS) {
            // It complains of nothing when there are none.
            Err(Trouble::Refused(complaint)) if complaint.is_empty() => return Ok(Vec::new()),
            // Before 2.26 it does not say who named them.
            Err(Trouble::Refused(complaint)) if complaint.contains("option") => {
                let all = ["config", "--name-only", "-z", "--get-regexp", FILTERS];
                let mut said = match self.run_with(&[], &all, MOST_SETTINGS) {
                    Err(Trouble::Refused(complaint)) if complaint.is_empty() => return Ok(Vec::new()),
                    said => said?,
                };
                let names = said.bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
                said.bytes = names.flat_map(|name| [b"local\0", name, b"\0"]).flatten().copied().collect();
                said
            }
            said => said?,
        };
        let unknown = || Trouble::Refused("the filters that the repository names cannot be told apart".to_owned());
        if said.is_cut {
            return Err(unknown());
        }
        let said = String::from_utf8(said.bytes).ok().ok_or_else(unknown)?;
        let mut found = BTreeSet::new();
        let mut parts = said.split_terminator('\0');
        while let Some(scope) = parts.next() {
            let name = parts.next().filter(|name| !name.contains('=')).ok_or_else(unknown)?;
            if !matches!(scope, "system" | "global" | "command") {
                found.insert(format!("{name}={}", if name.ends_with(".required") { "false" } else { "" }));
            }
        }
        Ok(found.into_iter().collect())
    }

    fn run_with(&self, without_filters: &[String], arguments: &[&str], most: usize) -> Result<Said, Trouble> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder).args(["--no-pager", "--no-optional-locks"]);
        for setting in SETTINGS.into_iter().chain(without_filters.iter().map(String::as_str)) {
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
            // It outweighs what the repository allows, protocol by protocol.
            ("GIT_ALLOW_PROTOCOL", "none"),
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
                // Somebody in this program waited for a child of any kind, and it was this one; or has them all forgotten. Git
                // complains when it fails, unless it was asked for a setting that is not there.
                Err(_) if !said.bytes.is_empty() || complaint.bytes.is_empty() => {
                    return Ok(Said { bytes: said.bytes, is_cut: false });
                }
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
