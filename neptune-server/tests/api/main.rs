//! The HTTP API as programs use it, over real connections, on folders that real experiments log to.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and measures how long it waits"
)]

mod changes;
mod console;
mod crowd;
mod described;
mod door;
mod drawing;
mod files;
mod folders;
mod hostile;
mod http;
mod live;
mod paths;
mod run;
mod series;
