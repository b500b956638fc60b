//! The program as people and scripts run it: what it prints, what it writes, and how it exits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod diff;
mod files;
mod import;
mod notebook;
mod program;
mod removal;
mod run;
mod tables;
mod travel;
mod ui;
