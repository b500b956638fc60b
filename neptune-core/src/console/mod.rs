//! What the process prints: taken line by line, and sent on to where it went before.
//!
//! [`capture`] puts pipes (or, for a terminal, a pair of pseudoterminals, see [`channel`]) in place of standard output and
//! standard error. A process of its own, the [`relay`], reads them: so what was printed survives SIGKILL. It is this very
//! program, started once more; [`ffi`] has it become the relay before `main`. It writes what it read to where it went before
//! ([`stream`]), takes the lines out of it ([`lines`], [`escape`]) and logs them ([`log`]). [`watch`] sees to the relay:
//! when it dies the program prints again as if it had not been there.

mod capture;
mod channel;
mod escape;
mod ffi;
mod lines;
mod log;
mod relay;
mod stream;
mod watch;
mod wire;

pub(crate) use capture::{Capture, Console, Destination, uncaptured_stderr};
