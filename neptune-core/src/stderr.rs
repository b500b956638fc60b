//! Saying something on standard error without waiting for anybody.
//!
//! The standard library has a lock there, which a thread of the program may hold while it waits for whoever reads; and a terminal
//! that is stopped takes nothing. Threads of neptune that others depend on wait for neither.

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The most that is said at once: a pipe that takes anything takes this much.
const MOST: usize = 2048;

/// Says `line`, if it is taken at once; says whether it was. A line that is too long is cut.
pub(crate) fn say_at_once(line: &str) -> bool {
    let stderr = rustix::stdio::stderr();
    let mut asked = [PollFd::new(&stderr, PollFlags::OUT)];
    let is_taken = poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0);
    if is_taken {
        let mut text = line.get(..line.floor_char_boundary(MOST)).unwrap_or_default().to_owned();
        text.push('\n');
        // There is nobody to tell that standard error is closed.
        rustix::io::write(stderr, text.as_bytes()).ok();
    }
    is_taken
}
