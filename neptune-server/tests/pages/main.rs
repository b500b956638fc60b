//! The pages in a real browser, on folders that real programs log to.

mod browser;
mod site;

mod experiments;
mod frame;
