//! The pages in a real browser, on folders that real programs log to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod site;

mod charts;
mod charts_groups;
mod compare;
mod experiment;
mod experiments;
mod figures;
mod frame;
mod hostile;
mod live;
mod pictures;
mod runs;
