//! [`Channel`]: what stands in place of standard output or standard error: a pipe or, for a terminal, a pseudoterminal, so
//! that the program still finds a terminal there, of the same size.

use std::{
    fs,
    io::{self, Read as _},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags},
    pipe::{PipeFlags, fcntl_setpipe_size, pipe_with},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};

/// Bytes that a pipe holds before whoever prints waits, if the system allows as much: what a fast program prints in the
/// time that the relay needs to come to it on a busy machine. More is not allowed without privileges.
const PIPE_BYTES: usize = 1 << 20;

/// Both ends.
#[derive(Debug)]
pub(super) struct Channel {
    /// Where the program prints.
    pub(super) write: OwnedFd,
    /// Where the relay reads.
    pub(super) read: OwnedFd,
    /// Whether it is a pseudoterminal.
    pub(super) is_terminal: bool,
}

impl Channel {
    /// What may stand in place of `original`.
    pub(super) fn like(original: BorrowedFd<'_>) -> io::Result<Self> {
        if isatty(original) { Self::terminal(original) } else { Self::pipe() }
    }

    fn pipe() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        for bytes in [PIPE_BYTES, PIPE_BYTES / 4] {
            if fcntl_setpipe_size(&write, bytes).is_ok() {
                break;
            }
        }
        Ok(Self { write, read, is_terminal: false })
    }

    fn terminal(original: BorrowedFd<'_>) -> io::Result<Self> {
        let read = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&read)?;
        unlockpt(&read)?;
        let name = ptsname(&read, Vec::new())?;
        let write = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // Bytes pass as they are: the terminal behind it does with them what it always did.
        let mut settings = tcgetattr(original)?;
        settings.make_raw();
        tcsetattr(&write, OptionalActions::Now, &settings)?;
        copy_size(original, read.as_fd());
        Ok(Self { write, read, is_terminal: true })
    }
}

/// Gives the pseudoterminal the size of the terminal, when it has another.
pub(super) fn copy_size(terminal: BorrowedFd<'_>, pseudoterminal: BorrowedFd<'_>) {
    let (Ok(wanted), Ok(found)) = (tcgetwinsize(terminal), tcgetwinsize(pseudoterminal)) else { return };
    if wanted != found {
        tcsetwinsize(pseudoterminal, wanted).ok();
    }
}

/// Which file an open file is, whatever its number.
pub(super) fn identity(file: impl AsFd) -> io::Result<(u64, u64)> {
    let file = rustix::fs::fstat(file)?;
    Ok((file.st_dev, file.st_ino))
}

/// Whether the program that this process runs holds `address`, rather than a library that it loaded.
pub(super) fn is_in_program(address: usize) -> io::Result<bool> {
    let program = fs::read_link("/proc/self/exe")?;
    let mut maps = String::new();
    fs::File::open("/proc/self/maps")?.read_to_string(&mut maps)?;
    let holds = |line: &str| -> Option<bool> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        let path = rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default());
        Some((start..end).contains(&address) && program.as_os_str() == path)
    };
    Ok(maps.lines().any(|line| holds(line) == Some(true)))
}
