//! What the trainer and the relay say to each other, over a pair of sockets that keeps messages apart.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use neptune_format::{ExperimentId, ProjectName};
use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};
use serde::{Deserialize, Serialize};

/// The longest message: the folder of a session, and some names.
const LONGEST: usize = 64 << 10;

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Which {
    Stdout,
    Stderr,
}

impl Which {
    pub(super) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// What its series is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// The standard file of this process.
    pub(super) const fn file(self) -> BorrowedFd<'static> {
        match self {
            Self::Stdout => rustix::stdio::stdout(),
            Self::Stderr => rustix::stdio::stderr(),
        }
    }

    /// Puts `file` in place of the standard one.
    pub(super) fn replace_by(self, file: impl AsFd) -> io::Result<()> {
        match self {
            Self::Stdout => rustix::stdio::dup2_stdout(file)?,
            Self::Stderr => rustix::stdio::dup2_stderr(file)?,
        }
        Ok(())
    }
}

/// What the relay is to do. The ends to read from come with it, in the order of `streams`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) folder: PathBuf,
    pub(super) is_offline: bool,
    pub(super) is_power_safe: bool,
    pub(super) experiment: ExperimentId,
    pub(super) project: ProjectName,
    /// The namespace of the series.
    pub(super) namespace: String,
    pub(super) streams: Vec<Ordered>,
}

/// One stream of an [`Order`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Ordered {
    pub(super) which: Which,
    pub(super) is_terminal: bool,
}

/// What else is said: one byte each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The relay: it runs, and the child that the trainer started is gone.
    Detached,
    /// The relay: it runs as a child of the trainer.
    Attached,
    /// The relay: nobody reads any more what the program prints.
    Broken(Which),
    /// The trainer: it prints no more.
    Finish,
    /// The relay: everything has come to where it went before.
    Forwarded,
    /// The relay: everything is kept.
    Finished,
}

impl Word {
    const fn byte(self) -> u8 {
        match self {
            Self::Detached => b'd',
            Self::Attached => b'a',
            Self::Broken(Which::Stdout) => b'1',
            Self::Broken(Which::Stderr) => b'2',
            Self::Finish => b'f',
            Self::Forwarded => b'w',
            Self::Finished => b'e',
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [
            Self::Detached,
            Self::Attached,
            Self::Broken(Which::Stdout),
            Self::Broken(Which::Stderr),
            Self::Finish,
            Self::Forwarded,
            Self::Finished,
        ]
        .into_iter()
        .find(|word| word.byte() == byte)
    }
}

/// Two ends.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Says a word. Never waits: there are few, and room for all of them.
pub(super) fn say(socket: impl AsFd, word: Word) -> io::Result<()> {
    rustix::net::send(socket, &[word.byte()], SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}

/// Waits for a word; `None` when the other side is gone.
pub(super) fn hear(socket: impl AsFd) -> Option<Word> {
    let mut byte = [0];
    loop {
        match rustix::net::recv(&socket, &mut byte, RecvFlags::empty()) {
            Ok((1.., _)) => {
                if let Some(word) = Word::of(byte[0]) {
                    return Some(word);
                }
            }
            // Of a side that closed without having heard everything: said once, before what it said itself.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

/// Gives an order, with the ends to read from.
pub(super) fn order(socket: impl AsFd, order: &Order, ends: &[BorrowedFd<'_>]) -> io::Result<()> {
    let text = serde_json::to_vec(order)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut files = SendAncillaryBuffer::new(&mut space);
    if text.len() > LONGEST || !files.push(SendAncillaryMessage::ScmRights(ends)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of the folder is too long"));
    }
    sendmsg(socket, &[IoSlice::new(&text)], &mut files, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}

/// Waits for an order.
pub(super) fn take_order(socket: impl AsFd) -> io::Result<(Order, Vec<OwnedFd>)> {
    let mut text = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut files = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut files, RecvFlags::CMSG_CLOEXEC)?;
    let mut ends = Vec::new();
    for message in files.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            ends.extend(files);
        }
    }
    let order: Order = serde_json::from_slice(text.get(..received.bytes).unwrap_or_default())?;
    if received.flags.contains(ReturnFlags::CTRUNC) || ends.len() != order.streams.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an order without its files"));
    }
    Ok((order, ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_heard_also_from_a_side_that_did_not_listen_and_is_gone() {
        let (trainer, relay) = pair().unwrap();
        say(&trainer, Word::Finish).unwrap();
        say(&relay, Word::Finished).unwrap();
        drop(relay);
        assert_eq!(hear(&trainer), Some(Word::Finished));
        assert_eq!(hear(&trainer), None);
    }

    #[test]
    fn each_word_is_its_own() {
        let (one, other) = pair().unwrap();
        for word in [Word::Detached, Word::Attached, Word::Finish, Word::Forwarded, Word::Finished]
            .into_iter()
            .chain(Which::ALL.map(Word::Broken))
        {
            say(&one, word).unwrap();
            assert_eq!(hear(&other), Some(word));
        }
    }
}
